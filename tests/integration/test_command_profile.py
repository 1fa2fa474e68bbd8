from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.main import main
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.commands import SetPresence
from presence.decisions import Readings, after_command, after_reading
from presence.freshness import Rules
from presence.presences import parse_presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, User
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.deployed import STACK, Deployed, audited, deployed

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
ALICE = "alice@example.com"
DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "gateways": [{"name": "hq", "kind": "autodiscover", "domains": ["example.com"], "credentials": "reader"}],
    "profiles": [{"name": "reception", "presences": {"tentative": "Busy"}}],
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    monkeypatch.setattr("cli.profile.system_clock", lambda: NOW)
    with deployed(monkeypatch) as made:
        yield made


def put(stack: Deployed, document: dict[str, Any]) -> None:
    ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"]).put_document(GATEWAYS, document)


def add(stack: Deployed) -> User:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add(ALICE)


def read(user: User, at: datetime) -> PresenceRecord:
    """Return the record of a user whose calendar, read at an instant, has a tentative entry from 11:00 to 12:00."""
    entry = CalendarEntry(NOW + timedelta(hours=1), NOW + timedelta(hours=2), BusyType.TENTATIVE)
    window = Window(at - timedelta(hours=1), at + timedelta(hours=24))
    reading = CalendarReading(ALICE, window, (entry,), at, "https://mail.example.com/EWS/Exchange.asmx", "FreeBusy")
    record = after_reading(None, user, Readings(reading), DEFAULT, at, Rules()).record
    assert record is not None
    return record


def write(stack: Deployed, record: PresenceRecord) -> None:
    table = PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], shards=1)
    assert table.write(record) is not None


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["profile", *arguments, "--stack", STACK])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_profiles_are_those_of_the_stack_s_document(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "explain", "reception")
    assert (code, err) == (
        2,
        "presence: 'reception' is no profile; known are default, cisco-9, cisco-15, lync\n",
    )
    put(stack, DOCUMENT)
    code, out, _ = run(capsys, "explain", "reception")
    assert code == 0
    assert "tentative          Busy / Busy" in out


def test_a_profile_is_tried_on_what_the_stack_knows_of_a_user(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, DOCUMENT)
    user = add(stack)
    record = read(user, NOW - timedelta(minutes=5))
    by_hand = SetPresence(parse_presence("Away"), "alice", until=NOW + timedelta(minutes=10))
    decided = after_command(record, user, by_hand, DEFAULT, NOW - timedelta(minutes=1), Rules()).record
    assert decided is not None
    write(stack, decided)
    before = stack.client("dynamodb").scan(TableName=stack.outputs["PresenceTableName"])["Items"]

    code, out, err = run(capsys, "try", "reception", "--address", ALICE)

    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[2:5] == [
        "Entries, free ones left out",
        "  2026-11-23T11:00:00Z to 2026-11-23T12:00:00Z  Tentative: Busy / Busy, by the rule tentative",
        "Claimed by by-hand until 2026-11-23T10:10:00Z: Away / Away",
    ]
    assert [line.split() for line in lines[8:]] == [
        ["2026-11-23T10:00:00Z", "2026-11-23T10:10:00Z", "Away", "/", "Away", "by-hand", "set-by-hand"],
        ["2026-11-23T10:10:00Z", "2026-11-23T11:00:00Z", "Available", "/", "Available", "none", "no-claim"],
        ["2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z", "Busy", "/", "Busy", "calendar", "tentative"],
        ["2026-11-23T12:00:00Z", "not", "known", "Available", "/", "Available", "none", "no-claim"],
    ]
    assert stack.client("dynamodb").scan(TableName=stack.outputs["PresenceTableName"])["Items"] == before


def test_who_tries_a_profile_on_somebody_leaves_a_line(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    user = add(stack)
    write(stack, read(user, NOW))
    assert run(capsys, "try", "lync", "--address", ALICE)[0] == 0
    (line,) = audited(stack)
    assert (line["action"], line["user"], line["details"]) == ("profile try", user.user_id, {"profile": "lync"})


def test_where_nothing_is_known_nothing_is_made_up(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "try", "lync", "--address", ALICE)
    assert (code, out, err) == (2, "", f"presence: {ALICE} is no user of this stack\n")
    user = add(stack)
    code, out, err = run(capsys, "try", "lync", "--address", ALICE)
    assert (code, out, err) == (1, "", f"presence: nothing is known of {ALICE} yet; see presence check\n")
    write(stack, read(user, NOW - timedelta(hours=30)))
    code, out, err = run(capsys, "try", "lync", "--address", ALICE)
    assert (code, out) == (1, "")
    assert err.startswith(f"presence: the calendar of {ALICE} was known until 2026-11-23T04:00:00Z only; see ")


def test_beyond_what_is_known_of_a_user_nothing_is_tried(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    write(stack, read(add(stack), NOW))
    for at in ("2026-11-23T09:59:59Z", "2026-11-24T10:00:01Z"):
        code, _, err = run(capsys, "try", "lync", "--address", ALICE, "--at", at)
        assert code == 2
        assert err == "presence: --at: must lie from 2026-11-23T10:00:00Z to 2026-11-24T10:00:00Z\n"
