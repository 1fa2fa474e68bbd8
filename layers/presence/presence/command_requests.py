"""The events that `set_presence` takes: a command about one user. JSON Schema: docs/schemas/command.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from presence import fields
from presence.addresses import parse_smtp_address
from presence.claims import Source
from presence.commands import ClearPresence, Command, RemindOfMeetings, SetPresence, UseCalendar
from presence.errors import InvalidAddress, MalformedMessage
from presence.heard import LATEST
from presence.instants import MINUTE, ceil_to_second
from presence.knowledge import CalendarUse
from presence.mapping import WEAKEST
from presence.messages import SCHEMA_VERSION
from presence.presences import UNKNOWN, Presence, parse_presence
from presence.records import MOST_REMIND_MINUTES
from presence.standing_claims import Ending

_SOURCE = re.compile(r"[a-z][a-z0-9-]{0,31}")
_OTHERS_CANT_BE = frozenset(Source) - {Source.BY_HAND}
_LEAST_STRENGTH = WEAKEST + 2
"""Weaker ones say only that nothing is known of a calendar, or not before a pause ends: a claim goes before that."""

_MOST_STRENGTH = 99
_LONGEST_NAME = 600
"""The ARN of an IAM user may have a path of 512 characters."""
_LONGEST_MINUTES = 366 * 24 * 60
_LAST_YEAR = 2199

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command about the user with an SMTP address; `requested_by` names who asks for it."""

    address: str
    command: Command
    requested_by: str


def decode_command_request(event: object, now: datetime) -> CommandRequest:
    """Read an event. Raises `MalformedMessage` with the path of the field that is wrong.

    `now` (an instant in UTC) stands for `requestedAt` where that is absent or, by a clock that is fast, yet to come.
    """
    message = fields.as_object(event, "event")
    version = fields.whole_number(message, "schemaVersion")
    if version != SCHEMA_VERSION:
        raise MalformedMessage(f"schemaVersion: {version} is not understood, only {SCHEMA_VERSION}")
    try:
        address = parse_smtp_address(fields.text(message, "address"))
    except InvalidAddress as error:
        # Without the address itself: this text is logged.
        raise MalformedMessage("address: no SMTP address") from error
    requested_by = fields.text(message, "requestedBy")
    if len(requested_by) > _LONGEST_NAME or not requested_by.isprintable():
        raise MalformedMessage(f"requestedBy: at most {_LONGEST_NAME} characters that can be printed")
    return CommandRequest(address, _command(message, requested_by, now), requested_by)


def _command(message: Mapping[str, object], requested_by: str, now: datetime) -> Command:
    kind = fields.text(message, "type")
    asked_at = _asked_at(message, now)
    if kind == "SetPresence":
        return _set_presence(message, requested_by, asked_at, now)
    if kind == "ClearPresence":
        return ClearPresence(_source(message), asked_at)
    if kind == "UseCalendar":
        return UseCalendar(_use(message, now), asked_at)
    if kind == "RemindOfMeetings":
        if message.get("minutesBefore") is None:
            return RemindOfMeetings(None, asked_at)
        return RemindOfMeetings(
            MINUTE * fields.whole_number(message, "minutesBefore", least=1, most=MOST_REMIND_MINUTES), asked_at
        )
    raise MalformedMessage(f"type: {kind!r:.40} is none of SetPresence, ClearPresence, UseCalendar, RemindOfMeetings")


def _asked_at(message: Mapping[str, object], now: datetime) -> datetime:
    asked_at = now if message.get("requestedAt") is None else fields.instant(message, "requestedAt")
    if asked_at < now - LATEST:
        minutes = LATEST // MINUTE
        raise MalformedMessage(
            f"requestedAt: more than {minutes} minutes ago; ask again, or set the sender's clock right"
        )
    return min(asked_at, now)


def _use(message: Mapping[str, object], now: datetime) -> CalendarUse:
    on = message.get("on")
    if not isinstance(on, bool):
        raise MalformedMessage("on: true or false was expected")
    paused_until = _coming(message, "pausedUntil", now)
    if paused_until is not None and not on:
        raise MalformedMessage("pausedUntil: a calendar that is off can't be paused as well")
    return CalendarUse(on, paused_until)


def _set_presence(message: Mapping[str, object], requested_by: str, asked_at: datetime, now: datetime) -> SetPresence:
    source = _source(message)
    strength = message.get("strength")
    if strength is not None:
        if source == Source.BY_HAND:
            raise MalformedMessage("strength: what is set by hand has the strength that the profile gives it")
        strength = fields.whole_number(message, "strength", least=_LEAST_STRENGTH, most=_MOST_STRENGTH)
    return SetPresence(
        presence=_presence(message),
        set_by=requested_by,
        source=source,
        strength=strength,
        until=_until(message, asked_at, now),
        ending=_optional_choice(message, "ending", Ending),
        asked_at=asked_at,
    )


def _presence(message: Mapping[str, object]) -> Presence:
    try:
        presence = parse_presence(fields.text(message, "presence"))
    except ValueError as error:
        raise MalformedMessage(f"presence: {error}") from error
    if presence.availability is UNKNOWN.availability or presence.activity is UNKNOWN.activity:
        raise MalformedMessage("presence: nobody can be set to unknown; take back what was set instead")
    return presence


def _until(message: Mapping[str, object], asked_at: datetime, now: datetime) -> datetime | None:
    if message.get("until") is not None and message.get("forMinutes") is not None:
        raise MalformedMessage("forMinutes: stands beside until; give one of them")
    if message.get("forMinutes") is None:
        return _coming(message, "until", now)
    minutes = fields.whole_number(message, "forMinutes", least=1, most=_LONGEST_MINUTES)
    until = ceil_to_second(asked_at + timedelta(minutes=minutes))
    if until <= now:
        raise MalformedMessage("forMinutes: has passed since it was asked for")
    return until


def _coming(message: Mapping[str, object], key: str, now: datetime) -> datetime | None:
    """Return the instant at the key, which must be to come; None if the key is absent or null."""
    if message.get(key) is None:
        return None
    instant = fields.instant(message, key)
    if instant <= now:
        raise MalformedMessage(f"{key}: lies in the past")
    if instant.year > _LAST_YEAR:
        raise MalformedMessage(f"{key}: lies beyond the year {_LAST_YEAR}")
    return instant


def _source(message: Mapping[str, object]) -> str:
    source = fields.optional_text(message, "source") or Source.BY_HAND
    if not _SOURCE.fullmatch(source):
        raise MalformedMessage("source: small letters, digits and hyphens, a letter first, at most 32 of them")
    if source in _OTHERS_CANT_BE:
        raise MalformedMessage(f"source: {source} is a source of Calendar Presence itself; choose another name")
    return source


def _optional_choice(message: Mapping[str, object], key: str, choices: type[Choice]) -> Choice | None:
    text = fields.optional_text(message, key)
    if text is None:
        return None
    try:
        return choices(text)
    except ValueError as error:
        raise MalformedMessage(f"{key}: {text!r:.40} is none of {', '.join(choices)}") from error
