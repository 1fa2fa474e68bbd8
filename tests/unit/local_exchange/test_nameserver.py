from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import dns.resolver
import pytest

from local.exchange.nameserver import NameServer, ServiceRecord, Zone

if TYPE_CHECKING:
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
