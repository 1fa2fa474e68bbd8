"""In which line of a document a mistake stands."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.document_lines import line_of, lines_told
from presence.errors import ConfigurationError

DOCUMENT = """\
schema_version = 1

# Comments and empty lines count.
[[gateways]]
name = "a"
domains = [
    "example.com",
    # one more
    "example.org",
]

[[gateways]]
name = "b"
note = '''
name = "c"
'''
limits.timeout = 5

[[profiles]]
name = "reception"  # the front desk

[profiles.presences]
bussy = "Busy"
"off-work" = "none"
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        pytest.param("schema_version", 1, id="a key of the document"),
        pytest.param("gateways", 4, id="a list of tables"),
        pytest.param("gateways[0].name", 5, id="a key of the first table"),
        pytest.param("gateways[0].domains[1]", 6, id="a text of a list begins with the list"),
        pytest.param("gateways[1]", 12, id="a table"),
        pytest.param("gateways[1].name", 13, id="the same key of the next table"),
        pytest.param("gateways[1].note", 14, id="a text of several lines"),
        pytest.param("gateways[1].limits.timeout", 17, id="a key with a dot"),
        pytest.param("gateways[1].kind", 12, id="a key that is missing is one of its table"),
        pytest.param("profiles[0].presences.bussy", 23, id="a table inside a table"),
        pytest.param("profiles[0].presences.off-work", 24, id="the last line"),
        pytest.param("profiles[7].name", 19, id="a table that is not there"),
        pytest.param("mailboxes", None, id="a key that the document lacks"),
        pytest.param("'nobody' is no profile", None, id="no place at all"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_place_is_found_at_the_line_where_its_statement_begins(place: str, line: int | None) -> None:
    assert line_of(DOCUMENT, place) == line


@pytest.mark.parametrize(
    "place", ["schema_version", "gateways[1].name", "gateways[1].note", "profiles[0].presences.bussy"]
)
def test_lines_may_end_as_on_windows(place: str) -> None:
    assert line_of(DOCUMENT.replace("\n", "\r\n"), place) == line_of(DOCUMENT, place)


TEXTS = r"""a = "[" # {
b = '{"'
c = '''[
{'''''
d = QQQ\" [ \\
\"QQ {QQQQQ
e = { x = "]", "mail.example.com:443" = 2, y = [ 3,
  4 ], "y.z" = 5 }
f = QQ
'ü.A' = [
  # ]
]
[g]
"x.test:443" = 1
"y.test:443" = 2""".replace("Q", '"')


@pytest.mark.parametrize(
    ("place", "line"),
    [
        pytest.param("a", 1, id="a bracket in a text"),
        pytest.param("b", 2, id="a bracket and a quotation mark in a text as it stands"),
        pytest.param("c", 3, id="brackets and two more quotation marks in a text of several lines as it stands"),
        pytest.param("d", 5, id="escaped quotation marks in a text of several lines"),
        pytest.param("e.y[1]", 7, id="in a table within a line begins with the line of the key"),
        pytest.param("e.mail.example.com:443", 7, id="a key with dots of its own"),
        pytest.param("e.y.z", 7, id="a key with a dot whose beginning is a key as well"),
        pytest.param("f", 9, id="an empty text"),
        pytest.param("ü.A[0]", 10, id="of an empty list it is the list"),
        pytest.param("g.x.test:443", 14, id="a key with dots in its own line"),
        pytest.param('g."y.test:443"', 15, id="a key in quotation marks, in a last line without an end"),
    ],
)
def test_no_text_and_no_comment_is_taken_for_what_it_looks_like(place: str, line: int) -> None:
    assert line_of(TEXTS, place) == line


def test_lists_of_thousands_of_lines_are_read_a_few_times_and_not_once_for_each_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings: list[str] = []
    read = tomllib.loads

    def counted(text: str) -> dict[str, object]:
        readings.append(text)
        return read(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    users = "".join(f'    "user{number}@example.com",\n' for number in range(3000))
    assert line_of(f"[[profiles]]\nusers = [\n{users}]\nname = 1\n", "profiles[0].users[2999]") == 2
    assert len(readings) < 10


@pytest.mark.parametrize("text", ["", "name = ", "\n\n"])
def test_in_what_is_empty_or_no_toml_nothing_is_found(text: str) -> None:
    assert line_of(text, "name") is None


@given(st.text(max_size=60))
def test_whatever_a_message_begins_with_a_line_of_the_document_is_told_or_none(place: str) -> None:
    line = line_of(DOCUMENT, place)
    assert line is None or 1 <= line <= DOCUMENT.count("\n")


def test_a_mistake_is_told_with_its_line_and_what_is_no_mistake_of_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "gateways.toml"
    path.write_text(DOCUMENT, encoding="utf-8")
    told = {
        "gateways[1].name: is taken": "gateways[1].name: is taken (gateways.toml, line 13)",
        "nobody has the address": "nobody has the address",
    }
    for message, whole in told.items():
        with pytest.raises(ConfigurationError) as caught, lines_told(path):
            raise ConfigurationError(message)
        assert str(caught.value) == whole


def test_of_a_file_that_can_t_be_read_there_is_no_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^name: is missing$"), lines_told(tmp_path / "none.toml"):
        raise ConfigurationError("name: is missing")
