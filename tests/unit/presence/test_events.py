from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.claims import Source
from presence.errors import Problem, ProblemKind
from presence.events import (
    Disclosure,
    encode_event,
    meeting_starting_soon,
    message_attributes,
    presence_changed,
    reminder_attributes,
)
from presence.freshness import Freshness
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.records import Change, PresenceRecord, Reason, RecordedProblem, Reminders
from presence.timeline import Segment
from tests.support.records import records, user_ids

TWO = datetime(2026, 11, 21, 14, tzinfo=UTC)
THREE, FOUR = TWO + timedelta(hours=1), TWO + timedelta(hours=2)
ID = "6f1c" * 8
SOURCE = "urn:calendar-presence:test"
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
OPEN = Disclosure(until=True, next=False)

RECORD = PresenceRecord(
    user_id=ID,
    address="alice@example.com",
    revision=57,
    version=42,
    presence=MEETING,
    since=TWO,
    until=THREE,
    reason=Reason(Source.CALENDAR, "busy-meeting"),
    previous=AVAILABLE,
    timeline=(
        Segment(TWO, THREE, MEETING, Source.CALENDAR, "busy-meeting"),
        Segment(THREE, FOUR, AWAY, Source.CALENDAR, "out-of-office"),
        Segment(FOUR, None, AVAILABLE, Source.NONE, "no-claim"),
    ),
    next_at=THREE,
    read_at=TWO - timedelta(seconds=79),
    changed_at=TWO + timedelta(milliseconds=20),
    traceparent=f"00-{'1' * 32}-{'2' * 16}-01",
)


def event(record: PresenceRecord = RECORD, disclosure: Disclosure = OPEN) -> dict[str, Any]:
    return presence_changed(record, SOURCE, disclosure)


def test_an_event_says_who_is_what_since_when_until_when_and_why() -> None:
    assert event() == {
        "specversion": "1.0",
        "id": f"{ID}:42",
        "source": SOURCE,
        "type": "calendar-presence.presence.changed.v1",
        "subject": "alice@example.com",
        "time": "2026-11-21T14:00:00.020000Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:calendar-presence:schema:presence-changed:v1",
        "sequence": "00000000000000000042",
        "expirytime": "2026-11-21T15:00:00Z",
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
        "data": {
            "user": {"id": ID, "email": "alice@example.com"},
            "version": 42,
            "freshness": "current",
            "reason": {"source": "calendar", "rule": "busy-meeting"},
            "presence": {
                "availability": "Busy",
                "activity": "InAMeeting",
                "since": "2026-11-21T14:00:00Z",
                "until": "2026-11-21T15:00:00Z",
            },
            "previous": {"availability": "Available", "activity": "Available"},
            "observedAt": "2026-11-21T13:58:41Z",
        },
    }


def test_the_event_of_a_version_is_the_same_whenever_it_is_made() -> None:
    """A revision that changes nothing that is published must not look like news."""
    later = replace(
        RECORD,
        revision=60,
        failing_since=FOUR,
        problem=RecordedProblem(Problem("Timeout", ProblemKind.PASSING, "", ""), FOUR),
    )
    assert event(later) == event()


IDENTITIES = st.tuples(user_ids | st.just(ID), st.integers(1, 3) | st.integers(1, 10**9))


@given(IDENTITIES, IDENTITIES)
def test_ids_of_different_users_or_versions_differ(one: tuple[str, int], other: tuple[str, int]) -> None:
    ids = [event(replace(RECORD, user_id=user_id, version=version))["id"] for user_id, version in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)
    assert "." not in ids[0]


@pytest.mark.parametrize(("earlier", "later"), [(1, 2), (9, 10), (99, 100), (10**9, 10**9 + 1), (9, 10**19)])
def test_sequences_sort_as_texts_as_versions_sort_as_numbers(earlier: int, later: int) -> None:
    assert event(replace(RECORD, version=earlier))["sequence"] < event(replace(RECORD, version=later))["sequence"]


@pytest.mark.parametrize("shows_next", [True, False])
def test_the_end_is_told_nowhere_when_it_is_switched_off(*, shows_next: bool) -> None:
    made = event(disclosure=Disclosure(until=False, next=shows_next))
    assert "15:00:00" not in encode_event(made)
    assert "expirytime" not in made
    assert "until" not in made["data"]["presence"]


