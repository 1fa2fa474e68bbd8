"""The organisation in which faults happen: its people, its servers, the operator's gateways, and a stranger."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.exchange.accounts import Account
from local.exchange.directory import ServiceUrls
from local.exchange.kept_host import http
from local.exchange.nameserver import ServiceRecord
from local.exchange.network import HTTPS, Host, Network, ews_url
from local.exchange.organisation import Access, Entry, Mailbox, Organisation, OutOfOffice

START = datetime(2026, 11, 24, 10, 0, 7, tzinfo=UTC)
MEETING_ENDS = START.replace(hour=11, minute=30, second=0)

STRUCK = "alice@example.com"
"""The mailbox that a fault of one mailbox strikes; the others of its server are BESIDE, and AWAY has a server alone."""
BESIDE = ("bob@example.com", "carol@example.com")
AWAY = "dan@example.org"
EVERYBODY = (STRUCK, *BESIDE, AWAY)
USER_IDS = {address: f"{number:032x}" for number, address in enumerate(EVERYBODY, start=0xFA17)}

DOMAIN = "example.com"
MAIL = "mail.example.com"
SECOND_MAIL = "mail2.example.com"
DEEP_MAIL = "cas1.mail.example.com"
BY_ADDRESS = "127.0.0.1"
AUTODISCOVER = "autodiscover.example.com"
SERVICE = "discover.example.com"
SERVICE_NAME = "_autodiscover._tcp.example.com"
STRANGER = "stranger.test"
STRANGERS = (f"autodiscover.{STRANGER}", f"mail.{STRANGER}")
OTHER_MAIL = "mail.example.org"

EWS_PATH = "/EWS/Exchange.asmx"
AUTODISCOVER_PATH = "/autodiscover/autodiscover.xml"
AUTODISCOVER_SOAP_PATH = "/autodiscover/autodiscover.svc"
COOKIE_CANARY = "canary-cookie"
PASSWORD_CANARY = "canary-password"

_READER, _OTHER_READER = "exchange-reader", "other-reader"


@functools.cache
def accounts() -> tuple[Account, ...]:
    """Return the accounts that read, with passwords made up anew for each process."""
    return tuple(
        Account(reference, username, f"{PASSWORD_CANARY}-{secrets.token_urlsafe(12)}", may_impersonate=True)
        for reference, username in ((_READER, "EXAMPLE\\presence"), (_OTHER_READER, "OTHER\\presence"))
    )


def organisation() -> Organisation:
    """Return the people: everybody is in a meeting at START, and the account may see subject and location."""
    people = Organisation(
        Mailbox(
            address,
            address.partition("@")[0].title(),
            ZoneInfo("Europe/Berlin"),
            access=Access.DETAILED,
            out_of_office=OutOfOffice(start=START + timedelta(days=2), end=START + timedelta(days=3)),
        )
        for address in EVERYBODY
    )
    for address in EVERYBODY:
        people.add(address, Entry(START.replace(hour=9, minute=0, second=0), MEETING_ENDS))
        people.add(address, Entry(START.replace(hour=14, second=0), START.replace(hour=15, second=0)))
    return people


def network(way: str) -> Network:
    """Return the servers of an organisation that is found in a way: named, discovered or service-record."""
    mailboxes = frozenset({DOMAIN})
    left = f"exchangecookie={COOKIE_CANARY}; path=/; HttpOnly"
    finders = {"discovered": (AUTODISCOVER,), "service-record": (SERVICE,)}.get(way, ())
    services = {DOMAIN: ServiceUrls(ews_url(MAIL))}
    return Network(
        hosts=(
            *(
                Host(name, accounts=(_READER,), mailboxes=mailboxes, cookie=left)
                for name in (MAIL, SECOND_MAIL, DEEP_MAIL)
            ),
            Host(BY_ADDRESS, accounts=(_READER,), mailboxes=mailboxes),
            *(Host(name, accounts=(_READER,), autodiscover=services, cookie=left) for name in finders),
            Host(OTHER_MAIL, accounts=(_OTHER_READER,), mailboxes=frozenset({"example.org"})),
        ),
        services={SERVICE_NAME: (ServiceRecord(10, 0, HTTPS, SERVICE),)} if SERVICE in finders else {},
    )


def gateways(way: str, hosts: Sequence[str], ports: Mapping[str, int], more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operator's gateways. Hosts are named with the `ports` at which they listen, so that DNS is asked."""
    main: dict[str, Any] = {"name": "headquarters", "domains": [DOMAIN], "credentials": _READER, "auth": "ntlm"}
    if way == "named":
        main |= {"kind": "ews", "hosts": [f"{host}:{ports[host]}" for host in hosts]}
    else:
        main |= {"kind": "autodiscover"}
    other = {"name": "other", "kind": "ews", "domains": ["example.org"], "credentials": _OTHER_READER, "auth": "basic"}
    return [{**main, **more}, {**other, "hosts": [f"{OTHER_MAIL}:{ports[OTHER_MAIL]}"]}]


def strange_answer(request: bytes) -> bytes:
    """Return what the stranger answers: it asks everybody for a password, and speaks autodiscover correctly."""
    if b"\r\nauthorization: " not in request.lower():
        return http(401, b"", WWW_Authenticate='NTLM, Basic realm="stranger"')
    outlook = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    url = ews_url(STRANGERS[1])
    body = (
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">'
        f'<Response xmlns="{outlook}"><Account><AccountType>email</AccountType><Action>settings</Action>'
        f"<Protocol><Type>EXPR</Type><ASUrl>{url}</ASUrl><EwsUrl>{url}</EwsUrl></Protocol>"
        "</Account></Response></Autodiscover>"
    )
    return http(200, body.encode(), Content_Type="text/xml")
