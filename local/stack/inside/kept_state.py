"""Makes the engine keep its state in a folder as a system in use needs it: nothing lost by a stop, little by a crash.

By itself the engine writes its services down when it is told to end, and at no other time; the records of a table's
stream that nobody has read yet are not among it, while the positions of the readers are, so that after a restart the
first changes would be skipped. Here

* each write to a table goes to a journal before it is answered;
* the stream's unread records are written down with the tables;
* queues and subscriptions are written every few seconds, logs every minute, everything when asked (SIGUSR1);
* how far a stream has been read is written after the queues into which its events may have gone, so that a crash brings
  events again rather than losing them;
* credentials of gateways are not written at all: whoever starts the engine has them, and switches the reading of queues
  on again when they are in their place;
* logs are forgotten after the days that their group says;
* queues have addresses without the port, which may be another after a restart.
"""

# ruff: noqa: SLF001  the engine's own functions have no public names
from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from local.stack.inside.journal import Journal

SAVED = "saved"
"""The file in the engine's folder that is replaced whenever everything has been written down."""

JOURNAL = "journal"

_SECRETS = "secretsmanager"
_NEVER_WRITTEN = "/gateways/"
"""Stands in the names of the secrets that hold credentials; a stack's own secrets are kept like all that it made."""
_TABLES = "dynamodb"
_QUEUES = "sqs"
_OFTEN = (_QUEUES, "sns")
_OFTEN_SECONDS = 5
_LOGS = "cloudwatch_logs"
_NOW_AND_THEN = (_LOGS,)
_NOW_AND_THEN_SECONDS = 60
_LARGEST_JOURNAL = 16 * 1024 * 1024
_ATTEMPTS = 5
_DAY = 86_400
_ANY_PORT = "4566"
"""Stands in the addresses of queues. Nobody connects to it: who names a queue talks to the engine's endpoint."""
_NO_SORT_KEY = "__no_sort__"


def keep(folder: Path) -> None:
    """Have the engine of this process keep its state in the folder; to be called before the engine starts."""
    folder.mkdir(parents=True, exist_ok=True)
    KeptState(folder).install()


