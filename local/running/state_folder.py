"""The folder in which one instance keeps its state from run to run.

It is its owner's alone (mode 700), since the engine's files tell where people are and when.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from presence.errors import ConfigurationError

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600

_LOCK: Final = "lock"
_ENVIRONMENT: Final = "environment"
_LONGEST_END: Final = 70.0
"""Seconds that the engine of a run that was killed may take to write its state."""


class StateFolder:
    """The folder, held by one run at a time while it is entered.

    Entering makes the folder if it is not there. It raises `ConfigurationError` if the folder can't be written, belongs
    to somebody else, holds other things, or is in use by another run. After a run that was killed it waits until the
    engine of that run has written its state.
    """

    def __init__(self, path: Path, longest_end: float = _LONGEST_END) -> None:
        self.path = path
        self._longest_end = longest_end
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            lock = self.path / _LOCK
            if not lock.exists() and any(self.path.iterdir()):
                raise ConfigurationError(
                    f"{self.path}: holds other things, and no state of Calendar Presence; name an empty or a new folder"
                )
            self.path.chmod(PRIVATE_FOLDER)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        except OSError as error:
            raise ConfigurationError(f"{self.path}: can't keep the state there ({error.strerror})") from error
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        (self.path / _ENVIRONMENT).unlink(missing_ok=True)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @property
    def lock(self) -> int:
        """The file descriptor that holds the lock: as long as any process has it open."""
        if self._descriptor is None:
            raise ValueError("The folder is not held: use it as a context manager.")
        return self._descriptor

    def write_environment(self, variables: Mapping[str, str]) -> Path:
        """Write a file of NAME=value lines that only the owner can read, and return its path; it goes with this run."""
        path = self.path / _ENVIRONMENT
        path.unlink(missing_ok=True)
        path.touch(mode=PRIVATE_FILE)
        path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
        return path

    def _take(self, descriptor: int) -> None:
        give_up = time.monotonic() + self._longest_end
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 20, 0).decode("ascii", errors="replace").strip()
                if _lives(holder):
                    raise ConfigurationError(
                        f"{self.path}: is in use by another run (process {holder}); stop that, or name another folder"
                    ) from None
                if time.monotonic() > give_up:
                    raise ConfigurationError(
                        f"{self.path}: the engine of a run that was killed (process {holder}) still holds it"
                    ) from None
                time.sleep(0.1)
            else:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                return


def _lives(process: str) -> bool:
    """Tell whether a process is there; also if nobody can say which."""
    if not process.isdecimal():
        return True
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return False
    return True
