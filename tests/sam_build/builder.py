"""Runs `sam build` under python3.13, without a network and without Docker."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILD = CHECKOUT / "build"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a build needs; the Makefile provides it.

    `python` is a python3.13, `runtime` the folder of packages that the Lambda runtime brings by itself.
    """

    python: Path
    runtime: Path

    def build(self, template: Path, target: Path, home: Path) -> None:
        """Build a template of this checkout into a folder; raise `BuildError` with what sam said if it fails."""
        variables = {
            "PATH": os.pathsep.join([str(self.python.parent), os.defpath]),
            "HOME": str(home),  # where the SAM CLI notes that it ran
            "SAM_CLI_TELEMETRY": "0",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(BUILD / "wheels"),
        }
        command = [BUILD / "sam" / "bin" / "sam", "build", "--region", "eu-central-1", "--base-dir", CHECKOUT]
        done = subprocess.run(  # noqa: S603  our own tool
            [*map(str, command), "--template", str(template), "--build-dir", str(target)],
            env=variables,
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildError(done.stdout + done.stderr)


class BuildError(Exception):
    """`sam build` failed; the text is what it said."""
