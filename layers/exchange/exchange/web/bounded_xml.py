"""XML from servers that may be hostile: UTF-8, no DTD, no entities, no structure recovered, bounded."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from presence.errors import CalendarPresenceError

# Exchange writes what stands in a subject as it is, and a subject may hold what XML forbids (XML 1.0, section 2.2).
_CHARACTER = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));|[\x01-\x08\x0b\x0c\x0e-\x1f]")
_REPLACEMENT = "\ufffd".encode()
_LEGAL = (range(0x9, 0xB), range(0xD, 0xE), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))


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
    try:
        element = _parse(document)
    except ValueError:
        raise MalformedXml(f"{what} is not well-formed XML") from None
    except etree.XMLSyntaxError as error:
        raise MalformedXml(f"{what} is not well-formed XML: {_place(error)}") from None
    if root is not None and element.tag != root:
        expected = etree.QName(root).localname
        raise MalformedXml(f"{what} has another root element than {expected}")
    return element


def _parse(document: bytes) -> etree._Element:
    """Return the root; a character that XML forbids costs only itself, and is read as U+FFFD."""
    try:
        return etree.fromstring(document, _parser())
    except etree.XMLSyntaxError:
        legal = _CHARACTER.sub(_legal, document)
        if legal == document:
            raise
        return etree.fromstring(legal, _parser())


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
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


def _legal(found: re.Match[bytes]) -> bytes:
    """Return a reference as it is, or U+FFFD for one to a character that XML forbids, and for such a character."""
    hexadecimal, decimal = found.groups()
    if hexadecimal is None and decimal is None:
        return _REPLACEMENT
    number = int(hexadecimal, 16) if hexadecimal is not None else int(decimal)
    return found.group() if any(number in each for each in _LEGAL) else _REPLACEMENT


def _place(error: etree.XMLSyntaxError) -> str:
    """Return libxml2's name of the fault and its place; its message may quote the document, so it is left out."""
    log: Any = error.error_log  # the stubs do not know what it holds
    name = (log.last_error.type_name if log.last_error is not None else "unknown").removeprefix("ERR_")
    name = name.replace("_", " ").lower()
    return f"{name} at line {error.lineno or 0}, column {error.offset or 0}"
