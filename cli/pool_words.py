"""How the hosts of a gateway's pool are, in words for an operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from exchange.endpoints import EndpointCache
from exchange.gateways import Gateway
from exchange.pool.breaker import Breaker, BreakerState
from exchange.pool.shared_pool import read_breakers
from presence.instants import format_instant


def describe_pool(gateway: Gateway, cache: EndpointCache, now: datetime) -> Iterator[str]:
    """Yield a heading, and a line for each host of a gateway that has several: whether it is asked, and why not."""
    if gateway.has_pool:
        yield f"pool of {gateway.name}:"
        for host, breaker in read_breakers(gateway, cache).items():
            yield f"  {host} {_in_words(breaker, now)}"


def _in_words(breaker: Breaker, now: datetime) -> str:
    since, until = (format_instant(instant.replace(microsecond=0)) for instant in (breaker.since, breaker.until))
    match breaker.state:
        case BreakerState.CLOSED:
            return "is asked as usual"
        case BreakerState.SUSPECTED:
            return f"is asked as usual; it failed once at {since}: {breaker.code}"
        case BreakerState.OPEN:
            return f"is not asked since {since}: {breaker.code}; it is tried again from {until} on"
        case BreakerState.HALF_OPEN:
            return f"is not asked since {since}: {breaker.code}; it is being tried"
        case BreakerState.RECOVERING:
            return f"answers again since {since}; {breaker.share(now):.0%} of its users are back, all by {until}"
