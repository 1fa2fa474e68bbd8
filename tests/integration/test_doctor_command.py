"""`presence doctor` against the simulated organisation, by the very files that an operator would write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.main import main
from local.exchange.network import demo_network
from local.exchange.operator_folder import write_operator_folder
from local.exchange.organisation import LOCATION_CANARY, REPLY_CANARY, SUBJECT_CANARY
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange

TIMES_ONLY = "alice@example.com"
DETAILED = "grace@example.org"
WITHOUT_TIPS = "mia@branch.test"
NO_ACCESS = "quinn@research.test"

MEETINGS = (
    "    meetings are shown as Busy / InAMeeting: needs 'detailed free/busy'; without, they are shown as Busy / Busy"
)
CANCELLED = "entries that were cancelled or declined claim nothing"
STATUS_COUNTS = "their status counts, which Exchange sets to Free for cancelled ones"
CANCELLED_FALLS_BACK = f"    {CANCELLED}: needs 'calendar read'; without, {STATUS_COUNTS}"
BY_TIPS = (
    "    automatic replies are read from the mailbox's own settings: needs 'oof-settings with impersonation'; without, "
    "Exchange is asked for MailTips instead, which it has from 2010 on"
)
FOLDERS = 'access = "impersonation"\ncalendars = "calendar-folder"\n'

Doctor = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    network = demo_network()
    hosts = tuple(
        replace(host, refuses_mail_tips="ErrorInvalidServerVersion") if host.name == "mail.hosting.test" else host
        for host in network.hosts
    )
    organisation = demo_organisation(datetime.now(UTC))
    with SimulatedExchange(organisation, replace(network, hosts=hosts)) as running:
        yield running


@pytest.fixture
def document(exchange: SimulatedExchange, tmp_path: Path) -> Path:
    return write_operator_folder(tmp_path / "operator", exchange)


@pytest.fixture
def doctor(document: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    def doctor(*addresses: str) -> tuple[int, list[str]]:
        code = main(["doctor", *addresses, "--config", str(document)])
        told = capsys.readouterr()
        assert told.err == ""
        return code, told.out.splitlines()

    return doctor


def set_keys(document: Path, keys: str) -> None:
    """Give these keys to every gateway."""
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace("[[gateways]]\n", f"[[gateways]]\n{keys}"), encoding="utf-8")


def assign(document: Path, profile: str, address: str) -> None:
    more = f'\n[[profile_assignments]]\nprofile = "{profile}"\nusers = ["{address}"]\n'
    document.write_text(document.read_text(encoding="utf-8") + more, encoding="utf-8")


def test_an_account_that_is_shown_times_only_is_told_each_rule_that_needs_more(doctor: Doctor) -> None:
    assert doctor(TIMES_ONLY) == (
        0,
        [
            TIMES_ONLY,
            "  Read: free/busy times, from https://mail.example.com/EWS/Exchange.asmx, by the gateway headquarters",
            "  Profile default: no other is assigned",
            "  With the rights 'times only' (automatic replies: MailTips)",
            MEETINGS,
            CANCELLED_FALLS_BACK,
            BY_TIPS,
        ],
    )


def test_an_account_that_is_shown_details_follows_the_rules_for_meetings(doctor: Doctor) -> None:
    code, lines = doctor(DETAILED)
    assert code == 0
    assert lines[3:] == [
        "  With the rights 'detailed free/busy' (automatic replies: MailTips)",
        CANCELLED_FALLS_BACK,
        BY_TIPS,
    ]


def test_details_that_a_profile_has_no_use_for_are_a_warning(doctor: Doctor, document: Path) -> None:
    assign(document, "cisco-9", DETAILED)
    assign(document, "cisco-15", TIMES_ONLY)
    code, lines = doctor(DETAILED, TIMES_ONLY)
    assert code == 0
    assert "  Profile cisco-9: it is assigned to the user" in lines
    warnings = [line for line in lines if "Warning" in line]
    assert warnings == [
        "  Warning: 'detailed free/busy' is more than the profile's own rules need; 'times only' would do"
    ]
    assert lines.index(warnings[0]) < lines.index(TIMES_ONLY)
    assert not [line for line in lines if "what that costs" in line]


def test_calendar_folders_follow_all_rules_and_what_they_alone_bring_is_told(doctor: Doctor, document: Path) -> None:
    set_keys(document, FOLDERS + 'automatic_replies = "oof-settings"\n')
    code, lines = doctor(TIMES_ONLY)
    assert code == 0
    assert lines[1].startswith("  Read: the calendar folders, in their owners' names, from ")
    assert lines[3:] == [
        "  The rights 'calendar read' (automatic replies: oof-settings with impersonation) show all that it needs",
        "  Warning: 'calendar read' is more than the profile's own rules need; 'detailed free/busy' would do",
        f"    what that costs: {CANCELLED}; then, {STATUS_COUNTS}",
    ]


def test_a_profile_that_leaves_all_day_entries_out_needs_the_folders(doctor: Doctor, document: Path) -> None:
    own = '\n[[profiles]]\nname = "own"\nall_day_busy = false\n'
    document.write_text(document.read_text(encoding="utf-8") + own, encoding="utf-8")
    assign(document, "own", TIMES_ONLY)
    _, lines = doctor(TIMES_ONLY)
    assert (
        "    Busy entries that last all day claim nothing: needs 'calendar read'; without, an entry from midnight to "
        "midnight, in the zone of the mailbox, is taken for one"
    ) in lines
    set_keys(document, FOLDERS)
    _, lines = doctor(TIMES_ONLY)
    assert lines[3:] == ["  With the rights 'calendar read' (automatic replies: MailTips)", BY_TIPS]


def test_a_right_to_open_mailboxes_that_nothing_uses_is_a_warning(doctor: Doctor, document: Path) -> None:
    set_keys(document, 'access = "impersonation"\n')
    warning = "  Warning: 'access to mailboxes' is not used for this one; 'access = \"none\"' would do"
    assert doctor(TIMES_ONLY)[1][-1] == warning
    # This one's server has no MailTips, so its owner's settings are asked for.
    code, lines = doctor(WITHOUT_TIPS)
    assert code == 0
    assert "  With the rights 'times only' (automatic replies: oof-settings with impersonation)" in lines
    assert not [line for line in lines if "Warning" in line or "automatic replies are read" in line]


def test_replies_that_can_t_be_read_are_told_with_what_to_do(doctor: Doctor) -> None:
    code, lines = doctor(WITHOUT_TIPS)
    assert code == 0
    assert lines[2] == "  Automatic replies: not known"
    assert lines[3].startswith("    Problem AutomaticRepliesRefused (lasting): ")
    assert lines[4].startswith("      to do: ")
    assert "  With the rights 'times only' (automatic replies: can't be read)" in lines
    assert lines[-1].endswith(
        "without, none are known where Exchange has no MailTips (before 2010) or can't be asked for them"
    )


def test_replies_that_the_gateway_does_not_ask_for_are_told(doctor: Doctor, document: Path) -> None:
    set_keys(document, 'automatic_replies = "off"\n')
    _, lines = doctor(TIMES_ONLY)
    assert "  With the rights 'times only' (automatic replies: not asked for)" in lines
    assert lines[-1].endswith("without, none are known, as the gateway does not ask for them")


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (NO_ACCESS, "ErrorNoFreeBusyAccess"),
        ("nobody@example.com", "MailboxNotFound"),
        ("zelda@nowhere.test", "NoGateway"),
    ],
)
def test_a_mailbox_that_can_t_be_read_has_its_problem_and_the_others_are_read(
    doctor: Doctor, address: str, code: str
) -> None:
    exit_code, lines = doctor(address, TIMES_ONLY)
    assert exit_code == 1
    assert lines[0] == address
    assert lines[1].startswith(f"  Problem {code} (lasting): ")
    assert lines[2].startswith("    to do: ")
    assert lines[3] == TIMES_ONLY
    assert lines[4].startswith("  Read: ")
    assert doctor(TIMES_ONLY, address)[0] == 1


def test_an_address_that_is_named_twice_is_looked_at_once(doctor: Doctor) -> None:
    _, lines = doctor(TIMES_ONLY, TIMES_ONLY.upper())
    assert lines.count(TIMES_ONLY) == 1


def test_nothing_of_a_calendar_is_shown(doctor: Doctor) -> None:
    _, lines = doctor(DETAILED, "iris@example.org", TIMES_ONLY)
    for private in (SUBJECT_CANARY, LOCATION_CANARY, REPLY_CANARY, "Z to "):
        assert private not in "\n".join(lines)


def test_one_wrong_address_is_told_before_anybody_is_asked(
    document: Path, exchange: SimulatedExchange, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(exchange.requests)
    assert main(["doctor", TIMES_ONLY, "grace", "--config", str(document)]) == 2
    (document.parent / "secrets" / "hosting-reader.json").unlink()
    assert main(["doctor", TIMES_ONLY, WITHOUT_TIPS, "--config", str(document)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "'grace' is no SMTP address" in told.err
    assert "secret 'hosting-reader': " in told.err
    assert len(exchange.requests) == asked
