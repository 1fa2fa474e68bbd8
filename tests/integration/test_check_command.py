"""`presence check` against the simulated organisation, by the very files that an operator would write."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from exchange.reader import ExchangeReader
from local.exchange.operator_folder import write_operator_folder
from local.exchange.organisation import LOCATION_CANARY, REPLY_CANARY, SUBJECT_CANARY, BusyStatus, Entry, OutOfOffice
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange
from presence.errors import Problem, ProblemKind
from presence.presences import Availability

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday; the calendars are asked about with --at, so that the hour of the test makes no difference."""

ASSIGNED = """
[[profiles]]
name = "cautious"
presences = {tentative = "Busy"}

[[profile_assignments]]
profile = "cautious"
domains = ["example.org"]
"""

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    organisation = demo_organisation(START)
    for minutes, status in ((0, BusyStatus.TENTATIVE), (10, BusyStatus.BUSY), (20, BusyStatus.OUT_OF_OFFICE)):
        # one hour each, so that they overlap
        begin = START + timedelta(days=1, minutes=minutes)
        organisation.add("grace@example.org", Entry(begin, begin + timedelta(hours=1), status))
    with SimulatedExchange(organisation) as running:
        yield running


@pytest.fixture(scope="module")
def shared_folder(exchange: SimulatedExchange, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    write_operator_folder(folder, exchange)
    return folder


@pytest.fixture
def folder(shared_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of the operator's files that a test may spoil."""
    return shutil.copytree(shared_folder, tmp_path / "operator")


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def check(*arguments: str) -> tuple[int, str, str]:
        code = main(["check", *arguments, "--config", str(folder / "gateways.toml")])
        told = capsys.readouterr()
        return code, told.out, told.err

    return check


def at(**later: int) -> str:
    return (START + timedelta(**later)).isoformat()


def checked(check: Check, address: str, *, moment: str, code: int = 0) -> dict[str, Any]:
    exit_code, out, err = check(address, "--at", moment, "--json")
    assert err == ""
    assert exit_code == code
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(
    ("address", "steps", "endpoint"),
    [
        ("alice@example.com", ["root-domain"], "https://mail.example.com/EWS/Exchange.asmx"),
        ("grace@example.org", ["root-domain", "autodiscover"], "https://mail.example.org/EWS/Exchange.asmx"),
        (
            "mia@branch.test",
            ["root-domain", "autodiscover", "http-redirect", "http-redirect"],
            "https://mail.hosting.test/EWS/Exchange.asmx",
        ),
        (
            "tina@research.test",
            ["root-domain", "autodiscover", "http-redirect", "srv", "srv"],
            "https://owa.research.test:8443/EWS/Exchange.asmx",
        ),
        ("yuri@factory.test", ["ews"], "https://cas1.factory.test/EWS/Exchange.asmx"),
    ],
)
def test_each_way_to_exchange_is_shown_step_by_step(
    check: Check, address: str, steps: list[str], endpoint: str
) -> None:
    found = checked(check, address, moment=at(hours=5))
    assert [step["step"] for step in found["steps"]] == steps
    assert found["endpoint"] == endpoint
    assert all(step["sentence"] for step in found["steps"])
    assert found["problem"] is None


def test_the_presence_of_a_moment_says_which_rule_won_what_it_beat_and_what_comes_next(check: Check) -> None:
    presence = checked(check, "grace@example.org", moment=at(days=1, minutes=30))["presence"]
    assert presence == {
        "availability": "Away",
        "activity": "OutOfOffice",
        "since": "2026-11-24T09:20:00Z",
        "until": "2026-11-24T10:20:00Z",
        "why": {"source": "calendar", "rule": "out-of-office", "beaten": ["busy-meeting"]},
        "next": {"availability": "Available", "activity": "Available", "at": "2026-11-24T10:20:00Z"},
        "note": None,
    }


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (at(days=1, minutes=5), "Available"),
        (at(days=1, minutes=9, seconds=59), "Available"),
        (at(days=1, minutes=10), "Busy"),
        (at(days=1, minutes=20), "Away"),
        (at(days=1, minutes=80), "Available"),
    ],
)
def test_another_moment_can_be_asked_about_and_boundaries_are_exact(check: Check, moment: str, shown: str) -> None:
    assert checked(check, "grace@example.org", moment=moment)["presence"]["availability"] == shown


