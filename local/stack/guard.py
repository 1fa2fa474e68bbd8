"""Runs the engine so that it can't outlive whoever started it. Executed by the engine's own Python.

Standard input is a pipe that the starter holds open and never writes to. However the starter ends (also killed), the
pipe closes, and the engine with the workers of all functions is ended.
"""

import os
import runpy
import signal
import sys
import threading
import time

_GRACE_SECONDS = 3.0  # for the engine to write its state, where it keeps one


def _end_with_starter() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True, name="end-with-starter").start()
    sys.argv = ["ministack"]
    runpy.run_module("ministack", run_name="__main__")
