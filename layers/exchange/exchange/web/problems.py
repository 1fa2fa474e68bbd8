"""The problems on the way to a server, and of HTTP: one function a code, with what to do.

No text repeats what a server wrote: a hostile or chatty one may echo what it was sent.
"""

from __future__ import annotations

from http import HTTPStatus

from presence.errors import Problem, ProblemKind


def host_unreachable(host: str, reason: str) -> Problem:
    """Say that the connection was refused, reset, or lost."""
    return Problem(
        "HostUnreachable",
        ProblemKind.PASSING,
        f"{host} can't be reached: {reason}",
        "check that the server runs, and that routes and firewalls let this machine through to it",
    )


def timed_out(host: str, stage: str, seconds: float) -> Problem:
    """Say that the server took longer than allowed."""
    return Problem(
        "Timeout",
        ProblemKind.PASSING,
        f"{host} took longer than {seconds:g} s {stage}",
        "check the load of the server and the network on the way to it, or allow more time",
    )


def no_time_left(host: str) -> Problem:
    """Nothing of the time of the whole read is left."""
    return Problem(
        "Timeout",
        ProblemKind.PASSING,
        f"no time was left for {host} to answer: the read as a whole took too long",
        "see with `presence check` which step is slow; skip it, or allow the function more time",
    )


def host_not_found(host: str) -> Problem:
    """Say that DNS says that there is no such name, or that it has no address."""
    return Problem(
        "HostNotFound",
        ProblemKind.LASTING,
        f"DNS knows no address of {host}",
        "check the name, and the name servers in the network part of the gateways document",
    )


def name_server_failed(host: str, reason: str) -> Problem:
    """Say that DNS gave no answer, or a failure."""
    return Problem(
        "NameServerFailed",
        ProblemKind.PASSING,
        f"the name servers could not tell the address of {host}: {reason}",
        "check the name servers in the network part of the gateways document",
    )


def address_not_allowed(host: str, address: str, what: str) -> Problem:
    """Say that a name leads to an address that no Exchange server has."""
    return Problem(
        "AddressNotAllowed",
        ProblemKind.LASTING,
        f"{host} leads to {address}, {what}; nothing was sent there",
        "correct the DNS entry; on a test machine set allow_loopback in the network part of the gateways document",
    )


def answer_too_large(host: str, limit: int) -> Problem:
    """Say that the server sent more than any right answer needs."""
    return Problem(
        "AnswerTooLarge",
        ProblemKind.LASTING,
        f"{host} sent more than {limit // 1024} KiB; the answer was not read further",
        "check that this is the Exchange server and not another service",
    )


def malformed_answer(host: str, what: str) -> Problem:
    """Say that the answer as a whole is not what the protocol says."""
    return Problem(
        "MalformedAnswer",
        ProblemKind.PASSING,
        f"{host} sent an answer that can't be used: {what}",
        "if it stays, check that the URL leads to Exchange and that nothing on the way changes its answers",
    )


def http_status(host: str, status: int, retry_after: float | None = None) -> Problem:
    """Say what an HTTP status means: not now (429, 5xx), or not at all. `retry_after` is in seconds.

    429 asks to wait also where it does not say for how long (RFC 6585, section 4); that is then 0, and not None.
    """
    throttled = status == HTTPStatus.TOO_MANY_REQUESTS
    if throttled or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(
            "ServerBusy" if throttled or status == HTTPStatus.SERVICE_UNAVAILABLE else "ServerFailed",
            ProblemKind.PASSING,
            f"{host} answers with HTTP status {status}",
            "nothing, if it passes; else look at the load and the health of the server",
            retry_after or 0.0 if throttled else retry_after,
        )
    code = {403: "AccessDenied", 404: "EndpointNotFound", 440: "LoginPage"}.get(status, "UnexpectedStatus")
    return Problem(
        code,
        ProblemKind.LASTING if status >= HTTPStatus.BAD_REQUEST else ProblemKind.UNEXPECTED,
        f"{host} answers with HTTP status {status}",
        "check that the URL is the right one, that the service is enabled there, and that the account may use it",
    )
