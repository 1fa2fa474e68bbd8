from __future__ import annotations

import socket
import time

import pytest

from exchange.web.hosts import HostPort, ascii_host, parse_address_port, parse_host_port, split_https_url
from exchange.web.network import Network
from exchange.web.network_settings import NetworkSettings
from exchange.web.sockets import Allowance, Timeouts, open_plain
from local.exchange.nameserver import NameFault, NameServer, ServiceRecord, Zone
from presence.errors import ProblemError, ProblemKind
from tests.unit.exchange.hosts import Net

DOMAIN = "example.com"
MAIL = HostPort(f"mail.{DOMAIN}", 443)


def network(net: Net, *, allow_loopback: bool = False, connect: dict[HostPort, HostPort] | None = None) -> Network:
    nameserver = parse_address_port(net.nameserver.address)
    return Network(NetworkSettings((nameserver,), connect or {}, allow_loopback), lifetime=1.0)


def refusal(network: Network, wanted: HostPort = MAIL) -> str:
    with pytest.raises(ProblemError) as caught:
        network.addresses(wanted)
    assert caught.value.problem.code == "AddressNotAllowed"
    return caught.value.problem.text


REFUSED = [
    ("127.0.0.1", "this machine itself"),
    ("127.255.0.3", "this machine itself"),
    ("::1", "this machine itself"),
    ("::ffff:127.0.0.1", "this machine itself"),
    ("::7f00:1", "this machine itself"),
    ("2002:7f00:1::", "this machine itself"),
    ("64:ff9b::7f00:1", "this machine itself"),
    ("169.254.169.254", "where cloud machines keep their own credentials"),
    ("::ffff:169.254.169.254", "where cloud machines keep their own credentials"),
    ("fd00:ec2::254", "where cloud machines keep their own credentials"),
    ("fd00:ec2::254%1", "where cloud machines keep their own credentials"),
    ("169.254.170.2", "where cloud machines keep their own credentials"),
    ("100.100.100.200", "where cloud machines keep their own credentials"),
    ("169.254.7.7", "a link-local address"),
    ("fe80::1", "a link-local address"),
    ("0.0.0.0", "no address of a host"),  # noqa: S104  refused, not bound
    ("::", "no address of a host"),
    ("224.0.0.1", "a multicast address"),
    ("ff02::1", "a multicast address"),
    ("255.255.255.255", "a reserved address"),
]


@pytest.mark.parametrize(("address", "reason"), REFUSED)
def test_a_host_given_as_an_address_that_no_server_has_is_refused(net: Net, address: str, reason: str) -> None:
    assert reason in refusal(network(net), HostPort(address, 443))


@pytest.mark.parametrize(("address", "reason"), [case for case in REFUSED if ":" not in case[0]])
def test_a_name_that_leads_to_an_address_that_no_server_has_is_refused(net: Net, address: str, reason: str) -> None:
    net.zone.add_address("mail.example.com", address)

    assert reason in refusal(network(net))


def test_the_connect_table_does_not_get_round_the_refusal(net: Net) -> None:
    mapped = network(net, connect={MAIL: HostPort("127.0.0.1", 8443)})

    assert "this machine itself" in refusal(mapped)


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.7.7", "::1"])
def test_a_document_may_allow_this_machine_and_this_link(net: Net, address: str) -> None:
    wanted = HostPort(address, 443)

    assert network(net, allow_loopback=True).addresses(wanted) == (wanted,)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1"])  # noqa: S104
def test_no_document_allows_metadata_unspecified_or_multicast(net: Net, address: str) -> None:
    refusal(network(net, allow_loopback=True), HostPort(address, 443))


def test_of_several_addresses_only_the_allowed_ones_are_left(net: Net) -> None:
    for address in ("127.0.0.1", "192.0.2.7", "198.51.100.9"):
        net.zone.add_address("mail.example.com", address)

    found = network(net).addresses(MAIL)

    assert set(found) == {HostPort("192.0.2.7", 443), HostPort("198.51.100.9", 443)}


class KnowsNothingOfIPv6(Zone):
    """Answers about the first type that it is asked for, and never well about another one."""

    def __init__(self, otherwise: NameFault) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._asked = 0

    def fault(self, _name: str) -> NameFault | None:
        self._asked += 1
        return None if self._asked == 1 else self._otherwise


@pytest.mark.parametrize("fault", [NameFault.SILENT, NameFault.SERVER_FAILURE])
def test_a_name_server_that_knows_nothing_of_ipv6_is_enough_for_a_host_that_has_ipv4(
    net: Net, fault: NameFault
) -> None:
    net.nameserver.zone = KnowsNothingOfIPv6(fault)
    net.nameserver.zone.add_address("mail.example.com", "192.0.2.7")

    found = Network(net.document(allow_loopback=False).network, lifetime=0.2).addresses(MAIL)

    assert found == (HostPort("192.0.2.7", 443),)
    assert [kind for _, kind in net.nameserver.queries][:2] == ["A", "AAAA"]


