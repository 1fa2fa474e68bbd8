"""`presence demo`: the demo, as `make demo` runs it."""

from __future__ import annotations

from argparse import Namespace

from local.demo.__main__ import main


def run(arguments: Namespace) -> int:
    """Run the demo; exit code 1 if something was not right."""
    options = {"--watch": arguments.watch, "--samples": arguments.samples}
    return main([option for option, wanted in options.items() if wanted])
