"""What holds for every test: no connection leaves this machine."""

from __future__ import annotations

import pytest
from pytest_socket import socket_allow_hosts


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """Let a test connect to 127.0.0.1 and to nothing else."""
    socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
