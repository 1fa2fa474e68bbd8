"""Attacks: servers that speak correctly, keep every byte, and must not get the account."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from exchange.autodiscover.trust import Trust
from exchange.endpoints import MemoryEndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.locating import Resolution
from local.exchange.kept_host import KeptHost, http
from local.exchange.nameserver import ServiceRecord
from tests.unit.exchange.hosts import NOW, PASSWORD, Net, challenge, pox_account, pox_settings, website, when_signed_in

ALICE = "alice@example.com"
EWS = "https://mail.example.com/EWS/Exchange.asmx"
STRANGER = "https://autodiscover.stranger.test/autodiscover/autodiscover.xml"


def assert_got_nothing(host: KeptHost) -> None:
    assert host.connections == 0
    assert host.received == b""


def sentences(resolution: Resolution) -> str:
    return " / ".join(step.sentence for step in resolution.trace)


def test_the_account_does_reach_the_host_that_may_have_it(net: Net) -> None:
    """The control: were nothing ever sent, every attack below would pass."""
    net.silent("example.com")
    trusted = net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(EWS))))

    resolution = net.reader().resolve(ALICE)

    assert resolution.endpoint is not None
    assert trusted.was_given_credentials
    assert base64.b64encode(f"EXAMPLE\\reader:{PASSWORD}".encode()) in trusted.received


@pytest.mark.parametrize("scheme", ['Basic realm="x"', "NTLM", "Negotiate", 'NTLM, Basic realm="x"'])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_a_website_on_the_root_domain_that_asks_for_a_password_gets_none(net: Net, scheme: str, auth: str) -> None:
    site = net.host("example.com", lambda _request: challenge(scheme))
    net.silent("autodiscover.example.com")

    resolution = net.reader({"auth": auth}).resolve(ALICE)

    assert site.requests, "it is asked, without the account"
    assert not site.was_given_credentials
    assert resolution.problem is not None
    assert "example.com asks for credentials" in sentences(resolution)


def test_the_root_domain_gets_the_account_once_the_operator_trusts_it_by_name(net: Net) -> None:
    root = net.host("example.com", when_signed_in(http(200, pox_settings(EWS))))

    resolution = net.reader({"trusted_hosts": ["example.com"]}).resolve(ALICE)

    assert resolution.endpoint is not None
    assert root.was_given_credentials


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_plain_http_redirect_to_a_foreign_host_with_a_valid_certificate_gets_nothing(net: Net, status: int) -> None:
    stranger = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("example.com")
    net.silent("autodiscover.example.com", 443)
    net.host("autodiscover.example.com", lambda _request: http(status, Location=STRANGER), port=80, plain=True)

    resolution = net.reader().resolve(ALICE)

    assert_got_nothing(stranger)
    assert resolution.problem is not None
    assert "autodiscover.stranger.test is where autodiscover is referred to" in sentences(resolution)


def test_plain_http_is_asked_for_a_redirect_and_told_nothing(net: Net) -> None:
    net.silent("example.com")
    net.silent("autodiscover.example.com", 443)
    plain = net.host("autodiscover.example.com", lambda _request: challenge("NTLM"), port=80, plain=True)

    net.reader({"auth": "ntlm"}).resolve(ALICE)

    (request,) = plain.requests
    assert request.startswith(b"GET /autodiscover/autodiscover.xml HTTP/1.1\r\n")
    assert b"alice" not in plain.received
    assert not plain.was_given_credentials


@pytest.mark.parametrize(
    "location",
    [
        "http://autodiscover.example.com/autodiscover/autodiscover.xml",
        "http://mail.example.com/autodiscover/autodiscover.xml",
        "https://somebody@mail.example.com/autodiscover/autodiscover.xml",
        "https://mail.example.com/owa/",
        "https://mail.example.com/autodiscover/autodiscover.xml?sent=Basic",
        "ftp://mail.example.com/autodiscover/autodiscover.xml",
        "//",
    ],
)
def test_a_redirect_to_anything_but_https_autodiscover_is_not_followed(net: Net, location: str) -> None:
    target = net.host("mail.example.com", lambda _request: challenge())
    plain = net.host("mail.example.com", lambda _request: challenge(), port=80, plain=True)
    net.silent("example.com")
    net.host("autodiscover.example.com", lambda _request: http(302, Location=location))
    net.host("autodiscover.example.com", lambda _request: http(302, Location=location), port=80, plain=True)

    resolution = net.reader().resolve(ALICE)

    assert resolution.problem is not None
    assert_got_nothing(target)
    assert_got_nothing(plain)


def test_a_trusted_host_that_redirects_with_the_account_in_hand_takes_it_nowhere(net: Net) -> None:
    stranger = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(302, Location=STRANGER)))

    resolution = net.reader().resolve(ALICE)

    assert_got_nothing(stranger)
    assert resolution.problem is not None


def test_a_redirect_url_to_a_stranger_is_not_followed(net: Net) -> None:
    stranger = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("example.com")
    moved = pox_account(f"<Action>redirectUrl</Action><RedirectUrl>{STRANGER}</RedirectUrl>")
    net.host("autodiscover.example.com", when_signed_in(http(200, moved)))

    resolution = net.reader().resolve(ALICE)

    assert_got_nothing(stranger)
    assert resolution.problem is not None
    assert resolution.problem.code == "HostNotTrusted"


def test_a_server_can_t_make_its_own_domain_the_user_s_by_redirecting_the_address(net: Net) -> None:
    """The website on the root domain says: she is mallory@stranger.test now; go on and sign in there."""
    stranger = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    stranger_root = net.host("stranger.test", lambda _request: challenge())
    moved = pox_account("<Action>redirectAddr</Action><RedirectAddr>mallory@stranger.test</RedirectAddr>")
    net.host("example.com", lambda _request: http(200, moved))

    resolution = net.reader().resolve(ALICE)

    assert_got_nothing(stranger)
    assert not stranger_root.was_given_credentials
    assert resolution.problem is not None
    assert resolution.problem.code == "HostNotTrusted"


def test_a_website_can_t_show_one_person_s_calendar_under_the_name_of_another(net: Net) -> None:
    """Nobody vouches for the root domain; what it says of addresses is believed once the operator trusts it by name."""
    renamed = pox_account("<Action>redirectAddr</Action><RedirectAddr>bob@example.com</RedirectAddr>")
    net.host("example.com", lambda request: http(200, renamed) if ALICE.encode() in request else http(404))
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(EWS))))

    found = net.reader().resolve(ALICE)
    trusted = net.reader({"trusted_hosts": ["example.com"]}).resolve(ALICE)

    assert found.endpoint is not None
    assert found.mailbox == ALICE
    assert "says that the mailbox is bob@example.com now" in sentences(found)
    assert trusted.mailbox == "bob@example.com"


def test_an_srv_record_that_names_a_stranger_is_not_asked(net: Net) -> None:
    stranger = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "autodiscover.stranger.test"))

    resolution = net.reader().resolve(ALICE)

    assert_got_nothing(stranger)
    assert resolution.problem is not None
    assert resolution.problem.code == "HostNotTrusted"


@pytest.mark.parametrize("address", ["169.254.169.254", "127.0.0.1", "169.254.1.1"])
def test_an_srv_record_that_leads_to_this_machine_or_its_metadata_is_refused(net: Net, address: str) -> None:
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "web.example.com"))
    net.zone.add_address("web.example.com", address)

    resolution = net.reader(connect={}, allow_loopback=False).resolve(ALICE)

    assert f"web.example.com leads to {address}" in sentences(resolution)
    assert resolution.problem is not None


def test_an_ews_url_on_a_foreign_host_is_refused_and_gets_nothing(net: Net) -> None:
    stranger = net.host("mail.stranger.test", when_signed_in(http(200)))
    net.silent("example.com")
    url = "https://mail.stranger.test/EWS/Exchange.asmx"
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(url))))

    resolution = net.reader().resolve(ALICE)

    assert resolution.problem is not None
    assert resolution.problem.code == "HostNotTrusted"
    assert "mail.stranger.test" in resolution.problem.remedy
    assert_got_nothing(stranger)


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com/EWS/Exchange.asmx",
        "https://u:p@mail.example.com/EWS/",
        f"{EWS}?sent=Basic",
        f"{EWS}#sent=Basic",
    ],
)
def test_an_ews_url_that_is_not_plain_https_is_refused(net: Net, url: str) -> None:
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(url))))

    resolution = net.reader().resolve(ALICE)

    assert resolution.problem is not None
    assert resolution.problem.code == "EndpointUnusable"


def test_a_host_whose_certificate_is_for_another_name_gets_nothing(net: Net) -> None:
    net.silent("example.com")
    impostor = net.host("autodiscover.example.com", when_signed_in(http(200)), cert="autodiscover.stranger.test")

    resolution = net.reader().resolve(ALICE)

    assert impostor.received == b""
    assert resolution.problem is not None
    assert resolution.problem.code == "CertificateInvalid"


def test_no_shorter_domain_is_ever_asked_for(net: Net) -> None:
    """The great leak of 2021 went to autodiscover.<tld>."""
    # A domain of this test's own: looks of the tests before may still be under way.
    for name in ("autodiscover.emea.test", "emea.test", "autodiscover.test", "test"):
        net.silent(name)

    net.reader({"domains": ["sales.emea.test"]}, connect={}).resolve("alice@sales.emea.test")

    asked = {name for name, _ in net.nameserver.queries if name.endswith("test")}
    assert asked == {
        "sales.emea.test",
        "autodiscover.sales.emea.test",
        "_autodiscover._tcp.sales.emea.test",
    }


def test_below_a_registry_s_domain_nobody_is_trusted(net: Net) -> None:
    anybody = net.host("autodiscover.co.uk", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("co.uk")

    net.reader({"domains": ["co.uk"]}).resolve("alice@co.uk")

    assert_got_nothing(anybody)


def test_an_address_in_a_domain_that_no_gateway_names_takes_the_account_nowhere(net: Net) -> None:
    """A gateway for all others serves her; who owns her domain, nobody knows."""
    anybody = net.host("autodiscover.stranger.test", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("stranger.test")

    resolution = net.reader({"domains": ["*"]}).resolve("mallory@stranger.test")

    assert_got_nothing(anybody)
    assert resolution.problem is not None
    assert resolution.problem.code == "HostNotTrusted"
    assert 'add "autodiscover.stranger.test" to trusted_hosts' in resolution.problem.remedy


def test_a_gateway_for_all_others_gives_the_account_to_the_hosts_that_it_trusts(net: Net) -> None:
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(EWS))))
    trusted = ["autodiscover.example.com", "mail.example.com"]

    resolution = net.reader({"domains": ["*"], "trusted_hosts": trusted}).resolve(ALICE)

    assert resolution.endpoint is not None
    assert resolution.endpoint.url == EWS


def test_single_users_make_no_host_a_trusted_one(net: Net) -> None:
    content: dict[str, Any] = net.content({"users": [ALICE]})
    del content["gateways"][0]["domains"]

    assert not Trust(parse_gateways(content).gateways[0]).may_have_credentials("autodiscover.example.com")


def test_an_endpoint_known_from_before_loses_the_account_with_the_document_s_trust(net: Net) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    cache.put("mailbox#mallory@stranger.test", {"gateway": "gateway0", "url": EWS, "mailbox": ALICE}, 3600)
    mail = net.host("mail.example.com", when_signed_in(http(200)))
    for name in ("stranger.test", "autodiscover.stranger.test"):
        net.silent(name)

    resolution = net.reader({"domains": ["*"]}, cache=cache).resolve("mallory@stranger.test")

    assert resolution.endpoint is None
    assert_got_nothing(mail)


def test_a_host_whose_name_only_ends_like_the_domain_is_a_stranger(net: Net) -> None:
    lookalike = net.host("autodiscover.notexample.com", when_signed_in(http(200, pox_settings(EWS))))
    net.silent("example.com")
    location = "https://autodiscover.notexample.com/autodiscover/autodiscover.xml"
    net.host("autodiscover.example.com", lambda _request: http(302, Location=location))

    net.reader().resolve(ALICE)

    assert_got_nothing(lookalike)


def test_nothing_that_a_server_echoes_reaches_trace_or_problem(net: Net) -> None:
    """A chatty server writes what it was sent into every part of its answer."""

    def echo(request: bytes) -> bytes:
        if b"authorization: basic" not in request.lower():
            return challenge()
        secret = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:"))
        code = secret.split()[-1].decode()
        return http(200, pox_account(f"<Action>{code}</Action><X>{code}</X>"), Location=code, Server=code)

    host = net.host("autodiscover.example.com", echo)
    net.host("example.com", website)

    resolution = net.reader().resolve(ALICE)

    assert host.was_given_credentials
    told = repr(resolution)
    assert base64.b64encode(f"EXAMPLE\\reader:{PASSWORD}".encode()).decode() not in told
    assert PASSWORD not in told


@pytest.mark.parametrize("url", ["{}", "https://mail.example.com/{}", "javascript:{}", "https://[{}"])
def test_a_url_made_of_what_a_server_was_sent_is_not_shown(net: Net, url: str) -> None:
    code = base64.b64encode(f"EXAMPLE\\reader:{PASSWORD}".encode()).decode()
    moved = pox_account(f"<Action>redirectUrl</Action><RedirectUrl>{url.format(code)}</RedirectUrl>")
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, moved)))

    resolution = net.reader().resolve(ALICE)

    assert resolution.problem is not None
    assert code.lower() not in repr(resolution).lower()
