from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence import fields
from presence.errors import MalformedMessage

Read = Callable[[Mapping[str, object]], object]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def number(source: Mapping[str, object]) -> object:
    return fields.whole_number(source, "it", "a[3]", least=1, most=9)


def text(source: Mapping[str, object]) -> object:
    return fields.text(source, "it", "a[3]")


def instant(source: Mapping[str, object]) -> object:
    return fields.instant(source, "it", "a[3]")


def array(source: Mapping[str, object]) -> object:
    return fields.array(source, "it", "a[3]", longest=2)


TAKEN: list[tuple[Read, object, object]] = [
    (text, "x", "x"),
    (number, 1, 1),
    (number, 9, 9),
    (array, [1], [1]),
    (array, [None, {}], [None, {}]),
    (instant, "2026-11-21T15:00:00+01:00", datetime(2026, 11, 21, 14, tzinfo=UTC)),
]


@pytest.mark.parametrize(("read", "value", "expected"), TAKEN)
def test_what_is_right_is_returned(read: Read, value: object, expected: object) -> None:
    assert read({"it": value, "unknown": object()}) == expected


REFUSED: list[tuple[Read, object, str]] = [
    (text, None, "a text was expected, not nothing"),
    (text, "", "not an empty text"),
    (text, 5, "not a number"),
    (text, True, "not true or false"),
    (text, ["x"], "not an array"),
    (text, [], "not an empty array"),
    (text, {}, "not an object"),
    (number, None, "from 1 to 9 was expected, not None"),
    (number, 0, "not 0"),
    (number, 10, "not 10"),
    (number, True, "not True"),
    (number, 1.0, "not 1.0"),
    (number, "1", "not '1'"),
    (number, 10**500, "not 1000"),
    (array, None, "an array with elements was expected, not nothing"),
    (array, [], "not an empty array"),
    (array, {"0": "x"}, "not an object"),
    (array, "xy", "not a text"),
    (array, [1, 2, 3], "3 elements, at most 2"),
    (instant, None, "a text was expected"),
    (instant, 1763733600, "not a number"),
    (instant, "2026-11-21T14:00:00", "no time zone"),
    (instant, "tomorrow", "'tomorrow' is no ISO 8601"),
]


@pytest.mark.parametrize(("read", "value", "reason"), REFUSED)
def test_what_is_wrong_is_refused_with_its_path_and_the_reason(read: Read, value: object, reason: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        read({"it": value})
    assert str(refused.value).startswith("a[3].it: ")
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("read", [text, number, array, instant])
def test_what_is_missing_is_refused_like_nothing(read: Read) -> None:
    with pytest.raises(MalformedMessage, match=r"^a\[3\]\.it: "):
        read({})


@given(values)
def test_whatever_stands_there_only_our_error_comes_out(value: object) -> None:
    for read in (text, number, array, instant):
        try:
            read({"it": value})
        except MalformedMessage as error:
            assert str(error).startswith("a[3].it: ")  # noqa: PT017  not raising is right too


def test_an_optional_text_may_be_absent_or_null_but_not_wrong() -> None:
    assert fields.optional_text({}, "it") is None
    assert fields.optional_text({"it": None}, "it") is None
    assert fields.optional_text({"it": "x"}, "it") == "x"
    wrongs: list[object] = ["", 5, []]
    for wrong in wrongs:
        with pytest.raises(MalformedMessage, match=r"^it: a text was expected"):
            fields.optional_text({"it": wrong}, "it")


@pytest.mark.parametrize(
    "body",
    ["", "{", "nonsense", b"\xff\xfe", "[" * 100_000, "1" * 5000, '{"a":1}{'],
    ids=["empty", "truncated", "words", "no UTF-8", "nested without end", "a number without end", "two"],
)
def test_what_is_not_json_is_refused_without_repeating_it(body: str | bytes) -> None:
    with pytest.raises(MalformedMessage, match=r"^CheckRequest: ") as refused:
        fields.parse_json_object(body, "CheckRequest")
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("body", ["[]", "null", "5", '"x"', "true"])
def test_json_that_is_no_object_is_refused(body: str) -> None:
    with pytest.raises(MalformedMessage, match="CheckRequest: an object was expected"):
        fields.parse_json_object(body, "CheckRequest")


@given(st.dictionaries(st.text(), st.integers()))
def test_an_object_is_taken_as_text_as_bytes_and_as_it_is(value: dict[str, int]) -> None:
    encoded = json.dumps(value)
    for form in (encoded, encoded.encode(), value):
        assert fields.parse_json_object(form, "it") == value


def test_texts_may_be_absent_and_are_texts_otherwise() -> None:
    assert fields.texts({}, "it", longest=2) == fields.texts({"it": None}, "it", longest=2) == ()
    assert fields.texts({"it": ["a", "b"]}, "it", longest=2) == ("a", "b")
    wrongs: dict[str, object] = {
        r"^it: an array with elements": [],
        r"^it: an array with elements was expected, not a text": "ab",
        r"^it: 3 elements, at most 2": ["a", "b", "c"],
        r"^it\[1\]: a text was expected, not a number": ["a", 5],
        r"^it\[0\]: a text was expected, not an empty text": [""],
    }
    for reason, wrong in wrongs.items():
        with pytest.raises(MalformedMessage, match=reason):
            fields.texts({"it": wrong}, "it", longest=2)
