"""`presence user export|erase`: all that a stack stores of one person, to hand it over or to remove it."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli import audit
from cli.stacks import Stack, aws_errors_in_words, find_stack
from exchange.endpoints import mailbox_key, placement_key
from local.stack.tables import configuration_of, endpoints_of, history_of, presences_of
from presence.clock import system_clock
from presence.erasing import Erased, Erasure
from presence.errors import ConfigurationError
from presence.instants import format_instant
from presence.tables.configuration import GATEWAYS
from presence.tables.personal import Person, PersonalItems, PersonalTables

_OWNER_ONLY = 0o600
_NOBODY = "none"
"""Stands for a user id in the audit where an address is nobody's any more, and only a mailbox was remembered."""


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        items = _items(stack)
        person = items.find(arguments.address)
        held = _stored(stack, items, person)
        if not any(held[name] for name in ("users", "presences", "history", "endpoints")):
            raise ConfigurationError(f"nothing is stored of {person.address} in the stack {stack.name!r}")
        if arguments.action == "export":
            return _export(stack, person, held, arguments.output)
        return _erase(stack, items, person, asked=not arguments.yes)


def _export(stack: Stack, person: Person, held: Mapping[str, object], output: Path | None) -> int:
    document = {
        "schemaVersion": 1,
        "exportedAt": format_instant(system_clock()),
        "stack": stack.name,
        "address": person.address,
        **held,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    if output is None:
        _audit(stack, "export", person)
        print(text)
        return 0
    try:
        # A new file: what is there may be open to others, and be somebody's.
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        raise ConfigurationError(f"{output}: is there already; name a file that is not") from error
    except OSError as error:
        raise ConfigurationError(f"{output}: can't be written ({error.strerror})") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            _audit(stack, "export", person)
            file.write(text + "\n")
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    print(f"{output}: all that is stored of {person.address}, readable by you alone")
    return 0


def _erase(stack: Stack, items: PersonalItems, person: Person, *, asked: bool) -> int:
    if asked and not _confirmed(person):
        print("nothing was removed")
        return 1
    _audit(stack, "erase", person)
    erasure = Erasure(
        items=items,
        presences=presences_of(stack),
        history=history_of(stack),
        endpoints=endpoints_of(stack),
        clock=system_clock,
    )
    erased = erasure.run(person, _endpoint_keys(person))
    print("\n".join(_told(person, erased)))
    for place in _mentions(stack, person):
        print(f"the gateways document names the address at {place}: take it out, and put the document again")
    return 0


def _told(person: Person, erased: Erased) -> Iterator[str]:
    yield f"{person.address} was erased: {', '.join(person.user_ids) or 'no user id'}"
    yield f"  table of users: {erased.users + erased.addresses} items"
    yield f"  table of presences: {erased.records} items, published as unknown before: {erased.published_unknown}"
    yield f"  history: {erased.history} items"
    yield f"  table of endpoints: {erased.endpoints} items"


def _confirmed(person: Person) -> bool:
    try:
        answer = input(f"Erase all that is stored of {person.address}? It can't be undone. Type the address to go on: ")
    except EOFError as error:
        print()
        raise ConfigurationError("nobody is there to ask, so nothing was removed: say --yes") from error
    return answer.strip().lower() == person.address


def _stored(stack: Stack, items: PersonalItems, person: Person) -> dict[str, list[object]]:
    """Return what is stored of a person, item by item, under the names of the tables."""
    now = system_clock()
    return {
        "users": list(items.of_users(person)),
        "presences": list(items.of_presences(person)),
        "history": list(items.of_history(person, now)),
        "endpoints": list(items.of_endpoints(_endpoint_keys(person), now)),
        "gatewaysDocument": list(_mentions(stack, person)),
    }


def _mentions(stack: Stack, person: Person) -> Iterator[str]:
    """Yield where the gateways document names the address: an operator wrote it there, and has to take it out."""
    document = configuration_of(stack).document(GATEWAYS)
    if document is not None:
        yield from _places(document.content, person.address, "")


def _places(value: object, address: str, path: str) -> Iterator[str]:
    if isinstance(value, str) and value.strip().lower() == address:
        yield path
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            if str(key).strip().lower() == address:
                yield here
            yield from _places(inner, address, here)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, address, f"{path}[{index}]")


def _items(stack: Stack) -> PersonalItems:
    tables = PersonalTables(
        users=stack.outputs["UserTableName"],
        presences=stack.outputs["PresenceTableName"],
        history=stack.outputs["HistoryTableName"],
        endpoints=stack.outputs["EndpointTableName"],
    )
    return PersonalItems(stack.client("dynamodb"), tables)


def _endpoint_keys(person: Person) -> tuple[str, ...]:
    return (mailbox_key(person.address), placement_key(person.address))


def _audit(stack: Stack, action: str, person: Person) -> None:
    for user_id in person.user_ids or (_NOBODY,):
        audit.record(stack, action, user_id)
