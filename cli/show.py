"""`presence show`: what is shown of somebody now, from the table; also as other systems would show it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from cli.record_explanation import in_words
from cli.stacks import aws_errors_in_words, find_stack
from cli.user_record import look_at
from presence.clock import system_clock
from presence.freshness import Freshness
from presence.instants import format_instant
from presence.records import PresenceRecord
from presence.renderings import World, render
from presence.renderings.labels import Language, presence_label


def run(arguments: Namespace) -> int:
    """Print what is shown; exit code 1 if nothing is known yet. Raises `ConfigurationError` if nobody has the address.

    `arguments.world` is one of `World` (None: all that is known of the moment), `arguments.language` one of `Language`.
    """
    language = Language(arguments.language)
    with aws_errors_in_words():
        user, record = look_at(find_stack(arguments.stack), arguments.address, "show")
    if record is None:
        print(f"{user.address}: not checked yet, so nothing is known and nothing is shown")
        return 1
    if arguments.world is None:
        print("\n".join(lines_of(record, language)))
        return 0
    world = World(arguments.world)
    print(
        render(
            world,
            record.presence,
            address=record.address,
            since=record.since,
            until=record.until,
            language=language,
        )
    )
    return 0


def lines_of(record: PresenceRecord, language: Language) -> Iterator[str]:
    """Yield the presence of a record, since when and until when, and why."""
    yield f"{record.address}: {record.presence} ({presence_label(record.presence, language)})"
    until = "" if record.until is None else f" until {format_instant(record.until)}"
    yield f"  since {format_instant(record.since)}{until}"
    yield f"  because: {in_words(record.reason.rule)} (source {record.reason.source}, rule {record.reason.rule})"
    if record.freshness is not Freshness.CURRENT:
        read = "never" if record.read_at is None else f"last at {format_instant(record.read_at)}"
        yield f"  {record.freshness}: the calendar was read {read}"
    if record.note is not None:
        yield f"  beside it: {in_words(record.note)}"
    use, now = record.knowledge.use, system_clock()
    if not use.on:
        yield "  the calendar is switched off"
    elif use.paused_until is not None and not use.allows(now):
        yield f"  the calendar is paused until {format_instant(use.paused_until)}"
    if record.reminders.before is not None:
        yield f"  a reminder {record.reminders.before.total_seconds() / 60:g} minutes before each meeting"
