"""The words of the command line, and what its parser takes."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta

import pytest

from cli.arguments import WORLDS, parser
from cli.main import main
from cli.presence_words import WORDS, minutes_of, presence_of
from cli.set_presence import command_of, lines_of
from presence.errors import ConfigurationError
from presence.presences import Activity, Availability, Presence
from presence.renderings import World
from presence.standing_claims import LONGEST_UNTIL_MEETING


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90m", 90), ("2h", 120), ("1h30m", 90), ("1d", 1440), ("1d2h3m", 1563), (" 5M ", 5), ("0m", 0)],
)
def test_a_length_of_time(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "90", "m", "1h 30m", "30m1h", "1.5h", "-5m", "5s", "\N{ARABIC-INDIC DIGIT FIVE}m", "9" * 20 + "m"]
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no length of time"):
        minutes_of(text)


@pytest.mark.parametrize(
    ("text", "presence"),
    [
        ("available", Presence(Availability.AVAILABLE, Activity.AVAILABLE)),
        ("Do-Not-Disturb", Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)),
        ("off-work", Presence(Availability.OFFLINE, Activity.OFF_WORK)),
        ("in-a-call", Presence(Availability.BUSY, Activity.IN_A_CALL)),
        ("Busy/InAMeeting", Presence(Availability.BUSY, Activity.IN_A_MEETING)),
        ("Busy / InAMeeting", Presence(Availability.BUSY, Activity.IN_A_MEETING)),
    ],
)
def test_a_presence_in_words(text: str, presence: Presence) -> None:
    assert presence_of(text) == presence


@pytest.mark.parametrize("text", ["", "asleep", "Busy/Asleep", "Asleep/Busy", "busy/in-a-meeting"])
def test_what_is_no_presence_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ConfigurationError, match="known are"):
        presence_of(text)


def test_every_word_says_something_of_its_own() -> None:
    assert len(set(WORDS.values())) == len(WORDS)


def test_the_parser_knows_the_worlds_that_there_are() -> None:
    assert set(WORLDS) == set(World)


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "alice@example.com", "--stack", "s"],
        ["set", "alice@example.com", "away"],
        ["set", "alice@example.com", "away", "--until", "x", "--for", "1h", "--stack", "s"],
        ["set", "alice@example.com", "away", "--strength", "much", "--stack", "s"],
        ["clear", "--stack", "s"],
        ["calendar", "alice@example.com", "perhaps", "--stack", "s"],
        ["remind", "alice@example.com", "--stack", "s"],
        ["show", "alice@example.com", "--as", "smoke", "--stack", "s"],
        ["show", "alice@example.com", "--language", "la", "--stack", "s"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)


def test_the_help_says_when_it_ends_and_how_strong_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["set", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"after {LONGEST_UNTIL_MEETING // timedelta(hours=1)} hours at the latest" in told
    assert "3 to 99, always below what is set by hand" in told


def test_what_is_not_said_is_not_sent() -> None:
    arguments = parser().parse_args(["set", "alice@example.com", "away", "--stack", "s"])
    assert command_of(arguments) == {"type": "SetPresence", "presence": "Away / Away"}


def test_the_answer_says_if_something_stronger_is_shown() -> None:
    asked = command_of(
        Namespace(
            action="set",
            presence="available",
            source="desktop",
            strength=5,
            until=None,
            length=None,
            until_next_meeting=False,
        )
    )
    answer = {
        "presence": "Busy / Busy",
        "until": "2026-11-23T13:00:00Z",
        "reason": {"source": "calendar", "rule": "busy"},
        "why": "what it rests on changed",
    }
    assert list(lines_of(asked, "alice@example.com", answer))[2] == (
        "  Available / Available was taken, but is not shown now: this goes before it, or it has ended"
    )
