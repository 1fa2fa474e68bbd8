"""Drives the deployed schedules.

The engine sweeps its schedules every ten seconds, first after a minute, and hands over the placeholder of the
scheduled time as it stands in the template. This reads the same schedules from the engine and invokes their targets,
at any pace, with the time filled in as EventBridge Scheduler does (Scheduler user guide, "Adding context attributes").
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from local.stack.deployment import Deployment
from local.stack.errors import DeploymentError
from presence.clock import system_clock

SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"


@dataclass(frozen=True, slots=True)
class _Schedule:
    name: str
    target_arn: str
    input: str


class ScheduleDriver:
    """Invokes the targets of a stack's schedules, whether these are enabled in the engine or not.

    Between `start()` and `stop()`, or the end of its context, it does so every few seconds in a thread of its own;
    `tick()` does it once, at any time. A function that fails does not end the driving: see `failures`.
    `every_seconds` is the pause between two ticks; `clock` gives the time that a tick carries, an instant in UTC. With
    `aligned` the second and all further ticks come at whole multiples of that many seconds of the clock, as on AWS.
    """

    def __init__(
        self,
        deployment: Deployment,
        every_seconds: float = 3.0,
        clock: Callable[[], datetime] = system_clock,
        *,
        aligned: bool = False,
    ) -> None:
        self._lambda = deployment.client("lambda")
        self._schedules = _read_schedules(deployment)
        self._every_seconds = every_seconds
        self._clock = clock
        self._aligned = aligned
        self._failures: list[str] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def failures(self) -> tuple[str, ...]:
        """What functions failed with, as `name: error`, in the order in which it happened."""
        return tuple(self._failures)

    def tick(self, time: datetime | None = None) -> dict[str, Any]:
        """Invoke every target once and return their answers by the schedules' names.

        `time` is the scheduled time that the targets are told, an instant in UTC; None: now. Raises `DeploymentError`
        if a function failed; all have been invoked nevertheless.
        """
        instant = (time or self._clock()).astimezone(UTC)
        text = instant.isoformat(timespec="milliseconds" if instant.microsecond else "seconds").replace("+00:00", "Z")
        answers: dict[str, Any] = {}
        failures: list[str] = []
        for schedule in self._schedules:
            answer = self._lambda.invoke(
                FunctionName=schedule.target_arn, Payload=schedule.input.replace(SCHEDULED_TIME, text).encode()
            )
            payload = json.loads(answer["Payload"].read() or b"null")
            if answer.get("FunctionError"):
                failures.append(f"{schedule.name}: {json.dumps(payload)}")
            else:
                answers[schedule.name] = payload
        if failures:
            raise DeploymentError("\n".join(failures))
        return answers

    def start(self) -> None:
        """Begin to tick in a thread of its own, at once and then every few seconds."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._run, daemon=True, name="schedules")
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for the tick that it may be in."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001  whatever it was, the next tick is tried, as on AWS
                self._failures.append(str(error))
            self._stopped.wait(pause(self._every_seconds, self._clock() if self._aligned else None))


def pause(every_seconds: float, now: datetime | None) -> float:
    """Return how long to wait for the next tick, in seconds: until the next whole multiple, or all of it (None)."""
    return every_seconds if now is None else every_seconds - now.timestamp() % every_seconds


def _read_schedules(deployment: Deployment) -> tuple[_Schedule, ...]:
    client = deployment.client("scheduler")
    pages = client.get_paginator("list_schedules").paginate(NamePrefix=f"{deployment.stack_name}-")
    names = sorted(schedule["Name"] for page in pages for schedule in page["Schedules"])
    if not names:
        raise DeploymentError(f"The stack {deployment.stack_name} has no schedule.")
    targets = {name: client.get_schedule(Name=name)["Target"] for name in names}
    return tuple(_Schedule(name, target["Arn"], target.get("Input", "{}")) for name, target in targets.items())
