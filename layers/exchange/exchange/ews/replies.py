"""What both answers about automatic replies have in common: a reply, and the time for which it is scheduled."""

from __future__ import annotations

import re
from datetime import datetime

from lxml import etree

from exchange.ews.single import only_child, only_text
from exchange.ews.soap import TYPES
from exchange.ews.values import lacks_zone, read_time
from exchange.web.bounded_xml import MalformedXml

# Replies are HTML, and one without words has tags all the same. Neither pattern can be made to backtrack.
_MARK_UP = re.compile(r"<[^<>]*>|&nbsp;|\s")


def says_something(reply: etree._Element) -> bool:
    """Tell whether a ReplyBody has words; of one without, Exchange sends nothing. The words are not kept."""
    return bool(_MARK_UP.sub("", only_text(reply, f"{{{TYPES}}}Message") or ""))


def read_duration(parent: etree._Element, *, utc: bool = False) -> tuple[datetime, datetime] | None:
    """Return start and end (instants in UTC) of a Duration; None if there is none, or it ends before it has begun.

    With `utc`, a time without a zone is one in UTC. Raises `MalformedXml` for what is no Duration.
    """
    element = only_child(parent, f"{{{TYPES}}}Duration")
    if element is None:
        return None
    start, end = (_read(element, name, utc=utc) for name in ("StartTime", "EndTime"))
    return (start, end) if start < end else None


def _read(element: etree._Element, name: str, *, utc: bool) -> datetime:
    text = only_text(element, f"{{{TYPES}}}{name}") or ""
    try:
        return read_time(f"{text}Z" if utc and lacks_zone(text) else text)
    except ValueError as error:
        raise MalformedXml(f"{name} of Duration {'has no time zone' if lacks_zone(text) else 'is no time'}") from error
