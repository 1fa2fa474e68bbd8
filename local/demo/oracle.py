"""The oracle: what a person should be shown, by asking their calendar about one instant after the other.

It is the second opinion of the demo, so it shares nothing with the code that it judges: it imports nothing of
`layers/`, works on its own types, and states the profile `default` (docs/profiles.md) once more, in its own words.
Where the product computes stretches out of claims, the oracle looks at single instants. A presence can only differ
between two instants if an entry begins or ends between them, so the instants at which entries begin or end are all that
it has to look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One calendar entry over [start, end), instants in UTC, as its reader may see it.

    `status` is a word of EWS (types.xsd, LegacyFreeBusyType). `is_meeting` is None where the reader's rights do not
    show it.
    """

    start: datetime
    end: datetime
    status: str
    is_meeting: bool | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What others see of a person: availability, activity, and whether their calendar or nothing says so."""

    availability: str
    activity: str
    source: str

    @property
    def presence(self) -> tuple[str, str]:
        """The part that has to differ for a change to be one."""
        return self.availability, self.activity

    @property
    def told(self) -> tuple[str, str, bool]:
        """The part in which a stretch agrees: a presence that nothing asks for ends where the same is asked for."""
        return *self.presence, self.source == "none"

    def __str__(self) -> str:
        """Return it as the table of the demo prints it."""
        return self.availability if self.availability == self.activity else f"{self.availability} / {self.activity}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What something else than the calendar asks for over [since, until), instants in UTC; `until` None: for good.

    The lowest `rank` wins; the ranks are those of the table below.
    """

    since: datetime
    until: datetime | None
    shown: Shown
    rank: int


AVAILABLE = Shown("Available", "Available", "none")
NEVER_READ = Shown("PresenceUnknown", "PresenceUnknown", "none")
NO_DATA = Shown("PresenceUnknown", "PresenceUnknown", "calendar")

BY_HAND = 0
OTHER_SYSTEMS = 2
REPLIES = 5
"""Ranks of what is no calendar: set by hand, claimed by another system, out of office by automatic replies."""

REPLIES_NOTE = "automatic-replies"
_REPLIED = Shown("Away", "OutOfOffice", "automatic-reply")


@dataclass(frozen=True, slots=True)
class Replies:
    """Automatic replies that go out: scheduled over [since, until), or, without these, simply switched on."""

    since: datetime | None = None
    until: datetime | None = None

    def wishes(self) -> tuple[Wish, ...]:
        """Return what they ask for: out of office for their time, and nothing where they have none."""
        return () if self.since is None else (Wish(self.since, self.until, _REPLIED, REPLIES),)

    @property
    def note(self) -> str | None:
        """What stands beside the presence: that they are switched on, without a time."""
        return REPLIES_NOTE if self.since is None else None


_STRONGEST_FIRST = (
    (1, "OOF", None, Shown("Away", "OutOfOffice", "calendar")),
    (3, "Busy", True, Shown("Busy", "InAMeeting", "calendar")),
    (4, "Busy", None, Shown("Busy", "Busy", "calendar")),
    (6, "WorkingElsewhere", None, Shown("Available", "WorkingElsewhere", "calendar")),
)
"""Rank, status, whether it must be known to be a meeting, and what is then shown. Others ask for nothing."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a reading showed of one mailbox: its entries as far as `horizon`, and the reading `before` it, if any.

    `beside` is what else asks for a presence of the same person.
    """

    entries: tuple[Entry, ...]
    horizon: datetime
    before: Calendar | None = None
    beside: tuple[Wish, ...] = ()

    def shown_at(self, instant: datetime) -> Shown:
        """Return what is to be shown at one instant.

        Where Exchange says that it has no data, what was known of that instant before stays; if nothing was known,
        the presence is unknown. It never becomes Available for want of data (docs/decisions/0002-no-data.md).
        """
        running = [entry for entry in self.entries if entry.start <= instant < entry.end]
        asked = [
            (wish.rank, wish.shown)
            for wish in self.beside
            if wish.since <= instant and (wish.until is None or instant < wish.until)
        ]
        asked += [
            (rank, shown)
            for rank, status, must_be_meeting, shown in _STRONGEST_FIRST
            for entry in running
            if entry.status == status and (must_be_meeting is None or entry.is_meeting is True)
        ]
        if asked:
            return min(asked, key=lambda wish: wish[0])[1]
        if any(entry.status == "NoData" for entry in running):
            if self.before is None or instant >= self.before.horizon:
                return NO_DATA
            return self.before.shown_at(instant)
        return AVAILABLE

    def instants(self) -> list[datetime]:
        """Return, in order, every instant at which what is shown could differ from the moment before."""
        calendars: list[Calendar] = []
        calendar: Calendar | None = self
        while calendar is not None:
            calendars.append(calendar)
            calendar = calendar.before
        edges = {edge for each in calendars for entry in each.entries for edge in (entry.start, entry.end)}
        known = {edge for edge in edges | {each.horizon for each in calendars} if edge < self.horizon}
        # What does not stand in the calendar is known beyond its horizon too.
        return sorted(known | {edge for wish in self.beside for edge in (wish.since, wish.until) if edge is not None})

    def stretch_start(self, instant: datetime) -> datetime | None:
        """Return since when what is shown at the instant has been shown without a break; None if since ever."""
        shown = self.shown_at(instant).told
        start = None
        for edge in reversed([edge for edge in self.instants() if edge <= instant]):
            if self.shown_at(edge).told != shown:
                return start
            start = edge
        # Before the first entry there is none: the base.
        return start if AVAILABLE.told != shown else None

    def stretch_end(self, instant: datetime) -> datetime | None:
        """Return until when what is shown at the instant is shown without a break; None if the horizon comes first."""
        shown = self.shown_at(instant).told
        for edge in self.instants():
            if edge > instant and self.shown_at(edge).told != shown:
                return edge
        return None

    def changes(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """Return the instants in (after, until] at which another presence than the moment before is shown."""
        found = []
        presence = self.shown_at(after).presence
        for edge in self.instants():
            if after < edge <= until and self.shown_at(edge).presence != presence:
                found.append(edge)
                presence = self.shown_at(edge).presence
        return found
