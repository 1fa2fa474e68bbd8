"""The table that `make faults` prints: a row a fault, what should be seen and what was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.faults.judging import Seen
from local.faults.rows import BACK_OFF, BACK_OFF_SECONDS, NO_PROBLEM, NO_RETRY, Expectation, Row

_HEAD = ("", "group", "fault", "should be seen", "was seen")
_BETWEEN = "  "
_NEXT_TURN = "next turn"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row: what was seen (None: it could not be played), and what of it is not as expected."""

    row: Row
    seen: Seen | None
    complaints: tuple[str, ...]

    @property
    def as_it_should_be(self) -> bool:
        """Whether a fault was survived, or a control was not."""
        return self.complaints == ((self.row.control,) if self.row.control else ())


def table_of(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the lines of the table: two of its head, and one of each outcome."""
    cells = [_HEAD, *(_cells(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    lines = [
        _BETWEEN.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what was not as expected, readable without the table."""
    for outcome in outcomes:
        if outcome.row.control:
            verdict = (
                "failed, as it should" if outcome.as_it_should_be else f"did not fail with {outcome.row.control!r}"
            )
            yield f"control: {outcome.row.name}: {verdict}" + "".join(f"\n    {each}" for each in outcome.complaints)
        elif outcome.complaints:
            yield f"not as expected: {outcome.row.group}: {outcome.row.name}" + "".join(
                f"\n    {each}" for each in outcome.complaints
            )


def last_line(outcomes: Sequence[Outcome]) -> str:
    """Return the line by which a run is judged; controls are not counted."""
    faults = [outcome for outcome in outcomes if not outcome.row.control]
    return f"faults: survived={sum(outcome.as_it_should_be for outcome in faults)} of {len(faults)}"


def _cells(outcome: Outcome) -> tuple[str, ...]:
    row, expect = outcome.row, outcome.row.expect
    should_be = _in_words(" or ".join(expect.problem), expect.kind, _retry(expect), expect.shown, expect.others)
    mark = "ok" if outcome.as_it_should_be else "WRONG"
    return mark, "control" if row.control else row.group, row.name, should_be, _was(outcome)


def _was(outcome: Outcome) -> str:
    seen = outcome.seen
    if seen is None:
        return "could not be played"
    retry = f"again in {', '.join(f'{seconds} s' for seconds in seen.retries)}" if seen.retries else _NEXT_TURN
    others = "harmed" if any(person.problem != NO_PROBLEM for person in seen.beside.values()) else "unharmed"
    return _in_words(seen.after.problem, seen.after.kind, retry, seen.after.availability, others)


def _retry(expect: Expectation) -> str:
    if expect.retry == NO_RETRY:
        return _NEXT_TURN
    if expect.retry == BACK_OFF:
        return f"again in {BACK_OFF_SECONDS[0]} to {BACK_OFF_SECONDS[-1]} s"
    return f"again in {expect.retry} s"


def _in_words(problem: str, kind: str, retry: str, shown: str, others: str) -> str:
    if problem == NO_PROBLEM:
        return f"no problem, {shown}, others {others}"
    return f"{problem} ({kind}), {retry}, {shown}, others {others}"
