from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from cli.main import main
from cli.stacks import find_stack
from local.stack.errors import EngineError
from tests.support.deployed import STACK, Deployed, deployed

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(monkeypatch) as made:
        yield made


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["chek"],
        ["users"],
        ["users", "add", "--stack", "s"],
        ["users", "list"],
        ["check", "alice@example.com"],
        ["check", "alice@example.com", "--config", "f", "--read-timeout", "0"],
        ["check", "alice@example.com", "--config", "f", "--read-timeout", "soon"],
        ["doctor", "--config", "f"],
        ["doctor", "alice@example.com"],
        ["doctor", "alice@example.com", "--config", "f", "--connect-timeout", "0"],
        ["gateways", "put", "f"],
        ["gateways", "retry", "headquarters"],
        ["history", "--stack", "s"],
        ["history", "alice@example.com"],
        ["user", "--stack", "s"],
        ["user", "erase", "alice@example.com"],
        ["user", "erase", "--yes", "--stack", "s"],
        ["user", "export", "--stack", "s"],
        ["replay", "--stack", "s"],
        ["invoke", "no_such_function", "-e", "f"],
        ["invoke", "check_calendars"],
        ["demo", "--watch", "--samples"],
        ["run", "--config", "f"],
        ["run", "--state", "s"],
        ["run", "--config", "f", "--state", "s", "--port", "0"],
        ["run", "--config", "f", "--state", "s", "--port", "http"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("presence")
    assert told.err.count("\n") == 1


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("check", "doctor", "users", "gateways", "history", "user", "replay", "invoke", "demo"):
        assert f"\n    {command} " in out


def test_help_imports_neither_aws_nor_exchange() -> None:
    script = (
        "import sys; from cli.main import main; main(['--help']);"
        "sys.exit(', '.join({'boto3', 'botocore', 'exchangelib', 'lxml', 'rich'} & set(sys.modules)) or 0)"
    )
    done = python("-c", script)
    assert done.stderr.strip() == ""
    assert done.returncode == 0


def test_a_stack_is_found_by_its_name(stack: Deployed) -> None:
    assert find_stack(STACK).outputs["UserTableName"] == stack.physical["UserTable"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("no-such", "there is no stack 'no-such' in region"), ("another-program", "is no Calendar Presence")],
)
def test_a_stack_that_is_none_of_ours_is_refused(
    stack: Deployed, name: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stack.outputs
    assert main(["users", "list", "--stack", name]) == 2
    told = capsys.readouterr()
    assert complaint in told.err
    assert told.err.count("\n") == 1


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "exit_code", "advice"),
    [
        (NoCredentialsError(), 2, "set AWS_PROFILE"),
        (NoRegionError(), 2, "set AWS_REGION"),
        (ProfileNotFound(profile="x"), 2, "see AWS_PROFILE"),
        (refusal("ExpiredToken"), 2, "sign in again"),
        (refusal("InvalidClientTokenId"), 2, "see AWS_PROFILE"),
        (refusal("AccessDenied"), 1, "needs that right"),
        (refusal("Throttling"), 1, "refused DescribeStacks with Throttling"),
        (EndpointConnectionError(endpoint_url="https://aws.test"), 1, "check the region and the network"),
        (ConnectTimeoutError(endpoint_url="https://aws.test"), 1, "AWS can't be asked"),
    ],
)
def test_what_aws_has_against_a_call_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    exit_code: int,
    advice: str,
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("boto3.client", refuse)
    assert main(["users", "list", "--stack", "prod"]) == exit_code
    told = capsys.readouterr()
    assert advice in told.err
    assert told.err.count("\n") == 1


def test_without_an_engine_invoke_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(**_: object) -> None:
        raise EngineError("The engine's environment is missing. Make it with: make engine")

    monkeypatch.setattr("cli.workbench.deployed_stack", missing)
    event = CHECKOUT / "events" / "schedule_checks" / "tick.json"
    assert main(["invoke", "schedule_checks", "-e", str(event)]) == 1
    assert capsys.readouterr().err == "presence: The engine's environment is missing. Make it with: make engine\n"


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "1" * 5000])
def test_an_event_that_is_no_json_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("cli.invoke.set_up_workbench", None)
    path = tmp_path / "event.json"
    path.write_text(text, encoding="utf-8")
    assert main(["invoke", "schedule_checks", "-e", str(path)]) == 2
    assert "is no JSON" in capsys.readouterr().err
    assert main(["invoke", "schedule_checks", "-e", str(tmp_path / "none.json")]) == 2
    assert "can't be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "handed_over"), [([], []), (["--watch"], ["--watch"]), (["--samples"], ["--samples"])]
)
def test_demo_is_the_demo(monkeypatch: pytest.MonkeyPatch, arguments: list[str], handed_over: list[str]) -> None:
    asked: list[list[str]] = []

    def demo(options: list[str]) -> int:
        asked.append(options)
        return 1

    monkeypatch.setattr("cli.demo.main", demo)
    assert main(["demo", *arguments]) == 1
    assert asked == [handed_over]


def test_ctrl_c_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.demo.main", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == ""


def test_an_unexpected_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cli.demo.main", broken)
    with pytest.raises(ZeroDivisionError):
        main(["demo"])


def test_an_error_is_one_line_whatever_the_document_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text('schema_version = 1\n"a\\n\\u001b[31mb" = 1\n[[gateways]]\n', encoding="utf-8")

    assert main(["gateways", "validate", str(path)]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "\x1b" not in told.err


_GATEWAYS = """
schema_version = 1
[[gateways]]
name = "a"
kind = "ews"
hosts = ["192.0.2.1"]
domains = ["bücher.test"]
credentials = "reader"
"""


@pytest.mark.parametrize(
    ("out", "exit_code", "told"),
    [(">&-", 0, ""), (">/dev/full", 1, "presence: [Errno 28] No space left on device\n"), ("| head -c 0", 0, "")],
)
def test_output_that_can_t_be_written_is_no_traceback(tmp_path: Path, out: str, exit_code: int, told: str) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text(_GATEWAYS, encoding="utf-8")
    command = f"set -o pipefail; {sys.executable} -m cli gateways validate {path} {out}"

    done = run("/bin/bash", "-c", command)

    assert (done.returncode, done.stderr) == (exit_code, told)


def test_letters_that_the_terminal_lacks_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text(_GATEWAYS, encoding="utf-8")

    done = run(sys.executable, "-m", "cli", "gateways", "validate", str(path), PYTHONIOENCODING="ascii")

    assert "b\\xfccher.test" in done.stdout
    assert done.stderr == ""


def test_python_m_cli_is_the_same_command(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    done = python("-m", "cli", "gateways", "validate", str(path))
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"presence: {path}: can't be read (No such file or directory)"]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, *arguments)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    folders = (".", "layers/presence", "layers/exchange")
    return subprocess.run(  # noqa: S603  our own interpreter
        command,
        check=False,
        cwd=CHECKOUT,
        env={"PYTHONPATH": ":".join(str(CHECKOUT / folder) for folder in folders), **environment},
        capture_output=True,
        text=True,
    )
