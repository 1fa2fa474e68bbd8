from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest

from local.exchange.nameserver import NameFault, NameServer, ServiceRecord, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.exchange.server import SimulatedExchange

SRV = "_autodiscover._tcp."


def resolver(address: str) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    host, _, port = address.partition(":")
    made.nameservers = [host]
    made.port = int(port)
    made.lifetime = 3
    return made


def look_up(address: str, name: str, kind: str, *, tcp: bool = False) -> list[str] | str:
    try:
        return sorted(str(record) for record in resolver(address).resolve(name, kind, tcp=tcp))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
        return type(error).__name__


HERE = ["127.0.0.1"]
NOT_THERE = "NXDOMAIN"
NO_SUCH_RECORD = "NoAnswer"


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize(
    ("domain", "root", "autodiscover", "services"),
    [
        ("example.com", HERE, NOT_THERE, NOT_THERE),
        ("example.org", HERE, HERE, NOT_THERE),
        ("branch.test", HERE, HERE, NOT_THERE),
        (
            "research.test",
            NOT_THERE,
            NOT_THERE,
            ["10 0 8443 owa.research.test.", "20 0 443 backup.research.test."],
        ),
        ("factory.test", NOT_THERE, NOT_THERE, NOT_THERE),
    ],
)
def test_dns_leads_to_each_domain_its_own_way(
    running: SimulatedExchange,
    domain: str,
    root: list[str] | str,
    autodiscover: list[str] | str,
    services: list[str] | str,
    tcp: bool,
) -> None:
    server = running.nameserver
    assert look_up(server, domain, "A", tcp=tcp) == root
    assert look_up(server, f"autodiscover.{domain}", "A", tcp=tcp) == autodiscover
    assert look_up(server, f"{SRV}{domain}", "SRV", tcp=tcp) == services


def test_a_name_without_records_of_the_type_exists_all_the_same() -> None:
    zone = Zone()
    zone.add_address("Mail.Example.com", "192.0.2.1")
    with NameServer(zone) as server:
        assert look_up(server.address, "mAIL.example.COM", "A") == ["192.0.2.1"]
        assert look_up(server.address, "mail.example.com", "AAAA") == NO_SUCH_RECORD
        assert list(server.queries) == [("mail.example.com", "A"), ("mail.example.com", "AAAA")]


def test_records_can_change_while_the_server_runs() -> None:
    zone = Zone()
    with NameServer(zone) as server:
        assert look_up(server.address, "_x._tcp.example.com", "SRV") == NOT_THERE
        zone.add_service("_x._tcp.example.com", ServiceRecord(0, 5, 8443, "mail.example.com"))
        assert look_up(server.address, "_x._tcp.example.com", "SRV") == ["0 5 8443 mail.example.com."]
        zone.remove("_x._tcp.example.com")
        assert look_up(server.address, "_x._tcp.example.com", "SRV") == NOT_THERE


def test_rubbish_and_clients_that_go_away_do_no_harm(capfd: pytest.CaptureFixture[str]) -> None:
    zone = Zone()
    zone.add_address("mail.example.com")
    with NameServer(zone) as server:
        host, _, port = server.address.partition(":")
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            for packet in (b"", b"rubbish", bytes(12), bytes(100)):
                udp.sendto(packet, (host, int(port)))
        for sent in (b"", b"\x00", b"\x00\x40rubbish", b"\x00\x07rubbish"):
            with socket.create_connection((host, int(port))) as tcp:
                tcp.sendall(sent)
        assert look_up(server.address, "mail.example.com", "A") == HERE
        assert look_up(server.address, "mail.example.com", "A", tcp=True) == HERE
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def struck() -> Iterator[tuple[Zone, str]]:
    zone = Zone()
    zone.add_address("mail.example.com")
    with NameServer(zone) as server:
        yield zone, server.address


@pytest.mark.parametrize(
    ("fault", "code"), [(NameFault.SERVER_FAILURE, dns.rcode.SERVFAIL), (NameFault.REFUSED, dns.rcode.REFUSED)]
)
def test_a_name_server_that_fails_says_so_of_that_name_alone(
    struck: tuple[Zone, str], fault: NameFault, code: dns.rcode.Rcode
) -> None:
    zone, address = struck
    zone.add_address("owa.example.com")
    zone.strike("MAIL.example.com", fault)
    assert ask(address, "mail.example.com").rcode() is code
    assert look_up(address, "owa.example.com", "A") == HERE
    zone.strike("mail.example.com", None)
    assert look_up(address, "mail.example.com", "A") == HERE


def test_a_silent_name_server_answers_neither_way(struck: tuple[Zone, str]) -> None:
    zone, address = struck
    zone.strike("mail.example.com", NameFault.SILENT)
    with pytest.raises(dns.exception.Timeout):
        ask(address, "mail.example.com", timeout=0.2)
    with pytest.raises(EOFError):
        ask(address, "mail.example.com", tcp=True)


def test_a_forged_answer_is_to_another_question(struck: tuple[Zone, str]) -> None:
    zone, address = struck
    zone.strike("mail.example.com", NameFault.FOREIGN)
    with pytest.raises(dns.query.BadResponse):
        ask(address, "mail.example.com")


def test_a_truncated_answer_is_whole_over_tcp(struck: tuple[Zone, str]) -> None:
    zone, address = struck
    zone.strike("mail.example.com", NameFault.TRUNCATED)
    cut = ask(address, "mail.example.com")
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    assert len(ask(address, "mail.example.com", tcp=True).answer) == 1


def test_addresses_of_ipv6_have_records_of_their_own(struck: tuple[Zone, str]) -> None:
    zone, address = struck
    zone.add_address("six.example.com", "fd00:ec2::254")
    assert look_up(address, "six.example.com", "AAAA") == ["fd00:ec2::254"]
    assert look_up(address, "six.example.com", "A") == NO_SUCH_RECORD


def ask(address: str, name: str, *, tcp: bool = False, timeout: float = 3) -> dns.message.Message:
    host, _, port = address.partition(":")
    send = dns.query.tcp if tcp else dns.query.udp
    return send(dns.message.make_query(name, "A"), host, port=int(port), timeout=timeout)
