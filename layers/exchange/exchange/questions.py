"""What is asked of a gateway's servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from exchange.ews.client import EwsClient
from exchange.locating import Resolution
from presence.errors import Problem

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Question(Generic[Result_co]):
    """A question about up to `at_once` mailboxes in a request; `topic` names what is asked for.

    `ask` takes the client of a gateway, an URL and the mailboxes, and returns their results in their order, or raises
    `ProblemError`.
    """

    topic: str
    at_once: int
    ask: Callable[[EwsClient, str, Sequence[Resolution]], Sequence[Result_co | Problem]]
