"""Who holds the engine to its promises: at each write, after each invocation, and while nothing is amiss."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading
from presence.commands import ClearPresence, RemindOfMeetings, SetPresence, UseCalendar
from presence.events import Disclosure, presence_changed
from presence.freshness import Freshness
from presence.instants import ceil_to_second
from presence.presences import AVAILABLE, UNKNOWN, Presence
from presence.records import PresenceRecord
from presence.standing_claims import Ending
from tests.model.instances import Instance
from tests.model.oracle import Belief, Known, Shown, Standing
from tests.model.surroundings import Told

LARGEST_SKEW = timedelta(seconds=30)
_SLOWNESS = timedelta(seconds=8)
"""What the model's own sequence adds at most: it serves one message after the other, each with its last moment."""

_A_MOMENT = timedelta(milliseconds=1)
_REFRESHED_AFTER = timedelta(hours=1)
_GROWS = (Freshness.CURRENT, Freshness.STALE, Freshness.UNKNOWN)
_ENDS_BY_ITSELF = {Ending.BOUNDARY: timedelta(hours=8), Ending.MEETING: timedelta(hours=24)}


class BrokenPromiseError(AssertionError):
    """The engine did what it must not; the text begins with the promise."""

    def __init__(self, promise: str, details: object) -> None:
        super().__init__(f"{promise}: {details}")
        self.promise = promise


def must(promise: str, kept: bool, *details: object) -> None:
    """Raise `BrokenPromiseError` unless a promise is kept."""
    if not kept:
        raise BrokenPromiseError(promise, " | ".join(str(detail) for detail in details))


class Judge:
    """Follows what the engine comes to know of each user and compares what it shows with the oracle.

    With `inside` it looks at each step; without, only at what others can see: what is published, and when.
    """

    def __init__(
        self, beliefs: Mapping[str, Belief], readings: Mapping[tuple[str, datetime], Told], *, inside: bool
    ) -> None:
        self.beliefs = beliefs
        self._readings = readings
        self._inside = inside
        self.broken: BrokenPromiseError | None = None

    def on_write(self, instance: Instance, before: PresenceRecord | None, after: PresenceRecord) -> None:
        """Take in what a write is based on, and judge what it shows at the writer's own time.

        What is found is kept in `broken` as well: the engine takes what is raised here for an error of its table.
        """
        try:
            self._on_write(instance, before, after)
        except BrokenPromiseError as error:
            self.broken = self.broken or error
            raise

    def _on_write(self, instance: Instance, before: PresenceRecord | None, after: PresenceRecord) -> None:
        belief, now = self.beliefs[after.user_id], instance.decided_at
        self._learn(belief, instance, after, now)
        old, new = None if before is None else _shown(before), _shown(after)
        moved = after.version - (0 if before is None else before.version)
        must("versions grow by one with each change", moved == int(old != new), before, after)
        if before is not None:
            newer = before.read_at is None or after.read_at is None or after.read_at >= before.read_at
            must("a newer reading is never replaced by an older one", newer, before, after)
            no_news = instance.command is None and not isinstance(instance.told.get(after.address), CalendarReading)
            doubts = [belief.freshness(at)[0] for at in (now, now + 2 * LARGEST_SKEW)]
            trusted = _GROWS.index(after.freshness) >= _GROWS.index(before.freshness) or before.freshness in doubts
            must("nothing is believed again without a reading", trusted or not no_news, now, before, after)
        expected = belief.shown(now)
        if before is not None and after.version == before.version and after.presence != expected.presence:
            # A clock that goes before has begun what is yet to come by this one, and it is left as it is.
            begun = {presence for presence, _ in belief.between(now, now + 2 * LARGEST_SKEW)}
            must("what is begun by another clock is left", after.presence in begun, now, after, expected)
            must("and comes by this one", after.next_at is not None and after.next_at <= now + 2 * LARGEST_SKEW, after)
            return
        _never_available(after, expected.presence, now)
        if not self._inside:
            return
        must("what is shown follows from what is known", _shown(after) == expected, now, after, expected)
        if expected.until is not None:
            coming = _told_to_come(after)
            right = belief.told(expected.until, expected.freshness)[0]
            must("what is told to come next is what follows", coming in {None, str(right)}, now, after, right)
        if before is None or after.presence != before.presence:
            must("nothing is shown from a later time on", after.since <= now, now, after)
        self._next_is_planned(belief, after, now)

    def completed_check(self, instance: Instance, user_id: str, address: str, record: PresenceRecord | None) -> None:
        """Judge what an undisturbed check left: the record as the oracle has it, and a reading that was not needed."""
        belief, outcome, now = self.beliefs[user_id], instance.told.get(address), instance.decided_at
        if outcome is None or record is None or not self._inside:
            return
        if isinstance(outcome, CalendarReading):
            known = belief.known
            if known is None or known.read_at > outcome.read_at or not belief.is_used(now):
                return
            told = self._readings[address, outcome.read_at]
            fails = belief.failing_since is not None
            must("a calendar fails while it has no data for now", fails == (_known(told).at(now) is None), record)
            fresh = outcome.read_at - known.read_at < _REFRESHED_AFTER
            must("the age of a reading is noted once an hour", fresh, record, outcome)
            self._nothing_new(belief, told, now)
        else:
            must("a failing check is noted", belief.failing_since is not None, record)
        self.settled(record, now)

    def settled(self, record: PresenceRecord, now: datetime) -> None:
        """Judge a record that somebody has just seen to: right by the clock of who did, or by one that goes before."""
        if not self._inside:
            return
        right = self.beliefs[record.user_id].between(now - _A_MOMENT, now + 2 * LARGEST_SKEW)
        must("what is due is applied", (record.presence, record.freshness) in right, now, record, right)

    def timely(self, record: PresenceRecord, now: datetime) -> None:
        """Judge what is shown while nothing is amiss: right at some instant that a clock may show, or just did."""
        belief = self.beliefs[record.user_id]
        right = belief.between(now - LARGEST_SKEW - _SLOWNESS, now + LARGEST_SKEW)
        shown = (record.presence, record.freshness)
        if shown in right:
            return
        doubted = Freshness.CURRENT not in {freshness for _, freshness in right}
        promise = "staleness comes on time" if doubted else "transitions come on time"
        if record.presence == AVAILABLE:
            promise += " and nobody is shown Available meanwhile"
        raise BrokenPromiseError(promise, f"at {now} shown {shown}, right {right} | {record}")

    def _learn(self, belief: Belief, instance: Instance, after: PresenceRecord, now: datetime) -> None:
        outcome = instance.told.get(after.address)
        if instance.command is not None:
            command(belief, instance.command, now)
        elif isinstance(outcome, CalendarReading):
            must("a check writes what it read", after.read_at == outcome.read_at, after)
            read(belief, self._readings[after.address, outcome.read_at], now)
        elif outcome is not None:
            belief.failing_since = belief.failing_since or now

    def _nothing_new(self, belief: Belief, told: Told, now: datetime) -> None:
        """Hold a check that wrote nothing to it: all that is ahead is as it was, as far as both readings reach."""
        newer = copy.copy(belief)
        newer.standing = dict(belief.standing)
        read(newer, told, now)
        if belief.known is None or newer.known is None:
            return
        end = min(belief.known.horizon, newer.known.horizon)
        for instant in {now, *belief.changes(), *newer.changes()}:
            if now <= instant < end:
                one, other = (which.told(instant, Freshness.CURRENT) for which in (belief, newer))
                must("a check that finds something new writes it", one == other, now, instant, one, other)
        must("a check that finds something new writes it", belief.note() == newer.note(), now)

    def _next_is_planned(self, belief: Belief, after: PresenceRecord, now: datetime) -> None:
        freshness, doubts = belief.freshness(now)
        until = belief.shown(now).until
        changes = [at for at in [until, *doubts] if at is not None and at > now]
        planned = not changes or (after.next_at is not None and after.next_at <= min(changes))
        must("what comes next by itself is planned", planned, now, freshness, changes, after)


