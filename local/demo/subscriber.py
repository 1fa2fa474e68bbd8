"""A subscriber of the topic: an HTTP endpoint on loopback that notes when each event reached it.

It is a subscriber like any other: it is subscribed to the topic, confirms that with the token that it is sent, and
gets every notification in a request of its own, in no particular order.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_CONFIRMATION_SECONDS = 10.0
_LARGEST_NOTIFICATION = 1_000_000


class SubscriptionError(Exception):
    """The topic never asked this subscriber to confirm: events would not reach it either."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification: the event as it was sent, its message attributes, and when it arrived (an instant in UTC)."""

    body: Mapping[str, Any]
    attributes: Mapping[str, str]
    received_at: datetime


class _Server(ThreadingHTTPServer):
    """Lets as many notifications knock at once as one second can bring: a full backlog costs a second each."""

    request_queue_size = 512
    daemon_threads = True


class Subscriber:
    """Subscribes to a topic while it is entered, and collects the deliveries.

    `sns` is a boto3 client of the topic's engine, `clock` returns the present instant in UTC, `on_delivery` is called
    with each delivery as it arrives, from another thread. Entering raises SubscriptionError if no request to confirm
    comes within ten seconds.
    """

    def __init__(
        self,
        sns: Any,
        topic_arn: str,
        clock: Callable[[], datetime],
        on_delivery: Callable[[Delivery], None] | None = None,
    ) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._clock = clock
        self._on_delivery = on_delivery
        self._tokens: queue.Queue[str] = queue.Queue()
        self._lock = threading.Lock()
        self._deliveries: list[Delivery] = []
        self._unreadable: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _endpoint_for(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="subscriber", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._subscribe()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def deliveries(self) -> list[Delivery]:
        """Return what has been delivered so far, in the order of arrival."""
        with self._lock:
            return list(self._deliveries)

    def unreadable(self) -> list[str]:
        """Return what was delivered and was no event, in words."""
        with self._lock:
            return list(self._unreadable)

    def take(self, kind: str, body: bytes) -> None:
        """Take in one request of the topic; `kind` is its x-amz-sns-message-type."""
        arrived = self._clock()
        try:
            envelope = json.loads(body)
            if kind == "SubscriptionConfirmation":
                self._tokens.put(str(envelope["Token"]))
                return
            delivery = Delivery(
                json.loads(envelope["Message"]),
                {name: str(one["Value"]) for name, one in envelope.get("MessageAttributes", {}).items()},
                arrived,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            with self._lock:
                self._unreadable.append(f"a {kind or 'request without a type'} that is no event: {error!r}")
            return
        with self._lock:
            self._deliveries.append(delivery)
        if self._on_delivery is not None:
            self._on_delivery(delivery)

    def _subscribe(self) -> None:
        host, port = self._server.server_address[0], self._server.server_address[1]
        self._sns.subscribe(TopicArn=self._topic_arn, Protocol="http", Endpoint=f"http://{host!s}:{port}/")
        try:
            token = self._tokens.get(timeout=_CONFIRMATION_SECONDS)
        except queue.Empty:
            raise SubscriptionError(
                f"the topic {self._topic_arn} sent no request to confirm within {_CONFIRMATION_SECONDS:.0f} s"
            ) from None
        self._sns.confirm_subscription(TopicArn=self._topic_arn, Token=token)

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _endpoint_for(subscriber: Subscriber) -> type[BaseHTTPRequestHandler]:
    class Endpoint(BaseHTTPRequestHandler):
        """Answers 200 at once, as a subscriber should; what it was sent is judged later."""

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_NOTIFICATION)
            subscriber.take(self.headers.get("x-amz-sns-message-type") or "", self.rfile.read(length))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that http.server gives it
            """Keep the terminal to the demo."""

    return Endpoint
