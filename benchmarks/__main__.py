"""Takes the measurements, prints their figures and writes them to build/bench.json.

    python -m benchmarks [NAME …]

The exit code is 1 if a bound is broken. Figures of time are those of the machine and of what else it does: the file
says which machine, and how busy it was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import exchange_reads, exchange_requests, same_second, same_second_engine, timelines
from benchmarks.figures import Figure, Measurement

MEASUREMENTS: Final[Sequence[Measurement]] = (
    *timelines.MEASUREMENTS,
    *exchange_reads.MEASUREMENTS,
    *exchange_requests.MEASUREMENTS,
    *same_second.MEASUREMENTS,
    *same_second_engine.MEASUREMENTS,
)
RESULTS: Final = Path(__file__).resolve().parents[1] / "build" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the measurements that are named, all without a name, and return the exit code."""
    names = [measurement.name for measurement in MEASUREMENTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Take measurements.")
    parser.add_argument("name", nargs="*", choices=[*names, []], help=f"of: {', '.join(names)}", metavar="NAME")
    wanted = parser.parse_args(arguments).name or names
    taken: dict[str, Sequence[Figure]] = {}
    for measurement in MEASUREMENTS:
        if measurement.name in wanted:
            print(measurement.name, flush=True)
            taken[measurement.name] = measurement.run()
            for figure in taken[measurement.name]:
                print(f"  {figure}", flush=True)
    _write(taken)
    broken = [f"{name}: {figure.name}" for name, figures in taken.items() for figure in figures if not figure.holds]
    for each in broken:
        print(f"broken: {each}")
    return 1 if broken else 0


def _write(taken: dict[str, Sequence[Figure]]) -> None:
    results = {
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "load": os.getloadavg()[0],
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        "measurements": {
            name: [{**asdict(figure), "holds": figure.holds} for figure in figures] for name, figures in taken.items()
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
