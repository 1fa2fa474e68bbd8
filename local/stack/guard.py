"""Runs the engine so that it can't outlive whoever started it. Executed by the engine's own Python: guard.py FOLDER.

Standard input is a pipe that the starter holds open and never writes to. However the starter ends (also killed), the
pipe closes, the engine with the workers of all functions is ended, and the folder that it worked in is removed.
"""

import os
import runpy
import shutil
import signal
import sys
import threading
import time

_GRACE_SECONDS = 3.0  # for the engine to write its state, where it keeps one


_starter_has_ended = threading.Event()


def _end_with_starter(folder: str) -> None:
    sys.stdin.buffer.read()
    _starter_has_ended.set()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    working_folder = sys.argv[1]
    threading.Thread(target=_end_with_starter, args=[working_folder], daemon=True, name="end-with-starter").start()
    sys.argv = ["ministack"]
    try:
        runpy.run_module("ministack", run_name="__main__")
    finally:
        if _starter_has_ended.is_set():
            shutil.rmtree(working_folder, ignore_errors=True)
