"""Commands: what a person or another system may ask for about somebody's presence.

Set a presence by hand or claim one for another system, take it back, switch the calendar on, off or to pause, and be
reminded of meetings. A command is a value; `commanded` is what becomes of a record under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from presence.claims import Source
from presence.errors import ConfigurationError
from presence.instants import format_instant
from presence.knowledge import CalendarUse
from presence.mapping import Kind, Profile
from presence.presences import Presence
from presence.records import PresenceRecord, Reminders
from presence.standing_claims import (
    LONGEST_UNTIL_MEETING,
    MOST_SOURCES,
    Ending,
    StandingClaim,
    still_standing,
)

_ABOVE_BUSY = 5


@dataclass(frozen=True, slots=True)
class SetPresence:
    """Show a presence: set by hand, or claimed by the system that `source` names.

    `until` is the latest end (an instant in UTC), `ending` what else may end it. What is set by hand without either
    ends at the next boundary of the day, or after the time that the profile sets (domain.md, "Presence as claims").
    `strength` ranks the claim of another system among those of the profile (None: above busy, below out of office).
    """

    presence: Presence
    set_by: str
    source: str = Source.BY_HAND
    strength: int | None = None
    until: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class ClearPresence:
    """Take back what a source set or claimed; without any there is nothing to take back."""

    source: str = Source.BY_HAND


@dataclass(frozen=True, slots=True)
class UseCalendar:
    """Read and show the calendar or not, or not before an instant. While not, nothing of it is kept."""

    use: CalendarUse


@dataclass(frozen=True, slots=True)
class RemindOfMeetings:
    """Tell the user `before` a meeting begins that it does; None: no more."""

    before: timedelta | None


Command = SetPresence | ClearPresence | UseCalendar | RemindOfMeetings


def commanded(record: PresenceRecord, command: Command, profile: Profile, now: datetime) -> PresenceRecord:
    """Return the record with what is known of the user under the command.

    Raises `ConfigurationError` for an end that has passed, or for more sources than one person can have.
    """
    knowledge = record.knowledge
    match command:
        case SetPresence():
            others = _without(record, command.source, now)
            if len(others) >= MOST_SOURCES:
                raise ConfigurationError(f"{MOST_SOURCES} systems claim the presence of {record.address} already")
            claim = _standing_claim(command, profile, now)
            return replace(record, knowledge=replace(knowledge, standing=(*others, claim)))
        case ClearPresence():
            return replace(record, knowledge=replace(knowledge, standing=_without(record, command.source, now)))
        case UseCalendar():
            changed = replace(record, knowledge=replace(knowledge, use=command.use))
            if command.use.allows(now):
                return changed
            # What is off is not read, so it can't fail, and nothing of it is kept.
            return replace(changed, read_at=None, failing_since=None, problem=None)
        case RemindOfMeetings():
            reminded_of = record.reminders.reminded_of
            return replace(record, reminders=Reminders(command.before, reminded_of))


def _without(record: PresenceRecord, source: str, now: datetime) -> tuple[StandingClaim, ...]:
    return tuple(claim for claim in still_standing(record.knowledge.standing, now) if claim.source != source)


def _standing_claim(command: SetPresence, profile: Profile, now: datetime) -> StandingClaim:
    if command.until is not None and command.until <= now:
        raise ConfigurationError(f"a presence until {format_instant(command.until)} has ended already")
    by_hand = command.source == Source.BY_HAND
    strength = profile.strengths[Kind.BY_HAND] if by_hand else command.strength
    ending, until = command.ending, command.until
    if ending is None:
        ending = Ending.BOUNDARY if by_hand and until is None else Ending.TIME
    if until is None and ending is not Ending.TIME:
        until = now + (LONGEST_UNTIL_MEETING if ending is Ending.MEETING else profile.longest_by_hand)
    return StandingClaim(
        source=command.source,
        presence=command.presence,
        strength=profile.strengths[Kind.BUSY] + _ABOVE_BUSY if strength is None else strength,
        since=now,
        until=until,
        ending=ending,
        set_by=command.set_by,
    )
