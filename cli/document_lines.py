"""In which line of a file a mistake stands, beside the place in the document that the message names.

TOML's reader of the standard library keeps no lines. So the file is read again as far as one line or another: the first
beginning of it in which the place is there ends with the statement that puts it there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from exchange.files import read_text
from exchange.gateway_documents import read_gateways_file
from exchange.gateways import GatewaysDocument
from presence.errors import ConfigurationError

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,9})\]")


@contextmanager
def lines_told(path: Path) -> Iterator[None]:
    """Add the line to the `ConfigurationError` of a mistake in a TOML file, where the place that it names is there."""
    try:
        yield
    except ConfigurationError as error:
        try:
            line = line_of(read_text(path), str(error).partition(": ")[0])
        except ConfigurationError:
            line = None
        if line is None:
            raise
        raise ConfigurationError(f"{error} ({path.name}, line {line})") from error


def read_gateways(path: Path) -> GatewaysDocument:
    """Read a gateways document. Raises `ConfigurationError`: the first mistake with its place, reason and line."""
    with lines_told(path):
        return read_gateways_file(path)


def line_of(text: str, place: str) -> int | None:
    """Return the line at which the statement begins that a place of a document, such as `profiles[1].order`, stands in.

    Of what is not there, such as a key that is missing, it is the line of the table that lacks it; None: there is none.
    """
    lines = text.split("\n")
    steps = [int(index) if index else key for key, index in _STEP.findall(place)]
    depth = _depth(_read(lines), steps)
    if not depth:
        return None
    # All that a beginning holds, longer ones hold too. One that ends amid a statement can't be read and tells nothing.
    before, first = 0, len(lines)
    while first - before > 1:
        middle = end = (before + first) // 2
        while end > before and (read := _read(lines[:end])) is None:
            end -= 1
        if end > before and _depth(read, steps) >= depth:
            first = end
        else:
            before = middle
    while before and _read(lines[:before]) is None:
        before -= 1
    return before + 1


def _read(lines: Sequence[str]) -> Mapping[str, object] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except (ValueError, RecursionError):
        return None


def _depth(document: object, steps: Sequence[int | str]) -> int:
    """Return how many steps of a place can be gone in a document."""
    here = document
    for depth, step in enumerate(steps):
        parts: Mapping[int | str, object] = (
            here if isinstance(here, Mapping) else dict(enumerate(here)) if isinstance(here, list) else {}
        )
        if step not in parts:
            return depth
        here = parts[step]
    return len(steps)
