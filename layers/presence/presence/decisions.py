"""What happens to a user's record: three pure functions of (record, news, clock), each with its reason in words.

A reading, a failed check and a transition are all that can happen. Each function returns the record to write, or None
if there is nothing to write, and a sentence that says why. They never look at a clock: `now` is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from presence.calendar import CalendarReading
from presence.claims import Source
from presence.errors import Problem
from presence.mapping import Profile, claims_of, stretches_without_data
from presence.presences import UNKNOWN
from presence.records import PresenceRecord, Reason, RecordedProblem, User
from presence.timeline import Segment, from_instant, last_known_claims, says_the_same, stretch_at, timeline_of

READ_AT_REFRESH = timedelta(hours=1)
"""A check that finds nothing new writes nothing, but for the age of the reading, once an hour at most."""

_NOT_READ = Reason(Source.NONE, "not-read")


@dataclass(frozen=True, slots=True)
class Decision:
    """The record to write (None: nothing to write), and why."""

    record: PresenceRecord | None
    why: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator sets for all decisions.

    `unknown_after`: how long checks may fail until the last known timeline is no longer believed. `publish_until`:
    whether the end of a presence is published, so that moving it alone makes a new version.
    """

    unknown_after: timedelta = timedelta(hours=12)
    publish_until: bool = True


def after_reading(
    record: PresenceRecord | None, user: User, reading: CalendarReading, profile: Profile, now: datetime, rules: Rules
) -> Decision:
    """Decide what a calendar reading changes."""
    if record is not None and record.read_at is not None and reading.read_at < record.read_at:
        return Decision(None, f"read at {reading.read_at.isoformat()}, but a newer reading is on record")
    timeline = _timeline(record, reading, profile)
    if record is None:
        first = _first_record(user, now, _NOT_READ)
        shown = _show(first, timeline, now, rules)
        since = shown.since if shown.since > reading.window.start else reading.read_at
        return Decision(
            replace(shown, version=1, since=since, read_at=reading.read_at), f"first reading: {shown.presence}"
        )
    healthy = replace(record, failing_since=None, problem=None, address=user.address)
    shown = replace(_show(healthy, timeline, now, rules), read_at=reading.read_at)
    if shown.version != record.version:
        return Decision(shown, f"now {shown.presence} by {shown.reason.rule}, was {record.presence}")
    if healthy != record:
        return Decision(shown, "the calendar can be read again, or the address changed")
    if shown.reason != record.reason or not says_the_same(record.timeline, timeline, now):
        return Decision(shown, "the calendar ahead changed")
    if record.read_at is None or reading.read_at - record.read_at >= READ_AT_REFRESH:
        return Decision(shown, "nothing new; the age of the reading is refreshed")
    return Decision(None, "nothing new")


def after_problem(record: PresenceRecord | None, user: User, problem: Problem, now: datetime, rules: Rules) -> Decision:
    """Decide what a failed check changes: the last known timeline stays, until it is too old to be believed."""
    if record is None:
        first = _first_record(user, now, _NOT_READ)
        return Decision(
            replace(first, version=1, failing_since=now, problem=RecordedProblem(problem, now)),
            f"never read: {problem.code}",
        )
    failing_since = record.failing_since or now
    failing = replace(record, failing_since=failing_since, problem=_recorded(record, problem, now))
    if now - failing_since >= rules.unknown_after and record.presence != UNKNOWN:
        unknown = replace(
            failing,
            version=record.version + 1,
            presence=UNKNOWN,
            previous=record.presence,
            since=now,
            until=None,
            reason=Reason(Source.NONE, "unknown-after-failing"),
            next_at=None,
            changed_at=now,
        )
        return Decision(unknown, f"not read since {failing_since.isoformat()}: {problem.code}")
    if failing == record:
        return Decision(None, f"still failing: {problem.code}")
    return Decision(failing, f"failing: {problem.code}")


def at_transition(record: PresenceRecord, now: datetime, rules: Rules) -> Decision:
    """Decide what has become due on a record: its stored timeline, applied at `now`. Never early."""
    if record.next_at is None or now < record.next_at:
        return Decision(None, "nothing is due")
    shown = _show(record, record.timeline, now, rules)
    return Decision(shown, f"due at {record.next_at.isoformat()}: {shown.presence} by {shown.reason.rule}")


def _timeline(record: PresenceRecord | None, reading: CalendarReading, profile: Profile) -> tuple[Segment, ...]:
    claims = claims_of(reading.entries, profile)
    gaps = stretches_without_data(reading.entries)
    if gaps:
        known = record.timeline if record is not None else ()
        length = reading.window.end - reading.read_at
        known_until = record.read_at + length if record is not None and record.read_at is not None else None
        claims.extend(last_known_claims(gaps, known, known_until))
    return timeline_of(claims, reading.window)


def _first_record(user: User, now: datetime, reason: Reason) -> PresenceRecord:
    return PresenceRecord(
        user_id=user.user_id,
        address=user.address,
        revision=0,
        version=0,
        presence=UNKNOWN,
        since=now,
        until=None,
        reason=reason,
        previous=UNKNOWN,
        timeline=(),
        next_at=None,
        read_at=None,
        changed_at=now,
    )


def _show(record: PresenceRecord, timeline: tuple[Segment, ...], now: datetime, rules: Rules) -> PresenceRecord:
    """Return the record showing what the timeline says of `now`; its version grows if what is published changes."""
    stretch = stretch_at(timeline, now)
    if stretch is None:
        return replace(record, timeline=timeline, next_at=None)
    changed = stretch.presence != record.presence
    until_moved = rules.publish_until and stretch.until != record.until
    shown = replace(
        record,
        reason=Reason(stretch.source, stretch.rule),
        timeline=from_instant(timeline, now),
        until=stretch.until,
        next_at=stretch.until,
    )
    if not changed and not until_moved:
        return shown
    return replace(
        shown,
        version=record.version + 1,
        presence=stretch.presence,
        previous=record.presence,
        since=_since(record, stretch, now) if changed else record.since,
        changed_at=now,
    )


def _since(record: PresenceRecord, stretch: Segment, now: datetime) -> datetime:
    """Return since when the new presence holds: its stretch's start, but never before the one it follows began."""
    return stretch.since if stretch.since > record.since or record.version == 0 else now


def _recorded(record: PresenceRecord, problem: Problem, now: datetime) -> RecordedProblem:
    if record.problem is not None and record.problem.problem.code == problem.code:
        return record.problem
    return RecordedProblem(problem, now)
