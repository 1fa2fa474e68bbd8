"""Instants: aware datetimes in UTC inside, ISO 8601 with `Z` outside (RFC 3339, section 5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

MINUTE = timedelta(minutes=1)

_REMEMBERED = 4096
"""Readings and writings of instants that are remembered: most calendars begin and end things at the same few."""


@lru_cache(_REMEMBERED)
def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 date and time that carries its offset, as an instant in UTC.

    Raises ValueError, naming the text (its first 40 characters: it may be anything), if it is no date and time or has
    no offset: a time without a zone is no instant, and guessing the zone would show people busy at the wrong hour.
    """
    try:
        instant = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        message = f"{text!r:.40} is no ISO 8601 date and time"
        raise ValueError(message) from error
    if instant.tzinfo is None:
        message = f"{text!r:.40} has no time zone"
        raise ValueError(message)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        message = f"{text!r:.40} is outside the years that a calendar can hold"
        raise ValueError(message) from error


def instant_noted(notes: Mapping[str, str], name: str) -> datetime | None:
    """Return the instant that stands in notes under a name; None if there is none that can be read.

    A note that is spoilt is like none: the first run has none either, and must not be stopped by it for good.
    """
    try:
        return parse_instant(notes.get(name, ""))
    except ValueError:
        return None


@lru_cache(_REMEMBERED)
def format_instant(instant: datetime) -> str:
    """Write an instant in UTC with `Z`, with a fraction only where there is one.

    Two instants of whole seconds sort as their texts do, which the index of coming transitions relies on.
    """
    if instant.tzinfo is None:
        message = f"{instant!r} has no time zone"
        raise ValueError(message)
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def floor_to_minute(instant: datetime) -> datetime:
    """Return the start of the minute in which the instant lies."""
    return instant.replace(second=0, microsecond=0)


def ceil_to_second(instant: datetime) -> datetime:
    """Return the instant itself if it is a whole second, else the next whole second: never earlier."""
    return instant if instant.microsecond == 0 else instant.replace(microsecond=0) + timedelta(seconds=1)
