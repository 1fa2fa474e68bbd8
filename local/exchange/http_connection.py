"""HTTP/1.1 of one connection: reads requests, has them answered, writes answers, keeps the connection alive."""

from __future__ import annotations

import http.client
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Protocol

from local.exchange.delivering import body_headers, deliver
from local.exchange.http_messages import HttpAnswer, HttpRequest

if TYPE_CHECKING:
    import socket

MAXIMUM_BODY = 8 * 1024 * 1024


class Conversation(Protocol):
    """The one who answers the requests of one connection, and knows what was said before on it."""

    def answer(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer, or None to end the connection without one."""


class HttpConnection(BaseHTTPRequestHandler):
    """Serves one connection, from construction to its end."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-IIS/10.0"
    sys_version = ""

    def __init__(self, connection: socket.socket, host: str, conversation: Conversation) -> None:
        self._host = host
        self._conversation = conversation
        super().__init__(connection, connection.getpeername(), None)  # type: ignore[arg-type]  # it asks for no server

    def handle_one_request(self) -> None:
        """Answer one request, whatever its method."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            return
        body = self._body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self._host, self.path, headers, body)
        answer = self._conversation.answer(request)
        if answer is None:
            self.close_connection = True
            return
        if _says_close(answer):
            self.close_connection = True
        body_sent = b"" if self.command == "HEAD" else answer.body
        if not deliver(self.connection, self._head(answer), body_sent, answer.delivery):
            self.close_connection = True

    def _body(self) -> bytes | None:
        """Return the request's body, or None where it can't be had and the refusal is already written."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdecimal()):
            self.send_error(http.HTTPStatus.LENGTH_REQUIRED)
            return None
        if int(length) > MAXIMUM_BODY:
            self.send_error(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else None

    def _head(self, answer: HttpAnswer) -> bytes:
        phrase = http.client.responses.get(answer.status, "")
        lines = [
            f"HTTP/1.1 {answer.status} {phrase}",
            f"Server: {self.server_version}",
            f"Date: {self.date_time_string()}",
            *body_headers(answer.delivery, len(answer.body)),
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        if answer.body:
            lines.append(f"Content-Type: {answer.content_type}")
        if self.close_connection and not _says_close(answer):
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Write nothing to the console: the request log has it all."""


def _says_close(answer: HttpAnswer) -> bool:
    return any(name.lower() == "connection" and value.lower() == "close" for name, value in answer.headers)
