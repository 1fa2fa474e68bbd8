from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from presence.calendar import CalendarReading, Window
from presence.decisions import Readings, after_problem, after_reading
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.profiles import DEFAULT
from presence.records import User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.deployed import STACK, Deployed

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    assert stack.outputs
    return runner(capsys)


@pytest.fixture
def run_without_aws(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr("boto3.client", None)
    return runner(capsys)


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--stack", STACK])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def users(stack: Deployed) -> UserTable:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])


def stored(stack: Deployed) -> set[str]:
    """Return the users' addresses, as the items have them: to ask for each bucket would take long."""
    items = stack.client("dynamodb").scan(TableName=stack.outputs["UserTableName"])["Items"]
    return {item["address"]["S"] for item in items if "address" in item}


def test_users_are_added_in_the_one_spelling_of_their_address(run: Run, stack: Deployed) -> None:
    code, out, _ = run("users", "add", "Alice@Example.com", "bob@example.org")
    assert code == 0
    assert stored(stack) == {"alice@example.com", "bob@example.org"}
    assert "2 added, 0 were there already" in out


def test_adding_somebody_twice_adds_nobody(run: Run, stack: Deployed) -> None:
    run("users", "add", "alice@example.com")
    code, out, _ = run("users", "add", "ALICE@example.com")
    assert code == 0
    assert "1 were there already" in out
    assert len(stored(stack)) == 1


def test_an_address_that_is_none_is_refused_before_aws_is_asked(run_without_aws: Run) -> None:
    code, _, err = run_without_aws("users", "add", "alice@example.com", "bob")
    assert code == 2
    assert err.count("\n") == 1
    assert "'bob' is no SMTP address" in err


def test_a_file_is_imported(run: Run, stack: Deployed, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("\ufeffAddress\nalice@example.com\nbob@example.org\n\n", encoding="utf-8")
    assert run("users", "import", str(path))[0] == 0
    assert stored(stack) == {"alice@example.com", "bob@example.org"}
    assert "0 added, 2 were there already" in run("users", "import", str(path))[1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "the first line has to name the column"),
        ("mail\nalice@example.com\n", "the first line has to name the column"),
        ("address,phone\nalice@example.com,1\n", "the column 'phone' is not known"),
        ("address,profile,address\nalice@example.com,lync,\n", "a column stands there twice"),
        ("address\nalice@example.com\nbob\n", "line 3: 'bob' is no SMTP address"),
        ("address\nalice@example.com\nAlice@example.com\n", "line 3: alice@example.com stands in line 2 already"),
    ],
)
def test_a_file_with_a_mistake_is_refused_whole_and_says_where(
    run_without_aws: Run, tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "users.csv"
    path.write_text(text, encoding="utf-8")
    code, out, err = run_without_aws("users", "import", str(path))
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_text_is_refused(run_without_aws: Run, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(b"address\n\xff\xfe\x00")
    assert "is no CSV file in UTF-8" in run_without_aws("users", "import", str(path))[2]
    assert "can't be read" in run_without_aws("users", "import", str(tmp_path / "none.csv"))[2]


def test_the_list_shows_presence_and_problem_with_the_remedy(run: Run, stack: Deployed) -> None:
    table = users(stack)
    fine, failing = table.add("alice@example.com"), table.add("bob@example.org")
    table.add("carol@example.com")
    put_record(stack, fine, reading=True)
    put_record(stack, failing, reading=False)
    code, out, _ = run("users", "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "Available / Available" in lines["alice@example.com"]
    assert "MailboxNotFound since 2026-11-21T14:00:00Z: no such mailbox. To do: check it" in lines["bob@example.org"]
    assert "not read yet" in lines["carol@example.com"]
    assert out.splitlines()[-1] == "3 users"

    out = run("users", "list", "--problems")[1]
    assert "bob@example.org" in out
    assert "alice@example.com" not in out
    assert out.splitlines()[-1] == "3 users, 1 with a problem"


def test_a_removed_user_is_gone_and_the_address_is_free_again(run: Run, stack: Deployed) -> None:
    run("users", "add", "alice@example.com", "bob@example.org")
    assert run("users", "remove", "Alice@example.com")[0] == 0
    assert set(stored(stack)) == {"bob@example.org"}
    assert "1 added" in run("users", "add", "alice@example.com")[1]


def test_removing_somebody_unknown_removes_nobody(run: Run, stack: Deployed) -> None:
    run("users", "add", "alice@example.com")
    code, _, err = run("users", "remove", "alice@example.com", "bob@example.org")
    assert code == 2
    assert "bob@example.org is no user of this stack; nobody was removed" in err
    assert set(stored(stack)) == {"alice@example.com"}


def put_record(stack: Deployed, user: User, *, reading: bool) -> None:
    if reading:
        window = Window(NOW - timedelta(hours=1), NOW + timedelta(hours=24))
        outcome = CalendarReading(user.address, window, (), NOW, "https://mail.example.com/", "FreeBusy")
        record = after_reading(None, user, Readings(outcome), DEFAULT, NOW, Rules()).record
    else:
        problem = Problem("MailboxNotFound", ProblemKind.LASTING, "no such mailbox", "check it")
        record = after_problem(None, user, problem, NOW, Rules()).record
    assert record is not None
    PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], 16).write(record)
