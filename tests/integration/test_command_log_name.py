"""`presence users log-name`: from an address to the names in log lines, and back, with a line in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.main import main
from presence.log_names import name_of_address, name_of_user
from presence.records import User
from presence.tables.users import UserTable
from tests.support.command_line import Run, command
from tests.support.deployed import STACK, Deployed, audited, deployed


@pytest.fixture(params=["hmac"])
def stack(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    with deployed(monkeypatch, LogNames=request.param) as made:
        yield made


@pytest.fixture
def run(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> Run:
    assert stack.outputs
    return command(capsys, "users", "log-name")


@pytest.fixture
def key(stack: Deployed) -> str:
    return str(stack.account.secrets.get_secret_value(SecretId=stack.outputs["LogNamesKeyId"])["SecretString"])


@pytest.fixture
def alice(stack: Deployed) -> User:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"]).add("alice@example.com")


def test_an_administrator_who_knows_the_address_finds_somebody_s_lines(
    run: Run, stack: Deployed, alice: User, key: str
) -> None:
    code, out, _ = run("Alice@Example.com")
    own = name_of_user(key, alice.user_id)
    assert code == 0
    assert out == f"{alice.address}: {own}, and {name_of_address(key, alice.address)} where a text names the address\n"
    assert [(line["action"], line["user"]) for line in audited(stack)] == [("log-name", alice.user_id)]


def test_the_name_is_the_one_that_a_function_writes(
    run: Run, alice: User, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["set", alice.address, "away", "--stack", STACK]) == 0  # the function runs here, and so logs here
    logged = capsys.readouterr().out
    _, out, _ = run(alice.address)
    assert name_of_user(key, alice.user_id) in out
    assert f'"user":"{name_of_user(key, alice.user_id)}"' in logged
    assert alice.user_id not in logged


@pytest.mark.parametrize("of", ["user", "address"])
def test_whose_name_it_is_can_be_told(run: Run, stack: Deployed, alice: User, key: str, of: str) -> None:
    name = name_of_user(key, alice.user_id) if of == "user" else name_of_address(key, alice.address)
    assert run("--who", name)[:2] == (0, f"{name}: alice@example.com ({alice.user_id})\n")
    assert [(line["action"], line["user"], line["details"]) for line in audited(stack)] == [
        ("log-name", "*", {"name": name})
    ]


def test_a_name_of_nobody_is_told_so(run: Run, alice: User, key: str) -> None:
    code, out, _ = run("--who", name_of_user(key + "x", alice.user_id))
    assert code == 1
    assert "no user of this stack; perhaps one who was removed" in out


def test_an_address_of_nobody_still_has_a_name_in_texts(run: Run, stack: Deployed, key: str) -> None:
    code, out, _ = run("bob@example.org")
    assert code == 0
    assert out == (
        "bob@example.org: no user of this stack; "
        f"{name_of_address(key, 'bob@example.org')} where a text names the address\n"
    )
    assert audited(stack) == [], "nothing was told of anybody"


@pytest.mark.parametrize("stack", ["user-id", "address"], indirect=True)
def test_it_is_said_when_lines_name_people_otherwise(run: Run, stack: Deployed, alice: User) -> None:
    _, out, _ = run(alice.address)
    assert f"LogNames={stack.parameters['LogNames']} name people otherwise" in out


def test_without_the_key_nothing_is_told(run: Run, stack: Deployed, alice: User) -> None:
    stack.account.secrets.delete_secret(SecretId=stack.outputs["LogNamesKeyId"], ForceDeleteWithoutRecovery=True)
    code, out, err = run(alice.address)
    assert (code, out) == (1, "")
    assert "can't be read; you need the right secretsmanager:GetSecretValue" in err
    assert audited(stack) == []


@pytest.mark.parametrize("arguments", [(), ("alice@example.com", "--who", "user-1"), ("alice",)])
def test_what_can_t_be_asked_is_refused_in_one_line(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
