"""Applying transitions: the stored timeline takes effect, at its second and never before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from presence.decisions import Decision, at_transition
from presence.errors import UsersFailed
from presence.freshness import Rules
from presence.log_names import Person
from presence.messages import TransitionRequest
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable
from presence.transition_queue import TransitionQueue, delay_until
from presence.waiting import wait_until_due
from presence.writing import write_decided

WRITERS = 16
"""Records that one invocation reads or writes at once: no more than the client has connections (`presence.aws`)."""


@dataclass(frozen=True, slots=True)
class TransitionSummary:
    """What came of a request, in numbers of users; `postponed`: it came too early and was put back.

    `users` are those to whom it was applied. `errors` are those who could not be served, by user id: their message has
    to come back.
    """

    applied: int = 0
    nothing_due: int = 0
    postponed: int = 0
    users: Sequence[Person] = ()
    errors: Mapping[str, Exception] = field(default_factory=dict)

    def raise_errors(self) -> None:
        """Raise `UsersFailed` if some users could not be served."""
        if self.errors:
            raise UsersFailed(self.errors)


@dataclass(frozen=True, slots=True)
class _Read:
    """A request with its users' records as they were read; `written` and `errors` grow while it is applied."""

    request: TransitionRequest
    found: Mapping[str, PresenceRecord]
    errors: dict[str, Exception]
    written: list[PresenceRecord] = field(default_factory=list)


class TransitionApplication:
    """The use case of `apply_transitions`. `clock` gives the present instant in UTC; `sleep` waits for seconds."""

    def __init__(
        self,
        presences: PresenceTable,
        queue: Queue,
        shards: int,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        rules: Rules,
    ) -> None:
        self._presences = presences
        self._queue = queue
        self._transition_queue = TransitionQueue(queue, shards)
        self._clock = clock
        self._sleep = sleep
        self._rules = rules

    def run(self, requests: Iterable[TransitionRequest]) -> dict[TransitionRequest, TransitionSummary]:
        """Apply the stored timelines of the requests' users, each at its second; return what came of each request.

        The earliest second comes first. Its requests are taken together and its users written side by side: one after
        the other, the last of them would be late.
        """
        by_second: defaultdict[datetime, list[TransitionRequest]] = defaultdict(list)
        for request in dict.fromkeys(requests):
            by_second[request.due].append(request)
        summaries: dict[TransitionRequest, TransitionSummary] = {}
        with ThreadPoolExecutor(WRITERS) as pool:
            for due, together in sorted(by_second.items()):
                summaries |= self._apply_together(due, together, pool)
        return summaries

    def _apply_together(
        self, due: datetime, requests: Sequence[TransitionRequest], pool: Executor
    ) -> dict[TransitionRequest, TransitionSummary]:
        all_read = list(pool.map(self._read, requests))
        if not wait_until_due(due, self._clock, self._sleep):
            return {request: self._put_back(request) for request in requests}
        waiting = [(read, record) for read in all_read for record in read.found.values()]
        # The writers share one iterator: that each takes the next record by itself costs less than handing it over.
        list(pool.map(self._write, [iter(waiting)] * min(WRITERS, len(waiting))))
        return {read.request: self._summary(read) for read in all_read}

    def _read(self, request: TransitionRequest) -> _Read:
        try:
            stored = self._presences.get_many(request.user_ids)
        except Exception as error:  # noqa: BLE001  whatever it is, it must cost only its own request
            return _Read(request, {}, dict.fromkeys(request.user_ids, error))
        return _Read(request, stored.found, dict(stored.malformed))

    def _put_back(self, request: TransitionRequest) -> TransitionSummary:
        try:
            self._queue.send([QueuedMessage(request.encode(), delay_until(request.due, self._clock()))])
        except Exception as error:  # noqa: BLE001  likewise
            return TransitionSummary(errors=dict.fromkeys(request.user_ids, error))
        return TransitionSummary(postponed=len(request.user_ids))

    def _write(self, waiting: Iterator[tuple[_Read, PresenceRecord]]) -> None:
        for read, record in waiting:
            try:
                written = write_decided(self._presences, record.user_id, record, self._decide, read.request.traceparent)
            except Exception as error:  # noqa: BLE001  whatever it is, it must cost only its own user
                read.errors[record.user_id] = error
            else:
                read.written.extend([] if written is None else [written])

    def _summary(self, read: _Read) -> TransitionSummary:
        request, written = read.request, read.written
        nothing_due = len(request.user_ids) - len(written) - len(read.errors)
        try:
            self._transition_queue.queue_soon(written, self._clock(), request.traceparent)
        except Exception as error:  # noqa: BLE001  likewise; what falls due next is found by the schedule, late
            read.errors.update({record.user_id: error for record in written})
        users = [Person(record.user_id, record.address) for record in written]
        return TransitionSummary(len(written), nothing_due, users=users, errors=read.errors)

    def _decide(self, record: PresenceRecord | None) -> Decision:
        if record is None:
            return Decision(None, "the user was removed")
        return at_transition(record, self._clock(), self._rules)
