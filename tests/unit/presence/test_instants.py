from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.instants import ceil_to_second, floor_to_minute, format_instant, parse_instant

TWO = datetime(2026, 11, 21, 14, tzinfo=UTC)
instants = st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-21T14:00:00Z", TWO),
        ("2026-11-21T23:00:00+09:00", TWO),
        ("2026-11-21T09:00:00-05:00", TWO),
        ("2026-11-22T00:00:00+10:00", TWO),
        ("2026-11-21T14:00:00.25Z", TWO + timedelta(milliseconds=250)),
        ("2026-11-21T14:00:00.1234567Z", TWO + timedelta(microseconds=123456)),
        ("2026-11-21T14:00Z", TWO),
    ],
)
def test_a_time_with_its_offset_is_an_instant_in_utc(text: str, instant: datetime) -> None:
    parsed = parse_instant(text)
    assert parsed == instant
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-11-21T14:00:00", "2026-11-21", "2026-11-21T14:00:00.5"])
def test_a_time_without_a_zone_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' has no time zone"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "14:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "<aws.scheduler.scheduled-time>",
        "1763733600",
    ],
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is no ISO 8601"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the years"):
        parse_instant(text)


@given(st.text(alphabet="0123456789-:.TZ+W \ud800", max_size=32))
def test_whatever_the_text_only_a_value_error_comes_out(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_instant(text).tzinfo is UTC


@given(instants)
def test_what_is_written_can_be_read_again(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_an_instant_is_written_with_z_and_a_fraction_only_where_there_is_one() -> None:
    assert format_instant(TWO) == "2026-11-21T14:00:00Z"
    assert format_instant(TWO + timedelta(milliseconds=5)) == "2026-11-21T14:00:00.005000Z"
    assert format_instant(TWO.astimezone(timezone(timedelta(hours=9)))) == "2026-11-21T14:00:00Z"


def test_a_time_without_a_zone_is_never_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_instant(TWO.replace(tzinfo=None))


@given(instants, instants)
def test_instants_of_whole_seconds_sort_as_their_texts(one: datetime, other: datetime) -> None:
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert (one < other) == (format_instant(one) < format_instant(other))


def test_rounding_up_to_a_second_is_never_earlier_and_leaves_a_whole_second_alone() -> None:
    assert ceil_to_second(TWO) == TWO
    assert ceil_to_second(TWO + timedelta(microseconds=1)) == TWO + timedelta(seconds=1)
    assert ceil_to_second(TWO - timedelta(microseconds=1)) == TWO


def test_rounding_down_to_a_minute() -> None:
    assert floor_to_minute(TWO + timedelta(seconds=59.999)) == TWO
    assert floor_to_minute(TWO) == TWO


@pytest.mark.parametrize("text", ["x" * 300_000, "2026-11-21T14:00:00" + "." + "0" * 300_000])
def test_a_text_without_end_is_not_repeated_whole(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|time zone") as caught:
        parse_instant(text)

    assert len(str(caught.value)) < 100
