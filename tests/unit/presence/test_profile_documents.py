from __future__ import annotations

import tomllib
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.errors import ConfigurationError
from presence.mapping import Kind, PrivateEntries
from presence.profile_documents import MOST_PROFILES, parse_profiles
from presence.profiles import BUILT_IN, DEFAULT

WHOLE = """
[[profiles]]
name = "reception"
based_on = "cisco-9"
meeting = "DoNotDisturb / InAMeeting"
order = [
  "by-hand", "busy", "out-of-office", "tentative", "automatic-reply", "working-elsewhere", "off-work",
]
all_day_busy = false
private = "plain"
minimum_length_minutes = 5
close_gaps_minutes = 10
replies_switched_on = "claim"
longest_by_hand_minutes = 30

[profiles.presences]
out-of-office = "none"
busy = "BeRightBack"
automatic-reply = "Away"
tentative = "Busy / Busy"
working-elsewhere = "none"
off-work = "Offline / OffWork"

[[profiles]]
name = "night-desk"
based_on = "reception"
presences = { off-work = "none" }

[[profile_assignments]]
profile = "night-desk"
domains = ["branch.test"]
groups = ["Night"]
users = ["Night@example.com"]
"""


def whole() -> dict[str, Any]:
    return tomllib.loads(WHOLE)


