"""`presence users`: whose calendars a deployed stack reads."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import islice

from cli import audit
from cli.stacks import Stack, aws_errors_in_words, find_stack
from cli.user_list import ListedUser, read_user_list
from exchange.gateway_documents import parse_gateways
from exchange.gateways import GatewaysDocument
from exchange.recipients import USUAL_RECIPIENTS, RecipientKind
from local.stack.tables import configuration_of, presences_of, users_of
from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError, ProblemError
from presence.instants import format_instant
from presence.profile_documents import parse_profiles
from presence.profiles import BUILT_IN
from presence.records import PresenceRecord
from presence.tables.configuration import GATEWAYS
from presence.tables.users import AddressTaken, ScheduledUser, UserTable

_AT_ONCE = 100


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    wanted: list[ListedUser] = []
    if arguments.action == "load":
        wanted = read_user_list(arguments.file)
    elif arguments.action == "add":
        groups = tuple(arguments.group)
        wanted = [ListedUser(parse_smtp_address(address), arguments.profile, groups) for address in arguments.addresses]
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        users = users_of(stack)
        if arguments.action == "show":
            return _show(stack, users, only_problems=arguments.problems)
        if arguments.action == "remove":
            return _remove(users, arguments.addresses)
        stored = _stored_document(stack) if any(user.profile or user.kind for user in wanted) else None
        _refuse_unknown_profiles(stored, wanted)
        document = parse_gateways(stored) if stored is not None and any(user.kind for user in wanted) else None
        taken = [user for user in wanted if not _is_left_out(document, user)]
        return _add(users, taken, left_out=len(wanted) - len(taken))


def _stored_document(stack: Stack) -> Mapping[str, object] | None:
    """Return the stack's gateways document, unread; None if none has been put."""
    stored = configuration_of(stack).document(GATEWAYS)
    return None if stored is None else stored.content


def _refuse_unknown_profiles(stored: Mapping[str, object] | None, wanted: Sequence[ListedUser]) -> None:
    """Raise `ConfigurationError` if a profile stands in neither the product nor the stack's gateways document."""
    names = {user.profile for user in wanted if user.profile is not None}
    profiles = BUILT_IN if stored is None or not names else parse_profiles(stored)
    for name in sorted(names):
        profiles.named(name)


def _is_left_out(document: GatewaysDocument | None, listed: ListedUser) -> bool:
    """Tell, and say in a line, that an address is no mailbox, or of a kind that its gateway refuses.

    A directory lists all kinds side by side; that one is not wanted is no mistake in the list.
    """
    if listed.kind is None:
        return False
    if listed.kind is RecipientKind.NO_MAILBOX:
        print(f"{listed.address} left out: it is {listed.kind}")
        return True
    policy, gateway = USUAL_RECIPIENTS, "every gateway that does not say otherwise"
    if document is not None:
        try:
            serving = document.gateway_for(listed.address)
        except ProblemError:  # which its first check will record
            return False
        policy, gateway = serving.recipients, f"gateway {serving.name!r}"
    key = policy.key_that_refuses(listed.kind)
    if key is not None:
        print(f'{listed.address} left out: it is {listed.kind}, which {gateway} refuses ({key} = "refuse")')
    return key is not None


def _add(users: UserTable, wanted: Sequence[ListedUser], left_out: int = 0) -> int:
    """Add who is not there yet, and give those who are the profile and the groups that stand in the list."""
    added = changed = 0
    for listed in wanted:
        try:
            user = users.add(listed.address, listed.profile, groups=listed.groups or ())
        except AddressTaken:
            if _assign(users, listed):
                changed += 1
                print(f"{listed.address} is a user already; profile and groups are now as listed")
            else:
                print(f"{listed.address} is a user already")
        else:
            added += 1
            print(f"{user.address} added as {user.user_id}")
    there = len(wanted) - added
    print(
        f"{added} added, {there} were there already"
        + (f", {changed} of them changed" if changed else "")
        + (f", {left_out} left out" if left_out else "")
    )
    return 0


def _assign(users: UserTable, listed: ListedUser) -> bool:
    """Give a user what the list says of profile and groups, and leave what it does not say; tell if that changed it."""
    user = users.find(listed.address)
    if user is None:
        return False
    profile, groups = listed.assigned_to(user)
    if (profile, groups) == (user.profile, user.groups):
        return False
    users.assign(user.user_id, profile, groups)
    return True


def _remove(users: UserTable, addresses: Sequence[str]) -> int:
    found = []
    for address in addresses:
        user = users.find(address)
        if user is None:
            raise ConfigurationError(f"{address} is no user of this stack; nobody was removed")
        found.append(user)
    for user in found:
        users.remove(user)
        print(f"{user.address} removed; what was known of {user.user_id} stays in the table of presences")
    return 0


def _show(stack: Stack, users: UserTable, *, only_problems: bool) -> int:
    audit.record(stack, "list", audit.EVERYBODY)
    presences = presences_of(stack)
    every = users.every()
    count = shown = 0
    while batch := list(islice(every, _AT_ONCE)):
        count += len(batch)
        stored = presences.get_many([scheduled.user.user_id for scheduled in batch])
        for scheduled in batch:
            user_id = scheduled.user.user_id
            record = stored.found.get(user_id)
            if user_id in stored.malformed:
                print(f"{scheduled.user.address}  {user_id}  {stored.malformed[user_id]}")
            elif not only_problems or (record is not None and record.problem is not None):
                print(f"{scheduled.user.address}  {user_id}  {_state(scheduled, record)}")
            else:
                continue
            shown += 1
    print(f"{count} users" + (f", {shown} with a problem" if only_problems else ""))
    return 0


def _state(scheduled: ScheduledUser, record: PresenceRecord | None) -> str:
    words = []
    if not scheduled.enabled:
        words.append("switched off")
    if scheduled.paused_until is not None:
        words.append(f"paused until {format_instant(scheduled.paused_until)}")
    if record is None:
        words.append("not read yet")
        return ", ".join(words)
    until = "" if record.until is None else f" until {format_instant(record.until)}"
    words.append(f"{record.presence}{until}")
    if record.problem is not None:
        problem = record.problem.problem
        since = format_instant(record.problem.since)
        words.append(f"{problem.code} since {since}: {problem.text}. To do: {problem.remedy}")
    return ", ".join(words)
