"""The stack in virtual time is the one of template.yaml, and its functions are the real ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.virtual.cloud import CHECKOUT, VirtualCloud
from local.virtual.template import Template, period_of
from local.virtual.virtual_time import VirtualTime
from presence.tables.users import UserTable

START = datetime(2026, 10, 29, tzinfo=UTC)
FUNCTIONS = {path.parent.name for path in (CHECKOUT / "functions").glob("*/handler.py")}


def test_every_function_is_there_with_variables_that_are_texts_of_the_stack() -> None:
    template = Template(CHECKOUT, {"HistoryDays": "1"})
    functions = {function.name: function for function in template.functions()}
    assert set(functions) == FUNCTIONS
    for function in functions.values():
        for name, value in function.variables.items():
            assert value, name
            assert "{" not in value, name
    assert functions["schedule_checks"].variables["CHECK_QUEUE_URL"] == "CheckQueue"
    assert functions["check_calendars"].variables["SECRET_PREFIX"] == "day/gateways/"


def test_a_parameter_changes_what_depends_on_it() -> None:
    usual, other = Template(CHECKOUT, {}), Template(CHECKOUT, {"CheckTimeoutSeconds": "5", "TransitionShards": "3"})
    visibility = [dict(each.resources("AWS::SQS::Queue"))["CheckQueue"]["VisibilityTimeout"] for each in (usual, other)]
    assert visibility == [360, 30]
    (apply,) = [each for each in other.functions() if each.name == "apply_transitions"]
    assert apply.variables["TRANSITION_SHARDS"] == "3"


def test_what_a_condition_leaves_out_is_not_there() -> None:
    assert {function.name for function in Template(CHECKOUT, {}).functions()} == FUNCTIONS - {"record_history"}


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="NoSuchParameter"):
        Template(CHECKOUT, {"NoSuchParameter": "1"})


@pytest.mark.parametrize(
    ("schedule", "period"),
    [
        ("rate(1 minute)", timedelta(minutes=1)),
        ("rate(5 minutes)", timedelta(minutes=5)),
        ("rate(2 hours)", timedelta(hours=2)),
    ],
)
def test_rates(schedule: str, period: timedelta) -> None:
    assert period_of(schedule) == period


def test_a_schedule_that_is_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="cron"):
        period_of("cron(0 9 * * ? *)")


def test_each_tick_queues_the_checks_of_its_minute() -> None:
    time = VirtualTime(START)
    cloud = VirtualCloud(time)
    users = UserTable(cloud.client("dynamodb"), cloud.template.output("UserTableName"))
    for number in range(10):
        users.add(f"user{number}@example.com")
    taken: list[str] = []
    cloud.queues["CheckQueue"].handle = lambda event: taken.extend(record["body"] for record in event["Records"])
    cloud.start_schedules()
    time.run_until(START + timedelta(minutes=4, seconds=59))
    asked = {check["address"] for body in taken for check in json.loads(body)["checks"]}
    assert asked == {f"user{number}@example.com" for number in range(10)}, "each has one turn in five minutes"
    assert cloud.failures == []


def test_what_a_function_raises_is_noted_and_does_not_end_the_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    time = VirtualTime(START)
    cloud = VirtualCloud(time)

    def broken(_event: object, _context: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(cloud.handler("schedule_checks"), "lambda_handler", broken)
    cloud.start_schedules()
    time.run_until(START + timedelta(minutes=1, seconds=30))
    assert [failure.partition(" ")[2][10:] for failure in cloud.failures] == [
        "schedule_checks raised RuntimeError: out of order"
    ] * 2


def test_a_handler_is_a_copy_of_its_own() -> None:
    first, second = VirtualCloud(VirtualTime(START)), VirtualCloud(VirtualTime(START))
    assert first.handler("schedule_checks") is not second.handler("schedule_checks")
    assert Path(str(first.handler("schedule_checks").__file__)) == CHECKOUT / "functions/schedule_checks/handler.py"
