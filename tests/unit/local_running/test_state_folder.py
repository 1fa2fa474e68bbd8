"""The folder of the state is its owner's alone, and one run's at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.running.state_folder import StateFolder
from presence.errors import ConfigurationError


def test_it_is_made_and_nobody_else_may_enter_it(tmp_path: Path) -> None:
    path = tmp_path / "some" / "state"
    with StateFolder(path) as folder:
        environment = folder.write_environment({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_REGION": "us-east-1"})
        assert (
            environment.read_text(encoding="utf-8") == "AWS_ENDPOINT_URL=http://127.0.0.1:4566\nAWS_REGION=us-east-1\n"
        )
        assert environment.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o700
    assert not environment.exists()


def test_one_that_others_could_enter_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with StateFolder(tmp_path):
        assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_second_run_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    with (
        StateFolder(tmp_path),
        pytest.raises(ConfigurationError, match=rf"in use by another run \(process {os.getpid()}\); stop that"),
        StateFolder(tmp_path),
    ):
        pass
    with StateFolder(tmp_path):
        pass


def test_what_was_left_open_by_a_run_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    """As the engine does of a run that was killed: it holds the lock until it has written its state."""
    gone = subprocess.run([sys.executable, "-c", ""], check=True)  # a process that is no more, as its id tells
    assert gone.returncode == 0
    with StateFolder(tmp_path) as folder:
        still_open = os.dup(folder.lock)
        os.pwrite(folder.lock, b"999999999\n", 0)
    with pytest.raises(ConfigurationError, match=r"the engine of a run that was killed \(process 999999999\)"):
        StateFolder(tmp_path, longest_end=0.2).__enter__()
    os.close(still_open)
    with StateFolder(tmp_path, longest_end=0.2):
        pass


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "other").touch()
    with pytest.raises(ConfigurationError, match="holds other things, and no state of Calendar Presence"):
        StateFolder(tmp_path).__enter__()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_folder_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file/state: can't keep the state there \(Not a directory\)"):
        StateFolder(tmp_path / "file" / "state").__enter__()
