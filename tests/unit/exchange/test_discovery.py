from __future__ import annotations

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import http
from local.exchange.nameserver import NameFault, ServiceRecord
from presence.errors import ProblemKind
from tests.unit.exchange.hosts import NOW, Net, challenge, pox_account, pox_error, pox_settings, website, when_signed_in

ALICE = "alice@example.com"
EWS = "https://mail.example.com/EWS/Exchange.asmx"
FOUND = http(200, pox_settings(EWS))
SERVICE = "https://autodiscover.example.com/autodiscover/autodiscover.xml"


def test_the_steps_are_taken_in_their_order_until_one_answers(net: Net) -> None:
    net.host("example.com", website)
    net.silent("autodiscover.example.com", 443)
    net.host("autodiscover.example.com", lambda _request: http(404), port=80, plain=True)
    net.silent("worse.example.com")
    net.host("better.example.com", when_signed_in(FOUND), port=8443)
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(20, 100, 443, "worse.example.com"))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(10, 0, 8443, "better.example.com"))

    resolution = net.reader().resolve(ALICE)

    assert resolution.endpoint is not None
    assert resolution.endpoint.url == EWS
    assert [(step.step, step.asked, step.status) for step in resolution.trace] == [
        ("root-domain", "https://example.com/autodiscover/autodiscover.xml", 200),
        ("autodiscover", "https://autodiscover.example.com/autodiscover/autodiscover.xml", None),
        ("http-redirect", "http://autodiscover.example.com/autodiscover/autodiscover.xml", 404),
        ("srv", "_autodiscover._tcp.example.com", None),
        ("srv", "https://better.example.com:8443/autodiscover/autodiscover.xml", 200),
    ]
    assert resolution.trace[3].addresses == ("better.example.com:8443", "worse.example.com:443")
    assert all(step.sentence and step.milliseconds >= 0 for step in resolution.trace)


def test_steps_that_the_operator_skips_are_not_taken(net: Net) -> None:
    site = net.host("example.com", website)
    net.host("autodiscover.example.com", when_signed_in(FOUND))

    resolution = net.reader({"skip": ["root-domain"]}).resolve(ALICE)

    assert resolution.endpoint is not None
    assert site.connections == 0


def test_one_401_is_not_conclusive(net: Net) -> None:
    net.host("example.com", lambda _request: challenge())
    net.host("autodiscover.example.com", when_signed_in(FOUND))

    assert net.reader({"trusted_hosts": ["example.com"]}).resolve(ALICE).endpoint is not None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (website(), "another service, perhaps a website"),
        (http(200, b""), "not well-formed XML"),
        (http(200, b"<Autodiscover/>"), "another root element"),
        (http(200, pox_account("<Action>settings</Action>")), "no Protocol"),
        (http(200, pox_settings(EWS)[:-30]), "not well-formed XML"),
        (http(200, b'<!DOCTYPE a [<!ENTITY b "c">]>' + pox_settings(EWS)[38:]), "document type declaration"),
        (http(404), "HTTP status 404"),
        (http(503), "HTTP status 503"),
        (http(200, pox_error(600)), "autodiscover error 600"),
        (http(302, Location="https://[::1/"), "it redirects to what is no URL"),
        (http(302, Location="//["), "it redirects to what is no URL"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_an_answer_that_leads_nowhere_sends_on_to_the_next_candidate(net: Net, answer: bytes, why: str) -> None:
    net.host("example.com", lambda _request: answer)
    net.host("autodiscover.example.com", when_signed_in(FOUND))

    resolution = net.reader().resolve(ALICE)

    assert resolution.endpoint is not None
    assert why in resolution.trace[0].sentence


def test_an_ews_url_longer_than_any_is_refused_before_it_is_kept(net: Net) -> None:
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(EWS + "?" + "a" * 2083))))

    resolution = net.reader().resolve(ALICE)

    assert resolution.problem is not None
    assert resolution.problem.code == "EndpointUnusable"
    assert "is longer than 2083 characters" in resolution.problem.text


def test_an_unknown_mailbox_is_told_apart_from_a_failing_service(net: Net) -> None:
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_error(500))))

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert (problem.code, problem.kind) == ("MailboxNotFound", ProblemKind.LASTING)
    assert ALICE in problem.text


@pytest.mark.parametrize("failing", [http(503), None])
def test_a_website_that_knows_no_mailbox_is_not_believed_while_the_organisation_s_own_service_fails(
    net: Net, failing: bytes | None
) -> None:
    net.host("example.com", lambda _request: http(200, pox_error(500)))
    net.host("autodiscover.example.com", lambda _request: failing)

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert (problem.code, problem.kind) == ("AutodiscoverFailed", ProblemKind.PASSING)


def test_the_organisation_s_own_service_is_believed_that_it_knows_no_mailbox_whatever_else_fails(net: Net) -> None:
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_error(500))))
    net.zone.strike("_autodiscover._tcp.example.com", NameFault.SERVER_FAILURE)

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "MailboxNotFound"


def test_a_redirected_address_is_looked_up_anew_and_read_under_its_new_name(net: Net) -> None:
    moved = pox_account("<Action>redirectAddr</Action><RedirectAddr>Alice@Cloud.example.com</RedirectAddr>")
    net.host("autodiscover.example.com", when_signed_in(http(200, moved)))
    net.host("autodiscover.cloud.example.com", when_signed_in(FOUND))
    for name in ("example.com", "cloud.example.com"):
        net.silent(name)

    resolution = net.reader().resolve(ALICE)

    assert resolution.endpoint is not None
    assert resolution.mailbox == "alice@cloud.example.com"


