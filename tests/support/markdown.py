"""Reads Markdown documents: their headings, links, samples and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLOCK = re.compile(r"^```\w*\n.*?^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """Return what stands in the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def rows(text: str, header: str) -> list[list[str]]:
    """Return the rows of the one table whose first heading cell is the header."""
    _, *tables = text.split(f"\n| {header} |")
    assert len(tables) == 1, f"{len(tables)} tables begin with {header!r}"
    lines = tables[0].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def anchors(text: str) -> list[str]:
    """Return the anchors that a page's headings have, in their order."""
    titles = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the anchor of each link, either of which may be empty."""
    for target in re.findall(r"\]\(([^)]+)\)", _BLOCK.sub("", text)):
        path, _, anchor = target.partition("#")
        yield path, anchor
