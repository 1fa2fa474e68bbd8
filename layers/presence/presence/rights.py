"""What a profile can know with which rights on the calendars (domain.md, "What can be known with which rights").

A rule that needs more than was given falls back, and whoever validates a profile is told so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


_DETAILED_VIEWS = frozenset({"Detailed", "DetailedMerged"})


def rights_of(view: str) -> Rights:
    """Return the rights that a reading had, as its view shows them; a view that is not known shows the least."""
    if view == FOLDER_VIEW:
        return Rights.CALENDAR
    return Rights.DETAILED if view in _DETAILED_VIEWS else Rights.TIMES


@dataclass(frozen=True, slots=True)
class Need:
    """A rule of a profile, the least rights with which it is followed to the letter, and what is done without them."""

    rule: str
    rights: Rights
    fallback: str


def needs_beyond(profile: Profile, given: Rights) -> tuple[Need, ...]:
    """Return what the profile asks for and the given rights don't show, in the order of domain.md's table."""
    ranks = {rights: rank for rank, rights in enumerate(Rights)}
    return tuple(need for need in _needs(profile) if ranks[need.rights] > ranks[given])


def _needs(profile: Profile) -> Iterator[Need]:
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
    )
    if Kind.AUTOMATIC_REPLY in profile.presences:
        yield Need(
            "automatic replies are read from the mailbox's own settings",
            Rights.CALENDAR,
            "Exchange is asked for MailTips instead, which it has from 2010 on",
        )
