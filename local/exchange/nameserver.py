"""The DNS of the simulated organisation: a small authoritative server over UDP and TCP on one port of loopback."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Self

from dnslib import QTYPE, RCODE, RR, SRV, A, DNSError, DNSRecord

from local.exchange.listener import LOOPBACK, Listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

TIME_TO_LIVE = 60
ATTEMPTS_TO_SHARE_A_PORT = 20
MAXIMUM_DATAGRAM = 65535


class ServiceRecord(NamedTuple):
    """The data of an SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


class Zone:
    """Names and their records. May be changed while the server runs; names compare without case (RFC 4343)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, list[A | SRV]] = {}

    def add_address(self, name: str, address: str = "127.0.0.1") -> None:
        """Add an A record."""
        self._add(name, A(address))

    def add_service(self, name: str, record: ServiceRecord) -> None:
        """Add an SRV record."""
        self._add(name, SRV(record.priority, record.weight, record.port, record.target))

    def remove(self, name: str) -> None:
        """Forget every record of a name, so that it no longer exists."""
        with self._lock:
            self._records.pop(_key(name), None)

    def records(self, name: str) -> list[A | SRV] | None:
        """Return the records of a name, or None when there is no such name."""
        with self._lock:
            found = self._records.get(_key(name))
            return None if found is None else list(found)

    def _add(self, name: str, record: A | SRV) -> None:
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

    def answer(self, packet: bytes) -> bytes | None:
        """Return the answer to a query in wire format, or None where the packet is no query."""
        try:
            query = DNSRecord.parse(packet)
        except DNSError:
            return None
        if not query.questions:
            return None
        name, asked = str(query.q.qname), query.q.qtype
        self.queries.append((_key(name), QTYPE.get(asked, str(asked))))
        reply = query.reply(ra=0, aa=1)
        records = self.zone.records(name)
        if records is None:
            reply.header.rcode = RCODE.NXDOMAIN
        for record in _of_type(records or (), asked):
            reply.add_answer(RR(query.q.qname, asked, ttl=TIME_TO_LIVE, rdata=record))
        return bytes(reply.pack())

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
                answer = self.answer(stream.read(struct.unpack("!H", prefix)[0]))
                if answer is None:
                    return
                connection.sendall(struct.pack("!H", len(answer)) + answer)


def _of_type(records: Iterable[A | SRV], asked: int) -> Iterable[A | SRV]:
    return (record for record in records if type(record).__name__ == QTYPE.get(asked))


def _key(name: str) -> str:
    return name.rstrip(".").lower()
