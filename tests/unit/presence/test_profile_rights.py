from __future__ import annotations

from dataclasses import replace

import pytest

from presence.mapping import Kind, PrivateEntries, Profile
from presence.profiles import BUILT_IN, DEFAULT
from presence.rights import Rights, needs_beyond, rights_of

TRUSTED = "entries that were cancelled or declined claim nothing"
REPLIES = "automatic replies are read from the mailbox's own settings"


def rules(profile: Profile, given: Rights) -> list[str]:
    return [need.rule for need in needs_beyond(profile, given)]


def without(profile: Profile, kind: Kind) -> Profile:
    return replace(profile, presences={key: value for key, value in profile.presences.items() if key is not kind})


def test_times_only_do_not_show_which_entries_are_meetings() -> None:
    (meeting, *_) = needs_beyond(DEFAULT, Rights.TIMES)
    assert (meeting.rule, meeting.rights, meeting.fallback) == (
        "meetings are shown as Busy / InAMeeting",
        Rights.DETAILED,
        "they are shown as Busy / Busy",
    )
    assert rules(DEFAULT, Rights.TIMES) == [meeting.rule, TRUSTED, REPLIES]
    assert rules(DEFAULT, Rights.DETAILED) == [TRUSTED, REPLIES]


@pytest.mark.parametrize("name", ["cisco-9", "cisco-15"])
def test_a_profile_that_makes_no_difference_between_meetings_and_appointments_needs_no_details(name: str) -> None:
    assert rules(BUILT_IN.named(name), Rights.TIMES) == [TRUSTED, REPLIES]


@pytest.mark.parametrize(
    ("profile", "rule", "rights"),
    [
        (replace(DEFAULT, all_day_busy=False), "Busy entries that last all day claim nothing", Rights.CALENDAR),
        (
            replace(DEFAULT, private=PrivateEntries.PLAIN),
            "private meetings are not shown as meetings",
            Rights.DETAILED,
        ),
        (replace(DEFAULT, private=PrivateEntries.IGNORED), "private entries claim nothing", Rights.DETAILED),
    ],
)
def test_a_rule_that_needs_more_is_named_until_the_rights_suffice(profile: Profile, rule: str, rights: Rights) -> None:
    ranked = list(Rights)
    for given in ranked:
        assert (rule in rules(profile, given)) is (ranked.index(given) < ranked.index(rights))


def test_a_rule_that_changes_nothing_needs_nothing() -> None:
    silent = without(replace(DEFAULT, all_day_busy=False), Kind.BUSY)
    assert rules(silent, Rights.TIMES) == [TRUSTED, REPLIES]
    assert rules(without(silent, Kind.AUTOMATIC_REPLY), Rights.TIMES) == [TRUSTED]
    plain = replace(DEFAULT, private=PrivateEntries.PLAIN, meeting=None)
    assert rules(plain, Rights.TIMES) == [TRUSTED, REPLIES]


def test_whoever_may_read_the_calendar_is_told_of_nothing() -> None:
    demanding = replace(DEFAULT, all_day_busy=False, private=PrivateEntries.IGNORED)
    assert needs_beyond(demanding, Rights.CALENDAR) == ()


@pytest.mark.parametrize(
    ("view", "rights"),
    [
        ("FreeBusy", Rights.TIMES),
        ("FreeBusyMerged", Rights.TIMES),
        ("MergedOnly", Rights.TIMES),
        ("Detailed", Rights.DETAILED),
        ("DetailedMerged", Rights.DETAILED),
        ("CalendarView", Rights.CALENDAR),
        ("of a later version", Rights.TIMES),
    ],
)
def test_the_view_of_a_reading_shows_the_rights_that_it_had(view: str, rights: Rights) -> None:
    assert rights_of(view) is rights
