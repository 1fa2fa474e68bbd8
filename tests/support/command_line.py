"""The command `presence` as a test calls it, against the stack of `tests.support.deployed`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.main import main
from tests.support.deployed import STACK

Run = Callable[..., tuple[int, str, str]]
"""Takes arguments; returns the exit code, the output and what went to standard error."""


def command(capsys: pytest.CaptureFixture[str], *before: str) -> Run:
    """Return what calls the command with these words before the arguments, and with the stack behind them."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*before, *arguments, "--stack", STACK])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
