"""The deployed stack in use: begun when everything is in its place, ended when what was begun is done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from local.running.state_folder import StateFolder
from local.stack.deployment import Deployment, deploy
from local.stack.engine import Engine
from local.stack.errors import EngineError
from local.stack.schedules import ScheduleDriver

_MINUTE: Final = 60.0
_QUEUES: Final = ("CheckQueueUrl", "TransitionQueueUrl")
_LONGEST_END: Final = 30.0
"""Seconds that messages which are being worked on may take when the instance ends; after that they come back later."""
_STREAM_SECONDS: Final = 1.0
"""In which what was written last has been read from the stream and published."""


class Instance:
    """The stack in an engine that keeps its state in a folder; it runs while it is entered.

    Entering deploys template.yaml, or brings the stack up to date with it, and lets nothing begin yet. `parameters` are
    those of template.yaml that differ from their defaults; `port` is the engine's on 127.0.0.1. Entering raises
    `LocalStackError` if the engine does not start or the template can't be deployed.
    """

    def __init__(self, folder: StateFolder, parameters: Mapping[str, str], port: int = 0) -> None:
        self.engine = Engine(port=port, state=folder.path, held_open=[folder.lock])
        self._parameters = parameters
        self._deployment: Deployment | None = None
        self._schedules: ScheduleDriver | None = None
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            exits.enter_context(self.engine)
            self._deployment = deploy(self.engine, parameters=self._parameters)
            self._deployment.read_queues(enabled=False)  # nothing begins before the credentials are there
            self.engine.save()
            self._schedules = ScheduleDriver(self._deployment, _MINUTE, aligned=True)
            exits.callback(self._schedules.stop)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exits.close()

    @property
    def deployment(self) -> Deployment:
        """The stack as it stands in the engine."""
        if self._deployment is None:
            raise EngineError("The instance is not running: use it as a context manager.")
        return self._deployment

    @property
    def failures(self) -> tuple[str, ...]:
        """What the schedules' functions failed with, in the order in which it happened."""
        return () if self._schedules is None else self._schedules.failures

    def begin(self) -> None:
        """Let functions take their messages, and the schedules tick: now, and at each whole minute."""
        self.deployment.read_queues(enabled=True)
        if self._schedules is not None:
            self._schedules.start()

    def end(self) -> None:
        """Begin nothing more, and wait until what was begun is done and published."""
        if self._schedules is not None:
            self._schedules.stop()
        self.deployment.read_queues(enabled=False)
        give_up = time.monotonic() + _LONGEST_END
        while self._messages_in_work() and time.monotonic() < give_up:
            time.sleep(0.1)
        time.sleep(_STREAM_SECONDS)

    def _messages_in_work(self) -> int:
        sqs = self.deployment.client("sqs")
        name = "ApproximateNumberOfMessagesNotVisible"
        return sum(
            int(
                sqs.get_queue_attributes(QueueUrl=self.deployment.outputs[queue], AttributeNames=[name])["Attributes"][
                    name
                ]
            )
            for queue in _QUEUES
        )
