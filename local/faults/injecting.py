"""Which faults can be ordered by name, and with which arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from local.faults import autodiscover_faults, dns_faults, ews_faults, http_faults, tcp_faults, tls_faults
from local.faults.stage import Stage

INJECTIONS: Mapping[str, Callable[..., None]] = {
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


def inject(stage: Stage) -> None:
    """Let the faults of the stage's row happen."""
    for name, arguments in stage.row.faults:
        INJECTIONS[name](stage, **arguments)
