"""`presence profile`: explain a profile, validate those of a document, try one on a calendar before it goes live."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cli.calendar_file import LONGEST, read_calendar_file
from cli.document_lines import read_gateways
from cli.given_rights import given_for_certain
from cli.presence_words import instant_of
from cli.profile_text import explained, fallbacks
from cli.stacks import aws_errors_in_words, find_stack
from cli.user_record import look_at
from cli.what_if import as_lines
from exchange.gateway_documents import parse_gateways
from exchange.gateways import GatewaysDocument
from local.stack.tables import configuration_of
from presence.clock import system_clock
from presence.errors import CalendarPresenceError, ConfigurationError
from presence.instants import format_instant
from presence.knowledge import Knowledge
from presence.profiles import BUILT_IN, DEFAULT, Profiles
from presence.rights import Given
from presence.standing_claims import still_standing
from presence.tables.configuration import GATEWAYS

_MOST_NAMES = 5


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says. Raises `ConfigurationError`."""
    if arguments.action == "validate":
        print("\n".join(_validated(read_gateways(arguments.file))))
    elif arguments.action == "explain":
        print("\n".join(explained(_profiles(arguments).named(arguments.name))))
    else:
        profile = _profiles(arguments).named(arguments.name)
        knowledge, at = _of_user(arguments) if arguments.calendar is None else _of_calendar(arguments)
        print("\n".join(as_lines(profile, knowledge, at)))
    return 0


def _of_calendar(arguments: Namespace) -> tuple[Knowledge, datetime]:
    """Return what a file says of a calendar, and from when on it is to be shown."""
    calendar = read_calendar_file(arguments.calendar)
    at = calendar.begins if arguments.at is None else _at(arguments.at, calendar.begins - LONGEST, calendar.ends)
    return calendar.knowledge(at), at


def _of_user(arguments: Namespace) -> tuple[Knowledge, datetime]:
    """Return what a stack knows of a user, and from when on it is to be shown; nobody is looked at without a line."""
    if arguments.stack is None:
        raise ConfigurationError("--address: say with --stack which stack has the user")
    now = system_clock()
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        user, record = look_at(stack, arguments.address, "profile try", profile=arguments.name)
    if record is None:
        raise CalendarPresenceError(f"nothing is known of {user.address} yet; see presence check")
    known_until = now if record.knowledge.calendar is None else record.knowledge.calendar.horizon
    if known_until < now:
        told = format_instant(known_until)
        raise CalendarPresenceError(f"the calendar of {user.address} was known until {told} only; see presence check")
    at = now if arguments.at is None else _at(arguments.at, now, known_until)
    return replace(record.knowledge, standing=still_standing(record.knowledge.standing, at)), at


def _profiles(arguments: Namespace) -> Profiles:
    """Return the profiles of the file or the stack that was named; the built-in ones if neither was."""
    if arguments.config is not None:
        return read_gateways(arguments.config).profiles
    if arguments.stack is None:
        return BUILT_IN
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        stored = configuration_of(stack).document(GATEWAYS)
    return BUILT_IN if stored is None else parse_gateways(stored.content).profiles


def _validated(document: GatewaysDocument) -> Iterator[str]:
    """Yield the profiles that the document defines or assigns, to whom, and what they can't know by which gateways."""
    profiles, by_given = document.profiles, _gateways_by_rights(document)
    assigned = {*profiles.users.values(), *profiles.groups.values(), *profiles.domains.values(), DEFAULT.name}
    for name, profile in profiles.by_name.items():
        if name in BUILT_IN.by_name and name not in assigned:
            continue
        yield f"profile {name}{' (built in)' if name in BUILT_IN.by_name else ''}: {_assigned(profiles, name)}"
        for given, gateways in by_given.items():
            if len(by_given) > 1:
                yield f"  by the gateway{'s' if len(gateways) > 1 else ''} {', '.join(gateways)}"
            yield from (f"  {line}" for line in fallbacks(profile, given))


def _gateways_by_rights(document: GatewaysDocument) -> Mapping[Given, Sequence[str]]:
    """Return the names of the gateways by what each is given for certain."""
    found: dict[Given, list[str]] = {}
    for gateway in document.gateways:
        found.setdefault(given_for_certain(gateway), []).append(gateway.name)
    return found


def _assigned(profiles: Profiles, name: str) -> str:
    """Say to whom a profile is assigned."""
    named = {"users": profiles.users, "groups": profiles.groups, "domains": profiles.domains}
    parts = [f"{kind} {_names(of, name)}" for kind, of in named.items() if name in of.values()]
    if name == DEFAULT.name and "*" not in profiles.domains:
        parts.append("all others")
    return f"for {'; '.join(parts)}" if parts else "for users on whom it stands"


def _names(assigned: Mapping[str, str], profile: str) -> str:
    names = [name for name, of in assigned.items() if of == profile]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _at(text: str, first: datetime, last: datetime) -> datetime:
    """Read an instant for which something is known of the calendar; beyond, what is shown would be made up."""
    at = instant_of("--at", text)
    if not first <= at <= last:
        raise ConfigurationError(f"--at: must lie from {format_instant(first)} to {format_instant(last)}")
    return at
