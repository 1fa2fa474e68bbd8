"""`presence check`: read one calendar from Exchange, without AWS, and say what comes of it.

The code is that of the deployed functions: the reader finds and reads the mailbox, the decision after a first reading
makes the record. Only where things are kept differs: secrets in a folder, endpoints in memory, the record nowhere.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from cli.arguments import secrets_folder
from cli.certificates import SeenCertificates
from cli.document_lines import read_gateways
from cli.explanation import Explanation, as_json, as_lines
from cli.presence_words import instant_of
from exchange.account.credentials import FileSecrets
from exchange.endpoints import MemoryEndpointCache
from exchange.gateways import GatewaysDocument
from exchange.mailbox_access import FREE_BUSY_ONLY, MailboxAccess
from exchange.reader import ExchangeReader, ReadTimes
from presence.addresses import parse_smtp_address
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading
from presence.checking import window_around
from presence.clock import system_clock
from presence.errors import ConfigurationError, Problem, ProblemError
from presence.profiles import Assignment

HORIZON = timedelta(hours=24)
"""How far ahead the calendar is read: the template's default."""


def run(arguments: Namespace) -> int:
    """Check one mailbox; return 0 if its calendar was read, 1 if not. Raises `ConfigurationError`."""
    address = parse_smtp_address(arguments.address)
    at = system_clock() if arguments.at is None else _instant(arguments.at)
    document = read_gateways(arguments.config)
    certificates = SeenCertificates()
    reader = reader_of_file(arguments, document, [address], certificates)
    # What the document assigns: groups and a profile of one's own stand on a user of a stack.
    explanation = replace(
        explain(reader, address, at, certificates, document.profiles.profile_for(address)),
        access=_access(document, address),
    )
    if arguments.json:
        print(json.dumps(as_json(explanation), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_lines(explanation)))
    return 0 if explanation.problem is None else 1


def reader_of_file(
    arguments: Namespace, document: GatewaysDocument, addresses: Iterable[str], certificates: SeenCertificates
) -> ExchangeReader:
    """Return a reader for these addresses, with the secrets that lie beside the document or where it was told.

    Raises `ConfigurationError` if a secret that they need can't be used.
    """
    secrets = FileSecrets(secrets_folder(arguments))
    for address in addresses:
        _require_secret(document, secrets, address)
    return ExchangeReader(
        gateways=document,
        secrets=secrets,
        cache=MemoryEndpointCache(system_clock),
        clock=system_clock,
        times=ReadTimes(arguments.connect_timeout, arguments.read_timeout),
        watch=certificates,
    )


def explain(
    reader: ExchangeReader, address: str, at: datetime, certificates: SeenCertificates, assignment: Assignment
) -> Explanation:
    """Find the mailbox, read its calendar around an instant (UTC) and its automatic replies, and decide what is shown.

    `certificates` is what watches the reader, `assignment` the profile by which it is decided.
    """
    resolution = reader.resolve(address)
    outcome: CalendarReading | Problem
    replies: AutomaticReplies | Problem | None = None
    if resolution.problem is not None:
        outcome = resolution.problem
    else:
        outcome = reader.read_calendars([address], window_around(at, HORIZON))[address]
        if isinstance(outcome, CalendarReading):
            replies = reader.read_automatic_replies([address]).get(address)
    return Explanation(address, at, resolution, outcome, certificates.all(), system_clock(), assignment, replies)


def _instant(text: str) -> datetime:
    at = instant_of("--at", text)
    try:
        window_around(at, HORIZON)
    except OverflowError as error:
        raise ConfigurationError(f"--at: {text!r} is outside the years that a calendar can hold") from error
    return at


def _access(document: GatewaysDocument, address: str) -> MailboxAccess:
    try:
        return document.gateway_for(address).mailboxes
    except ProblemError:
        return FREE_BUSY_ONLY


def _require_secret(document: GatewaysDocument, secrets: FileSecrets, address: str) -> None:
    """Raise `ConfigurationError` if the secret of the mailbox's gateway can't be used."""
    try:
        gateway = document.gateway_for(address)
    except ProblemError:  # that no gateway serves the address is what the check will say
        return
    secrets.credentials(gateway.credentials)
