"""What comes of a record by itself, and how far it can be believed: as the functions will have it, by their rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from presence.freshness import Belief, Freshness, Rules
from presence.instants import format_instant
from presence.knowledge import NOT_READ_RULE, meeting_starts
from presence.records import PresenceRecord
from presence.showing import NOT_BELIEVED_RULE, RESTS_ON_READING, belief_of, believed
from presence.timeline import Segment, segment_at, stretch_at


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that comes by itself at an instant (UTC). `segment` is what is shown from then on, if that changes."""

    at: datetime
    words: str
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A record as it stands at `now` (UTC), under the rules by which the functions decide."""

    record: PresenceRecord
    now: datetime
    rules: Rules

    def belief(self, at: datetime) -> Belief:
        """Return how far the record is believed at an instant, if nothing more is read until then."""
        return belief_of(self.record, at, self.rules)

    def segment(self, at: datetime) -> Segment | None:
        """Return what is shown at an instant as far as that is believed now; for what has passed, as it was then."""
        return segment_at(self._timeline(at), at)

    def is_unread(self, segment: Segment, at: datetime) -> bool:
        """Tell whether what a segment says of an instant rests on a calendar that was not read so far ahead."""
        calendar = self.record.knowledge.calendar
        return calendar is not None and at >= calendar.horizon and segment.source in RESTS_ON_READING

    def not_believed_from(self, at: datetime) -> datetime | None:
        """Return from when on nothing is believed, if that comes by `at` and the calendar can't be read now."""
        present = self.belief(self.now)
        if self.record.failing_since is None and present.freshness is not Freshness.STALE:
            return None
        if present.freshness is Freshness.CURRENT and present.changes_at is not None:
            present = self.belief(present.changes_at)
        ends = present.changes_at
        return ends if ends is not None and ends <= at else None

    def coming(self, at: datetime) -> list[Coming]:
        """Return what comes after an instant, in order: another presence; as from now also its age and reminders."""
        by_age = [*self._freshness(), *self._reminder()] if at == self.now else []
        # At one instant the cause goes first: that a pause is over, then what is shown.
        found = [*by_age, *self._presence(at)]
        return sorted(found, key=lambda coming: coming.at)

    def _timeline(self, at: datetime) -> list[Segment]:
        return believed(self.record, self.record.timeline, self.belief(min(at, self.now)))

    def _presence(self, at: datetime) -> Iterator[Coming]:
        timeline = self._timeline(at)
        stretch = stretch_at(timeline, at)
        if stretch is None or stretch.until is None:
            return
        following = segment_at(timeline, stretch.until)
        if following is None:
            return
        if at == self.now and following.rule == NOT_READ_RULE and following.presence == stretch.presence:
            return  # That a pause ends changes nothing that is shown, and is told by itself.
        calendar, then = self.record.knowledge.calendar, format_instant(following.since)
        if calendar is not None and self.is_unread(following, following.since) and following.rule != NOT_BELIEVED_RULE:
            read = format_instant(calendar.horizon)
            yield Coming(following.since, f"at {then} what is not known: the calendar was read as far as {read}")
        else:
            yield Coming(following.since, f"{following.presence} at {then}", following)

    def _freshness(self) -> Iterator[Coming]:
        belief = self.belief(self.now)
        if belief.changes_at is None:
            return
        then = format_instant(belief.changes_at)
        if not self.record.knowledge.use.allows(self.now):
            yield Coming(belief.changes_at, f"the pause is over at {then}, and the calendar is read again")
        else:
            following = self.belief(belief.changes_at).freshness
            yield Coming(belief.changes_at, f"{following} at {then}, unless the calendar is read before")

    def _reminder(self) -> Iterator[Coming]:
        before = self.record.reminders.before
        if before is None or self.belief(self.now).freshness is Freshness.UNKNOWN:
            return
        told = self.record.reminders.reminded_of
        starts = meeting_starts(self.record.knowledge.calendar)
        ahead = [start for start in starts if start not in told and start - before > self.now]
        if ahead:
            due, begins = ahead[0] - before, format_instant(ahead[0])
            yield Coming(due, f"a reminder at {format_instant(due)} of the meeting that begins at {begins}")
