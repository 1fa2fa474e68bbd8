"""Everything together: an engine, the deployed template, its schedules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from local.stack.deployment import DEFAULT_STACK_NAME, Deployment, deploy
from local.stack.engine import Engine
from local.stack.errors import EngineError
from local.stack.schedules import ScheduleDriver
from local.stack.seeding import seed
from presence.records import User


class LocalStack:
    """The deployed stack on this machine, as long as it is entered; nothing runs on after that.

    The schedules are deployed disabled and driven from outside: see `schedules`, whose `start()` is left to the
    caller, so that users can be seeded before the first tick.

    `parameters` are those of template.yaml that differ from their defaults; `port` is the engine's on 127.0.0.1, 0
    takes a free one; `state` is a folder that keeps everything but credentials between runs, None forgets it;
    `tick_seconds` is the pause between two ticks of the schedules; `clock` gives the time of a tick, an instant in UTC.
    Raises (on entering) `LocalStackError` if the engine does not start or the template can't be deployed.
    """

    def __init__(
        self,
        *,
        parameters: Mapping[str, str] | None = None,
        stack_name: str = DEFAULT_STACK_NAME,
        port: int = 0,
        state: Path | None = None,
        tick_seconds: float = 3.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.engine = Engine(port=port, state=state)
        self._parameters = {"SchedulesState": "DISABLED"} | dict(parameters or {})
        self._stack_name = stack_name
        self._tick_seconds = tick_seconds
        self._clock = clock
        self._deployment: Deployment | None = None
        self._schedules: ScheduleDriver | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(self.engine)
            self._deployment = deploy(self.engine, stack_name=self._stack_name, parameters=self._parameters)
            self._deployment.read_queues(enabled=True)  # which an engine with state from before does not by itself
            self._schedules = ScheduleDriver(self._deployment, self._tick_seconds, self._clock)
            exits.callback(self._schedules.stop)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exits.close()
        self._deployment = self._schedules = None

    @property
    def deployment(self) -> Deployment:
        """The stack as it stands in the engine."""
        if self._deployment is None:
            raise EngineError("The local stack is not running: use it as a context manager.")
        return self._deployment

    @property
    def schedules(self) -> ScheduleDriver:
        """What drives the stack's schedules; not started by itself."""
        if self._schedules is None:
            raise EngineError("The local stack is not running: use it as a context manager.")
        return self._schedules

    def seed(
        self,
        *,
        gateways: Mapping[str, object],
        credentials: Mapping[str, Mapping[str, str]],
        addresses: Iterable[str],
        profile: str = "default",
    ) -> tuple[User, ...]:
        """Put gateways, credentials and users into the stack; see `local.stack.seeding.seed`."""
        return seed(self.deployment, gateways=gateways, credentials=credentials, addresses=addresses, profile=profile)
