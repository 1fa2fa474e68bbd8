"""What a profile can know with which rights on the calendars (domain.md, "What can be known with which rights").

A rule that needs more than was given falls back, and whoever validates a profile or asks the doctor is told so; whoever
gave more than a profile has a use for is told what would do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from presence.calendar import FOLDER_VIEW
from presence.mapping import Kind, PrivateEntries, Profile


class Rights(StrEnum):
    """What the account of a gateway may see of a calendar, the least first; each includes those before it.

    TIMES: free/busy answers with start, end and status. DETAILED: also whether an entry is a meeting, recurring,
    private. CALENDAR: the entries themselves.
    """

    TIMES = "times only"
    DETAILED = "detailed free/busy"
    CALENDAR = "calendar read"


class RepliesBy(StrEnum):
    """How automatic replies are known.

    OOF_SETTINGS: from the mailbox's own settings, which owners alone are told. MAIL_TIPS: as a sender is told of them.
    NOTHING: they are asked for, and can't be read. NOT_ASKED: the gateway does not ask for them.
    """

    NOT_ASKED = "not asked for"
    NOTHING = "can't be read"
    MAIL_TIPS = "MailTips"
    OOF_SETTINGS = "oof-settings with impersonation"


_DETAILED_VIEWS = frozenset({"Detailed", "DetailedMerged"})
_RANK = {rights: rank for rank, rights in enumerate(Rights)}
_WITHOUT_SETTINGS = {
    RepliesBy.NOT_ASKED: "none are known, as the gateway does not ask for them",
    RepliesBy.NOTHING: "none are known where Exchange has no MailTips (before 2010) or can't be asked for them",
    RepliesBy.MAIL_TIPS: "Exchange is asked for MailTips instead, which it has from 2010 on",
}


def rights_of(view: str) -> Rights:
    """Return the rights that a reading had, as its view shows them; a view that is not known shows the least."""
    if view == FOLDER_VIEW:
        return Rights.CALENDAR
    return Rights.DETAILED if view in _DETAILED_VIEWS else Rights.TIMES


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to the account of a gateway.

    `calendar` is what it may see of calendars, `replies` how automatic replies are known, `opens_mailboxes` whether the
    gateway has it open mailboxes where that is needed, in their owners' names or as a delegate. `offers_mail_tips` is
    false where the server is known to have none.
    """

    calendar: Rights
    replies: RepliesBy = RepliesBy.MAIL_TIPS
    opens_mailboxes: bool = False
    offers_mail_tips: bool = True

    def in_words(self) -> str:
        """Return the rights on the calendar, and how automatic replies are known."""
        return f"{self.calendar.value!r} (automatic replies: {self.replies})"


LEAST = Given(Rights.TIMES)
"""What every account of an organisation has, unless somebody took it away: from 2010 on MailTips as well."""


@dataclass(frozen=True, slots=True)
class Need:
    """A rule of a profile, the least right with which it is followed to the letter, and what is done without it.

    `is_own`: the profile asks for it; otherwise it is a rule of all.
    """

    rule: str
    right: Rights | RepliesBy
    fallback: str
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Excess:
    """What need not have been given: for which reason, what would do instead, and which rules of all that costs."""

    given: str
    reason: str
    enough: str
    costs: tuple[Need, ...] = ()


_NOT_NEEDED = "is more than the profile's own rules need"
_NOTE_BY_SETTINGS = Need(
    "automatic replies that are simply switched on are a note beside the presence",
    RepliesBy.MAIL_TIPS,
    "there is no note where Exchange has no MailTips (before 2010)",
    is_own=False,
)


def needs_beyond(profile: Profile, given: Given) -> tuple[Need, ...]:
    """Return what the profile asks for and what was given doesn't show, in the order of domain.md's table."""
    return tuple(need for need in _needs(profile, given.replies) if not _shows(given, need.right))


def excess_over(profile: Profile, given: Given) -> tuple[Excess, ...]:
    """Return what was given beyond what the profile's own rules need, or is not used at all.

    Its own, since one rule of all needs calendars read: that it would fall back is told, for the operator to weigh.
    """
    return tuple(_excess(profile, given))


def _excess(profile: Profile, given: Given) -> Iterator[Excess]:
    needed = [
        need.right
        for need in _needs(profile, given.replies)
        if need.is_own and isinstance(need.right, Rights) and _shows(given, need.right)
    ]
    enough = max(needed, key=_RANK.__getitem__, default=Rights.TIMES)
    if enough is not given.calendar:
        anyway = needs_beyond(profile, given)
        lost = needs_beyond(profile, replace(given, calendar=enough))
        yield Excess(
            given.calendar.value, _NOT_NEEDED, enough.value, tuple(need for need in lost if need not in anyway)
        )
    if given.replies is RepliesBy.OOF_SETTINGS and Kind.AUTOMATIC_REPLY not in profile.presences:
        yield _settings_not_needed(given)
    opened = given.calendar is Rights.CALENDAR or given.replies in {RepliesBy.OOF_SETTINGS, RepliesBy.NOTHING}
    if given.opens_mailboxes and not opened:
        # What can't be read may be what mailboxes are opened for.
        yield Excess("access to mailboxes", "is not used for this one", 'access = "none"')


def _settings_not_needed(given: Given) -> Excess:
    if given.offers_mail_tips:
        return Excess(given.replies.value, _NOT_NEEDED, RepliesBy.MAIL_TIPS.value, (_NOTE_BY_SETTINGS,))
    cost = replace(_NOTE_BY_SETTINGS, fallback="there is no note")
    return Excess(given.replies.value, _NOT_NEEDED, 'automatic_replies = "off"', (cost,))


def _shows(given: Given, right: Rights | RepliesBy) -> bool:
    return isinstance(right, Rights) and _RANK[right] <= _RANK[given.calendar]


def _needs(profile: Profile, replies: RepliesBy) -> Iterator[Need]:
    busy = profile.presences.get(Kind.BUSY)
    if busy is not None and not profile.all_day_busy:
        yield Need(
            "Busy entries that last all day claim nothing",
            Rights.CALENDAR,
            "an entry from midnight to midnight, in the zone of the mailbox, is taken for one",
        )
    if busy is not None and profile.meeting not in (None, busy):
        yield Need(f"meetings are shown as {profile.meeting}", Rights.DETAILED, f"they are shown as {busy}")
    if profile.private is PrivateEntries.PLAIN and profile.meeting not in (None, busy):
        yield Need("private meetings are not shown as meetings", Rights.DETAILED, "no entry is shown as a meeting")
    if profile.private is PrivateEntries.IGNORED:
        yield Need("private entries claim nothing", Rights.DETAILED, "they claim like all others")
    yield Need(
        "entries that were cancelled or declined claim nothing",
        Rights.CALENDAR,
        "their status counts, which Exchange sets to Free for cancelled ones",
        is_own=False,
    )
    if Kind.AUTOMATIC_REPLY in profile.presences and replies in _WITHOUT_SETTINGS:
        yield Need(
            "automatic replies are read from the mailbox's own settings",
            RepliesBy.OOF_SETTINGS,
            _WITHOUT_SETTINGS[replies],
        )
