from __future__ import annotations

import pytest

from exchange.ews.mailbox_codes import OF_ONE_MAILBOX
from exchange.ews.meanings import table
from exchange.ews.request_codes import OF_THE_REQUEST
from exchange.ews.response_codes import MEANINGS, has_moved, is_of_all, is_of_one_mailbox, problem_for, shown_code
from exchange.ews.server_codes import OF_THE_SERVER
from exchange.ews.unasked_codes import NEVER_ASKED_FOR
from presence.errors import ProblemKind

PASSING, LASTING, UNEXPECTED = ProblemKind.PASSING, ProblemKind.LASTING, ProblemKind.UNEXPECTED
# The codes that exchange.md lists, with what house rules say of each.
KINDS = {
    "ErrorMailRecipientNotFound": LASTING,
    "ErrorNoFreeBusyAccess": LASTING,
    "ErrorFreeBusyGenerationFailed": PASSING,
    "ErrorProxyRequestProcessingFailed": PASSING,
    "ErrorProxyRequestNotAllowed": PASSING,
    "ErrorAutoDiscoverFailed": PASSING,
    "ErrorServiceDiscoveryFailed": PASSING,
    "ErrorAddressSpaceNotFound": LASTING,
    "ErrorInvalidCrossForestCredentials": LASTING,
    "ErrorMailboxLogonFailed": PASSING,
    "ErrorPublicFolderRequestProcessingFailed": PASSING,
    "ErrorInvalidSmtpAddress": LASTING,
    "ErrorMailboxFailover": PASSING,
    "ErrorMailboxStoreUnavailable": PASSING,
    "ErrorMailboxMoveInProgress": PASSING,
    "ErrorADUnavailable": PASSING,
    "ErrorAccountDisabled": LASTING,
    "ErrorPasswordExpired": LASTING,
    "ErrorFreeBusyDLLimitReached": LASTING,
    "ErrorMailTipsDisabled": LASTING,
    "ErrorMissingEmailAddress": LASTING,
    "ErrorProxyServiceDiscoveryFailed": PASSING,
    "ErrorTimeIntervalTooBig": LASTING,
    "ErrorServerBusy": PASSING,
    "ErrorExceededConnectionCount": PASSING,
    "ErrorMailboxDataArrayTooBig": UNEXPECTED,
    "ErrorImpersonationDenied": LASTING,
    "ErrorImpersonateUserDenied": LASTING,
}


@pytest.mark.parametrize(("code", "kind"), KINDS.items())
def test_each_listed_code_has_its_kind_its_meaning_and_its_remedy(code: str, kind: ProblemKind) -> None:
    problem = problem_for(code, "mail.example.com answers")

    assert (problem.code, problem.kind) == (code, kind)
    assert problem.text == f"mail.example.com answers with {code}: {MEANINGS[code].text}"
    assert problem.remedy


def test_a_code_that_nobody_foresaw_is_unexpected() -> None:
    assert problem_for("ErrorNobodyKnows", "mail.example.com answers").kind is UNEXPECTED


@pytest.mark.parametrize(
    "code",
    [
        "ErrorProxyRequestNotAllowed",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxFailover",
        "ErrorMailRecipientNotFound",
        "EndpointNotFound",
        "HostNotFound",
    ],
)
def test_these_codes_suggest_that_the_mailbox_has_moved(code: str) -> None:
    assert has_moved(code)


@pytest.mark.parametrize("code", ["ErrorServerBusy", "ErrorNoFreeBusyAccess", "Timeout", "MalformedAnswer"])
def test_these_do_not(code: str) -> None:
    assert not has_moved(code)


@pytest.mark.parametrize("text", ["", "two words", "<b>", "x" * 81, "Error-Code", "Error\n"])
def test_what_is_no_code_is_not_shown(text: str) -> None:
    assert shown_code(text) == "UnknownResponseCode"


def test_no_code_stands_in_two_tables_nor_twice_in_one() -> None:
    tables = (OF_ONE_MAILBOX, OF_THE_SERVER, OF_THE_REQUEST, NEVER_ASKED_FOR)
    assert len(MEANINGS) == sum(map(len, tables))
    meaning = MEANINGS["ErrorServerBusy"]
    with pytest.raises(ValueError, match="ErrorServerBusy stands twice"):
        table((meaning, "ErrorServerBusy ErrorTimeoutExpired"), (meaning, "ErrorServerBusy"))


def test_a_code_of_what_nobody_asked_for_is_unexpected_and_costs_one_mailbox_only() -> None:
    for code in NEVER_ASKED_FOR:
        assert MEANINGS[code].kind is UNEXPECTED, code
        assert is_of_one_mailbox(code), code
        assert not has_moved(code), code


@pytest.mark.parametrize(
    ("code", "of_one"),
    [
        # exchange.md lists these per mailbox
        ("ErrorADUnavailable", True),
        ("ErrorAccountDisabled", True),
        ("ErrorImpersonateUserDenied", True),
        ("ErrorFolderNotFound", True),
        ("ErrorServerBusy", False),
        ("ErrorTimeIntervalTooBig", False),
        ("ErrorInternalServerTransientError", False),
        ("ErrorNobodyKnows", False),
    ],
)
def test_whether_a_code_is_about_one_mailbox_or_all(code: str, *, of_one: bool) -> None:
    assert is_of_one_mailbox(code) is of_one


def test_a_code_is_of_all_or_of_one_and_one_that_nobody_knows_is_said_of_whom_it_is_said() -> None:
    assert all(is_of_all(code) is not is_of_one_mailbox(code) for code in MEANINGS)
    assert not is_of_all("ErrorNobodyKnows")


def test_whoever_may_have_moved_is_looked_for_again_and_nobody_is_for_a_fault_of_the_server() -> None:
    assert {code for code in MEANINGS if has_moved(code)} <= set(OF_ONE_MAILBOX)


def test_what_passes_is_tried_again_and_what_lasts_says_what_to_do() -> None:
    for code, meaning in {**OF_ONE_MAILBOX, **OF_THE_SERVER}.items():
        assert meaning.kind is not UNEXPECTED, code
        assert meaning.kind is PASSING or not meaning.remedy.startswith("nothing"), code
