"""The rules by which what is known of somebody becomes claims: a profile, as data (domain.md, "Words").

`presence.profiles` has the profiles that come with the product and reads those that operators write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from presence.calendar import BusyType, CalendarEntry
from presence.known_calendar import ALL_DAY_RULE, SHORT_RULE
from presence.presences import AVAILABLE, UNKNOWN, Presence
from presence.working_hours import MailboxZone, lasts_whole_days

NO_DATA_RULE = "no-data"
LAST_KNOWN_RULE = "last-known"
WITHOUT_LENGTH_RULE = "without-length"
WEAKEST = 1
"""Strength of what is said about time without data: weaker than any claim, stronger than nothing."""


class Kind(StrEnum):
    """The kinds of claims that a profile ranks."""

    BY_HAND = "by-hand"
    OUT_OF_OFFICE = "out-of-office"
    BUSY = "busy"
    AUTOMATIC_REPLY = "automatic-reply"
    TENTATIVE = "tentative"
    WORKING_ELSEWHERE = "working-elsewhere"
    OFF_WORK = "off-work"


DEFAULT_ORDER = tuple(Kind)
"""By hand first (domain.md, "Presence as claims")."""

KIND_OF = {
    BusyType.OUT_OF_OFFICE: Kind.OUT_OF_OFFICE,
    BusyType.BUSY: Kind.BUSY,
    BusyType.TENTATIVE: Kind.TENTATIVE,
    BusyType.WORKING_ELSEWHERE: Kind.WORKING_ELSEWHERE,
}

_STEP = 10


class PrivateEntries(StrEnum):
    """What private entries claim: the same as others, never more than the plain status, or nothing."""

    LIKE_OTHERS = "like-others"
    PLAIN = "plain"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Profile:
    """How what is known becomes claims. A kind without a presence in `presences` claims nothing.

    `meeting` is shown instead of the presence of Busy where an entry is known to be a meeting with others (None: no
    difference). `order` ranks the kinds, the strongest first. `all_day_busy`: whether a Busy entry over whole days
    claims. `minimum_length`: shorter entries claim nothing. `close_gaps`: gaps of at most this length between busy
    entries are shown as busy. `replies_switched_on_claim`: replies without start and end claim too, instead of being a
    note beside the presence. `longest_by_hand`: what is set by hand ends by then, unless told otherwise.
    """

    name: str
    presences: Mapping[Kind, Presence]
    meeting: Presence | None = None
    order: tuple[Kind, ...] = DEFAULT_ORDER
    all_day_busy: bool = True
    private: PrivateEntries = PrivateEntries.LIKE_OTHERS
    minimum_length: timedelta = timedelta(0)
    close_gaps: timedelta = timedelta(0)
    replies_switched_on_claim: bool = False
    longest_by_hand: timedelta = timedelta(hours=8)
    strengths: Mapping[Kind, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranked = {kind: _STEP * (len(self.order) - place) for place, kind in enumerate(self.order)}
        object.__setattr__(self, "strengths", ranked)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a profile makes of a calendar entry: the presence that it claims, under which rule, how strongly.

    `presence` is None where the entry claims nothing; the rule then says why not (`free`, `without-length`,
    `tentative-claims-nothing`, `ignored-all-day`, `ignored-private`, `ignored-short`).
    """

    rule: str
    presence: Presence | None = None
    strength: int = 0


_FREE = Judgement("free")
_WITHOUT_LENGTH = Judgement(WITHOUT_LENGTH_RULE)
_KEPT_FREE = Judgement(LAST_KNOWN_RULE, AVAILABLE, WEAKEST)
_NO_DATA = Judgement(NO_DATA_RULE, UNKNOWN, WEAKEST)


def judge(entry: CalendarEntry, profile: Profile, zone: MailboxZone | None) -> Judgement:
    """Return what an entry claims under a profile.

    `zone` is that of the mailbox: an entry from midnight to midnight in it lasts all day where nothing says whether it
    does, since free/busy answers have no flag for it. Without a zone none of those is taken for one. A kept entry may
    be a piece of one, so its length is not looked at again.
    """
    if entry.start >= entry.end:
        return _WITHOUT_LENGTH
    if entry.busy_type is BusyType.NO_DATA:
        return _NO_DATA
    if entry.busy_type is BusyType.FREE:
        return _KEPT_FREE if entry.is_kept else _FREE
    kind = KIND_OF[entry.busy_type]
    presence = profile.presences.get(kind)
    if presence is None:
        return Judgement(f"{kind}-claims-nothing")
    if not entry.is_kept and entry.end - entry.start < profile.minimum_length:
        return Judgement(SHORT_RULE)
    if entry.is_private and profile.private is PrivateEntries.IGNORED:
        return Judgement("ignored-private")
    if kind is Kind.BUSY and not profile.all_day_busy and not entry.is_kept and _lasts_all_day(entry, zone):
        return Judgement(ALL_DAY_RULE)
    strength = profile.strengths[kind]
    plain = entry.is_private and profile.private is PrivateEntries.PLAIN
    if kind is Kind.BUSY and entry.is_meeting and not plain and profile.meeting is not None:
        # A meeting wins over an appointment at the same time, since it says more.
        return Judgement(_named(entry, "busy-meeting"), profile.meeting, strength + 1)
    return Judgement(_named(entry, kind), presence, strength)


def _lasts_all_day(entry: CalendarEntry, zone: MailboxZone | None) -> bool:
    if entry.is_all_day is not None:
        return entry.is_all_day
    return zone is not None and lasts_whole_days(entry.start, entry.end, zone)


def _named(entry: CalendarEntry, rule: str) -> str:
    return LAST_KNOWN_RULE if entry.is_kept else rule
