from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from presence.calendar import BusyType, CalendarEntry
from presence.errors import ConfigurationError
from presence.mapping import DEFAULT_ORDER, Kind, PrivateEntries, judge
from presence.profile_documents import parse_profiles
from presence.profiles import BUILT_IN, DEFAULT, Profiles

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)

BUSY, MEETING, AWAY = "Busy / Busy", "Busy / InAMeeting", "Away / OutOfOffice"
ELSEWHERE, AVAILABLE = "Available / WorkingElsewhere", "Available / Available"

# The table of domain.md, "Words", in the order: OOF, Busy, a meeting, Tentative, WorkingElsewhere, Free.
TABLE: dict[str, tuple[str | None, ...]] = {
    "default": (AWAY, BUSY, MEETING, None, ELSEWHERE, None),
    "cisco-9": (AWAY, BUSY, BUSY, None, AVAILABLE, None),
    "cisco-15": (AWAY, MEETING, MEETING, None, AVAILABLE, None),
    "lync": (AWAY, BUSY, MEETING, None, AVAILABLE, None),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_built_in_profile_shows_each_status_as_the_table_of_the_domain_has_it(name: str) -> None:
    statuses = [
        (BusyType.OUT_OF_OFFICE, None),
        (BusyType.BUSY, None),
        (BusyType.BUSY, True),
        (BusyType.TENTATIVE, True),
        (BusyType.WORKING_ELSEWHERE, None),
        (BusyType.FREE, None),
    ]
    shown = []
    for status, meeting in statuses:
        entry = CalendarEntry(TEN, TEN + timedelta(hours=1), status, is_meeting=meeting)
        presence = judge(entry, BUILT_IN.named(name), None).presence
        shown.append(None if presence is None else str(presence))
    assert tuple(shown) == TABLE[name]


def test_the_table_has_every_built_in_profile_and_there_is_no_other() -> None:
    assert list(BUILT_IN.by_name) == list(TABLE)
    assert {name: profile.name for name, profile in BUILT_IN.by_name.items()} == {name: name for name in TABLE}


@pytest.mark.parametrize("name", TABLE)
def test_the_rules_of_a_built_in_profile_are_the_defaults_of_the_domain(name: str) -> None:
    profile = BUILT_IN.named(name)
    assert profile.order == DEFAULT_ORDER
    assert profile.all_day_busy
    assert profile.private is PrivateEntries.LIKE_OTHERS
    assert profile.minimum_length == profile.close_gaps == timedelta(0)
    assert Kind.OFF_WORK not in profile.presences
    assert str(profile.presences[Kind.AUTOMATIC_REPLY]) == AWAY
    assert not profile.replies_switched_on_claim
    assert profile.longest_by_hand == timedelta(hours=8)


def test_a_built_in_profile_can_t_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        DEFAULT.presences[Kind.BUSY] = DEFAULT.presences[Kind.OUT_OF_OFFICE]  # type: ignore[index]
    with pytest.raises(TypeError):
        BUILT_IN.by_name["default"] = BUILT_IN.by_name["lync"]  # type: ignore[index]


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError) as caught:
        BUILT_IN.named("cisco")
    assert str(caught.value) == "'cisco' is no profile; known are default, cisco-9, cisco-15, lync"


ASSIGNED = parse_profiles(
    {
        "profiles": [{"name": "reception"}, {"name": "board"}],
        "profile_assignments": [
            {"profile": "cisco-9", "domains": ["Example.com", "bücher.test"]},
            {"profile": "board", "groups": ["Board of  Directors", "Straße"]},
            {
                "profile": "reception",
                "groups": ["Reception"],
                "users": ["Front.Desk@example.com", "a@xn--mller-kva.test"],
            },
        ],
    }
)


@pytest.mark.parametrize(
    ("address", "own", "groups", "name", "reason"),
    [
        ("a@example.org", None, (), "default", "no other is assigned"),
        ("a@sub.example.com", None, (), "default", "no other is assigned"),
        ("a@example.com", None, (), "cisco-9", "it is assigned to the domain example.com"),
        ("a@bücher.test", None, (), "cisco-9", "it is assigned to the domain bücher.test"),
        ("a@xn--bcher-kva.test", None, (), "cisco-9", "it is assigned to the domain bücher.test"),
        ("a@xn--mller-kva.test", None, (), "reception", "it is assigned to the user"),
        ("a@müller.test", None, (), "reception", "it is assigned to the user"),
        ("a@example.com", None, ("Sales",), "cisco-9", "it is assigned to the domain example.com"),
        ("a@example.com", None, ("Sales", "reception"), "reception", "it is assigned to the group reception"),
        ("a@example.org", None, ("board of directors",), "board", "it is assigned to the group board of directors"),
        ("a@example.org", None, ("STRASSE",), "board", "it is assigned to the group STRASSE"),
        ("front.desk@example.com", None, ("Board of Directors",), "reception", "it is assigned to the user"),
        ("front.desk@example.com", "lync", ("Board of Directors",), "lync", "it stands on the user"),
        ("front.desk@example.com", "default", (), "default", "it stands on the user"),
    ],
)
def test_the_user_s_own_goes_before_the_user_the_group_the_domain_and_the_default(
    address: str, own: str | None, groups: Sequence[str], name: str, reason: str
) -> None:
    assignment = ASSIGNED.profile_for(address, own, groups)
    assert (assignment.profile.name, assignment.reason, assignment.mistake) == (name, reason, None)


def test_of_two_groups_of_a_user_the_one_that_the_document_names_first_counts() -> None:
    for groups in (("Reception", "Board of Directors"), ("Board of Directors", "Reception")):
        assert ASSIGNED.profile_for("a@example.org", None, groups).profile.name == "board"


def test_a_star_stands_for_all_domains_that_are_not_named() -> None:
    document = {
        "profile_assignments": [
            {"profile": "cisco-15", "domains": ["*"]},
            {"profile": "lync", "domains": ["example.com"]},
        ]
    }
    profiles = parse_profiles(document)
    assert profiles.profile_for("a@example.com").profile.name == "lync"
    other = profiles.profile_for("a@example.org")
    assert (other.profile.name, other.reason) == ("cisco-15", "it is assigned to all other domains")


@pytest.mark.parametrize(("profiles", "name"), [(BUILT_IN, "default"), (ASSIGNED, "cisco-9")])
def test_a_choice_that_is_not_there_falls_back_to_what_is_assigned_and_is_told(profiles: Profiles, name: str) -> None:
    assignment = profiles.profile_for("a@example.com", "gone", ("Sales",))
    assert assignment.profile.name == name
    assert assignment.mistake is not None
    assert assignment.mistake.startswith("the profile of a@example.com: 'gone' is no profile; known are default, ")
