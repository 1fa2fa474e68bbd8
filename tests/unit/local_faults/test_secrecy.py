from __future__ import annotations

import base64
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from local.exchange.accounts import Account
from local.exchange.organisation import LOCATION_CANARY, REPLY_CANARY, SUBJECT_CANARY
from local.faults.places import COOKIE_CANARY, accounts
from local.faults.secrecy import Secrets, everything_logged
from presence.observing import Observer

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = Account("reader", "EXAMPLE\\reader", "open sesame")
BASIC = base64.b64encode(b"EXAMPLE\\reader:open sesame").decode()
NTLM = base64.b64encode(b"NTLMSSP\x00\x01\x00\x00\x00").decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"password": "open sesame"}', ["a password"]),
        (BASIC, ["a password, encoded"]),
        (f"Basic {BASIC.rstrip('=')}", ["a password, encoded"]),
        (f"{NTLM}AAAA", ["an NTLM message"]),
        ("b'NTLMSSP\\x00\\x01'", ["an NTLM message"]),
        ("{'Authorization': 'Negotiate oRQ='}", ["an Authorization header"]),
        ("authorization: Basic eA==", ["an Authorization header"]),
        (f"Re: {SUBJECT_CANARY}", ["the subject of a meeting"]),
        (LOCATION_CANARY.upper(), ["the location of a meeting"]),
        (REPLY_CANARY, ["an automatic reply"]),
        (f"Set-Cookie: x={COOKIE_CANARY}", ["a cookie"]),
        ("the server offers NTLM, Basic; check the Authorization", []),
        ('{"auth": "ntlm", "credentials": "reader", "username": "EXAMPLE\\\\reader"}', []),
    ],
)
def test_each_secret_is_found_and_never_repeated(text: str, found: list[str]) -> None:
    said = list(Secrets([ACCOUNT]).found_in(["harmless", text, text], "line {} of the log"))
    assert said == [f"{name} stands in line 2 of the log" for name in found]


def test_passwords_of_the_run_are_looked_for() -> None:
    (said,) = Secrets(accounts()).found_in([f"the password is {accounts()[1].password}"], "a table")
    assert said == "a password stands in a table"


def test_people_are_looked_for_where_nobody_is_named() -> None:
    line = "alice@example.com was read"
    assert list(Secrets([ACCOUNT]).found_in([line], "a table")) == []
    assert list(Secrets([ACCOUNT], ["alice@example.com"]).found_in([line], "the log")) == [
        "an address or a user id stands in the log"
    ]


def test_all_that_is_logged_and_printed_is_written_down(tmp_path: Path) -> None:
    log = tmp_path / "build" / "all.log"
    quiet = logging.getLogger("spnego")
    before = (quiet.level, quiet.propagate)
    with everything_logged(log):
        logging.getLogger("anybody").debug("said by somebody")
        logging.getLogger("spnego.below").debug("said by a library")
        Observer("check_calendars").failure("said by a function")
        sys.stdout.write("printed\n")
        sys.stderr.write("printed as an error\n")
    logging.getLogger("anybody").error("said afterwards")
    text = log.read_text()
    said = ("said by somebody", "said by a library", "said by a function", "printed\n", "printed as an error")
    assert all(words in text for words in said)
    assert "afterwards" not in text
    assert (quiet.level, quiet.propagate) == before


def test_a_second_run_has_a_log_of_its_own(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with everything_logged(tmp_path / name):
            Observer("check_calendars").failure(f"said in the {name}")
    assert "said in the first" in (tmp_path / "first").read_text()
    assert "said in the second" in (tmp_path / "second").read_text()
