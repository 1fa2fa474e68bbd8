"""The command `presence profile` as an operator has it, and a gateways document with a profile of their own."""

from __future__ import annotations

import pytest

from cli.main import main

DOCUMENT = """
schema_version = 1

[[gateways]]
name = "headquarters"
kind = "autodiscover"
domains = ["example.com"]
credentials = "exchange-reader"

[[profiles]]
name = "reception"
order = ["by-hand", "busy", "out-of-office", "tentative", "automatic-reply", "working-elsewhere", "off-work"]
all_day_busy = false
private = "ignored"
minimum_length_minutes = 5
close_gaps_minutes = 60
replies_switched_on = "claim"
longest_by_hand_minutes = 45

[profiles.presences]
tentative = "Busy"
off-work = "Offline / OffWork"
working-elsewhere = "none"

[[profile_assignments]]
profile = "reception"
users = ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com", "f@example.com"]
groups = ["Front"]

[[profile_assignments]]
profile = "cisco-9"
domains = ["*"]
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    assert main(["profile", *map(str, arguments)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["profile", *map(str, arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err
