from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from presence.current_document import CurrentDocument
from presence.errors import ConfigurationError
from presence.tables.configuration import Document
from tests.support.one_user import NINE


@dataclass
class Desk:
    """An operator's desk: the document as it is stored, the clock, and what was reported."""

    document: Document | None = None
    now: datetime = NINE
    looks: int = 0
    reports: list[tuple[str, str]] = field(default_factory=list)

    def stored(self) -> Document | None:
        self.looks += 1
        return self.document

    def report(self, message: str, **details: object) -> None:
        self.reports.append((message, str(details["reason"])))

    def current(self) -> CurrentDocument[str]:
        return CurrentDocument("The list of names", self.stored, parse, "nobody", lambda: self.now, self.report)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def parse(content: Mapping[str, object]) -> str:
    if "name" not in content:
        raise ConfigurationError("name: is missing")
    return str(content["name"])


def test_as_long_as_nobody_put_one_what_stands_for_it_is_returned() -> None:
    desk = Desk()
    assert desk.current().get() == "nobody"
    assert desk.reports == []


def test_a_new_version_is_live_after_half_a_minute_and_not_looked_for_before() -> None:
    desk = Desk(Document(1, {"name": "alice"}))
    current = desk.current()
    assert current.get() == "alice"
    desk.document = Document(2, {"name": "bob"})
    desk.wait(29.9)
    assert (current.get(), desk.looks) == ("alice", 1)
    desk.wait(0.1)
    assert (current.get(), desk.looks) == ("bob", 2)


def test_a_broken_version_is_refused_and_reported_and_the_last_good_one_stays() -> None:
    desk = Desk(Document(1, {"name": "alice"}))
    current = desk.current()
    current.get()
    desk.document = Document(2, {})
    desk.wait(30)
    assert current.get() == "alice"
    assert current.mistake == "The list of names is refused: name: is missing"
    assert desk.reports == [("The list of names is refused; the last good one stays", "name: is missing")]
    desk.document = Document(3, {"name": "carol"})
    desk.wait(30)
    assert current.get() == "carol"
    assert not current.mistake


def test_a_document_that_was_taken_away_leaves_the_last_one() -> None:
    desk = Desk(Document(1, {"name": "alice"}))
    current = desk.current()
    current.get()
    desk.document = None
    desk.wait(30)
    assert current.get() == "alice"


def test_a_version_that_is_known_is_not_parsed_again() -> None:
    desk = Desk(Document(1, {"name": "alice"}))
    current = desk.current()
    current.get()
    desk.document = Document(1, {})
    desk.wait(30)
    assert (current.get(), current.mistake) == ("alice", None)
