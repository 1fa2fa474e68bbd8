"""`presence gateways`: the document that says which Exchange serves whom."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path

from botocore.exceptions import ClientError

from cli.stacks import Stack, aws_errors_in_words, find_stack
from exchange.gateway_documents import load_gateways_document, parse_gateways
from exchange.gateways import Gateway, GatewaysDocument
from exchange.mailbox_access import FREE_BUSY_ONLY
from exchange.recipients import USUAL_RECIPIENTS
from exchange.tls_options import NO_EXCEPTIONS
from presence.errors import ConfigurationError
from presence.tables.configuration import GATEWAYS, ConfigTable


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    if arguments.action == "validate":
        _print(parse_gateways(load_gateways_document(arguments.file)))
        return 0
    if arguments.action == "put":
        return _put(arguments.file, arguments.stack)
    return _show(arguments.stack, as_json=arguments.json)


def _put(path: Path, stack_name: str) -> int:
    content = load_gateways_document(path)
    document = parse_gateways(content)
    with aws_errors_in_words():
        stack = find_stack(stack_name)
        _require_secrets(stack, document.gateways)
        put = _table(stack).put_document(GATEWAYS, content)
    _print(document)
    print(f"version {put.version} is in place; it is live within a minute")
    return 0


def _show(stack_name: str, *, as_json: bool) -> int:
    with aws_errors_in_words():
        stored = _table(find_stack(stack_name)).document(GATEWAYS)
    if stored is None:
        raise ConfigurationError("no gateways document has been put; put one with `presence gateways put FILE`")
    if as_json:
        print(json.dumps(stored.content, indent=2, ensure_ascii=False))
        return 0
    print(f"version {stored.version}")
    _print(parse_gateways(stored.content))
    return 0


def _require_secrets(stack: Stack, gateways: Iterable[Gateway]) -> None:
    """Refuse a document that names a secret which is not there; what stands in the secret is not looked at."""
    client = stack.client("secretsmanager")
    for reference in sorted({gateway.credentials for gateway in gateways}):
        name = stack.outputs["SecretPrefix"] + reference
        try:
            client.describe_secret(SecretId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise ConfigurationError(
                f"the secret {name!r} is missing; make it with: aws secretsmanager create-secret --name {name} "
                "--secret-string file://SECRET.json"
            ) from error


def _table(stack: Stack) -> ConfigTable:
    return ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"])


def _print(document: GatewaysDocument) -> None:
    for gateway in document.gateways:
        print(f"gateway {gateway.name}: {_found(gateway)}; {gateway.authentication}, secret {gateway.credentials}")
        print(f"  for {', '.join(gateway.domains)}; {'a CA of its own' if gateway.ca else 'the CAs of the system'}")
        if gateway.mailboxes != FREE_BUSY_ONLY:
            said = "" if gateway.mailboxes.version is None else f"; Exchange {gateway.mailboxes.version}"
            print(f"  reads {gateway.mailboxes.in_words()}{said}")
        if gateway.recipients != USUAL_RECIPIENTS:
            print(f"  {gateway.recipients.in_words()}")
        if gateway.trusted_hosts:
            print(f"  credentials also to {', '.join(sorted(gateway.trusted_hosts))}")
        if gateway.tls != NO_EXCEPTIONS:
            print(f"  permits {', '.join(gateway.tls.in_words())}")
    network = document.network
    if network.nameservers:
        print(f"name servers: {', '.join(map(str, network.nameservers))}")
    for asked, used in network.connect.items():
        print(f"connects to {used} for {asked}")
    if network.allow_loopback:
        print("targets on this machine are allowed")


def _found(gateway: Gateway) -> str:
    if gateway.hosts:
        return f"ews at {', '.join(map(str, gateway.hosts))}"
    left_out = f" without {', '.join(sorted(gateway.skip))}" if gateway.skip else ""
    return f"autodiscover{left_out}"
