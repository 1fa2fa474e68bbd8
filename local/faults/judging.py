"""Compares what was seen of a fault with what should have been. Pure: values in, complaints in words out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.faults.rows import BACK_OFF, BACK_OFF_SECONDS, NO_PROBLEM, NO_RETRY, NOBODY, STAYS, Expectation

KNOWN = "Busy"
"""What everybody's calendar said before the fault, and what is shown of whoever can't be read."""
NEWS = "Away"
"""What everybody's calendar says since, and what is shown of whoever was read."""
_AVAILABLE = frozenset({"Available", "AvailableIdle"})


@dataclass(frozen=True, slots=True)
class Person:
    """What the record of a person says.

    The availability that is shown, until when (an instant in UTC), how far it is believed, and the problem: its code
    (NO_PROBLEM if there is none), its kind, and its words; and the code of the problem with automatic replies.
    """

    availability: str
    until: datetime | None
    freshness: str = "current"
    problem: str = NO_PROBLEM
    kind: str = "none"
    text: str = ""
    replies: str = NO_PROBLEM


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a fault.

    `before`, `after` and `mended` are the person whose mailbox was struck: before the fault, after the check under it,
    and when it is gone and the mailbox was checked again, as late as is expected. `retries` are the seconds for which
    the queue holds the next attempts back. `beside` and `away` are the others after the check: of the same server, and
    of another one. `availabilities` are all those written or published under the fault. `given` are the servers of the
    organisation that were given the account under it. `misplaced` says who was given credentials and may never have
    them, `leaks` which secrets were found where, `broken` what failed in the functions themselves.
    """

    before: Person
    after: Person
    mended: Person
    retries: tuple[int, ...]
    beside: Mapping[str, Person]
    away: Mapping[str, Person]
    availabilities: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    misplaced: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def judge(expect: Expectation, seen: Seen) -> tuple[str, ...]:
    """Return what is not as expected, in words; nothing if all is."""
    parts = (_problem, _retry, _presence, _others, _account, _mended)
    complaints = tuple(complaint for part in parts for complaint in part(expect, seen))
    return (*complaints, *seen.misplaced, *seen.leaks, *seen.broken)


def _problem(expect: Expectation, seen: Seen) -> Iterator[str]:
    found = seen.after
    if found.problem not in expect.problem:
        words = f": {found.text}" if found.text else ""
        yield f"the problem is {found.problem}, not {' or '.join(expect.problem)}{words}"
    elif found.kind != expect.kind:
        yield f"{found.problem} is {found.kind}, not {expect.kind}"
    if found.replies != expect.replies:
        yield f"the problem with automatic replies is {found.replies}, not {expect.replies}"


def _retry(expect: Expectation, seen: Seen) -> Iterator[str]:
    if len(seen.retries) > 1:
        yield f"{len(seen.retries)} retries are on the queue"
    elif expect.retry == NO_RETRY:
        if seen.retries:
            yield f"a retry is on the queue, for in {seen.retries[0]} s"
    elif not seen.retries:
        yield "no retry is on the queue"
    elif expect.retry == BACK_OFF:
        if seen.retries[0] not in BACK_OFF_SECONDS:
            yield f"the retry comes in {seen.retries[0]} s, not in {BACK_OFF_SECONDS[0]} to {BACK_OFF_SECONDS[-1]}"
    elif seen.retries[0] != expect.retry:
        yield f"the retry comes in {seen.retries[0]} s, not in {expect.retry}"


def _presence(expect: Expectation, seen: Seen) -> Iterator[str]:
    before, after = seen.before, seen.after
    if before.availability != KNOWN:
        yield f"{before.availability} was shown before the fault, not {KNOWN}"
    if after.availability != expect.shown:
        yield f"{after.availability} is shown, not {expect.shown}"
    elif after.until != before.until:
        yield f"{after.availability} is shown until {after.until}, and should be until {before.until}"
    if after.freshness != "current":
        yield f"what is shown is {after.freshness} at once"
    for availability in sorted(seen.availabilities & _AVAILABLE - {expect.shown}):
        yield f"{availability} was written or published"


def _others(expect: Expectation, seen: Seen) -> Iterator[str]:
    for address, person in seen.beside.items():
        if expect.others == "unharmed":
            yield from _unharmed(address, person)
        elif person.problem != seen.after.problem or person.availability != KNOWN:
            yield f"{address} is shown as {person.availability} with {person.problem}, not harmed as the one beside it"
    for address, person in seen.away.items():
        yield from _unharmed(address, person)


def _unharmed(address: str, person: Person) -> Iterator[str]:
    if person.problem != NO_PROBLEM:
        yield f"{address} has the problem {person.problem}, and should be unharmed"
    elif person.availability != NEWS:
        yield f"{address} was not read: {person.availability} is shown, not {NEWS}"


def _account(expect: Expectation, seen: Seen) -> Iterator[str]:
    if expect.account == NOBODY:
        for host in sorted(seen.given):
            yield f"{host} was given the account, and nobody should be"


def _mended(expect: Expectation, seen: Seen) -> Iterator[str]:
    mended = seen.mended
    if expect.mended == STAYS:
        if mended.problem == NO_PROBLEM:
            yield "the problem is gone by itself, and should stay until somebody acts"
    elif mended.problem != NO_PROBLEM:
        yield f"the fault is gone, and the problem {mended.problem} stays: {mended.text}"
    elif mended.availability != NEWS:
        yield f"the fault is gone, and {mended.availability} is shown, not {NEWS}"
