"""`presence why` against a deployed stack: told from the table, with a line in the audit trail before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.main import main
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.clock import system_clock
from presence.decisions import Readings, after_reading
from presence.freshness import Rules
from presence.profiles import DEFAULT
from presence.records import User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.command_line import Run, command
from tests.support.deployed import STACK, Deployed, deployed


@pytest.fixture
def run(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    assert stack.outputs
    return command(capsys, "why")


@pytest.fixture
def alice(stack: Deployed) -> User:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add("alice@example.com")


def audit_lines(stack: Deployed) -> list[dict[str, str]]:
    group = stack.outputs["AuditLogGroupName"]
    events = stack.client("logs").filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"]) for event in events]


def test_the_decision_is_told_and_the_look_is_noted(run: Run, stack: Deployed, alice: User) -> None:
    now = system_clock()
    entry = CalendarEntry(now - timedelta(minutes=5), now + timedelta(hours=1), BusyType.OUT_OF_OFFICE)
    window = Window(now - timedelta(hours=1), now + timedelta(hours=24))
    reading = CalendarReading(alice.address, window, (entry,), now, "https://mail.example.com/EWS", "FreeBusy")
    record = after_reading(None, alice, Readings(reading), DEFAULT, now, Rules()).record
    assert record is not None
    PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], 16).write(record)
    code, out, _ = run("alice@example.com")
    assert code == 0
    assert "Published: Away / OutOfOffice" in out
    assert "won: an entry with the status Out of Office (source calendar, rule out-of-office)" in out
    assert [(line["action"], line["user"]) for line in audit_lines(stack)] == [("why", alice.user_id)]


def test_a_user_who_was_not_checked_yet_is_told_so(run: Run, alice: User) -> None:
    code, out, _ = run("alice@example.com")
    assert code == 0
    assert f"{alice.user_id}): not checked yet" in out


def test_somebody_who_is_no_user_is_refused_in_one_line(run: Run, stack: Deployed) -> None:
    code, out, err = run("nobody@example.com")
    assert (code, out) == (2, "")
    assert err == "presence: nobody@example.com is no user of this stack\n"
    assert audit_lines(stack) == []


def test_a_time_without_a_zone_is_refused(run: Run, alice: User) -> None:
    assert alice.user_id
    code, _, err = run("alice@example.com", "--at", "2026-11-23T12:00:00")
    assert code == 2
    assert err == "presence: --at: '2026-11-23T12:00:00' has no time zone; write it as 2026-11-21T14:00:00Z\n"


def test_what_comes_next_is_told_by_the_rules_that_the_stack_was_deployed_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    monkeypatch.setattr("cli.why.system_clock", lambda: now)
    with deployed(monkeypatch, StaleAfterMinutes="7") as stack:
        dynamodb = stack.client("dynamodb")
        user = UserTable(dynamodb, stack.outputs["UserTableName"]).add("alice@example.com")
        window = Window(now - timedelta(hours=1), now + timedelta(hours=24))
        reading = CalendarReading(user.address, window, (), now, "https://mail.example.com/EWS", "FreeBusy")
        record = after_reading(None, user, Readings(reading), DEFAULT, now, Rules()).record
        assert record is not None
        PresenceTable(dynamodb, stack.outputs["PresenceTableName"], 16).write(record)
        assert main(["why", user.address, "--stack", STACK]) == 0
    assert "Next: stale at 2026-11-23T13:12:00Z, unless" in capsys.readouterr().out
