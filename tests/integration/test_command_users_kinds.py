"""Importing what a directory lists beside people: rooms, shared mailboxes, lists and things that are no mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from presence.tables.configuration import GATEWAYS, ConfigTable
from tests.support.command_line import Run, command
from tests.support.deployed import Deployed

LISTED = """address,msExchRecipientTypeDetails
alice@example.com,1
carol@example.com,
info@example.com,4
room@example.com,16
beamer@example.com,32
everybody@example.com,256
folder@example.com,4096
cloud-room@example.com,8589934592
"""


@pytest.fixture
def run(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    assert stack.outputs
    return command(capsys, "users")


def put(stack: Deployed, *gateways: dict[str, object]) -> None:
    usual = {"kind": "ews", "hosts": ["192.0.2.10"], "credentials": "reader"}
    content = {"schema_version": 1, "gateways": [{**usual, **gateway} for gateway in gateways]}
    ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"]).put_document(GATEWAYS, content)


def listed(folder: Path, text: str = LISTED) -> str:
    path = folder / "users.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def stored(stack: Deployed) -> set[str]:
    items = stack.client("dynamodb").scan(TableName=stack.outputs["UserTableName"])["Items"]
    return {item["address"]["S"].partition("@")[0] for item in items if "address" in item}


def test_rooms_and_shared_mailboxes_are_taken_and_lists_are_not_unless_somebody_says_so(
    run: Run, stack: Deployed, tmp_path: Path
) -> None:
    code, out, _ = run("import", listed(tmp_path))

    assert code == 0
    assert stored(stack) == {"alice", "carol", "info", "room", "beamer", "cloud-room"}
    lines = out.splitlines()
    assert sum("left out" in line for line in lines) == 3, "two lines, and their number at the end"
    assert "folder@example.com left out: it is no mailbox" in lines
    (refused,) = [line for line in lines if line.startswith("everybody@example.com")]
    assert "it is a distribution list, which every gateway" in refused
    assert '(distribution_lists = "refuse")' in refused
    assert lines[-1] == "6 added, 0 were there already, 2 left out"


def test_each_gateway_takes_what_its_document_says(run: Run, stack: Deployed, tmp_path: Path) -> None:
    put(
        stack,
        {"name": "main", "domains": ["example.com"], "rooms": "refuse", "shared_mailboxes": "refuse"},
        {"name": "lists", "users": ["everybody@example.com"], "distribution_lists": "take"},
    )
    code, out, _ = run("import", listed(tmp_path))

    assert code == 0
    assert stored(stack) == {"alice", "carol", "everybody"}
    assert (
        "room@example.com left out: it is a room or equipment, which gateway 'main' refuses (rooms = \"refuse\")" in out
    )
    assert "info@example.com left out: it is a shared mailbox, which gateway 'main' refuses" in out


def test_an_address_that_no_gateway_serves_is_taken_and_its_first_check_says_so(
    run: Run, stack: Deployed, tmp_path: Path
) -> None:
    put(stack, {"name": "main", "domains": ["example.org"], "rooms": "refuse"})
    assert run("import", listed(tmp_path))[0] == 0
    assert "room" in stored(stack)


def test_a_number_that_stands_for_nothing_is_a_mistake_and_nobody_is_imported(
    run: Run, stack: Deployed, tmp_path: Path
) -> None:
    for number in ("3", "person", "-1", "0", "1.0"):
        code, _, err = run(
            "import", listed(tmp_path, f"address,msExchRecipientTypeDetails\nalice@example.com,{number}\n")
        )
        assert code == 2
        assert f"line 2: '{number}' is no value of msExchRecipientTypeDetails" in err
    assert stored(stack) == set()
