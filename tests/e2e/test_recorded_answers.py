"""The recorded answers of Exchange, read by the command that users run; they lie beside the checkout, where they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.demo.samples import FOLDER

CHECKOUT = Path(__file__).resolve().parents[2]


def test_every_recorded_answer_is_read_or_refused_as_expected() -> None:
    if not FOLDER.is_dir():
        pytest.skip("Microsoft's recorded answers are not beside the checkout")
    packages = [CHECKOUT / "layers" / "presence", CHECKOUT / "layers" / "exchange", CHECKOUT]
    done = subprocess.run(
        [sys.executable, "-m", "local.demo", "--samples"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "samples: read=2 refused=10 as_expected=12 of 12"
    assert done.stdout.count('"presence": "Busy / Busy"') == 3, "the three appointments of the recorded day"
