from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from presence.history import entry_of
from presence.tables.history import HistoryTable
from presence.tables.presences import record_from_item
from tests.support.command_line import Run, command
from tests.support.deployed import STACK, Deployed, audited, deployed
from tests.support.persons import items, known
from tests.support.schemas import complaints

ALICE, BOB = "alice@example.com", "bob@example.org"


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with deployed(monkeypatch, HistoryDays="30") as made:
        yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return command(capsys, "user")


def test_all_that_is_stored_of_a_person_is_exported_and_nothing_of_anybody_else(run: Run, stack: Deployed) -> None:
    alice, bob = known(stack, ALICE), known(stack, BOB)
    code, out, _ = run("export", "Alice@Example.com")
    document = json.loads(out)
    assert code == 0
    assert (document["address"], document["stack"]) == (ALICE, STACK)
    assert {item["userId"] for item in document["users"]} == {alice.user_id, f"address#{ALICE}"}
    (stored,) = document["presences"]
    assert record_from_item(stored) == alice
    assert [item["version"] for item in document["history"]] == [1, 2, 3]
    assert [item["value"] for item in document["endpoints"]] == [
        {"url": "https://mail.example.com/EWS/Exchange.asmx"},
        {"home": "cas1.example.com:443"},
    ]
    assert BOB not in out
    assert bob.user_id not in out
    assert complaints("schemas/personal-data.json", document) == []


def test_an_export_and_the_tables_are_the_same_item_by_item(run: Run, stack: Deployed) -> None:
    known(stack, ALICE)
    document = json.loads(run("export", ALICE)[1])
    names = {
        "UserTable": "users",
        "PresenceTable": "presences",
        "HistoryTable": "history",
        "EndpointTable": "endpoints",
    }
    for table, found in items(stack).items():
        exported = sorted(json.dumps(item, sort_keys=True) for item in document[names[table]])
        assert exported == sorted(json.dumps(item, sort_keys=True) for item in found)
        assert exported


def test_an_expired_item_is_not_exported(run: Run, stack: Deployed) -> None:
    record = known(stack, ALICE)
    history = HistoryTable(stack.client("dynamodb"), stack.outputs["HistoryTableName"])
    history.put(entry_of(replace(record, version=9)), timedelta(days=-1))
    assert [item["version"] for item in json.loads(run("export", ALICE)[1])["history"]] == [1, 2, 3]


def test_a_file_with_an_export_is_for_its_owner_only(run: Run, stack: Deployed, tmp_path: Path) -> None:
    known(stack, ALICE)
    path = tmp_path / "alice.json"
    before = os.umask(0)
    try:
        code, out, _ = run("export", ALICE, "--output", str(path))
    finally:
        os.umask(before)
    assert code == 0
    assert "userId" not in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text(encoding="utf-8"))["address"] == ALICE


@pytest.mark.parametrize(
    ("name", "complaint"), [("there.json", "is there already"), ("no/such.json", "can't be written")]
)
def test_a_file_that_can_t_be_made_anew_is_refused(
    run: Run, stack: Deployed, tmp_path: Path, name: str, complaint: str
) -> None:
    known(stack, ALICE)
    (tmp_path / "there.json").write_text("mine", encoding="utf-8")
    code, out, err = run("export", ALICE, "--output", str(tmp_path / name))
    assert (code, out) == (2, "")
    assert complaint in err
    assert (tmp_path / "there.json").read_text(encoding="utf-8") == "mine"
    assert audited(stack) == []
