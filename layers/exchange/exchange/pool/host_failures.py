"""Which problems are a host's, so that another host of the pool may do better. Pure.

A server that asks to be left alone for a moment does not fail: another host would ask the same Exchange for the same
thing. One that asks for longer does not either, but there the other hosts may have time.
"""

from __future__ import annotations

from exchange.ews.mailbox_codes import OF_ONE_MAILBOX
from exchange.ews.response_codes import stumbled
from exchange.ews.server_codes import OF_THE_SERVER
from exchange.problems import CONNECTION_CODES
from presence.errors import Problem, ProblemKind

REJECTED = "CredentialsRejected"

_OF_THE_HOST = CONNECTION_CODES | {
    "Timeout",
    "ServerFailed",
    # Wrongly refused by one host, or by all: the next one tells.
    REJECTED,
    "AuthenticationFailed",
    "AuthenticationNotOffered",
    # Something else than Exchange answers there, or EWS is switched off.
    "AccessDenied",
    "EndpointNotFound",
    "LoginPage",
    "UnexpectedStatus",
}
# One mailbox may make a server stumble over the whole request; the next request to it may fare better.
_OF_ONE_ANSWER = frozenset(
    {
        "MalformedAnswer",
        "ErrorInternalServerError",
        "ErrorDataSourceOperation",
        "ErrorResponseSchemaValidation",
        "ErrorWebRequestInInvalidState",
        "ErrorWin32InteropError",
    }
)
_ASKS_TO_WAIT = frozenset({"ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"})
_WORTH_WAITING_FOR = 60.0
"""Seconds."""
_DIRECTORY = frozenset({"ErrorADUnavailable", "ErrorADOperation"})


def host_failed(problem: Problem, *, alone: bool) -> bool:
    """Tell whether the host is to be asked for nobody else during this read.

    `alone`: the question was about one mailbox, whose own doing it may be.
    """
    if alone and stumbled(problem.code):
        return False
    # IIS says 503 for a service that is stopped; a server that is only busy says for how long (Retry-After).
    stopped = problem.code == "ServerBusy" and problem.retry_after is None
    return stopped or problem.code in _OF_THE_HOST or _server_failed(problem)


def answer_failed(problem: Problem, *, alone: bool) -> bool:
    """Tell whether another host may be asked the same, while this one may still be asked something else.

    `alone`: the question was about one mailbox, whose own problem it may be.
    """
    if problem.code in _OF_ONE_ANSWER:
        return True
    return stumbled(problem.code) if alone else mailbox_failed_here(problem.code)


def asks_for_a_long_wait(problem: Problem) -> bool:
    """Tell whether a host is to be left alone for so long that its mailboxes would miss a check."""
    return (problem.retry_after or 0.0) > _WORTH_WAITING_FOR


def mailbox_failed_here(code: str) -> bool:
    """Tell whether a mailbox's own problem may be gone at another host; it says nothing about the host's others."""
    meaning = OF_ONE_MAILBOX.get(code)
    if meaning is None or meaning.kind is not ProblemKind.PASSING or code == "ErrorMailboxMoveInProgress":
        return False
    return meaning.moved or code in _DIRECTORY


def _server_failed(problem: Problem) -> bool:
    passing = problem.code in OF_THE_SERVER and problem.kind is ProblemKind.PASSING
    return passing and problem.code not in _OF_ONE_ANSWER | _ASKS_TO_WAIT
