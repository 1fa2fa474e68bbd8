"""Reading documents that people write: every key is known, every mistake is one line that says where and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from presence.errors import ConfigurationError

_Choice = TypeVar("_Choice", bound=str)


class Section:
    """One table of a document, read key by key.

    `path` is where the table stands, as a person would point at it (`gateways[1]`). Each reader takes its key out;
    `finish` refuses what is left, because a misspelt key must not be ignored. All raise `ConfigurationError`.
    """

    def __init__(self, value: object, path: str = "") -> None:
        self._path = path
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"{path or 'the document'}: must be a table, not {_kind(value)}")
        self._left: dict[str, object] = dict(value)

    def where(self, key: str) -> str:
        """Return the full path of a key of this section."""
        return f"{self._path}.{key}" if self._path else key

    def refuse(self, key: str, reason: str) -> ConfigurationError:
        """Return the error that says why the value of a key can't be used."""
        return ConfigurationError(f"{self.where(key)}: {reason}")

    def has(self, key: str) -> bool:
        """Tell whether the key is there and has not been read yet."""
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty; required unless there is a default."""
        if default is not None and key not in self._left:
            return default
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, f"must be a text that is not empty, not {_kind(value)}")
        return value.strip()

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts, empty when the key is absent and not required."""
        if not required and key not in self._left:
            return ()
        value = self._take(key)
        if not isinstance(value, list | tuple) or (required and not value):
            raise self.refuse(key, f"must be a list of texts, not {_kind(value)}")
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item.strip():
                raise ConfigurationError(f"{self.where(key)}[{index}]: must be a text, not {_kind(item)}")
        return tuple(item.strip() for item in value)

    def choice(self, key: str, choices: Iterable[_Choice], default: _Choice | None = None) -> _Choice:
        """Return the one of `choices` that the text names."""
        if default is not None and key not in self._left:
            return default
        text = self.text(key)
        known = list(choices)
        for candidate in known:
            if text == str(candidate):
                return candidate
        raise self.refuse(key, f"{text!r:.60} is not known; use {' or '.join(known)}")

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number (a Decimal without a fraction is one: so does DynamoDB hand it back)."""
        if default is not None and key not in self._left:
            return default
        value = self._take(key)
        try:
            number = int(value) if not isinstance(value, bool | str | float) else None  # type: ignore[call-overload]
        except (TypeError, ValueError):
            number = None
        if number is None or number != value:
            raise self.refuse(key, f"must be a whole number, not {_kind(value)}")
        return int(number)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        if key not in self._left:
            return default
        value = self._take(key)
        if not isinstance(value, bool):
            raise self.refuse(key, f"must be true or false, not {_kind(value)}")
        return value

    def value(self, key: str) -> object:
        """Return what stands there, whatever it is; for what only TOML has, such as dates."""
        return self._take(key)

    def section(self, key: str) -> Section:
        """Return a table inside this one; an absent one is empty."""
        return Section(self._left.pop(key, {}), self.where(key))

    def sections(self, key: str, *, required: bool = True) -> list[Section]:
        """Return the tables of a list; if it is required, it must be there and not be empty."""
        if not required and key not in self._left:
            return []
        value = self._take(key)
        if not isinstance(value, list | tuple) or (required and not value):
            raise self.refuse(key, f"must be a list of tables, not {_kind(value)}")
        return [Section(item, f"{self.where(key)}[{index}]") for index, item in enumerate(value)]

    def rest(self) -> dict[str, str]:
        """Return all that is left as texts by name, for tables whose keys are data."""
        return {key: self.text(key) for key in sorted(self._left)}

    def finish(self, reason: str = "this key is not known here") -> None:
        """Refuse the keys that nobody has read."""
        if self._left:
            raise self.refuse(min(self._left), reason)

    def _take(self, key: str) -> object:
        if key not in self._left:
            raise self.refuse(key, "is missing")
        return self._left.pop(key)


def _kind(value: object) -> str:
    """Name what stands there without printing it: it may be a password that went astray."""
    if isinstance(value, str):
        return "an empty text" if not value.strip() else "a text"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "an empty list" if not value else "a list"
    return {bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}.get(type(value), "this")