def test_no_data_is_never_available(check: Check) -> None:
    presence = checked(check, "tina@research.test", moment=at(minutes=-1))["presence"]
    assert presence["availability"] == Availability.UNKNOWN
    assert presence["why"]["rule"] == "no-data"


def test_the_calendar_is_shown_in_times_and_statuses_and_nothing_else(check: Check) -> None:
    code, out, _ = check("grace@example.org", "--at", at(days=1, minutes=30))
    assert code == 0
    assert "2026-11-24T09:10:00Z to 2026-11-24T10:10:00Z  Busy (meeting)" in out
    for private in (SUBJECT_CANARY, LOCATION_CANARY):
        assert private not in out
    calendar = checked(check, "grace@example.org", moment=at(days=1, minutes=30))["calendar"]
    assert {key for entry in calendar["entries"] for key in entry} == {
        "start", "end", "busyType", "isMeeting", "isRecurring", "isPrivate", "isAllDay",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("access", "words", "rights"),
    [
        (None, "from free/busy times", "detailed free/busy"),
        ("impersonation", "from the calendar folders, in their owners' names", "calendar read"),
    ],
)
def test_it_is_said_how_a_calendar_was_read_and_with_which_rights(
    check: Check, folder: Path, access: str | None, words: str, rights: str
) -> None:
    path = folder / "gateways.toml"
    if access is not None:
        keys = f'access = "{access}"\ncalendars = "calendar-folder"\n[[gateways]]'
        path.write_text(path.read_text().replace("[[gateways]]", keys, 2).replace(keys, "[[gateways]]", 1))
    code, out, _ = check("grace@example.org", "--at", at(days=1, minutes=30))
    assert code == 0
    assert f"  {words}; it was shown with the rights: {rights}" in out
    calendar = checked(check, "grace@example.org", moment=at(days=1, minutes=30))["calendar"]
    assert (calendar["rights"], calendar["access"]) == (rights, access or "none")
    assert calendar["entries"][0]["isAllDay"] is (None if access is None else False)


def test_a_folder_that_may_not_be_opened_says_what_to_do(check: Check, folder: Path) -> None:
    path = folder / "gateways.toml"
    keys = 'access = "delegate"\ncalendars = "calendar-folder"\n[[gateways]]'
    path.write_text(path.read_text().replace("[[gateways]]", keys, 2).replace(keys, "[[gateways]]", 1))
    code, out, _ = check("alice@example.com")
    assert code == 1
    assert "Problem ErrorFolderNotFound (lasting)" in out
    assert "to do: let the account of the gateway read the calendar folder of this mailbox" in out


def test_the_text_says_presence_why_and_next(check: Check) -> None:
    _, out, _ = check("grace@example.org", "--at", at(days=1, minutes=30))
    told = out.partition("Presence: ")[2].splitlines()
    assert told == [
        "Away / OutOfOffice",
        "  from 2026-11-24T09:20:00Z until 2026-11-24T10:20:00Z",
        "  why: the rule out-of-office, by the calendar; it beat busy-meeting",
        "  next: Available / Available at 2026-11-24T10:20:00Z by the rule no-claim",
    ]


def test_the_text_does_not_claim_to_know_what_was_before_the_window(check: Check) -> None:
    _, out, _ = check("sam@branch.test", "--at", at(hours=5))
    assert "  from 2026-11-23T13:00:00Z or earlier until the end of what was read" in out
    assert "  why: no entry claims otherwise (rule no-claim)" in out
    assert "  next: nothing that is known" in out


def assign(folder: Path, assignments: str) -> None:
    document = folder / "gateways.toml"
    document.write_text(document.read_text(encoding="utf-8") + assignments, encoding="utf-8")


