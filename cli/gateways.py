"""`presence gateways`: the document that says which Exchange serves whom."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cli.document_lines import lines_told, read_gateways
from cli.pool_words import describe_pool
from cli.stacks import Stack, aws_errors_in_words, find_stack
from exchange.account.accounts import read_account
from exchange.endpoints import account_key
from exchange.gateway_documents import load_gateways_document, parse_gateways
from exchange.gateway_problems import GatewayProblem, GatewayProblems
from exchange.gateways import Gateway, GatewaysDocument, Side
from exchange.mailbox_access import FREE_BUSY_ONLY
from exchange.recipients import USUAL_RECIPIENTS
from exchange.tls.options import NO_EXCEPTIONS
from local.stack.tables import configuration_of, endpoints_of
from presence.clock import system_clock
from presence.current_document import StoredDocument
from presence.errors import ConfigurationError
from presence.instants import format_instant
from presence.tables.configuration import GATEWAYS


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    if arguments.action == "validate":
        _print(read_gateways(arguments.file))
        return 0
    if arguments.action == "put":
        return _put(arguments.file, arguments.stack)
    if arguments.action == "retry":
        return _retry(arguments.name, arguments.stack)
    return _show(arguments.stack, as_json=arguments.json)


def _put(path: Path, stack_name: str) -> int:
    with lines_told(path):
        content = load_gateways_document(path)
        document = parse_gateways(content)
    with aws_errors_in_words():
        stack = find_stack(stack_name)
        _require_secrets(stack, document.gateways)
        put = configuration_of(stack).put_document(GATEWAYS, content)
    _print(document)
    print(f"version {put.version} is in place; it is live within a minute")
    return 0


def _show(stack_name: str, *, as_json: bool) -> int:
    with aws_errors_in_words():
        stack = find_stack(stack_name)
        stored = _stored(stack)
        if as_json:
            print(json.dumps(stored.content, indent=2, ensure_ascii=False))
            return 0
        print(f"version {stored.version}")
        endpoints = endpoints_of(stack)
        problems = GatewayProblems(endpoints, system_clock)
        refused = problems.of_document()
        if refused is not None:
            print("the functions refuse this document, and go on with the last good one where they have it")
            _print_problem(refused)
        document = parse_gateways(stored.content)
        found = problems.of_gateways([gateway.name for gateway in document.gateways])
        pools = [line for each in document.gateways for line in describe_pool(each, endpoints, system_clock())]
    _print(document)
    for line in pools:
        print(line)
    for name, problem in found.items():
        print(f"gateway {name} can't be read")
        _print_problem(problem)
    return 0


def _retry(name: str, stack_name: str) -> int:
    """Let the account of a gateway that rests be tried at the next check, as if nobody had rejected it."""
    with aws_errors_in_words():
        stack = find_stack(stack_name)
        document = parse_gateways(_stored(stack).content)
        gateway = next((gateway for gateway in document.gateways if gateway.name == name), None)
        if gateway is None:
            known = ", ".join(gateway.name for gateway in document.gateways)
            raise ConfigurationError(f"there is no gateway {name!r} in the document of the stack; there are: {known}")
        endpoints = endpoints_of(stack)
        key = account_key(name, _current_version(stack, gateway))
        account = read_account(endpoints.get_many([key]).get(key))
        endpoints.delete([key])
        GatewayProblems(endpoints, system_clock).forget(name)
    if account.rejections:
        print(f"{_times(account.attempts)}; the account of gateway {name} is tried at the next check, by one reader")
    else:
        print(f"nothing was held against the account of gateway {name}; it is tried at the next check, by one reader")
    return 0


def _current_version(stack: Stack, gateway: Gateway) -> str:
    """Return the version of the gateway's secret that is in use; what stands in it is not looked at."""
    versions = _describe_secret(stack, gateway.credentials).get("VersionIdsToStages", {})
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), "")


def _times(attempts: int) -> str:
    return "it was rejected once" if attempts == 1 else f"it was rejected {attempts} times"


def _print_problem(problem: GatewayProblem) -> None:
    print(f"  since {format_instant(problem.since)}: {problem.code}: {problem.text}")
    print(f"  to do: {problem.remedy}")


def _require_secrets(stack: Stack, gateways: Iterable[Gateway]) -> None:
    """Refuse a document that names a secret which is not there; what stands in the secret is not looked at."""
    for reference in sorted({gateway.credentials for gateway in gateways}):
        _describe_secret(stack, reference)


def _describe_secret(stack: Stack, reference: str) -> Mapping[str, Any]:
    """Return what AWS tells of a secret without showing it. Raises `ConfigurationError` if it is not there."""
    name = stack.outputs["SecretPrefix"] + reference
    try:
        described: Mapping[str, Any] = stack.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ConfigurationError(
            f"the secret {name!r} is missing; make it with: aws secretsmanager create-secret --name {name} "
            "--secret-string file://SECRET.json"
        ) from error
    return described


def _stored(stack: Stack) -> StoredDocument:
    """Return the document of the stack. Raises `ConfigurationError` if there is none."""
    stored = configuration_of(stack).document(GATEWAYS)
    if stored is None:
        raise ConfigurationError("no gateways document has been put; put one with `presence gateways put FILE`")
    return stored


def _print(document: GatewaysDocument) -> None:
    for gateway in document.gateways:
        print(f"gateway {gateway.name}: {_found(gateway)}; {gateway.authentication}, secret {gateway.credentials}")
        served = ", ".join([*gateway.domains, *sorted(gateway.users)])
        print(f"  for {served}; {'a CA of its own' if gateway.ca else 'the CAs of the system'}")
        if gateway.mailboxes != FREE_BUSY_ONLY:
            said = "" if gateway.mailboxes.version is None else f"; Exchange {gateway.mailboxes.version}"
            print(f"  reads {gateway.mailboxes.in_words()}{said}")
        if gateway.recipients != USUAL_RECIPIENTS:
            print(f"  {gateway.recipients.in_words()}")
        if gateway.trusted_hosts:
            print(f"  credentials also to {', '.join(sorted(gateway.trusted_hosts))}")
        _print_autodiscover(gateway)
        if gateway.tls != NO_EXCEPTIONS:
            print(f"  permits {', '.join(gateway.tls.in_words())}")
    network = document.network
    if network.nameservers:
        print(f"name servers: {', '.join(map(str, network.nameservers))}")
    for asked, used in network.connect.items():
        print(f"connects to {used} for {asked}")
    if network.allow_loopback:
        print("targets on this machine are allowed")


def _print_autodiscover(gateway: Gateway) -> None:
    for domain, url in sorted(gateway.autodiscover_urls.items()):
        print(f"  {domain} by autodiscover at {url}")
    if gateway.prefer is not Side.EXTERNAL:
        print(f"  prefers the {gateway.prefer} URLs")


def _found(gateway: Gateway) -> str:
    if gateway.hosts:
        return f"ews at {', '.join(map(str, gateway.hosts))}"
    left_out = f" without {', '.join(sorted(gateway.skip))}" if gateway.skip else ""
    return f"autodiscover{left_out}"
