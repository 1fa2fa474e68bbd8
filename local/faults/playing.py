"""Plays one row: a good check, the fault, a check under it, and one after it is gone. Returns what was seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from local.exchange.organisation import BusyStatus
from local.faults.injecting import inject, without_effect
from local.faults.judging import Person, Seen
from local.faults.places import AWAY, BESIDE, EVERYBODY, OTHER_MAIL, START, STRUCK, accounts
from local.faults.rows import AT_ONCE, NO_PROBLEM, Row
from local.faults.secrecy import Secrets
from local.faults.stage import CHECK_AT, INTERVAL, SETTLED, Observe, Queued, Stage, retries_of
from local.virtual.cloud import VirtualCloud

_LATEST_TURN = 3


class NotPlayedError(Exception):
    """A row could not be played: already the check before the fault failed, or the fault did nothing. The text says."""


def play(row: Row, observer: Observe, prepare: Callable[[VirtualCloud], None] | None = None) -> Seen:
    """Play a row and return what was seen. Raises `NotPlayedError`."""
    with Stage(row, observer, prepare) as stage:
        before = _good_start(stage)
        _change_calendars(stage)
        injected = inject(stage)
        stage.put_document()
        stage.clock.run_until(CHECK_AT)
        if row.forgotten:
            stage.forget()
        if row.forgotten_mailbox:
            stage.forget_mailbox(STRUCK)
        queued, written, published = len(stage.queued), len(stage.written), len(stage.published)
        stage.exchange.requests.clear()
        stage.check(row.reason)
        given = [request.host for request in stage.exchange.requests if request.authorization is not None]
        if names := without_effect(injected):
            raise NotPlayedError(f"the fault {', '.join(names)} struck nobody: all that it was to change went as usual")
        retries = retries_of(stage.queued[queued:], STRUCK)
        availabilities = [
            *(str(record.presence.availability) for record in stage.written[written:]),
            *(event["data"]["presence"]["availability"] for event in stage.published[published:]),
        ]
        after = {address: _person(stage, address) for address in EVERYBODY}
        return Seen(
            before=before,
            after=after[STRUCK],
            mended=_mended(stage, retries, row.expect.mended),
            retries=tuple(math.ceil(retry.delay) for retry in retries),
            beside={address: after[address] for address in BESIDE},
            away={AWAY: after[AWAY]},
            availabilities=frozenset(availabilities),
            given=frozenset(given) - {OTHER_MAIL},
            misplaced=tuple(_misplaced(stage)),
            leaks=tuple(_leaks(stage)),
            broken=tuple(_broken(stage)),
        )


def _good_start(stage: Stage) -> Person:
    stage.check("operator")
    for address in EVERYBODY:
        person = _person(stage, address)
        if person.problem != NO_PROBLEM:
            raise NotPlayedError(f"before the fault {address} had the problem {person.problem} already: {person.text}")
    return _person(stage, STRUCK)


def _change_calendars(stage: Stage) -> None:
    """Let what was a meeting be an absence: whoever is read from now on is Away."""
    for address in EVERYBODY:
        for entry_id, entry in stage.organisation.calendar(address).items():
            if entry.start <= START:
                stage.organisation.change(address, entry_id, status=BusyStatus.OUT_OF_OFFICE)


def _mended(stage: Stage, retries: Sequence[Queued], when: str) -> Person:
    """Let the fault be gone; return the person after the next attempt, or the turn by which they should be read."""
    stage.undo.close()
    stage.put_document()
    if retries and when == AT_ONCE:
        stage.clock.run_until(max(retry.at + timedelta(seconds=retry.delay) for retry in retries) + SETTLED)
        return _person(stage, STRUCK)
    for turn in range(1, _LATEST_TURN + 1):
        stage.clock.run_until(CHECK_AT + turn * INTERVAL)
        stage.check("schedule")
        if when == AT_ONCE or _person(stage, STRUCK).problem == NO_PROBLEM:
            break
    return _person(stage, STRUCK)


def _person(stage: Stage, address: str) -> Person:
    record = stage.record(address)
    if record is None:
        raise NotPlayedError(f"{address} has no record")
    shown = Person(
        availability=str(record.presence.availability),
        until=record.until,
        freshness=str(record.freshness),
        replies=record.knowledge.replies_problem or NO_PROBLEM,
    )
    if record.problem is None:
        return shown
    problem = record.problem.problem
    return replace(shown, problem=problem.code, kind=str(problem.kind), text=problem.text)


def _misplaced(stage: Stage) -> Iterator[str]:
    """Yield in words who was given credentials and may never have them."""
    for host in stage.strangers:
        if host.was_given_credentials:
            yield f"{host.name} was given credentials"


def _leaks(stage: Stage) -> Iterator[str]:
    secrets = Secrets(accounts())
    yield from secrets.found_in(stage.stored, "a table")
    yield from secrets.found_in(stage.told, "a message or an event")
    yield from secrets.found_in(stage.cloud.failures, "an error")


def _broken(stage: Stage) -> Iterator[str]:
    yield from stage.cloud.failures
    if letters := stage.dead_letters():
        yield f"{letters} messages lie in a dead-letter queue"
