"""What happens to a user's record: pure functions of (record, news, clock), each with its reason in words.

A reading, a failed check, a command and a transition are all that can happen. Each function returns the record to
write, or None if there is nothing to write, and a sentence that says why. They never look at a clock: `now` is an
argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarReading
from presence.claims import Source
from presence.commands import Command, commanded, is_overtaken
from presence.data_gaps import has_data_at, no_free_busy_data
from presence.errors import Problem
from presence.freshness import READ_AT_REFRESH, Freshness, Rules, unread_since
from presence.heard import lately
from presence.knowledge import LOOKS_BACK, NOT_READ_RULE, Knowledge, picture_of
from presence.known_calendar import KnownCalendar, KnownEntry, hours_of, remembered
from presence.mapping import Profile
from presence.presences import UNKNOWN
from presence.records import Change, PresenceRecord, Reason, RecordedProblem, User
from presence.showing import shown_at
from presence.standing_claims import still_standing
from presence.timeline import says_the_same

_FILLING = frozenset({BusyType.FREE, BusyType.NO_DATA})


@dataclass(frozen=True, slots=True)
class Decision:
    """The record to write (None: nothing to write), and why."""

    record: PresenceRecord | None
    why: str


@dataclass(frozen=True, slots=True)
class Readings:
    """What a check brought: the calendar, and the automatic replies, or why they can't be read (None: not their turn).

    `replies_are_off`: they are not to be asked for at all, so nothing is known of them any more.
    """

    calendar: CalendarReading
    replies: AutomaticReplies | Problem | None = None
    replies_are_off: bool = False


def after_reading(
    record: PresenceRecord | None, user: User, readings: Readings, profile: Profile, now: datetime, rules: Rules
) -> Decision:
    """Decide what a calendar reading changes.

    One without data for `now` is no news of `now`: what was known is shown for as long as after a failed check.
    """
    before = record or first_record(user, now)
    reading = readings.calendar
    if not before.knowledge.use.allows(now):
        return Decision(None, "the user's calendar is switched off, and the reading came too late")
    if before.read_at is not None and reading.read_at < before.read_at:
        return Decision(None, f"read at {reading.read_at.isoformat()}, but a newer reading is on record")
    calendar = KnownCalendar(
        entries=tuple(KnownEntry(entry, "") for entry in remembered(reading, before.knowledge.calendar)),
        horizon=reading.window.end,
        endpoint=reading.endpoint,
        view=reading.view,
        working_hours=hours_of(reading, before.knowledge.calendar),
    )
    has_data = has_data_at(reading, now)
    read = replace(
        before,
        address=user.address,
        read_at=reading.read_at,
        failing_since=None if has_data else _unread_since(before, now, rules),
        problem=None if has_data else _recorded(before, no_free_busy_data(user.address), now),
        knowledge=replace(_with_replies(before.knowledge, readings), calendar=calendar),
    )
    after = repainted(read, profile, now, rules)
    if record is None:
        # An entry that began before the timeline does may have begun at any time.
        since = after.since if after.since > now - LOOKS_BACK else reading.read_at
        return _first(replace(after, since=since), f"first reading: {after.presence}")
    return _decision(record, after, now)


def after_problem(record: PresenceRecord | None, user: User, problem: Problem, now: datetime, rules: Rules) -> Decision:
    """Decide what a failed check changes: the last known timeline stays, until it is too old to be believed."""
    before = record or first_record(user, now)
    if not before.knowledge.use.allows(now):
        return Decision(None, "the user's calendar is switched off, so that it can't be read is no problem")
    failing = replace(before, failing_since=before.failing_since or now, problem=_recorded(before, problem, now))
    if record is None:
        return _first(failing, f"never read: {problem.code}")
    after = shown_at(failing, failing.note, now, rules)
    if after.version != record.version:
        return Decision(after, f"not read since {after.failing_since}: {after.freshness}, {problem.code}")
    if failing == record:
        return Decision(None, f"still failing: {problem.code}")
    return Decision(after, f"failing: {problem.code}")


def after_command(
    record: PresenceRecord | None, user: User, command: Command, profile: Profile, now: datetime, rules: Rules
) -> Decision:
    """Decide what a command changes: presence set by hand or by another system, the calendar switched on or off."""
    before = record or first_record(user, now)
    if is_overtaken(before, command, now):
        return Decision(None, "this was heard before, or something newer since: that stays")
    after = repainted(commanded(before, command, profile, now), profile, now, rules)
    if after.presence != before.presence:
        # Whatever the calendar says of the time before: until now something else was shown.
        after = replace(after, since=now)
    if record is None:
        return _first(after, f"first heard of: {after.presence}")
    return _decision(record, after, now)


def at_transition(record: PresenceRecord, now: datetime, rules: Rules) -> Decision:
    """Decide what has become due on a record: its stored timeline, applied at `now`. Never early."""
    if record.next_at is None or now < record.next_at:
        return Decision(None, "nothing is due")
    shown = shown_at(record, record.note, now, rules)
    return Decision(shown, f"due at {record.next_at.isoformat()}: {shown.presence} by {shown.reason.rule}")


def first_record(user: User, now: datetime) -> PresenceRecord:
    """Return the record of a user of whom nothing is known yet: revision and version 0, presence unknown."""
    return PresenceRecord(
        user_id=user.user_id,
        address=user.address,
        revision=0,
        version=0,
        presence=UNKNOWN,
        since=now,
        until=None,
        reason=Reason(Source.NONE, NOT_READ_RULE),
        previous=UNKNOWN,
        timeline=(),
        next_at=None,
        read_at=None,
        changed_at=now,
        freshness=Freshness.UNKNOWN,
    )


def repainted(record: PresenceRecord, profile: Profile, now: datetime, rules: Rules) -> PresenceRecord:
    """Return the record with its timeline made anew from all that is known, showing what it says of `now`."""
    standing = still_standing(record.knowledge.standing, now)
    picture = picture_of(replace(record.knowledge, standing=standing), profile, now)
    painted = replace(record, knowledge=picture.knowledge, timeline=picture.timeline, profile=profile.name)
    after = shown_at(painted, picture.note, now, rules)
    if record.version and after.presence != record.presence and after.since <= now - LOOKS_BACK:
        # Where a timeline begins nothing need have begun, and until now something else was shown.
        return replace(after, since=now)
    return after


def _with_replies(knowledge: Knowledge, readings: Readings) -> Knowledge:
    """Return what is known with what a check brought of automatic replies: what can't be read stays as it was."""
    if isinstance(readings.replies, Problem):
        return replace(knowledge, replies_problem=readings.replies.code)
    if readings.replies is not None or readings.replies_are_off:
        return replace(knowledge, replies=readings.replies, replies_problem=None)
    return knowledge


