"""`presence run` as an operator has it: real processes, the simulated Exchange, stopped, killed and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import boto3
import pytest
from botocore.config import Config

from local.exchange.operator_folder import write_operator_folder
from local.exchange.organisation import Entry, Mailbox, Organisation
from local.exchange.server import SimulatedExchange

pytestmark = pytest.mark.timeout(300)

CHECKOUT = Path(__file__).resolve().parents[2]
STACK = "calendar-presence"
PEOPLE = ("alice@example.com", "bob@example.com")


def wait_for(what: Callable[[], Any], seconds: float = 100.0) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)
    return found


class Desk:
    """An operator's files in a folder, and the state that the runs of this test keep."""

    def __init__(self, folder: Path, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.document = write_operator_folder(folder, exchange)
        self.state = folder / "state"
        self.users = folder / "users.csv"
        self.users.write_text("address\n" + "\n".join(PEOPLE) + "\n", encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli", *arguments]

    def run(self, *options: str) -> Run:
        files = ["--config", str(self.document), "--state", str(self.state), "--users", str(self.users)]
        with socket.socket() as probe:  # another port for each run
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        often = ["--parameter", "CheckIntervalMinutes=1", "--port", str(port)]
        return Run(self.command("run", *files, *often, *options))

    def presence(self, *arguments: str) -> str:
        """Run another command against the run that is going on, and return what it prints."""
        told_to = self.command(*arguments, "--stack", STACK)
        told = subprocess.run(  # noqa: S603  our own command
            # As the documentation has it: (set -a; . …/environment; presence … --stack calendar-presence)
            ["/bin/sh", "-c", 'set -a; . "$0"; exec "$@"', str(self.state / "environment"), *told_to],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (told.returncode, told.stderr) == (0, "")
        return str(told.stdout)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the run which is going on wrote for other commands."""
        lines = (self.state / "environment").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def client(self, service: str) -> Any:
        environment = self.environment
        session = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            config=Config(proxies={}),
        )

    def output(self, name: str) -> str:
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return next(str(output["OutputValue"]) for output in stack["Outputs"] if output["OutputKey"] == name)

    def waiting_transitions(self) -> int:
        name = "ApproximateNumberOfMessagesDelayed"
        queue = self.output("TransitionQueueUrl")
        counts = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
        return int(counts[name])


class Run:
    """A process of `presence run` and the lines that it prints; killed if it still runs when it is left."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own command
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGTERM if kind is None else signal.SIGKILL)

    def line(self, pattern: str) -> str:
        """Return the first line that fits; wait for it as long as the process runs."""

        def found() -> str | None:
            has_ended = self._process.poll() is not None and not self._reader.is_alive()
            line = next((line for line in list(self.lines) if re.search(pattern, line)), None)
            assert line or not has_ended, "\n".join(self.lines)
            return line

        return str(wait_for(found))

    def end(self, how: signal.Signals) -> int:
        """End the process by a signal and return its exit code."""
        self._process.send_signal(how)
        code = self._process.wait(60)
        self._reader.join()
        return code

    def crash(self) -> None:
        """Kill the engine with its workers, whereupon the command has nothing left to do."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        if not children.exists():
            pytest.skip("the engine to kill is found through /proc, which this system lacks")
        engine = int(children.read_text(encoding="ascii").split()[0])
        os.killpg(engine, signal.SIGKILL)
        assert self._process.wait(60) == 1
        self._reader.join()
        assert self.lines[-1].startswith("presence: The engine ended by itself. Start again: ")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))


class Subscriber:
    """Another subscriber of the topic, with a queue of its own that outlives the runs; it hears everything."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        sqs = desk.client("sqs")
        queue = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = desk.output("PresenceTopicArn")
        allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})}
        )
        raw = {"RawMessageDelivery": "true"}
        desk.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        self._events: list[dict[str, Any]] = []

    def heard(self, address: str) -> list[tuple[int, str]]:
        """Return what was heard of a user so far: versions and availabilities, in the order of their coming."""
        sqs = self._desk.client("sqs")
        queue = sqs.get_queue_url(QueueName="subscriber")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                self._events.append(json.loads(message["Body"])["data"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [
            (data["version"], data["presence"]["availability"])
            for data in self._events
            if data["user"]["email"] == address
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    mailboxes = [Mailbox(address, address, ZoneInfo("UTC")) for address in PEOPLE]
    with SimulatedExchange(Organisation(mailboxes)) as exchange:
        yield Desk(tmp_path, exchange)


def test_stopped_or_crashed_and_started_again_nothing_is_lost_and_no_version_is_missing(desk: Desk) -> None:
    organisation = desk.exchange.organisation
    with desk.run() as run:
        run.line(r"alice@example\.com  Available .*version 1")
        run.line(r"bob@example\.com  Available .*version 1")
        subscriber = Subscriber(desk)
        # The document is followed while it runs: what is broken is refused, what is mended is put in place.
        good = desk.document.read_text(encoding="utf-8")
        desk.document.write_text(good.replace("schema_version = 1", "schema_version = 99"), encoding="utf-8")
        assert "schema_version: 99 is not known" in run.line(r"^refused: .*what was in place before stays$")
        desk.document.write_text(good.replace('name = "headquarters"', 'name = "main-office"'), encoding="utf-8")
        run.line(r"^version 2 of the gateways document is in place; it is live within a minute$")
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=30)
        desk.presence("set", "alice@example.com", "away", "--until", f"{end:%Y-%m-%dT%H:%M:%SZ}")
        assert desk.waiting_transitions() == 1
        assert run.end(signal.SIGTERM) == 0
        assert run.lines[-1] == f"Stopped; the state is in {desk.state}."

    hour = datetime.now(UTC).replace(microsecond=0)
    entry = organisation.add("bob@example.com", Entry(hour - timedelta(minutes=5), hour + timedelta(hours=1)))
    with desk.run() as run:
        run.line(r"^Running at ")
        waiting, in_time = desk.waiting_transitions(), datetime.now(UTC) < end
        run.line(r"bob@example\.com  Busy .*version 2")
        changed = run.line(r"alice@example\.com  Available .*version 3")
        if in_time:
            assert waiting == 1
            # By its own message: one that was lost would be noticed ten seconds after its instant at the earliest.
            assert timedelta(0) <= datetime.fromisoformat(changed.split()[0]) - end < timedelta(seconds=10)
        wait_for(lambda: len(subscriber.heard("alice@example.com")) > 1 and subscriber.heard("bob@example.com"))
        assert subscriber.heard("alice@example.com") == [(2, "Away"), (3, "Available")]
        assert subscriber.heard("bob@example.com") == [(2, "Busy")]
        desk.presence("set", "alice@example.com", "busy")
        run.line(r"alice@example\.com  Busy .*version 4")  # it lies in the subscriber's queue as well
        run.crash()

    organisation.remove("bob@example.com", entry)
    with desk.run("--parameter", "HistoryDays=3") as run:  # the stack is brought up to date with what changed
        run.line(r"bob@example\.com  Available .*version 3")
        wait_for(lambda: (3, "Available") in subscriber.heard("bob@example.com"))
        # After a crash events may come again, as the same version; and none is missing.
        assert set(subscriber.heard("bob@example.com")) == {(2, "Busy"), (3, "Available")}
        assert set(subscriber.heard("alice@example.com")) == {(2, "Away"), (3, "Available"), (4, "Busy")}
        assert [line for line in run.lines if "users added" in line or "gateways document is in place" in line] == []
        assert run.end(signal.SIGINT) == 0


def test_the_command_killed_its_engine_writes_everything_down_and_the_next_run_waits_for_it(desk: Desk) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    desk.exchange.organisation.add("bob@example.com", Entry(soon, soon + timedelta(hours=1)))
    with desk.run() as run:
        run.line(r"alice@example\.com  Available .*version 1")
        run.line(r"bob@example\.com  Available .*version 1")
        desk.presence("remind", "bob@example.com", "60")
        run.line(rf"bob@example\.com  a meeting begins at {soon:%Y-%m-%dT%H:%M:%SZ}  \(reminder, 60 min before\)$")
        subscriber = Subscriber(desk)
        assert "alice@example.com" in desk.presence("why", "alice@example.com")
        desk.presence("set", "alice@example.com", "away")
        run.line(r"alice@example\.com  Away .*\(by-hand, set-by-hand; version 2\)")
        with desk.run() as second:
            second.line(
                rf"presence: {desk.state}: is in use by another run \(process \d+\); stop that, or name another"
            )
        wait_for(lambda: subscriber.heard("alice@example.com"))
        run.end(signal.SIGKILL)
    with desk.run() as run:
        run.line(r"^Running at ")
        desk.presence("clear", "alice@example.com")
        run.line(r"alice@example\.com  Available .*version 3")
        wait_for(lambda: (3, "Available") in subscriber.heard("alice@example.com"))
        assert subscriber.heard("alice@example.com") == [(2, "Away"), (3, "Available")]
        passwords = [secret["password"].encode() for secret in desk.exchange.secrets().values()]
        files = [path for path in desk.state.rglob("*") if path.is_file()]
        assert [path for path in files if any(password in path.read_bytes() for password in passwords)] == []
        assert {path.stat().st_mode & 0o077 for path in [desk.state, *desk.state.rglob("*")]} == {0}
