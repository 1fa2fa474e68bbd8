"""What is known of an account: who may send it where, and when nobody may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.account.accounts import (
    Account,
    Refusal,
    accepted,
    asked_for,
    is_free,
    not_judged,
    read_account,
    rejected,
    write_account,
)

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIRST, SECOND, THIRD = "cas1.branch.test", "cas2.branch.test", "cas3.branch.test"


def after(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def leave(account: Account, host: str, now: datetime, *, read: str = "one", pool: bool = True) -> Account | Refusal:
    return asked_for(account, host, read, now + timedelta(seconds=40), now, pool=pool)


def given(account: Account, host: str, now: datetime, *, read: str = "one", pool: bool = True) -> Account:
    found = leave(account, host, now, read=read, pool=pool)
    assert isinstance(found, Account)
    return found


def resting(*, pool: bool = True) -> Account:
    """Rejected at ten by one host, and five minutes later by another, or by the only one."""
    once = rejected(given(Account(), FIRST, TEN, pool=pool), FIRST, TEN, pool=pool)
    host = SECOND if pool else FIRST
    return rejected(given(once, host, after(5), pool=pool), host, after(5), pool=pool)


def test_an_account_that_nobody_has_proved_is_tried_by_one_reader_at_a_time() -> None:
    account = given(Account(), FIRST, TEN)
    assert leave(account, FIRST, TEN, read="two") is Refusal.BEING_TRIED
    assert leave(account, SECOND, TEN, read="two") is Refusal.BEING_TRIED
    assert given(account, SECOND, TEN) == account, "the reader itself may go on to the next host"
    later = TEN + timedelta(seconds=40)
    assert given(account, FIRST, later, read="two").trying == "two", "a reader that was killed holds up nobody for long"


def test_a_reader_that_found_nothing_out_lets_the_next_one_try() -> None:
    account = given(Account(), FIRST, TEN)
    assert not_judged(account, "two") == account
    assert given(not_judged(account, "one"), FIRST, TEN, read="two").trying == "two"


def test_an_account_that_is_proved_is_free_for_all() -> None:
    account = accepted(given(Account(), FIRST, TEN), FIRST, TEN)
    for host in (FIRST, SECOND):
        assert is_free(account, host, TEN)
        assert leave(account, host, TEN, read="two") == account


def test_after_one_rejection_by_a_pool_another_host_is_tried_and_by_one_reader() -> None:
    account = rejected(accepted(Account(), FIRST, TEN), FIRST, TEN, pool=True)
    assert not is_free(account, SECOND, TEN)
    assert leave(account, FIRST, after(29)) is Refusal.BY_HOST
    trying = given(account, SECOND, TEN)
    assert leave(trying, SECOND, TEN, read="two") is Refusal.BEING_TRIED


def test_a_host_whose_rejection_another_overrules_is_passed_over_for_half_an_hour_and_the_others_are_free() -> None:
    once = rejected(accepted(Account(), FIRST, TEN), FIRST, TEN, pool=True)
    account = accepted(given(once, SECOND, TEN), SECOND, TEN)
    assert account.attempts == 0
    assert is_free(account, SECOND, TEN)
    assert is_free(account, THIRD, TEN)
    assert not is_free(account, FIRST, after(29))
    assert leave(account, FIRST, after(29)) is Refusal.BY_HOST
    assert is_free(account, FIRST, after(30))


@pytest.mark.parametrize("pool", [True, False])
def test_readers_that_were_under_way_when_a_host_rejects_are_one_event_and_confirm_nothing(*, pool: bool) -> None:
    account = accepted(Account(), FIRST, TEN)
    for seconds in (0, 5, 59):
        account = rejected(account, FIRST, TEN + timedelta(seconds=seconds), pool=pool)
    assert account.attempts == 3
    assert account.resting_since is None


def test_a_rejection_of_who_was_under_way_does_not_bring_back_what_another_host_has_overruled() -> None:
    once = rejected(accepted(Account(), FIRST, TEN), FIRST, TEN, pool=True)
    overruled = accepted(given(once, SECOND, TEN), SECOND, TEN)

    late = rejected(overruled, FIRST, TEN + timedelta(seconds=20), pool=True)

    assert is_free(late, SECOND, TEN + timedelta(seconds=20)), "nobody else waits for it"
    assert not is_free(late, FIRST, TEN + timedelta(seconds=20))


@pytest.mark.parametrize("minutes", [1, 29])
def test_one_host_alone_never_rests_a_pool_but_does_rest_a_gateway_that_has_no_other(minutes: float) -> None:
    once = rejected(Account(), FIRST, TEN, pool=False)
    assert leave(once, FIRST, TEN + timedelta(seconds=59), pool=False) is Refusal.BY_HOST
    alone = rejected(given(once, FIRST, after(minutes), pool=False), FIRST, after(minutes), pool=False)
    assert alone.resting_since == after(minutes)
    assert rejected(rejected(Account(), FIRST, TEN, pool=True), FIRST, after(minutes), pool=True).resting_since is None


def test_a_rejection_of_more_than_half_an_hour_ago_confirms_nothing() -> None:
    account = rejected(rejected(Account(), FIRST, TEN, pool=True), SECOND, after(30), pool=True)
    assert account.resting_since is None


@pytest.mark.parametrize("pool", [True, False])
def test_a_gateway_that_rests_is_tried_once_in_half_an_hour_by_one_prober(*, pool: bool) -> None:
    account = resting(pool=pool)
    assert (account.resting_since, account.attempts) == (after(5), 2)
    for host in (FIRST, SECOND, THIRD):
        assert leave(account, host, after(34.9), pool=pool) is Refusal.RESTS
    probing = given(account, FIRST, after(35), pool=pool)
    assert leave(probing, FIRST, after(35), read="two", pool=pool) is Refusal.BEING_TRIED
    assert leave(probing, FIRST, after(36), read="two", pool=pool) is Refusal.RESTS, "also if the prober was killed"
    probed = rejected(probing, FIRST, after(35), pool=pool)
    assert leave(probed, SECOND, after(64.9), pool=pool) is Refusal.RESTS
    assert (probed.resting_since, probed.attempts) == (after(5), 3)
    assert isinstance(leave(probed, SECOND, after(65), pool=pool), Account)


def test_a_probe_goes_to_another_host_than_the_one_that_rejected_last_if_that_can_be_asked() -> None:
    account = resting()
    assert leave(account, SECOND, after(35)) is Refusal.BY_HOST
    assert isinstance(leave(account, FIRST, after(35)), Account)
    assert isinstance(leave(account, SECOND, after(45)), Account), "nobody could ask another for ten minutes"
    assert isinstance(leave(resting(pool=False), FIRST, after(35), pool=False), Account)


def test_an_acceptance_ends_the_rest_for_all() -> None:
    account = accepted(given(resting(), FIRST, after(35)), FIRST, after(35))
    assert (account.resting_since, account.next_attempt_at, account.attempts) == (None, None, 0)
    assert is_free(account, FIRST, after(35))
    assert is_free(account, THIRD, after(35))


@pytest.mark.parametrize(
    "account",
    [Account(), given(Account(), FIRST, TEN), accepted(Account(), FIRST, TEN), resting(), resting(pool=False)],
    ids=["unknown", "being tried", "proved", "resting", "resting alone"],
)
def test_what_is_known_survives_being_written(account: Account) -> None:
    assert read_account(write_account(account)) == account


@pytest.mark.parametrize("spoilt", ["{", "[1]", '[["a", "b"]]', '[["a", "never", true]]', "null"])
def test_of_a_spoilt_fact_nothing_is_known(spoilt: str) -> None:
    assert read_account({**write_account(resting()), "rejections": spoilt}) == Account()
    assert read_account(None) == Account()
