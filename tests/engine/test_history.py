"""History in a stack that is really deployed: the stream, the function's own rights, and the operator's commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.main import main
from local.demo.subscriber import Subscriber
from local.stack.deployment import DEFAULT_STACK_NAME, deploy
from local.stack.local_stack import LocalStack, deployed_stack
from presence.clock import system_clock
from presence.presences import Activity, Availability, Presence
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.records import available_record

pytestmark = [pytest.mark.xdist_group("history"), pytest.mark.timeout(120)]  # one engine for all

ALICE = "alice@example.com"
BUSY = Presence(Availability.BUSY, Activity.IN_A_MEETING)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def local_stack() -> Iterator[LocalStack]:
    with deployed_stack(parameters={"HistoryDays": "30"}) as running:
        yield running


@pytest.fixture
def run(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name, value in local_stack.engine.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--stack", DEFAULT_STACK_NAME])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_what_is_shown_is_recorded_and_forgotten_with_the_user(local_stack: LocalStack, run: Run) -> None:
    deployment = local_stack.deployment
    dynamodb = deployment.client("dynamodb")
    user = UserTable(dynamodb, deployment.outputs["UserTableName"]).add(ALICE)
    table = PresenceTable(dynamodb, deployment.outputs["PresenceTableName"], 16)

    with Subscriber(deployment.client("sns"), deployment.outputs["PresenceTopicArn"], system_clock) as subscriber:
        now = datetime.now(UTC).replace(microsecond=0)
        first = write(table, replace(available_record(user.user_id, now - timedelta(minutes=5)), address=ALICE))
        write(table, replace(first, version=2, presence=BUSY, previous=first.presence, since=now, changed_at=now))
        wait_until(lambda: run("history", ALICE)[1].count("Z  version ") == 2)
        out = run("history", ALICE)[1].splitlines()
        assert "version 1  Available / Available" in out[1]
        assert "version 2  Busy / InAMeeting" in out[2]
        assert len(json.loads(run("user", "export", ALICE)[1])["history"]) == 2

        assert run("user", "erase", ALICE, "--yes")[0] == 0
        assert "nothing is stored" in run("user", "export", ALICE)[2]
        wait_until(lambda: len(subscriber.deliveries()) == 3)
        last = max(subscriber.deliveries(), key=lambda delivery: str(delivery.body["sequence"])).body
        assert last["data"]["presence"]["availability"] == "PresenceUnknown"
        assert last["data"]["reason"]["rule"] == "erased"

    # The stream still brings the last version to record_history, and then the removal, which ends it all.
    wait_until(lambda: recorded(local_stack) == 3)
    wait_until(lambda: not dynamodb.scan(TableName=deployment.outputs["HistoryTableName"])["Items"])
    lines = deployment.client("logs").filter_log_events(logGroupName=deployment.outputs["AuditLogGroupName"])["events"]
    audited = [json.loads(line["message"]) for line in lines]
    assert {line["action"] for line in audited} == {"history", "export", "erase"}
    assert {line["user"] for line in audited} == {user.user_id}


def recorded(local_stack: LocalStack) -> int:
    """Return how many versions record_history has put, by its metrics."""
    metrics = (line for line in local_stack.deployment.logs_of("record_history") if "HistoryRecorded" in line)
    return sum(int(json.loads(line[line.index("{") :])["HistoryRecorded"][0]) for line in metrics)


def test_switched_off_there_is_no_function_and_the_table_stays(local_stack: LocalStack) -> None:
    parameters = {"SchedulesState": "DISABLED", "HistoryDays": "0"}
    other = deploy(local_stack.engine, stack_name="without-history", parameters=parameters)
    assert not [name for name in other.resources if "RecordHistory" in name or "HistoryFailure" in name]
    assert other.outputs["HistoryTableName"] in other.client("dynamodb").list_tables()["TableNames"]
    functions = [function["FunctionName"] for function in other.client("lambda").list_functions()["Functions"]]
    assert f"{DEFAULT_STACK_NAME}-record_history" in functions
    assert "without-history-record_history" not in functions


def write(table: PresenceTable, record: PresenceRecord) -> PresenceRecord:
    written = table.write(record)
    assert written is not None
    return written


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.1)