class KeptState:
    """The engine's state, and what is replaced of the engine to keep it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._app: Any = importlib.import_module("ministack.app")
        self._persistence: Any = importlib.import_module("ministack.core.persistence")
        self._dynamodb: Any = importlib.import_module("ministack.services.dynamodb")
        self._lambda: Any = importlib.import_module("ministack.services.lambda_svc")
        self._logs: Any = importlib.import_module("ministack.services.cloudwatch_logs")
        self._sqs: Any = importlib.import_module("ministack.services.sqs")
        self._journal = Journal(folder / JOURNAL)
        self._restored: Mapping[str, Any] = {}
        self._unreadable: list[str] = []
        self._read: dict[str, int] = {}
        self._journalled: dict[str, int] = {}
        # What is replaced, as it was.
        self._get_tables = self._dynamodb.get_state
        self._restore_tables = self._dynamodb.load_persisted_state
        self._emit = self._dynamodb._emit_stream_event  # the one place through which all writes go
        self._load = self._app._load_persisted_state
        self._load_one = self._app.load_state
        self._states = self._app._build_persistence_save_dict

    def install(self) -> None:
        """Put everything in its place."""
        self._dynamodb.get_state = self._tables
        self._dynamodb.load_persisted_state = self._restore
        self._dynamodb._emit_stream_event = self._written
        self._app._load_persisted_state = self._begin
        self._app.load_state = self._readable
        self._sqs.DEFAULT_PORT = _ANY_PORT
        self._sqs._CANONICAL_NETLOC = f"{self._sqs.DEFAULT_HOST}:{_ANY_PORT}"
        self._app._build_persistence_save_dict = self._kept_states

    # ---- while it runs ----

    def _written(
        self, table: str, event: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, **options: Any
    ) -> None:
        self._emit(table, event, old, new, **options)
        if event == "REMOVE":
            self._journal.append(table=table, removed=old)
        else:
            self._journal.append(table=table, put=new)

    async def _write_down(self) -> None:
        second = 0
        while True:
            await asyncio.sleep(1)
            second += 1
            try:
                self._journal.sync()
                if second % _OFTEN_SECONDS == 0:
                    self._save(_OFTEN)
                if second % _NOW_AND_THEN_SECONDS == 0:
                    self._save(_NOW_AND_THEN)
                if self._journal.size > _LARGEST_JOURNAL:
                    self._save((*_OFTEN, _TABLES))
            except OSError as error:  # no room, for example: there may be some in a second
                print(f"What is kept in {self._folder} can't be written: {error}", file=sys.stderr, flush=True)

    def _forget_old_logs(self) -> None:
        for group in self._logs._log_groups.values():
            oldest = (time.time() - (group["retentionInDays"] or 0) * _DAY) * 1000
            for stream in group["streams"].values() if group["retentionInDays"] else ():
                events = stream["events"]
                expired = next((at for at, event in enumerate(events) if event["timestamp"] >= oldest), len(events))
                del events[:expired]

    # ---- writing down ----

    def _kept_states(self) -> dict[str, Callable[[], Any]]:
        """Return what the engine writes down now; streams count as read as far as they are read at this moment."""
        self._read = dict(self._positions.items())
        states = {name: _patient(state) for name, state in self._states().items()}
        if _SECRETS in states:
            states[_SECRETS] = _without_credentials(states[_SECRETS])
        return states

    def _save(self, names: Iterable[str] | None = None) -> None:
        """Write services down; None: all of them, first the queues, into which the records of a read stream go."""
        states = self._kept_states()
        for name in sorted(states, key=lambda name: name != _QUEUES) if names is None else names:
            if name not in states:  # a service that nobody has used yet
                continue
            if name == _LOGS:
                self._forget_old_logs()
            number, before = self._journal.number, self._written_at(name)
            self._persistence.save_all({name: states[name]})
            if name == _QUEUES and self._read != self._journalled:
                self._journal.append(read=self._read)
                self._journalled = self._read
            if name == _TABLES and self._written_at(name) != before:
                with (self._folder / f"{name}.json").open("rb") as file:
                    os.fsync(file.fileno())
                self._journal.forget(number)
        if names is None:
            new = self._folder / f"{SAVED}.new"
            new.write_text(f"{time.time_ns()}\n", encoding="utf-8")
            new.replace(self._folder / SAVED)

    def _written_at(self, name: str) -> int:
        path = self._folder / f"{name}.json"
        return path.stat().st_mtime_ns if path.exists() else 0

    def _tables(self) -> dict[str, Any]:
        number = self._journal.number
        state: dict[str, Any] = self._get_tables()
        state["kept"] = {
            "number": number,
            "read": self._read,
            "streams": {table: self._unread(table) for table in self._dynamodb._stream_records},
        }
        return state

    def _unread(self, table: str) -> dict[str, Any]:
        """Return the records of a table's stream that do not count as read, and the position of the first."""
        records = list(self._dynamodb._stream_records[table])
        start = self._dynamodb._stream_trimmed.get(table, 0)
        stream = self._dynamodb._tables.get(table, {}).get("LatestStreamArn")
        readers = [esm["UUID"] for esm in self._lambda._esms.values() if esm.get("EventSourceArn") == stream]
        read = min((self._read.get(reader, start) for reader in readers), default=start)
        return {"start": max(read, start), "records": records[max(0, read - start) :]}

    # ---- after a start ----

    def _restore(self, data: Mapping[str, Any]) -> None:
        self._restore_tables(data)
        self._restored = data.get("kept", {})

    def _readable(self, name: str) -> Any:
        state = self._load_one(name)
        if state is None and (self._folder / f"{name}.json").exists():
            self._unreadable.append(f"{name}.json")
        return state

    def _begin(self) -> None:
        """Restore everything, and only then let the readers of queues and streams begin."""
        self._lambda._poller_started = True
        self._load()
        if self._unreadable:  # the engine would begin without it, and in the end write that down
            print(f"What is kept in {self._folder} can't be read: {', '.join(self._unreadable)}.", file=sys.stderr)
            os._exit(1)  # whatever else is raised here lets the engine go on without its state
        for table, stream in self._restored.get("streams", {}).items():
            self._dynamodb._stream_records[table] = stream["records"]
            self._dynamodb._stream_trimmed[table] = stream["start"]
        read = dict(self._restored.get("read", {}))
        for entry in self._journal.entries(after=self._restored.get("number", 0)):
            read |= entry.get("read", {})
            self._write_again(entry)
        for reader, position in read.items():
            self._positions[reader] = position
        for mapping in self._lambda._esms.values():
            if ":sqs:" in mapping["EventSourceArn"]:
                mapping |= {"Enabled": False, "State": "Disabled"}
        self._lambda._poller_started = False
        if self._lambda._esms.has_any():
            self._lambda._ensure_poller()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._save)
        self._task = loop.create_task(self._write_down())

    def _write_again(self, entry: Mapping[str, Any]) -> None:
        name = entry.get("table", "")
        table = self._dynamodb._tables.get(name)
        item = entry.get("put") or entry.get("removed")
        if table is None or item is None:
            return
        partition = self._dynamodb._extract_key_val(item[table["pk_name"]])
        sort = self._dynamodb._extract_key_val(item[table["sk_name"]]) if table["sk_name"] else _NO_SORT_KEY
        old = table["items"].get(partition, {}).get(sort)
        if "put" in entry:
            self._dynamodb._set_item(table, partition, sort, item)
            self._emit(name, "MODIFY" if old else "INSERT", old, item)
        elif old:
            self._dynamodb._remove_item(table, partition, sort)
            self._emit(name, "REMOVE", old, None)

    @property
    def _positions(self) -> Any:
        return self._lambda._dynamodb_stream_positions


def _without_credentials(state: Callable[[], Any]) -> Callable[[], Any]:
    """Return the state of the secrets as a function that leaves the credentials of gateways out."""

    def kept() -> Any:
        secrets = state()
        for name in [name for name in secrets["secrets"] if _NEVER_WRITTEN in name]:
            del secrets["secrets"][name]
        return secrets

    return kept


def _patient(state: Callable[[], Any]) -> Callable[[], Any]:
    """Return a service's state as a function that begins anew when a thread changed something meanwhile."""

    def attempt() -> Any:
        for _ in range(_ATTEMPTS - 1):
            try:
                return state()
            except RuntimeError:  # a dictionary changed its size while it was copied
                continue
        return state()

    return attempt
