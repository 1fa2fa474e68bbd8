"""Documents on disk: bounded, so that a device or a disk image named by mistake does not fill the memory."""

from __future__ import annotations

import tomllib
from pathlib import Path

from presence.errors import ConfigurationError

_LARGEST_FILE = 1024 * 1024


def load_toml(path: Path) -> dict[str, object]:
    """Read a TOML file as plain data. Raises `ConfigurationError` if it can't be read or is no TOML."""
    try:
        document: dict[str, object] = tomllib.loads(read_text(path))
    except ValueError as error:  # not always TOMLDecodeError: a number may be too long for Python
        raise ConfigurationError(f"{path}: is no TOML: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: is no TOML that can be read: it is nested too deep") from error
    return document


def read_text(path: Path) -> str:
    """Return the text in a file. Raises `ConfigurationError` if it can't be read, is too large or is not in UTF-8."""
    try:
        return read_bounded(path).decode()
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not written in UTF-8") from error
    except ValueError as error:  # of a name with a null byte
        raise ConfigurationError(f"{str(path)!r}: is no name of a file") from error


def read_bounded(path: Path) -> bytes:
    """Return what stands in a file.

    Raises OSError, and `ConfigurationError` if it is larger than any document that a person wrote.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise ConfigurationError(f"{path}: has more than {_LARGEST_FILE // 1024} KiB")
    return content
