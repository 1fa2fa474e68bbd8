"""set_presence as it is wired: one door, an answer for whoever asks, and no address in its log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from presence.errors import MalformedMessage
from presence.knowledge import CalendarUse
from presence.log_names import name_of_user
from presence.presences import Activity, Availability, Presence
from presence.records import PresenceRecord, User
from presence.tables.configuration import GATEWAYS, ConfigTable
from tests.support.functions import LOG_KEY, Stack

ALICE = "alice@example.com"
AWAY = Presence(Availability.AWAY, Activity.AWAY)


def command(type_: str, **more: object) -> dict[str, Any]:
    return {"schemaVersion": 1, "type": type_, "address": ALICE, "requestedBy": "desk", **more}


def record_of(stack: Stack, user: User) -> PresenceRecord:
    return stack.presences.get_many([user.user_id]).found[user.user_id]


def test_what_is_set_is_written_answered_and_logged_with_who_asked(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = stack.users.add(ALICE)
    answer = stack.handler("set_presence").lambda_handler(command("SetPresence", presence="Away", forMinutes=1), None)
    assert record_of(stack, alice).presence == AWAY
    assert answer == {
        "userId": alice.user_id,
        "presence": "Away / Away",
        "until": "2026-11-23T10:01:00Z",
        "reason": {"source": "by-hand", "rule": "set-by-hand"},
        "version": 1,
        "why": "first heard of: Away / Away",
    }
    out = capsys.readouterr().out
    (line,) = [json.loads(text) for text in out.splitlines() if "command carried out" in text]
    assert (line["command"], line["requested_by"]) == ("SetPresence", "desk")
    assert line["user"] == name_of_user(LOG_KEY, alice.user_id)
    assert '"CommandsCarriedOut":[1.0]' in out
    assert ALICE not in out
    assert alice.user_id not in out
    delayed = stack.aws.sqs.get_queue_attributes(
        QueueUrl=stack.variables["TRANSITION_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert delayed == {"ApproximateNumberOfMessagesDelayed": "1"}, "its end is less than 150 seconds away"


@pytest.mark.parametrize(
    "asked_by", [ALICE, ALICE.upper(), f"arn:aws:sts::1:assumed-role/Desk/{ALICE}"], ids=["small", "CAPITALS", "role"]
)
def test_who_asks_for_themselves_is_not_named_beside_their_name(
    stack: Stack, capsys: pytest.CaptureFixture[str], asked_by: str
) -> None:
    alice = stack.users.add(ALICE)
    handler = stack.handler("set_presence")
    handler.lambda_handler(command("SetPresence", presence="Away", requestedBy=asked_by), None)
    handler.lambda_handler(command("ClearPresence", requestedBy="carol@example.com"), None)
    out = capsys.readouterr().out
    first, second = (json.loads(text) for text in out.splitlines() if "command carried out" in text)
    assert "address-" in first["requested_by"]
    assert second["requested_by"] == "carol@example.com", "who acts for somebody else is named"
    assert ALICE not in out.lower()
    assert first["user"] == second["user"] == name_of_user(LOG_KEY, alice.user_id)
    assert first["correlation_id"] != second["correlation_id"]


@pytest.mark.parametrize("asked_by", [f"mal{ALICE}", f"o'{ALICE}", f"{ALICE}.au"])
def test_who_acts_for_somebody_is_named_also_where_one_address_is_a_part_of_the_other(
    stack: Stack, capsys: pytest.CaptureFixture[str], asked_by: str
) -> None:
    stack.users.add(ALICE)
    stack.handler("set_presence").lambda_handler(command("ClearPresence", requestedBy=asked_by), None)
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "command carried out" in text]
    assert line["requested_by"] == asked_by


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (command("SetPresence", presence="Away", address="bob@example.org"), "address: nobody has it"),
        (command("SetPresence", presence="Away", address="alice@localhost"), "address: no SMTP address"),
        (command("SetPresence", presence="Away", until="2026-11-23T10:00:00Z"), "until: lies in the past"),
        (command("ForgetPresence"), "type: 'ForgetPresence' is none of"),
        ([ALICE], "event: an object was expected"),
    ],
)
def test_a_refusal_is_an_answer_writes_nothing_and_logs_no_address(
    stack: Stack, capsys: pytest.CaptureFixture[str], event: Any, refusal: str
) -> None:
    stack.users.add(ALICE)
    answer = stack.handler("set_presence").lambda_handler(event, None)
    assert answer["refused"].startswith(refusal)
    assert stack.aws.dynamodb.scan(TableName=stack.variables["PRESENCE_TABLE"])["Items"] == []
    out = capsys.readouterr().out
    assert '"message":"command refused"' in out
    assert '"CommandsRefused":[1.0]' in out
    assert "@" not in out


def test_an_eleventh_system_is_refused_without_an_address_in_the_log(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = stack.users.add(ALICE)
    handler = stack.handler("set_presence")
    for number in range(10):
        assert "refused" not in handler.lambda_handler(
            command("SetPresence", presence="Away", source=f"system-{number}"), None
        )
    eleventh = command("SetPresence", presence="Busy", source="system-10")
    assert handler.lambda_handler(eleventh, None) == {
        "refused": "source: 10 systems claim this user's presence already"
    }
    assert len(record_of(stack, alice).knowledge.standing) == 10
    assert "@" not in capsys.readouterr().out
    assert handler.lambda_handler(command("SetPresence", presence="Busy"), None)["presence"] == "Busy / Busy"


def test_a_malformed_record_is_no_refusal_but_an_error_that_an_alarm_sees(stack: Stack) -> None:
    alice = stack.users.add(ALICE)
    handler = stack.handler("set_presence")
    handler.lambda_handler(command("SetPresence", presence="Away"), None)
    stack.aws.dynamodb.update_item(
        TableName=stack.variables["PRESENCE_TABLE"],
        Key={"userId": {"S": alice.user_id}},
        UpdateExpression="SET availability = :none",
        ExpressionAttributeValues={":none": {"S": "Invisible"}},
    )
    with pytest.raises(MalformedMessage, match=name_of_user(LOG_KEY, alice.user_id)) as raised:
        handler.lambda_handler(command("ClearPresence"), None)
    assert alice.user_id not in str(raised.value), "the runtime logs it"


def test_a_calendar_that_is_switched_off_is_left_to_the_schedule_and_on_again_read_at_once(stack: Stack) -> None:
    alice = stack.users.add(ALICE)
    handler = stack.handler("set_presence")
    assert handler.lambda_handler(command("UseCalendar", on=False), None)["reason"]["rule"] == "calendar-off"
    (scheduled,) = stack.users.every()
    assert (scheduled.enabled, record_of(stack, alice).knowledge.use) == (False, CalendarUse(on=False))
    assert stack.taken_from("CHECK_QUEUE_URL") == []

    handler.lambda_handler(command("UseCalendar", on=True), None)
    (scheduled,) = stack.users.every()
    assert (scheduled.enabled, scheduled.paused_until) == (True, None)
    (check,) = stack.taken_from("CHECK_QUEUE_URL")
    assert (check["reason"], check["checks"]) == ("operator", [{"userId": alice.user_id, "address": ALICE}])


def test_the_profile_that_the_document_assigns_says_how_long_what_is_set_by_hand_lasts(stack: Stack) -> None:
    stack.users.add(ALICE)
    document = {
        "schema_version": 1,
        "gateways": [],
        "profiles": [{"name": "short", "longest_by_hand_minutes": 30}],
        "profile_assignments": [{"profile": "short", "domains": ["example.com"]}],
    }
    ConfigTable(stack.aws.dynamodb, stack.variables["CONFIG_TABLE"]).put_document(GATEWAYS, document)
    answer = stack.handler("set_presence").lambda_handler(command("SetPresence", presence="Away"), None)
    assert answer["until"] == "2026-11-23T10:30:00Z"
