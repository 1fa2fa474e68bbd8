"""Runs the rows beside each other, prints the table, and says whether all is as it should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from local.faults.judging import Seen, judge
from local.faults.places import USER_IDS, accounts
from local.faults.playing import NotPlayedError, play
from local.faults.rows import Row
from local.faults.secrecy import Secrets, everything_logged
from local.faults.table import Outcome, last_line, summary, table_of
from local.virtual.cloud import CHECKOUT, VirtualCloud
from presence.observing import Observer

LOG = CHECKOUT / "build" / "faults.log"
_AT_A_TIME = 8

Prepare = Callable[[VirtualCloud], None]


def run(rows: Sequence[Row], prepare: Prepare | None = None, log: Path = LOG) -> int:
    """Play the rows, print the table and what was not as expected; return 0 if all is as it should be, else 1.

    `prepare` is called with the functions' cloud of each row before anything happens in it. What is logged meanwhile
    is in `log` afterwards, and must hold nothing secret.
    """
    started = time.monotonic()
    outcomes, leaks = outcomes_of(rows, prepare, log)
    print("\n".join(table_of(outcomes)), end="\n\n")
    for text in [*summary(outcomes), *(f"leaked: {leak}" for leak in leaks)]:
        print(text)
    print(f"{time.monotonic() - started:.0f} s; all that was logged is in {log}")
    print(last_line(outcomes))
    return 0 if not leaks and all(outcome.as_it_should_be for outcome in outcomes) else 1


def outcomes_of(rows: Sequence[Row], prepare: Prepare | None, log: Path) -> tuple[list[Outcome], list[str]]:
    """Play the rows and return what came of each, and which secrets stand in the log."""
    secrets = Secrets(
        accounts(), [*USER_IDS, *USER_IDS.values()]
    )  # before there are threads: two at once would make up two passwords
    with everything_logged(log), ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = list(pool.map(partial(_outcome, prepare=prepare), rows))
    with log.open(encoding="utf-8") as lines:
        return outcomes, list(secrets.found_in(lines, f"line {{}} of {log.name}"))


def _outcome(row: Row, prepare: Prepare | None) -> Outcome:
    try:
        seen = _played(row, prepare)
    except NotPlayedError as error:
        return Outcome(row, None, (str(error),))
    except Exception as error:  # noqa: BLE001  one row must not cost the others
        return Outcome(row, None, (f"playing it failed with {type(error).__name__}: {error}",))
    return Outcome(row, seen, judge(row.expect, seen))


def _played(row: Row, prepare: Prepare | None) -> Seen:
    """Play a row, and once more if it could not be played: a machine that stands still fails before the fault does."""
    try:
        return play(row, Observer, prepare)
    except NotPlayedError:
        return play(row, Observer, prepare)
