"""Everything together: an engine, the deployed template, its schedules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from local.stack.deployment import DEFAULT_STACK_NAME, Deployment, deploy
from local.stack.engine import Engine
from local.stack.schedules import ScheduleDriver
from local.stack.seeding import seed
from presence.records import User


@dataclass(frozen=True, slots=True)
class LocalStack:
    """The deployed stack on this machine, and what drives its schedules; see `deployed_stack`."""

    deployment: Deployment
    schedules: ScheduleDriver

    @property
    def engine(self) -> Engine:
        """The engine that the stack stands in."""
        return self.deployment.engine

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


@contextmanager
def deployed_stack(
    *,
    parameters: Mapping[str, str] | None = None,
    stack_name: str = DEFAULT_STACK_NAME,
    tick_seconds: float = 3.0,
) -> Iterator[LocalStack]:
    """Deploy template.yaml into an engine of its own, for as long as the context lasts; nothing is kept of it.

    The schedules are deployed disabled and driven from outside; their `start()` is left to the caller, so that users
    can be seeded before the first tick. `parameters` are those of template.yaml that differ from their defaults;
    `tick_seconds` is the pause between two ticks. Raises `LocalStackError` if the engine does not start or the template
    can't be deployed.
    """
    with Engine() as engine:
        wanted = {"SchedulesState": "DISABLED"} | dict(parameters or {})
        deployment = deploy(engine, stack_name=stack_name, parameters=wanted)
        with ScheduleDriver(deployment, tick_seconds) as schedules:
            yield LocalStack(deployment, schedules)
