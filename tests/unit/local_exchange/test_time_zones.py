from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.exchange.time_zones import Changeover, ZoneRules, zone_rules

BERLIN = ZoneRules(
    -60,
    Changeover(0, time(3), 5, 10, "Sunday"),
    Changeover(-60, time(2), 5, 3, "Sunday"),
)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", BERLIN),
        (
            "America/New_York",
            ZoneRules(300, Changeover(0, time(2), 1, 11, "Sunday"), Changeover(-60, time(2), 2, 3, "Sunday")),
        ),
        (
            "Australia/Sydney",
            ZoneRules(-600, Changeover(0, time(3), 1, 4, "Sunday"), Changeover(-60, time(2), 1, 10, "Sunday")),
        ),
        ("Asia/Tokyo", ZoneRules(-540)),
        ("Asia/Kathmandu", ZoneRules(-345)),
    ],
)
def test_a_zone_has_the_rules_that_windows_gives_it(zone: str, expected: ZoneRules) -> None:
    assert zone_rules(ZoneInfo(zone), 2026) == expected


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/St_Johns", "Australia/Sydney", "Asia/Kathmandu", "Europe/Dublin", "UTC"]
)
def test_the_rules_say_the_same_instants_as_the_zone(name: str) -> None:
    zone = ZoneInfo(name)
    rules = zone_rules(zone, 2026)
    instant = datetime(2026, 1, 2, tzinfo=UTC)
    while instant.year == 2026:
        local = instant.astimezone(zone).replace(tzinfo=None)
        if len({local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}) == 1:
            assert rules.to_utc(local) == instant, local
        instant += timedelta(minutes=30)


def test_the_fourth_of_five_sundays_is_not_the_last() -> None:
    fourth = Changeover(0, time(2), 4, 3, "Sunday")
    last = Changeover(0, time(2), 5, 3, "Sunday")
    assert fourth.in_year(2026) == datetime(2026, 3, 22, 2)  # noqa: DTZ001  a wall-clock time
    assert last.in_year(2026) == datetime(2026, 3, 29, 2)  # noqa: DTZ001  likewise
