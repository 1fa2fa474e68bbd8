"""Signing in to a host: NTLM for a whole connection, with Extended Protection enforced, and Basic for one request."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from typing import TYPE_CHECKING

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.exchange.accounts import Account

NTLM = "NTLM"
BASIC = "Basic"

_SIGNATURE = b"NTLMSSP\x00"
_NEGOTIATE_MESSAGE = 1
_AUTHENTICATE_MESSAGE = 3
# MS-NLMP 2.2.2.8: an NTLMv2 response is a proof of 16 bytes, 28 bytes of header, then AV pairs.
_AV_PAIRS_OFFSET = 44
_MSV_AV_CHANNEL_BINDINGS = 0x000A


def channel_bindings(certificate_digest: bytes) -> GssChannelBindings:
    """Return the channel bindings of a TLS connection to a host with this certificate (RFC 5929, section 4)."""
    return GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_digest)


class Authentication:
    """The sign-in state of one connection.

    As IIS does, NTLM is asked for once a connection: after that each request on it is the account's. Basic must come
    with each request. `scheme` is the one that the last request used, or None where it had no credentials.
    """

    def __init__(self, accounts: Iterable[Account], schemes: tuple[str, ...], bindings: GssChannelBindings) -> None:
        self._accounts = tuple(accounts)
        self._schemes = schemes
        self._bindings = bindings
        self._acceptor: spnego.ContextProxy | None = None
        self._signed_in: Account | None = None
        self.scheme: str | None = None

    def sign_in(self, header: str | None) -> Account | list[str]:
        """Take a request's Authorization header; return the account, or the challenges for an answer with 401."""
        scheme, _, value = (header or "").partition(" ")
        self.scheme = scheme or None
        if header is None:
            return self._signed_in or list(self._challenges())
        self._signed_in = None
        try:
            token = base64.b64decode(value.strip(), validate=True)
        except binascii.Error:
            return list(self._challenges())
        if scheme.lower() == NTLM.lower() and NTLM in self._schemes:
            return self._ntlm(token)
        if scheme.lower() == BASIC.lower() and BASIC in self._schemes:
            return self._basic(token)
        return list(self._challenges())

    def _challenges(self) -> Iterable[str]:
        return (f'{BASIC} realm="Exchange"' if scheme == BASIC else scheme for scheme in self._schemes)

    def _basic(self, token: bytes) -> Account | list[str]:
        username, _, password = token.decode(errors="replace").partition(":")
        for account in self._accounts:
            if account.is_named(username) and hmac.compare_digest(account.password.encode(), password.encode()):
                return account
        return list(self._challenges())

    def _ntlm(self, token: bytes) -> Account | list[str]:
        kind = _message_type(token)
        try:
            if kind == _NEGOTIATE_MESSAGE:
                self._acceptor = spnego.server(
                    protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, channel_bindings=self._bindings
                )
                challenge = self._acceptor.step(token)
                return [f"{NTLM} {base64.b64encode(challenge or b'').decode()}"]
            acceptor, self._acceptor = self._acceptor, None
            if acceptor is None or kind != _AUTHENTICATE_MESSAGE or not self._is_bound(token):
                return list(self._challenges())
            acceptor.step(token)
        except (SpnegoError, ValueError, struct.error, IndexError):
            # Whatever is wrong with a token, Windows says no more than 401.
            self._acceptor = None
            return list(self._challenges())
        for account in self._accounts:
            if account.is_named(acceptor.client_principal or ""):
                self._signed_in = account
                return account
        return list(self._challenges())

    def _is_bound(self, token: bytes) -> bool:
        """Tell whether the client bound its answer to this TLS connection.

        The acceptor takes a binding of zeros, and NTLMv1 which has none, for "knows of no bindings"; a server that
        requires Extended Protection takes neither. That the binding is genuine the acceptor proves, by the proof over
        the AV pairs.
        """
        return channel_binding_of(token) == hashlib.md5(self._bindings.pack(), usedforsecurity=False).digest()


def channel_binding_of(token: bytes) -> bytes | None:
    """Return the channel binding hash in an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), or None where it has none.

    struct.error for a message that is cut off.
    """
    length, _, offset = struct.unpack_from("<HHI", token, 20)
    response = token[offset : offset + length]
    position = _AV_PAIRS_OFFSET
    while position + 4 <= len(response):
        identifier, size = struct.unpack_from("<HH", response, position)
        if identifier == _MSV_AV_CHANNEL_BINDINGS:
            return response[position + 4 : position + 4 + size]
        if identifier == 0:
            return None
        position += 4 + size
    return None


def _message_type(token: bytes) -> int | None:
    if not token.startswith(_SIGNATURE) or len(token) < len(_SIGNATURE) + 4:
        return None
    return int.from_bytes(token[8:12], "little")
