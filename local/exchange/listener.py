"""Listening sockets on loopback: a thread a connection, TLS where there is a certificate, quick to stop."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

from local.exchange.delivering import reset, wait_until_left
from local.exchange.refusals import refusals

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
BACKLOG = 256
IDLE_SECONDS = 120.0


class ConnectionFault(Enum):
    """What a listener does to each new connection instead of serving it.

    RESET: it is reset at once. CLOSED: it is closed at once, in order. SILENT: nothing is ever said, not even in the
    handshake. RESET_IN_HANDSHAKE: it is reset as soon as the client has said something. NO_TLS: it is answered as if
    TLS were not known.
    """

    RESET = auto()
    CLOSED = auto()
    SILENT = auto()
    RESET_IN_HANDSHAKE = auto()
    NO_TLS = auto()


class ClosedPort:
    """A port of loopback that refuses connections for as long as it is held: bound, and never listening."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class Listener:
    """Accepts connections on a port of loopback and gives each to `serve` in a thread of its own.

    The port stays the same over `stop` and `start`; while it is stopped, connections are refused and those that
    were open are ended, as when a server goes down. `tls` (the certificate and the versions that are shown), `fault`
    and `hesitation` (the seconds that pass before anything is said) may be changed while it runs, and hold for the
    connections that come then. `unusual` counts those that got another `tls` than at the last `take_as_usual`, or met a
    fault.
    """

    def __init__(self, serve: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.fault: ConnectionFault | None = None
        self.hesitation = 0.0
        self.unusual = 0
        self._usual_tls = tls
        self._serve = serve
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        self._wake, self._woken = socket.socketpair()
        self._socket = _bound(0)
        self.port: int = self._socket.getsockname()[1]

    @property
    def refused(self) -> int:
        """How many connections this process has tried in vain since `stop`."""
        return refusals().count(self.port)

    def take_as_usual(self) -> None:
        """Let what is unusual be counted from now on, against what is shown now."""
        with self._lock:
            self._usual_tls, self.unusual = self.tls, 0

    def start(self) -> None:
        """Listen."""
        if self._thread is not None:
            return
        refusals().end(self.port)
        self._socket.listen(BACKLOG)
        self._thread = threading.Thread(target=self._accept, daemon=True, name=f"listener-{self.port}")
        self._thread.start()

    def stop(self) -> None:
        """Refuse new connections and end the open ones."""
        if self._end():
            # Bound and not listening: nobody else gets the port meanwhile, and connections are refused.
            self._socket = _bound(self.port)
            refusals().begin(self.port)

    def close(self) -> None:
        """Stop, and give the port back."""
        self._end()
        refusals().end(self.port)
        for end in (self._socket, self._wake, self._woken):
            end.close()

    def _end(self) -> bool:
        """Stop listening, which frees the port, and end the open connections; return False where that was so before."""
        if self._thread is None:
            return False
        self._wake.send(b"x")
        self._thread.join()
        self._thread = None
        self._socket.close()
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                # Not SSLSocket's own, which would pull the TLS state away under the thread that reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        return True

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    self._woken.recv(1)
                    return
                with contextlib.suppress(OSError):
                    connection, _ = self._socket.accept()
                    with self._lock:
                        self._open.add(connection)
                    threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def _connection(self, connection: socket.socket) -> None:
        """Serve one connection to its end. A client that goes away, or speaks no TLS, is no event worth a traceback."""
        try:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(IDLE_SECONDS)
                time.sleep(self.hesitation)
                fault, tls = self.fault, self.tls
                with self._lock:
                    self.unusual += fault is not None or tls is not self._usual_tls
                if fault is not None:
                    _misbehave(connection, fault)
                    return
                if tls is not None:
                    connection = self._secure(connection, tls)
                self._serve(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _secure(self, connection: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        """Return the connection with TLS in force, keeping sight of it while the hands are being shaken."""
        with self._lock:
            # Wrapping takes the descriptor away from the plain socket.
            self._open.discard(connection)
            secured = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._open.add(secured)
        try:
            secured.do_handshake()
        except OSError:
            with self._lock:
                self._open.discard(secured)
            secured.close()
            raise
        return secured


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((LOOPBACK, port))
    return bound


def _misbehave(connection: socket.socket, fault: ConnectionFault) -> None:
    match fault:
        case ConnectionFault.RESET:
            reset(connection)
        case ConnectionFault.SILENT:
            wait_until_left(connection)
        case ConnectionFault.RESET_IN_HANDSHAKE:
            connection.recv(1)
            reset(connection)
        case ConnectionFault.NO_TLS:
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        case ConnectionFault.CLOSED:
            pass
