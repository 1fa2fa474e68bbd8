"""A day of fifty people, played in virtual time and judged by the oracle: `make demo DAY=1`.

The functions are the deployed ones, with the variables of template.yaml; the calendars are read over HTTP from the
simulated Exchange. Only the clock is another: it stands while something happens, and then moves to what comes next.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from local.demo.day_by_hand import Command, commands
from local.demo.day_edits import HOSTS, WAITS, Happening, happenings
from local.demo.day_expectations import News, acceptable_days
from local.demo.day_news import RepliesWitness, in_order, observations, silences
from local.demo.day_people import DAY, START, day_network, day_organisation, user_ids
from local.demo.day_reminders import BEFORE, REMINDED, is_reminder, reminder_mistakes
from local.demo.published import event_validator
from local.demo.subscriber import Delivery
from local.demo.tally import Minimums, Tally, conclude
from local.demo.verdict import Judgement, judge_everybody
from local.demo.witness import Witness
from local.exchange.organisation import Organisation
from local.exchange.server import SimulatedExchange
from local.virtual.cloud import CHECKOUT, VirtualCloud
from local.virtual.virtual_time import VirtualTime
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.users import UserTable

_EVENT_CONTRACT = CHECKOUT / "docs" / "events"
_INTERVAL_MINUTES = 5
_LATEST = 1.0
_REMINDERS_ASKED = START + timedelta(minutes=30)
_FAILURE_QUEUES = ("CheckDeadLetterQueue", "TransitionDeadLetterQueue", "PublishFailureQueue")


@dataclass(frozen=True, slots=True)
class DayCourse:
    """How a day goes: so many `hours` of it, and what it must show. `checkout` is where the functions are."""

    hours: float = 24.0
    minimums: Minimums = field(
        default_factory=lambda: Minimums(users=50, transitions=300, in_one_second=8, edits=100, late_p99=_LATEST)
    )
    checkout: Path = CHECKOUT


def run(course: DayCourse | None = None) -> int:
    """Play a day, print what came of it, and return the exit code: 0 if all was right, else 1."""
    course = course or DayCourse()
    started = time.monotonic()
    print(f"Playing {course.hours:g} hours of {DAY:%A, %d %B %Y} (UTC) …", flush=True)
    with _on_one_processor():
        tally = play(course)
    return conclude(tally, course.minimums, time.monotonic() - started)


def play(course: DayCourse, prepare: Callable[[VirtualCloud], None] | None = None) -> Tally:
    """Play a day and return what came of it. `prepare` is called with the cloud before the day begins."""
    clock = VirtualTime(START)
    organisation = day_organisation()
    with SimulatedExchange(organisation, day_network(), clock=clock.now) as exchange:
        day = _Day(clock, organisation, exchange, course)
        if prepare is not None:
            prepare(day.cloud)
        day.play()
        return day.judged()


class _Day:
    """All that takes part in a day."""

    def __init__(
        self, clock: VirtualTime, organisation: Organisation, exchange: SimulatedExchange, course: DayCourse
    ) -> None:
        self._clock = clock
        self._organisation = organisation
        self._exchange = exchange
        self._closes = START + timedelta(hours=course.hours)
        self._witness = Witness(organisation, clock.now)
        self._replies = RepliesWitness(organisation, START)
        self._by_hand: defaultdict[str, list[News]] = defaultdict(list)
        self._deliveries: list[Delivery] = []
        self.cloud = VirtualCloud(
            clock, {"CheckIntervalMinutes": str(_INTERVAL_MINUTES), "TransitionShards": "1"}, checkout=course.checkout
        )
        self.cloud.sns.subscribers.append(self._receive)

    def play(self) -> None:
        """Fill the stack, let the day pass, and say once an hour how it goes."""
        self._seed()
        for happening in happenings(self._exchange, self._closes):
            self._clock.at(happening.at, partial(self._make, happening))
        for command in commands(self._closes):
            self._clock.at(command.at, partial(self._command, command))
        self._clock.at(_REMINDERS_ASKED, self._ask_for_reminders)
        self.cloud.start_schedules()
        hour = START
        while hour < self._closes:
            hour = min(hour + timedelta(hours=1), self._closes)
            self._clock.run_until(hour)
            print(f"{hour:%d %b %H:%M}Z  {len(self._deliveries)} events received so far", flush=True)

    def judged(self) -> Tally:
        """Return what came of it."""
        told = (delivery for delivery in self._deliveries if not is_reminder(delivery))
        histories = self._witness.histories()
        found = observations(self._exchange.requests, histories, self._replies, HOSTS)
        news = {address: in_order(found[address], self._by_hand[address]) for address in histories}
        sequences = {address: acceptable_days(of_one, START, self._closes) for address, of_one in news.items()}
        judgements, troubles = judge_everybody(sequences, told, _EVENT_CONTRACT, self._closes)
        for judgement in judgements:
            _judge_punctuality(judgement)
            wait = WAITS.get(judgement.address.rpartition("@")[2], timedelta())
            quiet = silences(news[judgement.address], START, self._closes, wait)
            judgement.missed += len(quiet)
            judgement.complaints += quiet
        edits = sum(len(history) - 1 for history in histories.values())
        return Tally(judgements, edits, [*troubles, *self._reminder_mistakes(), *self._failures()])

    def _seed(self) -> None:
        """Put what an operator puts: gateways, secrets, users."""
        outputs = self.cloud.template.output
        dynamodb = self.cloud.client("dynamodb")
        ConfigTable(dynamodb, outputs("ConfigTableName")).put_document(GATEWAYS, self._exchange.gateways_document())
        for reference, secret in self._exchange.secrets().items():
            self.cloud.secrets.texts[outputs("SecretPrefix") + reference] = json.dumps(secret)
        users = UserTable(dynamodb, outputs("UserTableName"))
        for address, user_id in user_ids(self._organisation, _INTERVAL_MINUTES).items():
            users.add(address, user_id=user_id)

    def _make(self, happening: Happening) -> None:
        if happening.address is None:
            happening.make()
            return
        with self._witness.watching(happening.address):
            happening.make()
        self._replies.look(happening.address, self._clock.now())

    def _command(self, command: Command) -> None:
        self._by_hand[command.address].append(command.news)
        self._clock.start(lambda: self.cloud.invoke("set_presence", command.event))

    def _ask_for_reminders(self) -> None:
        minutes = BEFORE // timedelta(minutes=1)
        event = {"schemaVersion": 1, "type": "RemindOfMeetings", "address": REMINDED, "requestedBy": REMINDED}
        self._clock.start(lambda: self.cloud.invoke("set_presence", {**event, "minutesBefore": minutes}))

    def _reminder_mistakes(self) -> Iterator[str]:
        reminders = [delivery for delivery in self._deliveries if is_reminder(delivery)]
        validator = event_validator(_EVENT_CONTRACT, "meeting-starting-soon.v1.schema.json")
        return reminder_mistakes(self._organisation, reminders, _REMINDERS_ASKED, self._closes, validator)

    def _receive(self, message: str, attributes: Mapping[str, str]) -> None:
        self._deliveries.append(Delivery(json.loads(message), attributes, self._clock.now()))

    def _failures(self) -> Iterator[str]:
        """Yield what went wrong inside, in words."""
        yield from self.cloud.failures
        for name in _FAILURE_QUEUES:
            if count := len(self.cloud.queues[name].waiting):
                yield f"{count} messages lie in the queue {name}"


def _judge_punctuality(judgement: Judgement) -> None:
    """Complain of each change that a boundary drove and that came more than a second after it."""
    for boundary, late in judgement.lateness:
        if late > _LATEST:
            judgement.found_wrong(f"the change of {boundary:%H:%M:%S}Z came {late:.3f} s late")


@contextmanager
def _on_one_processor() -> Iterator[None]:
    """Keep this process on one processor, where the system can: its threads take turns, and wake faster at home."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
