"""Starts the embedded AWS engine (ministack) in an environment of its own, and ends it.

Functions run under the engine's Python with whatever is installed there, and with its environment variables. So it
has a virtual environment that holds nothing else (a package that a layer lacks is then missing here too), and it is
given a fresh environment: no variable of the host, least of all AWS credentials, reaches a function.

What the engine lacks for use beyond tests is mended inside its process: see `local.stack.inside`.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

import botocore.session
from boto3.session import Session
from botocore.config import Config

from local.stack.errors import EngineError
from local.stack.inside.kept_state import SAVED
from local.stack.packaging import CHECKOUT

if TYPE_CHECKING:
    from types import TracebackType

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"

_START_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 3.0
"""What an engine has to end when its starter is gone, and needs not, because nothing of it is kept."""
_SAVE_SECONDS: Final = 60.0
_LOG_LINES: Final = 20
_ENGINE_FOLDER: Final = "engine"


class Engine:
    """One running engine on a loopback port; a context manager.

    IAM is enforced: each function has the rights of its own role in the template and no others, while `client()` and
    `environment` act as the account's root.

    `python` is the interpreter of the engine's virtual environment; `port` is on 127.0.0.1, 0 takes a free one;
    `state` is a folder in which the account is kept between runs, except for the credentials of gateways; None forgets
    everything at the end.
    `held_open` are file descriptors that the engine holds open as long as it runs, which is longer than its starter
    when that is killed: locks, for example.
    """

    def __init__(
        self,
        *,
        python: Path | None = None,
        port: int = 0,
        state: Path | None = None,
        held_open: Sequence[int] = (),
    ) -> None:
        self._python = python or default_engine_python()
        self._port = port
        self._state = state
        self._held_open = tuple(held_open)
        self._secret_key = secrets.token_hex(20)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where the engine answers, for every service."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which any AWS client of another process talks to this engine."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": self._secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def process_id(self) -> int:
        """Id of the engine's process, which leads the group of all its workers. Raises `EngineError` if none runs."""
        if self._process is None:
            raise EngineError("The engine is not running.")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the engine was started and has not ended since."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What the engine and the functions wrote so far."""
        if self._folder is None:
            return ""
        return (self._folder / "engine.log").read_text(encoding="utf-8", errors="replace")

    def client(self, service: str) -> Any:
        """Return a boto3 client of this engine, whatever AWS settings and proxies the host has."""
        if self._session is None:
            raise EngineError("The engine is not running.")
        return self._session.client(
            cast("Any", service),
            endpoint_url=self.endpoint_url,
            config=Config(proxies={}, retries={"total_max_attempts": 2}, max_pool_connections=50),
        )

    def start(self) -> None:
        """Start the engine and wait until it answers, 60 seconds at most.

        Raises `EngineError` if its environment is missing, its port is taken, or it does not answer in time.
        """
        if not self._python.exists():
            raise EngineError(f"The engine's environment is missing ({self._python}). Make it with: make engine")
        self._port = self._port or _free_port()
        if _answers(self._port):
            raise EngineError(
                f"Port {self._port} of 127.0.0.1 is in use by another program. End that, or name another port."
            )
        self._folder = Path(tempfile.mkdtemp(prefix="calendar-presence-engine-"))
        with (self._folder / "engine.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and script
                [
                    str(self._python),
                    str(Path(__file__).with_name("guard.py")),
                    str(self._folder),
                    str(_STOP_SECONDS if self._state is None else _SAVE_SECONDS),
                ],
                env=self._variables(),
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self._held_open,
                start_new_session=True,  # a group of its own: Ctrl-C ends it in our order, and no worker is left over
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self._session = _session_without_host_settings(self._secret_key)

    def stop(self) -> None:
        """End the engine and all workers of its functions. Does nothing when it is not running."""
        process, self._process = self._process, None
        self._session = None
        if process is not None:
            if self._state is not None and process.poll() is None:  # it writes down what it holds
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_SAVE_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def save(self) -> None:
        """Have the engine write down everything now, and wait for it; it keeps its state at other times by itself.

        Raises `EngineError` if it keeps none, or does not write it down within 60 seconds.
        """
        if self._state is None or not self.is_running:
            raise EngineError("The engine keeps no state, or is not running.")
        saved = self._state / _ENGINE_FOLDER / SAVED
        before = saved.stat().st_mtime_ns if saved.exists() else 0
        os.kill(self.process_id, signal.SIGUSR1)
        give_up = time.monotonic() + _SAVE_SECONDS
        while not saved.exists() or saved.stat().st_mtime_ns == before:
            if time.monotonic() > give_up or not self.is_running:
                raise EngineError(f"The engine could not write its state to {saved.parent}.{self._log_tail()}")
            time.sleep(0.02)

    def _variables(self) -> dict[str, str]:
        folder = str(self._folder)
        variables = {
            "PATH": os.defpath,
            "HOME": folder,  # no ~/.aws and no ~/.netrc of the host
            "TMPDIR": folder,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "AUTH": "true",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "WARNING",  # at INFO it writes down what is published, and it may run for months
        }
        variables.update({name: value for name, value in self.environment.items() if name != "AWS_ENDPOINT_URL"})
        if self._state is not None:
            self._state.mkdir(parents=True, exist_ok=True)
            variables |= {"PERSIST_STATE": "1", "STATE_DIR": str(self._state.resolve() / _ENGINE_FOLDER)}
        return variables

    def _wait_until_ready(self) -> None:
        process = self._process
        if process is None:
            raise EngineError("The engine is not running.")
        give_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up:
            if process.poll() is not None:
                raise EngineError(f"The engine ended with code {process.returncode} while starting.{self._log_tail()}")
            if _serves(self._port):
                return
            time.sleep(0.02)
        raise EngineError(f"The engine did not answer within {_START_SECONDS:g} seconds.{self._log_tail()}")

    def _log_tail(self) -> str:
        tail = "\n".join(self.log.splitlines()[-_LOG_LINES:])
        return f" The end of its log:\n{tail}" if tail else " Its log is empty."


def default_engine_python() -> Path:
    """Return the interpreter of the environment that `make engine` builds in this checkout."""
    return CHECKOUT / "build" / "engine" / "bin" / "python"


def _session_without_host_settings(secret_key: str) -> Session:
    # A botocore variable is (key in the config file, environment variable, default, conversion): none of these is
    # looked up anywhere, so that a host's AWS_PROFILE or ~/.aws changes nothing.
    unset = (None, None, None, None)
    core = botocore.session.Session(
        session_vars={
            "profile": unset,
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
            "ca_bundle": unset,
        }
    )
    return Session(
        aws_access_key_id=ACCOUNT, aws_secret_access_key=secret_key, region_name=REGION, botocore_session=core
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serves(port: int) -> bool:
    """Tell whether HTTP is answered there: a port is open before its program can serve, and may connect to itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
