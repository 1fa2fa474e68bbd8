"""The engine starts, serves, and leaves nothing behind, however its starter ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.stack.deployment import Deployment, deploy
from local.stack.engine import Engine
from local.stack.schedules import ScheduleDriver
from local.stack.seeding import seed
from presence.records import User

CHECKOUT = Path(__file__).resolve().parents[2]


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{process}/status")
    return status.exists() and "\nState:\tZ" in status.read_text(encoding="utf-8")  # ended, and not yet buried


def _wait_until(what: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 15
    while not what():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)


def test_settings_of_the_host_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://192.0.2.1:1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-host")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:1")
    with Engine() as engine:
        assert engine.client("sqs").create_queue(QueueName="queue")["QueueUrl"].endswith("/queue")


def test_two_engines_do_not_know_of_each_other() -> None:
    with Engine() as one, Engine() as other:
        one.client("sqs").create_queue(QueueName="queue")
        assert other.client("sqs").list_queues().get("QueueUrls", []) == []


def test_state_is_kept_between_runs_where_a_folder_is_named(tmp_path: Path) -> None:
    def seeded(engine: Engine) -> tuple[Deployment, tuple[User, ...]]:
        stack = deploy(engine, parameters={"SchedulesState": "DISABLED"})
        return stack, seed(stack, gateways={"schema_version": 1}, credentials={}, addresses=["alice@example.com"])

    with Engine(state=tmp_path) as engine:
        _, users = seeded(engine)
    with Engine(state=tmp_path) as engine:
        stack, same = seeded(engine)
        assert same == users
        assert ScheduleDriver(stack).tick()


def test_a_stack_is_brought_up_to_date() -> None:
    with Engine() as engine:
        deploy(engine, parameters={"GroupSize": "7"})
        assert deploy(engine, parameters={"GroupSize": "7"}).variables_of("schedule_checks")["GROUP_SIZE"] == "7"
        assert deploy(engine, parameters={"GroupSize": "9"}).variables_of("schedule_checks")["GROUP_SIZE"] == "9"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_nothing_runs_on_and_nothing_is_left_after_its_starter_has_ended(how: signal.Signals, tmp_path: Path) -> None:
    script = """
        import time
        from local.stack.local_stack import deployed_stack
        with deployed_stack() as stack:
            stack.schedules.tick()  # so that there are workers
            print(stack.engine.process_id, flush=True)
            time.sleep(60)
    """
    starter = subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=CHECKOUT,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([".", "layers/presence", "layers/exchange"]), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stdout is not None
    with starter.stdout:
        engine = int(starter.stdout.readline())
        assert not _gone(engine)
        assert list(tmp_path.iterdir())
        workers = _members_of(engine)
        starter.send_signal(how)
        starter.wait(15)
    _wait_until(lambda: all(_gone(process) for process in (engine, *workers)))
    assert list(tmp_path.iterdir()) == []


def _members_of(group: int) -> list[int]:
    """Return the processes of the engine's group; elsewhere than on Linux the engine alone is looked at."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == group:
                members.append(int(folder.name))
        except ProcessLookupError:  # it has just ended
            continue
    assert len(members) != 1, "there are no workers to look at"
    return members
