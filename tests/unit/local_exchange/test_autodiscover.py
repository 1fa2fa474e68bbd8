from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.local_exchange.client import basic, ntlm, post, pox, session, texts

if TYPE_CHECKING:
    import requests

    from local.exchange.server import SimulatedExchange

PATH = "/autodiscover/autodiscover.xml"


def discover(
    exchange: SimulatedExchange, host: str, body: str, reference: str = "exchange-reader"
) -> requests.Response:
    with session(exchange, ntlm(exchange.accounts[reference])) as made:
        return post(made, f"https://{host}{PATH}", body)


@pytest.mark.parametrize(
    ("host", "reference", "address", "url"),
    [
        ("example.com", "exchange-reader", "alice@example.com", "https://mail.example.com/EWS/Exchange.asmx"),
        (
            "autodiscover.example.org",
            "exchange-reader",
            "Grace@Example.ORG",
            "https://mail.example.org/EWS/Exchange.asmx",
        ),
        (
            "autodiscover.hosting.test",
            "hosting-reader",
            "mia@branch.test",
            "https://mail.hosting.test/EWS/Exchange.asmx",
        ),
        (
            "owa.research.test:8443",
            "exchange-reader",
            "tina@research.test",
            "https://owa.research.test:8443/EWS/Exchange.asmx",
        ),
    ],
)
def test_each_domains_autodiscover_names_its_server(
    running: SimulatedExchange, host: str, reference: str, address: str, url: str
) -> None:
    answer = discover(running, host, pox(address), reference)
    assert answer.status_code == 200
    assert texts(answer, "//o:Action") == ["settings"]
    assert texts(answer, "//o:Protocol/o:Type") == ["EXCH", "EXPR"]
    assert texts(answer, "//o:Protocol/o:ASUrl") == [url, url]
    # The hosting company's server is of the kind that leaves EwsUrl out.
    assert texts(answer, "//o:Protocol/o:EwsUrl") == ([] if "hosting" in url else [url, url])


def test_the_path_has_no_case_and_basic_is_good_too(running: SimulatedExchange) -> None:
    with session(running, basic(running.accounts["exchange-reader"])) as made:
        answer = post(made, "https://example.com/AutoDiscover/AutoDiscover.XML", pox("alice@example.com"))
    assert texts(answer, "//o:AutoDiscoverSMTPAddress") == ["alice@example.com"]


def test_who_moved_is_sent_on_to_the_new_address(running: SimulatedExchange) -> None:
    answer = discover(running, "autodiscover.example.org", pox("liam@example.org"))
    assert texts(answer, "//o:Action") == ["redirectAddr"]
    assert texts(answer, "//o:RedirectAddr") == ["liam@example.com"]
    assert texts(discover(running, "example.com", pox("liam@example.com")), "//o:Action") == ["settings"]


def test_a_redirect_to_another_host_ends_there(running: SimulatedExchange) -> None:
    answer = discover(running, "autodiscover.hosting.test", pox("noah@branch.test"), "hosting-reader")
    assert texts(answer, "//o:Action") == ["redirectUrl"]
    assert texts(answer, "//o:RedirectUrl") == [f"https://discover.hosting.test{PATH}"]
    answer = discover(running, "discover.hosting.test", pox("noah@branch.test"), "hosting-reader")
    assert texts(answer, "//o:Action") == ["settings"]


def test_a_redirect_of_an_address_can_be_ordered(exchange: SimulatedExchange) -> None:
    exchange.organisation.change_mailbox("alice@example.com", redirect_address="alice@cloud.test")
    answer = discover(exchange, "example.com", pox("alice@example.com"))
    assert texts(answer, "//o:RedirectAddr") == ["alice@cloud.test"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (pox("nobody@example.com"), "500"),
        (pox("grace@example.org"), "500"),
        (pox("alice@example.com", "http://example.com/another-schema"), "601"),
        (pox("no address"), "600"),
        ("", "600"),
        ("not XML", "600"),
        ("<Autodiscover/>", "600"),
        (pox("alice@example.com").replace("EMailAddress", "Address"), "600"),
        (pox("alice@example.com").replace("</Request>", "<More/></Request>"), "600"),
    ],
)
def test_an_error_comes_with_its_code_and_status_200(running: SimulatedExchange, body: str, code: str) -> None:
    answer = discover(running, "example.com", body)
    assert answer.status_code == 200
    assert texts(answer, "//a:Error/a:ErrorCode") == [code]


def test_without_credentials_nothing_is_told(running: SimulatedExchange) -> None:
    with session(running) as made:
        answer = post(made, f"https://example.com{PATH}", pox("alice@example.com"))
    assert (answer.status_code, answer.content) == (401, b"")


def test_plain_http_redirects_the_one_get_and_nothing_else(exchange: SimulatedExchange) -> None:
    with session(exchange, basic(exchange.accounts["hosting-reader"])) as made:
        url = f"http://autodiscover.branch.test{PATH}"
        answer = made.get(url, allow_redirects=False, timeout=5)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"https://autodiscover.hosting.test{PATH}"
        assert post(made, url, pox("mia@branch.test")).status_code == 405
        assert made.get("http://autodiscover.branch.test/other", timeout=5).status_code == 404
    seen = list(exchange.requests)
    assert [(each.scheme, each.authorization, each.account) for each in seen] == [("http", "Basic", None)] * 3


def test_a_website_on_the_root_domain_knows_nothing_and_its_visitors_credentials_are_logged(
    exchange: SimulatedExchange,
) -> None:
    with session(exchange) as made:
        assert (
            post(made, f"https://branch.test{PATH}", pox("mia@branch.test"))
            .headers["Content-Type"]
            .startswith("text/html")
        )
        answer = post(made, f"https://example.org{PATH}", pox("grace@example.org"))
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        made.auth = basic(exchange.accounts["exchange-reader"])
        assert post(made, f"https://example.org{PATH}", pox("grace@example.org")).status_code == 401
    assert [each.authorization for each in exchange.requests] == [None, None, "Basic"]
