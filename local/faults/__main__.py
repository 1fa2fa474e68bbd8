"""`python -m local.faults`, which `make faults` runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from local.faults.injecting import check_injection
from local.faults.rows import UnusableRowsError, read_rows, selected
from local.faults.running import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the faults; return 0 if all were survived and the controls failed, 1 if not, 2 for a mistake in the file."""
    parser = argparse.ArgumentParser(
        prog="python -m local.faults", description="Plays faults of Exchange and the network, and judges what comes."
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="only the rows whose name or group has these words")
    only: str = parser.parse_args(arguments).only
    try:
        rows = selected(read_rows(check_injection), only)
    except UnusableRowsError as error:
        print(f"faults.toml: {error}", file=sys.stderr)
        return 2
    if all(row.control for row in rows):
        print(f"no row has {only!r} in its name or group", file=sys.stderr)
        return 2
    return run(rows)


if __name__ == "__main__":
    sys.exit(main())
