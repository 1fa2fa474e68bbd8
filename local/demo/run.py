"""The run of the demo: organisation, stack, subscriber, edits, and at the end the verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from local.demo.display import Display
from local.demo.edits import Edit, improvised_edit, planned_edits
from local.demo.expectations import Cadence, acceptable_sequences
from local.demo.subscriber import Subscriber, SubscriptionError
from local.demo.tally import Minimums, Tally, conclude
from local.demo.verdict import judge_everybody
from local.demo.warm_up import warm_up
from local.demo.witness import Witness
from local.exchange.organisation import Access, Organisation
from local.exchange.scenario import LAST_CHANGE, demo_organisation
from local.exchange.server import SimulatedExchange
from local.stack.errors import LocalStackError
from local.stack.local_stack import LocalStack, deployed_stack
from presence.clock import system_clock

_EVENT_CONTRACT = Path(__file__).resolve().parents[2] / "docs" / "events"
_FAILURE_QUEUES = ("CheckDeadLetterQueueUrl", "TransitionDeadLetterQueueUrl", "PublishFailureQueueUrl")
_CONCURRENT_CHECKS = 2
_HORIZONS = (24, 23, 22, 21, 20)
_NEAR_THE_HORIZON = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Course:
    """How a demo goes; times in seconds.

    `tick` is the pause between two ticks of the schedules. `head_start` is how much of the scenario's quiet beginning
    is over when the first calendar is read. `first` and `edit` bound how long the first reading of all, counted from
    the first tick, and the news of an edit may take to reach the subscriber. `closes` is when the watching ends,
    counted from the scenario's start. `minimums` is what it must show.
    """

    tick: float = 3.0
    head_start: float = 6.0
    first: float = 18.0
    edit: float = 10.0
    closes: float = LAST_CHANGE + 3.0
    minimums: Minimums = field(default_factory=Minimums)

    def __post_init__(self) -> None:
        if self.head_start + self.first >= self.closes:
            raise ValueError("the watching must not end before the first reading is due: it would prove nothing")


class InfrastructureError(Exception):
    """The demo could not be carried through; the text says why."""


def run(*, watch: bool = False, course: Course | None = None) -> int:
    """Run the demo and return its exit code: 0 if all was right, else 1.

    With `watch` it goes on until it is interrupted, and nothing is judged.
    """
    course = course or Course()
    started = time.monotonic()
    try:
        tally = _run(course, watch=watch)
    except (LocalStackError, SubscriptionError, InfrastructureError) as error:
        tally = Tally((), 0, [str(error)])
    if tally is None:
        print("Stopped.")
        return 0
    return conclude(tally, course.minimums, time.monotonic() - started)


def _run(course: Course, *, watch: bool) -> Tally | None:
    print("Starting the embedded engine and deploying template.yaml into it …", flush=True)
    horizon = _horizon_hours(system_clock())
    with (
        deployed_stack(
            parameters={
                "CheckIntervalMinutes": "1",
                "HorizonHours": str(horizon),
                "MaximumConcurrentChecks": str(_CONCURRENT_CHECKS),
                "TransitionShards": "1",  # few people: one message a second, and not one for each who changes
            },
            tick_seconds=course.tick,
        ) as stack,
        ExitStack() as exits,
    ):
        warm_up(stack.deployment, concurrent_checks=_CONCURRENT_CHECKS)
        start = system_clock().replace(microsecond=0) - timedelta(seconds=course.head_start)
        organisation = demo_organisation(start)
        exchange = exits.enter_context(SimulatedExchange(organisation))
        display = Display(organisation.users)
        subscriber = exits.enter_context(
            Subscriber(
                stack.deployment.client("sns"),
                stack.deployment.outputs["PresenceTopicArn"],
                system_clock,
                display.delivered,
            )
        )
        stack.seed(gateways=exchange.gateways_document(), credentials=exchange.secrets(), addresses=organisation.users)
        witness = Witness(organisation, system_clock)
        stage = _Stage(stack, organisation, witness, subscriber, display, start)
        with display:
            stack.schedules.start()
            if watch:
                stage.go_on()
                return None
            stage.play(_seen_in_time(planned_edits(organisation, start), course), course)
        cadence = Cadence(timedelta(seconds=course.first), timedelta(seconds=course.edit), timedelta(hours=horizon))
        return stage.judged(cadence)


def _seen_in_time(edits: Sequence[Edit], course: Course) -> list[Edit]:
    return [edit for edit in edits if edit.at + course.edit <= course.closes]


def _horizon_hours(start: datetime) -> int:
    """Return how many hours to look ahead: as many as usual, unless something in the calendars lies just there.

    What lies at the very edge comes into view at a moment of the reading, and nobody could say what is right.
    """
    organisation = demo_organisation(start)
    edges = {
        edge
        for address in organisation.users
        if organisation.mailbox(address) is not None
        for found in organisation.entries(address, start, start + timedelta(days=2))
        for edge in (found.start, found.end)
    }
    for hours in _HORIZONS:
        horizon = start + timedelta(hours=hours)
        if all(abs(edge - horizon) > _NEAR_THE_HORIZON for edge in edges):
            return hours
    raise InfrastructureError("something stands in the calendars at each horizon that the demo could choose")


@dataclass(frozen=True, slots=True)
class _Stage:
    """All that takes part while the demo runs."""

    stack: LocalStack
    organisation: Organisation
    witness: Witness
    subscriber: Subscriber
    display: Display
    start: datetime

    def play(self, edits: Sequence[Edit], course: Course) -> None:
        """Make the edits, each at its time, and wait until the watching ends."""
        for edit in edits:
            _wait_until(self.start + timedelta(seconds=edit.at))
            if edit.at > course.first and not self.subscriber.deliveries():
                raise InfrastructureError(self._silence())
            self._make(edit)
        _wait_until(self.start + timedelta(seconds=course.closes))

    def go_on(self) -> None:
        """Make the planned edits and then any, until the user interrupts."""
        chance = random.Random()  # noqa: S311  it makes up calendars
        readable = [each.address for each in self.organisation.mailboxes() if each.access is not Access.NONE]
        with _until_interrupted():
            for edit in planned_edits(self.organisation, self.start):
                _wait_until(self.start + timedelta(seconds=edit.at))
                self._make(edit)
            while True:
                time.sleep(chance.uniform(1.0, 4.0))
                self._make(improvised_edit(self.organisation, readable, system_clock(), chance))

    def judged(self, cadence: Cadence) -> Tally:
        """Return what came of it."""
        closed = system_clock()
        histories = self.witness.histories()
        sequences = {address: acceptable_sequences(history, cadence, closed) for address, history in histories.items()}
        judgements, troubles = judge_everybody(sequences, self.subscriber.deliveries(), _EVENT_CONTRACT, closed)
        edits = sum(len(history) - 1 for history in histories.values())
        return Tally(judgements, edits, [*troubles, *self.subscriber.unreadable(), *self._failures()])

    def _make(self, edit: Edit) -> None:
        with self.witness.watching(edit.address):
            edit.make()
        self.display.edited(system_clock(), edit.address, edit.words)

    def _failures(self) -> Iterator[str]:
        """Yield what went wrong inside, in words."""
        yield from (f"a schedule's function failed: {failure}" for failure in self.stack.schedules.failures)
        sqs = self.stack.deployment.client("sqs")
        for name in _FAILURE_QUEUES:
            queue = sqs.get_queue_attributes(
                QueueUrl=self.stack.deployment.outputs[name], AttributeNames=["ApproximateNumberOfMessages"]
            )
            if count := int(queue["Attributes"]["ApproximateNumberOfMessages"]):
                yield f"{count} messages lie in the queue {name.removesuffix('Url')}"

    def _silence(self) -> str:
        log = "\n".join(self.stack.engine.log.splitlines()[-30:])
        return f"the subscriber received nothing. The end of the engine's log:\n{log}"


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return


def _wait_until(instant: datetime) -> None:
    while (left := (instant - system_clock()).total_seconds()) > 0:
        time.sleep(left)
