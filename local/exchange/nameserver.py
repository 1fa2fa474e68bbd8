"""The DNS of the simulated organisation: a small authoritative server over UDP and TCP on one port of loopback."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections import Counter, deque
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

from dnslib import AAAA, QTYPE, RCODE, RR, SRV, A, DNSError, DNSRecord

from local.exchange.listener import LOOPBACK, Listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

TIME_TO_LIVE = 60
ATTEMPTS_TO_SHARE_A_PORT = 20
MAXIMUM_DATAGRAM = 65535
_ADDRESS_TYPES: dict[int, type[A | AAAA]] = {4: A, 6: AAAA}


Record: TypeAlias = "A | AAAA | SRV"


class ServiceRecord(NamedTuple):
    """The data of an SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class NameFault(Enum):
    """What is wrong with the answers about a name.

    SERVER_FAILURE and REFUSED are response codes (RFC 1035, section 4.1.1). SILENT: none ever comes. FOREIGN: it
    answers another question, as a forged one would. TRUNCATED: over UDP nothing fits; over TCP all is right.
    """

    SERVER_FAILURE = auto()
    REFUSED = auto()
    SILENT = auto()
    FOREIGN = auto()
    TRUNCATED = auto()


_RESPONSE_CODES = {NameFault.SERVER_FAILURE: RCODE.SERVFAIL, NameFault.REFUSED: RCODE.REFUSED}


class Zone:
    """Names and their records. May be changed while the server runs; names compare without case (RFC 4343).

    `usual` is the zone as it was at the last `take_as_usual`, if that was ever called.
    """

    def __init__(self) -> None:
        self.usual: Zone | None = None
        self._lock = threading.Lock()
        self._records: dict[str, list[Record]] = {}
        self._faults: dict[str, NameFault] = {}
        self._unusual = Counter[str]()

    def add_address(self, name: str, address: str = "127.0.0.1") -> None:
        """Add an A record, or for an address of IPv6 an AAAA record."""
        self._add(name, _ADDRESS_TYPES[ipaddress.ip_address(address).version](address))

    def add_service(self, name: str, record: ServiceRecord) -> None:
        """Add an SRV record."""
        self._add(name, SRV(record.priority, record.weight, record.port, record.target))

    def remove(self, name: str) -> None:
        """Forget every record of a name, so that it no longer exists."""
        with self._lock:
            self._records.pop(_key(name), None)

    def records(self, name: str) -> list[Record] | None:
        """Return the records of a name, or None when there is no such name."""
        with self._lock:
            found = self._records.get(_key(name))
            return None if found is None else list(found)

    def strike(self, name: str, fault: NameFault | None) -> None:
        """Let each answer about a name have a fault, or none any more."""
        with self._lock:
            self._faults.pop(_key(name), None)
            if fault is not None:
                self._faults[_key(name)] = fault

    def fault(self, name: str) -> NameFault | None:
        """Return the fault that the answers about a name have."""
        with self._lock:
            return self._faults.get(_key(name))

    def take_as_usual(self) -> None:
        """Let answers that are unusual be counted from now on, against what the zone holds now."""
        usual = Zone()
        with self._lock:
            usual._records = {name: list(records) for name, records in self._records.items()}
            usual._faults = dict(self._faults)
            self.usual = usual
            self._unusual.clear()

    def note_unusual(self, name: str) -> None:
        """Count an answer about a name that would usually be another one."""
        with self._lock:
            self._unusual[_key(name)] += 1

    def unusual(self, name: str) -> int:
        """Return how many answers about a name were not as usual."""
        with self._lock:
            return self._unusual[_key(name)]

    def _add(self, name: str, record: Record) -> None:
        with self._lock:
            self._records.setdefault(_key(name), []).append(record)


