"""Everything that can be known of somebody, at random: for the engine in its own form and for the naive oracle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar
from zoneinfo import ZoneInfo

from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.knowledge import CalendarUse, Knowledge, Picture, picture_of
from presence.known_calendar import KnownCalendar, KnownEntry, remembered
from presence.mapping import Kind, PrivateEntries, Profile
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.profiles import BUILT_IN, DEFAULT
from presence.standing_claims import Ending, StandingClaim
from presence.working_hours import WorkingHours, WorkingPeriod
from tests.support.naive import NaiveUser, Told
from tests.support.zones import OFFICE_HOURS, WEEKDAYS, ZONES

Part = TypeVar("Part")

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STEP = 5 * MINUTE

DAYS_OF_CHANGE = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2026-11-01"),
    "Australia/Sydney": ("2026-04-05", "2026-10-04"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Asia/Tokyo": ("2026-11-23",),
}
"""Days on which the clocks of five zones change, and a plain one."""

DAYS = tuple((zone, day) for zone, days in DAYS_OF_CHANGE.items() for day in days)


@dataclass(frozen=True)
class Scenario:
    """What is known at `now` of a mailbox in `zone`; `before` are the entries of the reading five minutes earlier."""

    zone: str
    now: datetime
    entries: tuple[CalendarEntry, ...] | None
    before: tuple[CalendarEntry, ...] | None
    periods: tuple[WorkingPeriod, ...] | None
    replies: AutomaticReplies | None
    standing: tuple[StandingClaim, ...]
    use: CalendarUse
    profile: Profile

    @property
    def known_until(self) -> datetime:
        """How far the calendar is known."""
        return self.now + DAY

    @cached_property
    def knowledge(self) -> Knowledge:
        """What the engine knows."""
        calendar = self.known_before
        if self.entries is not None:
            calendar = self._known(self.entries, self.now, calendar)
        return Knowledge(calendar, self.replies, standing=self.standing, use=self.use)

    @cached_property
    def known_before(self) -> KnownCalendar | None:
        """What the engine knew of the calendar five minutes earlier."""
        if self.before is None:
            return None
        earlier = Knowledge(self._known(self.before, self.now - STEP, None))
        return picture_of(earlier, self.profile, self.now - STEP).knowledge.calendar

    @cached_property
    def picture(self) -> Picture:
        """What the engine makes of it."""
        return picture_of(self.knowledge, self.profile, self.now)

    @cached_property
    def naive(self) -> NaiveUser:
        """The same for the oracle."""
        is_used = self.use.on and (self.use.paused_until is None or self.use.paused_until <= self.now)
        told = self._told(self.entries, self.now) if is_used else None
        before = self._told(self.before, self.now - STEP) if is_used and self.entries is not None else None
        ends = [at for at in (self.use.paused_until, *(claim.until for claim in self.standing)) if at is not None]
        if is_used and self.replies is not None and self.replies.enabled and self.replies.end is not None:
            ends.append(self.replies.end)
        return NaiveUser(
            profile=self.profile,
            start=self.now - HOUR,
            end=max([self.known_until, *ends]) + timedelta(seconds=1),
            told=told,
            before=before,
            zone=None if self.periods is None else self.zone,
            periods=self.periods or (),
            replies=self.replies if is_used else None,
            standing=self.standing,
            off=not self.use.on,
            paused_until=self.use.paused_until,
            now=self.now,
        )

    def at_this_check(self) -> CalendarReading:
        """Return what the check of now reads."""
        return self._reading(self.entries or (), self.now)

    def at_the_next_check(self) -> CalendarReading | None:
        """Return what a check five minutes later reads of the same calendar; None where it can't be the same.

        What Exchange has no data for now reaches as far as it is asked for. It is not the same if an entry ends, or
        work begins or ends, behind the horizon of now and before that of then.
        """
        later, until = self.now + STEP, self.known_until + STEP
        known = (*(self.entries or ()), *(self.before or ()))
        edges = {at for entry in known for at in (entry.start, entry.end)}
        edges |= {at for stretch in self.naive.work for at in stretch}
        if self.entries is None or any(self.known_until <= at <= until for at in edges):
            return None
        entries = tuple(entry for entry in self.entries if entry.end > later - HOUR)
        return self._reading(entries, later)

    def instants(self) -> list[datetime]:
        """Return the instants at which something may change."""
        found: set[datetime] = {self.now - HOUR, self.now, self.known_until, self.naive.end}
        for entries in (self.entries, self.before):
            found |= {at for entry in entries or () for at in (entry.start, entry.end)}
        found |= {at for claim in self.standing for at in (claim.since, claim.until) if at is not None}
        if self.replies is not None:
            found |= {at for at in (self.replies.start, self.replies.end) if at is not None}
        return [at for at in found if self.now - HOUR <= at <= self.naive.end]

    def _known(
        self, entries: tuple[CalendarEntry, ...], read_at: datetime, earlier: KnownCalendar | None
    ) -> KnownCalendar:
        reading = self._reading(entries, read_at)
        return KnownCalendar(
            entries=tuple(KnownEntry(entry, "") for entry in remembered(reading, earlier)),
            horizon=reading.window.end,
            endpoint=reading.endpoint,
            view=reading.view,
            working_hours=reading.working_hours,
        )

    def _reading(self, entries: tuple[CalendarEntry, ...], read_at: datetime) -> CalendarReading:
        """Return the answer of Exchange: a stretch without data ends where it was asked for no more."""
        window = Window(read_at - HOUR, read_at + DAY)
        told = tuple(
            replace(entry, end=window.end)
            if entry.busy_type is BusyType.NO_DATA and entry.end > self.known_until
            else entry
            for entry in entries
        )
        hours = None if self.periods is None else WorkingHours(ZONES[self.zone], self.periods)
        return CalendarReading(
            "alice@example.com", window, told, read_at, "https://mail.example.com/", "Detailed", hours
        )

    def _told(self, entries: tuple[CalendarEntry, ...] | None, read_at: datetime) -> Told | None:
        return None if entries is None else Told(entries, read_at - HOUR, read_at + DAY)


LENGTHS = (-15, 0, 5, 15, 30, 30, 60, 60, 90, 180, 600, 1500)
FLAGS = (None, False, True)
_STATUSES = (BusyType.BUSY, BusyType.BUSY, *(status for status in BusyType if status is not BusyType.NO_DATA))
_PRESENCES = (
    AVAILABLE,
    Presence(Availability.BUSY, Activity.BUSY),
    Presence(Availability.BUSY, Activity.IN_A_MEETING),
    Presence(Availability.AWAY, Activity.OUT_OF_OFFICE),
    Presence(Availability.DO_NOT_DISTURB, Activity.PRESENTING),
    Presence(Availability.OFFLINE, Activity.OFF_WORK),
    Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE),
)
_PERIODS = (
    None,
    (),
    OFFICE_HOURS,
    (WorkingPeriod(WEEKDAYS, 9 * 60, 12 * 60), WorkingPeriod(WEEKDAYS, 13 * 60, 18 * 60)),
    (WorkingPeriod(frozenset({5, 6}), 22 * 60, 6 * 60),),
)

_CLAIMED_FOR = (None, 15, 60, 480, 1300, 4300)
_STRENGTHS = (None, None, 5, 15, 35, 55, 65, 99)


def scenario_of(seed: int) -> Scenario:
    """Return the scenario of a seed: of one in one draw more can be tried than of one in fifty."""
    chance = random.Random(seed)  # noqa: S311  nothing secret
    zone, day = chance.choice(DAYS)
    clock = ZoneInfo(zone)
    midnight = datetime.combine(datetime.fromisoformat(day).date(), time(), clock)
    now = midnight.astimezone(UTC) + STEP * chance.randint(-60, 250)
    entries = _reading(chance, now, midnight, clock)
    before = _reading(chance, now, midnight, clock) if chance.random() < 0.5 else None
    if before is not None and chance.random() < 0.7:
        # As a rule much stays as it was.
        entries = (*entries, *(entry for entry in before if chance.random() < 0.7))
    return Scenario(
        zone=zone,
        now=now,
        entries=entries,
        before=before,
        periods=chance.choice(_PERIODS),
        replies=_replies(now, chance.randint(0, 13)),
        standing=_standing(chance, now),
        use=chance.choice((*[CalendarUse()] * 8, CalendarUse(on=False), CalendarUse(paused_until=now + 47 * MINUTE))),
        profile=_profile(chance),
    )


def simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Yield scenarios with a part less each."""
    yield from (replace(scenario, entries=rest) for rest in _one_less(scenario.entries or ()))
    yield from (replace(scenario, before=rest) for rest in _one_less(scenario.before or ()))
    yield from (replace(scenario, standing=rest) for rest in _one_less(scenario.standing))
    if scenario.before is not None:
        yield replace(scenario, before=None)
    if scenario.replies is not None:
        yield replace(scenario, replies=None)
    if scenario.periods is not None:
        yield replace(scenario, periods=None)
    if scenario.profile is not DEFAULT:
        yield replace(scenario, profile=DEFAULT)


