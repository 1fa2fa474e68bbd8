"""What must be in no log, record, message and event, and where it was found all the same."""

from __future__ import annotations

import base64
import contextlib
import itertools
import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from local.exchange.accounts import Account
from local.exchange.organisation import LOCATION_CANARY, REPLY_CANARY, SUBJECT_CANARY
from local.faults.places import COOKIE_CANARY, PASSWORD_CANARY

_TALKATIVE = ("exchangelib", "spnego", "requests_ntlm", "urllib3", "requests", "dns")
_FORMAT = "%(levelname)s %(name)s %(message)s"
# The beginning of every NTLM message (MS-NLMP 2.2.1), as it stands in headers and as a library may print it.
_NTLM = (base64.b64encode(b"NTLMSSP\x00\x00")[:11].decode(), "NTLMSSP")
_LOG_ALL = {"POWERTOOLS_LOG_LEVEL": "DEBUG"}
_RUNS = itertools.count(1)


class Secrets:
    """What is secret in a run: each a pattern with a name that may be shown.

    `people` are the addresses and ids of those who are not named where it is looked for.
    """

    def __init__(self, accounts: Sequence[Account], people: Sequence[str] = ()) -> None:
        words: dict[str, Sequence[str]] = {
            "a password": [PASSWORD_CANARY, *(account.password for account in accounts)],
            "a password, encoded": [*(_basic(account) for account in accounts)],
            "an NTLM message": _NTLM,
            "the subject of a meeting": [SUBJECT_CANARY],
            "the location of a meeting": [LOCATION_CANARY],
            "an automatic reply": [REPLY_CANARY],
            "a cookie": [COOKIE_CANARY],
            "an address or a user id": people,
        }
        self._patterns = {
            name: re.compile("|".join(re.escape(word) for word in each), re.IGNORECASE)
            for name, each in words.items()
            if each
        }
        self._patterns["an Authorization header"] = re.compile(
            r"authorization['\"]?\s*[:=,]\s*b?['\"]?(basic|ntlm|negotiate)\b", re.IGNORECASE
        )

    def found_in(self, texts: Iterable[str], where: str) -> Iterator[str]:
        """Yield in words what is found in some texts, each secret once; never the secret itself.

        `where` says what the texts are; `{}` in it stands for the number of the text, from 1 on.
        """
        left = dict(self._patterns)
        for number, text in enumerate(texts, start=1):
            for name in [name for name, pattern in left.items() if pattern.search(text)]:
                del left[name]
                yield f"{name} stands in {where.format(number)}"


def _basic(account: Account) -> str:
    return base64.b64encode(f"{account.username}:{account.password}".encode()).decode().rstrip("=")


@contextmanager
def everything_logged(path: Path) -> Iterator[None]:
    """Write what all loggers say, from DEBUG on, and what is printed to either stream, into a file meanwhile.

    Loggers that are known to talk are told to say all they can: that they don't is for the product to see to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Powertools keeps a logger for each service, with the stream that stood for standard output when it was made.
    environment = {**_LOG_ALL, "POWERTOOLS_SERVICE_NAME": f"faults-{next(_RUNS)}"}
    root = logging.getLogger()
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = root.level, [(logger.level, logger.propagate) for logger in loggers]
    with path.open("w", encoding="utf-8", buffering=1) as file, contextlib.ExitStack() as stack:
        stack.enter_context(redirect_stdout(file))
        stack.enter_context(redirect_stderr(file))
        stack.enter_context(mock.patch.dict(os.environ, environment))
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter(_FORMAT))
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
            logger.propagate = True
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(before[0])
            for logger, (level, propagate) in zip(loggers, before[1], strict=True):
                logger.setLevel(level)
                logger.propagate = propagate
