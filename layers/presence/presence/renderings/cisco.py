"""The label that Cisco IM and Presence shows, releases 9 and 15 (domain.md, "Two systems" and "Words").

Release 9 folds every busy stretch of a calendar into Idle/Busy; from release 15 it is In a meeting, known to be one or
not. What does not come from a calendar has the labels of the Jabber client.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import assert_never

from presence.presences import Activity, Availability, Presence
from presence.renderings.activities import activity_told
from presence.renderings.labels import Language


class CiscoRelease(IntEnum):
    """The releases whose labels differ."""

    NINE = 9
    FIFTEEN = 15


class CiscoLabel(StrEnum):
    """The labels, in English."""

    AVAILABLE = "Available"
    IDLE_BUSY = "Idle/Busy"
    IN_A_MEETING = "In a meeting"
    ON_A_CALL = "On a call"
    PRESENTING = "Presenting"
    DO_NOT_DISTURB = "Do not disturb"
    AWAY = "Away"
    OFFLINE = "Offline"
    UNKNOWN = "Unknown"


_JAPANESE: Mapping[CiscoLabel, str] = {
    CiscoLabel.AVAILABLE: "利用可能",
    CiscoLabel.IDLE_BUSY: "アイドル/ビジー",
    CiscoLabel.IN_A_MEETING: "会議中",
    CiscoLabel.ON_A_CALL: "通話中",
    CiscoLabel.PRESENTING: "プレゼンテーション中",
    CiscoLabel.DO_NOT_DISTURB: "応答不可",
    CiscoLabel.AWAY: "退席中",
    CiscoLabel.OFFLINE: "オフライン",
    CiscoLabel.UNKNOWN: "不明",
}

_SINCE_FIFTEEN: Mapping[Activity, CiscoLabel] = {
    Activity.IN_A_CALL: CiscoLabel.ON_A_CALL,
    Activity.IN_A_CONFERENCE_CALL: CiscoLabel.ON_A_CALL,
    Activity.PRESENTING: CiscoLabel.PRESENTING,
}


def cisco_label(presence: Presence, release: CiscoRelease, language: Language = Language.ENGLISH) -> str:
    """Return the label of a presence, for example `Idle/Busy` (release 9) or `In a meeting` (release 15)."""
    label = _label_of_nine(presence) if release is CiscoRelease.NINE else _label_of_fifteen(presence)
    return _JAPANESE[label] if language is Language.JAPANESE else label.value


def _label_of_nine(presence: Presence) -> CiscoLabel:
    if activity_told(presence) is Activity.UNKNOWN:
        return CiscoLabel.UNKNOWN
    match presence.availability:
        case Availability.AVAILABLE:
            return CiscoLabel.AVAILABLE
        case Availability.AVAILABLE_IDLE | Availability.BUSY | Availability.BUSY_IDLE:
            return CiscoLabel.IDLE_BUSY
        case Availability.DO_NOT_DISTURB:
            return CiscoLabel.DO_NOT_DISTURB
        case Availability.BE_RIGHT_BACK | Availability.AWAY:
            return CiscoLabel.AWAY
        case Availability.OFFLINE:
            return CiscoLabel.OFFLINE
        case Availability.UNKNOWN:
            return CiscoLabel.UNKNOWN
        case _:
            assert_never(presence.availability)


def _label_of_fifteen(presence: Presence) -> CiscoLabel:
    label = _label_of_nine(presence)
    if presence.availability is Availability.AVAILABLE_IDLE and label is CiscoLabel.IDLE_BUSY:
        return CiscoLabel.AWAY
    if label is CiscoLabel.IDLE_BUSY:
        return _SINCE_FIFTEEN.get(presence.activity, CiscoLabel.IN_A_MEETING)
    if label is CiscoLabel.DO_NOT_DISTURB and presence.activity is Activity.PRESENTING:
        return CiscoLabel.PRESENTING
    return label