def read(belief: Belief, told: Told, now: datetime) -> None:
    """Let a belief follow a reading."""
    belief.failing_since = belief.lacking_since(now) if _known(told).at(now) is None else None
    belief.known = _known(told).after(belief.known)
    belief.replies = belief.replies if told.replies is None else told.replies
    belief.look_again(now)


def _known(told: Told) -> Known:
    reading = told.reading
    return Known(reading.entries, reading.window.end, reading.read_at)


def command(belief: Belief, asked: object, now: datetime) -> None:
    """Let a belief follow a command."""
    match asked:
        case SetPresence():
            ending, until = asked.ending, asked.until
            if ending is None:
                ending = Ending.BOUNDARY if asked.source == "by-hand" and until is None else Ending.TIME
            if until is None and ending in _ENDS_BY_ITSELF:
                until = ceil_to_second(now + _ENDS_BY_ITSELF[ending])
            belief.standing[asked.source] = Standing(asked.presence, now, until, ending)
        case ClearPresence():
            belief.standing.pop(asked.source, None)
        case UseCalendar():
            belief.calendar_on, belief.paused_until = asked.use.on, asked.use.paused_until
        case RemindOfMeetings():
            pass
    belief.look_again(now)


def truth(belief: Belief, known: Known, replies: AutomaticReplies, now: datetime) -> Shown:
    """Return what ought to be shown by the true calendar, with what was set by hand as it stands."""
    true = copy.copy(belief)
    true.standing = dict(belief.standing)
    true.failing_since = None
    if belief.is_used(now):
        true.known, true.replies = known, replies
    true.look_again(now)
    return true.shown(now)


def _never_available(record: PresenceRecord, expected: Presence, now: datetime) -> None:
    unknown = expected == UNKNOWN
    promise = "what is unknown is never Available" if unknown else "nobody is shown Available against their calendar"
    must(promise, record.presence != AVAILABLE or expected == AVAILABLE, now, record, expected)


def _told_to_come(record: PresenceRecord) -> str | None:
    """Return what others are told to come next, where the operator lets them know."""
    event: dict[str, Any] = presence_changed(record, "urn:calendar-presence:model", Disclosure(next=True))
    coming = event["data"].get("next")
    return None if coming is None else f"{coming['availability']} / {coming['activity']}"


def _shown(record: PresenceRecord) -> Shown:
    reason = record.reason
    option = reason.rule if reason.source == "option" else None
    return Shown(record.presence, reason.source != "none", option, record.freshness, record.note, record.until)
