from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli import audit
from cli.main import main
from cli.stacks import AwsError, Stack, find_stack
from presence.errors import ConfigurationError
from presence.instants import format_instant
from tests.support.aws import calls
from tests.support.deployed import STACK, Deployed, audited

ALICE = "a" * 32


@pytest.fixture
def found(stack: Deployed) -> Stack:
    assert stack.outputs
    return find_stack(STACK)


def refuse(monkeypatch: pytest.MonkeyPatch, service: str, call: str, answer: Any) -> None:
    """Let a call of a service raise or answer something."""
    client = boto3.client(service)  # type: ignore[call-overload]

    def instead(**_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(client, call, instead)


def test_a_line_says_who_did_what_to_whom_and_when(
    found: Stack, stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC).replace(microsecond=5_000)  # the group takes no line of another fortnight
    monkeypatch.setattr("cli.audit.system_clock", lambda: now)
    with calls(boto3.client("logs"), "cloudwatch-logs.PutLogEvents") as made:
        audit.record(found, "history", ALICE, start="2026-11-20T00:00:00Z")
    assert {(call["logGroupName"], call["logStreamName"]) for call in made} == {
        (stack.physical["AuditLogGroup"], f"{now:%Y-%m-%d}")
    }
    ((event,),) = [call["logEvents"] for call in made[-1:]]
    assert event["timestamp"] == int(now.timestamp() * 1000)
    assert json.loads(event["message"]) == {
        "time": format_instant(now),
        "caller": boto3.client("sts").get_caller_identity()["Arn"],
        "action": "history",
        "user": ALICE,
        "stack": STACK,
        "details": {"start": "2026-11-20T00:00:00Z"},
    }


def test_lines_of_one_day_stand_in_one_stream(found: Stack, stack: Deployed) -> None:
    audit.record(found, "history", ALICE)
    audit.record(found, "erase", ALICE)
    assert [line["action"] for line in audited(stack)] == ["history", "erase"]
    streams = stack.client("logs").describe_log_streams(logGroupName=stack.physical["AuditLogGroup"])["logStreams"]
    assert len(streams) == 1


def test_two_who_come_first_at_once_both_write(found: Stack, stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = boto3.client("logs")
    create = logs.create_log_stream

    def somebody_else_came_first(**call: str) -> Any:
        create(**call)
        return create(**call)

    monkeypatch.setattr(logs, "create_log_stream", somebody_else_came_first)
    audit.record(found, "history", ALICE)
    assert [line["user"] for line in audited(stack)] == [ALICE]


DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutLogEvents")


@pytest.mark.parametrize(
    ("service", "call", "answer", "said"),
    [
        ("logs", "put_log_events", DENIED, r"\(PutLogEvents: AccessDeniedException\); you need the rights sts:"),
        ("sts", "get_caller_identity", DENIED, "you need the rights sts:GetCallerIdentity"),
        ("sts", "get_caller_identity", EndpointConnectionError(endpoint_url="https://sts.test"), "sts.test"),
        ("logs", "put_log_events", {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}, "clock right"),
    ],
)
def test_a_line_that_can_t_be_written_is_an_error_that_says_why(
    found: Stack, monkeypatch: pytest.MonkeyPatch, service: str, call: str, answer: Any, said: str
) -> None:
    refuse(monkeypatch, service, call, answer)
    with pytest.raises(AwsError, match=said) as raised:
        audit.record(found, "history", ALICE)
    assert str(raised.value).startswith("nothing was shown or done")


@pytest.mark.parametrize("problems", [[], ["--problems"]])
def test_who_lists_the_users_sees_everybodys_presence_and_leaves_a_line(
    stack: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, problems: list[str]
) -> None:
    assert main(["users", "list", *problems, "--stack", STACK]) == 0
    assert [(line["action"], line["user"]) for line in audited(stack)] == [("list", audit.EVERYBODY)]
    capsys.readouterr()
    refuse(monkeypatch, "logs", "put_log_events", DENIED)
    assert main(["users", "list", *problems, "--stack", STACK]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing was shown or done" in told.err


def test_a_stack_from_before_the_audit_is_to_be_deployed_again(found: Stack) -> None:
    old = Stack(found.name, {name: value for name, value in found.outputs.items() if name != "AuditLogGroupName"})
    with pytest.raises(ConfigurationError, match="deploy it again"):
        audit.record(old, "history", ALICE)
