"""`sam build`: the artefacts are for the right machine, and every handler runs on nothing but them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.stack.local_stack import LocalStack, deployed_stack
from tests.sam_build.builder import CHECKOUT, Toolchain

AARCH64 = 183  # e_machine of an ELF file (System V ABI, AArch64 supplement)
GOOD_AND_MALFORMED = "good_and_malformed.json"
FAILED = {"batchItemFailures": [{"itemIdentifier": "00000000-0000-4000-8000-000000000002"}]}
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}

pytestmark = pytest.mark.timeout(300)


def _machines(folder: Path) -> dict[str, int]:
    """Return the machine that each shared object below a folder is for."""
    objects = [path for path in folder.rglob("*") if path.is_file() and ".so" in path.suffixes]
    return {str(path.relative_to(folder)): int.from_bytes(path.read_bytes()[18:20], "little") for path in objects}


def test_what_is_deployed_is_for_arm64_and_python313(deployed_build: Path) -> None:
    machines = _machines(deployed_build)
    assert [name for name in machines if "lxml/etree" in name]
    assert [name for name in machines if "_rust" in name]  # of cryptography
    assert set(machines.values()) == {AARCH64}
    assert not [name for name in machines if "cpython-" in name and "cpython-313-" not in name]


def test_layers_hold_their_package_and_leave_out_what_the_runtime_brings(deployed_build: Path) -> None:
    assert (deployed_build / "PresenceLayer" / "python" / "presence" / "py.typed").is_file()
    assert (deployed_build / "ExchangeLayer" / "python" / "exchange" / "py.typed").is_file()
    assert not list(deployed_build.rglob("boto3"))
    assert not list(deployed_build.rglob("botocore"))


def test_a_function_holds_its_handler_only(deployed_build: Path) -> None:
    functions = [folder for folder in deployed_build.iterdir() if folder.name.endswith("Function")]
    assert len(functions) == 7
    for folder in functions:
        assert [path.name for path in folder.iterdir()] == ["handler.py"]


def test_layers_stay_below_what_lambda_unpacks(deployed_build: Path) -> None:
    size = sum(path.stat().st_size for path in deployed_build.rglob("*") if path.is_file())
    assert size < 250 * 1024 * 1024  # Lambda quotas: function and layers unzipped


@pytest.fixture(scope="module")
def local_stack() -> Iterator[LocalStack]:
    """Start an account that the built handlers can talk to."""
    with deployed_stack(stack_name="built", parameters={"HistoryDays": "30"}) as stack:
        stack.seed(gateways={"schema_version": 1, "gateways": []}, credentials={}, addresses=[])
        yield stack


@pytest.mark.parametrize(
    ("function", "layers", "event", "expected"),
    [
        ("schedule_checks", ["PresenceLayer"], "tick.json", {"users": 0, "requests": 0}),
        ("check_calendars", ["PresenceLayer", "ExchangeLayer"], GOOD_AND_MALFORMED, FAILED),
        ("schedule_transitions", ["PresenceLayer"], "tick.json", {"coming": 0, "overdue": 0}),
        ("apply_transitions", ["PresenceLayer"], GOOD_AND_MALFORMED, FAILED),
        ("publish_presence", ["PresenceLayer"], GOOD_AND_MALFORMED, NOTHING_FAILED),
        ("record_history", ["PresenceLayer"], GOOD_AND_MALFORMED, NOTHING_FAILED),
        ("set_presence", ["PresenceLayer"], "by_hand.json", {"refused": "address: nobody has it; add the user first"}),
    ],
)
def test_a_built_handler_runs_on_the_artefacts_alone(
    function: str,
    layers: list[str],
    event: str,
    expected: dict[str, Any],
    host_build: Path,
    toolchain: Toolchain,
    local_stack: LocalStack,
    tmp_path: Path,
) -> None:
    logical_id = "".join(word.title() for word in function.split("_")) + "Function"
    paths = [host_build / logical_id, *(host_build / layer / "python" for layer in layers), toolchain.runtime]
    answer = tmp_path / "answer.json"
    command = [toolchain.python, "-I", "-B", CHECKOUT / "tests" / "sam_build" / "run_handler.py"]
    done = subprocess.run(  # noqa: S603  our own interpreter and script
        [*map(str, command), str(CHECKOUT / "events" / function / event), str(answer), *map(str, paths)],
        env=local_stack.deployment.variables_of(function) | local_stack.engine.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(answer.read_text(encoding="utf-8"))
    assert found["returned"] == expected, done.stdout
    assert found["origins"]["boto3"].startswith(str(toolchain.runtime))
    assert found["origins"]["presence"].startswith(str(host_build))
    assert ("exchangelib" in found["origins"]) == (function == "check_calendars")
    assert not [
        origin for origin in found["origins"].values() if origin and origin.startswith(str(CHECKOUT / "layers"))
    ]
