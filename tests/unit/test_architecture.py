"""Arrows point one way: handler → adapter → domain. Read from the sources, so that a lazy import counts as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

# room → what it may import of this project, itself aside. The longest room that fits a file counts.
ROOMS: dict[str, set[str]] = {
    "layers/presence/presence": set(),
    "layers/exchange/exchange": {"presence"},
    "functions": {"presence", "exchange"},
    "local/exchange": set(),  # shares no code with what it tests
    "local/stack": {"presence", "exchange"},
    "local/stack/inside": set(),  # runs where nothing else of this project is
    "local/running": {"presence", "exchange", "local.stack", "local.virtual"},
    "local/virtual": set(),  # loads the functions as Lambda does, and imports nothing of them
    "local/faults": {"presence", "local.exchange", "local.virtual"},
    "local/demo": {"presence", "exchange", "local.exchange", "local.stack", "local.virtual"},
    "local/demo/oracle.py": {"local.exchange", "local.demo"},  # shares no mistake with what it judges
    "local/demo/day_expectations.py": {"local.exchange", "local.demo"},
    "local": set(),
    "cli": {"presence", "exchange", "functions", "local"},
    "benchmarks": {"presence", "exchange", "functions", "local"},
}
OWN = {"presence", "exchange", "functions", "local", "cli", "tests", "benchmarks"}
DOMAIN = (
    "addresses",
    "automatic_replies",
    "calendar",
    "claims",
    "command_requests",
    "commands",
    "current_document",
    "decisions",
    "documents",
    "errors",
    "events",
    "fields",
    "freshness",
    "history",
    "instants",
    "knowledge",
    "known_calendar",
    "log_names",
    "mapping",
    "messages",
    "presences",
    "profile_documents",
    "profiles",
    "proxy_addresses",
    "records",
    "rights",
    "showing",
    "standing_claims",
    "stream_records",
    "timeline",
    "working_hours",
)
RENDERINGS = [
    f"renderings/{path.stem}" for path in sorted((CHECKOUT / "layers/presence/presence/renderings").glob("*.py"))
]
OF_THE_DOMAIN_IN_EXCHANGE = {
    "addresses",
    "automatic_replies",
    "calendar",
    "current_document",
    "documents",
    "errors",
    "instants",
    "profile_documents",
    "profiles",
    "quiet_loggers",
    "working_hours",
}
NEVER_IN_DOMAIN = {"boto3", "botocore", "exchangelib", "requests", "os", "time", "aws_lambda_powertools"}
ONLY_IN_EXCHANGE = {"exchangelib", "requests", "lxml", "dns", "spnego", "requests_ntlm"}


def files_of(room: str) -> list[Path]:
    path = CHECKOUT / room
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def room_of(path: Path) -> str:
    name = path.relative_to(CHECKOUT).as_posix()
    return max((room for room in ROOMS if name == room or name.startswith(f"{room}/")), key=len)


@cache
def imported_by(source: str) -> tuple[str, ...]:
    """Return the full names of the modules that a source imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += ["a relative import"] if node.level else [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def violations(room: str, source: str) -> list[str]:
    """Return what a source of a room imports of this project and may not."""
    own_name = room.removeprefix("layers/").split("/", 1)[-1] if room.startswith("layers/") else room.replace("/", ".")
    allowed = {*ROOMS[room], own_name.removesuffix(".py")}
    return [
        module
        for module in imported_by(source)
        if module == "a relative import"
        or (
            module.split(".")[0] in OWN and not any(module == name or module.startswith(f"{name}.") for name in allowed)
        )
    ]


def all_files() -> list[Path]:
    return [path for room in ("layers", "functions", "local", "cli", "benchmarks") for path in files_of(room)]


@pytest.mark.parametrize("path", all_files(), ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_imports_point_inward_only(path: Path) -> None:
    assert violations(room_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("layers/presence/presence", "from exchange.reader import ExchangeReader"),
        ("layers/presence/presence", "import functions.check_calendars.handler"),
        ("layers/exchange/exchange", "from cli.main import main"),
        ("layers/exchange/exchange", "def f():\n    from local.exchange import server"),
        ("functions", "from local.stack.engine import Engine"),
        ("functions", "from tests.support.aws import account"),
        ("local/exchange", "from presence.instants import parse_instant"),
        ("local/stack", "from local.demo.oracle import Oracle"),
        ("local/stack", "from local.exchange.server import SimulatedExchange"),
        ("local/demo/oracle.py", "from presence.timeline import compute_timeline"),
        ("local/demo", "import cli"),
        ("local/faults", "from exchange.ews.response_codes import MEANINGS"),
        ("local/faults", "from tests.support.memory import MemoryQueue"),
        ("local/demo/day_expectations.py", "from presence.freshness import Rules"),
        ("local/virtual", "from functions.check_calendars.handler import parts"),
        ("local/virtual", "from presence.tables.users import UserTable"),
        ("cli", "from tests.support import aws"),
        ("cli", "from .main import main"),
    ],
)
def test_an_import_that_points_outward_is_noticed(room: str, source: str) -> None:
    assert violations(room, source)


@pytest.mark.parametrize("module", [*DOMAIN, *RENDERINGS])
def test_the_domain_knows_no_library_no_environment_and_no_clock(module: str) -> None:
    source = (CHECKOUT / "layers/presence/presence" / f"{module}.py").read_text(encoding="utf-8")
    assert not {name.split(".")[0] for name in imported_by(source)} & NEVER_IN_DOMAIN
    assert not {"now", "utcnow", "today"} & {
        node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("path", files_of("layers/exchange/exchange"), ids=lambda path: path.name)
def test_the_exchange_layer_knows_types_of_the_domain_and_no_adapter(path: Path) -> None:
    imported = {
        name.split(".")[1] for name in imported_by(path.read_text(encoding="utf-8")) if name.startswith("presence.")
    }
    assert imported <= OF_THE_DOMAIN_IN_EXCHANGE


def test_what_talks_to_exchange_is_imported_by_the_exchange_layer_only() -> None:
    """Importing exchangelib costs 0.3 s, which only functions that need it may pay."""
    for path in [*files_of("layers/presence/presence"), *files_of("functions")]:
        assert not {name.split(".")[0] for name in imported_by(path.read_text(encoding="utf-8"))} & ONLY_IN_EXCHANGE, (
            path
        )


def test_only_the_function_that_talks_to_exchange_imports_the_exchange_layer() -> None:
    importing = {
        path.parent.name
        for path in files_of("functions")
        if any(name.split(".")[0] == "exchange" for name in imported_by(path.read_text(encoding="utf-8")))
    }
    assert importing == {"check_calendars"}


@pytest.mark.parametrize(
    "path", [*files_of("layers"), *files_of("functions")], ids=lambda path: path.relative_to(CHECKOUT).as_posix()
)
def test_nothing_is_read_from_the_environment_and_no_client_is_made_at_import(path: Path) -> None:
    assert list(calls_at_import(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os\nTABLE = os.environ['TABLE']",
        "import os\nTABLE = os.getenv('TABLE')",
        "import boto3\nclient = boto3.client('sqs')",
        "import boto3\nclass Queue:\n    client = boto3.resource('sqs')",
        "import os\ndef f(table=os.environ.get('TABLE')): ...",
    ],
)
def test_work_at_import_is_noticed(source: str) -> None:
    assert list(calls_at_import(ast.parse(source)))


def calls_at_import(node: ast.AST) -> Iterator[str]:
    """Yield what is run when a module is imported and should not be: the environment, clients."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*child.args.defaults, *(value for value in child.args.kw_defaults if value is not None)]:
                yield from calls_at_import(ast.Expr(default))
            continue
        if isinstance(child, ast.Attribute) and child.attr in {"environ", "getenv", "client", "resource", "Session"}:
            yield ast.unparse(child)
        yield from calls_at_import(child)


def test_only_what_waits_for_a_transition_sleeps() -> None:
    sleeping = {
        path.relative_to(CHECKOUT).as_posix()
        for path in [*files_of("layers"), *files_of("functions")]
        if sleeps(path.read_text(encoding="utf-8"))
    }
    assert sleeping == {"functions/apply_transitions/handler.py"}  # which hands it to wait_until_due


@pytest.mark.parametrize(
    "source", ["import time\ntime.sleep(1)", "from time import sleep", "import asyncio\nf = asyncio.sleep"]
)
def test_a_sleep_is_noticed(source: str) -> None:
    assert sleeps(source)


def sleeps(source: str) -> bool:
    return any(name in {"time.sleep", "asyncio.sleep"} for name in imported_by(source)) or any(
        isinstance(node, ast.Attribute) and ast.unparse(node) in {"time.sleep", "asyncio.sleep"}
        for node in ast.walk(ast.parse(source))
    )


@pytest.mark.parametrize("name", ["local/demo/oracle.py", "local/demo/day_expectations.py", "local/demo/verdict.py"])
def test_the_oracle_reaches_nothing_of_the_layers_through_others_either(name: str) -> None:
    assert any(
        name.startswith("presence.tables") for name in reached_from("local/stack/local_stack.py")
    )  # it does look
    assert [module for module in reached_from(name) if module.split(".")[0] in {"presence", "exchange"}] == []


def reached_from(name: str) -> set[str]:
    """Return every module of this project that a file imports, itself or through others."""
    reached: set[str] = set()
    waiting = [CHECKOUT / name]
    while waiting:
        for module in imported_by(waiting.pop().read_text(encoding="utf-8")):
            if module.split(".")[0] in OWN and module not in reached:
                reached.add(module)
                waiting += [path for path in (_file_of(module), _file_of(module.rpartition(".")[0])) if path]
    return reached


def _file_of(module: str) -> Path | None:
    place = CHECKOUT / module.replace(".", "/")
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
