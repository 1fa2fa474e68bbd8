from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from exchange.endpoints import mailbox_key
from presence.clock import system_clock
from presence.erasing import ERASED_RULE
from presence.events import Disclosure, presence_changed
from presence.freshness import Freshness
from presence.history import entry_of
from presence.knowledge import NOTHING_KNOWN
from presence.presences import UNKNOWN
from presence.records import PresenceRecord, User
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.endpoints import EndpointTable
from presence.tables.history import item_from_entry
from presence.tables.items import from_attributes, to_attributes
from presence.tables.presences import PresenceTable, record_from_item
from tests.support.aws import calls
from tests.support.command_line import Run, command
from tests.support.deployed import Deployed, audited, deployed
from tests.support.persons import TABLES, items, known, presences, users, with_record
from tests.support.schemas import complaints

ALICE, BOB = "alice@example.com", "bob@example.org"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(monkeypatch, HistoryDays="30") as made:
        yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command(capsys, "user")


def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutLogEvents")

    monkeypatch.setattr(boto3.client("logs"), "put_log_events", refuse)


def test_without_the_audit_nothing_is_exported_or_erased(
    run: Run, stack: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(stack, ALICE)
    before = items(stack)
    no_audit(monkeypatch)
    for action in (("export", ALICE), ("export", ALICE, "--output", str(tmp_path / "f")), ("erase", ALICE, "--yes")):
        code, out, err = run(*action)
        assert (code, out) == (1, "")
        assert "nothing was shown or done" in err
    assert not (tmp_path / "f").exists()
    assert items(stack) == before


def test_who_exports_and_erases_leaves_lines_in_the_audit(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    run("export", ALICE)
    run("erase", ALICE, "--yes")
    assert [(line["action"], line["user"]) for line in audited(stack)] == [
        ("export", record.user_id),
        ("erase", record.user_id),
    ]
    assert ALICE not in str(audited(stack))


@pytest.mark.parametrize("action", [["export"], ["erase", "--yes"]])
def test_of_somebody_of_whom_nothing_is_stored_nothing_is_done(run: Run, stack: Deployed, action: list[str]) -> None:
    known(stack, BOB)
    before = items(stack)
    code, out, err = run(*action, ALICE)
    assert (code, out) == (2, "")
    assert f"nothing is stored of {ALICE}" in err
    assert items(stack) == before


def test_erased_is_erased_and_nobody_else(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    known(stack, BOB)
    code, out, _ = run("erase", ALICE, "--yes")
    assert code == 0
    assert f"{ALICE} was erased: {record.user_id}" in out
    for line in ("users: 2 items", "presences: 1 items, published as unknown before: 1", "history: 3", "endpoints: 2"):
        assert line in out
    left = items(stack)
    assert ALICE not in str(left)
    assert record.user_id not in str(left)
    assert {name: len(found) for name, found in left.items()} == {
        "UserTable": 2,
        "PresenceTable": 1,
        "HistoryTable": 3,
        "EndpointTable": 2,
    }
    assert run("erase", ALICE, "--yes")[0] == 2


def test_an_erased_address_can_be_added_again_under_a_new_id(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    run("erase", ALICE, "--yes")
    assert users(stack).add(ALICE).user_id != record.user_id


def put_records(made: list[Any]) -> list[PresenceRecord]:
    return [record_from_item(from_attributes(call["Item"])) for call in made if "timeline" in call["Item"]]


def test_the_last_that_is_published_is_unknown(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    with calls(stack.client("dynamodb"), "dynamodb.PutItem") as made:
        run("erase", ALICE, "--yes")
    (last,) = put_records(made)
    assert (last.presence, last.version, last.previous) == (UNKNOWN, record.version + 1, record.presence)
    assert (last.reason.rule, last.freshness, last.next_at, last.timeline) == (ERASED_RULE, Freshness.UNKNOWN, None, ())
    assert "switchboard" in str(record.knowledge)
    assert last.knowledge == NOTHING_KNOWN
    event = presence_changed(last, "urn:calendar-presence:test", Disclosure(until=True, next=True))
    assert complaints("events/presence-changed.v1.schema.json", event) == []
    assert "mail.example.com" not in str(event)


def test_who_is_unknown_already_is_not_published_again(run: Run, stack: Deployed) -> None:
    user = users(stack).add(ALICE)
    record = presences(stack).write(replace(with_record(stack, user), presence=UNKNOWN, revision=1))
    assert record is not None
    with calls(stack.client("dynamodb"), "dynamodb.PutItem") as made:
        assert "published as unknown before: 0" in run("erase", ALICE, "--yes")[1]
    assert made == []
    assert items(stack)["PresenceTable"] == []


def test_a_record_that_can_t_be_read_is_removed_all_the_same(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["PresenceTableName"],
        Key={"userId": {"S": record.user_id}},
        UpdateExpression="SET availability = :none",
        ExpressionAttributeValues={":none": {"S": "Invisible"}},
    )
    assert run("export", ALICE)[0] == 0
    assert "presences: 1 items, published as unknown before: 0" in run("erase", ALICE, "--yes")[1]
    assert all(not found for found in items(stack).values())


def test_what_is_left_of_users_who_were_removed_before_is_found_by_the_address_on_their_records(
    run: Run, stack: Deployed
) -> None:
    gone = known(stack, ALICE)
    users(stack).remove(User(gone.user_id, ALICE))
    back = known(stack, ALICE)
    document = json.loads(run("export", ALICE)[1])
    assert {item["userId"] for item in document["presences"]} == {gone.user_id, back.user_id}
    assert len(document["history"]) == 6
    assert run("erase", ALICE, "--yes")[0] == 0
    assert all(not found for found in items(stack).values())


def test_a_check_in_flight_neither_stops_the_erasure_nor_is_it_the_last_to_be_heard(
    run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes the record each time between farewell and removal, twice; then the erasure goes through."""
    known(stack, ALICE)
    client = stack.client("dynamodb")
    remove, disturbed = client.delete_item, itertools.count()

    def disturb(**call: Any) -> Any:
        if call["TableName"] == stack.physical["PresenceTable"] and next(disturbed) < 2:
            (item,) = items(stack)["PresenceTable"]
            record = record_from_item(item)
            presences(stack).write(replace(record, presence=record.previous, version=record.version + 1))
        return remove(**call)

    monkeypatch.setattr(client, "delete_item", disturb)
    with calls(client, "dynamodb.PutItem") as made:
        assert run("erase", ALICE, "--yes")[0] == 0
    assert next(disturbed) == 3
    published = put_records(made)
    assert [record.version for record in published] == [4, 5, 6, 7, 8]
    assert published[-1].presence == UNKNOWN
    assert all(not found for found in items(stack).values())


def test_a_record_that_never_comes_to_rest_ends_in_words_and_can_be_tried_again(
    run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(stack, ALICE)
    with monkeypatch.context() as patch:
        patch.setattr(PresenceTable, "write", lambda *_: None)
        code, _, err = run("erase", ALICE, "--yes")
        assert code == 1
        assert "run it again" in err
    assert run("erase", ALICE, "--yes")[0] == 0
    assert all(not found for found in items(stack).values())


WRITES = ("put_item", "delete_item", "batch_write_item")


class Crash(Exception):  # noqa: N818  the field's own word for it
    """The command is killed."""


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_after_a_crash_at_any_write_the_command_run_again_finishes(
    run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    """Each version that is published on the way is recorded in the history, as the stream would bring it."""
    client = stack.client("dynamodb")
    crashes = 0
    for place in itertools.count():
        known(stack, ALICE)
        known(stack, BOB)
        writes = itertools.count()
        with monkeypatch.context() as patch:
            patch.setattr(client, "put_item", recording(stack, client.put_item))
            for name in WRITES:
                patch.setattr(client, name, crashing(getattr(client, name), writes, place, after=after))
            try:
                run("erase", ALICE, "--yes")
            except Crash:
                crashes += 1
                crashed = True
            else:
                crashed = False
        if crashed and not (after and ALICE not in str(items(stack))):
            assert run("erase", ALICE, "--yes")[0] == 0
        left = items(stack)
        assert ALICE not in str(left), place
        assert {name: len(found) for name, found in left.items()} == dict(zip(TABLES, (2, 1, 3, 2), strict=True))
        run("erase", BOB, "--yes")
        if not crashed:
            break
    assert crashes >= 6  # user, history, farewell, record, endpoint, address


def recording(stack: Deployed, call: Callable[..., Any]) -> Callable[..., Any]:
    def instead(**arguments: Any) -> Any:
        answer = call(**arguments)
        if arguments["TableName"] == stack.physical["PresenceTable"]:
            entry = entry_of(record_from_item(from_attributes(arguments["Item"])))
            item = to_attributes(item_from_entry(entry, timedelta(days=30)))
            call(TableName=stack.physical["HistoryTable"], Item=item)
        return answer

    return instead


def crashing(call: Callable[..., Any], writes: Iterator[int], place: int, *, after: bool) -> Callable[..., Any]:
    def instead(**arguments: Any) -> Any:
        here = next(writes) == place
        if here and not after:
            raise Crash
        answer = call(**arguments)
        if here:
            raise Crash
        return answer

    return instead


def test_an_address_that_is_somebody_elses_by_now_stays_theirs(
    run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two erase the same person at once, and the address is given away before the slower one comes to it."""
    known(stack, ALICE)
    client = stack.client("dynamodb")
    remove = client.delete_item

    def slow(**call: Any) -> Any:
        key = call["Key"].get("userId", {}).get("S", "")
        if key == f"address#{ALICE}":
            client.put_item(
                TableName=call["TableName"], Item={**call["Key"], "owner": {"S": "f" * 32}}
            )  # as `users add` would
        return remove(**call)

    monkeypatch.setattr(client, "delete_item", slow)
    assert "users: 1 items" in run("erase", ALICE, "--yes")[1]
    (claim,) = items(stack)["UserTable"]
    assert claim["owner"] == "f" * 32


@pytest.mark.parametrize(
    ("typed", "erased"), [("Alice@example.com ", True), ("yes", False), ("", False), ("bob@example.org", False)]
)
def test_the_address_has_to_be_typed_to_erase(
    run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch, typed: str, *, erased: bool
) -> None:
    known(stack, ALICE)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return typed

    monkeypatch.setattr("builtins.input", answer)
    code, out, _ = run("erase", ALICE)
    assert f"Erase all that is stored of {ALICE}?" in asked[0]
    assert (ALICE not in str(items(stack))) is erased
    assert code == (0 if erased else 1)
    assert ("nothing was removed" in out) is not erased


def test_with_nobody_there_to_ask_nothing_is_erased(run: Run, stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    known(stack, ALICE)
    before = items(stack)

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    code, _, err = run("erase", ALICE)
    assert code == 2
    assert "say --yes" in err
    assert items(stack) == before
    assert audited(stack) == []


def test_where_the_gateways_document_names_somebody_is_said(run: Run, stack: Deployed) -> None:
    known(stack, ALICE)
    assignments = [{"profile": "lync", "users": ["bob@example.org", "Alice@example.com"]}]
    table = ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"])
    table.put_document(GATEWAYS, {"schema_version": 1, "gateways": [], "profile_assignments": assignments})
    place = "profile_assignments[0].users[1]"
    assert json.loads(run("export", ALICE)[1])["gatewaysDocument"] == [place]
    assert f"names the address at {place}: take it out" in run("erase", ALICE, "--yes")[1]


def test_only_a_mailbox_that_is_remembered_is_found_and_forgotten(run: Run, stack: Deployed) -> None:
    endpoints = EndpointTable(stack.client("dynamodb"), stack.outputs["EndpointTableName"], system_clock)
    endpoints.put(mailbox_key(ALICE), {"url": "https://mail.example.com/"}, 3600)
    assert run("erase", ALICE, "--yes")[0] == 0
    assert items(stack)["EndpointTable"] == []
    assert [line["user"] for line in audited(stack)] == ["none"]
