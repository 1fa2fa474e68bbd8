"""A calendar folder as a whole: its pages, and what of it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.ews.availability import Availability
from exchange.ews.calendar_folder import PAGE, read_calendar_folder
from exchange.ews.calendar_items import FolderItem, FolderPage
from presence.calendar import FOLDER_VIEW, BusyType, CalendarEntry, Window
from presence.errors import Problem, ProblemKind

ALICE = "alice@example.com"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(hours=24))


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def an_item(item_id: str, start: float, end: float, *, stands: bool = True) -> FolderItem:
    return FolderItem(item_id, CalendarEntry(at(start), at(end), BusyType.BUSY), stands)


@dataclass
class Folder:
    """A server's calendar folder, which gives out so many entries at once, as CalendarView does."""

    items: Iterable[FolderItem]
    most: int = PAGE
    asked: list[Window] = field(default_factory=list)

    def __call__(self, window: Window) -> FolderPage:
        self.asked.append(window)
        inside = [each for each in self.items if each.entry.start < window.end and each.entry.end > window.start]
        inside.sort(key=lambda each: each.entry.start)
        return FolderPage(tuple(inside[: self.most]), is_last=len(inside) <= self.most)


def read(ask: Callable[[Window], FolderPage | Problem]) -> Availability | Problem:
    return read_calendar_folder(ask, ALICE, WINDOW)


def spans(result: Availability | Problem) -> list[tuple[datetime, datetime]]:
    assert isinstance(result, Availability), result
    return [(entry.start, entry.end) for entry in result.entries]


def test_a_folder_of_one_page_is_asked_for_once_and_says_how_it_was_read() -> None:
    folder = Folder([an_item("b", 60, 90), an_item("a", 0, 30)])

    result = read(folder)

    assert spans(result) == [(at(0), at(30)), (at(60), at(90))]
    assert isinstance(result, Availability)
    assert result.view == FOLDER_VIEW
    assert folder.asked == [WINDOW]


def test_what_was_cancelled_or_declined_does_not_count_and_still_tells_where_the_next_page_begins() -> None:
    items = [an_item(str(number), number, number + 1, stands=number % 2 == 0) for number in range(10)]
    assert spans(read(Folder(items, most=3))) == [(at(number), at(number + 1)) for number in range(0, 10, 2)]


def test_pages_go_on_where_the_last_one_ended_and_nothing_counts_twice() -> None:
    long = an_item("long", -600, 2000)
    items = [long, *(an_item(str(number), number * 10, number * 10 + 5) for number in range(12))]
    folder = Folder(items, most=5)

    assert spans(read(folder)) == [(at(-600), at(2000)), *((at(10 * each), at(10 * each + 5)) for each in range(12))]
    starts = [window.start for window in folder.asked]
    assert starts == sorted(set(starts))
    assert starts[0] == NOON
    assert {window.end for window in folder.asked} == {WINDOW.end}


def test_entries_that_begin_together_are_not_lost_at_the_end_of_a_page() -> None:
    items = [
        an_item("a", 0, 10),
        *(an_item(name, 20, 30 + index) for index, name in enumerate("bcde")),
        an_item("f", 50, 60),
    ]
    assert len(spans(read(Folder(items, most=5)))) == 6


@given(
    st.lists(st.tuples(st.integers(-300, 1500), st.integers(1, 300)), max_size=40),
    st.integers(12, 40),
)
def test_the_pages_together_are_the_folder(times: list[tuple[int, int]], most: int) -> None:
    items = [an_item(str(number), start, start + length) for number, (start, length) in enumerate(times)]
    result = read(Folder(items, most))
    if isinstance(result, Problem):
        # Too many at one time, or too many pages: then nothing is made of it.
        assert result.code == "MalformedCalendar"
        return
    expected = [(at(start), at(start + length)) for start, length in times if start < 1440 and start + length > 0]
    assert spans(result) == sorted(expected)


def test_entries_keep_their_true_times_and_those_outside_or_without_length_are_left_out() -> None:
    inside = [an_item("before", -60, 30), an_item("after", 1400, 2000)]
    outside = [an_item("over", -60, 0), an_item("behind", 1440, 1500), an_item("no length", 60, 60)]
    assert spans(read(lambda _: FolderPage((*inside, *outside), is_last=True))) == [
        (at(-60), at(30)),
        (at(1400), at(2000)),
    ]


def test_of_an_entry_that_is_changed_between_two_pages_the_later_state_counts() -> None:
    pages = iter(
        [
            FolderPage((an_item("a", 0, 30), an_item("b", 40, 50)), is_last=False),
            FolderPage((an_item("b", 45, 60, stands=False), an_item("c", 50, 70)), is_last=True),
        ]
    )
    assert spans(read(lambda _: next(pages))) == [(at(0), at(30)), (at(50), at(70))]


@pytest.mark.parametrize(
    ("page", "what"),
    [
        (FolderPage((), is_last=False), "no time from which on to ask"),
        (FolderPage((an_item("a", -10, 10),), is_last=False), "no time from which on to ask"),
        (FolderPage((an_item("a", 0, 10),), is_last=False), "no time from which on to ask"),
        (FolderPage((an_item("a", 1440, 1450),), is_last=False), "no time from which on to ask"),
        (FolderPage((an_item("b", 20, 30), an_item("a", 10, 15)), is_last=False), "is not in order"),
    ],
)
def test_a_folder_that_cant_be_read_to_its_end_is_a_problem_and_is_not_asked_for_ever(
    page: FolderPage, what: str
) -> None:
    asked = []

    def ask(window: Window) -> FolderPage:
        asked.append(window)
        return page

    result = read(ask)
    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("MalformedCalendar", ProblemKind.LASTING)
    assert what in result.text
    assert len(asked) == 1


def test_pages_without_end_are_a_problem() -> None:
    def ask(window: Window) -> FolderPage:
        minute = (window.start - NOON) / timedelta(minutes=1) + 1
        return FolderPage((an_item(str(minute), minute, minute + 5),), is_last=False)

    result = read(ask)
    assert isinstance(result, Problem)
    assert "pages" in result.text


def test_more_entries_than_anybody_has_are_a_problem() -> None:
    items = tuple(an_item(str(number), 0, 10) for number in range(1001))
    result = read(lambda _: FolderPage(items, is_last=True))
    assert isinstance(result, Problem)
    assert "more than 1000 entries" in result.text


def test_a_problem_in_the_middle_is_the_problem_of_the_whole() -> None:
    problem = Problem("ErrorMailboxMoveInProgress", ProblemKind.PASSING, "moving", "wait")
    pages: list[FolderPage | Problem] = [FolderPage((an_item("a", 5, 30),), is_last=False), problem]
    assert read(lambda _: pages.pop(0)) is problem
