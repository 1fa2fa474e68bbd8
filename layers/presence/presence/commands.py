"""Commands: what a person or another system may ask for about somebody's presence.

Set a presence by hand or claim one for another system, take it back, switch the calendar on, off or to pause, and be
reminded of meetings. A command is a value; `commanded` is what becomes of a record under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from presence.claims import Source
from presence.errors import ConfigurationError
from presence.instants import ceil_to_second, format_instant
from presence.knowledge import CalendarUse
from presence.mapping import Kind, Profile
from presence.presences import Presence
from presence.records import PresenceRecord
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
    `strength` ranks the claim of another system among those of the profile (None: above busy, below out of office); it
    never goes before what was set by hand. `asked_at` is when it was asked for (None: now): from then on it claims, so
    that what comes late, or twice, does not begin again what has ended, and a newer claim of the source stays.
    """

    presence: Presence
    set_by: str
    source: str = Source.BY_HAND
    strength: int | None = None
    until: datetime | None = None
    ending: Ending | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClearPresence:
    """Take back what a source set or claimed by `asked_at` (None: now); without any there is nothing to take back."""

    source: str = Source.BY_HAND
    asked_at: datetime | None = None


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
        case SetPresence() | ClearPresence():
            standing = _without(record, command.source, now)
            if isinstance(command, SetPresence):
                systems = [claim for claim in standing if claim.source != Source.BY_HAND]
                if command.source != Source.BY_HAND and len(systems) >= MOST_SOURCES:
                    raise ConfigurationError(f"source: {MOST_SOURCES} systems claim this user's presence already")
                standing = (*standing, _standing_claim(command, profile, now))
            return replace(record, knowledge=replace(knowledge, standing=standing))
        case UseCalendar():
            changed = replace(record, knowledge=replace(knowledge, use=command.use))
            if command.use.allows(now):
                return changed
            # What is off is not read, so it can't fail, and nothing of it is kept.
            reminders = replace(record.reminders, reminded_of=None)
            return replace(changed, read_at=None, failing_since=None, problem=None, reminders=reminders)
        case RemindOfMeetings():
            return replace(record, reminders=replace(record.reminders, before=command.before))


def is_overtaken(record: PresenceRecord, command: Command) -> bool:
    """Tell whether the source has claimed something newer than the command, which then changes nothing."""
    if not isinstance(command, SetPresence | ClearPresence) or command.asked_at is None:
        return False
    asked_at = command.asked_at
    return any(claim.source == command.source and claim.since > asked_at for claim in record.knowledge.standing)


def _without(record: PresenceRecord, source: str, now: datetime) -> tuple[StandingClaim, ...]:
    return tuple(claim for claim in still_standing(record.knowledge.standing, now) if claim.source != source)


def _standing_claim(command: SetPresence, profile: Profile, now: datetime) -> StandingClaim:
    if command.until is not None and command.until <= now:
        raise ConfigurationError(f"until: {format_instant(command.until)} has passed")
    since = now if command.asked_at is None else min(command.asked_at, now)
    by_hand = command.source == Source.BY_HAND
    ending, until = command.ending, command.until
    if ending is None:
        ending = Ending.BOUNDARY if by_hand and until is None else Ending.TIME
    if until is None and ending is not Ending.TIME:
        longest = LONGEST_UNTIL_MEETING if ending is Ending.MEETING else profile.longest_by_hand
        until = ceil_to_second(since + longest)
    return StandingClaim(
        source=command.source,
        presence=command.presence,
        strength=_strength(command, profile),
        since=since,
        until=until,
        ending=ending,
        set_by=command.set_by,
    )


def _strength(command: SetPresence, profile: Profile) -> int:
    if command.source == Source.BY_HAND:
        return profile.strengths[Kind.BY_HAND]
    return profile.strengths[Kind.BUSY] + _ABOVE_BUSY if command.strength is None else command.strength
