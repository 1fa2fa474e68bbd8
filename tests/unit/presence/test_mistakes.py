"""The mistakes of others (domain.md), each by its number: what we do, and that the mistake itself would be seen.

Each judge takes a way of doing something. Ours passes it; a small piece of work with the mistake in it must not. The
mistakes that are made in talking to Exchange are in tests/unit/exchange/test_mistakes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from cli.record_explanation import why_lines
from presence.calendar import BusyType, CalendarEntry
from presence.commands import ClearPresence, SetPresence
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.mapping import NO_DATA_RULE
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import PresenceRecord
from presence.timeline import segment_at
from tests.support.one_user import OneUser, at, entry

BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
DO_NOT_DISTURB = Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)

Changes = list[tuple[float, Presence]]
"""What is shown from which minute on."""


def fails(judge: Callable[..., None], mistaken: object) -> None:
    """Hold that a judge sees a mistake."""
    with pytest.raises(AssertionError):
        judge(mistaken)


def ours(entries: Sequence[CalendarEntry], until: float) -> Changes:
    """Read a calendar an hour before nine and apply what falls due."""
    user = OneUser()
    user.read(-60, *entries)
    changes = [(-60.0, user.presence)]
    while user.record.next_at is not None and user.record.next_at <= at(until):
        # The calendar is read again before it grows stale, and is as it was.
        due = (user.record.next_at - at(0)) / timedelta(minutes=1)
        user.read(due - 1, *entries)
        changes += user.run_until(due)
    return changes


def shown(changes: Changes, minute: float) -> Presence:
    return next(presence for since, presence in reversed(changes) if since <= minute)


# 1. Merging overlaps with `end = next.end`.


def judge_overlaps(show: Callable[[Sequence[CalendarEntry], float], Changes]) -> None:
    changes = show([entry(0, 60), entry(10, 20)], 120)
    assert [shown(changes, minute) for minute in (-1, 0, 15, 20, 59.9, 60)] == [
        AVAILABLE,
        BUSY,
        BUSY,
        BUSY,
        BUSY,
        AVAILABLE,
    ]


def test_1_a_short_meeting_inside_a_long_one_does_not_end_it() -> None:
    def merges_with_the_next_end(entries: Sequence[CalendarEntry], _until: float) -> Changes:
        merged: list[list[float]] = []
        for one in sorted(entries, key=lambda one: one.start):
            start, end = ((instant - at(0)) / timedelta(minutes=1) for instant in (one.start, one.end))
            if merged and start <= merged[-1][1]:
                merged[-1][1] = end
            else:
                merged.append([start, end])
        return [
            (-60, AVAILABLE),
            *((at, what) for start, end in merged for at, what in ((start, BUSY), (end, AVAILABLE))),
        ]

    judge_overlaps(ours)
    fails(judge_overlaps, merges_with_the_next_end)


# 2. Asking "now … +10 min" and setting Busy for anything found.


def judge_early(show: Callable[[Sequence[CalendarEntry], float], Changes]) -> None:
    assert show([entry(30, 60)], 120)[:2] == [(-60, AVAILABLE), (30, BUSY)]


def test_2_nobody_is_busy_before_a_meeting_begins() -> None:
    def looks_ten_minutes_ahead(entries: Sequence[CalendarEntry], until: float) -> Changes:
        changes: Changes = [(-60, AVAILABLE)]
        for minute in range(-60, int(until), 5):
            found = any(one.start < at(minute + 10) and one.end > at(minute) for one in entries)
            if (BUSY if found else AVAILABLE) != changes[-1][1]:
                changes.append((minute, BUSY if found else AVAILABLE))
        return changes

    judge_early(ours)
    fails(judge_early, looks_ten_minutes_ahead)


def test_2_a_transition_that_comes_a_moment_early_changes_nothing() -> None:
    user = OneUser()
    user.read(0, entry(30, 60))
    assert not user.tick(30 - 1e-6 / 60)
    assert user.tick(30)


# 4. Declined or cancelled meetings make people busy.


def judge_cancelled(show: Callable[[Sequence[CalendarEntry], float], Changes]) -> None:
    """Exchange makes a cancelled or declined meeting Free, and it stays in the calendar."""
    assert show([entry(0, 60, BusyType.FREE, meeting=True)], 120) == [(-60, AVAILABLE)]
    assert show([entry(0, 60, BusyType.FREE, meeting=True), entry(30, 40, meeting=True)], 120) == [
        (-60, AVAILABLE),
        (30, MEETING),
        (40, AVAILABLE),
    ]


def test_4_a_meeting_that_was_cancelled_or_declined_makes_nobody_busy() -> None:
    def takes_every_meeting(entries: Sequence[CalendarEntry], until: float) -> Changes:
        return ours([entry_without_status(one) for one in entries], until)

    def entry_without_status(one: CalendarEntry) -> CalendarEntry:
        return CalendarEntry(one.start, one.end, BusyType.BUSY, is_meeting=one.is_meeting)

    judge_cancelled(ours)
    fails(judge_cancelled, takes_every_meeting)


# 5. Restores the old status only if it still equals what it set.


@dataclass
class Restoring:
    """The automation of others: remembers what was shown, and puts it back if what it set is still there."""

    shown: Presence = AVAILABLE
    old: Presence = AVAILABLE
    changes: Changes = field(default_factory=lambda: [(-60.0, AVAILABLE)])

    def set(self, minute: float, presence: Presence) -> None:
        self.shown = presence
        self.changes.append((minute, presence))

    def begin(self, minute: float) -> None:
        self.old = self.shown
        self.set(minute, BUSY)

    def end(self, minute: float) -> None:
        if self.shown == BUSY:
            self.set(minute, self.old)


def judge_restored(live: Callable[[], Changes]) -> None:
    """A meeting from 0 to 60; "do not disturb" by hand from 10 to 30."""
    changes = live()
    assert [shown(changes, minute) for minute in (5, 15, 30, 45, 60)] == [BUSY, DO_NOT_DISTURB, BUSY, BUSY, AVAILABLE]


def test_5_presence_is_restored_by_claims_ending_and_not_by_remembering() -> None:
    def with_claims() -> Changes:
        user = OneUser()
        user.read(-60, entry(0, 60))
        changes = [(-60.0, user.presence), *user.run_until(10)]
        user.ask(10, SetPresence(DO_NOT_DISTURB, "alice", until=at(30)))
        return [*changes, (10, user.presence), *user.run_until(90)]

    def with_memory() -> Changes:
        automation = Restoring()
        automation.begin(0)
        automation.set(10, DO_NOT_DISTURB)
        automation.end(60)
        return automation.changes

    judge_restored(with_claims)
    fails(judge_restored, with_memory)


# 6. Five-minute lag on back-to-back meetings; a status that ends late or never; a status cleared after 12 hours.


def judge_boundaries(show: Callable[[Sequence[CalendarEntry], float], Changes]) -> None:
    day = [entry(3, 33), entry(33, 63, meeting=True), entry(63, 63 + 14 * 60, BusyType.OUT_OF_OFFICE)]
    assert show(day, 63 + 15 * 60) == [
        (-60, AVAILABLE),
        (3, BUSY),
        (33, MEETING),
        (63, AWAY),
        (63 + 14 * 60, AVAILABLE),
    ]


def polled(entries: Sequence[CalendarEntry], until: float, cleared_after: float | None = None) -> Changes:
    """Look at the calendar every five minutes; `cleared_after` so many minutes nothing is shown any more."""
    exact = ours(entries, until)
    changes: Changes = [(-60, AVAILABLE)]
    for minute in range(-60, int(until) + 1, 5):
        presence = shown(exact, minute)
        if presence != changes[-1][1]:
            changes.append((minute, presence))
    if cleared_after is not None and changes[-2][0] + cleared_after < changes[-1][0]:
        changes[-1] = (changes[-2][0] + cleared_after, AVAILABLE)
    return changes


def test_6_every_boundary_is_kept_to_the_second_and_nothing_is_cleared_for_its_age() -> None:
    judge_boundaries(ours)
    fails(judge_boundaries, polled)


def test_6_a_status_of_fourteen_hours_lasts_fourteen_hours() -> None:
    def judge_length(show: Callable[[Sequence[CalendarEntry], float], Changes]) -> None:
        assert show([entry(0, 14 * 60, BusyType.OUT_OF_OFFICE)], 15 * 60)[-1] == (14 * 60, AVAILABLE)

    judge_length(ours)
    judge_length(polled)
    fails(judge_length, lambda entries, until: polled(entries, until, cleared_after=12 * 60))


# 8. NoData shown as Available.


def judge_missing_data(show: Callable[[Sequence[Sequence[CalendarEntry]]], PresenceRecord]) -> None:
    """Readings ten minutes after each other, from ten past nine."""
    gap = entry(-60, 60 * 30, BusyType.NO_DATA)
    assert show([[gap]]).presence == UNKNOWN
    assert show([[entry(0, 60)], [gap]]).presence == BUSY
    assert show([[entry(0, 60)], [gap], [gap]]).presence == BUSY
    assert show([[entry(0, 60)], [gap], [gap], []]).presence == AVAILABLE


def read_in_turn(readings: Sequence[Sequence[CalendarEntry]]) -> PresenceRecord:
    user = OneUser()
    for number, entries in enumerate(readings):
        user.read(10 + 10 * number, *entries)
    return user.record


def test_8_what_exchange_has_no_data_for_is_not_taken_for_free() -> None:
    def takes_it_for_free(readings: Sequence[Sequence[CalendarEntry]]) -> PresenceRecord:
        return read_in_turn([[one for one in each if one.busy_type is not BusyType.NO_DATA] for each in readings])

    judge_missing_data(read_in_turn)
    fails(judge_missing_data, takes_it_for_free)


@pytest.mark.parametrize("kind", ProblemKind)
def test_8_a_calendar_that_cant_be_read_keeps_what_was_known_and_makes_nobody_available(kind: ProblemKind) -> None:
    user = OneUser()
    user.read(0, entry(-30, 60))
    user.fail(5, Problem("AnyCode", kind, "", ""))
    assert user.presence == BUSY
    stranger = OneUser()
    stranger.fail(0, Problem("AnyCode", kind, "", ""))
    assert stranger.presence == UNKNOWN


# 11. An automation that fights the user.


def judge_by_hand(live: Callable[[], Changes]) -> None:
    """A meeting from 0 to 60 that is read every five minutes; "do not disturb" by hand from 7 on, taken back at 42."""
    changes = live()
    assert {shown(changes, minute) for minute in range(7, 42)} == {DO_NOT_DISTURB}
    assert shown(changes, 42) == BUSY


def set_by_hand(until: datetime | None, calendar_of: Callable[[int], tuple[CalendarEntry, ...]]) -> Changes:
    """Return what is shown of somebody who sets "do not disturb" at 7 and takes it back at 42."""
    user = OneUser()
    changes: Changes = []
    for minute in range(60):
        if minute == 7:
            user.ask(minute, SetPresence(DO_NOT_DISTURB, "alice", until=until))
        if minute == 42:
            user.ask(minute, ClearPresence())
        if minute % 5 == 0:
            user.read(minute, *calendar_of(minute))
        user.run_until(minute)
        changes.append((minute, user.presence))
    return changes


def test_11_what_somebody_set_by_hand_stays_until_they_take_it_back() -> None:
    def until_a_time() -> Changes:
        return set_by_hand(at(55), lambda _: (entry(0, 60), entry(20, 30, meeting=True)))

    def until_the_next_boundary() -> Changes:
        # At 20 it is entered who was away from 8 to 15.
        away = entry(8, 15, BusyType.OUT_OF_OFFICE)
        return set_by_hand(None, lambda minute: (entry(0, 60), away) if minute >= 20 else (entry(0, 60),))

    def with_an_automation() -> Changes:
        automation = Restoring()
        for minute in range(60):
            if minute == 7:
                automation.set(minute, DO_NOT_DISTURB)
            if minute % 5 == 0 or minute == 42:
                automation.set(minute, BUSY)
        return automation.changes

    judge_by_hand(until_a_time)
    judge_by_hand(until_the_next_boundary)
    fails(judge_by_hand, with_an_automation)


# 12. Nobody can say "why am I shown as busy?".

Why = Callable[[PresenceRecord, datetime, datetime, Rules], Iterable[str]]
"""A way to explain a record: for which instant, as of which, by which rules."""


def judge_explanation(explain: Why) -> None:
    user = OneUser()
    user.read(-5, entry(0, 60), entry(20, 50, BusyType.OUT_OF_OFFICE), entry(0, 90, BusyType.TENTATIVE))
    user.run_until(20)
    told = "\n".join(explain(user.record, at(20), at(20), user.rules))
    for part in (
        # What is shown, until when, by which source and rule, and what that beat.
        "Published: Away / OutOfOffice since 2026-11-23T09:20:00Z until 2026-11-23T09:50:00Z",
        "(source calendar, rule out-of-office)",
        "beaten: an entry with the status Busy (rule busy)",
        # Every entry that was considered, and what it claims or why not.
        "2026-11-23T09:00:00Z to 2026-11-23T10:00:00Z now Busy: an entry with the status Busy (rule busy)",
        "2026-11-23T09:20:00Z to 2026-11-23T09:50:00Z now OOF: an entry with the status Out of Office",
        "2026-11-23T09:00:00Z to 2026-11-23T10:30:00Z now Tentative: tentative entries claim nothing in this profile",
        # When and where it was read, and what comes next.
        "Read: at 2026-11-23T08:55:00Z, or later without news, from https://mail.example.com/EWS",
        "Next: Busy / Busy at 2026-11-23T09:50:00Z",
    ):
        assert part in told


def judge_explanation_of_doubt(explain: Why) -> None:
    """After half a day in which nothing could be read, nothing that was read is said to be so."""
    user = OneUser()
    user.read(-5, entry(0, 60))
    user.fail(0)
    user.run_until(14 * 60)
    told = "\n".join(explain(user.record, at(14 * 60), at(14 * 60), user.rules))
    assert "Published: PresenceUnknown" in told
    assert "timeline says Available" not in told
    assert "Problem: ErrorServerBusy" in told
    ahead = "\n".join(explain(user.written[0], at(25 * 60), at(-5), user.rules))
    assert "the calendar was read as far as 2026-11-24T08:55:00Z" in ahead
    assert "timeline says" not in ahead


def with_the_presence_only(record: PresenceRecord, _at: datetime, _now: datetime, _rules: Rules) -> list[str]:
    return [f"Published: {record.presence} since {record.since} until {record.until}"]


def as_the_timeline_has_it(record: PresenceRecord, instant: datetime, now: datetime, rules: Rules) -> list[str]:
    segment = segment_at(record.timeline, instant)
    presence = segment and segment.presence
    return [*why_lines(record, instant, now, rules), f"At {instant} the timeline says {presence}"]


def test_12_a_record_alone_says_why_somebody_is_shown_as_they_are() -> None:
    judge_explanation(why_lines)
    fails(judge_explanation, with_the_presence_only)


def test_12_what_is_not_known_is_not_told_as_known() -> None:
    judge_explanation_of_doubt(why_lines)
    fails(judge_explanation_of_doubt, as_the_timeline_has_it)


def test_12_also_where_nothing_is_known() -> None:
    user = OneUser()
    user.read(0, entry(-60, 60 * 30, BusyType.NO_DATA))
    told = "\n".join(why_lines(user.record, at(0), at(0), user.rules))
    assert "because: Exchange has no data for this time, and that is not taken for free" in told
    assert f"(source calendar, rule {NO_DATA_RULE})" in told
