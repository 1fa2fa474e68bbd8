"""Mailboxes of a domain that are looked for together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from exchange.endpoints import MemoryEndpointCache
from exchange.locating import Resolution
from local.exchange.kept_host import KeptHost, Respond, http
from tests.unit.exchange.attackers import asking
from tests.unit.exchange.hosts import NOW, Net, challenge, pox_account, pox_error, pox_settings, website
from tests.unit.exchange.soap_answers import (
    is_soap,
    refused_user,
    service,
    settings_of_user,
    user_settings,
    users_asked,
)

EWS = "https://mail.example.com/EWS/Exchange.asmx"
USERS = [f"user{number}@example.com" for number in range(250)]
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
FOUND = http(200, pox_settings(EWS))


def found(address: str) -> str:
    return settings_of_user(address, external=EWS)


def locate(
    net: Net, addresses: Sequence[str], cache: MemoryEndpointCache | None = None, **gateway: object
) -> Mapping[str, Resolution]:
    return net.locate(addresses, gateway, cache=cache)


def endpoints(resolutions: Mapping[str, Resolution]) -> dict[str, str]:
    return {address: one.endpoint.url for address, one in resolutions.items() if one.endpoint is not None}


def problems(resolutions: Mapping[str, Resolution]) -> dict[str, str]:
    return {address: one.problem.code for address, one in resolutions.items() if one.problem is not None}


def own_service(net: Net, respond: Respond, name: str = "autodiscover.example.com") -> KeptHost:
    net.silent(name.removeprefix("autodiscover."))
    return net.host(name, asking("basic", respond))


def signed_in(host: KeptHost) -> list[bytes]:
    return [request for request in host.requests if b"authorization:" in request.lower()]


def test_two_hundred_and_fifty_mailboxes_are_three_questions_after_the_first(net: Net) -> None:
    host = own_service(net, service(found))

    assert endpoints(locate(net, USERS)) == dict.fromkeys(USERS, EWS)

    assert [len(users_asked(request)) for request in signed_in(host)] == [100, 100, 50]
    (first,) = (
        request for request in host.requests if b"authorization:" not in request.lower() and not is_soap(request)
    )
    assert b"<EMailAddress>user0@example.com</EMailAddress>" in first


def test_one_mailbox_is_asked_for_in_pox_which_tells_more(net: Net) -> None:
    oof = "https://mail.example.com/EWS/oof.asmx"
    answer = http(200, pox_settings(EWS, extra=f"<OOFUrl>{oof}</OOFUrl>"))
    host = own_service(net, service(found, lambda _: answer))

    settings = locate(net, [ALICE])[ALICE].settings

    assert not any(map(is_soap, host.requests))
    assert settings is not None
    assert settings.external is not None
    assert settings.external.oof == oof


@pytest.mark.parametrize(
    "refusal",
    [http(404), http(405), http(403), http(302, Location="/owa/"), website(), http(501), http(200, b"")],
    ids=["404", "405", "403", "a redirection", "a website", "501", "nothing"],
)
def test_a_service_without_soap_is_asked_one_by_one_and_remembered(net: Net, refusal: bytes) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    host = own_service(net, lambda request: refusal if is_soap(request) else FOUND)

    assert endpoints(locate(net, USERS[:4], cache)) == dict.fromkeys(USERS[:4], EWS)
    asked_in_soap = sum(map(is_soap, host.requests))
    assert endpoints(locate(net, USERS[4:8], cache)) == dict.fromkeys(USERS[4:8], EWS)

    assert sum(map(is_soap, host.requests)) == asked_in_soap > 0


@pytest.mark.parametrize(
    "mistake",
    [
        http(500, b"<html/>"),
        http(200, user_settings(found(ALICE))),
        http(200, user_settings(found(BOB), found(ALICE))),
        http(200, user_settings(found(ALICE), found(BOB))[:-40]),
        http(200, user_settings(code="InvalidRequest")),
    ],
    ids=["a failure", "one too few", "another order", "broken off", "refused"],
)
def test_an_answer_in_soap_that_can_t_be_used_is_asked_for_again_in_pox_and_soap_the_next_time(
    net: Net, mistake: bytes
) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    bad = [mistake]

    def respond(request: bytes) -> bytes | None:
        if is_soap(request) and bad:
            return bad.pop()
        return service(found, lambda _: FOUND)(request)

    host = own_service(net, respond)
    assert endpoints(locate(net, [ALICE, BOB], cache)) == {ALICE: EWS, BOB: EWS}
    host.requests.clear()
    locate(net, USERS[:3], cache)

    assert [is_soap(request) for request in host.requests] == [True]


def test_whom_soap_does_not_help_with_is_asked_for_in_pox_alone(net: Net) -> None:
    """A server that has no EWS URL for a mailbox may have an ASUrl, which SOAP knows no name for."""

    def of_user(address: str) -> str:
        return settings_of_user(address) if address == BOB else found(address)

    host = own_service(net, service(of_user, lambda _: FOUND))

    resolutions = locate(net, [ALICE, BOB, CAROL])

    assert endpoints(resolutions) == {ALICE: EWS, BOB: EWS, CAROL: EWS}
    assert [is_soap(request) for request in signed_in(host)] == [True, False]
    assert [step.sentence for step in resolutions[BOB].trace][-2:] == [
        "says nothing of use about this mailbox; it is asked for alone",
        "tells where the mailbox is",
    ]


def test_each_mailbox_has_its_own_answer(net: Net) -> None:
    new = "https://new.example.com/EWS/Exchange.asmx"
    own_service(
        net,
        service(
            {
                ALICE: found(ALICE),
                BOB: refused_user("InvalidUser"),
                CAROL: refused_user(
                    "RedirectUrl", "https://autodiscover.emea.example.com/autodiscover/autodiscover.svc"
                ),
                "dave@example.com": refused_user("RedirectAddress", "dave@cloud.example.com"),
                "erin@example.com": refused_user("ServerBusy"),
            }.__getitem__,
            lambda _: http(200, pox_error(603)),
        ),
    )
    own_service(net, service(found, lambda _: http(200, pox_settings(new))), "autodiscover.emea.example.com")
    own_service(net, service(found, lambda _: http(200, pox_settings(new))), "autodiscover.cloud.example.com")

    resolutions = locate(
        net, [ALICE, BOB, CAROL, "dave@example.com", "erin@example.com"], skip=["http-redirect", "srv"]
    )

    assert endpoints(resolutions) == {ALICE: EWS, CAROL: new, "dave@example.com": new}
    assert problems(resolutions) == {BOB: "MailboxNotFound", "erin@example.com": "AutodiscoverFailed"}
    assert resolutions["dave@example.com"].mailbox == "dave@cloud.example.com"
    assert resolutions["erin@example.com"].problem is not None
    assert resolutions["erin@example.com"].problem.kind == "passing"


def test_mailboxes_that_moved_to_one_place_go_there_together(net: Net) -> None:
    target = "https://autodiscover.emea.example.com/autodiscover/autodiscover.svc"
    own_service(net, service(lambda _: refused_user("RedirectUrl", target)))
    there = own_service(net, service(found), "autodiscover.emea.example.com")

    assert len(endpoints(locate(net, USERS[:50]))) == 50

    assert [len(users_asked(request)) for request in signed_in(there)] == [50]


def test_redirected_addresses_are_looked_for_together_too(net: Net) -> None:
    own_service(net, service(lambda each: refused_user("RedirectAddress", each.replace("@", "@cloud."))))
    there = own_service(net, service(found), "autodiscover.cloud.example.com")

    resolutions = locate(net, USERS[:50])

    assert {one.mailbox for one in resolutions.values()} == {each.replace("@", "@cloud.") for each in USERS[:50]}
    assert [len(users_asked(request)) for request in signed_in(there)] == [50]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _address, url: refused_user("RedirectUrl", url),
        lambda address, _url: refused_user("RedirectAddress", "bob@" if address.startswith("alice@") else "alice@"),
    ],
    ids=["of services", "of addresses"],
)
def test_a_circle_is_found_in_soap_as_well(net: Net, answer: Callable[[str, str], str]) -> None:
    own = "https://autodiscover.example.com/autodiscover/autodiscover.svc"
    host = own_service(net, service(lambda each: answer(each, own).replace("bob@", BOB).replace("alice@", ALICE)))

    resolutions = locate(net, [ALICE, BOB], skip=["http-redirect", "srv"])

    assert set(problems(resolutions).values()) <= {"TooManyRedirects", "AutodiscoverFailed"}
    assert len(problems(resolutions)) == 2
    assert len(host.requests) <= 6


def test_redirections_are_counted_over_all_kinds_and_ten_are_followed(net: Net) -> None:
    """Three kinds take turns: the address, the URL in an answer, and the URL in a header."""
    hops = iter(range(1000))

    def respond(_request: bytes) -> bytes:
        hop = next(hops)
        url = f"https://autodiscover.example.com/autodiscover/{hop}/autodiscover.xml"
        address = f"alice{hop}@example.com"
        match hop % 3:
            case 0:
                return http(302, Location=url)
            case 1:
                return http(200, pox_account(f"<Action>redirectUrl</Action><RedirectUrl>{url}</RedirectUrl>"))
        return http(200, pox_account(f"<Action>redirectAddr</Action><RedirectAddr>{address}</RedirectAddr>"))

    host = own_service(net, respond)

    assert problems(locate(net, [ALICE])) == {ALICE: "TooManyRedirects"}
    assert len(signed_in(host)) == 11


def test_a_service_that_is_busy_is_not_asked_a_hundred_times_more(net: Net) -> None:
    host = own_service(net, lambda _: http(503))

    resolutions = locate(net, USERS[:100], skip=["http-redirect", "srv"])

    assert len(host.requests) <= 3
    assert {one.problem.kind for one in resolutions.values() if one.problem} == {"passing"}


def test_a_service_that_fails_in_the_middle_costs_those_who_are_left(net: Net) -> None:
    answers = iter([FOUND, FOUND, None])
    host = own_service(net, lambda request: http(404) if is_soap(request) else next(answers, None))

    resolutions = locate(net, USERS[:10], skip=["http-redirect", "srv"])

    assert list(endpoints(resolutions)) == USERS[:2]
    assert len(problems(resolutions)) == 8
    assert len(host.requests) == 5, "the first one, one in SOAP, three in POX"


def test_a_mailbox_whose_answer_is_malformed_costs_nobody_else(net: Net) -> None:
    def pox(request: bytes) -> bytes:
        return http(200, pox_account("<Action>settings</Action>")) if BOB.encode() in request else FOUND

    own_service(net, lambda request: http(404) if is_soap(request) else pox(request))

    resolutions = locate(net, [ALICE, BOB, CAROL], skip=["http-redirect", "srv"])

    assert endpoints(resolutions) == {ALICE: EWS, CAROL: EWS}
    assert problems(resolutions) == {BOB: "AutodiscoverFailed"}


@pytest.mark.parametrize("page", [challenge(), website(), http(404)], ids=["asks", "welcomes", "knows nothing"])
def test_a_website_on_the_root_domain_is_asked_once_for_all(net: Net, page: bytes) -> None:
    site = net.host("example.com", lambda _request: page)
    net.host("autodiscover.example.com", asking("basic", service(found)))

    assert len(endpoints(locate(net, USERS))) == 250
    assert len(site.requests) == 1


def test_a_stranger_is_told_no_address_in_soap(net: Net) -> None:
    stranger = net.host("autodiscover.stranger.test", asking("basic", service(found)))
    own_service(
        net,
        service(
            lambda _: refused_user("RedirectUrl", "https://autodiscover.stranger.test/autodiscover/autodiscover.svc")
        ),
    )

    resolutions = locate(net, USERS[:5], skip=["http-redirect", "srv"])

    assert set(problems(resolutions).values()) == {"HostNotTrusted"}
    assert stranger.connections == 0


def test_a_rejected_account_is_not_tried_for_each_mailbox(net: Net) -> None:
    host = own_service(net, lambda _request: challenge())

    resolutions = locate(net, USERS[:20], skip=["http-redirect", "srv"])

    assert set(problems(resolutions).values()) == {"CredentialsRejected"}
    assert len(signed_in(host)) == 1


def test_the_same_mailbox_under_two_addresses_is_found_under_both(net: Net) -> None:
    own_service(net, service(lambda _: refused_user("RedirectAddress", "carol@cloud.example.com")))
    own_service(net, service(found, lambda _: FOUND), "autodiscover.cloud.example.com")

    assert endpoints(locate(net, [ALICE, BOB])) == {ALICE: EWS, BOB: EWS}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(f"alice@{'ü' * 63}.example.org", id="a label that is too long for DNS"),
        pytest.param("alice@\u05d0a.example.org", id="letters of two directions"),
        pytest.param("alice@xn--.\u0663", id="a number for a domain"),
    ],
)
@pytest.mark.parametrize("protocol", ["soap", "pox"])
def test_a_redirection_to_a_domain_that_dns_can_t_have_costs_nobody_else(net: Net, target: str, protocol: str) -> None:
    moved = pox_account(f"<Action>redirectAddr</Action><RedirectAddr>{target}</RedirectAddr>")

    def in_pox(request: bytes) -> bytes:
        return http(200, moved) if ALICE.encode() in request else FOUND

    def of_user(address: str) -> str:
        return refused_user("RedirectAddress", target) if address == ALICE else found(address)

    def in_pox_alone(request: bytes) -> bytes:
        return http(404) if is_soap(request) else in_pox(request)

    own_service(net, service(of_user) if protocol == "soap" else in_pox_alone)

    resolutions = locate(net, [ALICE, BOB])

    assert endpoints(resolutions) == {BOB: EWS}
    assert problems(resolutions) == {ALICE: "AutodiscoverFailed"}


def test_a_first_mailbox_of_which_nothing_of_use_is_told_holds_up_nobody_in_pox(net: Net) -> None:
    cache = MemoryEndpointCache(lambda: NOW)
    imap = pox_settings(EWS, kind="IMAP")
    own_service(
        net, lambda request: http(404) if is_soap(request) else http(200, imap) if ALICE.encode() in request else FOUND
    )

    assert problems(locate(net, [ALICE], cache)) == {ALICE: "AutodiscoverFailed"}
    together = locate(net, [ALICE, BOB], cache)

    assert endpoints(together) == {BOB: EWS}
    assert endpoints(locate(net, [ALICE, BOB, CAROL])) == {BOB: EWS, CAROL: EWS}
