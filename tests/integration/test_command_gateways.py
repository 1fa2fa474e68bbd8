from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from exchange.account.accounts import Account, rejected, write_account
from exchange.account.problems import credentials_rejected
from exchange.endpoints import account_key, problem_key
from exchange.gateway_documents import load_gateways_document, parse_gateways
from exchange.gateway_problems import GatewayProblems
from exchange.pool.shared_pool import SharedPool
from local.exchange.certificates import CertificateAuthority
from presence.clock import system_clock
from presence.instants import format_instant
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.endpoints import EndpointTable
from tests.support.deployed import STACK, Deployed

TEN = datetime(2100, 11, 23, 10, tzinfo=UTC)
"""The clock of the functions; far ahead, so that what they noted has not expired."""
DOCUMENT = """
schema_version = 1

[[gateways]]
name = "headquarters"
kind = "autodiscover"
domains = ["example.com"]
credentials = "exchange-reader"
trusted_hosts = ["example.com"]
skip = ["srv"]
prefer = "internal"
autodiscover_urls = { "example.com" = "https://discover.example.com/autodiscover/autodiscover.xml" }

[[gateways]]
name = "branch"
kind = "ews"
hosts = ["192.0.2.10:443", "mail.branch.test"]
domains = ["branch.test"]
credentials = "branch-reader"
auth = "basic"
ca_file = "ca.pem"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text(CertificateAuthority("Test CA").pem, encoding="ascii")
    path = tmp_path / "gateways.toml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


def store_secrets(stack: Deployed, *references: str) -> None:
    for reference in references:
        stack.client("secretsmanager").create_secret(
            Name=stack.outputs["SecretPrefix"] + reference, SecretString='{"username":"u","password":"hush"}'
        )


def stored(stack: Deployed) -> object:
    return ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"]).document(GATEWAYS)


def test_validate_needs_no_aws_and_says_what_the_document_says(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("boto3.client", None)
    assert main(["gateways", "validate", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "gateway headquarters: autodiscover without srv; ntlm, secret exchange-reader",
        "  for example.com; the CAs of the system",
        "  credentials also to example.com",
        "  example.com by autodiscover at https://discover.example.com/autodiscover/autodiscover.xml",
        "  prefers the internal URLs",
        "gateway branch: ews at 192.0.2.10:443, mail.branch.test:443; basic, secret branch-reader",
        "  for branch.test; a CA of its own",
    ]


def test_validate_says_how_calendars_are_read_and_which_kinds_are_taken(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = 'access = "impersonation"\ncalendars = "calendar-folder"\nexchange_version = "SE"\nrooms = "refuse"\n'
    path.write_text(DOCUMENT + keys, encoding="utf-8")
    assert main(["gateways", "validate", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  reads the calendar folders, in their owners' names; Exchange SE" in lines
    assert "  takes shared mailboxes; refuses distribution lists, rooms" in lines
    assert sum(line.startswith("  reads") for line in lines) == 1, "the usual is not told"


def test_validate_names_the_users_whom_a_gateway_serves(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(DOCUMENT.replace('domains = ["branch.test"]', 'users = ["alice@example.com"]'), encoding="utf-8")
    assert main(["gateways", "validate", str(path)]) == 0
    assert "  for alice@example.com; a CA of its own" in capsys.readouterr().out.splitlines()


def test_put_writes_the_document_with_the_certificate_in_it(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_secrets(stack, "exchange-reader", "branch-reader")
    assert main(["gateways", "put", str(path), "--stack", STACK]) == 0
    assert "version 1 is in place" in capsys.readouterr().out
    assert main(["gateways", "put", str(path), "--stack", STACK]) == 0
    assert "version 2 is in place" in capsys.readouterr().out

    assert main(["gateways", "show", "--stack", STACK]) == 0
    assert "ews at 192.0.2.10:443" in capsys.readouterr().out
    assert main(["gateways", "show", "--stack", STACK, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["gateways"][1]["ca"].startswith("-----BEGIN CERTIFICATE-----")
    assert "ca_file" not in shown["gateways"][1]


def test_show_says_how_the_hosts_of_a_pool_are(stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_secrets(stack, "exchange-reader", "branch-reader")
    main(["gateways", "put", str(path), "--stack", STACK])
    table = EndpointTable(stack.client("dynamodb"), stack.outputs["EndpointTableName"], system_clock)
    branch = parse_gateways(load_gateways_document(path)).gateways[1]
    began = system_clock()
    pool = SharedPool(branch, table, lambda: began, [])
    capsys.readouterr()

    def shown() -> list[str]:
        assert main(["gateways", "show", "--stack", STACK]) == 0
        lines = capsys.readouterr().out.splitlines()
        return lines[lines.index("pool of branch:") + 1 :]

    at, later = (format_instant((began + timedelta(seconds=each)).replace(microsecond=0)) for each in (0, 30))
    assert shown() == ["  192.0.2.10:443 is asked as usual", "  mail.branch.test:443 is asked as usual"]
    pool.note_failure("mail.branch.test:443", "Timeout")
    assert shown()[1] == f"  mail.branch.test:443 is asked as usual; it failed once at {at}: Timeout"
    pool.note_failure("mail.branch.test:443", "HostUnreachable")
    assert shown()[1] == (
        f"  mail.branch.test:443 is not asked since {at}: HostUnreachable; it is tried again from {later} on"
    )
    pool.note_answer("mail.branch.test:443")
    assert shown()[1].startswith(f"  mail.branch.test:443 answers again since {at}; 0% of its users are back, all by ")


def test_put_refuses_a_document_whose_secret_is_missing_and_says_which(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_secrets(stack, "exchange-reader")
    assert main(["gateways", "put", str(path), "--stack", STACK]) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert f"'{STACK}/gateways/branch-reader' is missing" in told.err
    assert stored(stack) is None


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('kind = "ews"', 'kind = "ews"\nuser = "x"', "gateways[1].user: this key is not known here"),
        ("schema_version = 1", "schema_version = 9", "schema_version: 9 is not known"),
        ('auth = "basic"', 'auth = "digest"', "gateways[1].auth: 'digest' is not known"),
        ('"ca.pem"', '"none.pem"', "gateways[1].ca_file: 'none.pem' can't be read"),
        ("[[gateways]]", "[[gateways", "is no TOML"),
    ],
)
def test_a_document_with_a_mistake_is_refused_in_one_line_before_aws_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    complaint: str,
) -> None:
    monkeypatch.setattr("boto3.client", None)
    path.write_text(DOCUMENT.replace(before, after), encoding="utf-8")
    for arguments in (["gateways", "validate", str(path)], ["gateways", "put", str(path), "--stack", STACK]):
        assert main(arguments) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.count("\n") == 1
        assert complaint in told.err


def endpoints(stack: Deployed) -> EndpointTable:
    return EndpointTable(stack.client("dynamodb"), stack.outputs["EndpointTableName"], system_clock)


def put(stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_secrets(stack, "exchange-reader", "branch-reader")
    assert main(["gateways", "put", str(path), "--stack", STACK]) == 0
    capsys.readouterr()


def test_show_tells_which_gateway_can_t_be_read_since_when_and_what_to_do(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, path, capsys)
    problem = credentials_rejected("mail.branch.test", "branch", "basic")
    GatewayProblems(endpoints(stack), lambda: TEN).note([("branch", problem)])

    assert main(["gateways", "show", "--stack", STACK]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "gateway branch can't be read",
        f"  since 2100-11-23T10:00:00Z: CredentialsRejected: {problem.text}",
        f"  to do: {problem.remedy}",
    ]


def test_show_tells_that_the_functions_refuse_the_document(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, path, capsys)
    table = ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"])
    table.put_document(GATEWAYS, {"schema_version": 1, "gateways": [{"name": "x"}]})
    GatewayProblems(endpoints(stack), lambda: TEN).note_document("gateways[0].kind: is missing")

    assert main(["gateways", "show", "--stack", STACK]) == 2
    told = capsys.readouterr()
    assert "the functions refuse this document" in told.out
    assert "DocumentRefused: gateways[0].kind: is missing" in told.out
    assert "gateways[0].kind" in told.err


def test_retry_forgets_what_is_held_against_the_account_of_one_gateway(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, path, capsys)
    table = endpoints(stack)
    described = stack.client("secretsmanager").describe_secret(SecretId=f"{STACK}/gateways/branch-reader")
    (version,) = described["VersionIdsToStages"]
    account = rejected(rejected(Account(), "a.branch.test", TEN, pool=True), "b.branch.test", TEN, pool=True)
    mine, others = account_key("branch", version), account_key("headquarters", version)
    for key in (mine, others):
        table.put(key, write_account(account), 10**9)
    GatewayProblems(table, lambda: TEN).note([("branch", credentials_rejected("b.branch.test", "branch", "basic"))])

    assert main(["gateways", "retry", "branch", "--stack", STACK]) == 0
    assert "it was rejected 2 times; the account of gateway branch is tried" in capsys.readouterr().out
    assert set(table.get_many([mine, others, problem_key("branch")])) == {others}
    assert main(["gateways", "retry", "branch", "--stack", STACK]) == 0
    assert "nothing was held against the account" in capsys.readouterr().out


def test_retry_of_a_gateway_that_is_not_there_names_those_that_are(
    stack: Deployed, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, path, capsys)
    assert main(["gateways", "retry", "brunch", "--stack", STACK]) == 2
    assert "there is no gateway 'brunch' in the document of the stack; there are: headquarters, branch" in (
        capsys.readouterr().err
    )


def test_show_says_when_nothing_has_been_put(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert stored(stack) is None
    assert main(["gateways", "show", "--stack", STACK]) == 2
    assert "no gateways document has been put" in capsys.readouterr().err
