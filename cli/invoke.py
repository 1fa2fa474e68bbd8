"""`presence invoke`: one function, one test event, on this machine and without Docker."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from cli.workbench import Run, set_up_workbench
from presence.errors import ConfigurationError
from presence.instants import format_instant
from presence.records import PresenceRecord

_LONGEST_LOG = 30


def run(arguments: Namespace) -> int:
    """Run the function; exit code 1 if it raised. Raises `ConfigurationError` if the event is no JSON."""
    event = read_event(arguments.event)
    with set_up_workbench() as workbench:
        done = workbench.run(arguments.function, event)
    print("\n".join(as_lines(done)))
    return 0 if done.error is None else 1


def read_event(path: Path) -> object:
    """Return the event in a file. Raises `ConfigurationError` if it can't be read."""
    try:
        event: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no JSON: {error}") from error
    return event


def as_lines(done: Run) -> Iterator[str]:
    """Yield what a function did, in lines of text."""
    if done.error is None:
        yield f"Answer: {json.dumps(done.answer)}"
    else:
        yield f"Error: {done.error}"
    yield ""
    yield "Log"
    for line in done.log[-_LONGEST_LOG:]:
        yield f"  {line}"
    yield ""
    yield f"Written: {len(done.written) or 'nothing'}"
    for record in done.written:
        yield f"  {_record(record)}"
    yield ""
    total = sum(queued.count for queued in done.queued.values())
    yield f"Queued: {total or 'nothing'}"
    for name, queued in done.queued.items():
        for message in queued.messages:
            yield f"  {name}: {message}"
        if queued.delayed:
            yield f"  {name}: {queued.delayed} held back until they are due"
    yield ""
    yield f"Published: {len(done.published) or 'nothing'}"
    for event in done.published:
        yield f"  {json.dumps(event, ensure_ascii=False)}"
    if done.recorded:
        yield ""
        yield f"Recorded in the history: {len(done.recorded)}"
        for entry in done.recorded:
            yield f"  {entry.user_id}, version {entry.version}: {entry.presence}, by the rule {entry.rule}"


def _record(record: PresenceRecord) -> str:
    until = "" if record.until is None else f" until {format_instant(record.until)}"
    words = f"{record.address}: {record.presence}{until}, version {record.version}, by the rule {record.reason.rule}"
    if record.problem is not None:
        problem = record.problem.problem
        return f"{words}; {problem.code}: {problem.text}. To do: {problem.remedy}"
    return words
