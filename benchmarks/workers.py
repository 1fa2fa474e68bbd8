"""A function that a queue calls, in processes of its own as Lambda has execution environments, fed as Lambda feeds it.

Each worker has a process, the function's real handler and adapters, and below them the stand-ins of
`benchmarks.shared_table`. Each worker that is free is handed as many of the messages that the queue shows by then as
the template's event source mapping says; what comes back is handed over again.
"""

from __future__ import annotations

import heapq
import importlib
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Lock
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3

from benchmarks.shared_table import Layout, SharedTable, TableClient
from local.virtual.template import Function

_GIVES_UP: Final = 60.0
"""Seconds after which a worker that does not answer is given up."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was sent: its text, and the Unix time from which the queue shows it."""

    body: str
    visible_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one invocation came to: messages that come back, by id; those it sent; seconds of processor time it took."""

    failed: frozenset[str] = frozenset()
    sent: Sequence[Sent] = ()
    processor_time: float = 0.0


class QueueClient:
    """What stands for boto3's SQS client: it notes what is sent."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        """Take the messages."""
        now = time.time()
        self._sent += [Sent(entry["MessageBody"], now + entry["DelaySeconds"]) for entry in call["Entries"]]
        return {}

    def take(self) -> list[Sent]:
        """Return what was sent since the last call."""
        taken, self._sent = self._sent, []
        return taken


class SecretsClient:
    """What stands for boto3's Secrets Manager client: it has the key by which log lines name people."""

    def get_secret_value(self, **_call: Any) -> dict[str, Any]:
        """Return the key."""
        return {"SecretString": "k" * 64}


class SourceQueue:
    """The queue between the mapping's pollers: a message that was taken comes back or is done."""

    def __init__(self, messages: Sequence[Sent], batch_size: int) -> None:
        self._batch_size = batch_size
        self._waiting: list[tuple[float, int, str]] = []
        self._numbers = iter(range(sys.maxsize))
        self._taken = 0
        self._changed = threading.Condition()
        self.put(messages)

    def put(self, messages: Sequence[Sent]) -> None:
        """Add messages."""
        with self._changed:
            for message in messages:
                heapq.heappush(self._waiting, (message.visible_at, next(self._numbers), message.body))
            self._changed.notify_all()

    def take(self) -> list[tuple[str, str]]:
        """Wait for messages; return a batch, with an id each, or none when all are done."""
        with self._changed:
            while self._waiting or self._taken:
                left = self._waiting[0][0] - time.time() if self._waiting else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                taken: list[tuple[str, str]] = []
                while self._waiting and len(taken) < self._batch_size and self._waiting[0][0] <= time.time():
                    _, number, body = heapq.heappop(self._waiting)
                    taken.append((str(number), body))
                self._taken += len(taken)
                return taken
            return []

    def settle(self, taken: Sequence[tuple[str, str]], answer: Answer) -> None:
        """Note what came of messages that were taken: those that failed come back, and others were sent."""
        now = time.time()
        self.put([Sent(body, now) for number, body in taken if number in answer.failed])
        self.put(answer.sent)
        with self._changed:
            self._taken -= len(taken)
            self._changed.notify_all()


class Workers:
    """So many workers of a function; a context manager, in which they are started. `locks` are those of the table."""

    def __init__(self, count: int, function: Function, locks: Sequence[Lock]) -> None:
        self._count = count
        self._function = function
        self._locks = locks
        self._pipes: list[Connection] = []
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        context = get_context("spawn")
        with ExitStack() as exits:
            for _ in range(self._count):
                here, there = context.Pipe()
                process = context.Process(target=_work, args=(there, self._function, self._locks), daemon=True)
                process.start()
                there.close()
                exits.callback(process.join)
                exits.callback(here.close)  # which ends the worker
                self._pipes.append(here)
            for pipe in self._pipes:
                _answer(pipe)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._exits.close()

    def open(self, layout: Layout) -> None:
        """Have the workers open the table and make their clients."""
        for pipe in self._pipes:
            pipe.send(layout)
        for pipe in self._pipes:
            _answer(pipe)

    def take_all(self, messages: Sequence[Sent]) -> float:
        """Hand over messages until all are done; return the processor time that they took, in seconds."""
        (mapping,) = self._function.sources("SQS")
        queue = SourceQueue(messages, int(mapping["BatchSize"]))
        with ThreadPoolExecutor(self._count) as pollers:
            return sum(pollers.map(lambda pipe: _poll(queue, pipe), self._pipes))


def _poll(queue: SourceQueue, pipe: Connection) -> float:
    processor_time = 0.0
    while taken := queue.take():
        answer = Answer(failed=frozenset(number for number, _ in taken))
        try:
            pipe.send({"Records": [{"messageId": number, "body": body} for number, body in taken]})
            answer = _answer(pipe)
        finally:
            queue.settle(taken, answer)
        processor_time += answer.processor_time
    return processor_time


def _answer(pipe: Connection) -> Answer:
    if not pipe.poll(_GIVES_UP):
        raise TimeoutError(f"a worker did not answer for {_GIVES_UP:g} seconds")
    answer: Answer = pipe.recv()
    return answer


def _work(pipe: Connection, function: Function, locks: Sequence[Lock]) -> None:
    os.environ.update(function.variables)
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  where its log goes, as long as it runs
    handler = importlib.import_module(f"functions.{function.name}.handler")
    pipe.send(Answer())
    queue = QueueClient()
    try:
        table = SharedTable(pipe.recv(), locks)

        def client(service: str, config: Any) -> object:
            if service == "secretsmanager":
                return SecretsClient()
            return queue if service == "sqs" else TableClient(table, config.max_pool_connections)

        boto3.client = client  # type: ignore[assignment]
        handler.parts()
        pipe.send(Answer())
        while True:
            event = pipe.recv()
            before = time.process_time()
            failures = handler.lambda_handler(event, None)["batchItemFailures"]
            failed = frozenset(failure["itemIdentifier"] for failure in failures)
            pipe.send(Answer(failed, queue.take(), time.process_time() - before))
    except EOFError:
        return
