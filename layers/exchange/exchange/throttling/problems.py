"""The problems of those who have to wait: one function a code, with what to do. Nobody was asked."""

from __future__ import annotations

from presence.errors import Problem, ProblemKind


def gateway_busy(gateway: str, most: int, retry_after: float) -> Problem:
    """Say that as many reads of a gateway are under way as it may have, so that this one was not begun."""
    return Problem(
        "GatewayBusy",
        ProblemKind.PASSING,
        f"gateway {gateway!r} has all of its {most} concurrent reads under way; this one was not begun",
        "nothing, if it passes; else see which server is slow, or raise concurrent_reads if it can bear more",
        retry_after,
        unasked=True,
    )


def wait_asked_for(host: str, until: str, retry_after: float) -> Problem:
    """Say that a server has asked to be left alone until an instant, and was not asked."""
    return Problem(
        "ServerBusy",
        ProblemKind.PASSING,
        f"{host} has asked to be left alone until {until}, and was not asked",
        "nothing, if it passes; else look at the load and the health of the server",
        retry_after,
        unasked=True,
    )
