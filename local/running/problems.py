"""Which users can't be read, and since the last look also who can be read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from local.stack.deployment import Deployment
from presence.errors import Problem
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ProblemNews:
    """That users have a problem, of the same kind; `problem` None: that they have none any more."""

    addresses: tuple[str, ...]
    problem: Problem | None


class ProblemWatch:
    """Looks at what stands on the records, and tells what is new."""

    def __init__(self, deployment: Deployment) -> None:
        dynamodb = deployment.client("dynamodb")
        self._users = UserTable(dynamodb, deployment.outputs["UserTableName"])
        self._presences = PresenceTable(dynamodb, deployment.outputs["PresenceTableName"], shards=1)
        self._known: Mapping[str, Problem] = {}

    def look(self) -> list[ProblemNews]:
        """Return what is new since the last look; at the first, every problem."""
        present = dict(self._problems())
        news = problem_news(self._known, present)
        self._known = present
        return news

    def _problems(self) -> Iterator[tuple[str, Problem]]:
        every = self._users.every()
        while batch := list(islice(every, _AT_ONCE)):
            stored = self._presences.get_many([scheduled.user.user_id for scheduled in batch]).found
            for scheduled in batch:
                record = stored.get(scheduled.user.user_id)
                if record is not None and record.problem is not None:
                    yield scheduled.user.address, record.problem.problem


def problem_news(known: Mapping[str, Problem], present: Mapping[str, Problem]) -> list[ProblemNews]:
    """Return what changed between two looks at problems by address, users with the same kind of problem together."""
    begun: dict[str, list[str]] = {}
    for address, problem in present.items():
        if address not in known or known[address].code != problem.code:
            begun.setdefault(problem.code, []).append(address)
    news = [ProblemNews(tuple(sorted(addresses)), present[addresses[0]]) for addresses in begun.values()]
    if ended := sorted(set(known) - set(present)):
        news.append(ProblemNews(tuple(ended), None))
    return news
