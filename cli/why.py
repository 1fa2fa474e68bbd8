"""`presence why`: the decision about somebody's presence, in words, from the table alone."""

from __future__ import annotations

from argparse import Namespace

from cli import audit
from cli.record_explanation import why_lines
from cli.stacks import aws_errors_in_words, find_stack
from presence.clock import system_clock
from presence.errors import ConfigurationError
from presence.instants import parse_instant
from presence.settings import ApplyTransitionsSettings
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable


def run(arguments: Namespace) -> int:
    """Print why the user is, or will be, shown as they are. Raises `ConfigurationError` if nobody has the address."""
    now = system_clock()
    try:
        at = now if arguments.at is None else parse_instant(arguments.at)
    except ValueError as error:
        raise ConfigurationError(f"--at: {error}") from error
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        dynamodb = stack.client("dynamodb")
        user = UserTable(dynamodb, stack.outputs["UserTableName"]).find(arguments.address)
        if user is None:
            raise ConfigurationError(f"{arguments.address} is no user of this stack")
        audit.record(stack, "why", user.user_id)
        stored = PresenceTable(dynamodb, stack.outputs["PresenceTableName"], shards=1).get_many([user.user_id])
        # What comes of a record by itself is told by the rules of the function that applies it.
        rules = ApplyTransitionsSettings.from_env(stack.variables_of("apply_transitions")).rules
    if user.user_id in stored.malformed:
        raise stored.malformed[user.user_id]
    record = stored.found.get(user.user_id)
    if record is None:
        print(f"{user.address} ({user.user_id}): not checked yet, so nothing is known and nothing is published")
        return 0
    print("\n".join(why_lines(record, at, now, rules)))
    return 0
