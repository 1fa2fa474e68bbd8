"""`presence why`: the decision about somebody's presence, in words, from the table alone."""

from __future__ import annotations

from argparse import Namespace

from cli.presence_words import instant_of
from cli.record_explanation import why_lines
from cli.stacks import aws_errors_in_words, find_stack
from cli.user_record import look_at
from presence.clock import system_clock
from presence.settings import ApplyTransitionsSettings


def run(arguments: Namespace) -> int:
    """Print why the user is, or will be, shown as they are. Raises `ConfigurationError` if nobody has the address."""
    now = system_clock()
    at = now if arguments.at is None else instant_of("--at", arguments.at)
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        user, record = look_at(stack, arguments.address, "why")
        # What comes of a record by itself is told by the rules of the function that applies it.
        rules = ApplyTransitionsSettings.from_env(stack.variables_of("apply_transitions")).rules
    if record is None:
        print(f"{user.address} ({user.user_id}): not checked yet, so nothing is known and nothing is published")
        return 0
    print("\n".join(why_lines(record, at, now, rules)))
    return 0
