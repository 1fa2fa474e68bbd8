"""What ought to be shown: a second, naive account of the rules, asked instant by instant.

It shares no code with the engine but the words of the domain. A `Belief` is told what the engine came to know, and
when; the timeline is never built, each question goes through all that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from presence.automatic_replies import Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.freshness import Freshness
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.standing_claims import Ending

AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
ELSEWHERE = Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE)

RANKS = ("by-hand", "out-of-office", "phone", "meeting", "busy", "replies", "tentative", "elsewhere", "badge", "none")
"""Who wins over whom, the strongest first. `phone` and `badge` are other systems, one strong and one weak."""

STALE_AFTER = timedelta(minutes=30)
UNKNOWN_AFTER = timedelta(hours=12)
SILENCE = timedelta(hours=1, minutes=5)
"""How long no news of a calendar is good news: its age is noted once an hour, at one of the checks."""

_WINDOW_BEHIND = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Habits:
    """What a person's profile changes: whether tentative entries and replies without times claim anything."""

    tentative: bool = False
    replies_switched_on: bool = False


@dataclass(frozen=True)
class Known:
    """A calendar as it was told, up to `horizon`; `earlier` is what was known where it told of no data."""

    entries: tuple[CalendarEntry, ...]
    horizon: datetime
    read_at: datetime
    earlier: Known | None = None

    def at(self, instant: datetime) -> Sequence[CalendarEntry] | None:
        """Return the entries that hold at an instant; None if nobody knows."""
        here = [entry for entry in self.entries if entry.start <= instant < entry.end]
        told = [entry for entry in here if entry.busy_type not in {BusyType.FREE, BusyType.NO_DATA}]
        if told or not here:
            return told
        if all(entry.busy_type is BusyType.FREE for entry in here):
            return []
        known = None if self.earlier is None else self.earlier.at(instant)
        if self.earlier is not None and instant >= self.earlier.horizon:
            # When an entry ends is told with it, also if that is further ahead; that nothing is there is not.
            return known or None
        return known

    def lacks(self, instant: datetime) -> bool:
        """Tell whether there may be more at an instant than is known of it."""
        here = [entry.busy_type for entry in self.entries if entry.start <= instant < entry.end]
        if BusyType.NO_DATA not in here:
            return False
        is_told = not {BusyType.FREE, BusyType.NO_DATA}.issuperset(here)
        return is_told or self.earlier is None or instant >= self.earlier.horizon or self.earlier.lacks(instant)

    def changes(self) -> Iterator[datetime]:
        for entry in self.entries:
            yield entry.start
            yield entry.end
        yield self.horizon
        if self.earlier is not None:
            yield from self.earlier.changes()

    def meetings(self) -> set[datetime]:
        """Return when meetings begin; who may not see what is a meeting takes all busy entries for meetings."""
        told = {
            entry.start
            for entry in self.entries
            if entry.busy_type is BusyType.BUSY and entry.is_meeting is not False and entry.start < entry.end
        }
        before = set() if self.earlier is None else self.earlier.meetings()
        return told | {start for start in before if self._remembers(start) and self._remembers(start - _INSTANT)}

    def _remembers(self, instant: datetime) -> bool:
        """Tell whether what is known of an instant is known from earlier."""
        here = [entry.busy_type for entry in self.entries if entry.start <= instant < entry.end]
        return set(here) - {BusyType.FREE} == {BusyType.NO_DATA} and self.at(instant) is not None

    def after(self, earlier: Known | None) -> Known:
        """Return the knowledge with what was known before, where that makes a difference."""
        gaps = any(entry.busy_type is BusyType.NO_DATA for entry in self.entries)
        return replace(self, earlier=earlier) if gaps else self


@dataclass(frozen=True)
class Standing:
    """What somebody set by hand, or another system claims."""

    presence: Presence
    since: datetime
    until: datetime | None
    ending: Ending
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Shown:
    """What is shown, as far as it is published; `until`: when it changes by itself, as far as is known.

    `is_claimed`: something says so, not only that nothing says otherwise. `option`: the rule of the wish because of
    which the calendar is not shown, if that is what is shown.
    """

    presence: Presence
    is_claimed: bool
    option: str | None
    freshness: Freshness
    note: str | None
    until: datetime | None


