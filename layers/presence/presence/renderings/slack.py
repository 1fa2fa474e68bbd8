"""Presence as a Slack status: text, emoji and when it ends.

Sources: Slack, "User presence and status" (`status_text` of at most 100 characters, `status_emoji`,
`status_expiration`) and the method `users.profile.set`, to which `SlackStatus.profile` may be handed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from presence.instants import ceil_to_second
from presence.presences import Activity, Presence
from presence.renderings.activities import activity_told
from presence.renderings.labels import Language, presence_label

_EMOJI: Mapping[Activity, str] = {
    Activity.AVAILABLE: "",
    Activity.WORKING_ELSEWHERE: ":round_pushpin:",
    Activity.BUSY: ":red_circle:",
    Activity.IN_A_MEETING: ":spiral_calendar_pad:",
    Activity.IN_A_CALL: ":telephone_receiver:",
    Activity.IN_A_CONFERENCE_CALL: ":busts_in_silhouette:",
    Activity.PRESENTING: ":bar_chart:",
    Activity.DO_NOT_DISTURB: ":no_entry:",
    Activity.URGENT_INTERRUPTIONS_ONLY: ":rotating_light:",
    Activity.BE_RIGHT_BACK: ":hourglass_flowing_sand:",
    Activity.AWAY: ":walking:",
    Activity.INACTIVE: ":zzz:",
    Activity.OUT_OF_OFFICE: ":door:",
    Activity.OFF_WORK: ":crescent_moon:",
    Activity.OFFLINE: ":white_circle:",
    Activity.UNKNOWN: ":grey_question:",
}
"""None of them tells why somebody is out of office: `:palm_tree:` would."""

_NEVER = 0


@dataclass(frozen=True, slots=True)
class SlackStatus:
    """A custom status. `expiration` counts seconds since 1970 in UTC; 0: it stays until it is changed.

    Empty text and emoji clear the status that somebody has.
    """

    text: str
    emoji: str
    expiration: int

    @property
    def profile(self) -> dict[str, str | int]:
        """The fields of a Slack profile."""
        return {"status_text": self.text, "status_emoji": self.emoji, "status_expiration": self.expiration}


def slack_status(
    presence: Presence, until: datetime | None = None, language: Language = Language.ENGLISH
) -> SlackStatus:
    """Return the status of a presence that lasts until an instant (None: not known, or not to be told).

    Who is plainly available has no status. Raises ValueError if `until` has no zone.
    """
    activity = activity_told(presence)
    if activity is Activity.AVAILABLE:
        return SlackStatus("", "", _NEVER)
    return SlackStatus(presence_label(presence, language), _EMOJI[activity], _epoch_seconds(until))


def _epoch_seconds(until: datetime | None) -> int:
    if until is None:
        return _NEVER
    if until.tzinfo is None:
        raise ValueError(f"{until!r} has no time zone")
    return int(ceil_to_second(until).timestamp())
