"""Validates messages of Exchange Web Services against Microsoft's schemas, which lie beside the checkout if at all."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "ews"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
XSD = "http://www.w3.org/2001/XMLSchema"

requires_schemas = pytest.mark.skipif(
    not (SCHEMAS / "messages.xsd").is_file(),
    reason="../shared/schemas/ews is absent: Microsoft's schemas are not part of the project",
)


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / "messages.xsd"))


@cache
def response_codes() -> frozenset[str]:
    """Return the values of ResponseCodeType."""
    path = f"{{{XSD}}}simpleType[@name='ResponseCodeType']//{{{XSD}}}enumeration"
    codes = frozenset(str(each.get("value")) for each in etree.parse(SCHEMAS / "messages.xsd").iterfind(path))
    assert "NoError" in codes
    return codes


def validate(envelope: bytes) -> str:
    """Return the local name of the first child of a SOAP body that is as the schemas want it; AssertionError if not.

    A SOAP fault has no schema among these: its code must be a known one, and the same in both places.
    """
    body = etree.fromstring(envelope).find(f"{{{SOAP}}}Body")
    assert body is not None, "no SOAP body"
    assert len(body) == 1, f"{len(body)} elements in the SOAP body"
    message = body[0]
    if message.tag == f"{{{SOAP}}}Fault":
        _check_fault(message)
        return "Fault"
    # A tree of its own: the schema knows the message and not the envelope.
    document = etree.fromstring(etree.tostring(message, with_tail=False))
    try:
        _schema().assertValid(document)
    except etree.DocumentInvalid as error:
        raise AssertionError(str(error)) from error
    return str(message.tag).rpartition("}")[2]


def validate_header(envelope: bytes, name: str) -> str:
    """Return the name of the only header of that name that is as the schemas want it; AssertionError if it is not."""
    found = etree.fromstring(envelope).findall(f"{{{SOAP}}}Header/{{{TYPES}}}{name}")
    assert len(found) == 1, f"{len(found)} headers {name}"
    try:
        _schema().assertValid(etree.fromstring(etree.tostring(found[0], with_tail=False)))
    except etree.DocumentInvalid as error:
        raise AssertionError(str(error)) from error
    return name


def _check_fault(fault: etree._Element) -> None:
    assert [child.tag for child in fault] == ["faultcode", "faultstring", "detail"]
    prefix, _, code = (fault.findtext("faultcode") or "").partition(":")
    assert fault[0].nsmap[prefix] == TYPES
    assert code in response_codes()
    assert fault.findtext(f"detail/{{{ERRORS}}}ResponseCode") == code
    assert fault.findtext("faultstring")
