"""Elements that the schema allows once: of two, neither is believed.

A reader that takes the first of two would call somebody free whom the second calls busy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from exchange.web.bounded_xml import MalformedXml


def only_child(parent: etree._Element, tag: str, number: int | None = None) -> etree._Element | None:
    """Return the child of that tag; None if there is none. Raises `MalformedXml` if there are several.

    `number` says in the error which of a list of parents it is.
    """
    found = parent.findall(tag)
    if len(found) > 1:
        raise MalformedXml(f"{_named(parent, number)} has {_local_name(tag)} {len(found)} times")
    return found[0] if found else None


def children_once(
    parent: etree._Element, tags: Sequence[str], number: int | None = None
) -> Mapping[str, etree._Element]:
    """Return the children by tag. Raises `MalformedXml` if there are several of one of `tags`.

    It looks at each child once, where `only_child` goes through all of them for each tag. Of tags that are not named,
    which the caller must not look for, there may be several.
    """
    children = {child.tag: child for child in parent}
    if len(children) < len(parent):
        for tag in tags:
            only_child(parent, tag, number)
    return children


def only_text(parent: etree._Element, tag: str, number: int | None = None) -> str | None:
    """Return the text of the child of that tag, without space around it; None if there is none.

    Raises `MalformedXml` if there are several, or one that holds elements beside its text.
    """
    return text_of(only_child(parent, tag, number), parent, number)


def text_of(child: etree._Element | None, parent: etree._Element, number: int | None = None) -> str | None:
    """Return the text of a child, without space around it; None if there is no child.

    Raises `MalformedXml` if it holds elements beside its text.
    """
    if child is None:
        return None
    if len(child):
        raise MalformedXml(f"{_named(parent, number)}: {_local_name(str(child.tag))} holds elements instead of a text")
    return (child.text or "").strip()


def _named(parent: etree._Element, number: int | None) -> str:
    name = _local_name(str(parent.tag))
    return name if number is None else f"{name.removesuffix('Details')} {number}"


def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]