class NameServer:
    """Answers for a zone on 127.0.0.1. `queries` holds the (name, type) of what was asked."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.queries: deque[tuple[str, str]] = deque(maxlen=100_000)
        self._tcp, self._udp = self._sockets_on_one_port()
        self._thread = threading.Thread(target=self._serve_datagrams, daemon=True, name="nameserver")
        self._stopping = False

    @property
    def address(self) -> str:
        """The server's `address:port`."""
        return f"{LOOPBACK}:{self._tcp.port}"

    def __enter__(self) -> Self:
        self._tcp.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tcp.close()
        self._stopping = True
        # Wakes the thread that waits for a datagram.
        self._udp.sendto(b"", self._udp.getsockname())
        self._thread.join()
        self._udp.close()

    def answer(self, packet: bytes, *, over_tcp: bool = False) -> bytes | None:
        """Return the answer to a query in wire format, or None where there is none, or the packet is no query."""
        try:
            query = DNSRecord.parse(packet)
        except DNSError:
            return None
        if not query.questions:
            return None
        name, asked = str(query.q.qname), query.q.qtype
        self.queries.append((_key(name), QTYPE.get(asked, str(asked))))
        answer = _answer(self.zone, query, over_tcp=over_tcp)
        usual = self.zone.usual
        if usual is not None and answer != _answer(usual, query, over_tcp=over_tcp):
            self.zone.note_unusual(name)
        return answer

    def _sockets_on_one_port(self) -> tuple[Listener, socket.socket]:
        for _ in range(ATTEMPTS_TO_SHARE_A_PORT):
            tcp = Listener(self._serve_stream)
            udp = socket.socket(type=socket.SOCK_DGRAM)
            try:
                udp.bind((LOOPBACK, tcp.port))
            except OSError:
                udp.close()
                tcp.close()
            else:
                return tcp, udp
        raise OSError("found no port of loopback that is free for UDP and TCP: stop what holds them and start again")

    def _serve_datagrams(self) -> None:
        while True:
            # A client that is gone already shows as an error of the next call; there is nothing to do about it.
            with contextlib.suppress(OSError):
                packet, client = self._udp.recvfrom(MAXIMUM_DATAGRAM)
                if self._stopping:
                    return
                if (answer := self.answer(packet)) is not None:
                    self._udp.sendto(answer, client)

    def _serve_stream(self, connection: socket.socket) -> None:
        # RFC 1035 section 4.2.2: each message follows its length in two bytes.
        with connection.makefile("rb") as stream:
            while len(prefix := stream.read(2)) == struct.calcsize("!H"):
                answer = self.answer(stream.read(struct.unpack("!H", prefix)[0]), over_tcp=True)
                if answer is None:
                    return
                connection.sendall(struct.pack("!H", len(answer)) + answer)


def _answer(zone: Zone, query: DNSRecord, *, over_tcp: bool) -> bytes | None:
    """Return what a zone answers to a query, in wire format."""
    name, asked = str(query.q.qname), query.q.qtype
    reply = query.reply(ra=0, aa=1)
    fault = zone.fault(name)
    if fault is NameFault.SILENT:
        return None
    if fault is NameFault.FOREIGN:
        reply.header.id ^= 1
    if fault in _RESPONSE_CODES:
        reply.header.rcode = _RESPONSE_CODES[fault]
        return bytes(reply.pack())
    if fault is NameFault.TRUNCATED and not over_tcp:
        reply.header.tc = 1
        return bytes(reply.pack())
    records = zone.records(name)
    if records is None:
        reply.header.rcode = RCODE.NXDOMAIN
    for record in _of_type(records or (), asked):
        reply.add_answer(RR(query.q.qname, asked, ttl=TIME_TO_LIVE, rdata=record))
    return bytes(reply.pack())


def _of_type(records: Iterable[Record], asked: int) -> Iterable[Record]:
    return (record for record in records if type(record).__name__ == QTYPE.get(asked))


def _key(name: str) -> str:
    return name.rstrip(".").lower()
