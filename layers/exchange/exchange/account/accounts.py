"""What is known of a gateway's account with one version of its secret, so that no account is locked out.

An account that nobody has proved is tried by one reader at a time, and so is one that was rejected, on another host if
the gateway has one: a single host may be sick. Two rejections that no acceptance overrules make the gateway rest:
nobody sends the account anywhere but one prober each half hour. An acceptance anywhere ends all of that.

Pure: each function takes what is known and the present instant, and returns what is known then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.endpoints import Fact
from presence.instants import format_instant, instant_noted, parse_instant

_BUDGET_TIME = timedelta(minutes=30)
"""In any stretch as long as this, an account that is rejected is tried twice at most (decision 0055)."""
_SAME_EVENT = timedelta(minutes=1)
"""Rejections by one host so close together are one event: of readers that were under way at the same time."""
_OTHER_HOST_FIRST = timedelta(minutes=10)
"""For so long after a probe is due it is left to other hosts than the one that rejected the account last."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A host (with its port, as in an URL) that rejected the account; `overruled`: another host accepted it since."""

    host: str
    at: datetime
    overruled: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account.

    `rejections` are those of the last half hour and always the last one, the newest last; `attempts` counts those
    since the last acceptance. `trying` is the reader that may try the account now, until `trying_until`.
    """

    proved: bool = False
    rejections: tuple[Rejection, ...] = ()
    attempts: int = 0
    resting_since: datetime | None = None
    next_attempt_at: datetime | None = None
    trying: str = ""
    trying_until: datetime | None = None


class Refusal(StrEnum):
    """Why a reader may not send the account to a host now."""

    RESTS = "the gateway rests"
    BY_HOST = "this host rejected it"
    BEING_TRIED = "another reader is trying it"


def is_free(account: Account, host: str, now: datetime) -> bool:
    """Tell whether all may send the account to a host: it is proved, and nothing is held against either."""
    return account.proved and not (_is_resting(account) or _standing(account, now) or _recent(account, host, now))


def asked_for(
    account: Account, host: str, reader: str, until: datetime, now: datetime, *, pool: bool
) -> Account | Refusal:
    """Return the account as it is when `reader` may send it to a host, alone and until an instant, or why not.

    `pool`: the gateway has other hosts.
    """
    if is_free(account, host, now):
        return account
    held = account.trying == reader
    if account.trying_until is not None and now < account.trying_until and not held:
        return Refusal.BEING_TRIED
    if account.next_attempt_at is not None and now < account.next_attempt_at and not held:
        return Refusal.RESTS
    if _is_others_turn(account, host, now, pool=pool):
        return Refusal.BY_HOST
    next_attempt_at = now + _BUDGET_TIME if _is_resting(account) and not held else account.next_attempt_at
    return replace(account, trying=reader, trying_until=until, next_attempt_at=next_attempt_at)


def rejected(account: Account, host: str, now: datetime, *, pool: bool) -> Account:
    """Return the account after a host rejected it; the gateway rests if that confirms an earlier rejection.

    It is confirmed by another host, or by the same one later on if there is no other.
    """
    kept = tuple(each for each in account.rejections if now - each.at < _BUDGET_TIME)
    if not any(each.host == host and now - each.at < _SAME_EVENT for each in kept):
        kept = (*kept, Rejection(host, now))
    after = replace(account, rejections=kept, attempts=account.attempts + 1, trying="", trying_until=None)
    standing = _standing(after, now)
    confirmed = len({each.host for each in standing}) > 1 or (not pool and len(standing) > 1)
    if not confirmed and not _is_resting(account):
        return after
    return replace(after, resting_since=account.resting_since or now, next_attempt_at=now + _BUDGET_TIME)


def accepted(account: Account, host: str, now: datetime) -> Account:
    """Return the account after a host accepted it: proved, and whoever rejected it of late is the one at fault."""
    overruled = tuple(
        replace(each, overruled=True)
        for each in account.rejections
        if each.host != host and now - each.at < _BUDGET_TIME
    )
    return Account(proved=True, rejections=overruled)


def not_judged(account: Account, reader: str) -> Account:
    """Return the account when `reader` goes without having found out anything: the next one may try."""
    return replace(account, trying="", trying_until=None) if account.trying == reader else account


def read_account(fact: Fact | None) -> Account:
    """Return what a fact says; of a spoilt one nothing is known, so that one reader tries."""
    if not fact:
        return Account()
    try:
        rejections = tuple(
            Rejection(str(host), parse_instant(at), bool(overruled))
            for host, at, overruled in json.loads(fact.get("rejections", "[]"))
        )
        attempts = int(fact.get("attempts", "0"))
    except (ValueError, TypeError):
        return Account()
    return Account(
        proved="proved" in fact,
        rejections=rejections,
        attempts=attempts,
        resting_since=instant_noted(fact, "restingSince"),
        next_attempt_at=instant_noted(fact, "nextAttemptAt"),
        trying=fact.get("trying", ""),
        trying_until=instant_noted(fact, "tryingUntil"),
    )


def write_account(account: Account) -> Fact:
    """Return the fact that says what is known."""
    fact = {
        "rejections": json.dumps([[each.host, format_instant(each.at), each.overruled] for each in account.rejections]),
        "attempts": str(account.attempts),
    }
    if account.proved:
        fact["proved"] = "yes"
    if account.trying:
        fact["trying"] = account.trying
    instants = {
        "restingSince": account.resting_since,
        "nextAttemptAt": account.next_attempt_at,
        "tryingUntil": account.trying_until,
    }
    return {**fact, **{name: format_instant(at) for name, at in instants.items() if at is not None}}


def _is_resting(account: Account) -> bool:
    return account.resting_since is not None


def _standing(account: Account, now: datetime) -> tuple[Rejection, ...]:
    return tuple(each for each in account.rejections if not each.overruled and now - each.at < _BUDGET_TIME)


def _recent(account: Account, host: str, now: datetime) -> tuple[Rejection, ...]:
    return tuple(each for each in account.rejections if each.host == host and now - each.at < _BUDGET_TIME)


def _is_others_turn(account: Account, host: str, now: datetime, *, pool: bool) -> bool:
    """Tell whether a host is passed over: it rejected the account, and another may know better."""
    if _is_resting(account):
        last = account.rejections[-1].host if account.rejections else ""
        due = account.next_attempt_at or now
        return pool and host == last and now < due + _OTHER_HOST_FIRST
    return any(pool or each.overruled or now - each.at < _SAME_EVENT for each in _recent(account, host, now))
