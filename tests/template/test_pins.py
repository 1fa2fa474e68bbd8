"""Requirements are pinned with hashes, name no index, and say the same wherever they say something."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.template import TEMPLATE

CHECKOUT = TEMPLATE.parent
LAYERS = ("presence", "exchange")
PINNED = [
    *(CHECKOUT / "requirements").glob("*.txt"),
    *(CHECKOUT / "layers" / layer / "requirements.txt" for layer in LAYERS),
]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
IN_RUNTIME = {"boto3", "botocore"}  # comes with the Lambda runtime


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(path: Path) -> dict[str, str]:
    return {_normal(name): version for name, version in PIN.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", PINNED, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_requirement_has_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert requirements
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_tested_with_the_versions_that_it_is_deployed_with(layer: str) -> None:
    tested = _pins(CHECKOUT / "requirements" / "dev.txt")
    deployed = _pins(CHECKOUT / "layers" / layer / "requirements.txt")
    assert deployed.items() <= tested.items()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_leaves_out_what_the_lambda_runtime_brings(layer: str) -> None:
    assert not {"boto3", "botocore", "s3transfer"} & _pins(CHECKOUT / "layers" / layer / "requirements.txt").keys()


def test_the_exchange_layer_repeats_nothing_that_the_presence_layer_asks_for() -> None:
    asked = {layer: PIN.findall((CHECKOUT / "layers" / layer / "requirements.in").read_text()) for layer in LAYERS}
    assert not {name for name, _ in asked["presence"]} & {name for name, _ in asked["exchange"]}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_asks_for_every_package_that_it_imports(layer: str) -> None:
    asked = {_normal(name) for name in _pins(CHECKOUT / "layers" / layer / "requirements.in")}
    if layer == "exchange":
        asked |= _pins(CHECKOUT / "layers" / "presence" / "requirements.in").keys()
    distributions = packages_distributions()
    for path in (CHECKOUT / "layers" / layer / layer).rglob("*.py"):
        for module in _imported(path) - sys.stdlib_module_names - {*LAYERS, *IN_RUNTIME}:
            names = {_normal(name) for name in distributions.get(module, [module])}
            assert names & asked, f"{path.name} imports {module}, which layers/{layer}/requirements.in lacks"


def test_the_engines_environment_holds_nothing_that_a_layer_needs() -> None:
    engine = _pins(CHECKOUT / "requirements" / "engine.txt").keys()
    for layer in LAYERS:
        asked = _pins(CHECKOUT / "layers" / layer / "requirements.in").keys()
        assert asked & engine <= {"urllib3"}  # of boto3, which the Lambda runtime has too


def _imported(path: Path) -> set[str]:
    """Return the top-level modules that a file imports when it runs, not those for type checking only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names
