from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from presence.errors import MalformedMessage
from presence.tables.history import HistoryTable
from presence.tables.items import to_attributes
from presence.tables.presences import item_from_record
from tests.support.functions import Stack
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def written(number: int, version: int = 1, **spoilt: Any) -> dict[str, Any]:
    record = replace(available_record(f"{number:032x}", TEN), revision=version, version=version)
    image = {**to_attributes(item_from_record(record, 16)), **spoilt}
    return stream_record("INSERT", number, NewImage=image)


def removed(number: int) -> dict[str, Any]:
    return stream_record("REMOVE", number)


def stream_record(event: str, number: int, **images: Any) -> dict[str, Any]:
    keys = {"userId": {"S": f"{number:032x}"}}
    return {"eventName": event, "dynamodb": {"Keys": keys, "SequenceNumber": f"{100 + number}", **images}}


def versions(stack: Stack, number: int) -> list[int]:
    table = HistoryTable(stack.aws.dynamodb, stack.variables["HISTORY_TABLE"])
    return [entry.version for entry in table.of_user(f"{number:032x}", TEN).entries]


def test_each_new_version_is_kept_for_the_days_that_are_set(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [written(1, 1), written(2, 1), written(1, 2)]}
    assert stack.handler("record_history").lambda_handler(event, None) == {"batchItemFailures": []}
    assert (versions(stack, 1), versions(stack, 2)) == ([1, 2], [1])
    item = stack.aws.dynamodb.scan(TableName=stack.variables["HISTORY_TABLE"])["Items"][0]
    assert int(item["expiresAt"]["N"]) == TEN.timestamp() + 30 * 86_400
    assert '"HistoryRecorded":[3.0]' in capsys.readouterr().out


def test_a_removed_user_is_forgotten_with_all_that_came_before_in_the_stream(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"Records": [written(1, 1), written(1, 2), written(2), removed(1)]}
    assert stack.handler("record_history").lambda_handler(event, None) == {"batchItemFailures": []}
    assert (versions(stack, 1), versions(stack, 2)) == ([], [1])
    assert '"HistoryForgotten":[2.0]' in capsys.readouterr().out


def test_a_batch_that_comes_again_changes_nothing(stack: Stack) -> None:
    event = {"Records": [written(1, 1), removed(2), written(1, 2)]}
    for _ in range(2):
        assert stack.handler("record_history").lambda_handler(event, None) == {"batchItemFailures": []}
    assert versions(stack, 1) == [1, 2]


def test_a_malformed_record_is_set_aside_and_holds_nobody_up(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [written(1), written(2, availability={"S": "Invisible"}), written(3)]}
    assert stack.handler("record_history").lambda_handler(event, None) == {"batchItemFailures": []}
    assert [versions(stack, number) for number in (1, 2, 3)] == [[1], [], [1]]
    (letter,) = stack.taken_from("HISTORY_FAILURE_QUEUE_URL")
    assert "Invisible" in letter["reason"]
    assert letter["keys"] == {"userId": {"S": f"{2:032x}"}}
    assert '"message":"set aside in the dead-letter queue"' in capsys.readouterr().out


def test_what_the_table_does_not_take_comes_back_by_its_sequence_number(stack: Stack) -> None:
    handler = stack.handler("record_history")
    stack.aws.dynamodb.delete_table(TableName=stack.variables["HISTORY_TABLE"])
    event = {"Records": [written(1), removed(2)]}
    answer = handler.lambda_handler(event, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}, {"itemIdentifier": "102"}]}


@pytest.mark.parametrize("event", [None, {}, {"Records": []}, {"Records": [{"eventName": "INSERT"}]}])
def test_what_is_no_event_of_a_stream_is_an_error_that_says_so(stack: Stack, event: Any) -> None:
    with pytest.raises(MalformedMessage, match=r"^event"):
        stack.handler("record_history").lambda_handler(event, None)
