"""One stage for one fault: an organisation, the network around it, and the deployed functions in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from local.exchange.kept_host import KeptHost
from local.exchange.listener import LOOPBACK, Listener
from local.exchange.network import HTTPS
from local.exchange.server import SimulatedExchange
from local.faults.places import (
    START,
    STRANGER,
    STRANGERS,
    USER_IDS,
    accounts,
    gateways,
    network,
    organisation,
    strange_answer,
)
from local.faults.rows import Row
from local.virtual.cloud import VirtualCloud
from local.virtual.services import Nature
from local.virtual.virtual_time import VirtualTime
from presence.messages import CheckReason, CheckRequest, decode_check_request, new_traceparent
from presence.records import PresenceRecord, User
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.items import from_attributes
from presence.tables.presences import record_from_item
from presence.tables.users import UserTable

INTERVAL = timedelta(minutes=5)
SETTLED = timedelta(seconds=5)
"""After this, what a check brings about is done, and no retry has come yet."""
CHECK_AT = START + timedelta(minutes=1)
"""The instant of the check under the fault: by then the gateways document that was put with the fault holds."""
_PARAMETERS = {
    "CheckIntervalMinutes": str(INTERVAL // timedelta(minutes=1)),
    "TransitionShards": "1",
    "ConnectTimeoutSeconds": "2",
    "ReadTimeoutSeconds": "2",
}
_AT_ONCE = Nature(schedule=(0.0, 0.0), queue=(0.0, 0.0), stream=(0.0, 0.0), topic=(0.0, 0.0), duplicates=0.0)


@dataclass(frozen=True, slots=True)
class Queued:
    """A CheckRequest that was put on the queue: when, and for how many seconds it is held back."""

    at: datetime
    delay: float
    request: CheckRequest


Effect = Callable[[], int]
"""Tells how often a fault has taken effect: how many answers, connections or secrets were not as usual for it."""

Observe = Callable[..., Any]
"""Makes the observer of a function, which logs; called as `presence.observing.Observer` is."""


class Stage:
    """Where one row is played. `prepare` is called with the cloud before anything happens in it.

    `queued` are the CheckRequests sent, `told` the texts of all messages on queues and of all published events,
    `published` those events, `written` the records of presence in the order in which they were written, `stored` the
    text of each item that was written to any table. `strangers` are hosts that must not be given credentials; `undo`
    ends the faults.
    """

    def __init__(self, row: Row, observer: Observe, prepare: Callable[[VirtualCloud], None] | None = None) -> None:
        self.row = row
        self.clock = VirtualTime(START)
        self.organisation = organisation()
        self.exchange = SimulatedExchange(self.organisation, network(row.way), accounts(), self.clock.now)
        self.cloud = VirtualCloud(self.clock, _PARAMETERS, _AT_ONCE, observer=observer)
        self.undo = ExitStack()
        self.strangers = [KeptHost(STRANGER)]
        self.queued: list[Queued] = []
        self.told: list[str] = []
        self.published: list[dict[str, Any]] = []
        self.written: list[PresenceRecord] = []
        self.stored: list[str] = []
        self._stack = ExitStack()
        self._users: dict[str, User] = {}
        self._watch()
        if prepare is not None:
            prepare(self.cloud)

    def __enter__(self) -> Self:
        """Start the organisation, and fill the stack with what an operator puts."""
        with self._stack:
            self._stack.enter_context(self.exchange)
            self._stack.enter_context(self.undo)
            certificate = self.exchange.authority.issue(*STRANGERS, STRANGER)
            for name in STRANGERS:
                self.listen(name, HTTPS, self.strangers[0].listener(strange_answer, certificate.server_context()))
            self._seed()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stack.close()

    def listen(self, name: str, port: int, listener: Listener) -> None:
        """Start a listener that the gateways document leads to, from when it is put next."""
        self._stack.callback(listener.close)
        listener.start()
        self.exchange.zone.add_address(name)
        self.exchange.connect[f"{name}:{port}"] = f"{LOOPBACK}:{listener.port}"

    def put_document(self) -> None:
        """Put the gateways document as it fits the network now; it holds a minute later."""
        ports = {host.name: self.exchange.listener(host.name).port for host in self.exchange.network.hosts}
        document = self.exchange.gateways_document()
        document["gateways"] = [
            {"ca": self.exchange.ca_pem, **gateway}
            for gateway in gateways(self.row.way, self.row.hosts, ports, self.row.gateway)
        ]
        self._configuration().put_document(GATEWAYS, document)

    def change_secret(self, reference: str, password: str | None) -> Effect:
        """Store another password, or none at all; the functions start anew, since they keep a secret for minutes."""
        name = self.cloud.template.output("SecretPrefix") + reference
        before = self.cloud.secrets.texts.pop(name)
        if password is not None:
            self.cloud.secrets.texts[name] = json.dumps({**json.loads(before), "password": password})
        self._start_anew()

        def restore() -> None:
            self.cloud.secrets.texts[name] = before
            self._start_anew()

        self.undo.callback(restore)
        return lambda: self.cloud.secrets.unusual[name]

    def take_as_usual(self) -> None:
        """Let everything that is not as it is now be noticed from now on."""
        self.exchange.take_as_usual()
        self.cloud.secrets.take_as_usual()

    def forget(self) -> None:
        """Let nothing be known any more of where mailboxes are, as when the time of what was learnt is over."""
        self._forget(lambda _key: True)

    def forget_mailbox(self, address: str) -> None:
        """Let it not be known any more where one mailbox is."""
        self._forget(lambda key: key.endswith(f"#{address}"))

    def check(self, reason: str) -> None:
        """Ask for the calendars of everybody, as the schedule or an operator does, and let it be done."""
        now = self.clock.now()
        request = CheckRequest(CheckReason(reason), now, tuple(self._users.values()), new_traceparent())
        self.cloud.queues["CheckQueue"].send(request.encode())
        self.clock.run_until(now + SETTLED)

    def record(self, address: str) -> PresenceRecord | None:
        """Return the record of a person, None if there is none."""
        user_id = self._users[address].user_id
        items = (from_attributes(item) for item in self.cloud.tables["PresenceTable"].items())
        return next((record_from_item(item) for item in items if item["userId"] == user_id), None)

    def dead_letters(self) -> int:
        """Return how many messages nobody could handle."""
        names = [name for name in self.cloud.queues if "DeadLetter" in name or "Failure" in name]
        return sum(len(self.cloud.queues[name].waiting) for name in names)

    def _forget(self, which: Callable[[str], bool]) -> None:
        """Let those facts be gone whose keys are such."""
        table = self.cloud.tables["EndpointTable"]
        for item in table.items():
            if which(str(from_attributes(item)["key"])):
                table.delete({"key": item["key"]})

    def _seed(self) -> None:
        output = self.cloud.template.output
        for reference, secret in self.exchange.secrets().items():
            self.cloud.secrets.texts[output("SecretPrefix") + reference] = json.dumps(secret)
        users = UserTable(self.cloud.client("dynamodb"), output("UserTableName"))
        for address, user_id in USER_IDS.items():
            self._users[address] = users.add(address, user_id=user_id)
        self.put_document()

    def _start_anew(self) -> None:
        self.cloud.handler("check_calendars").parts.cache_clear()

    def _configuration(self) -> ConfigTable:
        return ConfigTable(self.cloud.client("dynamodb"), self.cloud.template.output("ConfigTableName"))

    def _watch(self) -> None:
        for name, queue in self.cloud.queues.items():
            queue.on_send.append(self._note_check if name == "CheckQueue" else self._note)
        for table in self.cloud.tables.values():
            table.on_change.append(self._note_stored)
        self.cloud.tables["PresenceTable"].on_change.append(self._note_written)
        self.cloud.sns.subscribers.append(self._note_published)

    def _note(self, body: str, _delay: float) -> None:
        self.told.append(body)

    def _note_check(self, body: str, delay: float) -> None:
        self.told.append(body)
        self.queued.append(Queued(self.clock.now(), delay, decode_check_request(body)))

    def _note_published(self, message: str, attributes: object) -> None:
        self.told += [message, json.dumps(attributes)]
        self.published.append(json.loads(message))

    def _note_stored(self, _before: object, after: dict[str, Any] | None) -> None:
        self.stored.append(json.dumps(after, default=str))

    def _note_written(self, _before: object, after: dict[str, Any] | None) -> None:
        if after is not None:
            self.written.append(record_from_item(from_attributes(after)))


def retries_of(queued: Sequence[Queued], address: str) -> list[Queued]:
    """Return the retries that ask for a person's calendar."""
    return [
        each
        for each in queued
        if each.request.reason is CheckReason.RETRY and address in {user.address for user in each.request.users}
    ]
