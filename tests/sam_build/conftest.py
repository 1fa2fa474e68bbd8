"""The artefacts that `sam build` makes: as they are deployed (arm64), and a copy for this machine's architecture."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from tests.sam_build.builder import BUILD, CHECKOUT, Toolchain

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """Return python3.13 and what stands for the Lambda runtime; skip where there is none."""
    python = os.environ.get("PYTHON313", "")
    if not python:
        pytest.skip("no python3.13 is on PATH or among the versions of pyenv (`make build` looks there)")
    return Toolchain(Path(python), BUILD / "runtime" / "lib" / "python3.13" / "site-packages")


@pytest.fixture(scope="session")
def deployed_build(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build template.yaml as it is."""
    target = tmp_path_factory.mktemp("deployed")
    toolchain.build(CHECKOUT / "template.yaml", target, tmp_path_factory.mktemp("home"))
    return target


@pytest.fixture(scope="session")
def host_build(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the template for the architecture of this machine, so that what was built can be run."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        pytest.skip(f"AWS Lambda has no architecture {machine}, so that nothing can be built that runs here")
    target = tmp_path_factory.mktemp("host")
    template = tmp_path_factory.mktemp("template") / "template.yaml"
    text = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    template.write_text(text.replace("arm64", ARCHITECTURES[machine]), encoding="utf-8")
    toolchain.build(template, target, tmp_path_factory.mktemp("home"))
    return target
