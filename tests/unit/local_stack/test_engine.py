"""What is said when the engine can't be used, and what it is told of the host: nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from local.stack.engine import Engine
from local.stack.errors import EngineError


def _program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_missing_environment_is_named_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"python\)\. Make it with: make engine"):
        Engine(python=tmp_path / "python").start()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EngineError, match=rf"Port {port} of 127\.0\.0\.1 is in use"):
            Engine(python=_program(tmp_path, "exit 0"), port=port).start()


def test_an_engine_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    engine = Engine(python=_program(tmp_path, "echo no such module; exit 3"))
    with pytest.raises(EngineError, match=r"ended with code 3 while starting.*\nno such module"):
        engine.start()


def test_a_client_of_an_engine_that_does_not_run_is_refused() -> None:
    with pytest.raises(EngineError, match="not running"):
        Engine().client("sqs")


def test_no_variable_of_the_host_reaches_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "HTTPS_PROXY", "PYTHONPATH", "SECRET"):
        monkeypatch.setenv(name, "of-the-host")
    engine = Engine(python=_program(tmp_path, "env; exit 3"))
    with pytest.raises(EngineError) as raised:
        engine.start()
    assert "of-the-host" not in str(raised.value)
    assert "AUTH=true" in str(raised.value)
