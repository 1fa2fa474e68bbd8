from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.profile_command import refused, told

CALENDAR = """
time_zone = "Asia/Tokyo"

[working_hours]
days = ["monday"]
start = 09:00:00
end = "18:00"

[automatic_replies]
start = 2026-11-23T14:00:00
end = 2026-11-23T16:00:00

[[entries]]
start = 2026-11-23T10:00:00
end = 2026-11-23T11:00:00
status = "Busy"
meeting = true

[[entries]]
start = 2026-11-23T11:30:00
end = 2026-11-23T15:00:00
status = "Tentative"
private = false
"""


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    path = tmp_path / "calendar.toml"
    path.write_text(CALENDAR, encoding="utf-8")
    return path


DEFAULT_EXPLAINED = """\
profile default; of several claims the one with the lowest rank is shown

rank  kind               shown                         when
1     by-hand            what was set                  somebody set it, for themselves or another
2     out-of-office      Away / OutOfOffice            an entry has the status OOF
3     busy               Busy / Busy                   an entry has the status Busy
                         Busy / InAMeeting             and it is known to be a meeting with others
4     automatic-reply    Away / OutOfOffice            automatic replies go out to colleagues
5     tentative          nothing                       an entry has the status Tentative
6     working-elsewhere  Available / WorkingElsewhere  an entry has the status WorkingElsewhere
7     off-work           nothing                       it is outside the working hours of the mailbox
      (no claim)         Available / Available         the calendar is known, and nothing claims otherwise

Rules
  entries that last all day claim like all others
  private entries claim like all others
  automatic replies with a start and an end claim from the one to the other
  automatic replies that are simply switched on are a note beside the presence
  automatic replies to people outside only claim nothing
  what is set by hand ends when it was told to; untold, at the next boundary of the day, and after 8 h at the latest
  other systems rank just above busy or as they ask for, and never before what was set by hand

With the rights 'times only' (automatic replies: MailTips)
  meetings are shown as Busy / InAMeeting: needs 'detailed free/busy'; without, they are shown as Busy / Busy
  entries that were cancelled or declined claim nothing: needs 'calendar read'; without, their status counts, which \
Exchange sets to Free for cancelled ones
  automatic replies are read from the mailbox's own settings: needs 'oof-settings with impersonation'; without, \
Exchange is asked for MailTips instead, which it has from 2010 on
"""


def test_a_profile_is_explained_as_a_table_with_its_rules_and_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "explain", "default") == DEFAULT_EXPLAINED.splitlines()


def test_an_operator_s_own_profile_is_explained_as_it_differs(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "explain", "reception", "--config", config)
    ranks = [line.split()[:2] for line in lines if line[:1].isdigit()]
    assert ranks == [
        ["1", "by-hand"],
        ["2", "busy"],
        ["3", "out-of-office"],
        ["4", "tentative"],
        ["5", "automatic-reply"],
        ["6", "working-elsewhere"],
        ["7", "off-work"],
    ]
    shown = {line.split()[1]: line for line in lines if line[:1].isdigit()}
    assert "  Busy / Busy  " in shown["tentative"]
    assert "  Offline / OffWork  " in shown["off-work"]
    assert "  nothing  " in shown["working-elsewhere"]
    for rule in (
        "  entries that last all day claim like all others; Busy ones claim nothing",
        "  private entries claim nothing",
        "  entries of less than 5 min claim nothing",
        "  gaps of up to 1 h between busy entries are shown as the entry before them",
        "  automatic replies that are simply switched on claim as long as they are on",
    ):
        assert rule in lines
    assert any(line.endswith("and after 45 min at the latest") for line in lines)
    assert any(line.startswith("  private entries claim nothing: needs 'detailed free/busy'") for line in lines)


def test_a_profile_without_a_difference_for_meetings_shows_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("known to be a meeting" in line for line in told(capsys, "explain", "cisco-15"))


@pytest.mark.parametrize("action", [["explain"], ["try", "--calendar", "never-read.toml"]])
def test_a_profile_that_is_not_there_is_refused_with_those_that_are(
    action: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, *action, "receptoin", "--config", config) == (
        "presence: 'receptoin' is no profile; known are default, cisco-9, cisco-15, lync, reception\n"
    )
    assert "known are default, cisco-9, cisco-15, lync\n" in refused(capsys, *action, "reception")


