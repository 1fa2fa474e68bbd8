"""The messages of POX autodiscover, MS-OXDSCLI: bytes out, bytes in, nothing sent here."""

from __future__ import annotations

from lxml import etree

from exchange.autodiscover.answers import (
    DEFAULT_TTL_HOURS,
    AutodiscoverAnswer,
    RedirectUrl,
    Refusal,
    ServiceUrls,
    Settings,
    redirect_address,
)
from exchange.web.bounded_xml import MalformedXml, parse_xml
from presence.errors import InvalidAddress

_REQUEST_NS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
_ENVELOPE_NS = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK_NS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_ADDRESS_UNKNOWN = 500
_INTERNAL_ERROR = 603
_WHAT = "the autodiscover answer"


class NothingOfUse(MalformedXml):
    """A service that speaks autodiscover tells nothing of use about this mailbox. It may about the next one."""


def pox_request(address: str) -> bytes:
    """Return the request for the settings of one mailbox."""
    root = etree.Element(f"{{{_REQUEST_NS}}}Autodiscover", nsmap={None: _REQUEST_NS})  # type: ignore[dict-item]
    request = etree.SubElement(root, f"{{{_REQUEST_NS}}}Request")
    etree.SubElement(request, f"{{{_REQUEST_NS}}}EMailAddress").text = address
    etree.SubElement(request, f"{{{_REQUEST_NS}}}AcceptableResponseSchema").text = _OUTLOOK_NS
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def parse_pox(document: bytes) -> AutodiscoverAnswer:
    """Read an answer. Raises `MalformedXml` that says what is wrong; `NothingOfUse` if all else is autodiscover's."""
    root = parse_xml(document, _WHAT, f"{{{_ENVELOPE_NS}}}Autodiscover")
    response = root.find(f"{{{_OUTLOOK_NS}}}Response")
    if response is not None and response.find(f"{{{_OUTLOOK_NS}}}Error") is None:
        return _parse_account(response)
    for namespace in (_ENVELOPE_NS, _OUTLOOK_NS):
        code = root.findtext(f"{{{namespace}}}Response/{{{namespace}}}Error/{{{namespace}}}ErrorCode")
        if code is not None:
            return _refusal(_number(code, "ErrorCode"))
    raise NothingOfUse(f"{_WHAT} has neither Account nor Error")


def _parse_account(response: etree._Element) -> AutodiscoverAnswer:
    account = response.find(_tag("Account"))
    if account is None:
        raise NothingOfUse(f"{_WHAT} has no Account")
    action = _text(account, "Action")
    if action is None:
        raise NothingOfUse(f"{_WHAT} has no Action")
    match action.lower():
        case "redirectaddr":
            try:
                return redirect_address(_text(account, "RedirectAddr") or "")
            except InvalidAddress:
                raise NothingOfUse(f"{_WHAT} has no valid RedirectAddr") from None
        case "redirecturl":
            url = _text(account, "RedirectUrl")
            if url is None:
                raise NothingOfUse(f"{_WHAT} has no RedirectUrl")
            return RedirectUrl(url)
        case "settings":
            return _parse_settings(account)
    raise NothingOfUse(f"{_WHAT} has an unknown Action")


def _parse_settings(account: etree._Element) -> Settings:
    sides: dict[str, ServiceUrls] = {}
    hours = DEFAULT_TTL_HOURS
    for protocol in account.findall(_tag("Protocol")):
        kind = (_text(protocol, "Type") or "").upper()
        url = _text(protocol, "EwsUrl") or _text(protocol, "ASUrl")
        if kind not in {"EXPR", "EXCH"} or url is None:
            continue
        sides.setdefault(kind, ServiceUrls(url, _text(protocol, "OOFUrl")))
        ttl = _text(protocol, "TTL")
        if ttl is not None:
            hours = _number(ttl, "TTL")
    if not sides:
        raise NothingOfUse(f"{_WHAT} has no Protocol of type EXPR or EXCH with an EwsUrl or ASUrl")
    return Settings(sides.get("EXPR"), sides.get("EXCH"), hours)


def _refusal(code: int) -> Refusal:
    return Refusal(str(code), of_address=code == _ADDRESS_UNKNOWN, passing=code == _INTERNAL_ERROR)


def _tag(name: str) -> str:
    return f"{{{_OUTLOOK_NS}}}{name}"


def _text(parent: etree._Element, name: str) -> str | None:
    text = (parent.findtext(_tag(name)) or "").strip()
    return text or None


def _number(text: str, name: str) -> int:
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit() and len(stripped) <= 6):  # noqa: PLR2004  six digits are plenty
        raise NothingOfUse(f"{_WHAT} has a {name} that is no number")
    return int(stripped)