def test_the_profile_is_the_one_that_the_document_assigns_and_is_named_with_the_reason(
    check: Check, folder: Path
) -> None:
    moment = at(days=1, minutes=5)  # a tentative entry, and nothing else
    found = checked(check, "grace@example.org", moment=moment)
    assert found["profile"] == {"name": "default", "why": "no other is assigned"}
    assert found["presence"]["availability"] == "Available"
    assign(folder, ASSIGNED)
    found = checked(check, "grace@example.org", moment=moment)
    assert found["profile"] == {"name": "cautious", "why": "it is assigned to the domain example.org"}
    assert (found["presence"]["availability"], found["presence"]["why"]["rule"]) == ("Busy", "tentative")
    _, out, _ = check("grace@example.org", "--at", moment)
    assert "Profile cautious: it is assigned to the domain example.org\n" in out
    assert "  why: the rule tentative, by the calendar; it beat no other claim" in out


def test_automatic_replies_count_as_they_do_for_the_functions(check: Check, exchange: SimulatedExchange) -> None:
    now = datetime.now(UTC)
    later = max(now, START) + timedelta(days=40)  # nothing stands in the calendar then
    scheduled = OutOfOffice(start=now - timedelta(hours=1), end=later + timedelta(days=1))
    for replies, shown, note in (
        (None, Availability.AVAILABLE, None),
        (scheduled, Availability.AWAY, None),
        (OutOfOffice(), Availability.AVAILABLE, "automatic-replies"),
    ):
        exchange.organisation.set_out_of_office("grace@example.org", replies)
        try:
            found = checked(check, "grace@example.org", moment=later.isoformat())
            _, out, _ = check("grace@example.org", "--at", later.isoformat())
        finally:
            exchange.organisation.set_out_of_office("grace@example.org", None)
        assert found["automaticReplies"]["enabled"] is (replies is not None)
        assert (found["presence"]["availability"], found["presence"]["note"]) == (shown, note)
        assert ("\nAutomatic replies: off\n" in out) is (replies is None)
        assert (f"  beside it the note: {note}\n" in out) is (note is not None)
        assert REPLY_CANARY not in out + json.dumps(found)


def test_replies_that_can_not_be_read_are_a_problem_beside_the_calendar_and_no_failure(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Problem("AutomaticRepliesRefused", ProblemKind.LASTING, "they are refused", "grant the right")
    monkeypatch.setattr(
        ExchangeReader, "read_automatic_replies", lambda _, addresses: dict.fromkeys(addresses, refused)
    )
    found = checked(check, "grace@example.org", moment=at(days=1, minutes=30))
    assert (found["problem"], found["presence"]["availability"]) == (None, "Away")
    assert found["automaticReplies"]["problem"]["code"] == "AutomaticRepliesRefused"
    _, out, _ = check("grace@example.org", "--at", at(days=1, minutes=30))
    assert (
        "Automatic replies: not known\n"
        "  Problem AutomaticRepliesRefused (lasting): they are refused\n"
        "    to do: grant the right\n" in out
    )


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("nobody@example.com", "MailboxNotFound"),
        ("ghost@factory.test", "ErrorMailRecipientNotFound"),
        ("quinn@research.test", "ErrorNoFreeBusyAccess"),
        ("zelda@nowhere.test", "NoGateway"),
    ],
)
def test_a_mailbox_that_can_not_be_read_is_exit_code_1_with_problem_and_remedy(
    check: Check, address: str, code: str
) -> None:
    found = checked(check, address, moment=at(hours=5), code=1)
    assert found["problem"]["code"] == code
    assert found["problem"]["remedy"]
    assert found["presence"] is None
    exit_code, out, err = check(address)
    assert (exit_code, err) == (1, "")
    assert f"Problem {code} (lasting): " in out
    assert f"  to do: {found['problem']['remedy']}" in out


def test_a_wrong_password_is_a_problem_and_is_not_shown(check: Check, folder: Path) -> None:
    secret = folder / "secrets" / "exchange-reader.json"
    secret.write_text(json.dumps({"username": "EXAMPLE\\presence", "password": "opensesame"}), encoding="utf-8")
    code, out, err = check("grace@example.org")
    assert code == 1
    assert "Problem CredentialsRejected" in out
    assert "opensesame" not in out + err


