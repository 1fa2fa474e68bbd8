"""`presence users log-name`: how log lines call somebody, and whose lines those of a name are.

Either tells who is behind a name, so it leaves a line in the audit trail first.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from cli import audit
from cli.stacks import AwsError, Stack, aws_errors_in_words, find_stack
from local.stack.tables import users_of
from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError
from presence.log_key import LogKey
from presence.log_names import LogNames, name_of_address, name_of_user
from presence.tables.users import UserTable


def run(arguments: Namespace) -> int:
    """Print the names of addresses, or the user behind a name."""
    addresses = [parse_smtp_address(address) for address in arguments.addresses]
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        users = users_of(stack)
        key = _key_of(stack)
        if arguments.who is not None:
            return _tell_who(stack, users, key, arguments.who)
        return _tell_names(stack, users, key, addresses)


def _tell_names(stack: Stack, users: UserTable, key: str, addresses: Sequence[str]) -> int:
    for address in addresses:
        user = users.find(address)
        if user is None:
            print(f"{address}: no user of this stack; {name_of_address(key, address)} where a text names the address")
            continue
        audit.record(stack, "log-name", user.user_id)
        names = f"{name_of_user(key, user.user_id)}, and {name_of_address(key, address)} where a text names the address"
        print(f"{address}: {names}")
    if (style := stack.outputs.get("LogNames")) != LogNames.HMAC:
        print(f"(lines since the stack was deployed with LogNames={style} name people otherwise)")
    return 0


def _tell_who(stack: Stack, users: UserTable, key: str, name: str) -> int:
    audit.record(stack, "log-name", audit.EVERYBODY, name=name)
    for scheduled in users.every():
        user = scheduled.user
        if name in {name_of_user(key, user.user_id), name_of_address(key, user.address)}:
            print(f"{name}: {user.address} ({user.user_id})")
            return 0
    print(f"{name}: no user of this stack; perhaps one who was removed, or the key is another since")
    return 1


def _key_of(stack: Stack) -> str:
    """Return the key of the stack. Raises `ConfigurationError` or `AwsError` if it can't be had."""
    secret = stack.outputs.get("LogNamesKeyId")
    if secret is None:
        raise ConfigurationError(f"the stack {stack.name!r} has no key of log names: deploy it again")
    key = LogKey(lambda: stack.client("secretsmanager"), secret)()
    if key is None:
        raise AwsError(f"the key {secret} can't be read; you need the right secretsmanager:GetSecretValue on it")
    return key
