"""Lets nobody into the engine who does not sign their request with the key that its starter has.

The engine checks the signatures of functions, but takes whoever names the account, or nobody, for the account's root:
any program on this machine could read the credentials of Exchange out of it, and a web page could have a browser wipe
its state. Here a request in the name of the root is served only with a right signature (Signature Version 4, AWS
General Reference, "Signing AWS API requests"), and the engine's paths for tests are closed.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qs, quote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_REFUSED: Final = {"__type": "InvalidClientTokenId", "message": "The request is not signed with the engine's key."}
_FOR_TESTS: Final = ("/_ministack", "/_localstack", "/_aws")


def close(key: str, secret: str) -> None:
    """Put the door before the engine of this process, to be called before it starts; `key` and `secret` open it."""
    served: Any = importlib.import_module("ministack.app")
    served.app = Door(served.app, key, secret)


class Door:
    """An ASGI application (asgi.readthedocs.io) before another one."""

    def __init__(self, behind: Application, key: str, secret: str) -> None:
        self._behind = behind
        self._key = key
        self._secret = secret
        self._sigv4: Any = importlib.import_module("ministack.core.sigv4")
        self._router: Any = importlib.import_module("ministack.core.router")
        self._evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] == "lifespan":
            await self._behind(scope, receive, send)
        elif scope["type"] != "http" or scope["path"].startswith(_FOR_TESTS):
            await _refuse(scope, send)
        elif self._in_a_functions_name(scope):
            await self._behind(scope, receive, send)  # where the signature is checked against the role's key
        else:
            body = await _body(receive)
            if not self._is_signed(scope, body):
                await _refuse(scope, send)
                return
            await self._behind(scope, _again(body, receive), send)

    def _in_a_functions_name(self, scope: Scope) -> bool:
        """Tell whether all keys that a request names are ones whose signature the engine checks."""
        query = _query(scope)
        named = {
            self._router.extract_access_key_id(_headers(scope), None),
            self._router.extract_access_key_id(_headers(scope), query),
            self._router.extract_access_key_id({}, query),
        } - {""}
        return bool(named) and not any(self._evaluator.is_root_access_key(key) for key in named)

    def _is_signed(self, scope: Scope, body: bytes) -> bool:
        headers = _headers(scope)
        if not headers.get("authorization", "").startswith(f"AWS4-HMAC-SHA256 Credential={self._key}/"):
            return False
        signature = self._sigv4.parse_header_signature(headers)
        if isinstance(signature, tuple) or self._sigv4.request_time_failure(signature):
            return False
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        return (
            self._sigv4.header_signature_failure(
                signature, self._secret, scope["method"], path, _query(scope), headers, body
            )
            is None
        )


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text  # as Signature Version 4 joins them
    return headers


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that has been read, and then what comes after it."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> dict[str, Any]:
        return left.pop() if left else await receive()

    return receive_again


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps(_REFUSED).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
