from __future__ import annotations

from pathlib import Path

from presence.presences import Activity, Availability
from tests.support.renderings_page import USUAL, page

PAGE = Path(__file__).resolve().parents[4] / "docs/events/renderings.md"


def test_the_page_says_what_the_renderings_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "tests/support/renderings_page.py writes the page anew"


def test_the_page_leaves_no_word_out() -> None:
    assert {presence.availability for presence in USUAL} == set(Availability)
    assert {presence.activity for presence in USUAL} == set(Activity)
