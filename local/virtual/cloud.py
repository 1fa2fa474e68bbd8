"""The stack of template.yaml in virtual time: tables, queues, stream, topic, schedules, and the functions themselves.

The functions run as they are: each handler.py is loaded as Lambda loads it, with the variables that the template gives
it, makes its own parts, and is called with events of AWS's form. Only what stands around it is another: boto3 makes
clients of this cloud, the clock is the virtual one, and a sleep lets virtual time pass.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from local.virtual.services import (
    Chance,
    Nature,
    VirtualQueue,
    VirtualSecrets,
    VirtualSns,
    VirtualSqs,
    VirtualStream,
    generated_secret,
)
from local.virtual.tables import Key, VirtualDynamoDB, VirtualTable
from local.virtual.template import Function, Template, period_of
from local.virtual.virtual_time import VirtualTime

CHECKOUT = Path(__file__).resolve().parents[2]
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


class VirtualCloud:
    """The stack of a checkout. `parameters` are those of the template that differ from their defaults.

    `observer` stands where a function's observer stands, and takes what that takes; by default nothing is logged.
    `failures` says in words what went wrong in functions: what they raised, and, with the default, what they logged as
    failed.
    """

    def __init__(
        self,
        time: VirtualTime,
        parameters: Mapping[str, str] | None = None,
        nature: Nature | None = None,
        seed: int = 1,
        checkout: Path = CHECKOUT,
        observer: Callable[..., Any] | None = None,
    ) -> None:
        self.time = time
        self._observer = observer or self._silent_observer
        self.template = Template(checkout, parameters or {})
        self.failures: list[str] = []
        self._chance = Chance(nature or Nature(), seed)
        self.tables = {name: _table(properties) for name, properties in self.template.resources("AWS::DynamoDB::Table")}
        self.queues = self._make_queues()
        self.dynamodb = VirtualDynamoDB(self.tables)
        self.sqs = VirtualSqs(self.queues)
        self.sns = VirtualSns(time, self._chance)
        self.secrets = VirtualSecrets()
        for name, properties in self.template.resources("AWS::SecretsManager::Secret"):
            self.secrets.texts[name] = generated_secret(properties["GenerateSecretString"])
        self._functions = {function.name: function for function in self.template.functions()}
        self._handlers = {name: self._load(function) for name, function in self._functions.items()}
        for function in self._functions.values():
            self._connect(function)

    def client(self, service: str, **_: object) -> Any:
        """Return the client of a service, as `boto3.client` does."""
        return {
            "dynamodb": self.dynamodb,
            "sqs": self.sqs,
            "sns": self.sns,
            "secretsmanager": self.secrets,
        }[service]

    def handler(self, function: str) -> ModuleType:
        """Return the loaded handler of a function, the private copy of this cloud."""
        return self._handlers[function]

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Call a function and return its answer; what it raises is noted and raised."""
        try:
            return self._handlers[function].lambda_handler(event, None)
        except Exception as error:
            self.failures.append(f"{self._stamp()} {function} raised {type(error).__name__}: {error}")
            raise

    def start_schedules(self) -> None:
        """Let the schedules fire from now on, as often as the template says."""
        for function in self._functions.values():
            for properties in function.sources("ScheduleV2"):
                if properties.get("State", "ENABLED") == "ENABLED":
                    self._plan_tick(function.name, properties, self.time.now())

    def _plan_tick(self, function: str, properties: Mapping[str, Any], instant: datetime) -> None:
        """Plan the tick of an instant, and with it the one after it."""

        def tick() -> None:
            self._plan_tick(function, properties, instant + period_of(properties["ScheduleExpression"]))
            event = json.loads(properties["Input"].replace(_SCHEDULED_TIME, _text(instant)))
            late = self._chance.seconds(self._chance.nature.schedule)
            self.time.after(late, lambda: self.time.start(lambda: self._try(function, event)))

        self.time.at(instant, tick)

    def _try(self, function: str, event: Mapping[str, Any]) -> None:
        """Call a function; a tick that fails is not tried again."""
        try:
            self.invoke(function, event)
        except Exception:  # noqa: BLE001  noted in `failures`
            return

    def _connect(self, function: Function) -> None:
        """Let queues and streams call the function."""
        handle = partial(self.invoke, function.name)
        for properties in function.sources("SQS"):
            queue = self.queues[properties["Queue"]]
            queue.handle, queue.batch_size = handle, int(properties.get("BatchSize", 10))
        for properties in function.sources("DynamoDB"):
            failures = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            stream = VirtualStream(self.time, self._chance, handle, properties, self.queues.get(failures))
            self.tables[properties["Stream"]].on_change.append(stream.changed)

    def _make_queues(self) -> dict[str, VirtualQueue]:
        described = dict(self.template.resources("AWS::SQS::Queue"))
        queues = {
            name: VirtualQueue(self.time, self._chance, visibility=float(properties.get("VisibilityTimeout", 30)))
            for name, properties in described.items()
        }
        for name, properties in described.items():
            if policy := properties.get("RedrivePolicy"):
                queues[name].most_receives = int(policy["maxReceiveCount"])
                queues[name].dead_letters = queues[policy["deadLetterTargetArn"]]
        return queues

    def _load(self, function: Function) -> ModuleType:
        """Load a private copy of a function's handler and put this cloud around it."""
        spec = importlib.util.spec_from_file_location(f"virtual_{function.name}", function.folder / "handler.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(f"{function.folder} has no handler.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        around = {
            "boto3": SimpleNamespace(client=self.client),
            "os": SimpleNamespace(environ=function.variables),
            "time": SimpleNamespace(sleep=self.time.sleep),
            "system_clock": self.time.now,
            "Observer": self._observer,
        }
        for name, value in around.items():
            if hasattr(module, name):
                setattr(module, name, value)
        return module

    def _silent_observer(self, function: str, *_: object) -> _Observer:
        return _Observer(function, lambda text: self.failures.append(f"{self._stamp()} {text}"))

    def _stamp(self) -> str:
        return f"{self.time.now():%d %H:%M:%S}Z"


class _Observer:
    """Stands for `presence.observing.Observer`, which prints: notes failures and lets everything else go by.

    What was done is judged by what comes of it, so nobody is named and nothing is followed.
    """

    def __init__(self, function: str, note: Callable[[str], None]) -> None:
        self._function = function
        self._note = note

    def failure(self, message: str, **details: object) -> None:
        """Note what could not be done."""
        self._note(f"{self._function}: {message} {details.get('reason', '')}".rstrip())

    def following(self, _traceparent: str | None) -> AbstractContextManager[None]:
        """Follow nothing."""
        return nullcontext()

    def as_logged(self, text: str) -> str:
        """Return the text as it is."""
        return text

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _table(properties: Mapping[str, Any]) -> VirtualTable:
    indexes = properties.get("GlobalSecondaryIndexes", [])
    if any(index["Projection"] != {"ProjectionType": "KEYS_ONLY"} for index in indexes):
        raise ValueError("an index holds more than keys, which is not known here")
    return VirtualTable(
        _key(properties["KeySchema"]), {index["IndexName"]: _key(index["KeySchema"]) for index in indexes}
    )


def _key(schema: list[Mapping[str, str]]) -> Key:
    names = {part["KeyType"]: part["AttributeName"] for part in schema}
    return Key(names["HASH"], names.get("RANGE"))


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
