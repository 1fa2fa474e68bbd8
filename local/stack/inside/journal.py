"""A file to which one line is added for each thing that must survive a crash, and which is read after one."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any


class Journal:
    """Numbered entries, one JSON object a line.

    What has been appended survives the end of the process, however it ends; after `sync()` that of the machine too.
    The last line may be torn by a crash: it and whatever stands behind a line that can't be read are cut off.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._entries, readable = _read(path)
        self.number = int(self._entries[-1]["number"]) if self._entries else 0
        self._file = path.open("ab")
        self._file.truncate(readable)

    @property
    def size(self) -> int:
        """Bytes that the file holds."""
        return os.fstat(self._file.fileno()).st_size

    def entries(self, after: int) -> list[dict[str, Any]]:
        """Return what the file held when it was opened and whose number is higher."""
        self.number = max(self.number, after)
        return [entry for entry in self._entries if entry["number"] > after]

    def append(self, **entry: object) -> None:
        """Add an entry; raises OSError if there is no room for it."""
        with self._lock:
            self.number += 1
            line = json.dumps({"number": self.number, **entry}, separators=(",", ":"))
            self._file.write(line.encode() + b"\n")
            self._file.flush()

    def sync(self) -> None:
        """Have the machine write down what has been appended."""
        os.fsync(self._file.fileno())

    def forget(self, through: int) -> None:
        """Drop all entries unless one came after that number: what they told has been stored elsewhere."""
        with self._lock:
            if self.number == through:
                self._entries = []
                self._file.truncate(0)

    def close(self) -> None:
        """Close the file; nothing can be appended after that."""
        self._file.close()


def _read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the entries that can be read, and how many bytes they take."""
    entries, readable = [], 0
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else []:
        try:
            entry = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not isinstance(entry.get("number"), int):
            break
        entries.append(entry)
        readable += len(line)
    return entries, readable
