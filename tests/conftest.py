"""What holds for every test: no connection leaves this machine, and an interrupt reaches whom it is sent to."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts


def pytest_configure() -> None:
    """Judge no example by the clock, and take interrupts.

    A shell starts what it puts into the background with SIGINT ignored, and that is inherited.
    """
    settings.register_profile("calendar-presence", deadline=None)
    settings.load_profile("calendar-presence")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    """Let a test connect to 127.0.0.1 and to nothing else."""
    socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
