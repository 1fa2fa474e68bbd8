"""Asking again: who failed for a passing reason goes back on the queue, delayed as the server asked."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from presence.errors import Problem, ProblemKind
from presence.messages import CheckReason, CheckRequest
from presence.queues import LONGEST_DELAY, QueuedMessage
from presence.records import User

_FIRST_BACKOFF = 15.0
"""Seconds until the first retry where the server named no time; each further one waits twice as long."""


def delays_of(
    request: CheckRequest, outcomes: Mapping[str, object], next_turn: datetime, now: datetime, jitter: float
) -> dict[str, int]:
    """Return after how many seconds each address that failed for a passing reason is asked for again.

    Absent is who is not asked for again before the next turn. `jitter` is a factor around 1.
    """
    # One for all: who failed together is asked for together again, by one request and not by one for each.
    backoff = _FIRST_BACKOFF * 2**request.attempt * jitter
    delays: dict[str, int] = {}
    for address, problem in outcomes.items():
        if not isinstance(problem, Problem) or problem.kind is not ProblemKind.PASSING:
            continue
        delay = math.ceil(problem.retry_after or backoff)
        if delay <= LONGEST_DELAY and now + timedelta(seconds=delay) < next_turn:
            delays[address] = delay
    return delays


def retries(
    request: CheckRequest, failed: Iterable[tuple[User, Problem]], delays: Mapping[str, int]
) -> list[QueuedMessage]:
    """Return the messages by which those of a request who are asked for again go back on the queue."""
    groups: defaultdict[tuple[int, int], list[User]] = defaultdict(list)
    for user, problem in failed:
        if user.address in delays:
            # An attempt at which the server was not asked is none.
            attempt = request.attempt + (not problem.unasked)
            groups[delays[user.address], attempt].append(user)
    return [
        QueuedMessage(replace(request, reason=CheckReason.RETRY, users=tuple(users), attempt=attempt).encode(), delay)
        for (delay, attempt), users in groups.items()
    ]
