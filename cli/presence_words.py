"""What an operator types for presences, instants and lengths of time: `do-not-disturb`, `1h30m`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import MappingProxyType

from presence.errors import ConfigurationError
from presence.instants import MINUTE, parse_instant
from presence.presences import AVAILABLE, Activity, Availability, Presence, parse_presence

WORDS = MappingProxyType(
    {
        "available": AVAILABLE,
        "busy": Presence(Availability.BUSY, Activity.BUSY),
        "do-not-disturb": Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB),
        "be-right-back": Presence(Availability.BE_RIGHT_BACK, Activity.BE_RIGHT_BACK),
        "away": Presence(Availability.AWAY, Activity.AWAY),
        "off-work": Presence(Availability.OFFLINE, Activity.OFF_WORK),
        "offline": Presence(Availability.OFFLINE, Activity.OFFLINE),
        "in-a-call": Presence(Availability.BUSY, Activity.IN_A_CALL),
        "in-a-conference-call": Presence(Availability.BUSY, Activity.IN_A_CONFERENCE_CALL),
        "in-a-meeting": Presence(Availability.BUSY, Activity.IN_A_MEETING),
        "presenting": Presence(Availability.DO_NOT_DISTURB, Activity.PRESENTING),
        "out-of-office": Presence(Availability.AWAY, Activity.OUT_OF_OFFICE),
        "working-elsewhere": Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE),
    }
)
"""A presence by each word. The first seven are those that a person sets, as Microsoft Graph's setUserPreferredPresence
has them; the others come from systems."""

_LENGTH = re.compile(r"(?=\d)(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?", re.ASCII)


def presence_of(text: str) -> Presence:
    """Return what a word or a pair (`Busy/InAMeeting`) stands for. Raises `ConfigurationError` with what is known."""
    word = WORDS.get(text.strip().lower())
    if word is not None:
        return word
    if "/" not in text:
        known = ", ".join(WORDS)
        raise ConfigurationError(f"{text!r:.40} is no presence; known are {known}, and pairs as Busy/InAMeeting")
    try:
        return parse_presence(text)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def instant_of(option: str, text: str) -> datetime:
    """Return the instant that an option names. Raises `ConfigurationError`, naming the option, if it is none."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}; write it as 2026-11-21T14:00:00Z") from error


def minutes_of(text: str) -> int:
    """Return the minutes of a length of time as `90m`, `2h`, `1h30m` or `1d`. Raises `ConfigurationError`."""
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise ConfigurationError(f"--for: {text!r:.40} is no length of time; write it as 90m, 2h, 1h30m or 1d")
    days, hours, minutes = (int(number or 0) for number in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes) // MINUTE
