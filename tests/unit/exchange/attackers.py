"""Servers of attackers: they speak correctly, ask for credentials as Exchange does, and keep every byte."""

from __future__ import annotations

import base64
import re
import struct

from local.exchange.kept_host import KeptHost, Respond, http
from tests.unit.exchange.hosts import PASSWORD, USERNAME, challenge, pox_settings

STRANGER_EWS = "https://mail.stranger.test/EWS/Exchange.asmx"
_SIGNATURE = b"NTLMSSP\x00"
_DOMAIN = "STRANGER".encode("utf-16-le")
# MS-NLMP 2.2.2.5: Unicode, NTLM, a target with its information, extended session security, 128 bits.
_FLAGS = 0x00000001 | 0x00000200 | 0x00010000 | 0x00080000 | 0x00800000 | 0x20000000


def ntlm_challenge() -> str:
    """Return a CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2), to which a client answers with proof of its password."""
    pairs = struct.pack("<HH", 2, len(_DOMAIN)) + _DOMAIN + struct.pack("<HH", 0, 0)
    name_at = 56
    head = _SIGNATURE + struct.pack("<IHHII", 2, len(_DOMAIN), len(_DOMAIN), name_at, _FLAGS)
    head += b"01234567" + bytes(8) + struct.pack("<HHI", len(pairs), len(pairs), name_at + len(_DOMAIN))
    return base64.b64encode(head + bytes(8) + _DOMAIN + pairs).decode()


def asking(auth: str, respond: Respond) -> Respond:
    """Ask everybody for their password until they give it, and answer then."""

    def ask(request: bytes) -> bytes | None:
        if auth == "basic":
            return respond(request) if b"\r\nauthorization: basic " in request.lower() else challenge()
        tokens = _ntlm_tokens(request)
        if not tokens:
            return challenge("NTLM")
        return respond(request) if _is_proof(tokens[0]) else challenge(f"NTLM {ntlm_challenge()}")

    return ask


def collector(auth: str) -> Respond:
    """Ask everybody for their password, and send whoever gives it on to an EWS server of the attacker's own."""
    return asking(auth, lambda _request: http(200, pox_settings(STRANGER_EWS)))


def _ntlm_tokens(data: bytes) -> list[bytes]:
    return [base64.b64decode(found) for found in re.findall(rb"\r\nAuthorization: NTLM (\S+)", data, re.IGNORECASE)]


def _is_proof(token: bytes) -> bool:
    """Tell whether a message is the last one of NTLM (AUTHENTICATE_MESSAGE), made with the password."""
    return token[8:9] == b"\x03"


def got_credentials(host: KeptHost) -> bool:
    """Tell whether a host has what an account's owner alone knows, or the proof of it."""
    received = bytes(host.received)
    secrets = [f"{USERNAME}:{PASSWORD}".encode(), PASSWORD.encode(), PASSWORD.encode("utf-16-le")]
    spelled = [*secrets, *(base64.b64encode(secret) for secret in secrets)]
    return any(map(_is_proof, _ntlm_tokens(received))) or any(secret in received for secret in spelled)


def got_any_token(host: KeptHost) -> bool:
    """Tell whether a host was sent anything at all to sign in with, be it the first, empty message of NTLM."""
    return b"\r\nauthorization:" in bytes(host.received).lower()
