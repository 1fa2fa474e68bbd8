"""What is shown at one instant, found out by looking at that instant alone: the oracle of the property tests.

It follows domain.md word by word and shares nothing with the engine but the types of its inputs. Zones are those of
the tz database. Slow, and easy to check by reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

from presence.automatic_replies import Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.mapping import Kind, PrivateEntries, Profile
from presence.presences import AVAILABLE, UNKNOWN, Presence
from presence.standing_claims import Ending, StandingClaim
from presence.working_hours import WorkingPeriod

MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
WEAKEST = 1
NOTHING_TOLD = frozenset({BusyType.FREE, BusyType.NO_DATA})

KINDS = {
    BusyType.OUT_OF_OFFICE: Kind.OUT_OF_OFFICE,
    BusyType.BUSY: Kind.BUSY,
    BusyType.TENTATIVE: Kind.TENTATIVE,
    BusyType.WORKING_ELSEWHERE: Kind.WORKING_ELSEWHERE,
}


@dataclass(frozen=True)
class Wish:
    """Something that asks for a presence at an instant, with what decides between equally strong ones."""

    strength: int
    since: datetime
    until: datetime | None
    rule: str
    source: str
    presence: Presence

    @property
    def rank(self) -> tuple[object, ...]:
        """The least rank wins: the strongest, of equals the first to begin, then the last to end, then by name."""
        ends = float("-inf") if self.until is None else -self.until.timestamp()
        return -self.strength, self.since, ends, self.rule, self.source, str(self.presence)


@dataclass(frozen=True)
class Told:
    """One answer of Exchange: the entries, from where to where they were asked for."""

    entries: tuple[CalendarEntry, ...]
    start: datetime
    horizon: datetime


@dataclass(frozen=True)
class NaiveUser:
    """All that is known of somebody, and the profile. `told` is None where the calendar is not used or was not read.

    `before` is the reading before that, which counts where the newest has no data. `zone` and `periods` are the
    working hours (None: not told). `start` and `end` are the window, `now` is when one looks.
    """

    profile: Profile
    start: datetime
    end: datetime
    told: Told | None
    before: Told | None = None
    zone: str | None = None
    periods: tuple[WorkingPeriod, ...] = ()
    replies: AutomaticReplies | None = None
    standing: tuple[StandingClaim, ...] = ()
    off: bool = False
    paused_until: datetime | None = None
    now: datetime | None = None

    def shown_at(self, instant: datetime) -> tuple[Presence, str]:
        """Return the presence and its source."""
        wishes = self._wishes_of_others(instant) + self._wishes_of_standing(instant)
        if not wishes:
            return AVAILABLE, "none"
        strongest = min(wishes, key=lambda wish: wish.rank)
        return strongest.presence, strongest.source

    def note(self) -> str | None:
        """Return the note beside the presence."""
        replies = self.replies
        if replies is None or not replies.enabled or replies.audience is Audience.EXTERNAL:
            return None
        if replies.start is not None and replies.end is not None:
            return None
        return None if self.profile.replies_switched_on_claim else "automatic-replies"

    def strength(self, kind: Kind) -> int:
        """Return the strength of a kind: ten a rank, the last in the order has ten."""
        return 10 * (len(self.profile.order) - self.profile.order.index(kind))

    @cached_property
    def ends(self) -> dict[str, datetime | None]:
        """When the standing claims end, by source."""
        return {claim.source: self.end_of(claim) for claim in self.standing}

    def end_of(self, claim: StandingClaim) -> datetime | None:
        """Return when a standing claim ends."""
        ends = [] if claim.until is None else [claim.until]
        # What has stood until now was shown until now, whatever the calendar says of that time by now.
        stood = claim.since if claim.ends_at is None or self.now is None else self.now
        if claim.ending is Ending.BOUNDARY:
            ends += [at for at in self._changes() if at > stood and self._others_change(at)][:1]
        if claim.ending is Ending.MEETING:
            ends += sorted(start for start in self.meeting_starts() if start > stood)[:1]
        return min(ends, default=None)

    def meeting_starts(self) -> set[datetime]:
        """Return when busy entries that may be meetings begin."""
        told = () if self.told is None else self.told.entries
        starts = {
            one.start for one in told if self._is_busy_wish(one) and one.is_meeting is not False and one.start < one.end
        }
        kept = () if self.before is None else self.before.entries
        return starts | {
            one.start
            for one in kept
            if self._is_busy_wish(one)
            and one.is_meeting is not False
            and self._is_remembered(one.start)
            and self._is_remembered(one.start - MOMENT)
            and one.start < one.end
        }

    def _changes(self) -> list[datetime]:
        """Return the instants at which the claims of all but the standing ones can begin or end, in order."""
        instants: set[datetime] = set()
        for told in (self.told, self.before):
            if told is not None:
                instants |= {told.horizon}.union(*({one.start, one.end} for one in told.entries))
        if self.replies is not None:
            instants |= {at for at in (self.replies.start, self.replies.end) if at is not None}
        if self.paused_until is not None:
            instants.add(self.paused_until)
        for begins, ends in self.work:
            instants |= {begins, ends}
        return sorted(at for at in instants if self.start < at < self.end)

    def _others_change(self, instant: datetime) -> bool:
        return self._shown_by_others(instant) != self._shown_by_others(instant - MOMENT)

    def _shown_by_others(self, instant: datetime) -> Presence:
        wishes = self._wishes_of_others(instant)
        return min(wishes, key=lambda wish: wish.rank).presence if wishes else AVAILABLE

    def _wishes_of_standing(self, instant: datetime) -> list[Wish]:
        by_hand = self.strength(Kind.BY_HAND)
        wishes = []
        for claim in self.standing:
            end = self.ends[claim.source]
            if claim.since <= instant and (end is None or instant < end):
                mine = claim.source == "by-hand"
                asked_for = self.strength(Kind.BUSY) + 5 if claim.strength is None else claim.strength
                strength = by_hand if mine else min(asked_for, by_hand - 1)
                rule = "set-by-hand" if mine else f"claimed-by-{claim.source}"
                wishes.append(Wish(strength, claim.since, end, rule, claim.source, claim.presence))
        return wishes

    def _wishes_of_others(self, instant: datetime) -> list[Wish]:
        wishes = [*self._wishes_of_calendar(instant), *self._wish_of_replies(instant)]
        off_work = self.profile.presences.get(Kind.OFF_WORK)
        known = self._as_far_as_known(instant)
        if off_work is not None and self.told is not None and self.periods and not self._at_work(known):
            strength = self.strength(Kind.OFF_WORK)
            wishes.append(Wish(strength, self.start, None, "off-work", "working-hours", off_work))
        return wishes

    def _as_far_as_known(self, instant: datetime) -> datetime:
        """Return the instant, or the last one of which the calendar tells: behind it all stays as it is there."""
        return instant if self.told is None else min(instant, self.told.horizon - MOMENT)

    def _wishes_of_calendar(self, instant: datetime) -> list[Wish]:
        instant = self._as_far_as_known(instant)
        if self.off:
            return [Wish(WEAKEST, self.start, None, "calendar-off", "option", UNKNOWN)]
        if self.told is None:
            paused = self.paused_until is not None and instant < self.paused_until
            return [Wish(WEAKEST, self.start, None, "not-read", "option" if paused else "none", UNKNOWN)]
        told = [one for one in running(self.told, instant) if one.busy_type not in NOTHING_TOLD]
        wishes = [wish for one in told for wish in self._wish_of(one)]
        if has_no_data(self.told, instant):
            unknown = Wish(WEAKEST, self.start, None, "no-data", "calendar", UNKNOWN)
            if told:
                wishes.append(unknown)  # what else there is nobody knows
            elif not self._is_remembered(instant):
                return [unknown, *self._gap(instant)]
            else:
                kept = running(self.before, instant)
                wishes = [wish for one in kept for wish in self._wish_of(one)]
                if self._was_known_in_part(instant):
                    wishes.append(unknown)
                elif not any(
                    one for one in kept if one.busy_type not in NOTHING_TOLD and not self._ignored_length(one)
                ):
                    wishes.append(Wish(WEAKEST, self.start, None, "last-known", "none", AVAILABLE))
        return wishes + self._gap(instant)

    def _is_remembered(self, instant: datetime) -> bool:
        """Tell whether the newest reading has nothing of an instant and the one before it had."""
        if self.told is None or self.before is None or not has_no_data(self.told, instant):
            return False
        if any(one.busy_type not in NOTHING_TOLD for one in running(self.told, instant)):
            return False
        if instant >= self.before.horizon:
            # When an entry ends is told with it, also if that is further ahead than was asked for.
            return any(
                one.busy_type not in NOTHING_TOLD and not self._ignored_length(one)
                for one in running(self.before, instant)
            )
        return not self._nobody_knew(instant)

    def _was_known_in_part(self, instant: datetime) -> bool:
        """Tell whether the reading before knew of an entry at an instant, but not whether there was another."""
        assert self.before is not None
        return instant >= self.before.horizon or has_no_data(self.before, instant)

    def _nobody_knew(self, instant: datetime) -> bool:
        assert self.before is not None
        others = [one for one in running(self.before, instant) if one.busy_type not in NOTHING_TOLD]
        return has_no_data(self.before, instant) and not others

    def _wish_of(self, one: CalendarEntry) -> list[Wish]:
        kind = KINDS.get(one.busy_type)
        presence = None if kind is None else self.profile.presences.get(kind)
        if kind is None or presence is None or self._ignored_length(one):
            return []
        if one.is_private and self.profile.private is PrivateEntries.IGNORED:
            return []
        strength, rule = self.strength(kind), kind.value
        shows_meeting = one.is_meeting and not (one.is_private and self.profile.private is PrivateEntries.PLAIN)
        if kind is Kind.BUSY and shows_meeting and self.profile.meeting is not None:
            presence, strength, rule = self.profile.meeting, strength + 1, "busy-meeting"
        assert self.told is not None
        until = one.end if one.end < self.told.horizon else None
        return [Wish(strength, one.start, until, rule, "calendar", presence)]

    def _is_busy_wish(self, one: CalendarEntry) -> bool:
        return one.busy_type is BusyType.BUSY and bool(self._wish_of(one))

    def _ignored_length(self, one: CalendarEntry) -> bool:
        """Tell whether an entry claims nothing because it is too short, or a busy one over whole days."""
        kind = KINDS.get(one.busy_type)
        if kind is None or self.profile.presences.get(kind) is None:
            return False
        if one.end - one.start < self.profile.minimum_length:
            return True
        private = one.is_private and self.profile.private is PrivateEntries.IGNORED
        if private or kind is not Kind.BUSY or self.profile.all_day_busy:
            return False
        if one.is_all_day is not None or self.zone is None:
            return bool(one.is_all_day)
        zone = ZoneInfo(self.zone)
        return one.end - one.start >= timedelta(hours=12) and all(
            at == midnight(at.astimezone(zone), zone) for at in (one.start, one.end)
        )

    def _gap(self, instant: datetime) -> list[Wish]:
        """Return what a short gap between busy entries shows: what was shown before it."""
        if not self.profile.close_gaps or self.told is None:
            return []
        busy = [(begins, ends, wish) for begins, ends, wish in self._busy if begins < ends]
        if any(begins <= instant < ends for begins, ends, _ in busy):
            return []
        last = max((ends for _, ends, _ in busy if ends <= instant), default=None)
        # What begins behind the horizon was not told.
        coming = [begins for begins, _, _ in busy if instant < begins < self.told.horizon]
        following = min(coming, default=None)
        if last is None or following is None or following - last > self.profile.close_gaps:
            return []
        strongest = min((wish for _, ends, wish in busy if ends == last), key=lambda wish: wish.rank)
        return [Wish(strongest.strength, last, following, "closed-gap", "calendar", strongest.presence)]

    @cached_property
    def _busy(self) -> list[tuple[datetime, datetime, Wish]]:
        """The stretches of busy entries that claim, those that are remembered included."""
        assert self.told is not None
        # What ended an hour ago has been forgotten.
        busy = [
            (one.start, one.end, wish)
            for one in self.told.entries
            if self._is_busy_wish(one) and one.end > self.start
            for wish in self._wish_of(one)
        ]
        for one in () if self.before is None else self.before.entries:
            if self._is_busy_wish(one):
                (wish,) = self._wish_of(one)
                busy += [(begins, ends, wish) for begins, ends in self._remembered_parts(one) if ends > self.start]
        return busy

    def _remembered_parts(self, one: CalendarEntry) -> list[tuple[datetime, datetime]]:
        """Return the stretches of an entry of the reading before that are remembered."""
        assert self.before is not None
        assert self.told is not None
        cuts = {one.start, one.end, self.before.horizon}
        for each in (*self.told.entries, *self.before.entries):
            cuts |= {each.start, each.end}
        inner = sorted(at for at in cuts if one.start <= at <= one.end)
        parts: list[tuple[datetime, datetime]] = []
        for begins, ends in pairwise(inner):
            if not self._is_remembered(begins):
                continue
            if parts and parts[-1][1] == begins:
                parts[-1] = (parts[-1][0], ends)
            else:
                parts.append((begins, ends))
        return parts

    def _wish_of_replies(self, instant: datetime) -> list[Wish]:
        replies, presence = self.replies, self.profile.presences.get(Kind.AUTOMATIC_REPLY)
        if replies is None or presence is None or not replies.enabled or replies.audience is Audience.EXTERNAL:
            return []
        since, until = replies.start, replies.end
        if since is None or until is None:
            if not self.profile.replies_switched_on_claim:
                return []
            since, until = self.start, None
        if not since <= instant or (until is not None and instant >= until):
            return []
        strength = self.strength(Kind.AUTOMATIC_REPLY)
        return [Wish(strength, since, until, "automatic-reply", "automatic-reply", presence)]

    def _at_work(self, instant: datetime) -> bool:
        return any(begins <= instant < ends for begins, ends in self.work)

    @cached_property
    def work(self) -> list[tuple[datetime, datetime]]:
        """The working periods around the window, as a clock on the wall has them."""
        if self.zone is None or self.told is None:
            return []
        zone = ZoneInfo(self.zone)
        day, last = self.start.astimezone(zone).date() - 2 * DAY, self.end.astimezone(zone).date()
        stretches = []
        while day <= last:
            for period in self.periods:
                if day.weekday() in period.weekdays:
                    begins = datetime.combine(day, time()) + timedelta(minutes=period.start_minute)
                    ends = datetime.combine(day, time()) + timedelta(minutes=period.end_minute)
                    ends += DAY if ends <= begins else timedelta(0)
                    stretches.append((on_the_wall(begins, zone), on_the_wall(ends, zone)))
            day += DAY
        return stretches


def running(told: Told | None, instant: datetime) -> list[CalendarEntry]:
    """Return the entries that run at an instant."""
    return [] if told is None else [one for one in told.entries if one.start <= instant < one.end]


def has_no_data(told: Told, instant: datetime) -> bool:
    """Tell whether a reading says that it has no data for an instant."""
    return any(one.busy_type is BusyType.NO_DATA for one in running(told, instant))


def midnight(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment of a local day."""
    return on_the_wall(datetime.combine(local.date(), time()), zone)


def on_the_wall(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which a clock on the wall shows a time: the first of two; a skipped one, as before it."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
