"""What a measurement gives: named figures, some of them with a bound that has to hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value in its unit. `at_most` and `at_least` bound it, both included; None: it is only reported."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Tell whether the value keeps its bounds; what is no number keeps none."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def __str__(self) -> str:
        bounds = [f"at most {self.at_most:g}"] if self.at_most is not None else []
        bounds += [f"at least {self.at_least:g}"] if self.at_least is not None else []
        verdict = f"   ({', '.join(bounds)}: {'holds' if self.holds else 'BROKEN'})" if bounds else ""
        return f"{self.name:<48}{self.value:>10.3f} {self.unit}{verdict}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A named measurement; `run` takes it and returns its figures."""

    name: str
    run: Callable[[], Sequence[Figure]]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share (0 to 1) of the values does not exceed (nearest rank); NaN of no values."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
