from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from presence.log_names import NOBODY_NAMED, LogNames, PeopleNames, Person, holds_address, name_of_address, name_of_user

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
ALICE = Person("6f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c", "alice@example.com")
ID, ADDRESS = ALICE.user_id, "alice@example.com"
USER, MAILBOX = name_of_user(KEY, ID), name_of_address(KEY, ADDRESS)


def names(style: LogNames = LogNames.HMAC) -> PeopleNames:
    return PeopleNames(style, lambda: KEY)


def test_a_name_is_an_hmac_cut_to_a_readable_length() -> None:
    digest = hmac.new(KEY.encode(), f"user {ID}".encode(), hashlib.sha256).hexdigest()
    assert f"user-{digest[:16]}" == USER
    assert len(MAILBOX) == len("address-") + 16


def test_another_key_gives_other_names_and_an_address_has_one_name_however_it_is_written() -> None:
    assert name_of_user(KEY + "x", ID) != USER
    assert name_of_address(KEY, "Alice@EXAMPLE.com") == MAILBOX
    assert MAILBOX.removeprefix("address-") != USER.removeprefix("user-")


@pytest.mark.parametrize(
    ("style", "called", "without_address"),
    [(LogNames.HMAC, USER, USER), (LogNames.USER_ID, ID, ID), (LogNames.ADDRESS, ADDRESS, ID)],
)
def test_a_person_is_called_as_the_operator_wants(style: LogNames, called: str, without_address: str) -> None:
    assert names(style).of(ALICE) == called
    assert names(style).of(Person(ID)) == without_address


TEXTS = {
    "a record's place": (f"PresenceTable[{ID}]: address", f"PresenceTable[{USER}]: address"),
    "several users": (f"user {ID}: gone; user {ID}: gone", f"user {USER}: gone; user {USER}: gone"),
    "an event's id": (f"{ID}:42 not published", f"{USER}:42 not published"),
    "an address": ("alice@example.com", MAILBOX),
    "an address at a sentence's end": ("no mailbox Alice@Example.com.", f"no mailbox {MAILBOX}."),
    "an address in quotes": ("'alice@example.com' stands there twice", f"'{MAILBOX}' stands there twice"),
    "an address in angle brackets": ("<alice@example.com>", f"<{MAILBOX}>"),
    "an address with an apostrophe": ("o'neill@example.com", name_of_address(KEY, "o'neill@example.com")),
    "an address with a plus": ("x: a+b=c@example.com, y", f"x: {name_of_address(KEY, 'a+b=c@example.com')}, y"),
    "an international address": ("jürgen@bücher.example", name_of_address(KEY, "jürgen@bücher.example")),
    "none": ("mail.example.com answers with HTTP status 503", "mail.example.com answers with HTTP status 503"),
    "a longer number": (f"{ID}0", f"{ID}0"),
}


@pytest.mark.parametrize(("text", "logged"), TEXTS.values(), ids=TEXTS)
def test_in_a_text_ids_and_addresses_are_replaced(text: str, logged: str) -> None:
    assert names().in_text(text) == logged


def test_what_sticks_to_an_address_goes_with_it() -> None:
    """Its name can't be computed then; it is not shown either."""
    for text in ("mailbox#alice@example.com", "https://alice:secret@example.com/x", "role/Desk/alice@example.com"):
        assert "alice@" not in names().in_text(text)
        assert "secret@" not in names().in_text(text)


def test_with_ids_asked_for_addresses_still_have_other_names_and_with_addresses_nothing_has() -> None:
    text = f"user {ID}: {ADDRESS}"
    assert names(LogNames.USER_ID).in_text(text) == f"user {ID}: {MAILBOX}"
    assert names(LogNames.ADDRESS).in_text(text) == text


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (ADDRESS, True),
        (ADDRESS.upper(), True),
        (f"arn:aws:sts::1:assumed-role/Desk/{ADDRESS}", True),
        (f"<{ADDRESS}>, at the desk", True),
        (f"It was '{ADDRESS}'.", True),
        (f"It was {ADDRESS}.", True),
        (f"x{ADDRESS}", False),
        (f"o'{ADDRESS}", False),
        (f"x.{ADDRESS}", False),
        (f"x-{ADDRESS}", False),
        (f"{ADDRESS}.au", False),
        (f"{ADDRESS}-x.test", False),
        (f"It was {ADDRESS}, and not {ADDRESS}x", True),
        ("desk", False),
    ],
)
def test_an_address_stands_in_a_text_as_a_whole_or_not_at_all(text: str, *, holds: bool) -> None:
    assert holds_address(text, ADDRESS) is holds


def test_whatever_is_nested_in_a_detail_names_nobody() -> None:
    instant = datetime(2026, 11, 23, 10, tzinfo=UTC)
    value = {ADDRESS: [ALICE, (ID, 3)], "who": {"deep": {ID}}, "error": ValueError(ADDRESS), "at": instant}
    assert names().in_value(value) == {
        MAILBOX: [USER, [USER, 3]],
        "who": {"deep": [USER]},
        "error": MAILBOX,
        "at": str(instant),
    }
    assert names().in_value(None) is None
    assert names().in_value(False) is False  # noqa: FBT003  a value like others
    assert names().in_value(2.5) == 2.5


@pytest.mark.parametrize("keyless", [NOBODY_NAMED, PeopleNames(LogNames.HMAC, lambda: None)])
def test_without_a_key_people_have_no_name_and_are_not_shown(keyless: PeopleNames) -> None:
    assert keyless.of(ALICE) == "user-unnamed"
    assert keyless.in_text(f"{ID} {ADDRESS}") == "user-unnamed address-unnamed"


def test_the_key_is_not_asked_for_where_nobody_is_named() -> None:
    def never() -> str:
        raise AssertionError("the key was asked for")

    lazy = PeopleNames(LogNames.HMAC, never)
    assert lazy.in_value({"users": 3, "host": "mail.example.com"}) == {"users": 3, "host": "mail.example.com"}
    assert PeopleNames(LogNames.ADDRESS, never).of(ALICE) == ADDRESS
    assert PeopleNames(LogNames.USER_ID, never).of(ALICE) == ID