def _first(record: PresenceRecord, why: str) -> Decision:
    """Return the first version of a record: news also where the presence is unknown as before."""
    return Decision(replace(record, version=1, change=Change.PRESENCE), why)


def _decision(before: PresenceRecord, after: PresenceRecord, now: datetime) -> Decision:
    """Return what to write: all of `after`, or nothing where it says nothing new but its age."""
    if after.version != before.version:
        return Decision(after, f"now {after.presence} by {after.reason.rule}, was {before.presence}")
    if (after.address, after.problem, after.failing_since) != (before.address, before.problem, before.failing_since):
        return Decision(after, "whether the calendar can be read changed, or the address")
    if after.reason != before.reason or not says_the_same(before.timeline, after.timeline, now):
        return Decision(after, "the calendar ahead changed")
    if _inputs(after, now) != _inputs(before, now):
        return Decision(after, "what it rests on changed")
    if lately(after.knowledge.heard, now) != lately(before.knowledge.heard, now):
        return Decision(after, "nothing new; when it was asked for is remembered")
    if after.read_at is not None and (before.read_at is None or after.read_at - before.read_at >= READ_AT_REFRESH):
        return Decision(after, "nothing new; the age of the reading is refreshed")
    return Decision(None, "nothing new")


def _inputs(record: PresenceRecord, now: datetime) -> tuple[object, ...]:
    """Return what a record rests on from now on, without what moves with every reading."""
    knowledge, calendar = record.knowledge, record.knowledge.calendar
    known = (
        None
        if calendar is None
        else (_entries_ahead(calendar, now), calendar.endpoint, calendar.view, calendar.working_hours)
    )
    standing = still_standing(knowledge.standing, now)
    replies = (knowledge.replies, knowledge.replies_problem)
    told = [start for start in record.reminders.reminded_of if start > now]
    return known, replies, standing, knowledge.use, record.reminders.before, told, record.profile


def _entries_ahead(calendar: KnownCalendar, now: datetime) -> list[object]:
    """Return the entries from now on; those that only fill a stretch without data move with the window of a reading."""
    return [
        known
        if known.entry.busy_type not in _FILLING
        else (
            known.rule,
            known.entry.is_kept,
            max(known.entry.start, now),
            known.entry.end if known.entry.end < calendar.horizon else None,
        )
        for known in calendar.ahead(now)
    ]


def _unread_since(before: PresenceRecord, now: datetime, rules: Rules) -> datetime:
    """Return since when there is no data of a calendar of which there is none now."""
    failing_since = before.failing_since or now
    return failing_since if before.read_at is None else unread_since(before.read_at, failing_since, rules)


def _recorded(record: PresenceRecord, problem: Problem, now: datetime) -> RecordedProblem:
    if record.problem is not None and record.problem.problem.code == problem.code:
        return record.problem
    return RecordedProblem(problem, now)
