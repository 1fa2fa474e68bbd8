"""SOAP autodiscover, GetUserSettings (MS-OXWSADISC): where the mailboxes of many users are, in one request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local.exchange.directory import Directory, Found, NewAddress, OtherService, ServiceUrls, Unknown
from local.exchange.http_messages import HttpAnswer
from local.exchange.soap import SOAP, namespace
from local.exchange.xml_reading import NotXmlError, Reader, SchemaViolationError, parse, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from local.exchange.http_messages import HttpRequest
    from local.exchange.organisation import Mailbox, Organisation

PATH = "/autodiscover/autodiscover.svc"
OPERATION = "GetUserSettings"
AUTODISCOVER = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
ACTION = f"{AUTODISCOVER}/Autodiscover/GetUserSettings"
MOST_USERS = 100
SCHEMAS = "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013"

_VERSIONS = frozenset({"Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1"})
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_NO_ERROR = ("NoError", "No error.")


class UserSettings:
    """GetUserSettings of one host for the mailboxes of some domains."""

    def __init__(self, organisation: Organisation, services: Mapping[str, ServiceUrls]) -> None:
        self._directory = Directory(organisation, services)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer a signed-in request. What is no such request gets a fault, one that asks too much an error code."""
        try:
            addresses, settings = _read(request.body)
        except (NotXmlError, SchemaViolationError) as error:
            return replace(_fault(str(error)), operation=OPERATION)
        if not 0 < len(addresses) <= MOST_USERS:
            return _envelope(
                ("InvalidRequest", f"The number of users isn't between 1 and {MOST_USERS}."), "", addresses
            )
        responses = "".join(_user(self._directory.find(each, request.host), settings) for each in addresses)
        return _envelope(_NO_ERROR, f"<UserResponses>{responses}</UserResponses>", addresses)


def _read(body: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses and the names of the settings asked for."""
    root = parse(body)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise SchemaViolationError(f"The root element is '{root.tag}'.")
    envelope = Reader(root)
    _read_header(envelope.required(f"{{{SOAP}}}Header"))
    content = Reader(envelope.required(f"{{{SOAP}}}Body"))
    envelope.end()
    message = Reader(content.required(_tag("GetUserSettingsRequestMessage")))
    content.end()
    asked = Reader(message.required(_tag("Request")))
    message.end()
    users, settings = Reader(asked.required(_tag("Users"))), Reader(asked.required(_tag("RequestedSettings")))
    asked.end()
    addresses = tuple(text(Reader(user).required(_tag("Mailbox"))) for user in users.many(_tag("User")))
    names = tuple(text(name) for name in settings.many(_tag("Setting")))
    users.end()
    settings.end()
    return addresses, names


def _read_header(header: etree._Element) -> None:
    parts = {str(part.tag): text(part) for part in header}
    if parts.get(_tag("RequestedServerVersion")) not in _VERSIONS:
        raise SchemaViolationError("The RequestedServerVersion is missing or not known.")
    if parts.get(f"{{{ADDRESSING}}}Action") != ACTION:
        raise SchemaViolationError("The Action is not that of GetUserSettings.")
    if not parts.get(f"{{{ADDRESSING}}}To", "").lower().endswith(PATH):
        raise SchemaViolationError("The message is addressed to another service.")


def _user(found: Found | Unknown, settings: tuple[str, ...]) -> str:
    if isinstance(found, Unknown):
        error = ("InvalidUser", "The user isn't known.") if found.domain else ("InvalidDomain", "Invalid domain.")
        return _response(*error)
    match found.leads_to:
        case NewAddress(address):
            return _response("RedirectAddress", "Redirection address.", target=address)
        case OtherService(url):
            return _response("RedirectUrl", "Redirection url.", target=_in_soap(url))
        case ServiceUrls() as services:
            return _response(*_NO_ERROR, settings=_settings(found.mailbox, services, settings))


def _response(code: str, message: str, *, target: str | None = None, settings: str = "") -> str:
    redirect = (
        '<RedirectTarget i:nil="true"/>' if target is None else f"<RedirectTarget>{escape(target)}</RedirectTarget>"
    )
    return (
        f"<UserResponse><ErrorCode>{code}</ErrorCode><ErrorMessage>{escape(message)}</ErrorMessage>{redirect}"
        f"{settings or '<UserSettingErrors/><UserSettings/>'}</UserResponse>"
    )


def _settings(mailbox: Mailbox, services: ServiceUrls, names: tuple[str, ...]) -> str:
    """Return errors for the settings that the server has not, then the values of the others, in alphabetical order."""
    has = {
        "AutoDiscoverSMTPAddress": mailbox.address,
        "EwsSupportedSchemas": SCHEMAS,
        "ExternalEwsUrl": services.external,
        "InternalEwsUrl": services.internal or services.external,
    }
    errors = "".join(
        f"<UserSettingError><ErrorCode>InvalidSetting</ErrorCode><ErrorMessage>Unknown.</ErrorMessage>"
        f"<SettingName>{escape(name)}</SettingName></UserSettingError>"
        for name in names
        if name not in has
    )
    values = "".join(
        f'<UserSetting i:type="StringSetting"><Name>{name}</Name><Value>{escape(has[name])}</Value></UserSetting>'
        for name in sorted(set(names) & set(has))
    )
    return f"<UserSettingErrors>{errors}</UserSettingErrors><UserSettings>{values}</UserSettings>"


def _in_soap(url: str) -> str:
    return f"{url.removesuffix('autodiscover.xml')}autodiscover.svc"


def _envelope(error: tuple[str, str], users: str, addresses: tuple[str, ...]) -> HttpAnswer:
    code, message = error
    document = (
        f'<s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}"><s:Header><a:Action s:mustUnderstand="1">{ACTION}Response'
        f"</a:Action></s:Header><s:Body><GetUserSettingsResponseMessage{namespace(AUTODISCOVER)}>"
        f'<Response xmlns:i="{_INSTANCE}"><ErrorCode>{code}</ErrorCode><ErrorMessage>{escape(message)}</ErrorMessage>'
        f"{users}</Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"
    )
    return HttpAnswer(200, document.encode(), operation=OPERATION, addresses=addresses)


def _fault(message: str) -> HttpAnswer:
    document = (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(message)}</faultstring></s:Fault></s:Body></s:Envelope>'
    )
    return HttpAnswer(500, document.encode())


def _tag(name: str) -> str:
    return f"{{{AUTODISCOVER}}}{name}"
