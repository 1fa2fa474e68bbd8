"""What should be published for one person in the course of a day, from what happened, in order of time.

What Exchange was asked, and when, stands in the simulated Exchange's own log; how the calendar stood at that instant is
known. So nothing is left open but one thing: where news and something that falls due meet within a second, either may
come first, and each order is right. Nothing of the layers is used here: which claim wins (docs/profiles.md), when what
is set ends (docs/operations/setting-presence.md), and how long a reading is believed (docs/decisions, 0002 and 0030)
are stated once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from local.demo.expectations import Cause, Expected
from local.demo.oracle import BY_HAND, NEVER_READ, OTHER_SYSTEMS, Calendar, Entry, Replies, Shown, Wish

STALE_AFTER = timedelta(minutes=30)
UNKNOWN_AFTER = timedelta(hours=12)
HORIZON = timedelta(hours=24)
LOOKS_BACK = timedelta(hours=1)
LONGEST_BY_HAND = timedelta(hours=8)
PROMPT = timedelta(seconds=1)
"""How late anything may be received."""
BY_HAND_SOURCE = "by-hand"

_NOT_BELIEVED = Shown("PresenceUnknown", "PresenceUnknown", "none")
_OFF = Shown("PresenceUnknown", "PresenceUnknown", "option")


@dataclass(frozen=True, slots=True)
class Observation:
    """Exchange was asked for a mailbox at the instant `at`.

    `entries` are the calendar as it stood, None if it could not be had. `asked_replies`: whether automatic replies were
    asked for and told as well, `replies` those that went out.
    """

    at: datetime
    entries: tuple[Entry, ...] | None
    asked_replies: bool = False
    replies: Replies | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """Something was set at the instant `at`, by hand or by the system that is the source of `shown`.

    It lasts until `until`; without that what is set by hand lasts until the day changes by itself, and what another
    system says until it takes it back. A source has one claim.
    """

    at: datetime
    shown: Shown
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a source claims was taken back at the instant `at`."""

    at: datetime
    source: str = BY_HAND_SOURCE


@dataclass(frozen=True, slots=True)
class Switched:
    """The user's calendar was switched on or off at the instant `at`."""

    at: datetime
    on: bool


News = Observation | Claimed | TakenBack | Switched


@dataclass(frozen=True, slots=True)
class _State:
    """What is known at the instant `now`, and what was published so far."""

    now: datetime
    entries: tuple[Entry, ...] | None = None
    horizon: datetime | None = None
    before: Calendar | None = None
    replies: Replies | None = None
    claims: tuple[Claimed, ...] = ()
    failing_since: datetime | None = None
    calendar: Calendar | None = None
    published: tuple[Expected, ...] = ()

    def freshness_at(self, instant: datetime) -> str:
        """Return how far what is known can be believed; who was never read has nothing that could grow old."""
        if self.failing_since is None or self.entries is None:
            return "current"
        if instant >= self.failing_since + UNKNOWN_AFTER:
            return "unknown"
        return "stale" if instant >= self.failing_since + STALE_AFTER else "current"


def acceptable_days(news: Sequence[News], start: datetime, closes: datetime) -> list[tuple[Expected, ...]]:
    """Return every sequence of changes that is right for a person of whom there was this news, in order of time."""
    states = [_State(start)]
    for each in news:
        states = _distinct(_heard(before, each) for state in states for before in _just_before(state, each.at))
    return [state.published for state in _distinct(_passed(state, closes) for state in states)]


def _distinct(states: Iterable[_State]) -> list[_State]:
    """Return the states without those that differ from an earlier one only in why and when something was published."""
    found: dict[object, _State] = {}
    for state in states:
        contents = tuple(
            (change.shown, change.since_from, change.until, change.freshness, change.note) for change in state.published
        )
        found.setdefault((contents, replace(state, published=())), state)
    return list(found.values())