def test_try_shows_what_a_calendar_would_become(
    config: Path, calendar: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, "try", "reception", "--config", config, "--calendar", calendar)
    assert lines == [
        "profile reception",
        "",
        "Entries, free ones left out",
        "  2026-11-23T01:00:00Z to 2026-11-23T02:00:00Z  Busy (meeting): Busy / InAMeeting, by the rule busy-meeting",
        "  2026-11-23T02:30:00Z to 2026-11-23T06:00:00Z  Tentative: Busy / Busy, by the rule tentative",
        "Automatic replies 2026-11-23T05:00:00Z to 2026-11-23T07:00:00Z, to all",
        "",
        "Timeline",
        "  since                 until                 presence               source           rule             beaten",
        "  2026-11-23T01:00:00Z  2026-11-23T02:00:00Z  Busy / InAMeeting      calendar         busy-meeting",
        "  2026-11-23T02:00:00Z  2026-11-23T02:30:00Z  Available / Available  none             no-claim",
        "  2026-11-23T02:30:00Z  2026-11-23T05:00:00Z  Busy / Busy            calendar         tentative",
        (
            "  2026-11-23T05:00:00Z  2026-11-23T06:00:00Z  Busy / Busy            calendar         tentative        "
            "automatic-reply"
        ),
        "  2026-11-23T06:00:00Z  2026-11-23T07:00:00Z  Away / OutOfOffice     automatic-reply  automatic-reply",
        "  2026-11-23T07:00:00Z  2026-11-23T09:00:00Z  Available / Available  none             no-claim",
        "  2026-11-23T09:00:00Z  not known             Offline / OffWork      working-hours    off-work",
    ]


def test_try_under_another_profile_shows_something_else(calendar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "try", "default", "--calendar", calendar)
    (tentative,) = [line for line in lines if "Tentative" in line]
    assert tentative.endswith("  Tentative: claims nothing, by the rule tentative-claims-nothing")
    shown = [line.split()[-1] for line in lines[lines.index("Timeline") + 2 :]]
    assert shown == ["busy-meeting", "no-claim", "automatic-reply", "no-claim"]


def test_try_begins_where_it_is_told(calendar: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(capsys, "try", "lync", "--calendar", calendar, "--at", "2026-11-23T10:30:00+09:00")
    assert lines[lines.index("Timeline") + 2] == (
        "  2026-11-23T01:30:00Z  2026-11-23T02:00:00Z  Busy / InAMeeting      calendar         busy-meeting"
    )


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("noon", "presence: --at: 'noon' is no ISO 8601 date and time; write it as "),
        ("2026-11-23T10:00:00", "presence: --at: '2026-11-23T10:00:00' has no time zone; write it as "),
        ("9999-12-31T23:59:59Z", "presence: --at: must lie from 2026-09-22T01:00:00Z to 2026-11-23T07:00:00Z"),
        ("2026-11-23T07:00:01Z", "presence: --at: must lie from 2026-09-22T01:00:00Z to 2026-11-23T07:00:00Z"),
        ("2026-01-01T00:00:00Z", "presence: --at: must lie from 2026-09-22T01:00:00Z to 2026-11-23T07:00:00Z"),
    ],
)
def test_try_at_a_moment_of_which_the_calendar_says_nothing_is_refused(
    at: str, message: str, calendar: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "try", "lync", "--calendar", calendar, "--at", at).startswith(message)


def test_replies_that_are_simply_switched_on_are_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "calendar.json"
    entry = {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z", "status": "Free"}
    path.write_text(json.dumps({"entries": [entry], "automatic_replies": {}}), encoding="utf-8")
    lines = told(capsys, "try", "default", "--calendar", path)
    assert lines[2:4] == ["No entries, or free ones only", "Automatic replies switched on, to all"]
    assert lines[-1] == "Note beside the presence: automatic-replies"


def test_the_end_of_the_last_entry_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "calendar.json"
    days = [("23T10", "23T11"), ("25T10", "25T11")]
    entries = [
        {"start": f"2026-11-{start}:00:00Z", "end": f"2026-11-{end}:00:00Z", "status": "Busy"} for start, end in days
    ]
    path.write_text(json.dumps({"entries": entries}), encoding="utf-8")
    lines = told(capsys, "try", "default", "--calendar", path)
    assert [line.split()[:4] for line in lines[-2:]] == [
        ["2026-11-25T10:00:00Z", "2026-11-25T11:00:00Z", "Busy", "/"],
        ["2026-11-25T11:00:00Z", "not", "known", "Available"],
    ]


def test_a_timeline_that_is_longer_than_what_is_kept_says_where_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calendar.json"
    entries = [
        {"start": f"2026-11-23T{hour:02}:{minute}:00Z", "end": f"2026-11-23T{hour:02}:{minute}:30Z", "status": "Busy"}
        for hour in range(22)
        for minute in (10, 20, 30, 40)
    ]
    path.write_text(json.dumps({"entries": entries}), encoding="utf-8")
    lines = told(capsys, "try", "default", "--calendar", path)
    assert lines[-1].startswith("  a timeline is kept for 100 stretches; see what follows with --at 2026-11-23T")
    at = lines[-1].split()[-1]
    assert lines[-2].split()[0] == at
    assert "beyond-horizon" in lines[-2]
    assert told(capsys, "try", "default", "--calendar", path, "--at", at)[-2].split()[0] > at


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explain"],
        ["explain", "default", "--config", "f", "--stack", "s"],
        ["validate"],
        ["try", "default"],
        ["try", "default", "--calendar", "f", "--address", "a@example.com"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, *arguments)


def test_a_user_is_looked_for_in_a_stack_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "try", "default", "--address", "a@example.com") == (
        "presence: --address: say with --stack which stack has the user\n"
    )
