from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from presence.freshness import Freshness
from presence.history import HistoryEntry
from presence.instants import format_instant
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import User
from presence.tables.history import HistoryTable, item_from_entry
from presence.tables.items import to_attributes
from presence.tables.users import UserTable
from tests.support.command_line import Run, command
from tests.support.deployed import Deployed, audited, deployed

HOUR = timedelta(hours=1)
DAYS = timedelta(days=30)
BUSY = Presence(Availability.BUSY, Activity.IN_A_MEETING)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    instant = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr("cli.history.system_clock", lambda: instant)
    return instant


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(monkeypatch, HistoryDays="30") as made:
        yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command(capsys, "history")


@pytest.fixture
def alice(stack: Deployed) -> User:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add("alice@example.com")


@pytest.fixture
def table(stack: Deployed) -> HistoryTable:
    return HistoryTable(stack.client("dynamodb"), stack.outputs["HistoryTableName"])


def entry(user: User, version: int, at: datetime) -> HistoryEntry:
    return HistoryEntry(user.user_id, version, at, BUSY, AVAILABLE, at, at + HOUR, "calendar", "busy-meeting")


def versions(out: str) -> list[int]:
    return [int(line.split("version ")[1].split()[0]) for line in out.splitlines() if "Z  version " in line]


def test_each_version_has_a_line_that_says_when_what_and_why(
    run: Run, alice: User, table: HistoryTable, now: datetime
) -> None:
    began = now - 2 * HOUR
    table.put(entry(alice, 7, began), DAYS)
    unknown = replace(entry(alice, 8, now - HOUR), presence=UNKNOWN, previous=BUSY, until=None)
    table.put(replace(unknown, freshness=Freshness.STALE, note="automatic-replies"), DAYS)
    code, out, err = run("Alice@example.com")
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert first == f"alice@example.com ({alice.user_id}), kept for 30 days"
    assert second == (
        f"{format_instant(began)}  version 7  Busy / InAMeeting since {format_instant(began)} "
        f"until {format_instant(began + HOUR)}; was Available / Available; why: calendar, rule busy-meeting"
    )
    assert third == (
        f"{format_instant(now - HOUR)}  version 8  PresenceUnknown / PresenceUnknown "
        f"since {format_instant(now - HOUR)}; was Busy / InAMeeting; why: calendar, rule busy-meeting; "
        "freshness: stale; note: automatic-replies"
    )


def test_a_stretch_of_time_has_what_was_shown_in_it(run: Run, alice: User, table: HistoryTable, now: datetime) -> None:
    for version in range(1, 6):
        table.put(entry(alice, version, now - (6 - version) * HOUR), DAYS)
    start, end = format_instant(now - 3.5 * HOUR), format_instant(now - 2 * HOUR)
    assert versions(run("alice@example.com", "--from", start, "--to", end)[1]) == [2, 3]
    assert versions(run("alice@example.com", "--from", start)[1]) == [2, 3, 4, 5]
    assert versions(run("alice@example.com", "--to", end)[1]) == [1, 2, 3]
    out = run("alice@example.com", "--to", format_instant(now - 9 * HOUR))[1]
    assert out.splitlines()[1:] == ["nothing that was shown in this time is on record"]


def test_what_comes_is_no_history(run: Run, stack: Deployed, alice: User, table: HistoryTable, now: datetime) -> None:
    table.put(entry(alice, 1, now - HOUR), DAYS)
    code, out, err = run("alice@example.com", "--from", format_instant(now + HOUR))
    assert (code, out) == (2, "")
    assert err.startswith("presence: --from: has to be in the past; presence why ")
    assert audited(stack) == []


def test_versions_that_are_missing_are_named(run: Run, alice: User, table: HistoryTable, now: datetime) -> None:
    for version in (3, 5, 9):
        table.put(entry(alice, version, now - HOUR + timedelta(minutes=version)), DAYS)
    out = run("alice@example.com")[1]
    assert "version 4 is missing" in out
    assert "versions 6 to 8 are missing" in out
    assert versions(out) == [3, 5, 9]


def test_what_is_older_than_the_stack_keeps_now_counts_as_gone(
    run: Run, alice: User, table: HistoryTable, now: datetime
) -> None:
    """It was recorded to be kept for a year; since then HistoryDays was lowered to 30."""
    year = timedelta(days=365)
    table.put(entry(alice, 1, now - DAYS), year)
    table.put(entry(alice, 2, now - DAYS + timedelta(seconds=1)), year)
    assert versions(run("alice@example.com", "--from", "2020-01-01T00:00:00Z")[1]) == [2]


def test_what_is_malformed_is_named_and_hides_nothing(
    run: Run, stack: Deployed, alice: User, table: HistoryTable, now: datetime
) -> None:
    table.put(entry(alice, 1, now - HOUR), DAYS)
    spoilt = item_from_entry(entry(alice, 2, now), DAYS) | {"availability": "Invisible"}
    stack.client("dynamodb").put_item(TableName=stack.outputs["HistoryTableName"], Item=to_attributes(spoilt))
    code, out, _ = run("alice@example.com")
    assert code == 1
    assert versions(out) == [1]
    assert f"HistoryTable[{alice.user_id}, 2]" in out


def test_who_looks_leaves_a_line_in_the_audit(run: Run, stack: Deployed, alice: User, now: datetime) -> None:
    run("alice@example.com", "--from", format_instant(now - HOUR))
    (line,) = audited(stack)
    assert (line["action"], line["user"]) == ("history", alice.user_id)
    assert line["details"] == {"from": format_instant(now - HOUR)}
    assert "alice@" not in str(line)


def test_nothing_is_shown_if_the_audit_can_t_be_written(
    run: Run, alice: User, table: HistoryTable, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.put(entry(alice, 1, now - HOUR), DAYS)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutLogEvents")

    monkeypatch.setattr(boto3.client("logs"), "put_log_events", refuse)
    code, out, err = run("alice@example.com")
    assert (code, out) == (1, "")
    assert "nothing was shown or done" in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--from", "yesterday"], "--from: 'yesterday' is no ISO 8601 date and time; write it as 2026-"),
        (["--to", "2026-11-21T14:00:00"], "--to: '2026-11-21T14:00:00' has no time zone"),
        (["--from", "2026-11-21T14:00:00Z", "--to", "2026-11-21T14:00:00Z"], "--to: has to be later than --from"),
    ],
)
def test_a_time_that_is_none_is_refused_before_aws_is_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], complaint: str
) -> None:
    monkeypatch.setattr("boto3.client", None)
    code, out, err = run("alice@example.com", *arguments)
    assert (code, out) == (2, "")
    assert complaint in err


def test_somebody_unknown_is_refused(run: Run, stack: Deployed) -> None:
    assert run("bob@example.org")[2] == "presence: bob@example.org is no user of this stack\n"
    assert audited(stack) == []


def test_a_stack_that_keeps_no_history_says_how_to_switch_it_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with deployed(monkeypatch) as made:
        assert made.outputs["HistoryDays"] == "0"
        code, out, err = run("alice@example.com")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "keeps no history" in err
    assert "sam deploy --parameter-overrides HistoryDays=30" in err
