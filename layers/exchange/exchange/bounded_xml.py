"""XML from servers that may be hostile: UTF-8, no DTD, no entities, nothing recovered, bounded."""

from __future__ import annotations

from typing import Any

from lxml import etree

from presence.errors import CalendarPresenceError


class MalformedXml(CalendarPresenceError):  # noqa: N818  the field's own word for it
    """A document is not the XML that it should be; the text says what and where, and never repeats its content."""


def parse_xml(document: bytes, what: str, root: str | None = None) -> etree._Element:
    """Return the root element; with `root`, one of that tag ({namespace}name).

    `what` names the document in errors ("the EWS answer"). Raises `MalformedXml`: not UTF-8, not well-formed
    (truncated, nested too deep), a document type declaration (entity bombs need one), or another root.
    """
    if b"\x00" in document[:4096]:
        raise MalformedXml(f"{what} is not UTF-8")
    if b"<!DOCTYPE" in document:
        raise MalformedXml(f"{what} has a document type declaration, which is refused")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        recover=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        element = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise MalformedXml(f"{what} is not well-formed XML: {_place(error)}") from None
    except ValueError:
        raise MalformedXml(f"{what} is not well-formed XML") from None
    if root is not None and element.tag != root:
        expected = etree.QName(root).localname
        raise MalformedXml(f"{what} has another root element than {expected}")
    return element


def _place(error: etree.XMLSyntaxError) -> str:
    """Return libxml2's name of the fault and its place; its message may quote the document, so it is left out."""
    log: Any = error.error_log  # the stubs do not know what it holds
    name = (log.last_error.type_name if log.last_error is not None else "unknown").removeprefix("ERR_")
    name = name.replace("_", " ").lower()
    return f"{name} at line {error.lineno or 0}, column {error.offset or 0}"
