"""Compares what was published for one person with what should have been.

A person is right if the changes received, put in order by version, are exactly one of the acceptable sequences: no
version missing, none twice with different content, each with the right presence, since, until and source, none before
its time and none that an edit caused after its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from local.demo.expectations import Cause, Expected
from local.demo.published import Published, changes_by_person
from local.demo.subscriber import Delivery

GRACE = timedelta(seconds=2)
"""A boundary this close to the end of the watching may be received or not."""


@dataclass(slots=True)
class Judgement:
    """What was found for one person.

    `wrong`, `missed` and `early` count changes, and so do `published` and `lateness`: for each change that a boundary
    drove, the boundary and how many seconds later the subscriber had it. `statuses` are those of the calendar that
    were shown. `complaints` says in words what was wrong, and is empty if nothing was.
    """

    address: str
    wrong: int = 0
    missed: int = 0
    early: int = 0
    published: int = 0
    lateness: list[tuple[datetime, float]] = field(default_factory=list)
    statuses: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether nothing at all was wrong."""
        return not self.complaints

    @property
    def faults(self) -> int:
        """How far from right this is."""
        return self.wrong + self.missed + self.early

    def found_wrong(self, *complaints: str) -> None:
        """Count as many changes as there are complaints as wrong."""
        self.wrong += len(complaints)
        self.complaints += complaints


def judge_everybody(
    sequences: Mapping[str, Sequence[tuple[Expected, ...]]],
    deliveries: Iterable[Delivery],
    contract: Path,
    closed: datetime,
) -> tuple[list[Judgement], list[str]]:
    """Return the judgement of each person by their acceptable sequences, and in words what is about none of them.

    `contract` is the folder of the events' schemas (docs/events), `closed` when the subscriber stopped.
    """
    received, troubles = changes_by_person(deliveries, contract)
    judgements = []
    for address, acceptable in sequences.items():
        changes, mistakes = received.pop(address, ([], []))
        judgement = judge(address, acceptable, changes, closed)
        judgement.found_wrong(*mistakes)
        judgements.append(judgement)
    return judgements, [*troubles, *(f"something was published for {address}, who is no user" for address in received)]


def judge(
    address: str, sequences: Sequence[tuple[Expected, ...]], received: Sequence[Published], closed: datetime
) -> Judgement:
    """Return the judgement by the acceptable sequence that fits best; `closed` is when the subscriber stopped."""
    judgements = [_judge_by(address, sequence, received, closed) for sequence in sequences]
    return min(judgements, key=lambda judgement: (judgement.faults, len(judgement.complaints)))


def _judge_by(address: str, sequence: Sequence[Expected], received: Sequence[Published], closed: datetime) -> Judgement:
    judgement = Judgement(address)
    changes = _in_order(judgement, received)
    judgement.published = len(changes)
    for expected, change in _aligned(sequence, changes):
        if change is None:
            if expected is not None and not _may_be_outstanding(expected, closed):
                judgement.missed += 1
                judgement.complaints.append(f"missed: {_words(expected)}")
        elif expected is None:
            judgement.found_wrong(f"published without cause: version {change.version}, {change.words}")
        else:
            _compare(judgement, expected, change)
    return judgement


def _in_order(judgement: Judgement, received: Sequence[Published]) -> list[Published]:
    """Return the changes by version. SNS may deliver one twice; then the first delivery counts."""
    by_version: dict[int, Published] = {}
    for change in sorted(received, key=lambda change: change.received_at):
        known = by_version.setdefault(change.version, change)
        if _content(known) != _content(change):
            judgement.found_wrong(f"version {change.version} was published twice, with different content")
    changes = [by_version[version] for version in sorted(by_version)]
    for position, change in enumerate(changes, start=1):
        if change.version != position:
            judgement.found_wrong(f"version {position} was never received, but version {change.version} was")
            break
    if len({change.user_id for change in changes}) > 1:
        judgement.found_wrong("published under more than one user id")
    shown = ("PresenceUnknown", "PresenceUnknown")
    for change in changes:
        if change.previous != shown and by_version.get(change.version - 1) is not None:
            judgement.found_wrong(f"version {change.version} says that {change.previous} came before, not {shown}")
        shown = change.presence
    return changes


