"""What the documents refer to is there, and each page for operators can be found from the first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.markdown import anchors, links
from tests.support.schemas import DOCS

CHECKOUT = DOCS.parent
FIRST = DOCS / "operations.md"
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), CHECKOUT / "events" / "README.md", *DOCS.rglob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    for path, anchor in links(document.read_text(encoding="utf-8")):
        if "://" in path:
            continue
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{path}#{anchor}"


def test_the_first_page_leads_to_each_other_page_and_to_each_of_its_sections() -> None:
    led_to = {((FIRST.parent / path).resolve(), anchor) for path, anchor in links(FIRST.read_text(encoding="utf-8"))}
    pages = sorted((DOCS / "operations").glob("*.md"))
    assert pages
    for page in pages:
        _title, *sections = anchors(page.read_text(encoding="utf-8"))
        assert (page, "") in led_to
        assert {(page, section) for section in sections} <= led_to


def test_every_document_that_the_code_names_is_there() -> None:
    sources = [source for room in ("cli", "functions", "layers", "local") for source in (CHECKOUT / room).rglob("*.py")]
    texts = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    named = set(re.findall(r"\bdocs/[\w./-]*\w", texts))
    assert "docs/operations/one-machine.md" in named  # where an engine that ended by itself sends its operator
    assert not {name for name in named if not (CHECKOUT / name).exists()}
