from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.addresses import parse_smtp_address
from presence.errors import InvalidAddress
from presence.presences import parse_presence
from presence.renderings.labels import Language
from presence.renderings.pidf import basic, pidf_document, pres_uri, rpid_activities
from tests.support.pidf_schema import complaints
from tests.support.vocabulary import EVERY_PRESENCE

SINCE = datetime(2026, 11, 21, 14, tzinfo=UTC)
UNTIL = datetime(2026, 11, 21, 15, tzinfo=UTC)
IN_A_MEETING = parse_presence("Busy / InAMeeting")

MEETING_OF_ALICE = """\
<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" \
xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="pres:alice@example.com">
  <tuple id="calendar-presence">
    <status>
      <basic>open</basic>
    </status>
    <note xml:lang="en">In a meeting</note>
    <timestamp>2026-11-21T14:00:00Z</timestamp>
  </tuple>
  <dm:person id="calendar-presence-person">
    <rpid:activities from="2026-11-21T14:00:00Z" until="2026-11-21T15:00:00Z">
      <rpid:meeting />
    </rpid:activities>
    <dm:note xml:lang="en">In a meeting</dm:note>
    <dm:timestamp>2026-11-21T14:00:00Z</dm:timestamp>
  </dm:person>
</presence>
"""


def test_the_document_of_a_meeting() -> None:
    assert pidf_document("alice@example.com", IN_A_MEETING, SINCE, UNTIL) == MEETING_OF_ALICE


@pytest.mark.parametrize("until", [None, UNTIL, UNTIL + timedelta(milliseconds=1)])
@pytest.mark.parametrize("language", Language)
def test_every_presence_is_a_valid_document(language: Language, until: datetime | None) -> None:
    for presence in EVERY_PRESENCE:
        assert complaints(pidf_document("alice@example.com", presence, SINCE, until, language)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<basic>open</basic>", "<basic>busy</basic>"),
        (' entity="pres:alice@example.com"', ""),
        (' id="calendar-presence"', ""),
        ('id="calendar-presence-person"', 'id="calendar-presence"'),
        ('id="calendar-presence-person"', 'id="1"'),
        ("<rpid:meeting />", "<rpid:napping />"),
        ("<rpid:meeting />", "<rpid:meeting /><rpid:unknown />"),
        ('until="2026-11-21T15:00:00Z"', 'until="15:00"'),
        ('<dm:note xml:lang="en">In a meeting</dm:note>', "<dm:mood />"),
        ("<timestamp>2026-11-21T14:00:00Z</timestamp>", "<timestamp>now</timestamp>"),
        ('<note xml:lang="en">', '<note lang="en">'),
    ],
)
def test_the_schemas_notice_what_is_wrong(right: str, wrong: str) -> None:
    assert right in MEETING_OF_ALICE
    assert complaints(MEETING_OF_ALICE.replace(right, wrong, 1)) != []


@pytest.mark.parametrize(
    ("presence", "open_or_closed", "activities"),
    [
        ("Available", "open", ()),
        ("Available / WorkingElsewhere", "open", ()),
        ("Busy", "open", ("busy",)),
        ("Busy / InAMeeting", "open", ("meeting",)),
        ("Busy / InACall", "open", ("on-the-phone",)),
        ("DoNotDisturb / Presenting", "open", ("presentation",)),
        ("Away / OutOfOffice", "open", ("away",)),
        ("Offline", "closed", ("unknown",)),
        ("Offline / OffWork", "closed", ("away",)),
        ("PresenceUnknown", "closed", ("unknown",)),
        ("Available / PresenceUnknown", "closed", ("unknown",)),
    ],
)
def test_basic_and_activities(presence: str, open_or_closed: str, activities: tuple[str, ...]) -> None:
    assert basic(parse_presence(presence)) == open_or_closed
    assert rpid_activities(parse_presence(presence)) == activities


def test_no_document_tells_why_somebody_is_out_of_office() -> None:
    told = {name for presence in EVERY_PRESENCE for name in rpid_activities(presence)}
    assert not told & {"vacation", "holiday", "travel", "permanent-absence"}


def test_an_end_that_is_not_to_be_told_is_not_told() -> None:
    assert "until" not in pidf_document("alice@example.com", IN_A_MEETING, SINCE)


def test_the_note_names_its_language() -> None:
    document = pidf_document("alice@example.com", IN_A_MEETING, SINCE, UNTIL, Language.JAPANESE)
    assert '<note xml:lang="ja">会議中</note>' in document
    assert '<dm:note xml:lang="ja">会議中</dm:note>' in document


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("alice@example.com", "pres:alice@example.com"),
        ("alice.b-c_d~e+tag@example.com", "pres:alice.b-c_d~e+tag@example.com"),
        ("a&b=c@example.com", "pres:a%26b%3Dc@example.com"),
        ("50%/?#{x}@example.com", "pres:50%25%2F%3F%23%7Bx%7D@example.com"),
        ("o'hara@example.com", "pres:o'hara@example.com"),
        ("会議@例え.test", "pres:%E4%BC%9A%E8%AD%B0@%E4%BE%8B%E3%81%88.test"),
    ],
)
def test_the_uri_of_an_address(address: str, uri: str) -> None:
    assert pres_uri(parse_smtp_address(address)) == uri


@given(st.text(min_size=1, max_size=20), st.text(alphabet="aZ9é例-", min_size=1, max_size=8))
def test_whatever_the_address_the_document_is_valid(name: str, label: str) -> None:
    try:
        address = parse_smtp_address(f"{name}@{label}.example.com")
    except InvalidAddress:
        return
    uri = pres_uri(address)
    assert uri.isascii()
    assert not set(uri) & set(' "<>\\^`{|}#?/[]&=')
    assert complaints(pidf_document(address, IN_A_MEETING, SINCE, UNTIL)) == []


@pytest.mark.parametrize(("since", "until"), [(SINCE.replace(tzinfo=None), None), (SINCE, UNTIL.replace(tzinfo=None))])
def test_a_time_without_a_zone_is_refused(since: datetime, until: datetime | None) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        pidf_document("alice@example.com", IN_A_MEETING, since, until)
