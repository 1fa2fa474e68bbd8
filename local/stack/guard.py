"""Runs the engine so that it can't outlive whoever started it. Executed by the engine's own Python.

    guard.py FOLDER SECONDS

Standard input is a pipe that the starter holds open and never writes to. However the starter ends (also killed), the
pipe closes, the engine with the workers of all functions is ended, and the folder that it worked in is removed. Where
it keeps state, it has SECONDS to write that down.
"""

import importlib
import os
import runpy
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

_starter_has_ended = threading.Event()


def _end_with_starter(folder: str, seconds: float) -> None:
    while os.read(sys.stdin.fileno(), 1):  # sys.stdin would be locked when the interpreter ends
        continue
    _starter_has_ended.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(seconds)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _mend_engine() -> None:
    """Close the engine's door, and have it keep its state where it is to keep one; see `local.stack.inside`."""
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    importlib.import_module("local.stack.inside.door").close(
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    )
    if state := os.environ.get("STATE_DIR"):
        importlib.import_module("local.stack.inside.kept_state").keep(Path(state))
    del sys.path[0]  # the engine is to find nothing else of this project


if __name__ == "__main__":
    os.umask(0o077)
    working_folder = sys.argv[1]
    threading.Thread(
        target=_end_with_starter, args=[working_folder, float(sys.argv[2])], daemon=True, name="end-with-starter"
    ).start()
    _mend_engine()
    sys.argv = ["ministack"]
    try:
        runpy.run_module("ministack", run_name="__main__")
    finally:
        if _starter_has_ended.is_set():
            shutil.rmtree(working_folder, ignore_errors=True)
            os.killpg(os.getpgid(0), signal.SIGKILL)
