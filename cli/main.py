"""The command `presence`: what was asked for is done by a module of its own, and each kind of failure is told here.

Exit codes: 0 done, 1 it was tried and failed, 2 what was asked for can't be used (arguments, documents, secrets, the
name of the stack): one line on standard error says which, and there is no traceback.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

from cli.arguments import parser
from cli.one_line import in_one_line
from local.stack.errors import LocalStackError
from presence.errors import CalendarPresenceError, ConfigurationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        parsed = parser().parse_args(arguments)
    except SystemExit as end:  # argparse ends the program for --help and for mistakes
        return int(end.code or 0)
    try:
        # Imported only now: AWS and Exchange take long to import, and `--help` needs neither.
        _show_what_the_terminal_can()
        code: int = importlib.import_module(parsed.module).run(parsed)
        print(end="", flush=True)
    except ConfigurationError as error:
        return _failed(error, 2)
    except (CalendarPresenceError, LocalStackError) as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output, `head` for example, has seen enough
        _write_no_more()
        return 0
    except OSError as error:
        _write_no_more()
        return _failed(error, 1)
    return code


def _failed(error: Exception, code: int) -> int:
    print(f"presence: {in_one_line(str(error))}", file=sys.stderr)
    return code


def _show_what_the_terminal_can() -> None:
    """Let letters that the output's encoding lacks be escaped, as Python does on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _write_no_more() -> None:
    """Let what is still to be written go nowhere, at the end of the program too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    raise SystemExit(main())
