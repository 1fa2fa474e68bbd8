"""From names to addresses that may be connected to.

What is checked is what is connected to: callers get addresses, never a name to be resolved a second time, so a name
server that answers differently the second time (rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from dns.rdtypes.IN.SRV import SRV

from exchange.web.hosts import HostPort, ascii_host
from exchange.web.network_settings import NetworkSettings
from exchange.web.problems import address_not_allowed, host_not_found, name_server_failed
from presence.errors import ProblemError

_LIFETIME_SECONDS = 5.0
_IPV6_SHARE = 0.5
"""Of the time of one question to DNS, what is waited for IPv6 addresses where IPv4 ones are known already."""
_IPV4_ALONE_SECONDS = 60.0
"""For so long the IPv6 addresses of a host are not asked for again where name servers could not tell them."""
_CACHED_NAMES = 1000
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Where cloud machines ask for their own credentials: AWS (both), ECS tasks, EKS pods (both), Alibaba, Azure.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",
        "fd00:ec2::254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "100.100.100.200",
        "168.63.129.16",
    )
)


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """One target of an SRV record (RFC 2782)."""

    target: HostPort
    priority: int
    weight: int


class Network:
    """Name resolution as the gateways document says: through its name servers, or the system's.

    The hosts file of the machine is not consulted; the document's `connect` table stands in its place. `lifetime`: the
    seconds that one question may take at most.
    """

    def __init__(self, settings: NetworkSettings, lifetime: float = _LIFETIME_SECONDS) -> None:
        self._settings = settings
        self._lifetime = lifetime
        self._resolver: dns.resolver.Resolver | None = None
        self._ipv4_alone_until: dict[str, float] = {}

    def addresses(self, wanted: HostPort, at_most: float = math.inf) -> tuple[HostPort, ...]:
        """Return the addresses and ports to connect to for a host and port, at least one, all of them allowed.

        It takes `at_most` so many seconds. Raises `ProblemError`: HostNotFound, NameServerFailed, AddressNotAllowed.
        """
        mapped = self._settings.connect.get(wanted)
        found = [mapped] if mapped else [HostPort(text, wanted.port) for text in self._resolve(wanted.host, at_most)]
        refused = {}
        allowed = []
        for candidate in found:
            reason = self._why_not(candidate.host)
            if reason:
                refused[candidate.host] = reason
            else:
                allowed.append(candidate)
        if not allowed:
            address, reason = next(iter(refused.items()))
            raise ProblemError(address_not_allowed(wanted.host, address, reason))
        return tuple(allowed)

    def service_targets(self, name: str, at_most: float = math.inf) -> tuple[ServiceTarget, ...]:
        """Return the targets of an SRV record: lowest priority first, then by weight (RFC 2782); none if none exist.

        It takes `at_most` so many seconds. Raises `ProblemError` (NameServerFailed) if the name servers can't tell.
        """
        records = self._query(name, "SRV", min(self._lifetime, at_most))
        if records is None or records.rrset is None:
            return ()
        targets = []
        for record in cast("list[SRV]", records.rrset.processing_order()):
            if record.target == dns.name.root:
                continue
            try:
                host = ascii_host(record.target.to_text(omit_final_dot=True))
            except ValueError:
                continue
            targets.append(ServiceTarget(HostPort(host, record.port), record.priority, record.weight))
        return tuple(targets)

    def _resolve(self, host: str, at_most: float) -> list[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        seconds = min(self._lifetime, at_most)
        ends_at = time.monotonic() + seconds
        found: list[str] = []
        failure: ProblemError | None = None
        try:
            found += self._addresses_of(host, "A", seconds)
        except ProblemError as error:
            # While nothing is found, silence is worth no more time.
            if not isinstance(error.__cause__, dns.resolver.NoNameservers):
                raise
            failure = error
        if found and time.monotonic() < self._ipv4_alone_until.get(host, -math.inf):
            return found
        left = ends_at - time.monotonic()
        try:
            found += self._addresses_of(host, "AAAA", min(left, _IPV6_SHARE * seconds) if found else left)
        except ProblemError as error:
            # Some name servers know nothing of AAAA, and fail or say nothing; what is found is enough then.
            if not found:
                raise
            failure = error
            self._ipv4_alone_until[host] = time.monotonic() + _IPV4_ALONE_SECONDS
        if not found:
            raise failure or ProblemError(host_not_found(host))
        return found

    def _addresses_of(self, host: str, kind: str, seconds: float) -> list[str]:
        return [cast("A | AAAA", record).address for record in self._query(host, kind, seconds) or ()]

    def _query(self, name: str, kind: str, seconds: float) -> dns.resolver.Answer | None:
        if self._resolver is None:
            self._resolver = self._make_resolver(name)
        try:
            return self._resolver.resolve(dns.name.from_text(name), kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except dns.resolver.LifetimeTimeout as error:
            raise ProblemError(name_server_failed(name, f"no answer within {seconds:.2g} s")) from error
        except dns.resolver.NoNameservers as error:
            raise ProblemError(name_server_failed(name, "each of them answered with a failure")) from error
        except dns.exception.DNSException as error:
            raise ProblemError(name_server_failed(name, type(error).__name__)) from error

    def _make_resolver(self, name: str) -> dns.resolver.Resolver:
        try:
            resolver = dns.resolver.Resolver(configure=not self._settings.nameservers)
        except dns.resolver.NoResolverConfiguration as error:
            raise ProblemError(name_server_failed(name, "this machine names none")) from error
        if self._settings.nameservers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(server.host, server.port) for server in self._settings.nameservers
            ]
        resolver.cache = dns.resolver.LRUCache(_CACHED_NAMES)
        return resolver

    def _why_not(self, text: str) -> str:
        """Say why an address may not be connected to; empty if it may."""
        unscoped = text.partition("%")[0]  # the interface of RFC 4007, which makes it no other address
        for address in _meanings(ipaddress.ip_address(unscoped)):
            if address in _METADATA:
                return "where cloud machines keep their own credentials"
            if address.is_unspecified:
                return "which is no address of a host"
            if address.is_multicast:
                return "a multicast address"
            if address.is_loopback and not self._settings.allow_loopback:
                return "this machine itself"
            if address.is_link_local and not self._settings.allow_loopback:
                return "a link-local address"
            if isinstance(address, ipaddress.IPv4Address) and address.is_reserved:
                return "a reserved address"
        return ""


def _meanings(address: _IPAddress) -> list[_IPAddress]:
    """Return the address and the IPv4 addresses that it stands for in one of the ways of RFC 4291, 3056 and 6052."""
    meanings: list[_IPAddress] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            meanings.append(address.ipv4_mapped)
        if address.sixtofour:
            meanings.append(address.sixtofour)
        if address in _NAT64:
            meanings.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if int(address) >> 32 == 0:  # the deprecated IPv4-compatible form
            meanings.append(ipaddress.IPv4Address(int(address)))
    return meanings
