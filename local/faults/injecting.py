"""Which faults can be ordered by name, and with which arguments; and which of them have taken effect."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.faults import autodiscover_faults, dns_faults, ews_faults, http_faults, tcp_faults, tls_faults
from local.faults.stage import Effect, Stage

INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    **dns_faults.INJECTIONS,
    **tcp_faults.INJECTIONS,
    **tls_faults.INJECTIONS,
    **http_faults.INJECTIONS,
    **autodiscover_faults.INJECTIONS,
    **ews_faults.INJECTIONS,
}


def check_injection(name: str, arguments: Mapping[str, Any]) -> None:
    """Raise ValueError for a fault that can't be ordered, or that does not take these arguments."""
    if name not in INJECTIONS:
        raise ValueError(f"{name!r} is no fault; known are {', '.join(sorted(INJECTIONS))}")
    try:
        inspect.signature(INJECTIONS[name]).bind(None, **arguments)
    except TypeError as error:
        raise ValueError(f"fault {name!r}: {error}") from error


def inject(stage: Stage) -> list[tuple[str, Effect]]:
    """Let the faults of the stage's row happen; return of each its name, and what tells how often it took effect."""
    stage.take_as_usual()
    return [(name, INJECTIONS[name](stage, **arguments)) for name, arguments in stage.row.faults]


def without_effect(injected: Sequence[tuple[str, Effect]]) -> list[str]:
    """Return the names of the faults that nobody has met: all that they were to change went as usual."""
    return [name for name, effect in injected if not effect()]
