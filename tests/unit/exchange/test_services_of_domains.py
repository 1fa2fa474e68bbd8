"""Which service is asked for the mailboxes of a domain, once one has answered."""

from __future__ import annotations

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import KeptHost, Respond, http
from local.exchange.nameserver import ServiceRecord
from tests.unit.exchange.attackers import asking
from tests.unit.exchange.hosts import Net, pox_error, pox_settings
from tests.unit.exchange.soap_answers import is_soap, refused_user, service, settings_of_user

EWS = "https://mail.example.com/EWS/Exchange.asmx"
ALICE, BOB, CAROL, DAVE = (f"{name}@example.com" for name in ("alice", "bob", "carol", "dave"))
FOUND = http(200, pox_settings(EWS))


def found(address: str) -> str:
    return settings_of_user(address, external=EWS)


def locate(net: Net, addresses: list[str], cache: MemoryEndpointCache, **gateway: object) -> dict[str, str]:
    """Return where each mailbox is, or the code of the problem why that is not known."""
    told = {}
    for address, one in net.locate(addresses, gateway, cache=cache).items():
        told[address] = one.problem.code if one.problem is not None else one.endpoint.url if one.endpoint else ""
    return told


def own_service(net: Net, respond: Respond, name: str = "autodiscover.example.com") -> KeptHost:
    net.silent(name.removeprefix("autodiscover."))
    return net.host(name, asking("basic", respond))


@pytest.mark.parametrize("others", [[BOB], [ALICE, BOB]])
def test_a_service_that_knows_nobody_is_not_taken_for_the_domain_s(
    net: Net, cache: MemoryEndpointCache, others: list[str]
) -> None:
    knows_nobody = own_service(net, lambda request: http(404) if is_soap(request) else http(200, pox_error(500)))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "discover.example.com"))
    net.host("discover.example.com", asking("basic", service(found, lambda _request: FOUND)))

    assert locate(net, [ALICE], cache) == {ALICE: EWS}
    knows_nobody.requests.clear()
    assert locate(net, others, cache) == dict.fromkeys(others, EWS)
    assert not knows_nobody.requests


def test_the_service_that_found_somebody_is_asked_the_next_time_not_one_that_found_nobody(
    net: Net, cache: MemoryEndpointCache
) -> None:
    knows_nobody = own_service(net, lambda request: http(404) if is_soap(request) else http(200, pox_error(500)))
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "discover.example.com"))
    knows = service(lambda each: refused_user("InvalidUser") if each == ALICE else found(each), lambda _: FOUND)
    net.host("discover.example.com", asking("basic", knows))

    assert locate(net, [ALICE, BOB], cache) == {ALICE: "MailboxNotFound", BOB: EWS}
    knows_nobody.requests.clear()
    assert locate(net, [CAROL], cache) == {CAROL: EWS}
    assert not knows_nobody.requests


def test_a_domain_that_has_another_service_by_now_is_not_held_to_the_one_before(
    net: Net, cache: MemoryEndpointCache
) -> None:
    name = "_autodiscover._tcp.example.com"
    for silent in ("example.com", "autodiscover.example.com"):
        net.silent(silent)
    net.zone.add_service(name, ServiceRecord(0, 0, 443, "old.example.com"))
    knows = [ALICE]

    def in_pox(_request: bytes) -> bytes:
        return http(200, pox_settings(EWS) if knows else pox_error(500))

    old = service(lambda each: found(each) if each in knows else refused_user("InvalidUser"), in_pox)
    host = net.host("old.example.com", asking("basic", old))
    assert locate(net, [ALICE], cache) == {ALICE: EWS}

    knows.clear()
    net.zone.remove(name)
    net.zone.add_service(name, ServiceRecord(0, 0, 443, "new.example.com"))
    net.host("new.example.com", asking("basic", service(found, lambda _request: FOUND)))

    assert locate(net, [BOB, CAROL], cache) == {BOB: EWS, CAROL: EWS}
    host.requests.clear()
    assert locate(net, [DAVE], cache) == {DAVE: EWS}
    assert not host.requests


def test_a_domain_whose_service_is_known_does_not_wait_for_one_that_may_never_answer(
    net: Net, cache: MemoryEndpointCache
) -> None:
    domains = ["example.com", "example.org"]
    asked: list[str] = []

    def answer_of(domain: str) -> Respond:
        def respond(_request: bytes) -> bytes:
            asked.append(domain)
            return FOUND

        return respond

    for domain in domains:
        own_service(net, answer_of(domain), f"autodiscover.{domain}")
    locate(net, [ALICE], cache, domains=domains)
    asked.clear()

    locate(net, ["zoe@example.org", BOB], cache, domains=domains)

    assert asked == domains
