"""Reading fields out of JSON that came over the wire: strict about what is there, silent about what is new.

Messages tolerate unknown keys, so that a newer sender does not break an older receiver; what is known must be right.
Every error names the field by its path, as `checks[2].address`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from presence.errors import MalformedMessage
from presence.instants import parse_instant


def parse_json_object(text: object, what: str) -> Mapping[str, object]:
    """Return the JSON object in the text. Raises `MalformedMessage` naming `what`."""
    try:
        value = json.loads(text) if isinstance(text, str | bytes) else text
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"{what}: not JSON ({type(error).__name__})") from error
    return as_object(value, what)


def as_object(value: object, path: str) -> Mapping[str, object]:
    """Return the value if it is a JSON object with names for keys."""
    if not isinstance(value, Mapping):
        raise MalformedMessage(f"{path}: an object was expected, not {_kind(value)}")
    return value


def text(source: Mapping[str, object], key: str, path: str = "") -> str:
    """Return the non-empty text at the key."""
    value = source.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedMessage(f"{_join(path, key)}: a text was expected, not {_kind(value)}")
    return value


def optional_text(source: Mapping[str, object], key: str, path: str = "") -> str | None:
    """Return the text at the key; None if the key is absent or null."""
    return None if source.get(key) is None else text(source, key, path)


def instant(source: Mapping[str, object], key: str, path: str = "") -> datetime:
    """Return the instant (UTC) at the key; a time without a zone is refused."""
    try:
        return parse_instant(text(source, key, path))
    except ValueError as error:
        raise MalformedMessage(f"{_join(path, key)}: {error}") from error


def whole_number(
    source: Mapping[str, object], key: str, path: str = "", *, least: int = 0, most: int | None = None
) -> int:
    """Return the whole number at the key, from `least` to `most`."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise MalformedMessage(f"{_join(path, key)}: a whole number {limits} was expected, not {value!r:.40}")
    return value


def array(source: Mapping[str, object], key: str, path: str = "", *, longest: int) -> Sequence[object]:
    """Return the array at the key: at least one element, at most `longest`."""
    value = source.get(key)
    if not isinstance(value, list) or not value:
        raise MalformedMessage(f"{_join(path, key)}: an array with elements was expected, not {_kind(value)}")
    if len(value) > longest:
        raise MalformedMessage(f"{_join(path, key)}: {len(value)} elements, at most {longest} are allowed")
    return value


def texts(source: Mapping[str, object], key: str, path: str = "", *, longest: int) -> tuple[str, ...]:
    """Return the texts in the array at the key, at most `longest`; none if the key is absent or null."""
    if source.get(key) is None:
        return ()
    values = array(source, key, path, longest=longest)
    for index, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise MalformedMessage(f"{_join(path, key)}[{index}]: a text was expected, not {_kind(value)}")
    return tuple(str(value) for value in values)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        type(None): "nothing",
        str: "a text" if value else "an empty text",
        bool: "true or false",
        list: "an array" if value else "an empty array",
        dict: "an object",
    }
    return kinds.get(type(value), "a number")
