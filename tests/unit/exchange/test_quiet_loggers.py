"""Libraries say nothing, whatever level the root logger has: they would print headers, tokens, bodies and secrets."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import spnego

from exchange.quiet_loggers import OF_EXCHANGE, silence_loggers
from presence.quiet_loggers import OF_AWS, silence

CHECKOUT = Path(__file__).resolve().parents[3]
HARMLESS = {"asyncio", "concurrent"}
"""Of the standard library: names of selectors, and tracebacks of callbacks that nobody here has."""
NOT_CALLED_BY_THE_COMMAND = {"bcdocs", "boto3", "botocore", "s3transfer"}
"""`presence check` needs no AWS."""

IN_A_FUNCTION = """
import functions.check_calendars.handler
from presence.observing import Observer

Observer("check_calendars")
"""
IN_THE_COMMAND = """
import cli.check
"""
SPEAKING_LOGGERS = """
import json, logging, sys
sys.path[:0] = sys.argv[2:]
exec(sys.argv[1])
from exchange.quiet_loggers import silence_loggers

logging.getLogger().setLevel(logging.DEBUG)
silence_loggers()
# What somebody may have made of a library's loggers at its import, or later.
logging.getLogger("urllib3.made.later")
names = list(logging.root.manager.loggerDict)
print(json.dumps([name for name in names if logging.getLogger(name).isEnabledFor(logging.CRITICAL)]))
"""


@pytest.mark.parametrize("name", [*OF_AWS, *OF_EXCHANGE])
@pytest.mark.parametrize("below", ["", ".util", ".made.later"])
def test_a_library_s_loggers_reach_no_handler(name: str, below: str, caplog: pytest.LogCaptureFixture) -> None:
    # As another library, or an earlier test, may have left it.
    logging.getLogger(f"{name}.util").setLevel(logging.DEBUG)
    logging.getLogger(f"{name}.util").propagate = False
    logging.getLogger(f"{name}.util").addHandler(caplog.handler)
    silence(OF_AWS)
    silence_loggers()
    with caplog.at_level(logging.DEBUG):
        for level in (logging.DEBUG, logging.CRITICAL):
            logging.getLogger(name + below).log(level, "Authorization: Basic secret")
    assert not caplog.records


def test_the_libraries_keep_their_silence_while_they_work(caplog: pytest.LogCaptureFixture) -> None:
    silence_loggers()
    with caplog.at_level(logging.DEBUG):
        spnego.client("u", "p", hostname="mail.example.com", service="http", protocol="ntlm").step()
    assert not caplog.records


@pytest.mark.parametrize(
    ("begin", "own"),
    [(IN_A_FUNCTION, {"our own"}), (IN_THE_COMMAND, NOT_CALLED_BY_THE_COMMAND)],
    ids=["function", "presence check"],
)
def test_no_library_that_asks_exchange_is_forgotten(begin: str, own: set[str]) -> None:
    """A new one that logs has to be put into one of the lists, or be harmless."""
    paths = [str(CHECKOUT), str(CHECKOUT / "layers" / "presence"), str(CHECKOUT / "layers" / "exchange")]
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", SPEAKING_LOGGERS, begin, *paths],
        env={"POWERTOOLS_SERVICE_NAME": "our own"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    speaking = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert speaking - HARMLESS == own