def _one_less(values: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    return (values[:index] + values[index + 1 :] for index in range(len(values)))


def _reading(chance: random.Random, now: datetime, midnight: datetime, clock: ZoneInfo) -> tuple[CalendarEntry, ...]:
    entries = [_entry(chance, now) for _ in range(chance.choice((0, 1, 2, 3, 5, 7)))]
    entries += [_all_day_entry(chance, midnight, clock) for _ in range(chance.choice((0, 0, 1)))]
    entries += [_gap(chance, now) for _ in range(chance.choice((0, 0, 0, 1, 2)))]
    # Exchange tells what overlaps the window.
    return tuple(entry for entry in entries if entry.end > now - HOUR and entry.start < now + DAY)


def _entry(chance: random.Random, now: datetime) -> CalendarEntry:
    begins = now + STEP * chance.choice((chance.randint(-36, 36), chance.randint(-36, 320)))
    ends = begins + chance.choice(LENGTHS) * MINUTE
    status = chance.choice(_STATUSES)
    entry = CalendarEntry(begins, ends, status, is_meeting=chance.choice(FLAGS), is_private=chance.choice(FLAGS))
    return replace(entry, is_all_day=_all_day_flag(chance))


def _all_day_flag(chance: random.Random) -> bool | None:
    """Return what is told of an entry's lasting all day: seldom anything, and then it counts whatever its times are."""
    return chance.choice((None, None, None, None, True, False))


def _gap(chance: random.Random, now: datetime) -> CalendarEntry:
    begins = now + STEP * chance.choice((-12, -12, chance.randint(-12, 200)))
    return CalendarEntry(begins, begins + chance.choice((30, 120, 1500, 3000)) * MINUTE, BusyType.NO_DATA)


def _all_day_entry(chance: random.Random, midnight: datetime, clock: ZoneInfo) -> CalendarEntry:
    first = midnight.replace(tzinfo=None) + chance.randint(-1, 1) * DAY
    last = first + chance.randint(1, 2) * DAY
    start, end = (at.replace(tzinfo=clock).astimezone(UTC) for at in (first, last))
    status = chance.choice((BusyType.BUSY, BusyType.OUT_OF_OFFICE))
    return CalendarEntry(start, end, status, is_all_day=_all_day_flag(chance))


def _replies(now: datetime, number: int) -> AutomaticReplies | None:
    if number < 5:
        return (None, NO_REPLIES)[number % 2]
    audience = tuple(Audience)[number % 3]
    if number < 8:
        return AutomaticReplies(enabled=True, audience=audience)
    start = now + (number - 9) * HOUR
    length = 150 * MINUTE if number < 12 else 3 * DAY  # the last ones reach further than a reading
    return AutomaticReplies(enabled=number != 11, start=start, end=start + length, audience=audience)


def _standing(chance: random.Random, now: datetime) -> tuple[StandingClaim, ...]:
    return tuple(_claim(chance, now, source) for source in ("by-hand", "phone", "desk") if chance.random() < 0.3)


def _claim(chance: random.Random, now: datetime, source: str) -> StandingClaim:
    ending, length = chance.choice(tuple(Ending)), chance.choice(_CLAIMED_FOR)
    # What waits for something has a latest end; see `presence.commands`.
    latest = None if ending is Ending.TIME else now + 8 * HOUR
    until = latest if length is None else now + length * MINUTE
    # One that has stood before has an end, as far as the calendar was known then.
    ends_at = chance.choice((None, until, now + STEP * chance.randint(1, 90)))
    return StandingClaim(
        source=source,
        presence=chance.choice(_PRESENCES),
        strength=chance.choice(_STRENGTHS),
        since=now + STEP * chance.randint(-12, 0),
        until=until,
        ending=ending,
        set_by="alice@example.com",
        ends_at=until if ending is Ending.TIME else ends_at,
    )


def _profile(chance: random.Random) -> Profile:
    if chance.random() < 0.6:
        return chance.choice(tuple(BUILT_IN.by_name.values()))
    kinds = [kind for kind in Kind if kind is not Kind.BY_HAND]
    order = list(Kind)
    if chance.random() < 0.5:
        chance.shuffle(order)
    return Profile(
        "random",
        MappingProxyType({kind: chance.choice(_PRESENCES) for kind in kinds if chance.random() < 0.8}),
        order=tuple(order),
        private=chance.choice(tuple(PrivateEntries)),
        meeting=chance.choice((None, Presence(Availability.BUSY, Activity.IN_A_MEETING))),
        all_day_busy=chance.random() < 0.5,
        replies_switched_on_claim=chance.random() < 0.5,
        minimum_length=chance.choice((0, 20, 45)) * MINUTE,
        close_gaps=chance.choice((0, 10, 30, 60)) * MINUTE,
    )
