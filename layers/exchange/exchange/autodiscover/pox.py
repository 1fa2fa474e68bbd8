"""The messages of POX autodiscover, MS-OXDSCLI: bytes out, bytes in, nothing sent here."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from exchange.bounded_xml import MalformedXml, parse_xml
from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError

_REQUEST_NS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_ENVELOPE_NS = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK_NS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_DEFAULT_TTL_HOURS = 1
_WHAT = "the autodiscover answer"


@dataclass(frozen=True, slots=True)
class PoxSettings:
    """Where the mailbox is: its EWS URL from outside and from inside, each if given, and how long that holds (hours).

    A TTL of 0 means that it holds until it fails.
    """

    external_url: str | None
    internal_url: str | None
    ttl_hours: int


@dataclass(frozen=True, slots=True)
class PoxRedirectAddress:
    """The mailbox is to be looked for under another SMTP address."""

    address: str


@dataclass(frozen=True, slots=True)
class PoxRedirectUrl:
    """Another autodiscover service is to be asked."""

    url: str


@dataclass(frozen=True, slots=True)
class PoxError:
    """The service answers with an error code (500: it does not know the address)."""

    code: int


PoxAnswer = PoxSettings | PoxRedirectAddress | PoxRedirectUrl | PoxError


def pox_request(address: str) -> bytes:
    """Return the request for the settings of one mailbox."""
    root = etree.Element(f"{{{_REQUEST_NS}}}Autodiscover", nsmap={None: _REQUEST_NS})  # type: ignore[dict-item]
    request = etree.SubElement(root, f"{{{_REQUEST_NS}}}Request")
    etree.SubElement(request, f"{{{_REQUEST_NS}}}EMailAddress").text = address
    etree.SubElement(request, f"{{{_REQUEST_NS}}}AcceptableResponseSchema").text = _OUTLOOK_NS
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def parse_pox(document: bytes) -> PoxAnswer:
    """Read an answer. Raises `MalformedXml` that says what is missing or wrong."""
    root = parse_xml(document, _WHAT, f"{{{_ENVELOPE_NS}}}Autodiscover")
    response = root.find(f"{{{_OUTLOOK_NS}}}Response")
    if response is not None and response.find(f"{{{_OUTLOOK_NS}}}Error") is None:
        return _parse_account(response)
    for namespace in (_ENVELOPE_NS, _OUTLOOK_NS):
        code = root.findtext(f"{{{namespace}}}Response/{{{namespace}}}Error/{{{namespace}}}ErrorCode")
        if code is not None:
            return PoxError(_number(code, "ErrorCode"))
    raise MalformedXml(f"{_WHAT} has neither Account nor Error")


def _parse_account(response: etree._Element) -> PoxAnswer:
    account = response.find(_tag("Account"))
    if account is None:
        raise MalformedXml(f"{_WHAT} has no Account")
    action = _text(account, "Action")
    if action is None:
        raise MalformedXml(f"{_WHAT} has no Action")
    match action.lower():
        case "redirectaddr":
            try:
                return PoxRedirectAddress(parse_smtp_address(_text(account, "RedirectAddr") or ""))
            except ConfigurationError:
                raise MalformedXml(f"{_WHAT} has no valid RedirectAddr") from None
        case "redirecturl":
            url = _text(account, "RedirectUrl")
            if url is None:
                raise MalformedXml(f"{_WHAT} has no RedirectUrl")
            return PoxRedirectUrl(url)
        case "settings":
            return _parse_settings(account)
    raise MalformedXml(f"{_WHAT} has an unknown Action")


def _parse_settings(account: etree._Element) -> PoxSettings:
    urls: dict[str, str] = {}
    hours = _DEFAULT_TTL_HOURS
    for protocol in account.findall(_tag("Protocol")):
        kind = (_text(protocol, "Type") or "").upper()
        url = _text(protocol, "EwsUrl") or _text(protocol, "ASUrl")
        if kind not in {"EXPR", "EXCH"} or url is None:
            continue
        urls.setdefault(kind, url)
        ttl = _text(protocol, "TTL")
        if ttl is not None:
            hours = _number(ttl, "TTL")
    if not urls:
        raise MalformedXml(f"{_WHAT} has no Protocol of type EXPR or EXCH with an EwsUrl or ASUrl")
    return PoxSettings(urls.get("EXPR"), urls.get("EXCH"), hours)


def _tag(name: str) -> str:
    return f"{{{_OUTLOOK_NS}}}{name}"


def _text(parent: etree._Element, name: str) -> str | None:
    text = (parent.findtext(_tag(name)) or "").strip()
    return text or None


def _number(text: str, name: str) -> int:
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit() and len(stripped) <= 6):  # noqa: PLR2004  six digits are plenty
        raise MalformedXml(f"{_WHAT} has a {name} that is no number")
    return int(stripped)
