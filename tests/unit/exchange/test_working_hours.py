from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from exchange.ews.availability import Availability, parse_availability
from presence.calendar import Window
from presence.working_hours import MailboxZone, WorkingHours, WorkingPeriod, ZoneChange
from tests.unit.exchange.hosts import availability, free_busy_response

WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
SUNDAY = 6
STANDARD = (
    "<t:StandardTime><t:Bias>0</t:Bias><t:Time>03:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>10</t:Month>"
    "<t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime>"
)
DAYLIGHT = (
    "<t:DaylightTime><t:Bias>-60</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>3</t:Month>"
    "<t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime>"
)
PERIOD = (
    "<t:WorkingPeriod><t:DayOfWeek>Monday Tuesday Wednesday Thursday Friday</t:DayOfWeek>"
    "<t:StartTimeInMinutes>480</t:StartTimeInMinutes><t:EndTimeInMinutes>1020</t:EndTimeInMinutes></t:WorkingPeriod>"
)
GOOD = (
    f"<t:WorkingHours><t:TimeZone><t:Bias>-60</t:Bias>{STANDARD}{DAYLIGHT}</t:TimeZone>"
    f"<t:WorkingPeriodArray>{PERIOD}</t:WorkingPeriodArray></t:WorkingHours>"
)
BERLIN = MailboxZone(-60, ZoneChange(0, time(3), 5, 10, SUNDAY), ZoneChange(-60, time(2), 5, 3, SUNDAY))
OFFICE = WorkingHours(BERLIN, (WorkingPeriod(frozenset(range(5)), 480, 1020),))


def read(element: str) -> WorkingHours | None:
    """Read the view of a mailbox with one entry, which must be there whatever the working hours are."""
    view = (
        "<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><t:CalendarEvent>"
        "<t:StartTime>2026-11-21T09:00:00Z</t:StartTime><t:EndTime>2026-11-21T10:00:00Z</t:EndTime>"
        "<t:BusyType>Busy</t:BusyType></t:CalendarEvent></t:CalendarEventArray>"
    )
    (result,) = parse_availability(
        availability(free_busy_response(view + element)), ["alice@example.com"], WINDOW, "mail.example.com"
    )
    assert isinstance(result, Availability)
    assert len(result.entries) == 1
    return result.working_hours


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


def test_the_working_hours_come_with_their_zone() -> None:
    assert read(GOOD) == OFFICE


def test_without_working_hours_nothing_is_known_of_them() -> None:
    assert read("") is None


@pytest.mark.parametrize(
    ("words", "weekdays"),
    [
        ("Day", set(range(7))),
        ("Weekday", set(range(5))),
        ("WeekendDay", {5, 6}),
        ("Weekday Saturday", set(range(6))),
        ("  Sunday\n Monday Monday ", {6, 0}),
    ],
)
def test_weekdays_are_a_list_of_days_and_groups_of_days(words: str, weekdays: set[int]) -> None:
    hours = read(changed("Monday Tuesday Wednesday Thursday Friday", words))

    assert hours is not None
    assert hours.periods == (WorkingPeriod(frozenset(weekdays), 480, 1020),)


