"""The whole pipeline in memory and in virtual time: the real use cases, and a world that does what it likes to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from presence.check_schedule import CheckSchedule
from presence.checking import CalendarCheck, CheckOptions
from presence.command_requests import CommandRequest
from presence.commanding import CommandExecution
from presence.commands import ClearPresence, Command, RemindOfMeetings, SetPresence, UseCalendar
from presence.errors import ConfigurationError
from presence.events import Disclosure
from presence.instants import ceil_to_second, floor_to_minute
from presence.knowledge import CalendarUse
from presence.mapping import Kind
from presence.messages import decode_check_request, decode_transition_request
from presence.presences import Activity, Availability, Presence
from presence.profiles import DEFAULT, Profiles
from presence.publishing import PresencePublisher
from presence.records import PresenceRecord, User
from presence.tables.users import ScheduledUser
from presence.transition_queue import TransitionQueue
from presence.transition_schedule import TransitionSchedule
from presence.transitions import TransitionApplication
from tests.model import actions
from tests.model.changes import change, organisation
from tests.model.instances import (
    FAIR,
    Circumstances,
    CrashError,
    Flight,
    Instance,
    InstanceConfiguration,
    InstancePresences,
    InstanceQueue,
    InstanceUsers,
    SharedQueue,
    VirtualTime,
)
from tests.model.judge import Judge, must
from tests.model.oracle import Belief, Habits
from tests.model.surroundings import (
    InstanceReader,
    SetAside,
    StreamedTable,
    Subscriber,
    Told,
    Topic,
)
from tests.model.users import USERS
from tests.support.memory import MemoryConfigTable, MemoryUserTable

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

START = datetime(2026, 11, 23, 8, 59, 41, tzinfo=UTC)
SHARDS = 2
TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"

OWN = replace(
    DEFAULT,
    name="own",
    presences={**DEFAULT.presences, Kind.TENTATIVE: Presence(Availability.BUSY, Activity.BUSY)},
    replies_switched_on_claim=True,
)
PROFILES = Profiles({"default": DEFAULT, "own": OWN})
HABITS = {"own": Habits(tentative=True, replies_switched_on=True)}

_VISIBILITY = timedelta(seconds=90)
_GIVEN_UP_AFTER = timedelta(minutes=58)
"""A transition that was found only so long after its instant is queued once and no more: it may not be lost then."""
_CAUGHT_UP_BY_A_TICK = timedelta(minutes=119)
BADGE_STRENGTH = 15


class World:
    """All that is stored, queued and true, and the functions that run over it, one invocation after the other.

    `horizon` is how far calendars are read; `inside`: whether each step is judged, or only what others can see.
    """

    def __init__(self, horizon: timedelta, presences: StreamedTable, *, inside: bool = True) -> None:
        self.time = VirtualTime(START)
        self.options = CheckOptions(horizon=horizon)
        self.presences = presences
        self.users = MemoryUserTable()
        self.configuration = MemoryConfigTable()
        self.checks = SharedQueue()
        self.transitions = SharedQueue()
        self.exchange = organisation()
        self.readings: dict[tuple[str, datetime], Told] = {}
        self.beliefs = {user.user_id: Belief(HABITS.get(user.profile or "", Habits())) for user in USERS}
        self.judge = Judge(self.beliefs, self.readings, inside=inside)
        self.topic, self.set_aside, self.subscriber = Topic(), SetAside(), Subscriber()
        self.publisher = PresencePublisher(
            cast("SNSClient", self.topic), "topic", "urn:calendar-presence:model", Disclosure(), self.set_aside
        )
        self.last_tick = START
        self.behind = timedelta(0)
        for user in USERS:
            self.users.put(ScheduledUser(user, endpoint=None, enabled=True, paused_until=None))
        self.tick_of_transitions(actions.TickOfTransitions())

    @property
    def now(self) -> datetime:
        return self.time.now

    def perform(self, action: Any) -> None:
        """Let something happen."""
        match action:
            case actions.TimePasses():
                self.time.sleep(action.seconds)
            case actions.TickOfChecks():
                self.tick_of_checks(action)
            case actions.TickOfTransitions():
                self.tick_of_transitions(action)
            case actions.Receive():
                self.receive(action)
            case actions.CheckAll():
                self._check_all(action)
            case actions.Together():
                self.perform(action.first)
                self.perform(action.second)
            case actions.Publish():
                self.publish(action)
            case actions.Hear() | actions.TopicRefuses() | actions.Lose():
                self._on_the_way(action)
            case actions.SaySet() | actions.SayClear() | actions.SayCalendar() | actions.SayRemind():
                self._say(action)
            case _:
                change(self.exchange, action, self.now)

    def record(self, user_id: str) -> PresenceRecord | None:
        return self.presences.record(user_id)

    # ---- the functions ----

    def tick_of_checks(self, action: actions.TickOfChecks) -> None:
        instance = self._instance(action.circumstances)
        schedule = CheckSchedule(
            InstanceUsers(self.users, instance),
            InstanceConfiguration(self.configuration, instance),
            InstanceQueue(self.checks, instance),
            interval_minutes=5,
            group_size=100,
        )
        tick = floor_to_minute(self.now) - timedelta(minutes=action.minutes_late)
        self._survives(lambda: schedule.tick(tick, instance.clock(), TRACEPARENT))

    def tick_of_transitions(self, action: actions.TickOfTransitions) -> None:
        instance = self._instance(action.circumstances)
        schedule = TransitionSchedule(
            self._presences(instance),
            InstanceConfiguration(self.configuration, instance),
            TransitionQueue(InstanceQueue(self.transitions, instance), SHARDS),
            SHARDS,
        )
        if self._survives(lambda: schedule.tick(instance.clock(), TRACEPARENT)):
            stopped = self.now - self.last_tick
            self.last_tick = self.now
            self.behind = max(timedelta(0), self.behind + stopped - _CAUGHT_UP_BY_A_TICK)

    def receive(self, action: actions.Receive) -> None:
        queue = self.checks if action.checks else self.transitions
        visible = queue.visible(self.now)
        if not visible:
            return
        first = action.which % len(visible)
        flights = list(islice(visible, first, first + action.count))
        for flight in flights:
            # Others don't see it until it is deleted, or for so long.
            queue.remove(flight)
            queue.flights.append(replace(flight, visible_at=self.now + _VISIBILITY))
        taken = [replace(flight, visible_at=self.now + _VISIBILITY) for flight in flights]
        done = self._check(taken[:1], action) if action.checks else self._apply(taken, action)
        for flight in done:
            if not action.again:
                queue.remove(flight)

    def _check(self, flights: Sequence[Flight], action: actions.Receive) -> Sequence[Flight]:
        instance = self._instance(action.circumstances)
        check = CalendarCheck(
            self._presences(instance),
            InstanceUsers(self.users, instance),
            InstanceReader(self.exchange, instance, self.readings),
            lambda: PROFILES,
            InstanceQueue(self.checks, instance),
            TransitionQueue(InstanceQueue(self.transitions, instance), SHARDS),
            instance.clock,
            lambda: 1.0,
            self.options,
        )
        request = decode_check_request(flights[0].body)
        if not self._survives(lambda: check.run(request).raise_errors()):
            return []
        if action.circumstances.meanwhile is None:
            for user in request.users:
                self.judge.completed_check(instance, user.user_id, user.address, self.record(user.user_id))
        return flights

    def _apply(self, flights: Sequence[Flight], action: actions.Receive) -> Sequence[Flight]:
        instance = self._instance(action.circumstances)
        application = TransitionApplication(
            self._presences(instance),
            InstanceQueue(self.transitions, instance),
            SHARDS,
            instance.clock,
            self.time.sleep,
            self.options.rules,
        )
        requests = [decode_transition_request(flight.body) for flight in flights]
        summaries: dict[Any, Any] = {}
        if not self._survives(lambda: summaries.update(application.run(requests))):
            return []
        done = []
        for flight, request in zip(flights, requests, strict=True):
            if not self._survives(summaries[request].raise_errors):
                continue
            done.append(flight)
            if not summaries[request].postponed and action.circumstances.meanwhile is None:
                for record in self.presences.get_many(request.user_ids).found.values():
                    self.judge.settled(record, instance.decided_at)
        return done

    def _say(self, action: Any) -> None:
        user, now = USERS[action.who], self.now
        command: Command
        match action:
            case actions.SaySet():
                until = None if action.minutes is None else ceil_to_second(now) + timedelta(minutes=action.minutes)
                strength = BADGE_STRENGTH if action.source == "badge" else None
                command = SetPresence(action.presence, "somebody", action.source, strength, until, action.ending)
            case actions.SayClear():
                command = ClearPresence(action.source)
            case actions.SayCalendar():
                minutes = action.paused_minutes
                paused_until = None if minutes is None else ceil_to_second(now) + timedelta(minutes=minutes)
                command = UseCalendar(CalendarUse(action.on, paused_until))
            case _:
                command = RemindOfMeetings(None if action.minutes is None else timedelta(minutes=action.minutes))
        # Who gets no answer asks again.
        if not self._command(user, command, action.circumstances):
            self._command(user, command, replace(action.circumstances, mishap=None, meanwhile=None))

    def _command(self, user: User, command: Command, circumstances: Circumstances) -> bool:
        instance = self._instance(circumstances)
        instance.command = command
        execution = CommandExecution(
            self._presences(instance),
            InstanceUsers(self.users, instance),
            lambda: PROFILES,
            InstanceQueue(self.checks, instance),
            TransitionQueue(InstanceQueue(self.transitions, instance), SHARDS),
            instance.clock,
            self.options.rules,
        )
        try:
            return self._survives(lambda: execution.run(CommandRequest(user.address, command, "somebody"), TRACEPARENT))
        except ConfigurationError:
            # Refused: by a clock that is fast the end has passed already.
            return True

    def publish(self, action: actions.Publish) -> None:
        first = max(0, self.presences.published - action.again)
        handed_over = self.presences.stream[first : self.presences.published + action.count]
        for number, stream_record in enumerate(handed_over):
            if action.broken_off == number:
                return
            self.publisher.handle(stream_record)
        self.presences.published = min(len(self.presences.stream), self.presences.published + action.count)

    def replay(self) -> None:
        """Publish again from the table what was set aside, as the operator's command does."""
        for user_id in dict.fromkeys(self.set_aside.users):
            record = self.record(user_id)
            assert record is not None
            self.publisher.publish(record)
        self.set_aside.users.clear()

    def _check_all(self, action: actions.CheckAll) -> None:
        self.time.sleep(300)
        before = len(self.checks.flights)
        self.tick_of_checks(actions.TickOfChecks())
        # A queue may deliver a message twice, to two functions at the same time.
        self.checks.flights += self.checks.flights[before:]
        for number in range(2):
            circumstances = action.circumstances if number == action.disturbed else FAIR
            self.receive(actions.Receive(checks=True, circumstances=circumstances))

    # ---- the world ----

    def _lose(self, action: actions.Lose) -> None:
        queue = self.checks if action.checks else self.transitions
        losable = [flight for flight in queue.flights if action.checks or self._comes_again(flight)]
        if losable:
            queue.remove(losable[action.which % len(losable)])

    def _comes_again(self, flight: Flight) -> bool:
        return decode_transition_request(flight.body).due > flight.sent_at - _GIVEN_UP_AFTER

    def _on_the_way(self, action: actions.Hear | actions.TopicRefuses | actions.Lose) -> None:
        match action:
            case actions.Hear():
                self.subscriber.hear_shuffled(self.topic.take(), action.seed)
            case actions.TopicRefuses():
                self.topic.refuses = action.refuses
            case actions.Lose():
                self._lose(action)

    def _instance(self, circumstances: Circumstances) -> Instance:
        return Instance(self.time, circumstances, self.perform)

    def _presences(self, instance: Instance) -> InstancePresences:
        return InstancePresences(self.presences, instance, self.judge.on_write)

    def _survives(self, run: Callable[[], object]) -> bool:
        """Run an invocation; tell whether it came to its end. What fails must have failed because it was made to."""
        try:
            run()
        except CrashError:
            return False
        except Exception as error:
            if self.judge.broken is not None:
                raise self.judge.broken from error
            if isinstance(error, (AssertionError, ConfigurationError)):
                raise
            must("errors are those of the adapters", "was told to fail" in str(error) or _raced(error), repr(error))
            return False
        return True


def _raced(error: Exception) -> bool:
    return "changed at each of" in str(error)
