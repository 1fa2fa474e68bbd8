"""What a run of autodiscover did, step by step, for an administrator. Nothing secret is in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from exchange.tls.certificates import SeenCertificate

KNOWN = "known"
"""The step that asks the service which answered for the domain before."""

PINNED = "pinned"
"""The step that asks the service which the operator named for the domain."""


WAITING = "waiting"
"""Stands for the steps that there was no time for."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One question and what came of it.

    `step` is one of DiscoveryStep, KNOWN, PINNED or WAITING (or says that nothing had to be asked), `asked` a URL, a
    domain or the name of an SRV record, `addresses` what DNS (or the `connect` table) gave, `status` that of HTTP if
    there was an answer, `certificate` the one that the host showed, if it was met in this step.
    """

    step: str
    asked: str
    addresses: tuple[str, ...]
    status: int | None
    milliseconds: int
    sentence: str
    certificate: SeenCertificate | None = None


class Stopwatch:
    """Measures the milliseconds of one step."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._start = monotonic()

    def milliseconds(self) -> int:
        """Return the whole milliseconds since the start."""
        return round((self._monotonic() - self._start) * 1000)
