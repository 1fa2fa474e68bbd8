"""In which line of a file a mistake stands, beside the place in the document that the message names.

TOML's reader of the standard library keeps no lines. So the file is read again as far as one line or another: the first
beginning of it in which the place is there ends with the statement that puts it there.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from exchange.files import read_text
from exchange.gateway_documents import read_gateways_file
from exchange.gateways import GatewaysDocument
from presence.errors import ConfigurationError

_INDEX = re.compile(r"\[(\d{1,9})\]")

_TOKEN = re.compile(
    r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5}     # a text of several lines, at whose end two quotation marks more may stand
    | '{3} .*? '{3,5}
    | " (?: \\. | [^"\\] )* "
    | ' [^']* '
    | \# [^\n]*
    | [\[\]{}\n]
    """,
    re.VERBOSE | re.DOTALL,
)
"""What brackets and the ends of lines mean nothing in, and these themselves (TOML 1.0.0)."""


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
    found = _length_found(_read(text), place)
    if not found:
        return None
    # All that a beginning holds, longer ones hold too.
    ends = list(_ends_of_statements(text))
    first = bisect_left(ends, found, key=lambda end: _length_found(_read(text[:end]), place))
    return text.count("\n", 0, ends[first - 1] if first else 0) + 1


def _ends_of_statements(text: str) -> Iterator[int]:
    """Yield how far a document can be read: to the end of each line that ends no text and no list which goes on."""
    open_brackets = 0
    for token in _TOKEN.finditer(text):
        if token[0] in {"[", "{"}:
            open_brackets += 1
        elif token[0] in {"]", "}"}:
            open_brackets -= 1
        elif token[0] == "\n" and not open_brackets:
            yield token.end()
    yield len(text)


def _read(text: str) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _length_found(document: object, place: str) -> int:
    """Return how much of a place is there in a document; a key may be quoted, or have dots as a host name has."""
    here, rest = document, place
    while rest:
        step, key = _INDEX.match(rest), rest.removeprefix(".")
        if isinstance(here, list) and step and int(step[1]) < len(here):
            here, rest = here[int(step[1])], rest[step.end() :]
            continue
        known = here if isinstance(here, Mapping) else {}
        written = {form: each for each in known for form in (each, f'"{each}"')}
        fitting = [form for form in written if key == form or key.startswith((f"{form}.", f"{form}["))]
        if not fitting:
            break
        longest = max(fitting, key=len)
        here, rest = known[written[longest]], key[len(longest) :]
    return len(place) - len(rest)
