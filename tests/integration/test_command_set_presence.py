"""presence set, clear, calendar, remind and show, against the real function in an account of one test."""

from __future__ import annotations

import json
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.event_users import record_to_command
from cli.main import main
from presence.clock import system_clock
from presence.instants import format_instant, parse_instant
from presence.knowledge import CalendarUse
from presence.records import PresenceRecord, User
from presence.standing_claims import Ending
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.aws import calls
from tests.support.deployed import STACK, Deployed, audited

ALICE = "alice@example.com"


@pytest.fixture
def alice(stack: Deployed) -> User:
    """Add a user who is busy for an hour from now."""
    user = users(stack).add(ALICE)
    assert presences(stack).write(record_to_command(user, None, system_clock())) is not None
    return user


def users(stack: Deployed) -> UserTable:
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])


def presences(stack: Deployed) -> PresenceTable:
    return PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], 16)


def record_of(stack: Deployed, user: User) -> PresenceRecord:
    return presences(stack).get_many([user.user_id]).found[user.user_id]


def presence(*arguments: str) -> int:
    return main([*arguments, "--stack", STACK])


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines of the command, without those that the function logs into the same output here."""
    return [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]


def test_what_is_set_is_shown_and_the_caller_noted(
    stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    assert presence("set", "Alice@example.com", "do-not-disturb", "--for", "30m") == 0
    record = record_of(stack, alice)
    (claim,) = record.knowledge.standing
    assert (str(record.presence), claim.ending) == ("DoNotDisturb / DoNotDisturb", Ending.TIME)
    assert claim.set_by == boto3.client("sts").get_caller_identity()["Arn"]
    assert claim.until is not None
    assert timedelta(0) <= claim.until - (claim.since + timedelta(minutes=30)) < timedelta(seconds=1)
    assert told(capsys) == [
        f"Alice@example.com is shown as DoNotDisturb / DoNotDisturb until {format_instant(claim.until)}",
        "  because: set by hand (source by-hand, rule set-by-hand)",
        "  now DoNotDisturb / DoNotDisturb by set-by-hand, was Busy / Busy",
    ]


def test_until_a_time_with_its_offset(stack: Deployed, alice: User) -> None:
    assert presence("set", ALICE, "Away/OutOfOffice", "--until", "2099-12-31T18:00:00+09:00") == 0
    assert record_of(stack, alice).until == parse_instant("2099-12-31T09:00:00Z")


def test_until_the_next_meeting_and_by_default_until_the_next_boundary(stack: Deployed, alice: User) -> None:
    assert presence("set", ALICE, "away", "--until-next-meeting") == 0
    assert [claim.ending for claim in record_of(stack, alice).knowledge.standing] == [Ending.MEETING]
    assert presence("set", ALICE, "available") == 0
    (claim,) = record_of(stack, alice).knowledge.standing
    assert (claim.ending, str(claim.presence)) == (Ending.BOUNDARY, "Available / Available")


def test_a_system_claims_and_takes_back(stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert presence("set", ALICE, "in-a-call", "--source", "phone") == 0
    assert told(capsys)[1] == "  because: claimed by the system phone (source phone, rule claimed-by-phone)"
    assert presence("set", ALICE, "working-elsewhere", "--source", "desktop", "--strength", "5") == 0
    assert (
        "  Available / WorkingElsewhere was taken, but is not shown now: this goes before it, or it has ended"
        in told(capsys)
    )
    assert [claim.source for claim in record_of(stack, alice).knowledge.standing] == ["desktop", "phone"]
    assert presence("clear", ALICE, "--source", "phone") == 0
    assert told(capsys)[0].startswith(f"{ALICE} is shown as Busy / Busy until ")
    assert presence("clear", ALICE) == 0
    assert told(capsys)[2] == "  nothing new; when it was asked for is remembered"
    assert [claim.source for claim in record_of(stack, alice).knowledge.standing] == ["desktop"]


def test_the_calendar_off_paused_and_on(stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert presence("calendar", ALICE, "off") == 0
    assert told(capsys)[:3] == [
        "the calendar is not read any more",
        f"{ALICE} is shown as PresenceUnknown / PresenceUnknown",
        "  because: the calendar is switched off for this user (source option, rule calendar-off)",
    ]
    assert presence("calendar", ALICE, "pause", "--until", "2099-12-31T18:00:00Z") == 0
    assert told(capsys)[0] == "the calendar is not read before 2099-12-31T18:00:00Z"
    paused_until = parse_instant("2099-12-31T18:00:00Z")
    assert record_of(stack, alice).knowledge.use == CalendarUse(on=True, paused_until=paused_until)
    (scheduled,) = users(stack).every()
    assert (scheduled.enabled, scheduled.paused_until) == (True, paused_until)
    assert presence("calendar", ALICE, "on") == 0
    assert told(capsys)[0] == "the calendar is read, now and from now on"
    (check,) = (json.loads(body) for body in stack.account.take_messages(stack.outputs["CheckQueueUrl"]))
    assert [one["userId"] for one in check["checks"]] == [alice.user_id]


def test_reminders(stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    assert presence("remind", ALICE, "15") == 0
    assert told(capsys)[0] == "a reminder 15 minutes before each meeting"
    assert record_of(stack, alice).reminders.before == timedelta(minutes=15)
    assert presence("remind", ALICE, "off") == 0
    assert told(capsys)[0] == "no reminders of meetings"
    assert record_of(stack, alice).reminders.before is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["set", "bob@example.org", "away"], "address: nobody has it; add the user first"),
        (["set", "alice", "away"], "address: no SMTP address"),
        (["set", ALICE, "asleep"], "'asleep' is no presence; known are available, busy, do-not-disturb"),
        (["set", ALICE, "Busy/Asleep"], "'Asleep' is no activity"),
        (["set", ALICE, "PresenceUnknown/PresenceUnknown"], "presence: nobody can be set to unknown"),
        (["set", ALICE, "away", "--until", "2020-11-21T14:00:00Z"], "--until: lies in the past"),
        (["set", ALICE, "away", "--until", "14:00"], "--until: '14:00' is no ISO 8601 date and time; write it as"),
        (["set", ALICE, "away", "--until", "2099-11-21T14:00"], "has no time zone"),
        (["set", ALICE, "away", "--for", "soon"], "--for: 'soon' is no length of time; write it as 90m"),
        (["set", ALICE, "away", "--for", ""], "--for: '' is no length of time"),
        (["set", ALICE, "away", "--for", "0m"], "--for: a whole number from 1 to 527040 was expected, not 0"),
        (["set", ALICE, "away", "--for", "1h", "--until-next-meeting"], "not allowed with argument --for"),
        (["set", ALICE, "away", "--strength", "10"], "--strength: what is set by hand has the strength"),
        (["set", ALICE, "away", "--source", "phone", "--strength", "100"], "--strength: a whole number from 3 to 99"),
        (["set", ALICE, "away", "--source", "calendar"], "--source: calendar is a source of Calendar Presence itself"),
        (["calendar", ALICE, "pause"], "--until: goes with pause, which needs it"),
        (["calendar", ALICE, "off", "--until", "2099-12-31T18:00:00Z"], "--until: goes with pause"),
        (["calendar", ALICE, "pause", "--until", "2020-12-31T18:00:00Z"], "--until: lies in the past"),
        (["remind", ALICE, "soon"], "MINUTES: 'soon' is neither a number of minutes nor off"),
        (["remind", ALICE, "121"], "MINUTES: a whole number from 1 to 120 was expected, not 121"),
        (["remind", ALICE, "0"], "MINUTES: a whole number from 1 to 120 was expected, not 0"),
        (["show", "bob@example.org"], "bob@example.org is no user of this stack"),
        (["show", ALICE, "--as", "smoke-signals"], "invalid choice"),
    ],
)
def test_what_can_t_be_done_is_one_line_exit_code_2_and_nothing_written(
    stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    before = record_of(stack, alice)
    assert presence(*arguments) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert record_of(stack, alice) == before


def test_a_function_that_fails_is_exit_code_1_and_says_where_to_look(
    stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["PresenceTableName"],
        Key={"userId": {"S": alice.user_id}},
        UpdateExpression="SET availability = :none",
        ExpressionAttributeValues={":none": {"S": "Invisible"}},
    )
    assert presence("set", ALICE, "away") == 1
    error = capsys.readouterr().err
    assert f"{STACK}-set_presence failed (MalformedMessage)" in error
    assert f"/aws/lambda/{STACK}-set_presence" in error
    assert error.count("\n") == 1
    assert presence("show", ALICE) == 1
    assert alice.user_id in capsys.readouterr().err


class TestShow:
    def test_what_is_shown_since_when_until_when_and_why(
        self, stack: Deployed, alice: User, capsys: pytest.CaptureFixture[str]
    ) -> None:
        record = record_of(stack, alice)
        assert record.until is not None
        assert presence("show", ALICE) == 0
        assert capsys.readouterr().out.splitlines() == [
            f"{ALICE}: Busy / Busy (Busy)",
            f"  since {format_instant(record.since)} until {format_instant(record.until)}",
            "  because: an entry with the status Busy (source calendar, rule busy)",
        ]
        assert [(line["action"], line["user"]) for line in audited(stack)] == [("show", alice.user_id)]

    @pytest.mark.usefixtures("alice")
    def test_what_stands_beside_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        presence("remind", ALICE, "15")
        presence("calendar", ALICE, "off")
        capsys.readouterr()
        assert presence("show", ALICE, "--language", "ja") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"{ALICE}: PresenceUnknown / PresenceUnknown (不明)"
        assert lines[3:] == ["  the calendar is switched off", "  a reminder 15 minutes before each meeting"]
        presence("calendar", ALICE, "pause", "--until", "2099-12-31T18:00:00Z")
        capsys.readouterr()
        assert presence("show", ALICE) == 0
        assert "  the calendar is paused until 2099-12-31T18:00:00Z" in capsys.readouterr().out.splitlines()

    @pytest.mark.parametrize(
        ("world", "language", "shown"),
        [
            ("text", "ja", "アイドル/ビジー"),
            ("cisco-9", "en", "Idle/Busy"),
            ("cisco-15", "ja", "会議中"),
            ("xmpp", "en", "<show>away</show>"),
            ("pidf", "en", f"pres:{ALICE}"),
            ("lync", "en", "6500"),
            ("slack", "en", "status_text"),
        ],
    )
    @pytest.mark.usefixtures("alice")
    def test_as_other_systems_show_it(
        self, capsys: pytest.CaptureFixture[str], world: str, language: str, shown: str
    ) -> None:
        assert presence("show", ALICE, "--as", world, "--language", language) == 0
        assert shown in capsys.readouterr().out

    def test_somebody_who_was_never_checked(self, stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
        users(stack).add(ALICE)
        assert presence("show", ALICE) == 1
        assert "not checked yet" in capsys.readouterr().out

    @pytest.mark.usefixtures("alice")
    def test_nothing_is_shown_if_the_look_can_t_be_noted(
        self, stack: Deployed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stack.client("logs").delete_log_group(logGroupName=stack.outputs["AuditLogGroupName"])
        assert presence("show", ALICE) == 1
        assert capsys.readouterr().out == ""
        with calls(boto3.client("dynamodb"), "dynamodb.BatchGetItem") as made:
            presence("show", ALICE)
        assert made == []


@pytest.mark.usefixtures("alice")
def test_a_stack_without_the_function_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def invoke(**_: object) -> None:
        missing = "ResourceNotFoundException"
        raise ClientError({"Error": {"Code": missing, "Message": "Function not found"}}, "Invoke")

    monkeypatch.setattr(boto3.client("lambda"), "invoke", invoke)
    assert presence("set", ALICE, "away") == 2
    assert "deploy it again" in capsys.readouterr().err
