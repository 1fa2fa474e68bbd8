"""The gateways document while it changes: when it is looked at, and what stays when a new version is no good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange import current_gateways
from exchange.account.credentials import FileSecrets
from exchange.current_gateways import CurrentGatewaysReader
from exchange.endpoints import MemoryEndpointCache
from exchange.gateway_problems import GatewayProblem, GatewayProblems
from exchange.gateways import GatewaysDocument
from exchange.reader import ReadTimes
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading, Window
from presence.errors import MalformedMessage, Problem, ProblemKind

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
WINDOW = Window(TEN, TEN + timedelta(hours=1))
ALICE = "alice@example.com"


@dataclass(frozen=True)
class Stored:
    version: int
    content: Mapping[str, object]


def document(gateway: str, **changes: object) -> Mapping[str, object]:
    described = {
        "name": gateway,
        "kind": "ews",
        "hosts": ["mail.example.com"],
        "domains": ["*"],
        "credentials": "reader",
    }
    return {"schema_version": 1, "gateways": [{**described, **changes}]}


class NamesItsGateway:
    """Stands where the reader of Exchange stands: its problem's text is the name of the gateway that it would ask."""

    def __init__(self, *, gateways: GatewaysDocument, **_: Any) -> None:
        self._gateways = gateways

    def read_calendars(self, addresses: Sequence[str], _window: Window) -> Mapping[str, CalendarReading | Problem]:
        return {address: self._asked(address) for address in addresses}

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return {address: self._asked(address) for address in addresses}

    def _asked(self, address: str) -> Problem:
        return Problem("Asked", ProblemKind.PASSING, self._gateways.gateway_for(address).name, "")


@dataclass
class Desk:
    """The operator's: what is stored, how often it was looked at, and what was reported."""

    stored: Stored | Exception | None = None
    looks: int = 0
    reported: list[str] = field(default_factory=list)
    now: datetime = TEN
    cache: MemoryEndpointCache = field(init=False)

    def __post_init__(self) -> None:
        self.cache = MemoryEndpointCache(lambda: self.now)

    @property
    def problem(self) -> GatewayProblem | None:
        """What `presence gateways show` would tell of the document."""
        return GatewayProblems(self.cache, lambda: self.now).of_document()

    def look(self) -> Stored | None:
        self.looks += 1
        if isinstance(self.stored, Exception):
            raise self.stored
        return self.stored

    def report(self, message: str, **details: object) -> None:
        self.reported.append(f"{message}: {details['reason']}")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def reader(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CurrentGatewaysReader:
    monkeypatch.setattr(current_gateways, "ExchangeReader", NamesItsGateway)
    return CurrentGatewaysReader(
        stored=desk.look,
        secrets=FileSecrets(tmp_path),
        cache=desk.cache,
        clock=lambda: desk.now,
        times=ReadTimes(1.0, 1.0, 1.0, 5.0),
        report=desk.report,
        warn=desk.report,
    )


def asked(reader: CurrentGatewaysReader) -> Problem:
    outcome = reader.read_calendars([ALICE], WINDOW)[ALICE]
    assert isinstance(outcome, Problem)
    return outcome


def test_without_a_document_every_mailbox_has_a_problem_that_says_so(desk: Desk, reader: CurrentGatewaysReader) -> None:
    outcomes = reader.read_calendars([ALICE, "bob@example.org"], WINDOW)
    assert set(outcomes) == {ALICE, "bob@example.org"}
    problem = asked(reader)
    assert (problem.code, problem.kind) == ("NoGateways", ProblemKind.LASTING)
    assert "presence gateways put" in problem.remedy
    assert desk.reported == []


def test_automatic_replies_are_asked_for_through_the_same_gateways(desk: Desk, reader: CurrentGatewaysReader) -> None:
    (missing,) = reader.read_automatic_replies([ALICE]).values()
    assert isinstance(missing, Problem)
    assert missing.code == "NoGateways"
    desk.stored = Stored(1, document("first"))
    desk.now += timedelta(seconds=30)
    (found,) = reader.read_automatic_replies([ALICE]).values()
    assert isinstance(found, Problem)
    assert (found.text, desk.looks) == ("first", 2)
    assert asked(reader).text == "first"
    assert desk.looks == 2


def test_a_new_version_is_live_after_half_a_minute_and_is_not_looked_for_before(
    desk: Desk, reader: CurrentGatewaysReader
) -> None:
    desk.stored = Stored(1, document("old"))
    assert asked(reader).text == "old"
    desk.stored = Stored(2, document("new"))
    desk.now += timedelta(seconds=29)
    assert (asked(reader).text, desk.looks) == ("old", 1)
    desk.now += timedelta(seconds=1)
    assert (asked(reader).text, desk.looks) == ("new", 2)


def test_a_document_put_after_the_first_check_ends_the_problem(desk: Desk, reader: CurrentGatewaysReader) -> None:
    assert asked(reader).code == "NoGateways"
    desk.stored = Stored(1, document("first"))
    desk.now += timedelta(seconds=30)
    assert asked(reader).text == "first"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Stored(2, document("new", auth="digest")), "gateways[0].auth: 'digest' is not known"),
        (MalformedMessage("ConfigTable[gateways]: not JSON"), "ConfigTable[gateways]: not JSON"),
    ],
)
def test_a_broken_version_is_refused_and_reported_and_the_last_good_one_stays(
    desk: Desk, reader: CurrentGatewaysReader, broken: Stored | Exception, reason: str
) -> None:
    desk.stored = Stored(1, document("old"))
    asked(reader)
    desk.stored = broken
    desk.now += timedelta(seconds=30)
    assert asked(reader).text == "old"
    (reported,) = desk.reported
    assert reason in reported
    problem = desk.problem
    assert problem is not None
    assert problem.code == "DocumentRefused"
    assert problem.since == TEN + timedelta(seconds=30)
    assert reason in problem.text
    desk.stored = Stored(3, document("mended"))
    desk.now += timedelta(seconds=30)
    assert asked(reader).text == "mended"
    assert desk.problem is None


def test_a_good_version_that_is_put_back_ends_the_problem(desk: Desk, reader: CurrentGatewaysReader) -> None:
    desk.stored = Stored(1, document("old"))
    asked(reader)
    for stored in (MalformedMessage("ConfigTable[gateways]: not JSON"), Stored(1, document("old"))):
        desk.stored = stored
        desk.now += timedelta(seconds=30)
        assert asked(reader).text == "old"
    assert desk.problem is None


def test_where_there_never_was_a_good_one_the_problem_says_what_is_wrong(
    desk: Desk, reader: CurrentGatewaysReader
) -> None:
    desk.stored = Stored(1, document("first", hosts=[]))
    assert "the gateways document is refused: gateways[0].hosts" in asked(reader).text
