"""The DNS of the simulated organisation: a small authoritative server over UDP and TCP on one port of loopback."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Self

from dnslib import QTYPE, RCODE, RR, SRV, A, DNSError, DNSRecord

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable
    from types import TracebackType

    Answer = Callable[[bytes], bytes | None]

TIME_TO_LIVE = 60
ATTEMPTS_TO_SHARE_A_PORT = 20


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
    """Answers for a zone on 127.0.0.1. ``queries`` holds the (name, type) of what was asked."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.queries: deque[tuple[str, str]] = deque(maxlen=100_000)
        self._tcp, self._udp = _servers_on_one_port(self.answer)
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        """The server's ``address:port``."""
        return f"127.0.0.1:{self._tcp.server_address[1]}"

    def __enter__(self) -> Self:
        for server in (self._tcp, self._udp):
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True, name="nameserver")
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

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


def _of_type(records: Iterable[A | SRV], asked: int) -> Iterable[A | SRV]:
    return (record for record in records if type(record).__name__ == QTYPE.get(asked))


def _key(name: str) -> str:
    return name.rstrip(".").lower()


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer
    request: tuple[bytes, socket.socket]

    def handle(self) -> None:
        packet, reply_socket = self.request
        answer = self.server.answer(packet)
        if answer is not None:
            reply_socket.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _TcpServer
    timeout = 10.0

    def handle(self) -> None:
        # RFC 1035 section 4.2.2: each message follows its length in two bytes.
        while len(prefix := self.rfile.read(2)) == struct.calcsize("!H"):
            answer = self.server.answer(self.rfile.read(struct.unpack("!H", prefix)[0]))
            if answer is None:
                return
            self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _Server(socketserver.BaseServer):
    def __init__(self, port: int, handler: type[socketserver.BaseRequestHandler], answer: Answer) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.answer = answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is no event worth a traceback."""


class _TcpServer(_Server, socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _UdpServer(_Server, socketserver.UDPServer):
    pass


def _servers_on_one_port(answer: Answer) -> tuple[_TcpServer, _UdpServer]:
    for _ in range(ATTEMPTS_TO_SHARE_A_PORT):
        tcp = _TcpServer(0, _TcpHandler, answer)
        try:
            return tcp, _UdpServer(tcp.server_address[1], _UdpHandler, answer)
        except OSError:
            tcp.server_close()
    raise OSError("found no port of loopback that is free for UDP and TCP: stop what holds them and start again")
