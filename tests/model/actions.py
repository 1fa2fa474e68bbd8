"""What can happen in the world, as values: so that one thing can also happen in the middle of another."""

from __future__ import annotations

from dataclasses import dataclass

from presence.calendar import BusyType
from presence.errors import Problem
from presence.presences import Presence
from presence.standing_claims import Ending
from tests.model.instances import FAIR, Circumstances


@dataclass(frozen=True)
class Sketch:
    """An entry to be, in seconds from now: where it starts, and how long it is."""

    start: int
    length: int
    busy_type: BusyType
    is_meeting: bool = False


@dataclass(frozen=True)
class TimePasses:
    """Nothing at all happens for so many seconds: ticks are missed, and messages wait."""

    seconds: float


@dataclass(frozen=True)
class TickOfChecks:
    """The schedule of checks fires, so many minutes after its minute."""

    minutes_late: int = 0
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class TickOfTransitions:
    """The schedule of transitions fires."""

    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class Receive:
    """A function receives messages that can be received, from the place `which` on; if `again`, they come once more."""

    checks: bool
    which: int = 0
    count: int = 1
    again: bool = False
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class Together:
    """Two things happen, one right after the other."""

    first: object
    second: object


@dataclass(frozen=True)
class CheckAll:
    """An interval passes and everybody is checked, twice; one of the checks fares as the circumstances say."""

    disturbed: int
    circumstances: Circumstances


@dataclass(frozen=True)
class Lose:
    """A message is lost for good."""

    checks: bool
    which: int = 0


@dataclass(frozen=True)
class Publish:
    """The stream hands over so many records, the last `again` of those before once more; `broken_off` after so many."""

    count: int
    again: int = 0
    broken_off: int | None = None


@dataclass(frozen=True)
class Hear:
    """The subscriber receives what the topic sent since, in an order that the seed says, some of it twice."""

    seed: int


@dataclass(frozen=True)
class TopicRefuses:
    """Nothing can be published, or it can again."""

    refuses: bool


@dataclass(frozen=True)
class EditCalendar:
    """A person's calendar is another from now on; with `keeps`, the entries are added to it."""

    who: int
    entries: tuple[Sketch, ...]
    keeps: bool = False


@dataclass(frozen=True)
class SetReplies:
    """A person's automatic replies: off, or on, from and to so many minutes from now if those are given."""

    who: int
    on: bool
    minutes: tuple[int, int] | None = None
    outside_only: bool = False


@dataclass(frozen=True)
class LoseData:
    """Exchange has no data of a stretch, in minutes from now; None: it has all again."""

    who: int
    minutes: tuple[int, int] | None


@dataclass(frozen=True)
class FailMailbox:
    """A mailbox can't be read, or it can again; or only its automatic replies."""

    who: int
    problem: Problem | None
    replies_only: bool = False


@dataclass(frozen=True)
class FailEndpoint:
    """An endpoint is out, or it is back."""

    endpoint: int
    problem: Problem | None


@dataclass(frozen=True)
class MoveMailbox:
    """A mailbox moves to another endpoint."""

    who: int
    endpoint: int


@dataclass(frozen=True)
class SaySet:
    """A person, or another system, sets a presence; `minutes` None: until whatever else ends it."""

    who: int
    source: str
    presence: Presence
    minutes: int | None = None
    ending: Ending | None = None
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class SayClear:
    """What a source set is taken back."""

    who: int
    source: str
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class SayCalendar:
    """A calendar is switched on or off, or paused for so many minutes."""

    who: int
    on: bool
    paused_minutes: int | None = None
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class SayRemind:
    """A person wants to be reminded of meetings so many minutes before; None: no more."""

    who: int
    minutes: int | None
    circumstances: Circumstances = FAIR


@dataclass(frozen=True)
class Calm:
    """For so many minutes all runs as it should: both schedules, or only that of transitions."""

    minutes: int
    checks: bool = True
    seed: int = 0


@dataclass(frozen=True)
class OnlyTransitions:
    """For so many hours no check runs at all; the transitions do, as they should."""

    hours: int
    seed: int = 0
