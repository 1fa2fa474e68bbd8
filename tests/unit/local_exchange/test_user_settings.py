"""SOAP autodiscover of the simulated Exchange, asked by an independent client."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from tests.unit.local_exchange.client import basic, ntlm, post, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from local.exchange.server import SimulatedExchange

PATH = "/autodiscover/autodiscover.svc"
AUTODISCOVER = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "exchange"
NAMES = {"a": AUTODISCOVER, "s": "http://schemas.xmlsoap.org/soap/envelope/"}


def asked(addresses: Sequence[str], settings: Sequence[str] = ("ExternalEwsUrl",), host: str = "example.com") -> str:
    users = "".join(f"<a:User><a:Mailbox>{address}</a:Mailbox></a:User>" for address in addresses)
    names = "".join(f"<a:Setting>{name}</a:Setting>" for name in settings)
    return (
        f'<s:Envelope xmlns:s="{NAMES["s"]}" xmlns:a="{AUTODISCOVER}" xmlns:w="http://www.w3.org/2005/08/addressing">'
        f"<s:Header><a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion><w:Action>{AUTODISCOVER}"
        f"/Autodiscover/GetUserSettings</w:Action><w:To>https://{host}{PATH}</w:To></s:Header><s:Body>"
        f"<a:GetUserSettingsRequestMessage><a:Request><a:Users>{users}</a:Users><a:RequestedSettings>{names}"
        "</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>"
    )


def ask(exchange: SimulatedExchange, body: str, host: str = "example.com") -> requests.Response:
    with session(exchange, ntlm(exchange.accounts["exchange-reader"])) as made:
        return post(made, f"https://{host}{PATH}", body)


def texts(answer: requests.Response, path: str) -> list[str]:
    found = etree.fromstring(answer.content).xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [each.text or "" for each in found if isinstance(each, etree._Element)]


def test_many_users_are_answered_in_their_order_each_alone(running: SimulatedExchange) -> None:
    answer = ask(running, asked(["bob@example.com", "nobody@example.com", "grace@example.org", "alice@example.com"]))

    assert answer.status_code == 200
    assert texts(answer, "//a:Response/a:ErrorCode") == ["NoError"]
    assert texts(answer, "//a:UserResponse/a:ErrorCode") == ["NoError", "InvalidUser", "InvalidDomain", "NoError"]
    assert texts(answer, "//a:UserSetting/a:Value") == ["https://mail.example.com/EWS/Exchange.asmx"] * 2


def test_the_settings_asked_for_are_told_and_no_others(running: SimulatedExchange) -> None:
    wanted = ("AutoDiscoverSMTPAddress", "InternalEwsUrl", "EwsSupportedSchemas", "MailboxColour")
    answer = ask(running, asked(["alice@example.com"], wanted))

    assert texts(answer, "//a:UserSetting/a:Name") == sorted(wanted[:3])
    assert texts(answer, "//a:UserSettingError/a:SettingName") == ["MailboxColour"]
    assert texts(answer, "//a:UserSettingError/a:ErrorCode") == ["InvalidSetting"]
    assert "Exchange2013" in texts(answer, "//a:UserSetting[a:Name='EwsSupportedSchemas']/a:Value")[0]


def test_who_moved_is_redirected_by_address_or_by_url(exchange: SimulatedExchange) -> None:
    url = "https://autodiscover.hosting.test/autodiscover/autodiscover.xml"
    exchange.organisation.change_mailbox("alice@example.com", redirect_address="alice@cloud.test")
    exchange.organisation.change_mailbox("bob@example.com", redirect_url=url)
    answer = ask(exchange, asked(["alice@example.com", "bob@example.com"]))

    assert texts(answer, "//a:UserResponse/a:ErrorCode") == ["RedirectAddress", "RedirectUrl"]
    assert texts(answer, "//a:RedirectTarget") == ["alice@cloud.test", url.replace(".xml", ".svc")]


def test_a_mailbox_on_another_server_has_its_url(exchange: SimulatedExchange) -> None:
    exchange.organisation.change_mailbox("alice@example.com", server="new.example.com")
    answer = ask(exchange, asked(["alice@example.com", "bob@example.com"]))

    urls = [f"https://{host}.example.com/EWS/Exchange.asmx" for host in ("new", "mail")]
    assert texts(answer, "//a:UserSetting/a:Value") == urls


@pytest.mark.parametrize("count", [0, 101])
def test_more_than_a_hundred_users_are_refused_and_so_are_none(running: SimulatedExchange, count: int) -> None:
    answer = ask(running, asked(["alice@example.com"] * count))

    assert texts(answer, "//a:Response/a:ErrorCode") == ["InvalidRequest"]
    assert texts(answer, "//a:UserResponse") == []


GOOD = asked(["alice@example.com"])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<a/>",
        GOOD.replace("Exchange2010", "Exchange2003"),
        GOOD.replace("GetUserSettings</w:Action>", "GetDomainSettings</w:Action>"),
        GOOD.replace(PATH, "/ews/exchange.asmx"),
        GOOD.replace("a:Users>", "a:People>"),
        GOOD.replace("<a:RequestedSettings>", "<a:More/><a:RequestedSettings>"),
    ],
)
def test_what_is_no_such_request_gets_a_fault(running: SimulatedExchange, body: str) -> None:
    answer = ask(running, body)

    assert answer.status_code == 500
    assert texts(answer, "//faultcode") == ["s:Client"]


def test_the_request_is_logged_with_its_mailboxes(exchange: SimulatedExchange) -> None:
    ask(exchange, asked(["alice@example.com", "bob@example.com"]))

    (logged,) = exchange.requests.of("GetUserSettings")
    assert (logged.mailboxes, logged.status, logged.path) == (2, 200, PATH)


def test_without_credentials_nothing_is_told(running: SimulatedExchange) -> None:
    with session(running) as made:
        answer = post(made, f"https://example.com{PATH}", GOOD)
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_host_that_speaks_pox_only_has_no_such_service(running: SimulatedExchange) -> None:
    with session(running, basic(running.accounts["hosting-reader"])) as made:
        assert post(made, f"https://autodiscover.hosting.test{PATH}", GOOD).status_code == 404


def test_the_request_that_microsoft_prints_is_read(running: SimulatedExchange) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("../shared/samples/exchange is absent: Microsoft's samples are not part of the project")
    answer = ask(running, (SAMPLES / "Autodiscover-SOAP-GetUserSettings-request.xml").read_text())

    assert texts(answer, "//a:UserResponse/a:ErrorCode") == ["InvalidDomain"]
