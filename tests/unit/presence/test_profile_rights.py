from __future__ import annotations

from dataclasses import replace

import pytest

from presence.mapping import Kind, PrivateEntries, Profile
from presence.profiles import BUILT_IN, DEFAULT
from presence.rights import LEAST, Given, RepliesBy, Rights, excess_over, needs_beyond, rights_of

TRUSTED = "entries that were cancelled or declined claim nothing"
REPLIES = "automatic replies are read from the mailbox's own settings"


DETAILED = Given(Rights.DETAILED)
CALENDAR = Given(Rights.CALENDAR)
ALL = Given(Rights.CALENDAR, RepliesBy.OOF_SETTINGS, opens_mailboxes=True)
ALL_DAY_LEFT_OUT = replace(DEFAULT, all_day_busy=False)


def rules(profile: Profile, given: Given) -> list[str]:
    return [need.rule for need in needs_beyond(profile, given)]


def without(profile: Profile, kind: Kind) -> Profile:
    return replace(profile, presences={key: value for key, value in profile.presences.items() if key is not kind})


def test_times_only_do_not_show_which_entries_are_meetings() -> None:
    (meeting, *_) = needs_beyond(DEFAULT, LEAST)
    assert (meeting.rule, meeting.right, meeting.fallback) == (
        "meetings are shown as Busy / InAMeeting",
        Rights.DETAILED,
        "they are shown as Busy / Busy",
    )
    assert rules(DEFAULT, LEAST) == [meeting.rule, TRUSTED, REPLIES]
    assert rules(DEFAULT, DETAILED) == [TRUSTED, REPLIES]
    assert rules(DEFAULT, CALENDAR) == [REPLIES]


@pytest.mark.parametrize("name", ["cisco-9", "cisco-15"])
def test_a_profile_that_makes_no_difference_between_meetings_and_appointments_needs_no_details(name: str) -> None:
    assert rules(BUILT_IN.named(name), LEAST) == [TRUSTED, REPLIES]


