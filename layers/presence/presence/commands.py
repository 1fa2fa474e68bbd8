"""Commands: what a person or another system may ask for about somebody's presence.

Set a presence by hand or claim one for another system, take it back, switch the calendar on, off or to pause, and be
reminded of meetings. A command is a value; `commanded` is what becomes of a record under it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from presence.claims import Source
from presence.errors import ConfigurationError
from presence.heard import newest_of, with_heard
from presence.instants import ceil_to_second, format_instant
from presence.knowledge import CalendarUse
from presence.mapping import Profile
from presence.presences import Presence
from presence.records import PresenceRecord
from presence.standing_claims import (
    LONGEST_UNTIL_MEETING,
    MOST_SOURCES,
    Ending,
    StandingClaim,
    still_standing,
)


@dataclass(frozen=True, slots=True)
class SetPresence:
    """Show a presence: set by hand, or claimed by the system that `source` names.

    `until` is the latest end (an instant in UTC), `ending` what else may end it. What is set by hand without either
    ends at the next boundary of the day, or after the time that the profile sets (domain.md, "Presence as claims").
    `strength` ranks the claim of another system among those of the profile (None: above busy, below out of office); it
    never goes before what was set by hand. `asked_at` is when it was asked for (None: now): from then on it claims.
    What comes late or twice begins nothing again that has ended or was taken back since, and a newer claim of the
    source stays; see `is_overtaken`.
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
    """Read and show the calendar or not, or not before an instant. While not, nothing of it is kept.

    `asked_at` is when it was asked for (None: now).
    """

    use: CalendarUse
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RemindOfMeetings:
    """Tell the user `before` a meeting begins that it does; None: no more.

    `asked_at` is when it was asked for (None: now).
    """

    before: timedelta | None
    asked_at: datetime | None = None


Command = SetPresence | ClearPresence | UseCalendar | RemindOfMeetings


def commanded(record: PresenceRecord, command: Command, profile: Profile, now: datetime) -> PresenceRecord:
    """Return the record with what is known of the user under the command.

    Raises `ConfigurationError` for an end that has passed, or for more sources than one person can have.
    """
    asked_at = now if command.asked_at is None else min(command.asked_at, now)
    heard = with_heard(record.knowledge.heard, _subject(command), asked_at, now)
    knowledge = replace(record.knowledge, heard=heard)
    record = replace(record, knowledge=knowledge)
    match command:
        case SetPresence() | ClearPresence():
            standing = _without(record, command.source, now)
            if isinstance(command, SetPresence):
                systems = [claim for claim in standing if claim.source != Source.BY_HAND]
                if command.source != Source.BY_HAND and len(systems) >= MOST_SOURCES:
                    raise ConfigurationError(f"source: {MOST_SOURCES} systems claim this user's presence already")
                standing = (*standing, _as_it_stands(_standing_claim(command, profile, now), knowledge.standing))
            return replace(record, knowledge=replace(knowledge, standing=standing))
        case UseCalendar():
            changed = replace(record, knowledge=replace(knowledge, use=command.use))
            if command.use.allows(now):
                return changed
            # What is off is not read, so it can't fail, and nothing of it is kept.
            reminders = replace(record.reminders, reminded_of=())
            return replace(changed, read_at=None, failing_since=None, problem=None, reminders=reminders)
        case RemindOfMeetings():
            return replace(record, reminders=replace(record.reminders, before=command.before))


def is_overtaken(record: PresenceRecord, command: Command, now: datetime) -> bool:
    """Tell whether something newer about the same was asked for before the command came: it then changes nothing.

    Of two that were asked for at the same instant what takes back wins: a claim that stands may be replaced, one that
    has ended or was taken back does not begin again.
    """
    newest = newest_of(record.knowledge.heard, _subject(command))
    if command.asked_at is None or newest is None or command.asked_at > newest:
        return False
    if command.asked_at < newest:
        return True
    standing = still_standing(record.knowledge.standing, now)
    return isinstance(command, SetPresence) and all(claim.source != command.source for claim in standing)


def _subject(command: Command) -> str:
    """Return what a command is about; the names of sources have small letters only."""
    return command.source if isinstance(command, SetPresence | ClearPresence) else type(command).__name__


def _as_it_stands(claim: StandingClaim, standing: tuple[StandingClaim, ...]) -> StandingClaim:
    """Return the claim with its end, if it is one that stands already: it came twice."""
    return next((known for known in standing if replace(known, ends_at=None) == claim), claim)


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
        strength=command.strength,
        since=since,
        until=until,
        ending=ending,
        set_by=command.set_by,
    )
