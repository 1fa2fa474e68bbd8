"""Profiles and groups of users: given when they are added or imported, and changed by importing again."""

from __future__ import annotations

from pathlib import Path

import pytest

from presence.records import User
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.users import UserTable
from tests.support.command_line import Run, command
from tests.support.deployed import Deployed


@pytest.fixture
def run(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    assert stack.outputs
    return command(capsys, "users")


def user(stack: Deployed, address: str) -> User:
    found = UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).find(address)
    assert found is not None
    return found


def written(folder: Path, text: str) -> str:
    path = folder / "users.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_user_is_added_with_a_profile_and_groups(run: Run, stack: Deployed) -> None:
    assert run("add", "alice@example.com", "--profile", "lync", "--group", "sales", "--group", "berlin")[0] == 0
    alice = user(stack, "alice@example.com")
    assert (alice.profile, alice.groups) == ("lync", ("sales", "berlin"))


def test_profiles_and_groups_are_imported(run: Run, stack: Deployed, tmp_path: Path) -> None:
    path = written(tmp_path, "address,groups,profile\nalice@example.com, sales ; berlin ,\nbob@example.com,,cisco-9\n")
    assert run("import", path)[0] == 0
    alice, bob = user(stack, "alice@example.com"), user(stack, "bob@example.com")
    assert (alice.profile, alice.groups) == (None, ("sales", "berlin"))
    assert (bob.profile, bob.groups) == ("cisco-9", ())


def test_importing_again_changes_what_the_list_says_and_nothing_else(run: Run, stack: Deployed, tmp_path: Path) -> None:
    run("import", written(tmp_path, "address,profile,groups\nalice@example.com,lync,sales\nbob@example.com,,\n"))
    before = user(stack, "alice@example.com")
    code, out, _ = run("import", written(tmp_path, "address,groups\nalice@example.com,support\nbob@example.com,\n"))
    assert code == 0
    assert "0 added, 2 were there already, 1 of them changed" in out
    alice = user(stack, "alice@example.com")
    assert (alice.user_id, alice.profile, alice.groups) == (before.user_id, "lync", ("support",))


def test_a_profile_that_nobody_knows_is_refused_before_anybody_is_added(
    run: Run, stack: Deployed, tmp_path: Path
) -> None:
    path = written(tmp_path, "address,profile\nalice@example.com,default\nbob@example.com,reception\n")
    code, out, err = run("import", path)
    assert (code, out) == (2, "")
    assert "'reception' is no profile; known are default, cisco-9, cisco-15, lync" in err
    assert UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).find("alice@example.com") is None


def test_a_profile_of_the_stack_is_taken(run: Run, stack: Deployed) -> None:
    document = {"profiles": [{"name": "reception", "based_on": "default"}]}
    ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"]).put_document(GATEWAYS, document)
    assert run("add", "alice@example.com", "--profile", "reception")[0] == 0
    assert user(stack, "alice@example.com").profile == "reception"


def test_the_primary_address_is_taken_from_what_a_directory_has(run: Run, stack: Deployed, tmp_path: Path) -> None:
    path = written(tmp_path, "proxyAddresses\nsmtp:a@example.com;SMTP:alice@example.com;SIP:alice@example.org\n")
    assert run("import", path)[0] == 0
    assert user(stack, "alice@example.com").address == "alice@example.com"


def test_a_directory_entry_without_a_primary_address_names_the_line(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "proxyAddresses\nSMTP:alice@example.com\nsmtp:bob@example.com\n")
    code, _, err = run("import", path)
    assert code == 2
    assert "line 3: none of 1 proxy addresses is primary" in err
