"""Commands heard lately: how one that comes twice, or after a newer one, is told from news.

A queue may deliver a command twice and in any order (docs.aws.amazon.com/lambda, "Asynchronous invocation"). So of each
subject, a source of claims, the calendar's switch or the reminders, it is kept when the newest command about it was
asked for, also after its claim has ended or was taken back, for as long as an older one could still come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LATEST = timedelta(minutes=5)
"""A command that was asked for longer ago is refused: something newer may have been forgotten."""

MOST_HEARD = 30
"""Subjects remembered, the newest: more than can have claims, so that no sender makes a record grow without bound."""

_KEPT = LATEST + timedelta(minutes=1)
"""A minute more than needed, since one clock takes the command and another may carry out the next."""


@dataclass(frozen=True, slots=True)
class Heard:
    """When (an instant in UTC) the newest command about a subject was asked for."""

    subject: str
    asked_at: datetime


def lately(heard: Iterable[Heard], now: datetime) -> tuple[Heard, ...]:
    """Return what still counts at an instant: before what was asked for then, nothing older comes any more."""
    return tuple(one for one in heard if one.asked_at >= now - _KEPT)


def with_heard(heard: Iterable[Heard], subject: str, asked_at: datetime, now: datetime) -> tuple[Heard, ...]:
    """Return what was heard with one command more, in the order of the subjects."""
    others = [one for one in lately(heard, now) if one.subject != subject]
    newest = sorted([*others, Heard(subject, asked_at)], key=lambda one: one.asked_at)[-MOST_HEARD:]
    return tuple(sorted(newest, key=lambda one: one.subject))


def newest_of(heard: Iterable[Heard], subject: str) -> datetime | None:
    """Return when the newest command about a subject was asked for; None: none is remembered."""
    return next((one.asked_at for one in heard if one.subject == subject), None)