def _aligned(
    sequence: Sequence[Expected], changes: Sequence[Published]
) -> Iterator[tuple[Expected | None, Published | None]]:
    """Pair the two in order so that as many as possible fit; pair what is left between two that fit as it comes."""
    fits = _longest_fit(sequence, changes)
    expected_at = received_at = 0
    for expected_to, received_to in [*fits, (len(sequence), len(changes))]:
        left, over = list(sequence[expected_at:expected_to]), list(changes[received_at:received_to])
        for index in range(max(len(left), len(over))):
            yield left[index] if index < len(left) else None, over[index] if index < len(over) else None
        if expected_to < len(sequence):
            yield sequence[expected_to], changes[received_to]
        expected_at, received_at = expected_to + 1, received_to + 1


def _longest_fit(sequence: Sequence[Expected], changes: Sequence[Published]) -> list[tuple[int, int]]:
    """Return the positions of a longest common subsequence."""
    lengths = [[0] * (len(changes) + 1) for _ in range(len(sequence) + 1)]
    for i in reversed(range(len(sequence))):
        for j in reversed(range(len(changes))):
            if not _differences(sequence[i], changes[j]):
                lengths[i][j] = 1 + lengths[i + 1][j + 1]
            else:
                lengths[i][j] = max(lengths[i + 1][j], lengths[i][j + 1])
    positions, i, j = [], 0, 0
    while i < len(sequence) and j < len(changes):
        if not _differences(sequence[i], changes[j]):
            positions.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return positions


def _compare(judgement: Judgement, expected: Expected, change: Published) -> None:
    judgement.statuses |= expected.statuses
    differences = _differences(expected, change)
    if differences:
        judgement.found_wrong(f"version {change.version}: {'; '.join(differences)} ({_words(expected)})")
    if change.received_at < expected.not_before:
        judgement.early += 1
        by = (expected.not_before - change.received_at).total_seconds()
        judgement.complaints.append(f"version {change.version} came {by:.3f} s early: {_words(expected)}")
    if expected.cause is Cause.BOUNDARY:
        if not differences:
            late = (change.received_at - expected.not_before).total_seconds()
            judgement.lateness.append((expected.not_before, late))
    elif change.received_at > expected.not_after:
        by = (change.received_at - expected.not_after).total_seconds()
        judgement.found_wrong(f"version {change.version} came {by:.1f} s too late: {_words(expected)}")


def _differences(expected: Expected, change: Published) -> list[str]:
    differences = []
    if change.presence != expected.shown.presence:
        differences.append(f"shown as {change.words} instead of {expected.shown}")
    if change.source != expected.shown.source:
        differences.append(f"for the reason {change.source} instead of {expected.shown.source}")
    if change.freshness != expected.freshness:
        differences.append(f"believed as {change.freshness} instead of {expected.freshness}")
    if change.note != expected.note:
        differences.append(f"with the note {change.note} instead of {expected.note}")
    if not expected.since_from <= change.since <= min(expected.since_to, max(change.received_at, expected.since_from)):
        differences.append(f"since {_at(change.since)} instead of {_at(expected.since_from)}")
    if change.until != expected.until:
        differences.append(f"until {_at(change.until)} instead of {_at(expected.until)}")
    return differences


def _may_be_outstanding(expected: Expected, closed: datetime) -> bool:
    if expected.cause is Cause.FIRST:
        return False
    return expected.not_after + (GRACE if expected.cause is Cause.BOUNDARY else timedelta()) > closed


def _content(change: Published) -> tuple[object, ...]:
    shown = change.presence, change.freshness, change.note
    return change.user_id, shown, change.previous, change.source, change.since, change.until


def _words(expected: Expected) -> str:
    return f"{expected.shown} from {_at(expected.not_before)} by {expected.cause}, until {_at(expected.until)}"


def _at(instant: datetime | None) -> str:
    return "further than is known" if instant is None else instant.isoformat().replace("+00:00", "Z")