@dataclass
class Belief:
    """All that the engine has come to know of one person, and what follows from it at any instant."""

    habits: Habits = Habits()
    known: Known | None = None
    replies: AutomaticReplies | None = None
    standing: dict[str, Standing] = field(default_factory=dict)
    calendar_on: bool = True
    paused_until: datetime | None = None
    failing_since: datetime | None = None
    looked_ahead_to: datetime | None = None

    def is_used(self, now: datetime) -> bool:
        """Tell whether the calendar may be read."""
        return self.calendar_on and (self.paused_until is None or self.paused_until <= now)

    def look_again(self, now: datetime) -> None:
        """Follow what was learned at `now`: claims that have ended are gone, the others end where the calendar says."""
        if not self.is_used(now):
            self.known, self.replies, self.failing_since = None, None, None
        standing = {name: one for name, one in self.standing.items() if one.ends_at is None or one.ends_at > now}
        ahead = self._looks_ahead(standing, now)
        first = now.replace(second=0, microsecond=0) - _WINDOW_BEHIND
        boundaries = [
            instant
            for instant in self._changes_of_others()
            if first < instant < ahead and self._others(instant)[1] != self._others(instant - _INSTANT)[1]
        ]
        meetings = [] if self.known is None else self.known.meetings()
        ends = {Ending.TIME: [], Ending.BOUNDARY: boundaries, Ending.MEETING: meetings}
        for name, one in standing.items():
            # What was shown until now stays shown, whatever the calendar says by now of the time before.
            stops = [instant for instant in ends[one.ending] if instant > now]
            standing[name] = replace(one, ends_at=min([*stops, *([one.until] if one.until else [])], default=None))
        self.standing = standing
        self.looked_ahead_to = ahead

    def shown(self, now: datetime) -> Shown:
        """Return what ought to be shown at an instant."""
        freshness, _ = self.freshness(now)
        told = self.told(now, freshness)
        ahead = self.looked_ahead_to or now
        until = next((at for at in self.changes() if now < at < ahead and self.told(at, freshness) != told), None)
        return Shown(*told, self.option(now), freshness, self.note(), until)

    def presence(self, now: datetime, freshness: Freshness) -> Presence:
        """Return the presence that wins at an instant, if what was read is believed as far as `freshness` says."""
        return self.told(now, freshness)[0]

    def told(self, now: datetime, freshness: Freshness) -> tuple[Presence, bool]:
        """Return the same, and whether anything claims it."""
        if self.looked_ahead_to is not None:
            # What comes later than anybody looked goes on as it was.
            now = min(now, self.looked_ahead_to - _INSTANT)
        rank, presence, rests_on_reading = self._winner(now)
        if rests_on_reading and freshness is Freshness.UNKNOWN:
            return UNKNOWN, False
        nobody_knows = self.known is not None and presence == UNKNOWN
        return presence, rank != "none" or nobody_knows or not self.is_used(now)

    def option(self, now: datetime) -> str | None:
        """Return the rule of the wish because of which the calendar is not shown; None if something else is shown."""
        if self.is_used(now) or self._winner(now)[0] != "none":
            return None
        return "calendar-paused" if self.calendar_on else "calendar-off"

    def freshness(self, now: datetime) -> tuple[Freshness, list[datetime]]:
        """Return how far what was read is believed, and the instants at which that changes."""
        if not self.is_used(now):
            return Freshness.CURRENT, [self.paused_until] if self.calendar_on and self.paused_until else []
        if self.known is None:
            return Freshness.UNKNOWN, []
        silent = self.known.read_at + SILENCE
        since = silent if self.failing_since is None else min(self.failing_since, silent)
        stale = since + STALE_AFTER
        unknown = max(stale, min(since + UNKNOWN_AFTER, self.known.horizon))
        if now >= unknown:
            return Freshness.UNKNOWN, [stale, unknown]
        return Freshness.STALE if now >= stale else Freshness.CURRENT, [stale, unknown]

    def lacking_since(self, now: datetime) -> datetime:
        """Return since when nothing is told of the calendar, where a reading tells nothing of `now`."""
        silent = [] if self.known is None else [self.known.read_at + SILENCE]
        return min([self.failing_since or now, *silent])

    def note(self) -> str | None:
        """Return the note beside the presence."""
        replies = self.replies
        if replies is None or not _tells_colleagues(replies) or replies.scheduled or self.habits.replies_switched_on:
            return None
        return "automatic-replies"

    def changes(self) -> list[datetime]:
        """Return the instants at which the presence may change."""
        ends = [at for one in self.standing.values() for at in (one.since, one.ends_at) if at is not None]
        return sorted({*self._changes_of_others(), *ends})

    def between(self, start: datetime, end: datetime) -> set[tuple[Presence, Freshness]]:
        """Return all that ought to be shown at some instant from `start` to `end`."""
        instants = [start, end, *(at for at in [*self.changes(), *self.freshness(start)[1]] if start < at <= end)]
        shown = [(instant, self.freshness(instant)[0]) for instant in instants]
        return {(self.presence(instant, freshness), freshness) for instant, freshness in shown}

    def _winner(self, now: datetime) -> tuple[str, Presence, bool]:
        """Return the rank and the presence of what wins, and whether it rests on what was read."""
        others, presence = self._others(now)
        rank, rests_on_reading = others, self.known is not None
        for name, one in self.standing.items():
            holds = one.since <= now and (one.ends_at is None or now < one.ends_at)
            if holds and RANKS.index(name) < RANKS.index(rank):
                rank, presence, rests_on_reading = name, one.presence, False
        return rank, presence, rests_on_reading

    def _others(self, now: datetime) -> tuple[str, Presence]:
        """Return what wins but for the standing claims, as its rank and its presence."""
        if self.known is None:
            return "none", UNKNOWN
        # Behind the horizon all stays as it is there, however far somebody's claim makes the engine look.
        then = min(now, self.known.horizon - _INSTANT)
        claims = [("none", UNKNOWN if self.known.lacks(then) else AVAILABLE)]
        for entry in self.known.at(then) or ():
            match entry.busy_type:
                case BusyType.OUT_OF_OFFICE:
                    claims.append(("out-of-office", AWAY))
                case BusyType.BUSY:
                    claims.append(("meeting", MEETING) if entry.is_meeting else ("busy", BUSY))
                case BusyType.TENTATIVE if self.habits.tentative:
                    claims.append(("tentative", BUSY))
                case BusyType.WORKING_ELSEWHERE:
                    claims.append(("elsewhere", ELSEWHERE))
                case _:
                    pass
        replies = self.replies
        if replies is not None and _tells_colleagues(replies):
            if replies.start is None or replies.end is None:
                holds = self.habits.replies_switched_on
            else:
                holds = replies.start <= now < replies.end
            if holds:
                claims.append(("replies", AWAY))
        return min(claims, key=lambda claim: RANKS.index(claim[0]))

    def _changes_of_others(self) -> set[datetime]:
        changes = set() if self.known is None else set(self.known.changes())
        ends = [self.paused_until]
        if self.replies is not None:
            ends += [self.replies.start, self.replies.end]
        return changes | {end for end in ends if end is not None}

    def _looks_ahead(self, standing: dict[str, Standing], now: datetime) -> datetime:
        ends = [one.until for one in standing.values()]
        ends += [None if self.replies is None else self.replies.end, self.paused_until]
        known_until = now + timedelta(hours=24) if self.known is None else self.known.horizon
        later = [end + _SECOND for end in ends if end is not None and end > now]
        return max([known_until, now + _SECOND, *later])


def _tells_colleagues(replies: AutomaticReplies) -> bool:
    return replies.enabled and replies.audience is not Audience.EXTERNAL
