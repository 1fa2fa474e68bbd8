"""Nothing happens when a handler is imported: that is paid for by the first call, and tests can set what it finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.template import function_variables

CHECKOUT = Path(__file__).resolve().parents[3]
FUNCTIONS = sorted(folder.name for folder in (CHECKOUT / "functions").iterdir() if (folder / "handler.py").is_file())

WATCHER = """
import json, os, sys, threading

read = set()
plain = os._Environ.__getitem__


def watched(self, key):
    read.add(key)
    return plain(self, key)


os._Environ.__getitem__ = watched
sys.path[:0] = sys.argv[2:]

import boto3
import botocore.session

clients = []
create = botocore.session.Session.create_client


def create_client(self, service, *rest, **more):
    clients.append(service)
    return create(self, service, *rest, **more)


botocore.session.Session.create_client = create_client

handlers = {}
for name in sys.argv[1].split(","):
    read.clear()
    clients.clear()
    module = __import__(f"functions.{name}.handler", fromlist=["lambda_handler"])
    handlers[name] = {
        "read": sorted(read),
        "clients": list(clients),
        "session": boto3.DEFAULT_SESSION is not None,
        "threads": threading.active_count(),
        "callable": callable(module.lambda_handler),
    }
print(json.dumps(handlers))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, dict[str, object]]:
    """What importing each handler did, in an interpreter with an empty environment, each handler the first of one."""
    paths = [str(CHECKOUT), str(CHECKOUT / "layers" / "presence"), str(CHECKOUT / "layers" / "exchange")]
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", WATCHER, ",".join(FUNCTIONS), *paths],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


def test_every_function_of_the_template_is_there() -> None:
    assert len(FUNCTIONS) == 7
    for name in FUNCTIONS:
        assert function_variables(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_handler_makes_no_client_and_no_thread(imported: dict[str, dict[str, object]], name: str) -> None:
    found = imported[name]
    assert found["clients"] == []
    assert found["session"] is False
    assert found["threads"] == 1
    assert found["callable"] is True


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_handler_reads_no_variable_of_ours(imported: dict[str, dict[str, object]], name: str) -> None:
    ours = {variable for function in FUNCTIONS for variable in function_variables(function)}
    read = imported[name]["read"]
    assert isinstance(read, list)
    assert ours.isdisjoint(read)
