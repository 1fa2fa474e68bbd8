"""What the gateways document says of how names become addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exchange.web.hosts import HostPort


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How names become addresses.

    `nameservers` replace the system's; `connect` sends a host and port to another address and port, the TLS name
    kept; `allow_loopback` permits targets on this machine and this link (test machines).
    """

    nameservers: tuple[HostPort, ...] = ()
    connect: Mapping[HostPort, HostPort] = field(default_factory=dict)
    allow_loopback: bool = False
