"""Structured logs and metrics of a function (AWS Lambda Powertools), made when they are first needed.

People are named by their user id, which is random and means nothing elsewhere; an address, a credential, a subject or
a location is never handed to a logger. The service, a dimension of the metrics, is POWERTOOLS_SERVICE_NAME.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

METRIC_NAMESPACE = "CalendarPresence"


class Observer:
    """Writes a function's log lines and counts, to standard output, as CloudWatch reads them."""

    def __init__(self, function: str) -> None:
        self._logger = Logger()
        self._function = function

    def info(self, message: str, **details: object) -> None:
        """Log what was done."""
        self._logger.info(message, extra={"function": self._function, **details})

    def warning(self, message: str, **details: object) -> None:
        """Log what works and will not for long."""
        self._logger.warning(message, extra={"function": self._function, **details})

    def failure(self, message: str, **details: object) -> None:
        """Log what could not be done, and why."""
        self._logger.error(message, extra={"function": self._function, **details})

    def count(self, counts: Mapping[str, int]) -> None:
        """Emit counts as metrics of the namespace CalendarPresence."""
        metrics = EphemeralMetrics(namespace=METRIC_NAMESPACE)
        for name, value in counts.items():
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        metrics.flush_metrics()