def complaint(document: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_profiles(document)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text


def test_every_key_is_read() -> None:
    reception = parse_profiles(whole()).named("reception")

    assert {kind: str(presence) for kind, presence in reception.presences.items()} == {
        Kind.BUSY: "BeRightBack / BeRightBack",
        Kind.AUTOMATIC_REPLY: "Away / Away",
        Kind.TENTATIVE: "Busy / Busy",
        Kind.OFF_WORK: "Offline / OffWork",
    }
    assert str(reception.meeting) == "DoNotDisturb / InAMeeting"
    assert reception.order[:5] == (
        Kind.BY_HAND,
        Kind.BUSY,
        Kind.OUT_OF_OFFICE,
        Kind.TENTATIVE,
        Kind.AUTOMATIC_REPLY,
    )
    assert reception.strengths[Kind.BUSY] > reception.strengths[Kind.OUT_OF_OFFICE]
    assert not reception.all_day_busy
    assert reception.private is PrivateEntries.PLAIN
    assert reception.minimum_length == timedelta(minutes=5)
    assert reception.close_gaps == timedelta(minutes=10)
    assert reception.replies_switched_on_claim
    assert reception.longest_by_hand == timedelta(minutes=30)


def test_what_a_profile_does_not_say_is_that_of_its_base() -> None:
    profiles = parse_profiles(whole())
    reception, night = profiles.named("reception"), profiles.named("night-desk")

    assert Kind.OFF_WORK not in night.presences
    assert {**night.presences, Kind.OFF_WORK: reception.presences[Kind.OFF_WORK]} == reception.presences
    for name in (
        "meeting",
        "order",
        "all_day_busy",
        "private",
        "minimum_length",
        "close_gaps",
        "replies_switched_on_claim",
        "longest_by_hand",
    ):
        assert getattr(night, name) == getattr(reception, name)


def test_a_profile_without_a_base_rests_on_the_default() -> None:
    own = parse_profiles({"profiles": [{"name": "own"}]}).named("own")
    assert (own.presences, own.meeting, own.order) == (DEFAULT.presences, DEFAULT.meeting, DEFAULT.order)


def test_a_base_may_stand_later_in_the_document() -> None:
    document = {
        "profiles": [
            {"name": "a", "based_on": "b"},
            {"name": "b", "based_on": "c", "close_gaps_minutes": 7},
            {"name": "c", "all_day_busy": False},
        ]
    }
    profiles = parse_profiles(document)
    assert profiles.named("a").close_gaps == timedelta(minutes=7)
    assert not profiles.named("a").all_day_busy
    assert list(profiles.by_name) == [*BUILT_IN.by_name, "a", "b", "c"]


def test_busy_that_claims_nothing_claims_nothing_in_meetings_either() -> None:
    own = parse_profiles({"profiles": [{"name": "own", "presences": {"busy": "none"}}]}).named("own")
    assert Kind.BUSY not in own.presences
    assert own.meeting is None


def test_replies_that_show_nothing_claim_nothing_whatever_the_base_does_with_those_switched_on() -> None:
    profiles = [
        {"name": "base", "replies_switched_on": "claim"},
        {"name": "own", "based_on": "base", "presences": {"automatic-reply": "none"}},
    ]
    own = parse_profiles({"profiles": profiles}).named("own")
    assert Kind.AUTOMATIC_REPLY not in own.presences
    assert not own.replies_switched_on_claim


def test_meetings_may_be_shown_as_anything_else_that_is_busy() -> None:
    own = parse_profiles({"profiles": [{"name": "own", "meeting": "none"}]}).named("own")
    assert own.meeting is None


@pytest.mark.parametrize(
    "document", [{}, {"profiles": [], "profile_assignments": []}, {"schema_version": 1, "gateways": "unread"}]
)
def test_a_document_without_profiles_has_the_built_in_ones(document: dict[str, Any]) -> None:
    assert parse_profiles(document) == BUILT_IN


def test_numbers_from_a_table_are_numbers() -> None:
    own = parse_profiles({"profiles": [{"name": "own", "close_gaps_minutes": Decimal(5)}]}).named("own")
    assert own.close_gaps == timedelta(minutes=5)


KINDS = "by-hand, out-of-office, busy, automatic-reply, tentative, working-elsewhere, off-work"
ORDER = KINDS.split(", ")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"colour": "blue"}, "profiles[1].colour: this key is not known here"),
        ({"name": ...}, "profiles[1].name: is missing"),
        ({"name": ""}, "profiles[1].name: must be a text that is not empty, not an empty text"),
        ({"name": "a/b"}, "profiles[1].name: must be letters, digits, and . _ - only, starting with a letter or digit"),
        (
            {"name": "Lync"},
            "profiles[1].name: 'Lync' is built in; choose another name, and based_on = 'lync'",
        ),
        ({"name": "First"}, "profiles[1].name: 'First' is the name of another profile, profiles[0].name"),
        (
            {"based_on": "frist"},
            "profiles[1].based_on: 'frist' is no profile; known are default, cisco-9, cisco-15, lync, first, own",
        ),
        ({"based_on": "own"}, "profiles[1].based_on: the profiles rest on each other: own -> own"),
        ({"presences": "Busy"}, "profiles[1].presences: must be a table, not a text"),
        (
            {"presences": {"bussy": "Busy"}},
            f"profiles[1].presences.bussy: this kind is not known; known are {KINDS.removeprefix('by-hand, ')}",
        ),
        ({"presences": {"free": "Busy"}}, "profiles[1].presences.free: this kind is not known; known are "),
        ({"presences": {"no-data": "Busy"}}, "profiles[1].presences.no-data: this kind is not known; known are "),
        (
            {"presences": {"by-hand": "Busy"}},
            "profiles[1].presences.by-hand: what is set by hand brings its own presence",
        ),
        ({"presences": {"busy": 7}}, "profiles[1].presences.busy: must be a text that is not empty, not a number"),
        (
            {"presences": {"busy": "busy"}},
            (
                "profiles[1].presences.busy: 'busy' is no presence; write 'none', or one of Available, AvailableIdle, "
                "Busy, BusyIdle, DoNotDisturb, BeRightBack, Away, Offline; after a slash may stand one of Available, "
            ),
        ),
        (
            {"presences": {"tentative": "Busy / Thinking"}},
            "profiles[1].presences.tentative: 'Busy / Thinking' is no presence; write 'none', or one of ",
        ),
        (
            {"presences": {"tentative": "PresenceUnknown"}},
            "profiles[1].presences.tentative: 'PresenceUnknown' is for missing data only; to claim nothing write 'none",
        ),
        (
            {"presences": {"tentative": "Away / PresenceUnknown"}},
            "profiles[1].presences.tentative: 'Away / PresenceUnknown' is for missing data only; ",
        ),
        (
            {"presences": {"busy": "Available"}},
            "profiles[1].presences.busy: 'Available' would hide that somebody is not free; to claim nothing write ",
        ),
        ({"presences": {"busy": "AvailableIdle / Busy"}}, "profiles[1].presences.busy: 'AvailableIdle / Busy' would "),
        (
            {"presences": {"out-of-office": "Available / OutOfOffice"}},
            "profiles[1].presences.out-of-office: 'Available / OutOfOffice' would hide that somebody is not free",
        ),
        (
            {"presences": {"automatic-reply": "Away / Available"}},
            "profiles[1].presences.automatic-reply: 'Away / Available' would hide that somebody is not free",
        ),
        ({"meeting": "Available / InAMeeting"}, "profiles[1].meeting: 'Available / InAMeeting' would hide that "),
        ({"meeting": "InAMeeting"}, "profiles[1].meeting: 'InAMeeting' is no presence; write "),
        (
            {"presences": {"busy": "none"}, "meeting": "Busy / InAMeeting"},
            "profiles[1].meeting: has no effect, since presences.busy is 'none'",
        ),
        ({"order": []}, "profiles[1].order: must be a list of texts, not an empty list"),
        ({"order": "busy"}, "profiles[1].order: must be a list of texts, not a text"),
        (
            {"order": ["busy", "by-hand"]},
            "profiles[1].order: must name every kind, the strongest first; missing: out-of-office, automatic-reply, ",
        ),
        ({"order": [*ORDER, "busy"]}, "profiles[1].order[7]: 'busy' stands there twice"),
        ({"order": ["meeting", *ORDER]}, f"profiles[1].order[0]: 'meeting' is no kind; known are {KINDS}"),
        ({"all_day_busy": "no"}, "profiles[1].all_day_busy: must be true or false, not a text"),
        (
            {"private": "hidden"},
            "profiles[1].private: 'hidden' is not known; use like-others or plain or ignored",
        ),
        ({"minimum_length_minutes": -1}, "profiles[1].minimum_length_minutes: must be from 0 to 1440 minutes"),
        ({"minimum_length_minutes": 1441}, "profiles[1].minimum_length_minutes: must be from 0 to 1440 minutes"),
        ({"minimum_length_minutes": 1.5}, "profiles[1].minimum_length_minutes: must be a whole number, not a number"),
        ({"close_gaps_minutes": -1}, "profiles[1].close_gaps_minutes: must be from 0 to 60 minutes"),
        ({"close_gaps_minutes": 61}, "profiles[1].close_gaps_minutes: must be from 0 to 60 minutes"),
        ({"close_gaps_minutes": 10**40}, "profiles[1].close_gaps_minutes: must be from 0 to 60 minutes"),
        ({"longest_by_hand_minutes": 0}, "profiles[1].longest_by_hand_minutes: must be from 1 to 1440 minutes"),
        ({"longest_by_hand_minutes": 1441}, "profiles[1].longest_by_hand_minutes: must be from 1 to 1440 minutes"),
        (
            {"replies_switched_on": True},
            "profiles[1].replies_switched_on: must be a text that is not empty, not true or false",
        ),
        ({"replies_switched_on": "yes"}, "profiles[1].replies_switched_on: 'yes' is not known; use claim or note"),
        (
            {"replies_switched_on": "claim", "presences": {"automatic-reply": "none"}},
            "profiles[1].replies_switched_on: has no effect, since presences.automatic-reply is 'none'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_in_a_profile_is_refused_in_one_line_that_says_where_and_why(
    keys: dict[str, Any], message: str
) -> None:
    profile = {key: value for key, value in {"name": "own", **keys}.items() if value is not ...}
    assert complaint({"profiles": [{"name": "first"}, profile]}).startswith(message)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"domain": "a.test"}, "profile_assignments[1].domain: this key is not known here"),
        ({"profile": ...}, "profile_assignments[1].profile: is missing"),
        (
            {"profile": "lnyc"},
            "profile_assignments[1].profile: 'lnyc' is no profile; known are default, cisco-9, cisco-15, lync",
        ),
        ({"domains": ...}, "profile_assignments[1].profile: is assigned to nobody; give domains, groups or users"),
        ({"domains": []}, "profile_assignments[1].profile: is assigned to nobody; give domains, groups or users"),
        ({"domains": "a.test"}, "profile_assignments[1].domains: must be a list of texts, not a text"),
        ({"domains": ["a.test", "a test"]}, "profile_assignments[1].domains[1]: 'a test' is no domain"),
        ({"domains": ["localhost"]}, "profile_assignments[1].domains[0]: 'localhost' is no domain"),
        ({"domains": ["x@a.test"]}, "profile_assignments[1].domains[0]: 'x@a.test' is no domain"),
        ({"domains": ["*.a.test"]}, "profile_assignments[1].domains[0]: '*.a.test' is no domain"),
        ({"users": ["bob"]}, "profile_assignments[1].users[0]: 'bob' is no SMTP address: it needs a name, one @ "),
        ({"groups": [7]}, "profile_assignments[1].groups[0]: must be a text, not a number"),
        (
            {"domains": ["Taken.test"]},
            "profile_assignments[1].domains[0]: 'Taken.test' has the profile 'cisco-9' already",
        ),
        (
            {"groups": ["new", "taken  GROUP"]},
            "profile_assignments[1].groups[1]: 'taken  GROUP' has the profile 'cisco-9' already",
        ),
        (
            {"users": ["TAKEN@a.test"]},
            "profile_assignments[1].users[0]: 'TAKEN@a.test' has the profile 'cisco-9' already",
        ),
        ({"domains": ["a.test", "A.test"]}, "profile_assignments[1].domains[1]: 'A.test' has the profile 'lync' alre"),
        (
            {"domains": ["bücher.test", "xn--bcher-kva.test"]},
            "profile_assignments[1].domains[1]: 'xn--bcher-kva.test' has the profile 'lync' already",
        ),
        ({"domains": ["*", "*"]}, "profile_assignments[1].domains[1]: '*' has the profile 'lync' already"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_in_an_assignment_is_refused_in_one_line_that_says_where_and_why(
    keys: dict[str, Any], message: str
) -> None:
    taken = {"profile": "cisco-9", "domains": ["taken.test"], "groups": ["Taken group"], "users": ["taken@a.test"]}
    given = {"profile": "lync", "domains": ["a.test"], **keys}
    assignment = {key: value for key, value in given.items() if value is not ...}
    assert complaint({"profile_assignments": [taken, assignment]}).startswith(message)


def test_profiles_that_rest_on_each_other_are_refused() -> None:
    profiles = [{"name": "a", "based_on": "b"}, {"name": "b", "based_on": "c"}, {"name": "c", "based_on": "b"}]
    assert complaint({"profiles": profiles}) == (
        "profiles[2].based_on: the profiles rest on each other: a -> b -> c -> b"
    )


def test_there_are_profiles_enough_and_no_more() -> None:
    profiles = [{"name": f"p{n}"} for n in range(MOST_PROFILES)]
    assert len(parse_profiles({"profiles": profiles}).by_name) == MOST_PROFILES + len(BUILT_IN.by_name)
    assert complaint({"profiles": [*profiles, {"name": "last"}]}) == (
        "profiles[100].name: there are more than 100 profiles"
    )


def test_a_long_value_is_quoted_in_its_beginning_only() -> None:
    long = "x" * 100_000
    for document in (
        {"profiles": [{"name": "own", "presences": {"busy": long}}]},
        {"profiles": [{"name": "own", "based_on": long}]},
        {"profiles": [{"name": "own", "order": [long]}]},
        {"profiles": [{"name": "own", "private": long}]},
        {"profile_assignments": [{"profile": long, "domains": ["a.test"]}]},
        {"profile_assignments": [{"profile": "lync", "domains": [long]}]},
        {"profile_assignments": [{"profile": "lync", "users": [long]}]},
        {"profile_assignments": [{"profile": "lync", "groups": [long, long]}]},
    ):
        assert complaint(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["name", "based_on", "presences", "meeting", "order", "private", "close_gaps_minutes"])
ASSIGNMENT_KEYS = st.sampled_from(["profile", "domains", "groups", "users"])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "profiles": JSON | st.lists(st.dictionaries(KEYS, JSON), max_size=3),
            "profile_assignments": JSON | st.lists(st.dictionaries(ASSIGNMENT_KEYS, JSON), max_size=3),
        },
    )
)
def test_whatever_stands_there_is_read_or_refused(document: dict[str, Any]) -> None:
    with suppress(ConfigurationError):
        assert set(BUILT_IN.by_name) <= set(parse_profiles(document).by_name)
