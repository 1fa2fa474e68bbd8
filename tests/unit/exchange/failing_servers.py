"""Servers that fail at each request in which one mailbox is, in all ways in which one may make them fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from local.exchange.kept_host import Respond, http
from presence.errors import Problem
from tests.unit.exchange.branch_pool import Read, addresses_in, exchange
from tests.unit.exchange.hosts import availability, fault, mailbox_answer, website

SERVER_ERROR = http(500, fault("ErrorInternalServerError"))

FAILURES: Mapping[str, Respond] = {
    "ErrorInternalServerError": lambda _request: SERVER_ERROR,
    "ErrorCorruptData": lambda _request: http(500, fault("ErrorCorruptData")),
    "ServerFailed": lambda _request: http(500),
    "MalformedAnswer": website,
    "AnswerCountMismatch": lambda _request: http(200, availability(*[mailbox_answer()] * 101)),
    "AnswerTooLarge": lambda _request: http(200, b" " * (5 * 1024 * 1024 + 1)),
}
"""By the code of the problem."""


def failing_over(poison: Collection[str], failure: Respond = lambda _request: SERVER_ERROR) -> Respond:
    """Fail at each request in which one of the mailboxes is, and answer rightly otherwise."""
    return lambda request: (failure if set(poison) & set(addresses_in(request)) else exchange)(request)


def unread(results: Read) -> list[str]:
    return [address for address, result in results.items() if isinstance(result, Problem)]
