from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.profile_command import DOCUMENT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateways.toml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path