def _just_before(state: _State, instant: datetime) -> Iterator[_State]:
    """Yield the state that news of the instant meets: what fell due has happened, or that of the last second not."""
    passed = _passed(state, instant)
    yield passed
    waiting = _passed(state, instant - PROMPT)
    if len(waiting.published) != len(passed.published):
        yield replace(waiting, now=max(state.now, instant - PROMPT))


def _passed(state: _State, until: datetime) -> _State:
    """Let time pass: what is known takes effect as it was read, for as long as it is believed."""
    while (due := _next_due(state)) is not None and due <= until:
        state = _published(replace(state, now=due), due, _cause(state, due), due)
    return replace(state, now=max(state.now, until))


def _next_due(state: _State) -> datetime | None:
    """Return the next instant at which something changes by itself."""
    instants = []
    if state.calendar is not None and state.freshness_at(state.now) != "unknown":
        last = state.published[-1].shown.told if state.published else None
        instants = [
            edge
            for edge in state.calendar.instants()
            if edge > state.now and state.calendar.shown_at(edge).told != last
        ][:1]
    if state.failing_since is not None and state.entries is not None:
        ages = (state.failing_since + STALE_AFTER, state.failing_since + UNKNOWN_AFTER)
        instants += [instant for instant in ages if instant > state.now]
    return min(instants, default=None)


def _cause(state: _State, due: datetime) -> Cause:
    return Cause.BOUNDARY if state.freshness_at(due) == state.freshness_at(state.now) else Cause.AGE


def _heard(state: _State, news: News) -> _State:
    """Take news in, and publish what it changes."""
    match news:
        case Switched():
            return _switched(state, news)
        case Observation(entries=None):
            if not state.published:
                late = news.at + PROMPT
                first = Expected(Cause.FIRST, NEVER_READ, news.at, news.at, None, news.at, late, freshness="unknown")
                return replace(state, now=news.at, published=(first,))
            if state.failing_since is not None:
                return _passed(state, news.at)  # no news
            heard = replace(state, claims=_standing(state, news.at), failing_since=news.at)
        case Observation():
            heard = replace(
                state,
                claims=_standing(state, news.at),
                entries=news.entries,
                horizon=_floor(news.at) + HORIZON,
                before=_known_before(state, news),
                replies=news.replies if news.asked_replies else state.replies,
                failing_since=None if _has_data(news) else state.failing_since or news.at,
            )
        case Claimed():
            heard = replace(state, claims=(*_of_others(state, news.at, news.shown.source), news))
        case TakenBack():
            heard = replace(state, claims=_of_others(state, news.at, news.source))
    heard = replace(heard, now=news.at, calendar=_picture(heard))
    never_read = not state.published or state.published[-1].shown == NEVER_READ
    return _published(heard, news.at, Cause.FIRST if never_read else Cause.EDIT, news.at + PROMPT)


def _known_before(state: _State, news: Observation) -> Calendar | None:
    """Return what was known before, which counts where the calendar says that it has no data."""
    if not any(entry.status == "NoData" for entry in news.entries or ()):
        return None
    if state.entries == news.entries or state.entries is None or state.horizon is None:
        return state.before
    return Calendar(state.entries, state.horizon, state.before)


def _has_data(news: Observation) -> bool:
    """Tell whether the calendar says anything of the instant at which it was asked for."""
    statuses = {entry.status for entry in news.entries or () if entry.start <= news.at < entry.end}
    return "NoData" not in statuses or not statuses <= {"Free", "NoData"}


def _picture(state: _State) -> Calendar | None:
    """Return all that is known as one calendar."""
    if state.entries is None or state.horizon is None:
        return None
    horizon = state.horizon
    # What begins beyond the horizon was not told.
    seen = tuple(entry for entry in state.entries if entry.start < horizon)
    wishes = [] if state.replies is None else list(state.replies.wishes())
    day = Calendar(seen, horizon, state.before, tuple(wishes))
    wishes += [Wish(claim.at, _end_of(claim, day), claim.shown, _rank(claim.shown.source)) for claim in state.claims]
    return replace(day, beside=tuple(wishes))


