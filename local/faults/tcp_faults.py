"""Faults of TCP and of what goes over it: connections refused, reset, silent, slow, and answers that break off."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from local.exchange.faults import Fault
from local.exchange.http_messages import Delivery, Ending
from local.exchange.listener import ConnectionFault
from local.faults.places import EWS_PATH, MAIL
from local.faults.stage import Effect, Stage


def refused(stage: Stage, host: str = MAIL) -> Effect:
    """Let a host be down."""
    stage.exchange.stop_host(host)
    stage.undo.callback(stage.exchange.start_host, host)
    return lambda: stage.exchange.listener(host).refused


def connection(stage: Stage, fault: str, host: str = MAIL) -> Effect:
    """Let a host fail at each new connection."""
    listener = stage.exchange.listener(host)
    listener.fault = ConnectionFault[fault.upper().replace("-", "_")]
    stage.undo.callback(setattr, listener, "fault", None)
    return lambda: listener.unusual


def delivery(
    stage: Stage,
    host: str = MAIL,
    path: str = EWS_PATH,
    truncate: int | None = None,
    ending: str = "closed",
    drip: float = 0.0,
    told_length: str | None = None,
    raw: str | None = None,
    operation: str = "",
    *,
    chunked: bool = False,
) -> Effect:
    """Let the right answers of a host come over the wire in a wrong way."""
    told = Delivery(
        truncate=truncate,
        ending=Ending[ending.upper()],
        drip=drip,
        chunked=chunked,
        told_length=told_length,
        raw=None if raw is None else raw.encode("latin-1"),
    )
    return standing(stage, host, path, Fault(delivery=told, operation=operation))


def no_answer(
    stage: Stage, host: str = MAIL, path: str = EWS_PATH, seconds: float = 30.0, operation: str = ""
) -> Effect:
    """Let a host take its time to answer, each request or those for an operation."""
    return standing(stage, host, path, Fault(delay=seconds, operation=operation))


def hangs_up(stage: Stage, host: str = MAIL, path: str = EWS_PATH) -> Effect:
    """Let a host close the connection instead of answering."""
    return standing(stage, host, path, Fault(drop=True))


def standing(stage: Stage, host: str, path: str, fault: Fault) -> Effect:
    """Let a fault strike each request for a host and path until it is undone."""
    stage.exchange.faults.always(host, path, fault)
    stage.undo.callback(stage.exchange.faults.clear)
    return lambda: stage.exchange.faults.effects(fault)


INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "refused": refused,
    "connection": connection,
    "delivery": delivery,
    "no-answer": no_answer,
    "hangs-up": hangs_up,
}
