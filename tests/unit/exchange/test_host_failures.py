"""What is a host's fault, an answer's or a mailbox's, for every response code that can come."""

from __future__ import annotations

import pytest

from exchange.asking import ends_asking
from exchange.ews.response_codes import ANSWERS, problem_for
from exchange.ews.server_codes import STUMBLES
from exchange.pool.host_failures import answer_failed, host_failed, mailbox_failed_here
from presence.errors import ProblemKind


@pytest.mark.parametrize("code", ANSWERS)
def test_no_code_is_a_host_s_and_an_answer_s_at_once(code: str) -> None:
    problem = problem_for(code, "mail.example.com answers")

    assert not (host_failed(problem, alone=False) and answer_failed(problem, alone=False))


@pytest.mark.parametrize("code", [code for code, meaning in ANSWERS.items() if meaning.kind is not ProblemKind.PASSING])
def test_what_will_not_pass_is_asked_of_no_other_host(code: str) -> None:
    problem = problem_for(code, "mail.example.com answers")

    assert not host_failed(problem, alone=False)
    assert not answer_failed(problem, alone=False)
    assert not mailbox_failed_here(code)


@pytest.mark.parametrize(
    ("code", "host", "answer", "mailbox"),
    [
        ("ErrorServerBusy", False, False, False),
        ("ErrorExceededConnectionCount", False, False, False),
        ("ErrorInsufficientResources", True, False, False),
        ("ErrorTimeoutExpired", True, False, False),
        ("ErrorInternalServerError", False, True, False),
        ("ErrorADUnavailable", False, True, True),
        ("ErrorMailboxStoreUnavailable", False, True, True),
        ("ErrorNoRespondingCASInDestinationSite", False, True, True),
        ("ErrorMailboxMoveInProgress", False, False, False),
        ("ErrorFreeBusyGenerationFailed", False, False, False),
    ],
)
def test_whose_fault_a_code_is(code: str, *, host: bool, answer: bool, mailbox: bool) -> None:
    problem = problem_for(code, "mail.example.com answers")

    assert (host_failed(problem, alone=False), answer_failed(problem, alone=False), mailbox_failed_here(code)) == (
        host,
        answer,
        mailbox,
    )
    assert answer_failed(problem, alone=True) is ((answer and not mailbox) or code in STUMBLES)


@pytest.mark.parametrize("code", sorted(STUMBLES))
def test_a_server_that_stumbles_over_one_mailbox_may_answer_for_the_next(code: str) -> None:
    problem = problem_for(code, "mail.example.com answers")

    assert not host_failed(problem, alone=True)
    assert answer_failed(problem, alone=True)
    assert not ends_asking(problem, alone=True)
    assert ends_asking(problem, alone=False)
