"""Applying transitions: the stored timeline takes effect, at its second and never before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from presence.decisions import Decision, Rules, at_transition
from presence.errors import CalendarPresenceError, UsersFailed
from presence.messages import TransitionRequest
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable
from presence.transition_queue import TransitionQueue, delay_until
from presence.waiting import wait_until_due
from presence.writing import write_decided

_WRITERS = 8


@dataclass(frozen=True, slots=True)
class TransitionSummary:
    """What came of a request, in numbers of users; `postponed`: it came too early and was put back.

    `errors` are those whose record could not be read or written, by user id: their message has to come back.
    """

    applied: int = 0
    nothing_due: int = 0
    postponed: int = 0
    errors: Mapping[str, Exception] = field(default_factory=dict)

    def raise_errors(self) -> None:
        """Raise `UsersFailed` if some users could not be served."""
        if self.errors:
            raise UsersFailed(self.errors)


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

    def run(self, request: TransitionRequest) -> TransitionSummary:
        """Wait until the request is due and apply the stored timelines of its users."""
        stored = self._presences.get_many(request.user_ids)
        if not wait_until_due(request.due, self._clock, self._sleep):
            self._queue.send([QueuedMessage(request.encode(), delay_until(request.due, self._clock()))])
            return TransitionSummary(postponed=len(request.user_ids))
        # Many users change in the same second: one write after the other would make the last of them late.
        with ThreadPoolExecutor(_WRITERS) as pool:
            outcomes = list(pool.map(lambda record: self._apply(record, request.traceparent), stored.found.values()))
        written = [outcome for outcome in outcomes if isinstance(outcome, PresenceRecord)]
        failed = zip(stored.found, outcomes, strict=True)
        errors = {**stored.malformed, **{user: error for user, error in failed if isinstance(error, Exception)}}
        self._transition_queue.queue_soon(written, self._clock(), request.traceparent)
        return TransitionSummary(
            applied=len(written), nothing_due=len(request.user_ids) - len(written) - len(errors), errors=errors
        )

    def _apply(self, record: PresenceRecord, traceparent: str) -> PresenceRecord | Exception | None:
        """Return the record as written, None if nothing was due, or the error, which costs only its own user."""
        try:
            return write_decided(self._presences, record.user_id, record, self._decide, traceparent)
        except (CalendarPresenceError, ClientError, BotoCoreError) as error:
            return error

    def _decide(self, record: PresenceRecord | None) -> Decision:
        if record is None:
            return Decision(None, "the user was removed")
        return at_transition(record, self._clock(), self._rules)
