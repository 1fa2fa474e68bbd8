"""SOAP envelopes of Exchange Web Services: reading the request's, writing the answer's and faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from local.exchange.http_messages import HttpAnswer
from local.exchange.xml_reading import NotXmlError, Reader, SchemaViolationError, parse, text

if TYPE_CHECKING:
    from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"

# types.xsd, ExchangeVersionType, the oldest first
VERSIONS = (
    *(f"Exchange{version}" for version in ("2007", "2007_SP1", "2009", "2010", "2010_SP1", "2010_SP2", "2012")),
    *(f"Exchange{version}" for version in ("2013", "2013_SP1", "2015", "2016")),
    *(f"V{version}" for version in ("2015_10_05", "2016_01_06", "2016_04_13", "2016_07_13", "2016_10_10")),
)
_CONNECTING_SID = frozenset(
    f"{{{TYPES}}}{name}" for name in ("PrincipalName", "SID", "PrimarySmtpAddress", "SmtpAddress")
)

INTERNAL_SERVER_ERROR = 500


class SoapFaultError(Exception):
    """A request that is refused whole. `code` is a response code of messages.xsd.

    `back_off`: the milliseconds that the server asks to wait for.
    """

    def __init__(self, code: str, message: str, back_off: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.back_off = back_off


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request out of its envelope. `impersonated` is the identity that the ExchangeImpersonation header names.

    `version` is the RequestServerVersion; without that header it is the oldest.
    """

    request: etree._Element
    impersonated: str | None
    has_time_zone_context: bool
    version: str


def open_envelope(body: bytes) -> Envelope:
    """Return what is in the envelope. SoapFaultError for what is no envelope or has a header that is not understood."""
    try:
        return _open(parse(body))
    except (NotXmlError, SchemaViolationError) as error:
        raise schema_fault(error) from error


def _open(root: etree._Element) -> Envelope:
    if root.tag != f"{{{SOAP}}}Envelope":
        raise SchemaViolationError(f"The root element is '{root.tag}', expected '{{{SOAP}}}Envelope'.")
    parts = Reader(root)
    header = parts.optional(f"{{{SOAP}}}Header")
    requests = list(parts.required(f"{{{SOAP}}}Body"))
    parts.end()
    if len(requests) != 1:
        raise SchemaViolationError(f"The Body has {len(requests)} elements, expected 1.")
    return Envelope(requests[0], *_read_header(header))


def _read_header(header: etree._Element | None) -> tuple[str | None, bool, str]:
    impersonated, has_time_zone_context, version = None, False, VERSIONS[0]
    for part in header if header is not None else ():
        if part.tag == of_types("RequestServerVersion"):
            version = part.get("Version", "")
            if version not in VERSIONS:
                raise SoapFaultError("ErrorInvalidServerVersion", f"The version {version!r} is not known.")
        elif part.tag == of_types("ExchangeImpersonation"):
            impersonated = _connecting_sid(part)
        elif part.tag == of_types("TimeZoneContext"):
            has_time_zone_context = True
        elif part.get(f"{{{SOAP}}}mustUnderstand") == "1":
            raise SoapFaultError("ErrorInvalidRequest", f"The header {part.tag} is not understood.")
    return impersonated, has_time_zone_context, version


def _connecting_sid(impersonation: etree._Element) -> str:
    parts = Reader(impersonation)
    identities = list(parts.required(of_types("ConnectingSID")))
    parts.end()
    if len(identities) != 1 or identities[0].tag not in _CONNECTING_SID or not text(identities[0]):
        raise SoapFaultError(
            "ErrorInvalidExchangeImpersonationHeaderData", "The ConnectingSID does not hold exactly one identity."
        )
    return text(identities[0])


def schema_fault(error: Exception) -> SoapFaultError:
    """Return the fault for a request that is not as its schema wants it."""
    return SoapFaultError("ErrorSchemaValidation", f"The request failed schema validation: {error}")


def envelope(body: str, status: int = 200) -> HttpAnswer:
    """Return an answer with this first child of the SOAP Body. The version is that of Exchange 2016."""
    document = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header><h:ServerVersionInfo MajorVersion="15" MinorVersion="1" '
        'MajorBuildNumber="2507" MinorBuildNumber="6" Version="V2017_07_11" '
        f'xmlns:h="{TYPES}"/></s:Header><s:Body>{body}</s:Body></s:Envelope>'
    )
    return HttpAnswer(status, document.encode())


def fault(error: SoapFaultError) -> HttpAnswer:
    """Return a SOAP fault, which goes with status 500 (SOAP 1.1, section 6.2)."""
    body = (
        f'<s:Fault><faultcode xmlns:a="{TYPES}">a:{error.code}</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(error.message)}</faultstring>'
        f'<detail><e:ResponseCode xmlns:e="{ERRORS}">{error.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{escape(error.message)}</e:Message>'
        f"{back_off_element(error.back_off, TYPES)}</detail></s:Fault>"
    )
    return envelope(body, INTERNAL_SERVER_ERROR)


def back_off_element(milliseconds: int | None, space: str) -> str:
    """Return the MessageXml, in a namespace, that says for how long to wait; nothing where nothing is asked for."""
    if milliseconds is None:
        return ""
    value = f'<t:Value Name="BackOffMilliseconds">{milliseconds}</t:Value>'
    return f'<MessageXml{namespace(space)} xmlns:t="{TYPES}">{value}</MessageXml>'


def response_message(code: str = "NoError", message: str = "", tag: str = "ResponseMessage", inside: str = "") -> str:
    """Return a response message (messages.xsd, ResponseMessageType); the messages namespace must be the default."""
    if code == "NoError":
        return f'<{tag} ResponseClass="Success"><ResponseCode>NoError</ResponseCode>{inside}</{tag}>'
    return (
        f'<{tag} ResponseClass="Error"><MessageText>{escape(message)}</MessageText>'
        f"<ResponseCode>{code}</ResponseCode><DescriptiveLinkKey>0</DescriptiveLinkKey>{inside}</{tag}>"
    )


def of_types(name: str) -> str:
    """Return the name, in Clark notation, of an element of the types namespace."""
    return f"{{{TYPES}}}{name}"


def of_messages(name: str) -> str:
    """Return the name, in Clark notation, of an element of the messages namespace."""
    return f"{{{MESSAGES}}}{name}"


def namespace(uri: str) -> str:
    """Return the declaration that makes a namespace the default one."""
    return f" xmlns={quoteattr(uri)}"
