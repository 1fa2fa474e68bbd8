"""The two types in which requests of Exchange Web Services name a mailbox (types.xsd), read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.exchange.soap import of_types
from local.exchange.xml_reading import Reader, SchemaViolationError, text

if TYPE_CHECKING:
    from lxml import etree


def read_email_address(element: etree._Element) -> str:
    """Return the address of an element of type EmailAddress."""
    parts = Reader(element)
    parts.optional(of_types("Name"))
    address = text(parts.required(of_types("Address"))).strip()
    parts.optional(of_types("RoutingType"))
    parts.end()
    return address


def read_email_address_type(element: etree._Element) -> str:
    """Return the address of an element of type EmailAddressType. SchemaViolationError where it is empty."""
    parts = Reader(element)
    parts.optional(of_types("Name"))
    address = text(parts.required(of_types("EmailAddress"))).strip()
    for name in ("RoutingType", "MailboxType", "ItemId", "OriginalDisplayName"):
        parts.optional(of_types(name))
    parts.end()
    if not address:
        raise SchemaViolationError("The 'EmailAddress' element is empty.")
    return address
