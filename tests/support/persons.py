"""A person of whom every table of a deployed stack holds something, and what stands in the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cli.event_users import record_before
from exchange.endpoints import mailbox_key, placement_key
from presence.clock import system_clock
from presence.history import entry_of
from presence.knowledge import Knowledge
from presence.presences import AVAILABLE
from presence.records import PresenceRecord, User
from presence.standing_claims import Ending, StandingClaim
from presence.tables.endpoints import EndpointTable
from presence.tables.history import HistoryTable
from presence.tables.items import from_attributes
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.deployed import Deployed

TABLES = ("UserTable", "PresenceTable", "HistoryTable", "EndpointTable")


def presences(stack: Deployed) -> PresenceTable:
    """Return the adapter to the stack's table."""
    return PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], 16)


def users(stack: Deployed) -> UserTable:
    """Return the adapter to the stack's table."""
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])


def known(stack: Deployed, address: str) -> PresenceRecord:
    """Bring in a user of whom every table holds something; return the record."""
    user = users(stack).add(address)
    record = with_record(stack, user)
    history = HistoryTable(stack.client("dynamodb"), stack.outputs["HistoryTableName"])
    for version in (1, 2, 3):
        history.put(entry_of(replace(record, version=version)), timedelta(days=30))
    endpoints = EndpointTable(stack.client("dynamodb"), stack.outputs["EndpointTableName"], system_clock)
    endpoints.put(mailbox_key(address), {"url": "https://mail.example.com/EWS/Exchange.asmx"}, 3600)
    endpoints.put(placement_key(address), {"home": "cas1.example.com:443"}, 3600)
    return record


def with_record(stack: Deployed, user: User) -> PresenceRecord:
    """Write a record of a user who is available now and busy later, and on the phone as well; return it."""
    now = datetime.now(UTC)
    call = StandingClaim("phone", AVAILABLE, 1, now, None, Ending.TIME, set_by="switchboard")
    known = replace(record_before(user, now, now), version=3, knowledge=Knowledge(standing=(call,)))
    record = presences(stack).write(known)
    assert record is not None
    return record


def items(stack: Deployed) -> dict[str, list[dict[str, object]]]:
    """Return all that stands in the tables."""
    scanned = {name: stack.client("dynamodb").scan(TableName=stack.physical[name])["Items"] for name in TABLES}
    return {name: [from_attributes(item) for item in found] for name, found in scanned.items()}
