"""Readers of calendars as check_calendars has them, with one account, and what is known of endpoints in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.account.credentials import Credentials
from exchange.endpoints import EndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.reader import ExchangeReader, ReadTimes
from exchange.tls.expiry_watch import ExpiryWatch
from presence.clock import system_clock

_SECONDS = 60.0


def reader_of(document: Mapping[str, object], account: Credentials, cache: EndpointCache) -> ExchangeReader:
    """Return a reader over a gateways document whose secrets are all the same account; nothing is cut short."""
    return ExchangeReader(
        gateways=parse_gateways(document),
        secrets=_OneSecret(account),
        cache=cache,
        clock=system_clock,
        times=ReadTimes(_SECONDS, _SECONDS, _SECONDS),
        watch=ExpiryWatch(system_clock, _warn),
    )


def _warn(message: str, **details: object) -> None:
    raise ValueError(f"{message}: {details}")


@dataclass(frozen=True, slots=True)
class _OneSecret:
    """A SecretSource that knows one."""

    account: Credentials

    def credentials(self, reference: str) -> Credentials:  # noqa: ARG002  there is but one
        return self.account
