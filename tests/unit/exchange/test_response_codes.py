from __future__ import annotations

import pytest

from exchange.ews.response_codes import MEANINGS, has_moved, problem_for, shown_code
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
