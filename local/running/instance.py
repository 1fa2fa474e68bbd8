"""The deployed stack in use: begun when everything is in its place, ended when what was begun is done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from local.running.state_folder import StateFolder
from local.stack.deployment import Deployment, deploy
from local.stack.engine import Engine
from local.stack.schedules import ScheduleDriver

_MINUTE: Final = 60.0
_QUEUES: Final = ("CheckQueueUrl", "TransitionQueueUrl")
_LONGEST_END: Final = 30.0
"""Seconds that messages which are being worked on may take when the instance ends; after that they come back later."""
_STREAM_SECONDS: Final = 1.0
"""In which what was written last has been read from the stream and published."""


class Instance:
    """The stack in an engine that keeps its state in a folder; see `running_instance`."""

    def __init__(self, deployment: Deployment, schedules: ScheduleDriver) -> None:
        self.deployment = deployment
        self._schedules = schedules

    @property
    def engine(self) -> Engine:
        """The engine that the stack stands in."""
        return self.deployment.engine

    @property
    def failures(self) -> tuple[str, ...]:
        """What the schedules' functions failed with, in the order in which it happened."""
        return self._schedules.failures

    def begin(self) -> None:
        """Let functions take their messages, and the schedules tick: now, and at each whole minute."""
        self.deployment.read_queues(enabled=True)
        self._schedules.start()

    def end(self) -> None:
        """Begin nothing more, and wait until what was begun is done and published."""
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


@contextmanager
def running_instance(folder: StateFolder, parameters: Mapping[str, str], port: int = 0) -> Iterator[Instance]:
    """Deploy template.yaml, or bring the stack of the folder up to date with it, and let nothing begin yet.

    `parameters` are those of template.yaml that differ from their defaults; `port` is the engine's on 127.0.0.1. Raises
    `LocalStackError` if the engine does not start or the template can't be deployed.
    """
    with Engine(port=port, state=folder.path, held_open=[folder.lock]) as engine:
        deployment = deploy(engine, parameters=parameters)
        deployment.read_queues(enabled=False)  # nothing begins before the credentials are there
        engine.save()
        with ScheduleDriver(deployment, _MINUTE, aligned=True) as schedules:
            yield Instance(deployment, schedules)
