"""`presence doctor`: whether Exchange lets mailboxes be read, and whether the rights given fit their profiles.

It reads as `presence check` does, and tells the verdicts alone: neither entries nor how a mailbox was found.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from cli.certificates import SeenCertificates
from cli.check import explain, reader_of_file
from cli.document_lines import read_gateways
from cli.explanation import Explanation, problem_lines
from cli.given_rights import given_by_answers
from cli.profile_text import excesses, fallbacks
from exchange.gateways import GatewaysDocument
from exchange.reader import ExchangeReader
from presence.addresses import parse_smtp_address
from presence.clock import system_clock
from presence.errors import Problem


def run(arguments: Namespace) -> int:
    """Look at each mailbox; return 0 if all calendars were read, 1 if not. Raises `ConfigurationError`."""
    addresses = list(dict.fromkeys(map(parse_smtp_address, arguments.addresses)))
    document = read_gateways(arguments.config)
    certificates = SeenCertificates()
    reader = reader_of_file(arguments, document, addresses, certificates)
    all_read = True
    for address in addresses:
        assignment = document.profiles.profile_for(address)
        explanation = explain(reader, address, system_clock(), certificates, assignment)
        print(address)
        for line in _verdict(explanation, document, reader):
            print(f"  {line}", flush=True)
        all_read = all_read and explanation.problem is None
    return 0 if all_read else 1


def _verdict(explanation: Explanation, document: GatewaysDocument, reader: ExchangeReader) -> Iterator[str]:
    """Yield whether the mailbox was read, what its profile can't know and what the account does not need."""
    reading, replies, assignment = explanation.outcome, explanation.replies, explanation.assignment
    if isinstance(reading, Problem):
        yield from problem_lines(reading)
        return
    gateway = document.gateway_for(explanation.address)
    yield f"Read: {gateway.mailboxes.in_words()}, from {reading.endpoint}, by the gateway {gateway.name}"
    if isinstance(replies, Problem):
        yield "Automatic replies: not known"
        yield from (f"  {line}" for line in problem_lines(replies))
    given = given_by_answers(gateway, reading, replies, reader.offers_mail_tips)
    yield f"Profile {assignment.profile.name}: {assignment.reason}"
    yield from fallbacks(assignment.profile, given)
    yield from excesses(assignment.profile, given)
