from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.exchange.organisation import BusyStatus, Entry, Mailbox, Organisation, OutOfOffice, Recurrence, all_day

BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")
ALICE = "alice@example.com"
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def organisation(zone: ZoneInfo = BERLIN) -> Organisation:
    return Organisation([Mailbox(ALICE, "Alice", zone, aliases=("a.smith@example.com",))])


def times(found: Organisation, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    return [(each.start, each.end) for each in found.entries(ALICE, start, end)]


def test_an_entry_is_found_from_its_start_until_before_its_end() -> None:
    known = organisation()
    known.add(ALICE, Entry(NINE, NINE + HOUR))
    assert times(known, NINE - HOUR, NINE) == []
    assert times(known, NINE - HOUR, NINE + timedelta(seconds=1)) == [(NINE, NINE + HOUR)]
    assert times(known, NINE + HOUR, NINE + 2 * HOUR) == []


def test_an_entry_without_length_is_found_where_it_stands() -> None:
    known = organisation()
    known.add(ALICE, Entry(NINE, NINE))
    assert times(known, NINE, NINE + HOUR) == [(NINE, NINE)]
    assert times(known, NINE - HOUR, NINE) == []


def test_entries_can_be_changed_and_removed_by_id_under_any_address() -> None:
    known = organisation()
    entry_id = known.add("A.Smith@example.com", Entry(NINE, NINE + HOUR))
    known.change(ALICE, entry_id, end=NINE + 2 * HOUR, status=BusyStatus.OUT_OF_OFFICE)
    assert times(known, NINE, NINE + HOUR) == [(NINE, NINE + 2 * HOUR)]
    assert known.remove(ALICE, entry_id).status is BusyStatus.OUT_OF_OFFICE
    assert times(known, NINE, NINE + HOUR) == []
    with pytest.raises(KeyError):
        known.remove(ALICE, entry_id)


def test_a_daily_entry_keeps_its_wall_clock_time_over_the_end_of_summer_time() -> None:
    known = organisation()
    first = datetime(2026, 10, 24, 9, tzinfo=BERLIN)
    known.add(ALICE, Entry(first, first + HOUR, recurrence=Recurrence()))
    found = times(known, datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))
    assert [start.isoformat() for start, _ in found] == [
        "2026-10-24T07:00:00+00:00",
        "2026-10-25T08:00:00+00:00",
        "2026-10-26T08:00:00+00:00",
    ]


def test_a_recurrence_begins_with_its_first_day_leaves_exceptions_out_and_ends() -> None:
    known = organisation(TOKYO)
    first = datetime(2026, 11, 23, 23, tzinfo=TOKYO)
    recurrence = Recurrence(frozenset({0, 1, 2, 3}), date(2026, 11, 26), frozenset({date(2026, 11, 25)}))
    known.add(ALICE, Entry(first, first + 2 * HOUR, recurrence=recurrence))
    found = times(known, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 24, tzinfo=UTC))
    assert [start.astimezone(TOKYO).date().day for start, _ in found] == [23, 24, 26]
    assert all(end - start == 2 * HOUR for start, end in found)
    midnight = datetime(2026, 11, 25, 0, 30, tzinfo=TOKYO)
    assert times(known, midnight, midnight + HOUR / 4) == [(found[1][0], found[1][1])]


def test_an_all_day_entry_goes_from_midnight_to_midnight_of_its_zone() -> None:
    begins, ends = all_day(TOKYO, date(2026, 11, 23))
    assert begins.astimezone(UTC).isoformat() == "2026-11-22T15:00:00+00:00"
    assert ends.astimezone(UTC).isoformat() == "2026-11-23T15:00:00+00:00"


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(NINE, NINE - HOUR), (NINE.replace(tzinfo=None), NINE), (NINE, NINE.replace(tzinfo=None))],
    ids=["ends before it starts", "start without zone", "end without zone"],
)
def test_an_impossible_entry_is_refused(begins: datetime, ends: datetime) -> None:
    with pytest.raises(ValueError, match="a calendar entry"):
        Entry(begins, ends)


def test_scheduled_replies_are_active_in_their_time_only() -> None:
    scheduled = OutOfOffice(start=NINE, end=NINE + HOUR)
    assert [scheduled.active_at(NINE + n * HOUR) for n in (-1, 0, 1)] == [False, True, False]
    assert OutOfOffice().active_at(NINE)


def test_a_calendar_can_be_read_while_others_change_it() -> None:
    known = organisation()
    failures: list[BaseException] = []

    def churn() -> None:
        try:
            for _ in range(300):
                known.remove(ALICE, known.add(ALICE, Entry(NINE, NINE + HOUR)))
        except BaseException as error:  # noqa: BLE001  whatever goes wrong in the thread must reach the test
            failures.append(error)

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(known.entries(ALICE, NINE, NINE + HOUR)) <= 4
    assert not failures
    assert known.calendar(ALICE) == {}
