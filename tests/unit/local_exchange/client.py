"""An independent client of the simulated Exchange: plain requests, nothing of the layers."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import requests
from lxml import etree
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from urllib3.connectionpool import HTTPConnectionPool

    from local.exchange.accounts import Account
    from local.exchange.server import SimulatedExchange

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
NAMES = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "m": MESSAGES,
    "t": TYPES,
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
    "a": "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006",
    "o": "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a",
}
XML_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
UTC_ZONE = (
    "<t:TimeZone><t:Bias>0</t:Bias>"
    + "".join(
        f"<t:{name}><t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>0</t:DayOrder><t:Month>0</t:Month>"
        f"<t:DayOfWeek>Sunday</t:DayOfWeek></t:{name}>"
        for name in ("StandardTime", "DaylightTime")
    )
    + "</t:TimeZone>"
)


class _Adapter(HTTPAdapter):
    """Connects to where the simulated host really listens, and checks its certificate for its name."""

    def __init__(self, connect: Mapping[str, str], ca_pem: str) -> None:
        self._connect = connect
        self._context = ssl.create_default_context(cadata=ca_pem)
        self._context.verify_flags |= ssl.VERIFY_X509_STRICT
        super().__init__()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *_: Any, **__: Any
    ) -> HTTPConnectionPool:
        url = urlsplit(str(request.url))
        port = url.port or (443 if url.scheme == "https" else 80)
        address, real_port = self._connect[f"{url.hostname}:{port}"].split(":")
        tls: dict[str, Any] = {}
        if url.scheme == "https":
            tls = {"ssl_context": self._context, "assert_hostname": url.hostname, "server_hostname": url.hostname}
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            address, int(real_port), scheme=str(url.scheme), pool_kwargs=tls
        )
        return pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Trust the simulated CA alone, and not the ones that requests brings along."""


def session(exchange: SimulatedExchange, auth: AuthBase | None = None) -> requests.Session:
    """Return a session that reaches the simulated hosts by their names."""
    made = requests.Session()
    made.trust_env = False
    for scheme in ("https://", "http://"):
        made.mount(scheme, _Adapter(exchange.connect, exchange.ca_pem))
    made.auth = auth
    return made


def ntlm(account: Account, *, send_cbt: bool = True, password: str | None = None) -> HttpNtlmAuth:
    """Return NTLM of an account."""
    return HttpNtlmAuth(account.username, password or account.password, send_cbt=send_cbt)


def basic(account: Account, password: str | None = None) -> HTTPBasicAuth:
    """Return Basic of an account."""
    return HTTPBasicAuth(account.username, password or account.password)


def envelope(body: str, header: str = "") -> str:
    """Return a SOAP envelope."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{NAMES["s"]}" xmlns:m="{MESSAGES}" '
        f'xmlns:t="{TYPES}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    )


def availability(
    addresses: Sequence[str],
    start: datetime | str,
    end: datetime | str,
    view: str = "Detailed",
    zone: str = UTC_ZONE,
    interval: int = 30,
) -> str:
    """Return a GetUserAvailability request."""
    mailboxes = "".join(
        f"<t:MailboxData><t:Email><t:Address>{escape(address)}</t:Address></t:Email>"
        "<t:AttendeeType>Required</t:AttendeeType></t:MailboxData>"
        for address in addresses
    )
    begins, ends = (each if isinstance(each, str) else each.isoformat() for each in (start, end))
    return envelope(
        f"<m:GetUserAvailabilityRequest>{zone}<m:MailboxDataArray>{mailboxes}</m:MailboxDataArray>"
        f"<t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>{begins}</t:StartTime><t:EndTime>{ends}</t:EndTime>"
        f"</t:TimeWindow><t:MergedFreeBusyIntervalInMinutes>{interval}</t:MergedFreeBusyIntervalInMinutes>"
        f"<t:RequestedView>{view}</t:RequestedView></t:FreeBusyViewOptions></m:GetUserAvailabilityRequest>"
    )


FIELDS = (
    "item:Sensitivity",
    *(
        f"calendar:{name}"
        for name in (
            "Start",
            "End",
            "IsAllDayEvent",
            "LegacyFreeBusyStatus",
            "IsMeeting",
            "IsCancelled",
            "IsRecurring",
            "CalendarItemType",
            "MyResponseType",
            "AppointmentState",
        )
    ),
)


def find_items(
    address: str,
    start: datetime,
    end: datetime,
    fields: Sequence[str] = FIELDS,
    impersonated: str | None = None,
    most: int | None = None,
    folder: str = "calendar",
) -> str:
    """Return a FindItem request for a view of a calendar folder."""
    uris = "".join(f'<t:FieldURI FieldURI="{field}"/>' for field in fields)
    properties = f"<t:AdditionalProperties>{uris}</t:AdditionalProperties>" if uris else ""
    limit = "" if most is None else f' MaxEntriesReturned="{most}"'
    return envelope(
        f'<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>{properties}</m:ItemShape>'
        f'<m:CalendarView{limit} StartDate="{start.isoformat()}" EndDate="{end.isoformat()}"/>'
        f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{folder}"><t:Mailbox><t:EmailAddress>{escape(address)}'
        "</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId></m:ParentFolderIds></m:FindItem>",
        impersonation(impersonated),
    )


def impersonation(address: str | None) -> str:
    """Return the header that asks in somebody's name; none for None."""
    sid = f"<t:ConnectingSID><t:PrimarySmtpAddress>{escape(address or '')}</t:PrimarySmtpAddress></t:ConnectingSID>"
    return f"<t:ExchangeImpersonation>{sid}</t:ExchangeImpersonation>" if address else ""


def oof_settings(address: str, impersonated: str | None = None) -> str:
    """Return a GetUserOofSettings request, in somebody's name where that is said."""
    return envelope(
        f"<m:GetUserOofSettingsRequest><t:Mailbox><t:Address>{escape(address)}</t:Address></t:Mailbox>"
        "</m:GetUserOofSettingsRequest>",
        impersonation(impersonated),
    )


def mail_tips(addresses: Sequence[str], requested: str = "OutOfOfficeMessage") -> str:
    """Return a GetMailTips request."""
    recipients = "".join(
        f"<t:Mailbox><t:EmailAddress>{escape(address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType></t:Mailbox>"
        for address in addresses
    )
    return envelope(
        "<m:GetMailTips><m:SendingAs><t:EmailAddress>sender@example.com</t:EmailAddress></m:SendingAs>"
        f"<m:Recipients>{recipients}</m:Recipients><m:MailTipsRequested>{requested}</m:MailTipsRequested></m:GetMailTips>"
    )


def pox(address: str, schema: str = NAMES["o"]) -> str:
    """Return an autodiscover request."""
    return (
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>'
        f"<EMailAddress>{escape(address)}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema>"
        "</Request></Autodiscover>"
    )


def post(made: requests.Session, url: str, body: str | bytes) -> requests.Response:
    """Post XML."""
    data = body.encode() if isinstance(body, str) else body
    return made.post(url, data=data, headers=XML_HEADERS, allow_redirects=False, timeout=10)


def find(answer: requests.Response | bytes, path: str) -> list[etree._Element]:
    """Return the elements of an XML answer at an XPath with the prefixes of NAMES."""
    root = etree.fromstring(answer if isinstance(answer, bytes) else answer.content)
    found = root.xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, etree._Element)]


def texts(answer: requests.Response | bytes, path: str) -> list[str]:
    """Return the texts at an XPath."""
    return [each.text or "" for each in find(answer, path)]
