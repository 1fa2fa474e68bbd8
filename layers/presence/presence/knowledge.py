"""All that is known of a user, and the claims that it makes: the one way from inputs to a timeline.

Inputs are the calendar, the automatic replies, the standing claims and whether the calendar may be used. Each can
change alone; the timeline is always made from all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from presence.automatic_replies import Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, Window
from presence.claims import Claim, Source
from presence.heard import Heard
from presence.instants import MINUTE, floor_to_minute
from presence.known_calendar import KnownCalendar, KnownEntry
from presence.mapping import LAST_KNOWN_RULE, WEAKEST, Judgement, Kind, Profile, judge
from presence.presences import UNKNOWN
from presence.standing_claims import StandingClaim, claims_of_standing, with_ends
from presence.timeline import Segment, precedence, timeline_of
from presence.working_hours import MailboxZone, stretches_off_work

NOT_READ_RULE = "not-read"
OFF_RULE = "calendar-off"
PAUSED_RULE = "calendar-paused"
AUTOMATIC_REPLY_RULE = "automatic-reply"
OFF_WORK_RULE = "off-work"
CLOSED_GAP_RULE = "closed-gap"
REPLIES_NOTE = "automatic-replies"
"""The note beside a presence of somebody whose automatic replies are switched on without start and end."""

_ABOVE_BUSY = 5
"""How much stronger than busy the claim of another system is that asks for no strength: out of office is stronger."""

_MEETING_RULES = frozenset({"busy", "busy-meeting", LAST_KNOWN_RULE})
LOOKS_BACK = timedelta(hours=1)
"""A timeline starts an hour ago, so that it says since when the present entry runs."""
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class CalendarUse:
    """Whether a user's calendar is read and shown: their own choice, or the operator's (domain.md, "user option").

    `paused_until`: not before this instant (UTC).
    """

    on: bool = True
    paused_until: datetime | None = None

    def allows(self, now: datetime) -> bool:
        """Tell whether the calendar may be read."""
        return self.on and (self.paused_until is None or self.paused_until <= now)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a user. `calendar` and `replies` are None where they have not been read.

    `replies_problem` is the code of the problem for which the automatic replies could not be read the last time that
    they were asked for (None: there was none); what was known of them before stands. `heard` are the commands of late.
    """

    calendar: KnownCalendar | None = None
    replies: AutomaticReplies | None = None
    replies_problem: str | None = None
    standing: tuple[StandingClaim, ...] = ()
    use: CalendarUse = CalendarUse()
    heard: tuple[Heard, ...] = ()


NOTHING_KNOWN = Knowledge()


@dataclass(frozen=True, slots=True)
class Picture:
    """Knowledge as a profile sees it: with the rules of the entries and the ends of the claims, and the timeline.

    `note` stands beside the presence and never changes it.
    """

    knowledge: Knowledge
    timeline: tuple[Segment, ...]
    note: str | None


def picture_of(knowledge: Knowledge, profile: Profile, now: datetime) -> Picture:
    """Work out the timeline of what is known, from an hour ago to as far as it is known."""
    if not knowledge.use.allows(now):
        knowledge = replace(knowledge, calendar=None, replies=None, replies_problem=None)
    calendar = knowledge.calendar
    judged = [] if calendar is None else judgements(calendar.ahead(now - LOOKS_BACK), profile, calendar.zone)
    if calendar is not None:
        entries = tuple(KnownEntry(entry, judgement.rule) for entry, judgement in judged)
        knowledge = replace(knowledge, calendar=replace(calendar, entries=entries))
    window = _window(knowledge, now)
    others = [
        *claims_of_entries(judged, profile, window.end if calendar is None else calendar.horizon),
        *_claims_without_calendar(knowledge, window),
        *_off_work_claims(knowledge, profile, window),
        *_reply_claims(knowledge, profile, window),
    ]
    standing = with_ends(knowledge.standing, others, meeting_starts(knowledge.calendar), window, now)
    claims = claims_of_standing(standing, lambda claim: _strength(claim, profile))
    timeline = timeline_of([*others, *claims], window)
    return Picture(replace(knowledge, standing=standing), timeline, _note(knowledge, profile))


def judgements(
    entries: Iterable[KnownEntry], profile: Profile, zone: MailboxZone | None
) -> list[tuple[CalendarEntry, Judgement]]:
    """Return what each entry claims under the profile."""
    return [(known.entry, judge(known.entry, profile, zone)) for known in entries]


def claims_of_entries(
    judged: Iterable[tuple[CalendarEntry, Judgement]], profile: Profile, horizon: datetime
) -> list[Claim]:
    """Return the claims that entries make; an entry without length makes none.

    What reaches the horizon (an instant in UTC) has no end: behind it nothing is known that could follow, and an end
    there would move with each reading.
    """
    claims: list[Claim] = []
    busy: list[Claim] = []
    for entry, judgement in judged:
        if judgement.presence is None or entry.start >= entry.end:
            continue
        # That nothing was known to stand there is no wish to be shown as available.
        source = Source.NONE if entry.busy_type is BusyType.FREE else Source.CALENDAR
        claim = Claim(entry.start, entry.end, judgement.presence, source, judgement.rule, judgement.strength)
        claims.append(claim if entry.end < horizon else replace(claim, until=None))
        if entry.busy_type is BusyType.BUSY:
            busy.append(claim)
    return [*claims, *_closed_gaps(busy, profile)]