def test_an_address_that_is_redirected_in_a_circle_is_given_up(net: Net) -> None:
    def send_on(request: bytes) -> bytes:
        other = "alice@example.com" if b"bob@example.com" in request else "bob@example.com"
        return http(200, pox_account(f"<Action>redirectAddr</Action><RedirectAddr>{other}</RedirectAddr>"))

    host = net.host("example.com", send_on)

    problem = net.reader({"trusted_hosts": ["example.com"]}).resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "TooManyRedirects"
    assert len(host.requests) == 2


def test_a_service_that_redirects_to_itself_is_asked_once(net: Net) -> None:
    net.silent("example.com")
    host = net.host("autodiscover.example.com", lambda _request: http(302, Location=SERVICE))

    resolution = net.reader({"skip": ["http-redirect"]}).resolve(ALICE)

    assert resolution.problem is not None
    assert len(host.requests) == 1
    assert any("asked already" in step.sentence for step in resolution.trace)


def test_at_most_ten_redirects_are_followed(net: Net) -> None:
    net.silent("example.com")
    count = iter(range(1000))
    host = net.host(
        "autodiscover.example.com", lambda _request: http(302, Location=f"/autodiscover/{next(count)}/autodiscover.xml")
    )

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "TooManyRedirects"
    assert len(host.requests) == 11


def test_a_redirect_to_a_host_that_the_operator_trusts_is_followed(net: Net) -> None:
    net.silent("example.com")
    net.silent("autodiscover.example.com", 443)
    location = "https://autodiscover.hoster.test/autodiscover/autodiscover.xml"
    net.host("autodiscover.example.com", lambda _request: http(302, Location=location), port=80, plain=True)
    net.host("autodiscover.hoster.test", when_signed_in(FOUND))

    resolution = net.reader({"trusted_hosts": ["autodiscover.hoster.test"]}).resolve(ALICE)

    assert resolution.endpoint is not None


def test_the_second_mailbox_of_a_domain_costs_one_request(net: Net) -> None:
    root = net.host("example.com", website)
    service = net.host("autodiscover.example.com", when_signed_in(FOUND))
    reader = net.reader()
    reader.resolve(ALICE)
    root.requests.clear()
    service.requests.clear()

    resolution = reader.resolve("bob@example.com")

    assert resolution.endpoint is not None
    assert (len(root.requests), len(service.requests)) == (0, 1)


def test_a_service_that_no_longer_answers_is_looked_for_again(net: Net) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    net.silent("example.com")
    net.host("autodiscover.example.com", when_signed_in(FOUND))
    net.reader(cache=cache).resolve(ALICE)
    net.silent("autodiscover.example.com")
    net.host("new.example.com", when_signed_in(FOUND))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "new.example.com"))

    resolution = net.reader(cache=cache).resolve("bob@example.com")

    assert resolution.endpoint is not None
    assert [step.step for step in resolution.trace] == ["known", "root-domain", "autodiscover", "http-redirect"] + [
        "srv"
    ] * 2


def test_a_known_mailbox_is_not_asked_for_again_until_its_time_is_over(net: Net) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    net.silent("example.com")
    service = net.host("autodiscover.example.com", when_signed_in(FOUND))
    net.reader(cache=cache).resolve(ALICE)
    service.requests.clear()

    resolution = net.reader(cache=cache).resolve(ALICE)

    assert resolution.endpoint is not None
    assert resolution.trace[0].step == "cached"
    assert not service.requests


def test_what_the_cache_knows_is_not_believed_once_the_document_no_longer_trusts_it(net: Net) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    net.silent("example.com")
    url = "https://mail.hoster.test/EWS/Exchange.asmx"
    net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(url))))
    trusting = net.reader({"trusted_hosts": ["mail.hoster.test"]}, cache=cache)
    assert trusting.resolve(ALICE).endpoint is not None

    problem = net.reader(cache=cache).resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "HostNotTrusted"


def test_a_failing_name_server_makes_the_problem_a_passing_one(net: Net) -> None:
    skip = {"skip": ["root-domain", "http-redirect", "srv"]}

    problem = net.reader(skip, nameservers=[net.closed], connect={}).resolve(ALICE).problem

    assert problem is not None
    assert (problem.code, problem.kind) == ("AutodiscoverFailed", ProblemKind.PASSING)


def test_a_domain_that_dns_does_not_know_is_a_lasting_problem(net: Net) -> None:
    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert (problem.code, problem.kind) == ("AutodiscoverFailed", ProblemKind.LASTING)
    assert "root-domain: DNS knows no address of example.com" in problem.text


def test_an_authentication_that_the_server_does_not_offer_is_named(net: Net) -> None:
    net.silent("example.com")
    host = net.host("autodiscover.example.com", lambda _request: challenge("NTLM"))

    problem = net.reader().resolve(ALICE).problem

    assert problem is not None
    assert problem.code == "AuthenticationNotOffered"
    assert "offers ntlm" in problem.text
    assert not host.was_given_credentials


def test_a_domain_that_dns_can_t_have_is_a_lasting_problem_which_says_so(net: Net) -> None:
    domain = f"{'ü' * 63}.example"

    problem = net.reader({"domains": ["*"]}).resolve(f"anna@{domain}").problem

    assert problem is not None
    assert (problem.code, problem.kind) == ("AutodiscoverFailed", ProblemKind.LASTING)
    assert f"for {domain}: DNS can't have" in problem.text


def test_international_domains_are_asked_for_in_their_ascii_form(net: Net) -> None:
    net.silent("xn--bcher-kva.example")
    net.host("autodiscover.xn--bcher-kva.example", when_signed_in(http(200, pox_settings(EWS))))

    resolution = net.reader({"domains": ["bücher.example"], "trusted_hosts": ["mail.example.com"]}).resolve(
        "anna@bücher.example"
    )

    assert resolution.endpoint is not None
