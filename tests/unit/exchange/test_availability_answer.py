"""The answer about several mailboxes as a whole; what is told of one of them is tested in test_availability."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchange.ews.availability import Availability, parse_availability
from presence.calendar import BusyType, Window
from presence.errors import Problem, ProblemError
from tests.unit.exchange.hosts import availability, envelope, failed_mailbox, fault, mailbox_answer

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
HOST = "mail.example.com"
WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
BUSY = ("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "Busy")
GOOD = mailbox_answer([BUSY])


@pytest.mark.parametrize(
    ("document", "code", "what"),
    [
        (b"", "MalformedAnswer", "not well-formed XML"),
        (b"<html><body>Welcome</body></html>", "MalformedAnswer", "another root element than Envelope"),
        (availability(GOOD, GOOD, GOOD)[:-40], "MalformedAnswer", "not well-formed XML"),
        (availability(GOOD, GOOD, GOOD)[:700], "MalformedAnswer", "not well-formed XML"),
        (b"<!DOCTYPE x>" + envelope("<m:a/>")[38:], "MalformedAnswer", "document type declaration"),
        (envelope(""), "MalformedAnswer", "0 elements in its Body"),
        (envelope("<m:a/><m:b/>"), "MalformedAnswer", "2 elements in its Body"),
        (envelope("<m:FindItemResponse/>"), "MalformedAnswer", "holds no GetUserAvailabilityResponse"),
        (envelope("<m:GetUserAvailabilityResponse/>"), "MalformedAnswer", "has no FreeBusyResponseArray"),
        (availability("<m:Other/>"), "MalformedAnswer", "something else than FreeBusyResponse"),
        (availability(), "AnswerCountMismatch", "asked about 3 mailboxes and answered about 0"),
        (availability(GOOD, GOOD), "AnswerCountMismatch", "asked about 3 mailboxes and answered about 2"),
        (availability(*[GOOD] * 4), "AnswerCountMismatch", "asked about 3 mailboxes and answered about 4"),
        (fault("ErrorTimeIntervalTooBig"), "ErrorTimeIntervalTooBig", "the time asked for is too long"),
        (fault("ErrorServerBusy"), "ErrorServerBusy", "the server is busy"),
        (fault("&lt;b&gt;"), "UnknownResponseCode", "a code that this program does not know"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_the_whole_answer_is_named_with_the_host(document: bytes, code: str, what: str) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_availability(document, [ALICE, BOB, CAROL], WINDOW, HOST)

    assert caught.value.problem.code == code
    assert what in caught.value.problem.text
    assert HOST in caught.value.problem.text


def test_two_arrays_of_answers_are_no_answer() -> None:
    document = availability(GOOD)
    array = document[document.index(b"<m:FreeBusyResponseArray>") : document.index(b"</m:GetUserAvailabilityResponse>")]

    for doubled in (document.replace(array, array * 2), document.replace(b"</s:Body>", b"</s:Body><s:Body/>")):
        assert doubled != document
        with pytest.raises(ProblemError, match="MalformedAnswer"):
            parse_availability(doubled, [ALICE], WINDOW, HOST)


def test_an_answer_cut_off_at_any_byte_is_refused() -> None:
    document = availability(GOOD)

    for length in range(len(document)):
        with pytest.raises(ProblemError, match="MalformedAnswer"):
            parse_availability(document[:length], [ALICE], WINDOW, HOST)


def test_results_keep_the_order_in_which_was_asked() -> None:
    answers = [mailbox_answer([(BUSY[0], BUSY[1], str(busy_type))]) for busy_type in (BusyType.BUSY, BusyType.FREE)]

    results = parse_availability(availability(*answers, failed_mailbox("ErrorX")), [BOB, ALICE, CAROL], WINDOW, HOST)

    kinds = [result.entries[0].busy_type for result in results if isinstance(result, Availability)]
    assert kinds == [BusyType.BUSY, BusyType.FREE]
    assert isinstance(results[2], Problem)
    assert CAROL in results[2].text
