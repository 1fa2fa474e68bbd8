"""The accounts that may sign in to the simulated organisation, and how pyspnego's acceptor learns of them."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CREDENTIAL_FILE = "NTLM_USER_FILE"


@dataclass(frozen=True, slots=True)
class Account:
    r"""An account: `reference` is the name of the secret that holds it, `username` is `DOMAIN\user` or a UPN.

    `may_impersonate` stands for the role ApplicationImpersonation; `address` is its own mailbox, if it has one.
    """

    reference: str
    username: str
    password: str = field(repr=False)
    address: str | None = None
    may_impersonate: bool = False

    def __post_init__(self) -> None:
        if ":" in self.username + self.password or "\n" in self.username + self.password:
            # Fields of the acceptor's credential file are separated by colons, its entries by line ends.
            raise ValueError(f"account {self.reference}: neither name nor password may hold a colon or a line end")

    def secret(self) -> dict[str, str]:
        """Return what the operator stores as this account's secret."""
        return {"username": self.username, "password": self.password}

    def is_named(self, username: str) -> bool:
        """Tell whether somebody who gives this name means this account; Windows compares without case."""
        return username.lower() == self.username.lower()


class _CredentialFile:
    """The acceptor's list of accounts.

    pyspnego looks for it in the environment, which a process has once; so all simulators of a process share one file.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_use: Counter[tuple[str, str]] = Counter()
        self._folder: Path | None = None
        self._before: str | None = None

    def add(self, accounts: Iterable[Account]) -> None:
        with self._lock:
            wanted = self._in_use + Counter((account.username, account.password) for account in accounts)
            names = Counter(username.lower() for username, _ in wanted)
            if twice := [name for name, count in names.items() if count > 1]:
                raise ValueError(f"{twice[0]} has two passwords in this process: give it another name in one simulator")
            self._in_use = wanted
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="simulated-exchange-"))
                self._before = os.environ.get(CREDENTIAL_FILE)
                os.environ[CREDENTIAL_FILE] = str(self._folder / "accounts")
            self._write(self._folder)

    def remove(self, accounts: Iterable[Account]) -> None:
        with self._lock:
            self._in_use -= Counter((account.username, account.password) for account in accounts)
            if self._folder is None:
                return
            if self._in_use:
                self._write(self._folder)
                return
            if self._before is None:
                del os.environ[CREDENTIAL_FILE]
            else:
                os.environ[CREDENTIAL_FILE] = self._before
            shutil.rmtree(self._folder)
            self._folder = None

    def _write(self, folder: Path) -> None:
        new = folder / "accounts.new"
        new.touch(mode=0o600)
        new.write_text("".join(f"{_domain_and_user(name)}:{password}\n" for name, password in self._in_use))
        # Replaced in one step, because connections read it at any time.
        new.replace(folder / "accounts")


def _domain_and_user(username: str) -> str:
    domain, _, user = username.rpartition("\\")
    return f"{domain}:{user}"


credential_file = _CredentialFile()
