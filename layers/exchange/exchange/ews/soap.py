"""SOAP as EWS speaks it: the envelope, and faults as problems."""

from __future__ import annotations

from lxml import etree

from exchange.ews.response_codes import problem_for, shown_code
from exchange.ews.single import only_child
from exchange.web.bounded_xml import MalformedXml, parse_xml
from presence.errors import Problem

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
_ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_MILLISECONDS = 1000.0
_LONGEST_BACK_OFF = 3600.0
WHAT = "the EWS answer"


def soap_body(document: bytes) -> etree._Element:
    """Return the one element in the Body of an envelope. Raises `MalformedXml`."""
    envelope = parse_xml(document, WHAT, f"{{{_SOAP}}}Envelope")
    body = only_child(envelope, f"{{{_SOAP}}}Body")
    if body is None:
        raise MalformedXml(f"{WHAT} has no Body")
    if len(body) != 1:
        raise MalformedXml(f"{WHAT} has {len(body)} elements in its Body instead of one")
    return body[0]


def fault_problem(element: etree._Element, host: str) -> Problem | None:
    """Return the problem that a Fault states; None if the element is no Fault."""
    if element.tag != f"{{{_SOAP}}}Fault":
        return None
    code = (element.findtext(f"detail/{{{_ERRORS}}}ResponseCode") or "").strip()
    if not code:
        code = (element.findtext("faultcode") or "").rpartition(":")[2].strip()
    return problem_for(shown_code(code), f"{host} answers", back_off_seconds(element))


def back_off_seconds(element: etree._Element) -> float | None:
    """Return the seconds that a busy server asks to wait for (BackOffMilliseconds), at most an hour."""
    for value in element.iter(f"{{{TYPES}}}Value"):
        text = (value.text or "").strip()
        if value.get("Name") == "BackOffMilliseconds" and text.isascii() and text.isdigit():
            return min(int(text[:12]) / _MILLISECONDS, _LONGEST_BACK_OFF)
    return None
