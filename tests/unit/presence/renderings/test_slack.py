from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from presence.presences import parse_presence
from presence.renderings.labels import Language
from presence.renderings.slack import slack_status
from tests.support.vocabulary import EVERY_PRESENCE

UNTIL = datetime(2026, 11, 21, 15, tzinfo=UTC)
IN_A_MEETING = parse_presence("Busy / InAMeeting")


def test_a_meeting_has_text_emoji_and_an_end() -> None:
    assert slack_status(IN_A_MEETING, UNTIL).profile == {
        "status_text": "In a meeting",
        "status_emoji": ":spiral_calendar_pad:",
        "status_expiration": 1795273200,
    }


def test_a_status_is_cleared_for_who_is_plainly_available() -> None:
    assert slack_status(parse_presence("Available"), UNTIL).profile == {
        "status_text": "",
        "status_emoji": "",
        "status_expiration": 0,
    }


def test_a_status_without_a_known_end_stays() -> None:
    assert slack_status(IN_A_MEETING).expiration == 0


def test_a_status_never_ends_early() -> None:
    assert slack_status(IN_A_MEETING, UNTIL + timedelta(milliseconds=1)).expiration == 1795273201


def test_an_end_in_another_zone_is_the_same_instant() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert slack_status(IN_A_MEETING, UNTIL.astimezone(tokyo)).expiration == 1795273200


def test_an_end_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        slack_status(IN_A_MEETING, UNTIL.replace(tzinfo=None))


@pytest.mark.parametrize("language", Language)
def test_slack_takes_every_status(language: Language) -> None:
    statuses = [slack_status(presence, UNTIL, language) for presence in EVERY_PRESENCE]
    assert max(len(status.text) for status in statuses) <= 100
    assert all(re.fullmatch(r"(:[a-z_]+:)?", status.emoji) for status in statuses)
    assert all(bool(status.text) == bool(status.emoji) for status in statuses)


def test_no_emoji_tells_why_somebody_is_out_of_office() -> None:
    emojis = {slack_status(presence).emoji for presence in EVERY_PRESENCE}
    assert not emojis & {":palm_tree:", ":airplane:", ":face_with_thermometer:", ":baby:"}