def test_the_password_is_never_shown(check: Check, exchange: SimulatedExchange) -> None:
    for address in ("alice@example.com", "yuri@factory.test", "nobody@example.com"):
        for form in ([], ["--json"]):
            _, out, err = check(address, *form)
            assert not [secret["password"] for secret in exchange.secrets().values() if secret["password"] in out + err]


def test_a_certificate_of_an_unknown_authority_is_named_as_the_cause(check: Check, folder: Path) -> None:
    document = folder / "gateways.toml"
    document.write_text(document.read_text(encoding="utf-8").replace('ca_file = "ca.pem"\n', ""), encoding="utf-8")
    code, out, _ = check("yuri@factory.test")
    assert code == 1
    assert "Problem CertificateInvalid" in out


def test_the_next_server_of_a_pool_is_read_when_the_first_is_down(check: Check, exchange: SimulatedExchange) -> None:
    exchange.stop_host("cas1.factory.test")
    try:
        found = checked(check, "yuri@factory.test", moment=at(hours=5))
    finally:
        exchange.start_host("cas1.factory.test")
    assert found["endpoint"] in {f"https://{host}/EWS/Exchange.asmx" for host in ("cas2.factory.test", "192.0.2.10")}
    assert "the first of 3 hosts" in str(found["steps"])


def spoil(folder: Path, what: str) -> None:
    document, secret = folder / "gateways.toml", folder / "secrets" / "exchange-reader.json"
    text = document.read_text(encoding="utf-8")
    match what:
        case "an unknown key":
            document.write_text(text.replace("auth =", "authentication =", 1), encoding="utf-8")
        case "no TOML":
            document.write_text(text + "[", encoding="utf-8")
        case "no document":
            document.unlink()
        case "a missing CA file":
            (folder / "ca.pem").unlink()
        case "a missing secret":
            secret.unlink()
        case "a secret that others may read":
            secret.chmod(0o644)
        case "a secret that is none":
            secret.write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        ("an unknown key", "gateways[0].authentication: this key is not known here"),
        ("no TOML", "gateways.toml: is no TOML"),
        ("no document", "gateways.toml: can't be read"),
        ("a missing CA file", "gateways[0].ca_file: 'ca.pem' can't be read"),
        ("a missing secret", "secret 'exchange-reader': "),
        ("a secret that others may read", "chmod 600"),
        ("a secret that is none", "must hold username and password"),
    ],
)
def test_a_mistake_in_the_files_is_one_line_that_names_it_and_exit_code_2(
    check: Check, folder: Path, mistake: str, named: str, exchange: SimulatedExchange
) -> None:
    spoil(folder, mistake)
    asked = len(exchange.requests)
    code, out, err = check("alice@example.com")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err
    assert len(exchange.requests) == asked, "nobody was asked anything"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["alice"], "'alice' is no SMTP address"),
        (["alice@example"], "'example' is no full domain"),
        (["alice@example.com", "--at", "noon"], "--at: 'noon' is no ISO 8601 date and time"),
        (["alice@example.com", "--at", "2026-11-24T09:00:00"], "--at: '2026-11-24T09:00:00' has no time zone"),
        (["alice@example.com", "--at", "0001-01-01T00:00:00Z"], "is outside the years that a calendar can hold"),
        (["alice@example.com", "--at", "9999-12-31T23:59:59Z"], "is outside the years that a calendar can hold"),
    ],
)
def test_a_wrong_argument_is_one_line_that_names_it_and_exit_code_2(
    check: Check, arguments: list[str], named: str
) -> None:
    code, out, err = check(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert named in err


def test_secrets_may_lie_elsewhere(check: Check, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    (folder / "secrets").rename(elsewhere)
    assert check("alice@example.com")[0] == 2
    assert check("alice@example.com", "--secrets", str(elsewhere))[0] == 0
    assert os.access(elsewhere, os.R_OK)
