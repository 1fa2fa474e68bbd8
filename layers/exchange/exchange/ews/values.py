"""Values as EWS writes them: times and flags (XML Schema, xs:dateTime and xs:boolean), and busy types (types.xsd)."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from presence.calendar import BusyType
from presence.instants import parse_instant

BUSY_TYPES = {str(busy_type): busy_type for busy_type in BusyType}
FLAGS = {"true": True, "1": True, "false": False, "0": False}
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?")
_REMEMBERED = 4096


@lru_cache(_REMEMBERED)
def read_time(text: str) -> datetime:
    """Return the instant (UTC) of a date and time with its zone. Raises ValueError for any other text.

    Those that were read are remembered: most calendars begin and end things at the same few.
    """
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("it is no date and time")
    return parse_instant(text)


def lacks_zone(text: str) -> bool:
    """Tell whether a text would be a date and time, had it a zone."""
    return _DATE_TIME.fullmatch(f"{text}Z") is not None
