"""Claims: what a source asks to be shown over a stretch of time.

The presence of a person is what remains when the stronger claim wins on each stretch (domain.md, "Presence as
claims"). The calendar is the only source for now; others (by hand, automatic replies, working hours) will bring
claims of their own, and nothing else has to change for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from presence.presences import Presence


class Source(StrEnum):
    """Where a claim comes from. `none` means that nothing claims otherwise."""

    CALENDAR = "calendar"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to show `presence` over [since, until), instants in UTC.

    `rule` is the rule of the profile that made the claim; `strength` says which of two claims wins: the higher.
    """

    since: datetime
    until: datetime
    presence: Presence
    source: Source
    rule: str
    strength: int
