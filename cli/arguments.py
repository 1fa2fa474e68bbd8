"""The arguments of the command line: what can be asked for, and which module of `cli` does it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

FUNCTIONS = (
    "schedule_checks",
    "check_calendars",
    "schedule_transitions",
    "apply_transitions",
    "publish_presence",
    "record_history",
    "set_presence",
)
WORLDS = ("text", "cisco-9", "cisco-15", "xmpp", "pidf", "lync", "slack")
LONGEST_TIMEOUT = 300
LARGEST_PORT = 65535


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line; argparse would put the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = _Parser(prog="presence", description="Calendar Presence: the operator's command.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_check(commands)
    _add_doctor(commands)
    _add_run(commands)
    _add_users(commands)
    _add_gateways(commands)
    _add_profile(commands)
    _add_show(commands)
    _add_why(commands)
    _add_history(commands)
    _add_user(commands)
    _add_set_presence(commands)
    _add_replay(commands)
    _add_invoke(commands)
    _add_demo(commands)
    return whole


def secrets_folder(arguments: argparse.Namespace) -> Path:
    """Return where the secrets of a gateways document lie: where the arguments say, else beside it."""
    beside: Path = arguments.config.parent / "secrets"
    return arguments.secrets or beside


Commands = argparse._SubParsersAction  # noqa: SLF001  argparse gives its type no public name


def _add_check(commands: Commands[_Parser]) -> None:
    check = commands.add_parser(
        "check",
        help="read one calendar from Exchange, without AWS, and say what presence comes of it and why",
        description="Reads one calendar through the gateways of a file, with the code of the deployed functions. "
        "Exit code 0: read; 1: the mailbox could not be read; 2: wrong usage or configuration.",
    )
    check.set_defaults(module="cli.check")
    check.add_argument("address", metavar="ADDRESS", help="primary SMTP address of the mailbox")
    _add_reading(check)
    check.add_argument(
        "--at", metavar="TIME", help="ask about another moment, e.g. 2026-11-21T14:00:00Z (default: now)"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")


def _add_doctor(commands: Commands[_Parser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="say whether mailboxes can be read, and whether the rights given fit their profiles, without AWS",
        description="Reads as `presence check` does and prints the verdicts alone: read or the problem, which rules "
        "of the profile need more rights than were given, and which rights it does not need. Exit code 0: all were "
        "read; 1: a mailbox could not be read; 2: wrong usage or configuration.",
    )
    doctor.set_defaults(module="cli.doctor")
    doctor.add_argument("addresses", nargs="+", metavar="ADDRESS", help="primary SMTP addresses of mailboxes")
    _add_reading(doctor)


def _add_run(commands: Commands[_Parser]) -> None:
    run = commands.add_parser(
        "run",
        help="run the whole system on this machine, without AWS, until Ctrl-C",
        description="Deploys template.yaml into the embedded engine and reads real calendars; prints each change that "
        "is published. What is known stays in a folder from run to run. Exit code 0: stopped by Ctrl-C or SIGTERM.",
    )
    run.set_defaults(module="cli.run")
    _add_gateways_file(run)
    run.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="folder that keeps the state; made if it is not there"
    )
    run.add_argument("--users", type=Path, metavar="FILE.csv", help="users to add and to change, as for users import")
    run.add_argument("--port", type=_port, default=4566, metavar="NUMBER", help="of the engine on 127.0.0.1 (4566)")
    run.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of template.yaml, e.g. CheckIntervalMinutes=2; may be given again",
    )


def _add_users(commands: Commands[_Parser]) -> None:
    users = commands.add_parser("users", help="add, import, list and remove the users of a deployed stack")
    actions = users.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    add = actions.add_parser("add", help="add users by their primary SMTP addresses")
    add.add_argument("addresses", nargs="+", metavar="ADDRESS")
    add.add_argument("--profile", metavar="NAME", help="their own profile (default: the one that is assigned)")
    add.add_argument("--group", action="append", default=[], metavar="NAME", help="a group that profiles go by")
    load = actions.add_parser("import", help="add the users of a CSV file with the columns address, profile, groups")
    load.add_argument("file", type=Path, metavar="FILE.csv")
    listing = actions.add_parser("list", help="list the users, their presence and their problems")
    listing.add_argument(
        "--problems", action="store_true", help="only those whose mailbox can't be read, with the remedy"
    )
    remove = actions.add_parser("remove", help="remove users; their calendars are not read any more")
    remove.add_argument("addresses", nargs="+", metavar="ADDRESS")
    for name, action in (("add", add), ("load", load), ("show", listing), ("remove", remove)):
        action.set_defaults(module="cli.users", action=name)
        _add_stack(action)
    log_name = actions.add_parser(
        "log-name",
        help="say how log lines name somebody, or who is meant by a name",
        description="Log lines name people by a keyed HMAC. Leaves a line in the audit trail.",
    )
    log_name.set_defaults(module="cli.log_names")
    who = log_name.add_mutually_exclusive_group(required=True)
    # Optional though a list, as for `replay`.
    who.add_argument("addresses", nargs="*", default=[], metavar="ADDRESS")
    who.add_argument("--who", metavar="NAME", help="the name in a log line, for example user-4c2f0e9d8b7a6150")
    _add_stack(log_name)


def _add_gateways(commands: Commands[_Parser]) -> None:
    gateways = commands.add_parser(
        "gateways", help="validate a gateways document, put it into a stack, show what is there"
    )
    actions = gateways.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    validate = actions.add_parser("validate", help="check a document and print what it says")
    validate.add_argument("file", type=Path, metavar="FILE")
    put = actions.add_parser("put", help="check a document and put it into the stack; it is live within a minute")
    put.add_argument("file", type=Path, metavar="FILE")
    show = actions.add_parser("show", help="print the document of a stack")
    show.add_argument("--json", action="store_true", help="print the document itself, as JSON")
    retry = actions.add_parser("retry", help="have the account of a gateway that rests tried at the next check")
    retry.add_argument("name", metavar="NAME", help="name of the gateway")
    for name, action in (("validate", validate), ("put", put), ("show", show), ("retry", retry)):
        action.set_defaults(module="cli.gateways", action=name)
    for action in (put, show, retry):
        _add_stack(action)


def _add_profile(commands: Commands[_Parser]) -> None:
    profile = commands.add_parser(
        "profile", help="explain and validate the profiles, which say what becomes of a calendar, and try one"
    )
    actions = profile.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    explain = actions.add_parser("explain", help="print a profile as a table, with its rules and the rights it needs")
    validate = actions.add_parser("validate", help="check the profiles of a gateways document, and say who has which")
    validate.add_argument("file", type=Path, metavar="FILE", help="the gateways document (TOML)")
    attempt = actions.add_parser("try", help="print what a calendar would become under a profile; nothing is changed")
    what = attempt.add_mutually_exclusive_group(required=True)
    what.add_argument("--calendar", type=Path, metavar="FILE", help="a calendar (TOML or JSON; see docs/profiles.md)")
    what.add_argument("--address", metavar="ADDRESS", help="what the stack knows of a user")
    attempt.add_argument(
        "--at", metavar="TIME", help="show what comes from a moment on (default: the calendar's begin; of a user: now)"
    )
    for name, action in (("explain", explain), ("validate", validate), ("try", attempt)):
        action.set_defaults(module="cli.profile", action=name)
    for action in (explain, attempt):
        action.add_argument("name", metavar="PROFILE", help="a built-in profile, or one of the document")
        where = action.add_mutually_exclusive_group()
        where.add_argument("--config", type=Path, metavar="FILE", help="the gateways document (TOML) that has it")
        where.add_argument("--stack", metavar="NAME", help="the deployed stack whose document has it")


def _add_show(commands: Commands[_Parser]) -> None:
    show = commands.add_parser("show", help="print what is shown of somebody, also as other systems would show it")
    show.set_defaults(module="cli.show")
    _add_user_address(show)
    show.add_argument("--as", dest="world", choices=WORLDS, metavar="WORLD", help=", ".join(WORLDS))
    show.add_argument("--language", choices=("en", "ja"), default="en", help="of labels (default: en)")
    _add_stack(show)


def _add_set_presence(commands: Commands[_Parser]) -> None:
    claim = commands.add_parser(
        "set",
        help="set somebody's presence by hand, or claim it for another system",
        description="What is set by hand goes before all else and ends by itself: at the next change of the calendar, "
        "after 8 hours at the latest, unless told otherwise.",
    )
    clear = commands.add_parser("clear", help='take back what was set ("I\'m back")')
    use = commands.add_parser("calendar", help="switch somebody's calendar on or off, or pause it")
    remind = commands.add_parser("remind", help="have somebody told that a meeting begins, so many minutes ahead")
    for name, parser in (("set", claim), ("clear", clear), ("calendar", use), ("remind", remind)):
        parser.set_defaults(module="cli.set_presence", action=name)
        _add_user_address(parser)
        _add_stack(parser)
    words = "available, busy, do-not-disturb, be-right-back, away, off-work, offline, in-a-call … or Busy/InAMeeting"
    claim.add_argument("presence", metavar="PRESENCE", help=words)
    ends = claim.add_mutually_exclusive_group()
    ends.add_argument("--until", metavar="TIME", help="its end, e.g. 2026-11-21T14:00:00Z")
    ends.add_argument("--for", dest="length", metavar="LENGTH", help="how long: 90m, 2h, 1h30m, 1d")
    meeting = "until the next meeting, wherever it moves; after 24 hours at the latest"
    ends.add_argument("--until-next-meeting", action="store_true", help=meeting)
    strength = "of another system's claim, 3 to 99, always below what is set by hand (default: above busy)"
    claim.add_argument("--strength", type=int, metavar="NUMBER", help=strength)
    for parser in (claim, clear):
        parser.add_argument("--source", metavar="NAME", help="the other system that claims it (default: by hand)")
    use.add_argument("use", choices=("on", "off", "pause"), help="whether it is read and shown")
    use.add_argument("--until", metavar="TIME", help="when a pause ends, e.g. 2026-11-21T14:00:00Z")
    remind.add_argument("minutes", metavar="MINUTES|off", help="1 to 120")


def _add_why(commands: Commands[_Parser]) -> None:
    why = commands.add_parser(
        "why",
        help="say why somebody is shown as they are, what comes next, and what is wrong",
        description="Tells the decision from the table alone: entries (times and statuses only), claims, which won by "
        "which rule, when it was read and from where, and what comes next. The look leaves a line in the audit trail.",
    )
    why.set_defaults(module="cli.why")
    _add_user_address(why)
    why.add_argument("--at", metavar="TIME", help="another moment, e.g. 2026-11-21T14:00:00Z (default: now)")
    _add_stack(why)


def _add_history(commands: Commands[_Parser]) -> None:
    history = commands.add_parser(
        "history",
        help="print what was shown of a user and why, if the stack keeps it",
        description="Prints a line for each version of a user's presence that was shown in a stretch of time, the "
        "newest last, if the stack was deployed with HistoryDays. Leaves a line in the audit trail.",
    )
    history.set_defaults(module="cli.history")
    _add_user_address(history)
    history.add_argument(
        "--from", dest="start", metavar="TIME", help="from what was shown then, e.g. 2026-11-21T14:00:00Z"
    )
    history.add_argument("--to", dest="end", metavar="TIME", help="until then (default: until now)")
    _add_stack(history)


def _add_user(commands: Commands[_Parser]) -> None:
    user = commands.add_parser("user", help="export or erase all that is stored of one person")
    actions = user.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    export = actions.add_parser("export", help="print all that is stored of a person, as JSON")
    export.add_argument("--output", type=Path, metavar="FILE", help="write it to a new file that only you can read")
    erase = actions.add_parser("erase", help="remove all that is stored of a person, and publish them as unknown")
    erase.add_argument("--yes", action="store_true", help="do not ask first")
    for name, action in (("export", export), ("erase", erase)):
        action.set_defaults(module="cli.personal_data", action=name)
        action.add_argument("address", metavar="ADDRESS", help="SMTP address of the person, also of one removed before")
        _add_stack(action)


def _add_replay(commands: Commands[_Parser]) -> None:
    replay = commands.add_parser(
        "replay",
        help="publish the present version of users again",
        description="Publishes what the table says of users now, under the same event id as before: subscribers that "
        "had it drop it.",
    )
    replay.set_defaults(module="cli.replay")
    who = replay.add_mutually_exclusive_group(required=True)
    # Optional though a list: argparse takes a positional argument into such a group on no other terms.
    who.add_argument("addresses", nargs="*", default=[], metavar="ADDRESS")
    who.add_argument("--all", action="store_true", help="all users of the stack")
    _add_stack(replay)


def _add_invoke(commands: Commands[_Parser]) -> None:
    invoke = commands.add_parser(
        "invoke",
        help="run a function with a test event, on this machine and without Docker",
        description="Deploys template.yaml into the embedded engine beside the simulated Exchange, brings "
        "in the users of the event, runs the function, prints its answer, its log, and what it wrote and published.",
    )
    invoke.set_defaults(module="cli.invoke")
    invoke.add_argument("function", choices=FUNCTIONS, metavar="FUNCTION", help=", ".join(FUNCTIONS))
    invoke.add_argument("-e", "--event", type=Path, required=True, metavar="FILE", help="the event (JSON)")


def _add_demo(commands: Commands[_Parser]) -> None:
    demo = commands.add_parser("demo", help="show everything at work, on this machine")
    demo.set_defaults(module="cli.demo")
    kinds = demo.add_mutually_exclusive_group()
    kinds.add_argument("--watch", action="store_true", help="go on until Ctrl-C, and judge nothing")
    kinds.add_argument("--samples", action="store_true", help="read recorded answers of Exchange instead")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than 0 and at most {LONGEST_TIMEOUT} seconds")
    return seconds


_seconds.__name__ = "number of seconds"  # argparse names the type in its complaint


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to {LARGEST_PORT}")
    return port


_port.__name__ = "port"


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", required=True, metavar="NAME", help="name of the deployed CloudFormation stack")


def _add_user_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="primary SMTP address of the user")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    _add_gateways_file(parser)
    parser.add_argument("--connect-timeout", type=_seconds, default=5, metavar="SECONDS", help="(default: 5)")
    parser.add_argument("--read-timeout", type=_seconds, default=20, metavar="SECONDS", help="(default: 20)")


def _add_gateways_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the gateways document (TOML)")
    parser.add_argument(
        "--secrets", type=Path, metavar="DIR", help="folder of the secrets (default: secrets/ beside FILE)"
    )