def test_a_name_server_that_is_silent_about_ipv6_is_waited_for_once_and_not_for_long(net: Net) -> None:
    net.nameserver.zone = KnowsNothingOfIPv6(NameFault.SILENT)
    net.nameserver.zone.add_address("mail.example.com", "192.0.2.7")
    asking = Network(net.document(allow_loopback=False).network, lifetime=1.2)

    began = time.monotonic()
    assert asking.addresses(MAIL) == (HostPort("192.0.2.7", 443),)
    once = time.monotonic()
    assert asking.addresses(MAIL) == (HostPort("192.0.2.7", 443),)

    assert 0.6 <= once - began < 1.2
    assert time.monotonic() - once < 0.6


def test_waiting_for_ipv6_leaves_a_caller_time_to_connect_to_ipv4(net: Net) -> None:
    net.nameserver.zone = KnowsNothingOfIPv6(NameFault.SILENT)
    net.nameserver.zone.add_address("mail.example.com", "192.0.2.7")
    asking = Network(net.document(allow_loopback=False).network, lifetime=5.0)
    began = time.monotonic()

    assert asking.addresses(MAIL, 0.8) == (HostPort("192.0.2.7", 443),)

    assert time.monotonic() - began < 0.8


def test_silent_name_servers_are_waited_for_as_long_as_the_caller_has_time(net: Net) -> None:
    for name in ("mail.example.com", "_autodiscover._tcp.example.com"):
        net.zone.strike(name, NameFault.SILENT)
    asking = Network(net.document().network, lifetime=5.0)

    for ask in (
        lambda: asking.addresses(MAIL, 0.1),
        lambda: asking.service_targets(f"_autodiscover._tcp.{DOMAIN}", 0.1),
    ):
        began = time.monotonic()
        with pytest.raises(ProblemError, match=r"no answer within 0\.1 s"):
            ask()
        assert time.monotonic() - began < 1.0


def test_the_connect_table_sends_a_host_and_port_elsewhere(net: Net) -> None:
    elsewhere = HostPort("192.0.2.1", 8443)
    mapped = network(net, connect={MAIL: elsewhere})

    assert mapped.addresses(MAIL) == (elsewhere,)
    assert not net.nameserver.queries


def test_a_name_that_dns_does_not_know_is_a_lasting_problem(net: Net) -> None:
    with pytest.raises(ProblemError) as caught:
        network(net).addresses(MAIL)

    assert (caught.value.problem.code, caught.value.problem.kind) == ("HostNotFound", ProblemKind.LASTING)


def test_silent_name_servers_are_a_passing_problem() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        nameserver = HostPort("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(ProblemError) as caught:
            Network(NetworkSettings((nameserver,)), lifetime=0.2).addresses(MAIL)

    assert (caught.value.problem.code, caught.value.problem.kind) == ("NameServerFailed", ProblemKind.PASSING)


def test_service_targets_come_by_priority_and_those_of_weight_zero_last_of_theirs(net: Net) -> None:
    for priority, weight, target in ((20, 0, "c"), (10, 0, "b"), (10, 1000, "a"), (30, 0, ".")):
        name = target if target == "." else f"{target}.example.com"
        net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(priority, weight, 443, name))

    orders = set()
    for _ in range(20):
        targets = network(net).service_targets("_autodiscover._tcp.example.com")
        orders.add(tuple(found.target.host for found in targets))

    assert all(order[2] == "c.example.com" and len(order) == 3 for order in orders)
    assert ("a.example.com", "b.example.com", "c.example.com") in orders


def test_no_service_record_is_no_fault(net: Net) -> None:
    assert network(net).service_targets("_autodiscover._tcp.example.com") == ()


class TurncoatZone(Zone):
    """Answers with a good address once and with this machine ever after: DNS rebinding."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0

    def records(self, name: str) -> list[object]:
        self.answers += 1
        self.remove(name)
        self.add_address(name, "192.0.2.1" if self.answers == 1 else "127.0.0.1")
        return list(super().records(name) or [])


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []

    def connect(_socket: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("exchange.web.sockets.BoundedSocket.connect", connect)
    with NameServer(TurncoatZone()) as nameserver:
        settings = NetworkSettings((parse_address_port(nameserver.address),))
        allowance = Allowance(Timeouts(1.0, 1.0))
        allowance.begin("mail.example.com", 1000)
        with pytest.raises(ProblemError):
            open_plain(Network(settings), MAIL, allowance)

    assert connected == [("192.0.2.1", 443)]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Mail.Example.COM.", "mail.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_host_has_one_spelling(text: str, host: str) -> None:
    assert ascii_host(text) == host


@pytest.mark.parametrize(
    "text", ["", "a b", "-a.test", "a..b", "1.2.3.4.5", "a/b", "a@b", "x" * 64 + ".test", "*.a.test"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no host name"):
        ascii_host(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail.test", HostPort("mail.test", 443)),
        ("mail.test:8443", HostPort("mail.test", 8443)),
        ("2001:db8::1", HostPort("2001:db8::1", 443)),
        ("[2001:db8::1]:8443", HostPort("2001:db8::1", 8443)),
        ("192.0.2.1:1", HostPort("192.0.2.1", 1)),
    ],
)
def test_a_host_and_port_are_read(text: str, expected: HostPort) -> None:
    assert parse_host_port(text, 443) == expected


@pytest.mark.parametrize("text", ["mail.test:", "mail.test:0", "mail.test:65536", "mail.test:x", "mail.test:٣"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        parse_host_port(text)


@pytest.mark.parametrize("url", ["https://[::1", "https://", "https://mail.test:99999/", "https://mail.test/ x", "\n"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        split_https_url(url)
