from __future__ import annotations

import pytest

from presence.calendar import BusyType
from presence.presences import Activity, parse_presence
from presence.renderings.activities import activity_told
from presence.renderings.labels import Language, calendar_label, presence_label


@pytest.mark.parametrize(
    ("presence", "english", "japanese"),
    [
        ("Available", "Available", "利用可能"),
        ("Busy", "Busy", "アイドル/ビジー"),
        ("Busy / InAMeeting", "In a meeting", "会議中"),
        ("Away", "Away", "退席中"),
        ("Away / OutOfOffice", "Out of office", "不在"),
        ("Offline / OffWork", "Off work", "勤務時間外"),
        ("PresenceUnknown", "Unknown", "不明"),
    ],
)
def test_a_presence_has_a_label_in_both_languages(presence: str, english: str, japanese: str) -> None:
    assert presence_label(parse_presence(presence)) == english
    assert presence_label(parse_presence(presence), Language.JAPANESE) == japanese


@pytest.mark.parametrize(
    ("busy_type", "english", "japanese"),
    [
        (BusyType.FREE, "Free", "空き時間"),
        (BusyType.TENTATIVE, "Tentative", "仮の予定"),
        (BusyType.BUSY, "Busy", "ビジー"),
        (BusyType.OUT_OF_OFFICE, "Out of office", "不在"),
    ],
)
def test_a_status_of_a_calendar_has_a_label_in_both_languages(busy_type: BusyType, english: str, japanese: str) -> None:
    assert calendar_label(busy_type) == english
    assert calendar_label(busy_type, Language.JAPANESE) == japanese


@pytest.mark.parametrize(
    ("outlook", "english", "japanese"), [(2003, "Out of office", "不在"), (2010, "Away", "退席中")]
)
def test_out_of_office_is_away_from_outlook_2010_on(outlook: int, english: str, japanese: str) -> None:
    assert calendar_label(BusyType.OUT_OF_OFFICE, outlook=outlook) == english
    assert calendar_label(BusyType.OUT_OF_OFFICE, Language.JAPANESE, outlook) == japanese
    assert calendar_label(BusyType.BUSY, outlook=outlook) == "Busy"


@pytest.mark.parametrize(
    ("presence", "told"),
    [
        ("Busy / InACall", Activity.IN_A_CALL),
        ("Available / InAMeeting", Activity.IN_A_MEETING),
        ("Available / WorkingElsewhere", Activity.WORKING_ELSEWHERE),
        ("Away / WorkingElsewhere", Activity.AWAY),
        ("Busy / Available", Activity.BUSY),
        ("BusyIdle / Available", Activity.BUSY),
        ("AvailableIdle / Available", Activity.INACTIVE),
        ("DoNotDisturb / Available", Activity.DO_NOT_DISTURB),
        ("BeRightBack / Available", Activity.BE_RIGHT_BACK),
        ("Offline / Available", Activity.OFFLINE),
        ("PresenceUnknown / InAMeeting", Activity.UNKNOWN),
        ("Available / PresenceUnknown", Activity.UNKNOWN),
    ],
)
def test_the_activity_told_never_belies_the_availability(presence: str, told: Activity) -> None:
    assert activity_told(parse_presence(presence)) is told
