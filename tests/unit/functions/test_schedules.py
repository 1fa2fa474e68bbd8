from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from presence.errors import ConfigurationError, MalformedMessage
from presence.tables.users import BUCKETS, bucket_of
from tests.support.functions import Stack
from tests.support.records import available_record

TICK = {"type": "ScheduleTick", "time": "2026-11-23T10:00:00Z"}
SCHEDULES = ["schedule_checks", "schedule_transitions"]


def add_users(stack: Stack, minute: int, addresses: list[str]) -> set[str]:
    """Add users whose turn it is so many minutes after ten; return their ids."""
    bucket = (int(stack.clock.now.timestamp()) // 60 + minute) % BUCKETS
    ids = (f"{number:032x}" for number in count() if bucket_of(f"{number:032x}") == bucket)
    return {stack.users.add(address, user_id=user_id).user_id for address, user_id in zip(addresses, ids, strict=False)}


def test_a_tick_queues_the_checks_of_all_users_whose_turn_it_is(stack: Stack) -> None:
    domains = ["example.com"] * 9 + ["example.org"] * 3
    users = add_users(stack, 0, [f"user{number}@{domain}" for number, domain in enumerate(domains)])
    add_users(stack, 1, ["later@example.com"])
    assert stack.handler("schedule_checks").lambda_handler(TICK, None) == {"users": 12, "requests": 2}
    messages = stack.taken_from("CHECK_QUEUE_URL")
    checked = [check["userId"] for message in messages for check in message["checks"]]
    assert sorted(checked) == sorted(users)
    assert {message["requestedAt"] for message in messages} == {"2026-11-23T10:00:00Z"}
    assert {message["domain"] for message in messages} == {"example.com", "example.org"}


def test_a_tick_says_what_it_did(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    add_users(stack, 0, ["alice@example.com"])
    stack.handler("schedule_checks").lambda_handler(TICK, None)
    out = capsys.readouterr().out
    assert '"message":"checks queued"' in out
    assert '"ChecksQueued":[1.0]' in out
    assert "alice" not in out


def test_a_missed_minute_is_caught_up_across_invocations(stack: Stack) -> None:
    users = [add_users(stack, minute, [f"user{minute}@example.com"]) for minute in range(3)]
    handler = stack.handler("schedule_checks")
    handler.lambda_handler(TICK, None)
    assert [message["checks"][0]["userId"] for message in stack.taken_from("CHECK_QUEUE_URL")] == [*users[0]]
    handler.lambda_handler({"time": "2026-11-23T10:02:00Z"}, None)
    (message,) = stack.taken_from("CHECK_QUEUE_URL")
    assert {check["userId"] for check in message["checks"]} == users[1] | users[2]


def falls_due(stack: Stack, number: int, seconds: float) -> None:
    due = stack.clock.now + timedelta(seconds=seconds)
    assert stack.presences.write(available_record(f"{number:032x}", stack.clock.now, due)) is not None


def test_a_tick_queues_the_transitions_that_come_and_those_that_were_lost(stack: Stack) -> None:
    falls_due(stack, 1, 2)
    falls_due(stack, 2, -60)
    falls_due(stack, 3, 3600)
    assert stack.handler("schedule_transitions").lambda_handler(TICK, None) == {"coming": 1, "overdue": 1}
    messages = stack.taken_from("TRANSITION_QUEUE_URL")
    assert [(message["due"], message["userIds"]) for message in messages] == [
        ("2026-11-23T09:59:00Z", [f"{2:032x}"]),
        ("2026-11-23T10:00:02Z", [f"{1:032x}"]),
    ]


def test_two_ticks_queue_a_transition_once(stack: Stack) -> None:
    falls_due(stack, 1, 2)
    handler = stack.handler("schedule_transitions")
    handler.lambda_handler(TICK, None)
    assert handler.lambda_handler(TICK, None) == {"coming": 0, "overdue": 0}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("event", [None, {}, {"time": "<aws.scheduler.scheduled-time>"}, {"time": "2026-11-23T10:00"}])
def test_an_event_that_is_no_tick_is_an_error_that_says_so(stack: Stack, name: str, event: Any) -> None:
    with pytest.raises(MalformedMessage, match=r"^(event|time): "):
        stack.handler(name).lambda_handler(event, None)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_without_its_variables_names_the_first(
    stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = stack.handler(name)
    monkeypatch.delenv("CONFIG_TABLE")
    with pytest.raises(ConfigurationError, match="CONFIG_TABLE"):
        handler.lambda_handler(TICK, None)
