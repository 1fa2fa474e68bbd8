"""Each attack twice: as the product is, nothing of the account reaches the attacker; with the defence down, it does.

The second run is the control: were the attackers not able to take an account, or their bytes not kept, the first would
prove nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from dnslib import SRV, A

from exchange.autodiscover.trust import Trust
from exchange.tls import connections
from exchange.web import sockets
from exchange.web.hosts import HostPort
from exchange.web.network import Network
from exchange.web.sockets import Allowance, BoundedSocket
from local.exchange import nameserver
from local.exchange.kept_host import KeptHost
from local.exchange.nameserver import ServiceRecord, Zone
from presence.calendar import Window
from tests.unit.exchange.attackers import collector, got_any_token, got_credentials
from tests.unit.exchange.attacks import ALICE, ATTACKS, BOB, Attack
from tests.unit.exchange.hosts import NOW, Net

WINDOW = Window(NOW, NOW + timedelta(hours=24))


def spring(net: Net, attack: Attack, auth: str) -> list[KeptHost]:
    """Lay the trap, read calendars as the functions do, and return the attacker's hosts."""
    hosts = attack.lay(net, auth)
    net.reader({"auth": auth, **attack.gateway}).read_calendars(attack.addresses, WINDOW)
    return hosts


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_attacker_gets_nothing_of_the_account(net: Net, attack: Attack, auth: str) -> None:
    for host in spring(net, attack, auth):
        assert not got_credentials(host), host.name
        assert not got_any_token(host), host.name


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_with_the_defence_down_the_attacker_does_get_the_account(
    net: Net, attack: Attack, auth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trust, "may_have_credentials", lambda _trust, _host: True)
    attack.lower(monkeypatch)

    assert any(got_credentials(host) for host in spring(net, attack, auth))


FORBIDDEN = ("127.0.0.1", "169.254.169.254", "169.254.1.1", "100.100.100.200", "0.0.0.0")  # noqa: S104
PUBLIC = "192.0.2.10"


@dataclass
class Wires:
    """Where connections really go: an address of the outside world leads to a host of the test, and is noted."""

    ends: dict[str, KeptHost] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    connected_to: list[str] = field(default_factory=list)

    def lead(self, net: Net, address: str, host: KeptHost) -> None:
        self.ends[address] = host
        self.ports[address] = int(net.connect.pop(f"{host.name}:443").rpartition(":")[2])


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> Wires:
    made = Wires()
    open_really = sockets.open_address

    def open_address(address: HostPort, allowance: Allowance, at_most: float = math.inf) -> BoundedSocket:
        made.connected_to.append(address.host)
        if address.host not in made.ports:
            raise ConnectionRefusedError
        return open_really(HostPort("127.0.0.1", made.ports[address.host]), allowance, at_most)

    monkeypatch.setattr(sockets, "open_address", open_address)
    monkeypatch.setattr(connections, "open_address", open_address)
    # Each question to the name server is a new one, so that it can change its mind.
    monkeypatch.setattr(nameserver, "TIME_TO_LIVE", 0)
    return made


LayAddress = Callable[[Net, Wires, str], KeptHost]


def lay_record(net: Net, wires: Wires, address: str) -> KeptHost:
    """Let an SRV record name a host below the domain itself, whose address is one that no Exchange has."""
    attacker = net.host("attacker.test", collector("basic"), cert="web.example.com")
    wires.lead(net, address, attacker)
    net.zone.add_service("_autodiscover._tcp.example.com", ServiceRecord(0, 0, 443, "web.example.com"))
    net.zone.add_address("web.example.com", address)
    return attacker


class Rebinding(Zone):
    """Gives a public address for a name, so that it is found good, and another one each time afterwards."""

    def __init__(self, name: str, afterwards: str) -> None:
        super().__init__()
        self.add_address(name, PUBLIC)
        self._name, self._afterwards = name, afterwards

    def records(self, name: str) -> list[A | SRV] | None:
        found = super().records(name)
        if name.rstrip(".").lower() == self._name:
            self.remove(self._name)
            self.add_address(self._name, self._afterwards)
        return found


def lay_rebinding(net: Net, wires: Wires, address: str) -> KeptHost:
    """Let the organisation's own name lead to its own host at first, and to the attacker's when it is asked again."""
    attacker = net.host("attacker.test", collector("basic"), cert="autodiscover.example.com")
    own = net.host("own.test", collector("basic"), cert="autodiscover.example.com")
    wires.lead(net, address, attacker)
    wires.lead(net, PUBLIC, own)
    net.nameserver.zone = Rebinding("autodiscover.example.com", address)
    return attacker


def look_up(net: Net) -> None:
    net.reader(connect={}, allow_loopback=False).read_calendars([ALICE, BOB], WINDOW)


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("lay", [lay_record, lay_rebinding])
def test_nobody_is_connected_to_at_an_address_that_no_exchange_has(
    net: Net, wires: Wires, lay: LayAddress, address: str
) -> None:
    attacker = lay(net, wires, address)

    look_up(net)

    assert address not in wires.connected_to
    assert attacker.received == b""


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("lay", [lay_record, lay_rebinding])
def test_with_addresses_unchecked_the_attacker_does_get_the_account(
    net: Net, wires: Wires, lay: LayAddress, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Network, "_why_not", lambda _network, _address: "")
    attacker = lay(net, wires, address)

    look_up(net)

    assert address in wires.connected_to
    assert got_credentials(attacker)