def test_what_comes_next_is_told_only_when_it_is_switched_on() -> None:
    assert "next" not in event()["data"]
    shown = event(disclosure=Disclosure(until=True, next=True))
    assert shown["data"]["next"] == {"availability": "Away", "activity": "OutOfOffice"}


def test_where_no_end_is_known_there_is_none_and_nothing_next() -> None:
    made = event(replace(RECORD, until=None, next_at=None), Disclosure(until=True, next=True))
    assert "expirytime" not in made
    assert "until" not in made["data"]["presence"]
    assert "next" not in made["data"]


def test_who_was_never_read_has_no_time_of_reading_and_no_trace() -> None:
    made = event(replace(RECORD, read_at=None, traceparent=None))
    assert "observedAt" not in made["data"]
    assert "traceparent" not in made


@given(records())
def test_an_event_holds_what_it_should_and_nothing_of_a_problem(record: PresenceRecord) -> None:
    made = event(record, Disclosure(until=True, next=True))
    told = {"user", "version", "freshness", "reason", "presence", "previous", "observedAt", "next"}
    assert set(made["data"]) <= told
    assert set(made["data"]["presence"]) <= {"availability", "activity", "since", "until", "note"}
    assert json.loads(encode_event(made)) == made
    assert encode_event(made).isascii()


def test_a_subscriber_can_filter_without_opening_the_event() -> None:
    assert message_attributes(RECORD) == {
        "type": "calendar-presence.presence.changed.v1",
        "availability": "Busy",
        "activity": "InAMeeting",
        "reason": "calendar",
        "domain": "example.com",
        "change": "presence",
    }


@pytest.mark.parametrize("change", Change)
def test_what_changed_can_be_told_without_opening_the_event(change: Change) -> None:
    assert message_attributes(replace(RECORD, change=change))["change"] == change.value


@pytest.mark.parametrize("freshness", Freshness)
def test_how_fresh_it_is_is_told(freshness: Freshness) -> None:
    assert event(replace(RECORD, freshness=freshness))["data"]["freshness"] == freshness.value


def test_a_note_stands_beside_the_presence_and_is_absent_without_one() -> None:
    assert "note" not in event()["data"]["presence"]
    noted = event(replace(RECORD, note="automatic-replies"))["data"]["presence"]
    assert noted == {**event()["data"]["presence"], "note": "automatic-replies"}


def test_what_another_system_claims_is_told_under_its_name() -> None:
    made = replace(RECORD, reason=Reason("phone", "claimed-by-phone"))
    assert event(made)["data"]["reason"] == {"source": "phone", "rule": "claimed-by-phone"}
    assert message_attributes(made)["reason"] == "phone"


REMINDED = replace(RECORD, reminders=Reminders(timedelta(minutes=15), (THREE,)))


def test_a_reminder_says_when_a_meeting_begins_and_nothing_else_of_it() -> None:
    assert meeting_starting_soon(REMINDED, THREE, SOURCE) == {
        "specversion": "1.0",
        "id": f"{ID}:meeting:{int(THREE.timestamp())}",
        "source": SOURCE,
        "type": "calendar-presence.meeting.starting-soon.v1",
        "subject": "alice@example.com",
        "time": "2026-11-21T14:45:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:calendar-presence:schema:meeting-starting-soon:v1",
        "expirytime": "2026-11-21T15:00:00Z",
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
        "data": {
            "user": {"id": ID, "email": "alice@example.com"},
            "meeting": {"startsAt": "2026-11-21T15:00:00Z"},
            "minutesBefore": 15,
        },
    }
    assert reminder_attributes(REMINDED) == {
        "type": "calendar-presence.meeting.starting-soon.v1",
        "domain": "example.com",
    }


def test_a_reminder_is_the_same_whenever_it_is_made_and_another_for_another_meeting() -> None:
    assert meeting_starting_soon(replace(REMINDED, revision=60), THREE, SOURCE) == meeting_starting_soon(
        REMINDED, THREE, SOURCE
    )
    assert meeting_starting_soon(REMINDED, FOUR, SOURCE)["id"] != meeting_starting_soon(REMINDED, THREE, SOURCE)["id"]
    assert meeting_starting_soon(REMINDED, THREE, SOURCE)["id"] != event(REMINDED)["id"]


def test_a_reminder_without_a_trace_has_none() -> None:
    assert "traceparent" not in meeting_starting_soon(replace(REMINDED, traceparent=None), THREE, SOURCE)
