"""Adds the judgements up, holds them against what a demo has to show, and writes its last line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.demo.verdict import Judgement

EVERY_STATUS = frozenset(("Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"))


@dataclass(frozen=True, slots=True)
class Minimums:
    """What a demo must have shown to have proved anything; `late_p99` in seconds."""

    users: int = 24
    statuses: frozenset[str] = EVERY_STATUS
    transitions: int = 24
    in_one_second: int = 8
    edits: int = 10
    late_p99: float = 0.5


@dataclass(frozen=True, slots=True)
class Tally:
    """The judgements of all users, how many calendars were edited meanwhile, and what else went wrong, in words."""

    judgements: Sequence[Judgement]
    edits: int
    troubles: Sequence[str] = ()

    def lateness(self) -> list[float]:
        """Return how late each boundary-driven change was received, in seconds, the latest last."""
        return sorted(late for judgement in self.judgements for _, late in judgement.lateness)

    def late_p99(self) -> float:
        """Return the 99th percentile of the lateness by nearest rank, in seconds; NaN if there was none."""
        lateness = self.lateness()
        return lateness[math.ceil(0.99 * len(lateness)) - 1] if lateness else math.nan

    def lateness_in_words(self) -> str:
        """Return a line about how late changes were received after their boundaries."""
        lateness = self.lateness()
        if not lateness:
            return "no change was received at a boundary"
        half = lateness[(len(lateness) - 1) // 2]
        return f"half of the transitions were received within {half:.3f} s, the last after {lateness[-1]:.3f} s"

    def complaints(self, minimums: Minimums) -> Iterator[str]:
        """Yield everything that makes the demo fail, in plain words."""
        yield from self.troubles
        if not self.judgements:
            return
        for judgement in self.judgements:
            for complaint in judgement.complaints:
                yield f"{judgement.address}: {complaint}"
        yield from self._too_little(minimums)

    def last_line(self) -> str:
        """Return the last line of the demo."""
        found = self.judgements
        return (
            f"demo: users={len(found)} right={sum(judgement.right for judgement in found)}"
            f" wrong={sum(judgement.wrong for judgement in found)}"
            f" missed={sum(judgement.missed for judgement in found)}"
            f" published={sum(judgement.published for judgement in found)}"
            f" transitions={len(self.lateness())} late_p99={self.late_p99():.3f}"
            f" early={sum(judgement.early for judgement in found)}"
        )

    def _too_little(self, minimums: Minimums) -> Iterator[str]:
        if len(self.judgements) < minimums.users:
            yield f"only {len(self.judgements)} users, at least {minimums.users} are needed"
        statuses = {status for judgement in self.judgements for status in judgement.statuses}
        if missing := sorted(minimums.statuses - statuses):
            yield f"nothing was published of the status {', '.join(missing)}"
        domains = {judgement.address.rpartition("@")[2] for judgement in self.judgements}
        shown = {judgement.address.rpartition("@")[2] for judgement in self.judgements if judgement.statuses}
        if missing := sorted(domains - shown):
            yield f"nothing was published of a calendar in {', '.join(missing)}"
        lateness = self.lateness()
        if len(lateness) < minimums.transitions:
            yield f"only {len(lateness)} transitions, at least {minimums.transitions} are needed"
        boundaries = Counter(boundary for judgement in self.judgements for boundary, _ in judgement.lateness)
        most = max(boundaries.values(), default=0)
        if most < minimums.in_one_second:
            yield f"at most {most} transitions in one second, at least {minimums.in_one_second} are needed"
        if self.edits < minimums.edits:
            yield f"only {self.edits} edits of calendars, at least {minimums.edits} are needed"
        if lateness and self.late_p99() > minimums.late_p99:
            yield f"the 99th percentile of lateness is {self.late_p99():.3f} s, above {minimums.late_p99} s"


def conclude(tally: Tally, minimums: Minimums, seconds: float) -> int:
    """Print what came of a demo that took so many seconds; return its exit code: 0 if all was right, else 1."""
    complaints = list(tally.complaints(minimums))
    for complaint in complaints:
        print(f"wrong: {complaint}")
    print(tally.lateness_in_words())
    print(f"{tally.edits} edits of calendars, {seconds:.0f} s in all")
    print(tally.last_line())
    return 1 if complaints else 0
