"""`presence history`: what was shown of somebody, and why, as long as the stack keeps it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import timedelta

from cli import audit
from cli.presence_words import instant_of
from cli.stacks import Stack, aws_errors_in_words, find_stack
from cli.user_record import user_at
from local.stack.tables import history_of
from presence.clock import system_clock
from presence.errors import ConfigurationError
from presence.freshness import Freshness
from presence.history import HistoryEntry, shown_between
from presence.instants import format_instant


def run(arguments: Namespace) -> int:
    """Print the history of a user; exit code 1 if some of it can't be read.

    Raises `ConfigurationError` if nobody has the address, or the stack keeps no history.
    """
    start = None if arguments.start is None else instant_of("--from", arguments.start)
    end = None if arguments.end is None else instant_of("--to", arguments.end)
    if start is not None and end is not None and end <= start:
        raise ConfigurationError("--to: has to be later than --from")
    now = system_clock()
    if start is not None and start > now:
        raise ConfigurationError("--from: has to be in the past; presence why ADDRESS --at TIME tells of what comes")
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        kept = kept_for(stack)
        if not kept:
            raise ConfigurationError(
                f"the stack {stack.name!r} keeps no history; to switch it on, deploy it with the parameter HistoryDays "
                "from 1 to 365 days: sam deploy --parameter-overrides HistoryDays=30. It begins then"
            )
        user = user_at(stack, arguments.address)
        asked = {name: text for name, text in (("from", arguments.start), ("to", arguments.end)) if text is not None}
        audit.record(stack, "history", user.user_id, **asked)
        stored = history_of(stack).of_user(user.user_id, now)
    # Where the days were lowered since it was recorded, what is older counts as gone, though its item is still there.
    begin = now - kept if start is None else max(start, now - kept)
    shown = [entry for entry in shown_between(stored.entries, begin, end) if entry.at > now - kept]
    print(f"{user.address} ({user.user_id}), kept for {kept.days} days")
    print("\n".join(lines_of(shown)))
    for error in stored.malformed:
        print(error)
    return 1 if stored.malformed else 0


def kept_for(stack: Stack) -> timedelta:
    """Return for how long the stack keeps history; no time at all if it does not, or is too old to know of it."""
    return timedelta(days=int(stack.outputs.get("HistoryDays", "0")))


def lines_of(entries: Sequence[HistoryEntry]) -> Iterator[str]:
    """Yield a line for each version, by version, and one wherever some are missing in between."""
    if not entries:
        yield "nothing that was shown in this time is on record"
    last: int | None = None
    for entry in entries:
        if last is not None and entry.version > last + 1:
            yield _missing(last + 1, entry.version - 1)
        yield _line(entry)
        last = entry.version


def _line(entry: HistoryEntry) -> str:
    until = "" if entry.until is None else f" until {format_instant(entry.until)}"
    shown = f"{entry.presence} since {format_instant(entry.since)}{until}"
    words = [
        f"{format_instant(entry.at)}  version {entry.version}  {shown}",
        f"was {entry.previous}",
        f"why: {entry.source}, rule {entry.rule}",
    ]
    if entry.freshness is not Freshness.CURRENT:
        words.append(f"freshness: {entry.freshness}")
    if entry.note is not None:
        words.append(f"note: {entry.note}")
    return "; ".join(words)


def _missing(first: int, last: int) -> str:
    which = f"version {first} is" if first == last else f"versions {first} to {last} are"
    return f"  {which} missing: could not be recorded (see the alarm HistoryFailures)"