def _standing(state: _State, instant: datetime) -> tuple[Claimed, ...]:
    """Return the claims that have not ended; one that has ended stays so, whatever the calendar becomes."""
    wishes = () if state.calendar is None else state.calendar.beside
    ended = {wish.shown.source for wish in wishes if wish.until is not None and wish.until <= instant}
    return tuple(claim for claim in state.claims if claim.shown.source not in ended)


def _of_others(state: _State, instant: datetime, source: str) -> tuple[Claimed, ...]:
    return tuple(claim for claim in _standing(state, instant) if claim.shown.source != source)


def _rank(source: str) -> int:
    return BY_HAND if source == BY_HAND_SOURCE else OTHER_SYSTEMS


def _end_of(claim: Claimed, day: Calendar) -> datetime | None:
    """Return until when a claim stands: as long as was said, else what is set by hand until what it hides changes."""
    if claim.until is not None or claim.shown.source != BY_HAND_SOURCE:
        return claim.until
    latest = claim.at + LONGEST_BY_HAND
    return min([latest, *day.changes(claim.at, latest)])


def _switched(state: _State, news: Switched) -> _State:
    """Forget the calendar: of one that is off nothing is kept; one that is on again is not known until it is read."""
    last = state.published[-1]
    since = last.since_from if news.on else news.at
    change = Expected(
        cause=Cause.EDIT,
        shown=NEVER_READ if news.on else _OFF,
        since_from=since,
        since_to=since,
        until=None,
        not_before=news.at,
        not_after=news.at + PROMPT,
        freshness="unknown" if news.on else "current",
    )
    return _State(news.at, published=(*state.published, change))


def _published(state: _State, instant: datetime, cause: Cause, not_after: datetime) -> _State:
    """Publish what is to be shown at the instant, if it differs from what was published last."""
    if state.calendar is None:
        return state
    freshness = state.freshness_at(instant)
    believed = freshness != "unknown"
    shown = state.calendar.shown_at(instant) if believed else _NOT_BELIEVED
    until = state.calendar.stretch_end(instant) if believed else None
    note = None if state.replies is None else state.replies.note
    last = state.published[-1] if state.published else None
    if last is not None and (last.shown.told, last.freshness, last.note, last.until) == (
        shown.told,
        freshness,
        note,
        until,
    ):
        return state
    since = instant
    if last is not None and last.shown.presence == shown.presence:
        since = last.since_from
    elif believed:
        since = _since(state.calendar, instant, last, cause)
    if cause is Cause.AGE:
        # The queue counts in whole seconds, so what falls due within one may come at its end.
        not_after = _ceil(instant) + PROMPT
    running = {entry.status for entry in state.calendar.entries if entry.start <= instant < entry.end} or {"Free"}
    change = Expected(
        cause=cause,
        shown=shown,
        since_from=since,
        since_to=since if believed else not_after,
        until=until,
        not_before=instant,
        not_after=not_after,
        statuses=frozenset(running) if believed else frozenset(),
        freshness=freshness,
        note=note,
    )
    return replace(state, published=(*state.published, change))


def _since(calendar: Calendar, instant: datetime, last: Expected | None, cause: Cause) -> datetime:
    """Return since when a presence holds: since it began, if that can be known and nothing else was shown since."""
    start = calendar.stretch_start(instant)
    if cause is Cause.BOUNDARY:
        return start or instant
    earliest = instant - LOOKS_BACK
    if last is not None:
        earliest = max(earliest, last.since_from)
    return start if start is not None and start > earliest else instant


def _floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _ceil(instant: datetime) -> datetime:
    whole = instant.replace(microsecond=0)
    return whole if whole == instant else whole + timedelta(seconds=1)
