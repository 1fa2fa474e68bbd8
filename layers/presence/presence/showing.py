"""What a record shows at an instant: its stored timeline, as far as it is believed, and what comes next by itself.

Applying a timeline needs neither Exchange nor a profile, so transitions stay exact whatever else is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from presence.claims import Source
from presence.freshness import Belief, Freshness, Rules, belief_at
from presence.knowledge import meeting_starts
from presence.presences import UNKNOWN
from presence.records import Change, PresenceRecord, Reason, Reminders
from presence.timeline import Segment, from_instant, stretch_at

NOT_BELIEVED_RULE = "unknown-after-failing"

_CLOCKS_DIFFER = timedelta(minutes=5)
"""How long a start that has passed is remembered: by another clock, which goes after, it may be yet to come."""

RESTS_ON_READING = frozenset({Source.CALENDAR, Source.AUTOMATIC_REPLY, Source.WORKING_HOURS, Source.NONE})


def shown_at(record: PresenceRecord, note: str | None, now: datetime, rules: Rules) -> PresenceRecord:
    """Return the record showing what its timeline says of `now`, with a note.

    Its version grows if what is published changes: presence, freshness, note, whether anything claims the presence, or
    its end if that is published.
    """
    belief = belief_of(record, now, rules)
    timeline = from_instant(record.timeline, now)
    # What has passed tells since when the same is shown, also under claims that have ended.
    stretch = stretch_at(believed(record, record.timeline, belief), now)
    if stretch is None:
        # Whose clock goes before has begun this timeline; by this one it is yet to come.
        coming = (belief.changes_at, *(segment.since for segment in timeline[:1]))
        return replace(record, timeline=timeline, next_at=min((at for at in coming if at is not None), default=None))
    reminders, reminder_at = _reminded(record, belief, now)
    shown = replace(
        record,
        presence=stretch.presence,
        note=note,
        freshness=belief.freshness,
        reason=Reason(stretch.source, stretch.rule),
        timeline=timeline,
        until=stretch.until,
        reminders=reminders,
        next_at=min((at for at in (stretch.until, belief.changes_at, reminder_at) if at is not None), default=None),
    )
    change = _change(record, shown, rules)
    if change is None:
        return shown
    return replace(
        shown,
        version=record.version + 1,
        change=change,
        previous=record.presence,
        since=_since(record, stretch, now) if shown.presence != record.presence else record.since,
        changed_at=now,
    )


def _change(before: PresenceRecord, after: PresenceRecord, rules: Rules) -> Change | None:
    """Return what of that which is published changed; None: nothing.

    That a calendar is switched off, or paused, is published also where nothing was known of it: somebody wants it to be
    known.
    """
    switched_off = after.reason.source == Source.OPTION and after.reason != before.reason
    if after.presence != before.presence or switched_off:
        return Change.PRESENCE
    if after.freshness is not before.freshness:
        return Change.FRESHNESS
    if after.note != before.note:
        return Change.NOTE
    if _kind_of_source(after) != _kind_of_source(before):
        return Change.SOURCE
    return Change.UNTIL if rules.publish_until and after.until != before.until else None


def _kind_of_source(record: PresenceRecord) -> str:
    """Return what others are to tell apart: a claim, a wish that the calendar is not shown, or nothing that says so."""
    source = record.reason.source
    return source if source in {Source.NONE, Source.OPTION} else "claim"


def _since(record: PresenceRecord, stretch: Segment, now: datetime) -> datetime:
    """Return since when the new presence holds: its stretch's start, but never before the one it follows began."""
    if stretch.rule == NOT_BELIEVED_RULE:
        return now  # until now it was believed
    return stretch.since if stretch.since > record.since or record.version == 0 else now


def belief_of(record: PresenceRecord, now: datetime, rules: Rules) -> Belief:
    """Return how far the record is believed. That a calendar is switched off is certain; a pause is, until it ends."""
    knowledge = record.knowledge
    if not knowledge.use.allows(now):
        return Belief(Freshness.CURRENT, knowledge.use.paused_until if knowledge.use.on else None)
    if knowledge.calendar is None or record.read_at is None:
        return Belief(Freshness.UNKNOWN, None)
    return belief_at(now, record.read_at, record.failing_since, knowledge.calendar.horizon, rules)


def believed(record: PresenceRecord, timeline: Sequence[Segment], belief: Belief) -> list[Segment]:
    """Return the timeline with unknown presence where it rests on a reading that is not believed any more.

    Without a reading the timeline says by itself that nothing is known, and why.
    """
    if belief.freshness is not Freshness.UNKNOWN or record.knowledge.calendar is None:
        return list(timeline)
    return [
        replace(segment, presence=UNKNOWN, source=Source.NONE, rule=NOT_BELIEVED_RULE)
        if segment.source in RESTS_ON_READING
        else segment
        for segment in timeline
    ]


def _reminded(record: PresenceRecord, belief: Belief, now: datetime) -> tuple[Reminders, datetime | None]:
    """Return the reminders with those that are due now, and when the next is due.

    Each start is told once, also where a meeting is put before one that was told already.
    """
    before = record.reminders.before
    if before is None or belief.freshness is Freshness.UNKNOWN:
        return record.reminders, None
    told = {start for start in record.reminders.reminded_of if start > now - _CLOCKS_DIFFER}
    coming = [start for start in meeting_starts(record.knowledge.calendar) if start > now and start not in told]
    told.update(start for start in coming if start - before <= now)
    later = (start - before for start in coming if start not in told)
    return Reminders(before, tuple(sorted(told))), next(later, None)
