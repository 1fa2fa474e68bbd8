"""Claims: what a source asks to be shown over a stretch of time.

The presence of a person is what remains when the stronger claim wins on each stretch (domain.md, "Presence as
claims"). The calendar is one source among others: presence is restored by a claim ending, never by remembering what
was shown before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from presence.presences import Presence


class Source(StrEnum):
    """The sources of our own. Other systems bring names of theirs (`phone`), so a source is a text.

    `option`: the user's calendar is switched off or paused. `none`: nothing claims otherwise.
    """

    CALENDAR = "calendar"
    AUTOMATIC_REPLY = "automatic-reply"
    WORKING_HOURS = "working-hours"
    BY_HAND = "by-hand"
    OPTION = "option"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to show `presence` over [since, until), instants in UTC; `until` None: without an end.

    `source` is one of `Source` or the name of another system; `rule` is the rule that made the claim; `strength` says
    which of two claims wins: the higher.
    """

    since: datetime
    until: datetime | None
    presence: Presence
    source: str
    rule: str
    strength: int