@pytest.mark.parametrize(
    ("array", "count"),
    [("", 0), (PERIOD * 2, 2), (PERIOD.replace("Monday Tuesday Wednesday Thursday Friday", "") + PERIOD, 1)],
    ids=["none", "two", "one of no day and one"],
)
def test_there_may_be_any_number_of_periods(array: str, count: int) -> None:
    hours = read(changed(PERIOD, array))

    assert hours is not None
    assert hours.zone == BERLIN
    assert len(hours.periods) == count


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<t:Time>03:00:00<", "<t:Time>23:59:59.999<", ZoneChange(0, time(23, 59, 59, 999000), 5, 10, SUNDAY)),
        ("<t:DayOfWeek>Sunday<", "<t:DayOfWeek> Friday <", ZoneChange(0, time(3), 5, 10, 4)),
        (
            "Sunday</t:DayOfWeek></t:StandardTime>",
            "Sunday</t:DayOfWeek><t:Year>0</t:Year></t:StandardTime>",
            BERLIN.standard,
        ),
        ("Sunday</t:DayOfWeek></t:StandardTime>", "Sunday</t:DayOfWeek><t:Year/></t:StandardTime>", BERLIN.standard),
        (
            "<t:DayOrder>5</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>",
            "<t:DayOrder>25</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Year>2026</t:Year>",
            ZoneChange(0, time(3), 25, 10, SUNDAY, 2026),
        ),
        ("<t:Bias>0<", "<t:Bias>+0<", BERLIN.standard),
    ],
)
def test_a_change_of_the_clock_is_read_in_each_form_of_it(old: str, new: str, expected: ZoneChange) -> None:
    hours = read(changed(old, new))

    assert hours is not None
    assert hours.zone.standard == expected


def test_a_zone_that_never_changes_its_clock_has_no_months() -> None:
    without = GOOD.replace("<t:DayOrder>5<", "<t:DayOrder>0<")
    without = without.replace("<t:Month>10<", "<t:Month>0<").replace("<t:Month>3<", "<t:Month>0<")
    hours = read(without)

    assert hours is not None
    assert hours.zone.local(datetime(2026, 7, 1, 12, tzinfo=UTC)).hour == 13


@pytest.mark.parametrize(
    "element",
    [
        GOOD * 2,
        "<t:WorkingHours/>",
        "<t:WorkingHours>always</t:WorkingHours>",
        changed(f"<t:WorkingPeriodArray>{PERIOD}</t:WorkingPeriodArray>", ""),
        changed(STANDARD, ""),
        changed(DAYLIGHT, ""),
        changed(STANDARD, STANDARD * 2),
        changed("<t:Bias>-60</t:Bias>", ""),
        changed("<t:Bias>-60<", "<t:Bias>one hour<"),
        changed("<t:Bias>-60<", "<t:Bias>-6000<"),
        changed("<t:Bias>-60<", "<t:Bias>-99999999999999999999<"),
        changed("<t:Time>03:00:00<", "<t:Time>3 am<"),
        changed("<t:Time>03:00:00<", "<t:Time>25:00:00<"),
        changed("<t:Time>03:00:00<", "<t:Time>03:00:00+01:00<"),
        changed("<t:DayOrder>5<", "<t:DayOrder>6<"),
        changed("<t:Month>10<", "<t:Month>13<"),
        changed("<t:DayOfWeek>Sunday<", "<t:DayOfWeek>Weekday<"),
        changed("<t:DayOfWeek>Sunday<", "<t:DayOfWeek>日曜日<"),
        changed("Sunday</t:DayOfWeek></t:S", "Sunday</t:DayOfWeek><t:Year>1</t:Year></t:S"),
        changed("Sunday</t:DayOfWeek></t:S", "Sunday</t:DayOfWeek><t:Year>soon</t:Year></t:S"),
        changed("Monday Tuesday", "Monday,Tuesday"),
        changed("<t:StartTimeInMinutes>480<", "<t:StartTimeInMinutes>1440<"),
        changed("<t:StartTimeInMinutes>480<", "<t:StartTimeInMinutes>8:00<"),
        changed("<t:EndTimeInMinutes>1020<", "<t:EndTimeInMinutes>1441<"),
        changed("<t:EndTimeInMinutes>1020</t:EndTimeInMinutes>", ""),
        changed(PERIOD, "<t:Note/>"),
        changed(PERIOD, PERIOD * 22),
        changed("<t:Bias>-60</t:Bias>", f"<t:Bias>-60</t:Bias><t:Note>{'x' * 20_000}</t:Note>"),
        changed("<t:Time>03:00:00</t:Time>", "<t:Time><t:Hour>3</t:Hour></t:Time>"),
    ],
)
def test_working_hours_that_do_not_follow_the_schema_cost_themselves_and_not_the_calendar(element: str) -> None:
    assert read(element) is None
