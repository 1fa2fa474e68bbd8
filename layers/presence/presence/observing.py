"""Structured logs and metrics of a function (AWS Lambda Powertools), made when they are first needed.

People are named as `presence.log_names` says, wherever in a line they stand; a credential, a subject or a location is
never handed to a logger. The service, a dimension of the metrics, is POWERTOOLS_SERVICE_NAME.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from presence.errors import CalendarPresenceError
from presence.log_names import NOBODY_NAMED, PeopleNames
from presence.messages import trace_id_of
from presence.quiet_loggers import OF_AWS, silence

METRIC_NAMESPACE: Final = "CalendarPresence"
CORRELATION_ID: Final = "correlation_id"
_WRITTEN_AS_GIVEN: Final = frozenset({"record", "requested_by"})
"""AWS's own number of a message or stream record; and who acted, which is what a line of the audit is for."""

_followed: ContextVar[str | None] = ContextVar("followed", default=None)


class Observer:
    """Writes a function's log lines and counts, to standard output, as CloudWatch reads them.

    `names` says how people are called; without it nobody is. The libraries below fall silent.
    """

    def __init__(self, function: str, names: PeopleNames = NOBODY_NAMED) -> None:
        silence(OF_AWS)
        self._logger = Logger(location=None)  # which would always be a line of this module
        self._function = function
        self._names = names

    @contextmanager
    def following(self, traceparent: str | None) -> Iterator[None]:
        """Let all lines written meanwhile, in this thread, have the trace id of a traceparent as correlation id.

        None, or what is no traceparent: they have none. An error that is raised meanwhile, with which the function
        fails, gets a line too; in the text of one of ours people are named as in lines, since Lambda's runtime logs it.
        """
        token = _followed.set(None if traceparent is None else trace_id_of(traceparent))
        try:
            yield
        except CalendarPresenceError as error:
            error.args = (self.as_logged(str(error)),)
            self.failure("failed", reason=str(error))
            raise
        except Exception as error:
            self.failure("failed", reason=type(error).__name__)
            raise
        finally:
            _followed.reset(token)

    def info(self, message: str, **details: object) -> None:
        """Log what was done."""
        self._logger.info(message, extra=self._line(details))

    def warning(self, message: str, **details: object) -> None:
        """Log what works and will not for long."""
        self._logger.warning(message, extra=self._line(details))

    def failure(self, message: str, **details: object) -> None:
        """Log what could not be done, and why."""
        self._logger.error(message, extra=self._line(details))

    def as_logged(self, text: str) -> str:
        """Return a text with people named as in log lines."""
        return self._names.in_text(text)

    def count(self, counts: Mapping[str, int]) -> None:
        """Emit counts as metrics of the namespace CalendarPresence."""
        metrics = EphemeralMetrics(namespace=METRIC_NAMESPACE)
        for name, value in counts.items():
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        if followed := _followed.get():
            metrics.add_metadata(key=CORRELATION_ID, value=followed)
        metrics.flush_metrics()

    def _line(self, details: Mapping[str, object]) -> dict[str, object]:
        followed = _followed.get()
        return {
            "function": self._function,
            **({CORRELATION_ID: followed} if followed else {}),
            **{
                name: value if name in _WRITTEN_AS_GIVEN else self._names.in_value(value)
                for name, value in details.items()
            },
        }
