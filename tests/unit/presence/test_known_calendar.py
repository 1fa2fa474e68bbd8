"""What is remembered of a calendar where Exchange has no data: the last that was known, and never free time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presence.calendar import FOLDER_VIEW, BusyType, CalendarEntry
from presence.knowledge import Knowledge, picture_of
from presence.known_calendar import KnownCalendar, KnownEntry, hours_of, remembered
from presence.presences import AVAILABLE, UNKNOWN
from presence.profiles import DEFAULT
from presence.timeline import segment_at
from presence.working_hours import WorkingHours
from tests.support.one_user import at, entry, reading
from tests.support.zones import OFFICE_HOURS, TOKYO

GAP = BusyType.NO_DATA
FREE = BusyType.FREE
WHOLE_DAY = entry(-60, 24 * 60, GAP)


def known(*entries: CalendarEntry, until: float = 24 * 60, rule: str = "busy") -> KnownCalendar:
    return KnownCalendar(
        tuple(KnownEntry(one, rule) for one in entries), at(until), "https://mail.example.com/", "FreeBusy"
    )


def seen(entries: tuple[CalendarEntry, ...]) -> list[tuple[float, float, str, bool]]:
    minute = at(1) - at(0)
    return [
        ((one.start - at(0)) / minute, (one.end - at(0)) / minute, one.busy_type.value, one.is_kept) for one in entries
    ]


def test_what_is_told_is_what_is_known_and_free_entries_are_left_out() -> None:
    told = (entry(0, 60, meeting=True), entry(30, 90, BusyType.TENTATIVE))
    assert remembered(reading(0, entry(10, 20, FREE), *told), known(entry(5, 15))) == told


def test_where_there_is_no_data_the_last_known_stays_busy_or_free() -> None:
    kept = remembered(reading(0, entry(0, 120, GAP)), known(entry(30, 60), until=90))
    assert seen(kept) == [
        (0, 30, "Free", True),
        (30, 60, "Busy", True),
        (60, 90, "Free", True),
        (90, 120, "NoData", False),
    ]


@pytest.mark.parametrize("earlier", [None, known(entry(-30, -10), until=-5)], ids=["nothing", "nothing so far ahead"])
def test_where_nothing_was_known_nothing_is(earlier: KnownCalendar | None) -> None:
    assert seen(remembered(reading(0, entry(0, 120, GAP)), earlier)) == [(0, 120, "NoData", False)]


def test_an_entry_that_is_told_beside_no_data_takes_the_place_of_what_was_known() -> None:
    kept = remembered(reading(0, entry(0, 60, GAP), entry(20, 40, BusyType.OUT_OF_OFFICE)), known(entry(0, 60)))
    assert seen(kept) == [
        (0, 20, "Busy", True),
        (20, 40, "NoData", False),
        (20, 40, "OOF", False),
        (40, 60, "Busy", True),
    ]


@pytest.mark.parametrize("earlier", [None, known()], ids=["nothing known before", "known to be free before"])
def test_an_entry_beside_no_data_that_claims_nothing_frees_nobody(earlier: KnownCalendar | None) -> None:
    kept = remembered(reading(0, entry(0, 60, GAP), entry(20, 40, BusyType.TENTATIVE)), earlier)
    knowledge = Knowledge(known(*kept))
    for now, told in enumerate((kept, remembered(reading(5, entry(0, 60, GAP)), knowledge.calendar))):
        segment = segment_at(picture_of(Knowledge(known(*told)), DEFAULT, at(now)).timeline, at(30))
        assert segment is not None
        assert (segment.presence, segment.rule) == (UNKNOWN, "no-data"), now


def test_behind_the_horizon_of_what_was_known_an_entry_that_claims_nothing_frees_nobody() -> None:
    kept = remembered(reading(0, WHOLE_DAY), known(entry(30, 90, BusyType.TENTATIVE), until=60))
    timeline = picture_of(Knowledge(known(*kept)), DEFAULT, at(0)).timeline
    shown = [segment_at(timeline, at(minutes)) for minutes in (59, 60, 89, 90)]
    assert [segment and segment.presence for segment in shown] == [AVAILABLE, UNKNOWN, UNKNOWN, UNKNOWN]


def test_an_entry_without_length_tells_nothing() -> None:
    kept = remembered(reading(0, entry(0, 60, GAP), entry(20, 20), entry(40, 30)), known(entry(0, 60)))
    assert (0, 60, "Busy", True) in seen(kept)


def test_outside_of_the_stretch_what_was_known_is_overtaken() -> None:
    kept = remembered(reading(0, entry(30, 60, GAP)), known(entry(0, 90)))
    assert seen(kept) == [(30, 60, "Busy", True)]


def test_what_began_before_it_was_asked_for_keeps_its_start() -> None:
    assert seen(remembered(reading(0, WHOLE_DAY), known(entry(-90, 60))))[0] == (-90, 60, "Busy", True)


def test_when_an_entry_ends_is_known_also_behind_the_horizon_of_the_reading_that_told_it() -> None:
    told = known(entry(0, 90), until=60)
    assert seen(remembered(reading(0, entry(-60, 120, GAP)), told))[-2:] == [
        (0, 90, "Busy", True),
        (60, 120, "NoData", False),
    ]
    assert seen(remembered(reading(0, entry(70, 120, GAP)), told)) == [
        (70, 90, "Busy", True),
        (70, 120, "NoData", False),
    ]
    assert (0, 80, "Busy", True) in seen(remembered(reading(0, entry(-60, 80, GAP)), told))


def test_what_ends_after_it_was_asked_for_keeps_its_end_at_every_further_reading() -> None:
    leave = entry(-60, 30 * 60, BusyType.OUT_OF_OFFICE)
    once = remembered(reading(0, WHOLE_DAY), known(leave))
    again = remembered(reading(5, entry(-60, 24 * 60 + 5, GAP)), known(*once))
    assert once == (replace(leave, is_kept=True),)
    assert seen(again) == [(-60, 30 * 60, "OOF", True), (24 * 60, 24 * 60 + 5, "NoData", False)]


@pytest.mark.parametrize("rule", ["ignored-short", "ignored-all-day"])
def test_what_did_not_count_for_its_length_is_kept_as_free(rule: str) -> None:
    kept = remembered(reading(0, entry(0, 120, GAP)), known(entry(30, 60), rule=rule))
    assert seen(kept) == [(0, 120, "Free", True)]


def test_stretches_that_touch_or_overlap_are_one() -> None:
    one = remembered(reading(0, entry(0, 120, GAP)), known(entry(30, 90)))
    for gaps in (
        (entry(0, 60, GAP), entry(60, 120, GAP)),
        (entry(0, 80, GAP), entry(40, 120, GAP), entry(50, 60, GAP)),
    ):
        assert remembered(reading(0, *gaps), known(entry(30, 90))) == one


def test_what_was_unknown_before_stays_so_and_is_not_taken_for_free() -> None:
    kept = remembered(reading(0, entry(0, 120, GAP)), known(entry(20, 40, GAP), entry(50, 60)))
    assert seen(kept) == [
        (0, 20, "Free", True),
        (20, 40, "NoData", False),
        (40, 50, "Free", True),
        (50, 60, "Busy", True),
        (60, 120, "Free", True),
    ]


def test_at_every_further_reading_it_stays_what_it_became() -> None:
    gap = entry(30, 120, GAP)
    once = remembered(reading(0, gap), known(entry(0, 60, meeting=True, private=False), until=100))
    again = remembered(reading(5, gap), known(*once, until=24 * 60 + 5))
    assert again == once


def test_all_that_was_known_of_an_entry_is_kept() -> None:
    told = replace(
        entry(0, 60, BusyType.OUT_OF_OFFICE, meeting=True, private=True), is_recurring=False, is_all_day=True
    )
    (kept, *_) = [one for one in remembered(reading(0, WHOLE_DAY), known(told)) if one.busy_type is not FREE]
    assert kept == replace(told, is_kept=True)


def test_a_calendar_knows_its_zone_and_what_has_not_ended() -> None:
    calendar = known(entry(0, 30), entry(20, 60))
    assert calendar.zone is None
    assert replace(calendar, working_hours=WorkingHours(TOKYO, OFFICE_HOURS)).zone == TOKYO
    assert [one.entry for one in calendar.ahead(at(30))] == [entry(20, 60)]


@pytest.mark.parametrize(("view", "stay"), [(FOLDER_VIEW, True), ("FreeBusy", False)])
def test_working_hours_that_a_folder_does_not_tell_stay_as_they_were(view: str, *, stay: bool) -> None:
    hours = WorkingHours(TOKYO, OFFICE_HOURS)
    told = replace(reading(0), view=view)
    earlier = replace(known(), working_hours=hours)
    assert hours_of(told, earlier) == (hours if stay else None)
    assert hours_of(told, None) is None
    assert hours_of(replace(told, working_hours=hours), replace(earlier, working_hours=None)) == hours


@pytest.mark.parametrize("minutes", [90, 200, 24 * 60])
def test_what_reaches_the_horizon_goes_on_until_it_is_read_again(minutes: float) -> None:
    """A timeline lets it have no end, so painting it anew after the end that was told must not show another one."""
    calendar = known(entry(0, 60), entry(0, 180), entry(100, 120), until=120)
    assert [each.entry for each in calendar.ahead(at(minutes))] == [entry(0, 180), entry(100, 120)]
