"""What goes over the queues, and the document of operators, is what docs/schemas says, in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from exchange.gateway_documents import parse_gateways
from local.exchange.organisation import Organisation
from local.exchange.server import SimulatedExchange
from presence.errors import ConfigurationError, MalformedMessage
from presence.messages import (
    CheckReason,
    CheckRequest,
    TransitionRequest,
    decode_check_request,
    decode_tick,
    decode_transition_request,
)
from presence.records import MOST_GROUPS
from tests.support.records import check_requests, transition_requests
from tests.support.schemas import DOCS, Change, changed, complaints, schema, undescribed, validator

CHECK = "schemas/check-request.json"
TRANSITION = "schemas/transition-request.json"
TICK = "schemas/schedule-tick.json"
GATEWAYS = "schemas/gateways.json"

USER_ID = "0123456789abcdef0123456789abcdef"


def good_check() -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "type": "CheckRequest",
        "reason": "schedule",
        "requestedAt": "2026-11-21T14:00:00Z",
        "attempt": 0,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "endpoint": "https://mail.example.com/EWS/Exchange.asmx",
        "checks": [{"userId": USER_ID, "address": "alice@example.com", "profile": "default", "groups": ["Sales"]}],
    }


def good_transition() -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "type": "TransitionRequest",
        "due": "2026-11-21T14:00:00Z",
        "shard": 3,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "userIds": [USER_ID],
    }


def good_gateways() -> dict[str, Any]:
    return {
        "schema_version": 1,
        "network": {
            "nameservers": ["192.0.2.53", "192.0.2.54:5353"],
            "allow_loopback": True,
            "connect": {"mail.example.com:443": "192.0.2.20:8443"},
        },
        "gateways": [
            {
                "name": "headquarters",
                "kind": "autodiscover",
                "domains": ["example.com", "*"],
                "credentials": "exchange-reader",
                "auth": "ntlm",
                "trusted_hosts": ["example.org"],
                "skip": ["root-domain", "srv"],
                "autodiscover_urls": {"example.org": "https://discover.hosting.test/autodiscover/autodiscover.xml"},
                "prefer": "internal",
            },
            {
                "name": "branch",
                "kind": "ews",
                "hosts": ["192.0.2.10:443", "mail.branch.test"],
                "domains": ["branch.test"],
                "credentials": "branch-reader",
                "auth": "basic",
                "hostname_checks_common_name": True,
                "x509_strict": False,
                "oldest_tls": "1.0",
                "security_level": 0,
                "access": "delegate",
                "calendars": "calendar-folder",
                "exchange_version": "2010",
                "distribution_lists": "take",
                "rooms": "refuse",
                "shared_mailboxes": "refuse",
            },
        ],
    }


@given(check_requests)
def test_what_a_check_request_encodes_to_is_valid_and_decodes_to_itself(request: CheckRequest) -> None:
    message = json.loads(request.encode())
    assert complaints(CHECK, message) == []
    assert undescribed(schema(CHECK), message) == []
    assert decode_check_request(request.encode()) == request


@given(transition_requests)
def test_what_a_transition_request_encodes_to_is_valid_and_decodes_to_itself(request: TransitionRequest) -> None:
    message = json.loads(request.encode())
    assert complaints(TRANSITION, message) == []
    assert undescribed(schema(TRANSITION), message) == []
    assert decode_transition_request(request.encode()) == request


CHECKS: dict[str, Change] = {
    "an unknown version": lambda message: message.update(schemaVersion=2),
    "no version": lambda message: message.pop("schemaVersion"),
    "another type": lambda message: message.update(type="TransitionRequest"),
    "no type": lambda message: message.pop("type"),
    "an unknown reason": lambda message: message.update(reason="boredom"),
    "no reason": lambda message: message.pop("reason"),
    "a time without a zone": lambda message: message.update(requestedAt="2026-11-21T14:00:00"),
    "no time": lambda message: message.pop("requestedAt"),
    "a negative attempt": lambda message: message.update(attempt=-1),
    "the 101st attempt": lambda message: message.update(attempt=101),
    "an attempt in words": lambda message: message.update(attempt="first"),
    "no attempt": lambda message: message.pop("attempt"),
    "a traceparent of another form": lambda message: message.update(traceparent="00-1-1-01"),
    "an empty endpoint": lambda message: message.update(endpoint=""),
    "an empty domain": lambda message: message.update(domain=""),
    "no checks": lambda message: message.pop("checks"),
    "empty checks": lambda message: message.update(checks=[]),
    "101 checks": lambda message: message.update(
        checks=[{"userId": f"{n:032x}", "address": "alice@example.com"} for n in range(101)]
    ),
    "a check that is a text": lambda message: message.update(checks=["alice@example.com"]),
    "a user id that is none": lambda message: message["checks"][0].update(userId="alice"),
    "no user id": lambda message: message["checks"][0].pop("userId"),
    "an address that is none": lambda message: message["checks"][0].update(address="alice"),
    "an address without a full domain": lambda message: message["checks"][0].update(address="alice@localhost"),
    "no address": lambda message: message["checks"][0].pop("address"),
    "an empty profile": lambda message: message["checks"][0].update(profile=""),
    "groups as a text": lambda message: message["checks"][0].update(groups="Sales"),
    "no group in the groups": lambda message: message["checks"][0].update(groups=[]),
    "a group without a name": lambda message: message["checks"][0].update(groups=[""]),
    "51 groups": lambda message: message["checks"][0].update(groups=["x"] * 51),
}


@pytest.mark.parametrize("change", CHECKS.values(), ids=CHECKS)
def test_a_check_request_that_the_schema_refuses_is_refused(change: Change) -> None:
    refused_by_both(CHECK, good_check(), change, decode_check_request)


def test_the_message_that_the_refused_ones_were_made_from_is_accepted() -> None:
    assert complaints(CHECK, good_check()) == []
    assert decode_check_request(json.dumps(good_check())).users[0].address == "alice@example.com"
    assert complaints(TRANSITION, good_transition()) == []
    assert decode_transition_request(json.dumps(good_transition())).shard == 3


TRANSITIONS: dict[str, Change] = {
    "an unknown version": lambda message: message.update(schemaVersion=0),
    "another type": lambda message: message.update(type="CheckRequest"),
    "no instant": lambda message: message.pop("due"),
    "a time without a zone": lambda message: message.update(due="2026-11-21T14:00:00"),
    "a day that is none": lambda message: message.update(due="tomorrow"),
    "no shard": lambda message: message.pop("shard"),
    "a negative shard": lambda message: message.update(shard=-1),
    "a shard that is true": lambda message: message.update(shard=True),
    "no users": lambda message: message.pop("userIds"),
    "an empty list of users": lambda message: message.update(userIds=[]),
    "101 users": lambda message: message.update(userIds=[f"{n:032x}" for n in range(101)]),
    "a user id in capitals": lambda message: message.update(userIds=[USER_ID.upper()]),
    "a user id that is a number": lambda message: message.update(userIds=[7]),
    "a traceparent that is a number": lambda message: message.update(traceparent=7),
}


@pytest.mark.parametrize("change", TRANSITIONS.values(), ids=TRANSITIONS)
def test_a_transition_request_that_the_schema_refuses_is_refused(change: Change) -> None:
    refused_by_both(TRANSITION, good_transition(), change, decode_transition_request)


@pytest.mark.parametrize(
    "tick", [{}, {"time": None}, {"time": 7}, {"time": "09:00"}, {"time": "2026-11-21T09:00:00"}, []]
)
def test_a_tick_that_the_schema_refuses_is_refused(tick: object) -> None:
    assert complaints(TICK, tick)
    with pytest.raises(MalformedMessage):
        decode_tick(tick)


def test_unknown_keys_are_tolerated_in_messages() -> None:
    check, transition = good_check() | {"new": 1}, good_transition() | {"new": 1}
    tick = {"type": "ScheduleTick", "time": "2026-11-21T09:00:00Z", "new": 1}
    assert complaints(CHECK, check) == complaints(TRANSITION, transition) == complaints(TICK, tick) == []
    assert decode_check_request(json.dumps(check)) == decode_check_request(json.dumps(good_check()))
    assert decode_transition_request(json.dumps(transition)).shard == 3
    assert decode_tick(tick).hour == 9


GATEWAY_DOCUMENTS: dict[str, Change] = {
    "an unknown version": lambda document: document.update(schema_version=2),
    "no version": lambda document: document.pop("schema_version"),
    "an unknown key": lambda document: document.update(gateway=[]),
    "no gateways": lambda document: document.pop("gateways"),
    "empty gateways": lambda document: document.update(gateways=[]),
    "an unknown key of the network": lambda document: document["network"].update(proxy="192.0.2.1"),
    "a flag in words": lambda document: document["network"].update(allow_loopback="yes"),
    "a connect that is a list": lambda document: document["network"].update(connect=["a:1"]),
    "an unknown key of a gateway": lambda document: document["gateways"][0].update(domain="example.com"),
    "an unknown kind": lambda document: document["gateways"][0].update(kind="imap"),
    "no name": lambda document: document["gateways"][0].pop("name"),
    "a name with a slash": lambda document: document["gateways"][0].update(name="a/b"),
    "no domains": lambda document: document["gateways"][0].pop("domains"),
    "no users": lambda document: document["gateways"][0].update(users=[]),
    "a user that is no address": lambda document: document["gateways"][0].update(users=[7]),
    "no concurrent reads": lambda document: document["gateways"][0].update(limits={"concurrent_reads": 0}),
    "too many mailboxes": lambda document: document["gateways"][0].update(limits={"mailboxes_per_request": 101}),
    "an unknown limit": lambda document: document["gateways"][0].update(limits={"requests": 5}),
    "empty domains": lambda document: document["gateways"][0].update(domains=[]),
    "no credentials": lambda document: document["gateways"][0].pop("credentials"),
    "credentials that lead out of the folder": lambda document: document["gateways"][0].update(credentials="../x"),
    "an unknown auth": lambda document: document["gateways"][0].update(auth="digest"),
    "an unknown step": lambda document: document["gateways"][0].update(skip=["scp"]),
    "every step skipped": lambda document: document["gateways"][0].update(
        skip=["root-domain", "autodiscover", "http-redirect", "srv"]
    ),
    "hosts of a gateway found by autodiscover": lambda document: document["gateways"][0].update(hosts=["a.test"]),
    "no hosts of a gateway of kind ews": lambda document: document["gateways"][1].pop("hosts"),
    "trusted hosts of a gateway of kind ews": lambda document: document["gateways"][1].update(trusted_hosts=["a.test"]),
    "an autodiscover URL over plain http": lambda document: document["gateways"][0].update(
        autodiscover_urls={"example.com": "http://mail.example.com/autodiscover/autodiscover.xml"}
    ),
    "an autodiscover URL with a user name": lambda document: document["gateways"][0].update(
        autodiscover_urls={"example.com": "https://u@mail.example.com/autodiscover/autodiscover.xml"}
    ),
    "an autodiscover URL of something else": lambda document: document["gateways"][0].update(
        autodiscover_urls={"example.com": "https://mail.example.com/EWS/Exchange.asmx"}
    ),
    "a preference for neither": lambda document: document["gateways"][0].update(prefer="both"),
    "a preference of a gateway of kind ews": lambda document: document["gateways"][1].update(prefer="internal"),
    "autodiscover URLs of a gateway of kind ews": lambda document: document["gateways"][1].update(autodiscover_urls={}),
    "common names by a word": lambda document: document["gateways"][0].update(hostname_checks_common_name="yes"),
    "a strictness by number": lambda document: document["gateways"][0].update(x509_strict=1),
    "an unknown version of TLS": lambda document: document["gateways"][1].update(oldest_tls="3.0"),
    "old TLS without its security level": lambda document: document["gateways"][1].pop("security_level"),
    "old TLS with a security level that forbids it": lambda document: document["gateways"][1].update(security_level=1),
    "an unknown security level": lambda document: document["gateways"][0].update(security_level=6),
    "names that are not checked": lambda document: document["gateways"][0].update(check_hostname=False),
    "an unknown access": lambda document: document["gateways"][1].update(access="full"),
    "folders that nobody opens": lambda document: document["gateways"][1].pop("access"),
    "folders opened in no way": lambda document: document["gateways"][1].update(access="none"),
    "owners' settings read by a delegate": lambda document: document["gateways"][1].update(
        automatic_replies="oof-settings"
    ),
    "an Exchange that was never sold": lambda document: document["gateways"][1].update(exchange_version="2012"),
    "MailTips of Exchange 2007": lambda document: document["gateways"][1].update(
        exchange_version="2007", automatic_replies="mail-tips"
    ),
    "MailTips of Exchange 2007, unsaid": lambda document: document["gateways"][1].update(exchange_version="2007"),
    "an unknown way to read calendars": lambda document: document["gateways"][0].update(calendars="pages"),
    "rooms that are neither taken nor refused": lambda document: document["gateways"][0].update(rooms="some"),
    "steps to skip of a gateway of kind ews": lambda document: document["gateways"][1].update(skip=["srv"]),
}


@pytest.mark.parametrize("change", GATEWAY_DOCUMENTS.values(), ids=GATEWAY_DOCUMENTS)
def test_a_gateways_document_that_the_schema_refuses_is_refused(change: Change) -> None:
    document = changed(good_gateways(), change)
    assert complaints(GATEWAYS, document)
    with pytest.raises(ConfigurationError):
        parse_gateways(document)


def test_a_gateways_document_that_uses_every_key_is_accepted() -> None:
    document = good_gateways()
    assert complaints(GATEWAYS, document) == []
    assert [gateway.name for gateway in parse_gateways(document).gateways] == ["headquarters", "branch"]


@pytest.mark.parametrize(
    "keys",
    [
        {"automatic_replies": "oof-settings"},
        {"automatic_replies": "oof-settings", "calendars": "calendar-folder"},
        {"automatic_replies": "oof-settings", "access": "impersonation", "calendars": "calendar-folder"},
        {"access": "impersonation"},
        {"exchange_version": "2007", "automatic_replies": "off"},
    ],
)
def test_access_that_is_said_or_follows_is_accepted(keys: dict[str, str]) -> None:
    document = good_gateways()
    document["gateways"][0].update(keys)
    assert complaints(GATEWAYS, document) == []
    assert parse_gateways(document).gateways


def test_the_simulated_organisations_document_is_accepted() -> None:
    with SimulatedExchange(Organisation([])) as exchange:
        document = exchange.gateways_document()
    assert complaints(GATEWAYS, document) == []
    assert parse_gateways(document).gateways


def test_the_schema_of_checks_knows_the_words_that_the_code_knows() -> None:
    assert schema(CHECK)["properties"]["reason"]["enum"] == list(CheckReason)
    assert schema(CHECK)["properties"]["checks"]["items"]["properties"]["groups"]["maxItems"] == MOST_GROUPS


def test_each_schema_is_one_and_is_tested() -> None:
    paths = {f"schemas/{path.name}" for path in (DOCS / "schemas").iterdir()}
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert {CHECK, TRANSITION, TICK, GATEWAYS} <= paths
    for path in paths:
        assert f'"{path}"' in tests, f"no test names {path}"
        document = schema(path)
        validator(path).check_schema(document)
        name = path.removeprefix("schemas/").removesuffix(".json")
        assert document["$id"] == f"urn:calendar-presence:schema:{name}:v1"


def refused_by_both(path: str, good: dict[str, Any], change: Change, decode: Callable[[object], object]) -> None:
    message: Mapping[str, Any] = changed(good, change)
    assert complaints(path, message)
    with pytest.raises(MalformedMessage):
        decode(json.dumps(message))
