"""One user of a deployed stack, looked at: with a line in the audit before anything is read of their presence."""

from __future__ import annotations

from cli import audit
from cli.stacks import Stack
from local.stack.tables import presences_of, users_of
from presence.errors import ConfigurationError
from presence.records import PresenceRecord, User


def user_at(stack: Stack, address: str) -> User:
    """Return the user of an SMTP address. Raises `ConfigurationError` if nobody has it."""
    user = users_of(stack).find(address)
    if user is None:
        raise ConfigurationError(f"{address} is no user of this stack")
    return user


def look_at(stack: Stack, address: str, action: str, **details: str) -> tuple[User, PresenceRecord | None]:
    """Return the user of an SMTP address and their record (None: not checked yet).

    `action` and `details` stand in the line of the audit. Raises `ConfigurationError` if nobody has the address, and
    what is wrong with the record if it can't be understood.
    """
    user = user_at(stack, address)
    audit.record(stack, action, user.user_id, **details)
    return user, presences_of(stack).get(user.user_id)
