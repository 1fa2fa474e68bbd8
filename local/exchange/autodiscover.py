"""POX autodiscover ("plain old XML", MS-OXDSCLI): tells a client where the services of a mailbox are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

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


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where the mailboxes of a domain are served. `names_ews` False: EwsUrl is left out, as older servers do."""

    external: str
    internal: str | None = None
    names_ews: bool = True


class Autodiscover:
    """Autodiscover of one host for the mailboxes of some domains."""

    def __init__(
        self, organisation: Organisation, services: Mapping[str, ServiceUrls], clock: Callable[[], datetime]
    ) -> None:
        self._organisation = organisation
        self._services = services
        self._clock = clock

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer a signed-in request; its errors come with status 200 too."""
        try:
            address, schema = _read(request.body)
        except (NotXmlError, SchemaViolationError):
            return self._error(MALFORMED)
        if schema != RESPONSE_SCHEMA:
            return self._error(TYPE_NOT_AVAILABLE, (address,))
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or _domain(address) not in self._services:
            return self._error(ADDRESS_UNKNOWN, (address,))
        body = _user(mailbox) + self._account(mailbox, request.host)
        return self._document(f"<Response{namespace(RESPONSE_SCHEMA)}>{body}</Response>", address)

    def _account(self, mailbox: Mailbox, own_host: str) -> str:
        """Return where the mailbox is. Of one that moved to another domain only the new address is known here."""
        services = self._services.get(_domain(mailbox.address))
        moved_to = mailbox.address if services is None else mailbox.redirect_address
        if services is None or moved_to is not None:
            action = f"<Action>redirectAddr</Action><RedirectAddr>{escape(moved_to or '')}</RedirectAddr>"
        elif mailbox.redirect_url is not None and urlsplit(mailbox.redirect_url).hostname != own_host:
            action = f"<Action>redirectUrl</Action><RedirectUrl>{escape(mailbox.redirect_url)}</RedirectUrl>"
        else:
            internal = _protocol("EXCH", services.internal or services.external, names_ews=services.names_ews)
            external = _protocol("EXPR", services.external, names_ews=services.names_ews)
            action = f"<Action>settings</Action>{internal}{external}"
        return f"<Account><AccountType>email</AccountType>{action}</Account>"

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


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _user(mailbox: Mailbox) -> str:
    return (
        f"<User><DisplayName>{escape(mailbox.name)}</DisplayName>"
        f"<AutoDiscoverSMTPAddress>{escape(mailbox.address)}</AutoDiscoverSMTPAddress></User>"
    )


def _protocol(kind: str, url: str, *, names_ews: bool) -> str:
    ews = f"<EwsUrl>{url}</EwsUrl>" if names_ews else ""
    return (
        f"<Protocol><Type>{kind}</Type><Server>{url.split('/')[2]}</Server><TTL>1</TTL>"
        f"<ASUrl>{url}</ASUrl>{ews}<OOFUrl>{url}</OOFUrl></Protocol>"
    )
