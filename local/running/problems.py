"""Which users and gateways can't be read, and since the last look also which can be read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from exchange.gateway_documents import parse_gateways
from exchange.gateway_problems import GatewayProblem, GatewayProblems
from local.stack.deployment import Deployment
from local.stack.tables import configuration_of, endpoints_of, presences_of, users_of
from presence.clock import system_clock
from presence.errors import Problem
from presence.tables.configuration import GATEWAYS

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ProblemNews:
    """That users, by their addresses, or a gateway have a problem; `problem` None: that they have none any more."""

    names: tuple[str, ...]
    problem: Problem | GatewayProblem | None


class ProblemWatch:
    """Looks at what stands on the records, and tells what is new."""

    def __init__(self, deployment: Deployment) -> None:
        self._users = users_of(deployment)
        self._presences = presences_of(deployment)
        self._configuration = configuration_of(deployment)
        self._gateways = GatewayProblems(endpoints_of(deployment), system_clock)
        self._known: Mapping[str, Problem | GatewayProblem] = {}

    def look(self) -> list[ProblemNews]:
        """Return what is new since the last look; at the first, every problem."""
        present: dict[str, Problem | GatewayProblem] = {**dict(self._of_gateways()), **dict(self._of_users())}
        news = problem_news(self._known, present)
        self._known = present
        return news

    def _of_gateways(self) -> Iterator[tuple[str, GatewayProblem]]:
        stored = self._configuration.document(GATEWAYS)
        names = [gateway.name for gateway in parse_gateways(stored.content).gateways] if stored else []
        for name, problem in self._gateways.of_gateways(names).items():
            yield f"gateway {name}", problem

    def _of_users(self) -> Iterator[tuple[str, Problem]]:
        every = self._users.every()
        while batch := list(islice(every, _AT_ONCE)):
            stored = self._presences.get_many([scheduled.user.user_id for scheduled in batch]).found
            for scheduled in batch:
                record = stored.get(scheduled.user.user_id)
                if record is not None and record.problem is not None:
                    yield scheduled.user.address, record.problem.problem


def problem_news(
    known: Mapping[str, Problem | GatewayProblem], present: Mapping[str, Problem | GatewayProblem]
) -> list[ProblemNews]:
    """Return what changed between two looks at problems by name; users with the same kind of one are told together."""
    begun: dict[tuple[bool, str], list[str]] = {}
    for name, problem in present.items():
        if name not in known or known[name].code != problem.code:
            begun.setdefault((isinstance(problem, GatewayProblem), problem.code), []).append(name)
    news = [ProblemNews(tuple(sorted(names)), present[names[0]]) for names in begun.values()]
    if ended := sorted(set(known) - set(present)):
        news.append(ProblemNews(tuple(ended), None))
    return news
