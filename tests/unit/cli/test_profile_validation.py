"""`presence profile validate`: who has which profile, what it can't know, and where a mistake stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.profile_command import DOCUMENT, refused, told


def test_validate_says_who_has_which_profile_and_what_it_can_t_know(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, "validate", config)
    assert [line for line in lines if not line.startswith(" ")] == [
        "profile default (built in): for users on whom it stands",
        "profile cisco-9 (built in): for domains *",
        f"profile reception: for users {', '.join(f'{name}@example.com' for name in 'abcde')} and 1 more; groups front",
    ]
    assert "    private entries claim nothing: needs 'detailed free/busy'; without, they claim like all others" in lines


FOLDERS = 'access = "impersonation"\ncalendars = "calendar-folder"\nautomatic_replies = "oof-settings"\n'


def test_validate_knows_with_which_rights_the_gateways_read(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(DOCUMENT.replace("[[gateways]]\n", "[[gateways]]\n" + FOLDERS), encoding="utf-8")
    lines = told(capsys, "validate", config)
    assert (
        "  The rights 'calendar read' (automatic replies: oof-settings with impersonation) show all that it needs"
        in lines
    )
    assert not any("needs" in line and "without" in line for line in lines)

    other = '[[gateways]]\nname = "other"\nkind = "autodiscover"\ndomains = ["example.org"]\ncredentials = "reader"\n'
    config.write_text(config.read_text() + other, encoding="utf-8")
    lines = told(capsys, "validate", config)
    begin = lines.index("profile cisco-9 (built in): for domains *")
    assert lines[begin + 1 : begin + 5] == [
        "  by the gateway headquarters",
        "  The rights 'calendar read' (automatic replies: oof-settings with impersonation) show all that it needs",
        "  by the gateway other",
        "  With the rights 'times only' (automatic replies: MailTips)",
    ]


def test_validate_names_each_rule_that_needs_more_than_times(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = 'name = "plain"\nprivate = "plain"\n\n[[profiles]]\nname = "reception"'
    config.write_text(DOCUMENT.replace('name = "reception"', plain, 1), encoding="utf-8")
    lines = told(capsys, "validate", config)
    for rule, needed, fallback in (
        ("Busy entries that last all day claim nothing", "calendar read", "an entry from midnight to midnight, in the"),
        ("meetings are shown as Busy / InAMeeting", "detailed free/busy", "they are shown as Busy / Busy"),
        ("private meetings are not shown as meetings", "detailed free/busy", "no entry is shown as a meeting"),
        ("private entries claim nothing", "detailed free/busy", "they claim like all others"),
        ("entries that were cancelled or declined claim nothing", "calendar read", "their status counts, which "),
        (
            "automatic replies are read from the mailbox's own settings",
            "oof-settings with impersonation",
            "Exchange is asked for Mai",
        ),
    ):
        told_so = f"    {rule}: needs {needed!r}; without, {fallback}"
        assert any(line.startswith(told_so) for line in lines), rule


@pytest.mark.parametrize(
    ("keys", "known", "fallback"),
    [
        ('exchange_version = "2010"', "MailTips", "Exchange is asked for MailTips instead, which it has from 2010 on"),
        # Without these words a document with Exchange 2007 is refused, which has no MailTips.
        ('exchange_version = "2007"\nautomatic_replies = "oof-settings"', "oof-settings with impersonation", None),
        (
            'exchange_version = "2007"\nautomatic_replies = "off"',
            "not asked for",
            "none are known, as the gateway does",
        ),
        ('access = "impersonation"', "MailTips", "Exchange is asked for MailTips instead"),
        # A delegate reads calendars, and settings are told to owners alone.
        ('access = "delegate"\ncalendars = "calendar-folder"', "MailTips", "Exchange is asked for MailTips instead"),
    ],
)
def test_validate_knows_how_each_version_tells_of_automatic_replies(
    keys: str, known: str, fallback: str | None, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = DOCUMENT.partition("[[profiles]]")[0]
    config.write_text(text.replace("[[gateways]]\n", f"[[gateways]]\n{keys}\n"), encoding="utf-8")
    lines = told(capsys, "validate", config)
    assert f"(automatic replies: {known})" in lines[1]
    replies = [line for line in lines if "automatic replies are read from the mailbox's own settings" in line]
    assert len(replies) == (0 if fallback is None else 1)
    assert all(f"needs 'oof-settings with impersonation'; without, {fallback}" in line for line in replies)


def test_validate_of_a_document_without_profiles_says_that_all_have_the_default(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(DOCUMENT.partition("[[profiles]]")[0], encoding="utf-8")
    assert told(capsys, "validate", config)[0] == "profile default (built in): for all others"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ('private = "ignored"', "presence: profiles[0].private: 'x' is not known; use like-others or plain or ignored"),
        ('profile = "cisco-9"', "presence: profile_assignments[1].profile: 'x' is no profile; known are default, "),
        ('kind = "autodiscover"', "presence: gateways[0].kind: 'x' is not known; use autodiscover or ews"),
    ],
)
def test_validate_refuses_a_mistake_in_one_line_that_says_where_and_why(
    config: Path, capsys: pytest.CaptureFixture[str], wrong: str, message: str
) -> None:
    config.write_text(DOCUMENT.replace(wrong, wrong.partition('"')[0] + '"x"'), encoding="utf-8")
    told = refused(capsys, "validate", config)
    assert told.startswith(message)
    line = DOCUMENT[: DOCUMENT.index(wrong)].count("\n") + 1
    assert told.endswith(f" (gateways.toml, line {line})\n")
