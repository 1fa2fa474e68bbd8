"""Values as XML writes them (XML Schema part 2)."""

from __future__ import annotations

from datetime import UTC, datetime


def boolean(value: bool) -> str:  # noqa: FBT001  it is the value that is written
    """Return an xs:boolean."""
    return "true" if value else "false"


def utc_time(instant: datetime) -> str:
    """Return an xs:dateTime in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