@pytest.mark.parametrize(
    ("profile", "rule", "rights"),
    [
        (ALL_DAY_LEFT_OUT, "Busy entries that last all day claim nothing", Rights.CALENDAR),
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
        assert (rule in rules(profile, Given(given))) is (ranked.index(given) < ranked.index(rights))


def test_a_rule_that_changes_nothing_needs_nothing() -> None:
    silent = without(ALL_DAY_LEFT_OUT, Kind.BUSY)
    assert rules(silent, LEAST) == [TRUSTED, REPLIES]
    assert rules(without(silent, Kind.AUTOMATIC_REPLY), LEAST) == [TRUSTED]
    plain = replace(DEFAULT, private=PrivateEntries.PLAIN, meeting=None)
    assert rules(plain, LEAST) == [TRUSTED, REPLIES]


def test_whoever_may_read_calendars_and_impersonate_is_told_of_nothing() -> None:
    demanding = replace(DEFAULT, all_day_busy=False, private=PrivateEntries.IGNORED)
    assert needs_beyond(demanding, ALL) == ()


def test_a_delegate_reads_calendars_and_is_not_told_the_owners_settings() -> None:
    (replies,) = needs_beyond(DEFAULT, Given(Rights.CALENDAR, RepliesBy.MAIL_TIPS, opens_mailboxes=True))
    assert (replies.rule, replies.right) == (REPLIES, RepliesBy.OOF_SETTINGS)


@pytest.mark.parametrize(
    ("replies", "fallback"),
    [
        (RepliesBy.MAIL_TIPS, "Exchange is asked for MailTips instead, which it has from 2010 on"),
        (RepliesBy.NOTHING, "none are known where Exchange has no MailTips (before 2010) or can't be asked for them"),
        (RepliesBy.NOT_ASKED, "none are known, as the gateway does not ask for them"),
    ],
)
def test_what_is_done_without_the_owners_settings_depends_on_how_replies_are_known(
    replies: RepliesBy, fallback: str
) -> None:
    assert [need.fallback for need in needs_beyond(DEFAULT, Given(Rights.CALENDAR, replies))] == [fallback]


@pytest.mark.parametrize(
    ("profile", "given", "enough", "costs"),
    [
        (BUILT_IN.named("cisco-9"), Rights.DETAILED, Rights.TIMES, []),
        (BUILT_IN.named("cisco-9"), Rights.CALENDAR, Rights.TIMES, [TRUSTED]),
        (DEFAULT, Rights.CALENDAR, Rights.DETAILED, [TRUSTED]),
        # What is asked for and can't be had makes no use of what is given.
        (replace(ALL_DAY_LEFT_OUT, meeting=None), Rights.DETAILED, Rights.TIMES, []),
        (replace(DEFAULT, meeting=None, private=PrivateEntries.IGNORED), Rights.CALENDAR, Rights.DETAILED, [TRUSTED]),
    ],
)
def test_whoever_was_shown_more_than_a_profile_s_own_rules_need_is_told_what_would_do_and_what_it_costs(
    profile: Profile, given: Rights, enough: Rights, costs: list[str]
) -> None:
    (excess,) = excess_over(profile, Given(given))
    assert (excess.given, excess.enough) == (given, enough)
    assert [need.rule for need in excess.costs] == costs


@pytest.mark.parametrize(
    ("profile", "given"),
    [
        (DEFAULT, LEAST),
        (DEFAULT, DETAILED),
        (BUILT_IN.named("cisco-9"), LEAST),
        (ALL_DAY_LEFT_OUT, ALL),
        (ALL_DAY_LEFT_OUT, LEAST),
        (replace(DEFAULT, meeting=None, private=PrivateEntries.IGNORED), DETAILED),
    ],
)
def test_whoever_was_given_what_the_rules_need_is_not_warned(profile: Profile, given: Given) -> None:
    assert excess_over(profile, given) == ()


def test_a_profile_that_shows_no_automatic_replies_needs_no_impersonation_for_them() -> None:
    given = Given(Rights.DETAILED, RepliesBy.OOF_SETTINGS, opens_mailboxes=True)
    silent = without(DEFAULT, Kind.AUTOMATIC_REPLY)
    (excess,) = excess_over(silent, given)
    assert (excess.given, excess.enough) == ("oof-settings with impersonation", "MailTips")
    assert [need.fallback for need in excess.costs] == ["there is no note where Exchange has no MailTips (before 2010)"]
    assert excess_over(DEFAULT, given) == ()
    assert excess_over(silent, DETAILED) == ()


def test_where_a_server_has_no_mail_tips_they_are_not_named_as_what_would_do() -> None:
    given = Given(Rights.DETAILED, RepliesBy.OOF_SETTINGS, opens_mailboxes=True, offers_mail_tips=False)
    (excess,) = excess_over(without(DEFAULT, Kind.AUTOMATIC_REPLY), given)
    assert (excess.given, excess.enough) == ("oof-settings with impersonation", 'automatic_replies = "off"')
    assert [need.fallback for need in excess.costs] == ["there is no note"]


@pytest.mark.parametrize(
    ("calendar", "replies", "unused"),
    [
        (Rights.DETAILED, RepliesBy.MAIL_TIPS, True),
        (Rights.DETAILED, RepliesBy.NOT_ASKED, True),
        (Rights.DETAILED, RepliesBy.OOF_SETTINGS, False),
        (Rights.DETAILED, RepliesBy.NOTHING, False),
        (Rights.CALENDAR, RepliesBy.MAIL_TIPS, False),
    ],
)
def test_a_gateway_that_may_open_mailboxes_and_need_not_is_named(
    calendar: Rights, replies: RepliesBy, *, unused: bool
) -> None:
    for opens in (False, True):
        found = excess_over(ALL_DAY_LEFT_OUT, Given(calendar, replies, opens))
        named = [excess.enough for excess in found if excess.given == "access to mailboxes"]
        assert named == (['access = "none"'] if unused and opens else [])


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
