"""Asking a pool about many mailboxes: each at its host, and where that fails, at the next one in the same read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from exchange.asking import Ask, Result, ends_asking
from exchange.halving import Halving, may_be_of_one_mailbox
from exchange.locating import Resolution
from exchange.pool.host_failures import (
    REJECTED,
    answer_failed,
    asks_for_a_long_wait,
    host_failed,
    mailbox_failed_here,
)
from exchange.pool.shared_pool import SharedPool
from presence.errors import Problem, ProblemError, ProblemKind

_SHARE_WITH_OTHERS = 0.5
"""The part of the read's time that is left which a host may use up while there is another one to ask after it."""

_SHARE_OF_A_PROBE = 0.2
"""Likewise, while a host is only tried again: everybody else of the read waits for it."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a host failed with, and for whom."""

    host: str
    problem: Problem
    addresses: tuple[str, ...]


class PoolQuestion(Generic[Result]):
    """One question to a pool. `ask` asks one host about up to `at_once` mailboxes.

    `take_share` is told before each request which part of the time that is left it may use, from 0 to 1.
    """

    def __init__(
        self,
        pool: SharedPool,
        at_once: int,
        ask: Ask[Result],
        halving: Halving,
        take_share: Callable[[float], None],
    ) -> None:
        self._pool = pool
        self._at_once = at_once
        self._ask = ask
        self._halving = halving
        self._take_share = take_share
        self._waiting: defaultdict[str, list[Resolution]] = defaultdict(list)
        self._results: dict[str, Result | Problem] = {}
        self._answered: dict[str, str] = {}
        self._tried: defaultdict[str, dict[str, Problem]] = defaultdict(dict)
        self._left_out: dict[str, Problem] = {}
        self._ended: dict[str, Problem] = {}
        self._failures: list[_Failure] = []

    def run(self, resolutions: Sequence[Resolution]) -> dict[str, Result | Problem]:
        """Return a result or a problem for each address.

        A host that fails is left out from then on, and those who waited for it are asked for at others. It is held
        against it only if others answer what it did not: a question that nobody can answer, or a network that is
        down, says nothing about a host.
        """
        probes = self._pool.claim_probes()
        by_address = {resolution.address: resolution for resolution in resolutions}
        for host, address in probes.items():
            self._ask_host(host, [by_address[address]], is_probe=True)
        for resolution in resolutions:
            if resolution.address not in probes.values():
                self._send_to_next(resolution)
        while self._waiting:
            host, members = next(iter(self._waiting.items()))
            asked, members[:] = members[: self._at_once], members[self._at_once :]
            if not members:
                del self._waiting[host]
            self._ask_host(host, asked)
        self._note()
        return self._results

    def _send_to_next(self, resolution: Resolution) -> None:
        """Let a mailbox wait for the next host that may answer for it; if there is none, it has its problem."""
        address = resolution.address
        host = self._pool.host_for(address, self._left_out.keys() | self._tried[address].keys())
        if host is None:
            self._results[address] = _most_hopeful([*self._tried[address].values(), *self._left_out.values()])
        else:
            self._waiting[host].append(resolution)

    def _ask_host(self, host: str, asked: Sequence[Resolution], *, is_probe: bool = False) -> None:
        if host in self._ended:
            self._results.update({resolution.address: self._ended[host] for resolution in asked})
            return
        others = self._pool.healthy_hosts() - self._left_out.keys() - {host}
        share = _SHARE_OF_A_PROBE if is_probe else _SHARE_WITH_OTHERS
        self._take_share(share if others or self._may_have_to_be_halved(asked) else 1.0)
        try:
            found = self._ask(self._pool.url(host), asked)
        except ProblemError as error:
            if others and self._is_for_the_next_host_first(error.problem, asked):
                self._fail(host, error.problem, asked, is_probe=is_probe)
            else:
                self._halve(host, error.problem, asked, is_probe=is_probe)
            return
        for resolution, result in zip(asked, found, strict=True):
            self._answer(resolution, result, host)

    def _is_for_the_next_host_first(self, problem: Problem, asked: Sequence[Resolution]) -> bool:
        """Tell whether another host may do better: nobody knows yet that it is not the mailboxes."""
        alone = self._at_once == 1
        moves = host_failed(problem, alone=alone) or answer_failed(problem, alone=alone)
        return moves and not any(self._tried.get(resolution.address) for resolution in asked)

    def _may_have_to_be_halved(self, asked: Sequence[Resolution]) -> bool:
        """Tell whether a host hung over one of several mailboxes already, so that this one may as well."""
        tried = (self._tried.get(resolution.address, {}) for resolution in asked)
        return len(asked) > 1 and any(problem.code == "Timeout" for by_host in tried for problem in by_host.values())

    def _halve(self, host: str, problem: Problem, asked: Sequence[Resolution], *, is_probe: bool) -> None:
        """Look for the one mailbox over which a host fails, and take what it answers of the others.

        Whoever is left has the problem, which is held against no host: this one answers otherwise.
        """
        halved = self._halving.halve(self._pool.url(host), asked, problem, self._ask)
        for resolution in asked:
            if resolution.address in halved.answered:
                self._answer(resolution, halved.answered[resolution.address], host)
        if not halved.answered or not may_be_of_one_mailbox(halved.problem):
            self._fail(host, halved.problem, halved.left, is_probe=is_probe)
            return
        for resolution in halved.left:
            self._conclude(resolution, halved.problem, host)

    def _answer(self, resolution: Resolution, result: Result | Problem, host: str) -> None:
        self._answered[resolution.address] = host
        self._conclude(resolution, result, host)

    def _conclude(self, resolution: Resolution, result: Result | Problem, host: str) -> None:
        self._results[resolution.address] = result
        if isinstance(result, Problem) and mailbox_failed_here(result.code):
            self._pool.note_failed_here(resolution.address, host)

    def _fail(self, host: str, problem: Problem, asked: Sequence[Resolution], *, is_probe: bool) -> None:
        alone = self._at_once == 1
        leaves_out = host_failed(problem, alone=alone)
        if leaves_out or answer_failed(problem, alone=alone):
            self._failures.append(_Failure(host, problem, tuple(resolution.address for resolution in asked)))
            for resolution in asked:
                self._tried[resolution.address][host] = problem
        elif is_probe or asks_for_a_long_wait(problem):
            leaves_out = True  # nothing is held against the host, and the others answer for its mailboxes meanwhile
        else:
            for resolution in asked:
                self._conclude(resolution, problem, host)
            if ends_asking(problem, alone=alone):
                self._ended[host] = problem
            return
        if leaves_out:
            self._left_out[host] = problem
            for resolution in self._waiting.pop(host, []):
                self._send_to_next(resolution)
        # Last those over whom a host failed: it may be that one of them makes the next one fail as well.
        for resolution in asked:
            self._send_to_next(resolution)

    def _note(self) -> None:
        """Remember which hosts failed where others did not, and which answered."""
        answering = set(self._answered.values())
        to_blame: dict[str, str] = {}
        for failure in self._failures:
            outdone = all(address in self._answered for address in failure.addresses)
            if outdone and (failure.host in self._left_out or failure.host not in answering):
                to_blame[failure.host] = failure.problem.code
        for host, code in to_blame.items():
            self._pool.note_failure(host, code, at_once=code == REJECTED)
        for host in answering - self._left_out.keys():
            self._pool.note_answer(host)


def _most_hopeful(problems: Sequence[Problem]) -> Problem:
    """Return the first problem that may pass by itself, else the first of all."""
    return next((problem for problem in problems if problem.kind is ProblemKind.PASSING), problems[0])
