"""Elements that the schema allows once: of two, neither is believed.

A reader that takes the first of two would call somebody free whom the second calls busy.
"""

from __future__ import annotations

from lxml import etree

from exchange.bounded_xml import MalformedXml


def only_child(parent: etree._Element, tag: str, number: int | None = None) -> etree._Element | None:
    """Return the child of that tag; None if there is none. Raises `MalformedXml` if there are several.

    `number` says in the error which of a list of parents it is.
    """
    found = parent.findall(tag)
    if len(found) > 1:
        raise MalformedXml(f"{_named(parent, number)} has {_local_name(tag)} {len(found)} times")
    return found[0] if found else None


def only_text(parent: etree._Element, tag: str, number: int | None = None) -> str | None:
    """Return the text of the child of that tag, without space around it; None if there is none.

    Raises `MalformedXml` if there are several, or one that holds elements beside its text.
    """
    child = only_child(parent, tag, number)
    if child is None:
        return None
    if len(child):
        raise MalformedXml(f"{_named(parent, number)}: {_local_name(tag)} holds elements instead of a text")
    return (child.text or "").strip()


def _named(parent: etree._Element, number: int | None) -> str:
    name = _local_name(str(parent.tag))
    return name if number is None else f"CalendarEvent {number}"


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]
