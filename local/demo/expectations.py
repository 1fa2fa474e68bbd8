"""What should be published for one person, derived from how their calendar really was while the demo ran.

A calendar is read every now and then, so one thing only is not known beforehand: when an edit is seen. It may be seen
at any moment from the edit until one check cadence later, and what is published can depend on whether a boundary of
the calendar lies before or after that moment. So a history of edits has a small set of right answers; nearly always
it has a single member. Each member is exact in everything but the moment at which an edit is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from local.demo.oracle import NEVER_READ, Calendar, Entry, Replies, Shown

LOOKBACK = timedelta(hours=1)
"""A timeline begins an hour before its reading: what is older has no known start.

It may be up to a minute more, since readings ask from a whole minute on."""


class Cause(StrEnum):
    """Why a change is published."""

    FIRST = "first reading"
    BOUNDARY = "boundary"
    EDIT = "edit"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a mailbox was from the instant `at` on; `entries` None where its calendar can't be read at all.

    `replies` are its automatic replies, which are the same all the time: they are not looked at with every reading.
    """

    at: datetime
    entries: tuple[Entry, ...] | None
    replies: Replies | None = None


@dataclass(frozen=True, slots=True)
class Cadence:
    """How soon news is seen: the first reading of all, an edit afterwards; and how far ahead a reading looks."""

    first: timedelta
    edit: timedelta
    horizon: timedelta


@dataclass(frozen=True, slots=True)
class Expected:
    """One change that should be published.

    It is published no earlier than `not_before`, and if an edit caused it, no later than `not_after`. Its `since` lies
    in [since_from, since_to]; both are the same instant unless it is the moment at which an edit was noticed.
    `statuses` are those of the calendar's entries that ran when it became due. `freshness` is how far what is shown can
    be believed, `note` what stands beside it.
    """

    cause: Cause
    shown: Shown
    since_from: datetime
    since_to: datetime
    until: datetime | None
    not_before: datetime
    not_after: datetime
    statuses: frozenset[str] = frozenset()
    freshness: str = "current"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """What a reader of the calendar has come to so far; `published` grows by one item a change."""

    now: datetime
    calendar: Calendar | None
    published: tuple[Expected, ...]
    note: str | None = None


def acceptable_sequences(history: Sequence[Snapshot], cadence: Cadence, closes: datetime) -> list[tuple[Expected, ...]]:
    """Return every sequence of changes that is right for a mailbox with this history, until `closes`.

    The history is in order of time and has a first member: the calendar as it was when the system was started.
    """
    states = [_State(history[0].at, None, ())]
    for index, snapshot in enumerate(history):
        following = history[index + 1].at if index + 1 < len(history) else closes
        states = [
            after
            for before in states
            for after in _seen(before, snapshot, _seen_by(before, snapshot, history[0].at, cadence), following, cadence)
            if after.published or index + 1 < len(history)  # whoever has a calendar has been read in the end
        ]
    sequences = [_boundaries(state, closes).published for state in states]
    return list(dict.fromkeys(sequences))


def _seen_by(state: _State, snapshot: Snapshot, start: datetime, cadence: Cadence) -> datetime:
    """Return when the news of a snapshot must have reached the subscriber."""
    first, edit = start + cadence.first, snapshot.at + cadence.edit
    if state.published:
        return edit
    return first if snapshot.at == start else max(first, edit)


def _seen(
    state: _State, snapshot: Snapshot, not_after: datetime, following: datetime, cadence: Cadence
) -> Iterator[_State]:
    """Yield what is known once the snapshot has been seen, for each moment of seeing that makes a difference."""
    if snapshot.entries is None:
        yield _unreadable(state, snapshot, not_after)
        return
    replies = snapshot.replies
    wishes = () if replies is None else replies.wishes()
    calendar = Calendar(snapshot.entries, snapshot.at + cadence.horizon, state.calendar, wishes)
    state = replace(state, note=None if replies is None else replies.note)
    edges = set(calendar.instants()) | set(state.calendar.instants() if state.calendar else ())
    moments = [snapshot.at, *sorted(edge for edge in edges if snapshot.at < edge <= min(not_after, following))]
    for moment in moments:
        yield from _reading(_boundaries(state, moment), calendar, moment, snapshot.at, not_after)
    if following < not_after:
        # The next edit, or the end, may come before this one was seen: then nobody ever saw it.
        yield state


def _unreadable(state: _State, snapshot: Snapshot, not_after: datetime) -> _State:
    if state.published:
        return state
    first = Expected(Cause.FIRST, NEVER_READ, snapshot.at, not_after, None, snapshot.at, not_after, freshness="unknown")
    return _State(snapshot.at, None, (first,))


def _boundaries(state: _State, until: datetime) -> _State:
    """Let time pass until the instant: the known calendar takes effect as it was read."""
    if state.calendar is None or until <= state.now:
        return state
    calendar = state.calendar
    passed = tuple(_boundary(calendar, edge, state.note) for edge in calendar.changes(state.now, until))
    return replace(state, now=until, published=(*state.published, *passed))


def _boundary(calendar: Calendar, edge: datetime, note: str | None) -> Expected:
    shown, until = calendar.shown_at(edge), calendar.stretch_end(edge)
    return Expected(Cause.BOUNDARY, shown, edge, edge, until, edge, edge, _statuses(calendar, edge), note=note)


def _reading(
    state: _State, calendar: Calendar, moment: datetime, not_before: datetime, not_after: datetime
) -> Iterator[_State]:
    """Take a reading in: it is published if it shows another presence, or another end of the same."""
    shown, until = calendar.shown_at(moment), calendar.stretch_end(moment)
    last = state.published[-1] if state.published else None
    if last is not None and last.shown.presence == shown.presence and last.until == until:
        yield replace(state, now=moment, calendar=calendar)
        return
    cause = Cause.FIRST if last is None or last.shown == NEVER_READ else Cause.EDIT
    statuses = _statuses(calendar, moment)
    for since_from, since_to in _since(calendar, moment, last, not_before, not_after):
        change = Expected(cause, shown, since_from, since_to, until, not_before, not_after, statuses, note=state.note)
        yield replace(state, now=moment, calendar=calendar, published=(*state.published, change))


def _since(
    calendar: Calendar, moment: datetime, last: Expected | None, not_before: datetime, not_after: datetime
) -> list[tuple[datetime, datetime]]:
    """Return the earliest and the latest `since` of a change by a reading; two such pairs where both are right.

    It is the start of the stretch, but a presence never begins before the one that was shown until now, and none that
    the reading can't see the start of: then it begins when it was noticed. While only the end moves it stays.
    """
    noticed = not_before, not_after
    if last is None:
        floor_from, floor_to = not_before - LOOKBACK - timedelta(minutes=1), not_after - LOOKBACK
    elif last.shown.presence == calendar.shown_at(moment).presence:
        return [(last.since_from, last.since_to)]
    else:
        floor_from, floor_to = last.since_from, last.since_to
    start = calendar.stretch_start(moment)
    if start is None or start <= floor_from:
        return [noticed]
    return [(start, start)] if start > floor_to else [(start, start), noticed]


def _statuses(calendar: Calendar, instant: datetime) -> frozenset[str]:
    return frozenset(entry.status for entry in calendar.entries if entry.start <= instant < entry.end) or frozenset(
        ("Free",)
    )
