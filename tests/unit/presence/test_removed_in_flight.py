"""Somebody who is removed while their calendar is being read, or a command carried out, is not brought back by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.check_summary import CheckSummary
from presence.checking import CalendarCheck, CheckOptions
from presence.command_requests import CommandRequest
from presence.commanding import CommandExecution
from presence.commands import SetPresence
from presence.errors import ConfigurationError, Problem, ProblemKind
from presence.freshness import Rules
from presence.messages import CheckReason, CheckRequest, new_traceparent
from presence.presences import Activity, Availability, Presence
from presence.profiles import BUILT_IN
from presence.records import PresenceRecord, User
from presence.transition_queue import TransitionQueue
from tests.support.memory import MemoryPresenceTable, MemoryQueue, MemoryUserTable
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
BUSY = Presence(Availability.BUSY, Activity.BUSY)


class World:
    """One user, and what happens while Exchange is asked or just before a record is written."""

    def __init__(self) -> None:
        self.users = MemoryUserTable()
        self.alice = self.users.add("alice@example.com")
        self.records = Disturbed()
        self.meanwhile: Callable[[], None] = lambda: None
        self.outcome: Problem | None = None

    def erase(self) -> None:
        """Remove the user and the record, in the order of `presence user erase`."""
        self.users.remove(self.alice)
        self.records.items.pop(self.alice.user_id, None)

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        self.meanwhile()
        reading = CalendarReading(addresses[0], window, (), TEN, "https://mail.example.com/", "FreeBusy")
        return {addresses[0]: self.outcome or reading}

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return dict.fromkeys(addresses, AutomaticReplies(enabled=False))

    def check(self) -> CheckSummary:
        return CalendarCheck(
            presences=self.records,
            users=self.users,
            reader=self,
            profiles=lambda: BUILT_IN,
            check_queue=MemoryQueue(),
            transition_queue=TransitionQueue(MemoryQueue(), 16),
            clock=lambda: TEN,
            jitter=lambda: 1.0,
            options=CheckOptions(),
        ).run(CheckRequest(CheckReason.SCHEDULE, TEN, (self.alice,), new_traceparent(), 0, None))

    def command(self) -> None:
        CommandExecution(
            presences=self.records,
            users=self.users,
            profiles=lambda: BUILT_IN,
            check_queue=MemoryQueue(),
            transition_queue=TransitionQueue(MemoryQueue(), 16),
            clock=lambda: TEN,
            rules=Rules(),
        ).run(CommandRequest(self.alice.address, SetPresence(BUSY, "phone"), "phone"), new_traceparent())


class Disturbed(MemoryPresenceTable):
    """PresenceTable in memory; something happens before the next write."""

    before_write: Callable[[], None] | None = None

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        disturb, self.before_write = self.before_write, None
        if disturb is not None:
            disturb()
        return super().write(record)


@pytest.fixture
def world() -> World:
    return World()


def known_before(world: World) -> None:
    assert world.records.write(available_record(world.alice.user_id, TEN - timedelta(minutes=5))) is not None


PROBLEM = Problem("Timeout", ProblemKind.PASSING, "mail.example.com is silent", "wait")


@pytest.mark.parametrize("outcome", [None, PROBLEM], ids=["read", "failed"])
@pytest.mark.parametrize("known", [True, False], ids=["known before", "never read"])
def test_who_is_removed_while_exchange_is_asked_stays_removed(
    world: World, outcome: Problem | None, *, known: bool
) -> None:
    if known:
        known_before(world)
    world.outcome = outcome
    world.meanwhile = world.erase
    summary = world.check()
    assert world.records.items == {}
    assert (summary.written, summary.errors) == (0, {})


def test_who_is_removed_between_reading_and_writing_the_record_stays_removed(world: World) -> None:
    known_before(world)
    world.outcome = PROBLEM
    world.records.before_write = world.erase
    assert world.check().errors == {}
    assert world.records.items == {}


def test_who_is_removed_while_a_command_is_carried_out_stays_removed(world: World) -> None:
    known_before(world)
    world.records.before_write = world.erase
    with pytest.raises(ConfigurationError, match="nobody has it"):
        world.command()
    assert world.records.items == {}


def test_whose_record_alone_was_removed_gets_a_new_one(world: World) -> None:
    """They are still a user: only who was removed as one is not brought back."""
    world.records.before_write = world.records.items.clear
    world.check()
    world.command()
    assert User(world.alice.user_id, world.alice.address) == world.alice
    assert set(world.records.items) == {world.alice.user_id}