def meeting_starts(calendar: KnownCalendar | None) -> list[datetime]:
    """Return when meetings begin: entries known to be meetings, and busy ones where the rights given don't tell."""
    if calendar is None:
        return []
    return sorted(
        {
            known.entry.start
            for known in calendar.entries
            if known.rule in _MEETING_RULES
            and known.entry.busy_type is BusyType.BUSY
            and known.entry.is_meeting is not False
            and known.entry.start < known.entry.end
            and _begins(known.entry, calendar)
        }
    )


def _begins(entry: CalendarEntry, calendar: KnownCalendar) -> bool:
    """Tell whether an entry begins where it says: one that is kept may have been cut where the data ended."""
    return not entry.is_kept or any(
        known.entry.is_kept and known.entry.start < entry.start <= known.entry.end for known in calendar.entries
    )


def _strength(claim: StandingClaim, profile: Profile) -> int:
    """Return how strong the profile lets a claim be now: no other system goes before what is set by hand."""
    by_hand = profile.strengths[Kind.BY_HAND]
    if claim.source == Source.BY_HAND:
        return by_hand
    asked_for = profile.strengths[Kind.BUSY] + _ABOVE_BUSY if claim.strength is None else claim.strength
    return min(asked_for, by_hand - 1)


def _window(knowledge: Knowledge, now: datetime) -> Window:
    """Return the window of the timeline: as far as the calendar is known, or claims of others reach beyond it."""
    ends = [claim.until for claim in knowledge.standing if claim.until is not None]
    if knowledge.replies is not None and knowledge.replies.enabled and knowledge.replies.end is not None:
        ends.append(knowledge.replies.end)
    if knowledge.use.paused_until is not None:
        ends.append(knowledge.use.paused_until)
    known_until = now + _DAY if knowledge.calendar is None else knowledge.calendar.horizon
    # A boundary at the very end of a window is not in it, so the window reaches a little further.
    beyond = [end + timedelta(seconds=1) for end in ends if end > now]
    return Window(floor_to_minute(now) - LOOKS_BACK, max([known_until, now + timedelta(seconds=1), *beyond]))


def _claims_without_calendar(knowledge: Knowledge, window: Window) -> list[Claim]:
    """Return the claims that say why nothing is known of a calendar: nobody is available because of that."""
    use = knowledge.use
    if knowledge.calendar is not None:
        return []
    if not use.on:
        return [Claim(window.start, None, UNKNOWN, Source.OPTION, OFF_RULE, WEAKEST)]
    not_read = Claim(window.start, None, UNKNOWN, Source.NONE, NOT_READ_RULE, WEAKEST)
    if use.paused_until is None or use.paused_until <= window.start:
        return [not_read]
    return [Claim(window.start, use.paused_until, UNKNOWN, Source.OPTION, PAUSED_RULE, WEAKEST + 1), not_read]


def _closed_gaps(busy: Iterable[Claim], profile: Profile) -> list[Claim]:
    """Return claims over the short gaps between busy entries, in which nobody gets anything done.

    A gap shows what was shown before it.
    """
    if not profile.close_gaps:
        return []
    closed: list[Claim] = []
    last: Claim | None = None
    for claim in sorted(busy, key=lambda claim: claim.since):
        if last is None or last.until is None or claim.until is None:
            last = claim
            continue
        if timedelta(0) < claim.since - last.until <= profile.close_gaps:
            closed.append(replace(last, since=last.until, until=claim.since, rule=CLOSED_GAP_RULE))
        if claim.until > last.until or (claim.until == last.until and precedence(claim) < precedence(last)):
            last = claim
    return closed


def _off_work_claims(knowledge: Knowledge, profile: Profile, window: Window) -> list[Claim]:
    presence = profile.presences.get(Kind.OFF_WORK)
    calendar = knowledge.calendar
    if presence is None or calendar is None or calendar.working_hours is None:
        return []
    strength = profile.strengths[Kind.OFF_WORK]
    # No further than the calendar is known: a claim may stand for years, and these would be two a day. Behind the
    # horizon all stays as it is there, also for who begins to look only then.
    start = min(window.start, calendar.horizon - MINUTE)
    stretches = stretches_off_work(calendar.working_hours, start, calendar.horizon)
    ends = (until if until < calendar.horizon else None for _, until in stretches)
    return [
        Claim(since, until, presence, Source.WORKING_HOURS, OFF_WORK_RULE, strength)
        for (since, _), until in zip(stretches, ends, strict=True)
    ]


def _reply_claims(knowledge: Knowledge, profile: Profile, window: Window) -> list[Claim]:
    replies = knowledge.replies
    presence = profile.presences.get(Kind.AUTOMATIC_REPLY)
    if replies is None or presence is None or not _are_seen_inside(replies):
        return []
    since, until = replies.start, replies.end
    if since is None or until is None:
        if not profile.replies_switched_on_claim:
            return []
        since, until = window.start, None
    strength = profile.strengths[Kind.AUTOMATIC_REPLY]
    return [Claim(since, until, presence, Source.AUTOMATIC_REPLY, AUTOMATIC_REPLY_RULE, strength)]


def _note(knowledge: Knowledge, profile: Profile) -> str | None:
    replies = knowledge.replies
    if replies is None or not _are_seen_inside(replies) or replies.scheduled:
        return None
    return None if profile.replies_switched_on_claim else REPLIES_NOTE


def _are_seen_inside(replies: AutomaticReplies) -> bool:
    """Tell whether colleagues get the replies: those for outsiders only say nothing to them."""
    return replies.enabled and replies.audience is not Audience.EXTERNAL
