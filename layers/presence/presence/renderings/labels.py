"""Presence and calendar status in words, in English and Japanese (domain.md, "Words").

The Japanese words for Available, Busy, InAMeeting, Away and unknown, and those of the calendar, are the ones that
domain.md sets; the others are those of Microsoft's Japanese clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from presence.calendar import BusyType
from presence.presences import Activity, Presence
from presence.renderings.activities import activity_told


class Language(StrEnum):
    """The languages of labels, as language tags (RFC 5646)."""

    ENGLISH = "en"
    JAPANESE = "ja"


_PRESENCE: Mapping[Language, Mapping[Activity, str]] = {
    Language.ENGLISH: {
        Activity.AVAILABLE: "Available",
        Activity.WORKING_ELSEWHERE: "Working elsewhere",
        Activity.BUSY: "Busy",
        Activity.IN_A_MEETING: "In a meeting",
        Activity.IN_A_CALL: "On a call",
        Activity.IN_A_CONFERENCE_CALL: "On a conference call",
        Activity.PRESENTING: "Presenting",
        Activity.DO_NOT_DISTURB: "Do not disturb",
        Activity.URGENT_INTERRUPTIONS_ONLY: "Urgent interruptions only",
        Activity.BE_RIGHT_BACK: "Be right back",
        Activity.AWAY: "Away",
        Activity.INACTIVE: "Idle",
        Activity.OUT_OF_OFFICE: "Out of office",
        Activity.OFF_WORK: "Off work",
        Activity.OFFLINE: "Offline",
        Activity.UNKNOWN: "Unknown",
    },
    Language.JAPANESE: {
        Activity.AVAILABLE: "利用可能",
        Activity.WORKING_ELSEWHERE: "他の場所で作業中",
        Activity.BUSY: "アイドル/ビジー",
        Activity.IN_A_MEETING: "会議中",
        Activity.IN_A_CALL: "通話中",
        Activity.IN_A_CONFERENCE_CALL: "電話会議中",
        Activity.PRESENTING: "プレゼンテーション中",
        Activity.DO_NOT_DISTURB: "応答不可",
        Activity.URGENT_INTERRUPTIONS_ONLY: "緊急時のみ応答可",
        Activity.BE_RIGHT_BACK: "一時退席中",
        Activity.AWAY: "退席中",
        Activity.INACTIVE: "アイドル",
        Activity.OUT_OF_OFFICE: "不在",
        Activity.OFF_WORK: "勤務時間外",
        Activity.OFFLINE: "オフライン",
        Activity.UNKNOWN: "不明",
    },
}

_CALENDAR: Mapping[Language, Mapping[BusyType, str]] = {
    Language.ENGLISH: {
        BusyType.FREE: "Free",
        BusyType.TENTATIVE: "Tentative",
        BusyType.BUSY: "Busy",
        BusyType.OUT_OF_OFFICE: "Out of office",
        BusyType.NO_DATA: "No data",
        BusyType.WORKING_ELSEWHERE: "Working elsewhere",
    },
    Language.JAPANESE: {
        BusyType.FREE: "空き時間",
        BusyType.TENTATIVE: "仮の予定",
        BusyType.BUSY: "ビジー",
        BusyType.OUT_OF_OFFICE: "不在",
        BusyType.NO_DATA: "情報なし",
        BusyType.WORKING_ELSEWHERE: "他の場所で作業中",
    },
}

_OUTLOOK_THAT_SAYS_AWAY = 2010


def presence_label(presence: Presence, language: Language = Language.ENGLISH) -> str:
    """Return the presence in a few words, for example `In a meeting` or `会議中`."""
    return _PRESENCE[language][activity_told(presence)]


def calendar_label(busy_type: BusyType, language: Language = Language.ENGLISH, outlook: int = 2007) -> str:
    """Return the status of a calendar entry as Outlook shows it.

    `outlook` is its release: up to 2007 it says that somebody is out of office (不在), from 2010 that they are away
    (退席中).
    """
    if busy_type is BusyType.OUT_OF_OFFICE and outlook >= _OUTLOOK_THAT_SAYS_AWAY:
        return _PRESENCE[language][Activity.AWAY]
    return _CALENDAR[language][busy_type]
