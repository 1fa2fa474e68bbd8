"""One user of a deployed stack, looked at: with a line in the audit before anything is read of their presence."""

from __future__ import annotations

from cli import audit
from cli.stacks import Stack
from presence.errors import ConfigurationError
from presence.records import PresenceRecord, User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable


def look_at(stack: Stack, address: str, action: str, **details: str) -> tuple[User, PresenceRecord | None]:
    """Return the user of an SMTP address and their record (None: not checked yet).

    `action` and `details` stand in the line of the audit. Raises `ConfigurationError` if nobody has the address, and
    what is wrong with the record if it can't be understood.
    """
    dynamodb = stack.client("dynamodb")
    user = UserTable(dynamodb, stack.outputs["UserTableName"]).find(address)
    if user is None:
        raise ConfigurationError(f"{address} is no user of this stack")
    audit.record(stack, action, user.user_id, **details)
    stored = PresenceTable(dynamodb, stack.outputs["PresenceTableName"], shards=1).get_many([user.user_id])
    if user.user_id in stored.malformed:
        raise stored.malformed[user.user_id]
    return user, stored.found.get(user.user_id)
