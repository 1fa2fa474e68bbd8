"""POX autodiscover ("plain old XML", MS-OXDSCLI): tells a client where the services of a mailbox are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from local.exchange.directory import Directory, Found, NewAddress, OtherService, ServiceUrls, Unknown
from local.exchange.http_messages import HttpAnswer
from local.exchange.soap import namespace
from local.exchange.xml_reading import NotXmlError, Reader, SchemaViolationError, parse, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from local.exchange.http_messages import HttpRequest
    from local.exchange.organisation import Mailbox, Organisation

PATH = "/autodiscover/autodiscover.xml"
OPERATION = "Autodiscover"
REQUEST_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
RESPONSE_SCHEMA = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
ENVELOPE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"

ADDRESS_UNKNOWN = (500, "The e-mail address can't be found.")
MALFORMED = (600, "Invalid Request")
TYPE_NOT_AVAILABLE = (601, "Provider is not available")


class Autodiscover:
    """Autodiscover of one host for the mailboxes of some domains."""

    def __init__(
        self, organisation: Organisation, services: Mapping[str, ServiceUrls], clock: Callable[[], datetime]
    ) -> None:
        self._directory = Directory(organisation, services)
        self._clock = clock

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer a signed-in request; its errors come with status 200 too."""
        try:
            address, schema = _read(request.body)
        except (NotXmlError, SchemaViolationError):
            return self._error(MALFORMED)
        if schema != RESPONSE_SCHEMA:
            return self._error(TYPE_NOT_AVAILABLE, (address,))
        found = self._directory.find(address, request.host)
        if isinstance(found, Unknown):
            return self._error(ADDRESS_UNKNOWN, (address,))
        body = _user(found.mailbox) + _account(found)
        return self._document(f"<Response{namespace(RESPONSE_SCHEMA)}>{body}</Response>", address)

    def _error(self, error: tuple[int, str], addresses: tuple[str, ...] = ()) -> HttpAnswer:
        code, message = error
        now = self._clock()
        return self._document(
            f'<Response><Error Time="{now.time().isoformat()}" Id="{int(now.timestamp())}">'
            f"<ErrorCode>{code}</ErrorCode><Message>{escape(message)}</Message><DebugData/></Error></Response>",
            *addresses,
        )

    def _document(self, response: str, *addresses: str) -> HttpAnswer:
        body = f'<?xml version="1.0" encoding="utf-8"?><Autodiscover{namespace(ENVELOPE)}>{response}</Autodiscover>'
        return HttpAnswer(200, body.encode(), operation=OPERATION, addresses=addresses)


def _read(body: bytes) -> tuple[str, str]:
    root = parse(body)
    if root.tag != f"{{{REQUEST_SCHEMA}}}Autodiscover":
        raise SchemaViolationError(f"The root element is '{root.tag}'.")
    document = Reader(root)
    request = Reader(document.required(f"{{{REQUEST_SCHEMA}}}Request"))
    document.end()
    address = text(request.required(f"{{{REQUEST_SCHEMA}}}EMailAddress")).strip()
    schema = text(request.required(f"{{{REQUEST_SCHEMA}}}AcceptableResponseSchema")).strip()
    request.end()
    if "@" not in address:
        raise SchemaViolationError("The EMailAddress is no SMTP address.")
    return address, schema


def _user(mailbox: Mailbox) -> str:
    return (
        f"<User><DisplayName>{escape(mailbox.name)}</DisplayName>"
        f"<AutoDiscoverSMTPAddress>{escape(mailbox.address)}</AutoDiscoverSMTPAddress></User>"
    )


def _account(found: Found) -> str:
    return f"<Account><AccountType>email</AccountType>{_action(found.leads_to)}</Account>"


def _action(leads_to: ServiceUrls | NewAddress | OtherService) -> str:
    match leads_to:
        case NewAddress(address):
            return f"<Action>redirectAddr</Action><RedirectAddr>{escape(address)}</RedirectAddr>"
        case OtherService(url):
            return f"<Action>redirectUrl</Action><RedirectUrl>{escape(url)}</RedirectUrl>"
        case ServiceUrls() as services:
            internal = _protocol("EXCH", services.internal or services.external, names_ews=services.names_ews)
            external = _protocol("EXPR", services.external, names_ews=services.names_ews)
            return f"<Action>settings</Action>{internal}{external}"


def _protocol(kind: str, url: str, *, names_ews: bool) -> str:
    ews = f"<EwsUrl>{url}</EwsUrl>" if names_ews else ""
    return (
        f"<Protocol><Type>{kind}</Type><Server>{url.split('/')[2]}</Server><TTL>1</TTL>"
        f"<ASUrl>{url}</ASUrl>{ews}<OOFUrl>{url}</OOFUrl></Protocol>"
    )
