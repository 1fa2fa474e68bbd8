"""`python -m local.demo`, which `make demo` and `presence demo` run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.demo import day, run, samples

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code: 0 if all was right, 1 if not, 2 if there is nothing to read."""
    parser = argparse.ArgumentParser(
        prog="presence demo",
        description="Runs the whole system on this machine, from simulated calendars to published changes.",
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--watch", action="store_true", help="go on until Ctrl-C, and judge nothing")
    kinds.add_argument(
        "--samples",
        action="store_true",
        help="read recorded answers of Exchange instead; exit code 2 if there are none",
    )
    kinds.add_argument(
        "--day", action="store_true", help="play 24 hours of fifty people in virtual time, in less than a minute"
    )
    options = parser.parse_args(arguments)
    if options.samples:
        return samples.main()
    try:
        return day.run() if options.day else run.run(watch=options.watch)
    except KeyboardInterrupt:
        print("Interrupted: nothing was judged.")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
