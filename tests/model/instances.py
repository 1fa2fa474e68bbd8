"""One invocation of a function: its clock, what befalls it, and the adapters through which it sees the world.

Each call of an adapter is an operation. Before the operation that was chosen, something else happens in the world;
at another one the adapter raises, or the function's process ends, before or after the operation took effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from presence.calendar import CalendarReading
from presence.errors import CalendarPresenceError, Problem
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord, User
from presence.tables.configuration import ConfigTable
from presence.tables.presences import ComingTransition, PresenceTable, StoredRecords
from presence.tables.users import ScheduledUser, UserTable, bucket_of
from tests.model.users import USERS
from tests.support.memory import MemoryConfigTable, MemoryPresenceTable, MemoryUserTable

T = TypeVar("T")
R = TypeVar("R")

_INHABITED = frozenset(bucket_of(user.user_id) for user in USERS)
_TICK = timedelta(microseconds=1)


class CrashError(BaseException):
    """The process of a function ends here; nothing of it runs any more."""


@dataclass(frozen=True)
class Mishap:
    """What befalls an invocation at one of its operations: a crash or an error, before or after it took effect."""

    operation: int
    crash: bool
    took_effect: bool


@dataclass(frozen=True)
class Meanwhile:
    """What happens in the world just before an operation of an invocation."""

    operation: int
    action: object


@dataclass(frozen=True)
class Circumstances:
    """How an invocation fares: so many seconds its clock is off, and what befalls it."""

    skew: float = 0.0
    mishap: Mishap | None = None
    meanwhile: Meanwhile | None = None


FAIR = Circumstances()


class VirtualTime:
    """The true time. Each look at it is a microsecond later, so that readings are ordered as they were asked for."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def look(self) -> datetime:
        self.now += _TICK
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Instance:
    """One invocation. `told` is what Exchange told it, by address; `command` what it was asked to do."""

    time: VirtualTime
    circumstances: Circumstances
    happen: Callable[[object], None]
    told: dict[str, CalendarReading | Problem] = field(default_factory=dict)
    command: object = None
    operations: int = 0
    looked_at: datetime | None = None
    ended: bool = False

    def clock(self) -> datetime:
        self.looked_at = self.time.look() + timedelta(seconds=self.circumstances.skew)
        return self.looked_at

    @property
    def decided_at(self) -> datetime:
        """What the clock showed last: when the decision that is written now was made."""
        assert self.looked_at is not None
        return self.looked_at

    def operation(self, do: Callable[[], T]) -> T:
        """Do what an adapter does, unless it is here that something befalls the invocation."""
        assert not self.ended, "a process that has ended does nothing more"
        self.operations += 1
        meanwhile, mishap = self.circumstances.meanwhile, self.circumstances.mishap
        if meanwhile is not None and meanwhile.operation == self.operations:
            self.happen(meanwhile.action)
        befalls = mishap is not None and mishap.operation == self.operations
        if befalls and not (mishap and mishap.took_effect):
            self._befall()
        result = do()
        if befalls:
            self._befall()
        return result

    def _befall(self) -> None:
        if self.circumstances.mishap is not None and self.circumstances.mishap.crash:
            self.ended = True
            raise CrashError
        raise CalendarPresenceError("the adapter of the model was told to fail")


class InstancePresences(PresenceTable):
    """PresenceTable as an invocation sees it. `on_write` hears of each write that took effect."""

    def __init__(
        self,
        shared: MemoryPresenceTable,
        instance: Instance,
        on_write: Callable[[Instance, PresenceRecord | None, PresenceRecord], None],
    ) -> None:
        self._shared = shared
        self._instance = instance
        self._on_write = on_write

    def get_many(self, user_ids: Sequence[str]) -> StoredRecords:
        return self._instance.operation(lambda: self._shared.get_many(user_ids))

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        return self._instance.operation(lambda: self._write(record))

    def coming(self, minute: datetime, shard: int, before: datetime) -> list[ComingTransition]:
        return self._shared.coming(minute, shard, before)

    def _write(self, record: PresenceRecord) -> PresenceRecord | None:
        before = self._shared.get_many([record.user_id]).found.get(record.user_id)
        written = self._shared.write(record)
        if written is not None:
            self._on_write(self._instance, before, written)
        return written


@dataclass(frozen=True)
class Flight:
    """A message on its way; it can be received from `visible_at` on."""

    body: str
    sent_at: datetime
    visible_at: datetime


class SharedQueue:
    """A queue of the world."""

    def __init__(self) -> None:
        self.flights: list[Flight] = []

    def visible(self, now: datetime) -> list[Flight]:
        """Return what can be received, what was due first before the rest."""
        return sorted((one for one in self.flights if one.visible_at <= now), key=lambda one: one.visible_at)

    def remove(self, flight: Flight) -> None:
        """Delete a message; one that was delivered twice may be gone already."""
        if flight in self.flights:
            self.flights.remove(flight)


class InstanceQueue(Queue):
    """A queue as an invocation sees it."""

    def __init__(self, shared: SharedQueue, instance: Instance) -> None:
        self._shared = shared
        self._instance = instance

    def send(self, messages: Sequence[QueuedMessage]) -> None:
        if messages:
            self._instance.operation(lambda: self._send(messages))

    def _send(self, messages: Iterable[QueuedMessage]) -> None:
        now = self._instance.time.now
        self._shared.flights += [
            Flight(message.body, now, now + timedelta(seconds=max(0, message.delay))) for message in messages
        ]


class InstanceConfiguration(ConfigTable):
    """The state of the schedules as an invocation sees it."""

    def __init__(self, shared: MemoryConfigTable, instance: Instance) -> None:
        self._shared = shared
        self._instance = instance

    def state(self, name: str) -> Mapping[str, str]:
        return self._instance.operation(lambda: self._shared.state(name))

    def put_state(self, name: str, state: Mapping[str, str]) -> None:
        self._instance.operation(lambda: self._shared.put_state(name, state))


class InstanceUsers(UserTable):
    """UserTable as an invocation sees it."""

    def __init__(self, shared: MemoryUserTable, instance: Instance) -> None:
        self._shared = shared
        self._instance = instance

    def of_bucket(self, bucket: int) -> Iterator[ScheduledUser]:
        return self._shared.of_bucket(bucket) if bucket in _INHABITED else iter(())

    def has(self, user_id: str) -> bool:
        return self._instance.operation(lambda: self._shared.has(user_id))

    def remember_endpoint(self, user_id: str, endpoint: str) -> None:
        self._instance.operation(lambda: self._shared.remember_endpoint(user_id, endpoint))

    def find(self, address: str) -> User | None:
        return self._instance.operation(lambda: self._shared.find(address))

    def use_calendar(self, user_id: str, *, enabled: bool, paused_until: datetime | None) -> None:
        self._instance.operation(lambda: self._shared.use_calendar(user_id, enabled=enabled, paused_until=paused_until))


class OneAfterTheOther:
    """Stands for ThreadPoolExecutor, so that a run can be repeated step by step."""

    def __init__(self, workers: int = 1) -> None:
        del workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, do: Callable[..., R], *many: Iterable[Any]) -> list[R]:
        return [do(*one) for one in zip(*many, strict=False)]

    def submit(self, do: Callable[..., R], *arguments: Any) -> Future[R]:
        done: Future[R] = Future()
        try:
            done.set_result(do(*arguments))
        except Exception as error:  # noqa: BLE001  whoever asks for the result gets it
            done.set_exception(error)
        return done
