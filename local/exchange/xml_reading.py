"""Strict reading of XML requests: each element in its place, in its namespace, of its type, and nothing else."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_INTEGER = re.compile(r"[+-]?\d+")


class SchemaViolationError(Exception):
    """A request that its schema does not allow. Says what was found and what was expected."""


class NotXmlError(Exception):
    """A request that is no well-formed XML document."""


def parse(body: bytes) -> etree._Element:
    """Return the root element. NotXmlError when there is none; a document type declaration is refused."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXmlError(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXmlError("For security reasons DTD is prohibited in this XML document.")
    return root


class Reader:
    """Reads the children of an element in the order of the schema's sequence.

    Names are given in Clark notation, `{namespace}name`. Call `end` after the last one.
    """

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        self._children = list(element)
        self._position = 0
        texts = [element.text, *(child.tail for child in self._children)]
        if self._children and any(text and text.strip() for text in texts):
            raise SchemaViolationError(f"The element '{element.tag}' cannot contain text.")

    def optional(self, name: str) -> etree._Element | None:
        """Return the next child if it has this name, else None."""
        if self._position < len(self._children) and self._children[self._position].tag == name:
            self._position += 1
            return self._children[self._position - 1]
        return None

    def required(self, name: str) -> etree._Element:
        """Return the next child, which must have this name."""
        child = self.optional(name)
        if child is None:
            raise SchemaViolationError(f"{self._next()} List of possible elements expected: '{name}'.")
        return child

    def many(self, name: str) -> Iterator[etree._Element]:
        """Return the next children, as long as they have this name."""
        while (child := self.optional(name)) is not None:
            yield child

    def end(self) -> None:
        """Refuse any further child."""
        if self._position < len(self._children):
            raise SchemaViolationError(self._next())

    def _next(self) -> str:
        if self._position < len(self._children):
            found = self._children[self._position].tag
            return f"The element '{self.element.tag}' has invalid child element '{found}'."
        return f"The element '{self.element.tag}' has incomplete content."


def text(element: etree._Element) -> str:
    """Return the text of an element that has no children."""
    if len(element):
        raise SchemaViolationError(f"The element '{element.tag}' cannot contain child element '{element[0].tag}'.")
    return element.text or ""


def integer(element: etree._Element) -> int:
    """Return the value of an xs:int."""
    value = text(element).strip()
    if not _INTEGER.fullmatch(value):
        raise _invalid(element, value, "Int32")
    return int(value)


def boolean(element: etree._Element) -> bool:
    """Return the value of an xs:boolean."""
    value = text(element).strip()
    if value not in ("true", "false", "1", "0"):
        raise _invalid(element, value, "Boolean")
    return value in ("true", "1")


def one_of(element: etree._Element, allowed: frozenset[str]) -> str:
    """Return a value of an enumeration, which has no white space around it."""
    value = text(element)
    if value not in allowed:
        raise _invalid(element, value, "enumeration")
    return value


def date_time(element: etree._Element) -> datetime:
    """Return the value of an xs:dateTime, without a zone where the text has none."""
    value = text(element).strip()
    if not _DATE_TIME.fullmatch(value):
        raise _invalid(element, value, "DateTime")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise _invalid(element, value, "DateTime") from error


def _invalid(element: etree._Element, value: str, kind: str) -> SchemaViolationError:
    return SchemaViolationError(f"The '{element.tag}' element is invalid - The value '{value}' is invalid for {kind}.")
