"""Run the demo organisation alone: `python -m local.exchange FOLDER`, until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local.exchange.operator_folder import SECRETS_FOLDER, write_operator_folder
from local.exchange.scenario import UNKNOWN_USERS, USER_WITHOUT_ACCESS, demo_organisation
from local.exchange.server import SimulatedExchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.exchange.organisation import Organisation


def main(arguments: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Start, write the operator's files, print what to try, and wait for `stop`, SIGINT or SIGTERM. Return 0."""
    parser = argparse.ArgumentParser(
        prog="python -m local.exchange",
        description="Runs a simulated Exchange organisation on loopback and writes the configuration that reaches it.",
    )
    parser.add_argument("folder", type=Path, help="where to write gateways.toml, ca.pem and secrets/")
    folder: Path = parser.parse_args(arguments).folder
    if stop is None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
    start = datetime.now(UTC)
    organisation = demo_organisation(start)
    with SimulatedExchange(organisation) as exchange:
        document = write_operator_folder(folder, exchange)
        print(f"Simulated Exchange: {len(organisation.mailboxes())} mailboxes, DNS at {exchange.nameserver}.")
        print(f"Wrote {document} and, beside it, ca.pem and {SECRETS_FOLDER}/.")
        print(f"Meetings begin and end for a minute from {start:%H:%M:%S} UTC on. Users:")
        for address in organisation.users:
            print(f"  {address:28} {_remark(organisation, address)}".rstrip())
        print("Stop it with Ctrl-C.", flush=True)
        stop.wait()
    return 0


def _remark(organisation: Organisation, address: str) -> str:
    if address in UNKNOWN_USERS:
        return "no such mailbox"
    if address == USER_WITHOUT_ACCESS:
        return "the reading account has no access"
    mailbox = organisation.mailbox(address)
    return f"{mailbox.zone.key}" if mailbox is not None else ""


if __name__ == "__main__":
    raise SystemExit(main())
