"""A journal gives back what was appended, also after its end was torn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.stack.inside.journal import Journal


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    journal = Journal(path / "journal")
    yield journal
    journal.close()


def told(path: Path, after: int = 0) -> list[object]:
    with opened(path) as journal:
        return [entry["told"] for entry in journal.entries(after)]


def test_what_was_appended_is_read_by_the_next_one_and_the_numbers_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(told="one")
        journal.append(told="two")
        journal.sync()
    assert told(tmp_path) == ["one", "two"]
    assert told(tmp_path, after=1) == ["two"]
    with opened(tmp_path) as journal:
        journal.append(told="three")
    with opened(tmp_path) as journal:
        assert [entry["number"] for entry in journal.entries(0)] == [1, 2, 3]


@pytest.mark.parametrize("torn", [b'{"number":3,"told":"thr', b'{"number":3,"told":"three"}', b"\x00\x00\n", b"[]\n"])
def test_a_torn_end_is_cut_off_and_what_comes_after_it_is_read(torn: bytes, tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(told="one")
        journal.append(told="two")
    with (tmp_path / "journal").open("ab") as file:
        file.write(torn)
    with opened(tmp_path) as journal:
        journal.append(told="three")
    assert told(tmp_path) == ["one", "two", "three"]


def test_what_has_been_stored_elsewhere_is_forgotten_and_the_numbers_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(told="one")
        journal.forget(through=1)
        assert journal.size == 0
    with opened(tmp_path) as journal:
        assert journal.entries(after=1) == []
        journal.append(told="two")
    assert told(tmp_path, after=1) == ["two"]


def test_nothing_is_forgotten_when_something_came_since(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        journal.append(told="one")
        journal.append(told="two")
        journal.forget(through=1)
    assert told(tmp_path) == ["one", "two"]
