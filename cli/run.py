"""`presence run`: the whole system on this machine, its state in a folder, until it is told to stop."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from cli.arguments import secrets_folder
from cli.run_inputs import Follower, Place, read_inputs
from cli.run_words import event_line, problem_line
from cli.stacks import aws_errors_in_words
from local.running.instance import Instance, running_instance
from local.running.parameters import read_parameters
from local.running.problems import ProblemWatch
from local.running.published_events import PublishedEvents
from local.running.state_folder import StateFolder
from local.stack.errors import EngineError
from presence.clock import system_clock

_FILES_SECONDS = 2.0
_PROBLEMS_SECONDS = 15.0


def run(arguments: Namespace) -> int:
    """Run until SIGINT or SIGTERM; return 0.

    Raises `ConfigurationError` before anything is started, and `LocalStackError` if the engine does not start or ends.
    """
    secrets = secrets_folder(arguments)
    inputs = read_inputs(arguments.config, secrets, arguments.users)
    parameters = read_parameters(arguments.parameter)
    with _told_to_stop() as stop, StateFolder(arguments.state) as folder, aws_errors_in_words():
        _say("Starting the embedded engine and deploying template.yaml into it …")
        with running_instance(folder, parameters, arguments.port) as instance:
            place = Place(instance.deployment)
            for line in place.put(inputs):
                _say(line)
            environment = folder.write_environment(instance.engine.environment)
            events = PublishedEvents(instance.deployment)
            instance.begin()
            _say(f"Running at {instance.engine.endpoint_url}; stop it with Ctrl-C. In another terminal:")
            variables, stack = shlex.quote(str(environment)), instance.deployment.stack_name
            _say(f"  (set -a; . {variables}; presence users list --stack {stack})")
            follower = Follower(place, arguments.config, secrets, arguments.users, inputs)
            _Rounds(instance, events, follower).go_on(stop)
            _say("Stopping: what has begun is brought to its end …")
            instance.end()
            _print_rest(events)
        _say(f"Stopped; the state is in {folder.path}.")
    return 0


class _Rounds:
    """What is done again and again while the system runs."""

    def __init__(self, instance: Instance, events: PublishedEvents, follower: Follower) -> None:
        self._instance = instance
        self._events = events
        self._follower = follower
        self._problems = ProblemWatch(instance.deployment)
        self._failures = 0
        self._next_files = self._next_problems = time.monotonic()

    def go_on(self, stop: threading.Event) -> None:
        """Go round until told to stop. Raises `EngineError` if the engine ends by itself."""
        while not stop.is_set():
            try:
                self._once()
            except (BotoCoreError, ClientError) as error:
                self._require_engine()
                print(f"presence: the engine did not answer: {error}", file=sys.stderr, flush=True)
                stop.wait(1)

    def _once(self) -> None:
        for event in self._events.take(seconds=1):
            _say(event_line(event))
        now = time.monotonic()
        if now >= self._next_files:
            self._next_files = now + _FILES_SECONDS
            for line in self._follower.look():
                _say(line)
        if now >= self._next_problems:
            self._next_problems = now + _PROBLEMS_SECONDS
            for news in self._problems.look():
                _say(problem_line(news, system_clock()))
        failures = self._instance.failures
        for failure in failures[self._failures :]:
            print(f"presence: a function failed: {failure}", file=sys.stderr, flush=True)
        self._failures = len(failures)

    def _require_engine(self) -> None:
        if not self._instance.engine.is_running:
            raise EngineError(
                f"The engine ended by itself. Start again: see what a crash costs in docs/operations/one-machine.md. "
                f"The end of its log:\n{self._instance.engine.log[-2000:]}"
            )


def _print_rest(events: PublishedEvents) -> None:
    while lines := [event_line(event) for event in events.take(seconds=0)]:
        for line in lines:
            _say(line)


def _say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Give what is set by SIGINT and SIGTERM, at any time from here on; another one changes nothing."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
