"""What should be published, told as short stories around ten o'clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local.demo.expectations import Cadence, Cause, Expected, Snapshot, acceptable_sequences
from local.demo.oracle import NEVER_READ, Entry, Replies

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
CADENCE = Cadence(first=timedelta(seconds=20), edit=timedelta(seconds=10), horizon=timedelta(hours=24))
CLOSES = TEN + timedelta(seconds=100)


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def entry(start: float, end: float, status: str = "Busy", *, is_meeting: bool | None = True) -> Entry:
    return Entry(at(start), at(end), status, is_meeting)


def sequences(*history: tuple[float, tuple[Entry, ...] | None]) -> list[tuple[Expected, ...]]:
    return acceptable_sequences([Snapshot(at(second), entries) for second, entries in history], CADENCE, CLOSES)


def story(sequence: tuple[Expected, ...]) -> list[tuple[Cause, str, datetime | None]]:
    return [(expected.cause, expected.shown.activity, expected.until) for expected in sequence]


def test_a_calendar_that_is_left_alone_gives_its_first_reading_and_its_boundaries() -> None:
    (sequence,) = sequences((0, (entry(40, 60), entry(60, 80, "OOF"))))
    assert story(sequence) == [
        (Cause.FIRST, "Available", at(40)),
        (Cause.BOUNDARY, "InAMeeting", at(60)),
        (Cause.BOUNDARY, "OutOfOffice", at(80)),
        (Cause.BOUNDARY, "Available", None),
    ]
    assert [(each.since_from, each.since_to) for each in sequence[1:]] == [(at(s), at(s)) for s in (40, 60, 80)]
    assert (sequence[0].not_before, sequence[0].not_after) == (at(0), at(20))


def test_a_boundary_during_the_first_reading_leaves_two_right_answers() -> None:
    before, after = sequences((0, (entry(10, 3600),)))
    assert story(before) == [(Cause.FIRST, "Available", at(10)), (Cause.BOUNDARY, "InAMeeting", at(3600))]
    assert story(after) == [(Cause.FIRST, "InAMeeting", at(3600))]
    assert (after[0].since_from, after[0].since_to) == (at(10), at(10))


def test_an_entry_added_now_is_shown_since_it_was_noticed_because_somebody_else_was_shown_before() -> None:
    (sequence,) = sequences((0, ()), (30, (entry(-600, 3600),)))
    assert story(sequence) == [(Cause.FIRST, "Available", None), (Cause.EDIT, "InAMeeting", at(3600))]
    assert (sequence[1].since_from, sequence[1].since_to) == (at(30), at(40))
    assert (sequence[1].not_before, sequence[1].not_after) == (at(30), at(40))


def test_a_meeting_made_longer_moves_its_end_only_and_keeps_its_start() -> None:
    (sequence,) = sequences((0, (entry(-600, 3600),)), (30, (entry(-600, 5400),)))
    assert story(sequence) == [(Cause.FIRST, "InAMeeting", at(3600)), (Cause.EDIT, "InAMeeting", at(5400))]
    assert {each.since_from for each in sequence} == {at(-600)}


def test_an_edit_far_ahead_of_what_is_shown_publishes_nothing() -> None:
    (sequence,) = sequences(
        (0, (entry(-600, 3600),)), (30, (entry(-600, 3600), entry(7200, 9000))), (50, (entry(-600, 3600),))
    )
    assert story(sequence) == [(Cause.FIRST, "InAMeeting", at(3600))]


def test_an_edit_close_to_a_boundary_may_be_seen_before_or_after_it() -> None:
    seen_before, seen_after = sequences((0, (entry(35, 3600),)), (30, ()))
    assert story(seen_before) == [(Cause.FIRST, "Available", at(35)), (Cause.EDIT, "Available", None)]
    assert story(seen_after) == [
        (Cause.FIRST, "Available", at(35)),
        (Cause.BOUNDARY, "InAMeeting", at(3600)),
        (Cause.EDIT, "Available", None),
    ]


def test_two_edits_within_one_cadence_may_be_seen_as_one() -> None:
    found = [story(sequence) for sequence in sequences((0, ()), (30, (entry(0, 3600),)), (33, (entry(0, 5400),)))]
    first = (Cause.FIRST, "Available", None)
    longer = (Cause.EDIT, "InAMeeting", at(5400))
    assert found == [[first, (Cause.EDIT, "InAMeeting", at(3600)), longer], [first, longer]]


def test_an_edit_before_the_first_reading_may_be_all_that_is_ever_seen() -> None:
    found = [story(sequence) for sequence in sequences((0, ()), (5, (entry(-600, 3600),)))]
    assert found == [
        [(Cause.FIRST, "Available", None), (Cause.EDIT, "InAMeeting", at(3600))],
        [(Cause.FIRST, "InAMeeting", at(3600))],
    ]
    (only,) = (found for found in sequences((0, ()), (5, (entry(-600, 3600),))) if len(found) == 1)
    assert only[0].not_after == at(20), "the first reading has its own bound"


def test_a_mailbox_that_cannot_be_read_is_unknown_once() -> None:
    (sequence,) = sequences((0, None), (30, None))
    assert [each.shown for each in sequence] == [NEVER_READ]


def test_a_mailbox_that_cannot_be_read_any_more_keeps_what_is_known_of_it() -> None:
    (sequence,) = sequences((0, (entry(-60, 50),)), (30, None))
    assert story(sequence) == [(Cause.FIRST, "InAMeeting", at(50)), (Cause.BOUNDARY, "Available", None)]


def test_no_data_where_something_was_known_changes_nothing() -> None:
    (sequence,) = sequences((0, (entry(-60, 3600),)), (30, (entry(-60, 3600, "NoData"),)))
    assert story(sequence) == [(Cause.FIRST, "InAMeeting", at(3600))]


def test_a_start_of_more_than_an_hour_ago_is_not_known() -> None:
    (old,), (young,) = sequences((0, (entry(-7200, 3600),))), sequences((0, (entry(-3000, 3600),)))
    assert (old[0].since_from, old[0].since_to) == (at(0), at(20))
    assert young[0].since_from == young[0].since_to == at(-3000)


def test_the_statuses_that_ran_are_kept_for_the_count() -> None:
    (sequence,) = sequences((0, (entry(-60, 50, "Tentative"), entry(-60, 40, "OOF"))))
    assert [each.statuses for each in sequence] == [{"Tentative", "OOF"}, {"Tentative"}]


def test_automatic_replies_with_a_time_are_shown_and_others_stand_beside_as_a_note() -> None:
    scheduled = Snapshot(at(0), (), Replies(at(-60), at(48 * 3600)))
    (first,) = acceptable_sequences([scheduled], CADENCE, CLOSES)[0]
    assert (first.shown.presence, first.shown.source) == (("Away", "OutOfOffice"), "automatic-reply")
    assert (first.until, first.note) == (at(48 * 3600), None), "their end is known, though the calendar is not so far"
    switched_on = Snapshot(at(0), (), Replies())
    (first,) = acceptable_sequences([switched_on], CADENCE, CLOSES)[0]
    assert (first.shown.presence, first.until, first.note) == (("Available", "Available"), None, "automatic-replies")


def test_who_could_never_be_read_is_unknown_and_believed_as_that() -> None:
    (first,) = acceptable_sequences([Snapshot(at(0), None)], CADENCE, CLOSES)[0]
    assert (first.shown, first.freshness) == (NEVER_READ, "unknown")
