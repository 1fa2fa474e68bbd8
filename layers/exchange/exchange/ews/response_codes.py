"""What Exchange's response codes mean and what to do about each (messages.xsd, ResponseCodeType)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from presence.errors import Problem, ProblemKind

_PASSING, _LASTING, _UNEXPECTED = ProblemKind.PASSING, ProblemKind.LASTING, ProblemKind.UNEXPECTED
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}")
NO_ERROR = "NoError"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The kind of a code, what it says, what to do; `moved`: the mailbox may live elsewhere now, so look again."""

    kind: ProblemKind
    text: str
    remedy: str
    moved: bool = False


_WAIT = "nothing; it is tried again"
_RIGHTS = "let the account of the gateway see the free/busy times of this mailbox"
_IMPERSONATION = "let the account of the gateway impersonate this mailbox, or leave it excluded"
_FORWARDING = "check the availability configuration (address space, account, certificates) of the Exchange servers"
_ADDRESS = "check the primary SMTP address of the user"
_REPORT = "report this with the version of the program: the request itself was refused"

_OF_ONE_MAILBOX: Mapping[str, Meaning] = {
    "ErrorMailRecipientNotFound": Meaning(_LASTING, "there is no such mailbox", _ADDRESS, moved=True),
    "ErrorNonExistentMailbox": Meaning(_LASTING, "there is no such mailbox", _ADDRESS, moved=True),
    "ErrorInvalidSmtpAddress": Meaning(_LASTING, "the address is not valid", _ADDRESS),
    "ErrorMissingEmailAddress": Meaning(_LASTING, "the mailbox has no address", _ADDRESS),
    "ErrorNoFreeBusyAccess": Meaning(_LASTING, "the account may not see the calendar", _RIGHTS),
    "ErrorAccessDenied": Meaning(
        _LASTING, "the account has no access to what was asked for", "give the account of the gateway the right to it"
    ),
    "ErrorImpersonationDenied": Meaning(_LASTING, "the mailbox is excluded from impersonation", _IMPERSONATION),
    "ErrorImpersonateUserDenied": Meaning(_LASTING, "the mailbox is excluded from impersonation", _IMPERSONATION),
    "ErrorFreeBusyGenerationFailed": Meaning(_PASSING, "Exchange could not work out the free/busy times", _WAIT),
    "ErrorPublicFolderRequestProcessingFailed": Meaning(
        _PASSING, "the public folder with the free/busy times could not be read", _WAIT
    ),
    "ErrorFreeBusyDLLimitReached": Meaning(
        _LASTING, "the address is a distribution list that is too large", "use the address of a mailbox"
    ),
    "ErrorMailboxLogonFailed": Meaning(_PASSING, "Exchange could not open the mailbox", _WAIT, moved=True),
    "ErrorMailboxMoveInProgress": Meaning(_PASSING, "the mailbox is being moved", _WAIT, moved=True),
    "ErrorMailboxFailover": Meaning(_PASSING, "the mailbox is changing over to another server", _WAIT, moved=True),
    "ErrorMailboxStoreUnavailable": Meaning(_PASSING, "the mailbox database is not available", _WAIT, moved=True),
    "ErrorWrongServerVersion": Meaning(_PASSING, "the mailbox is on another server", _WAIT, moved=True),
    "ErrorMailTipsDisabled": Meaning(_LASTING, "MailTips are switched off", "enable MailTips in the organisation"),
    # Exchange asking another Exchange for it.
    "ErrorProxyRequestProcessingFailed": Meaning(
        _PASSING, "Exchange could not ask the mailbox's own server", _FORWARDING, moved=True
    ),
    "ErrorProxyRequestNotAllowed": Meaning(
        _PASSING, "Exchange will not forward the question to the mailbox's own server", _FORWARDING, moved=True
    ),
    "ErrorAutoDiscoverFailed": Meaning(
        _PASSING, "Exchange could not find the mailbox's own server", _FORWARDING, moved=True
    ),
    "ErrorServiceDiscoveryFailed": Meaning(
        _PASSING, "Exchange could not find the mailbox's own server", _FORWARDING, moved=True
    ),
    "ErrorProxyServiceDiscoveryFailed": Meaning(
        _PASSING, "Exchange could not find the mailbox's own server", _FORWARDING, moved=True
    ),
    "ErrorAddressSpaceNotFound": Meaning(
        _LASTING, "Exchange has no availability configuration for the domain", _FORWARDING, moved=True
    ),
    "ErrorInvalidCrossForestCredentials": Meaning(
        _LASTING, "Exchange's own account for the other organisation is wrong", _FORWARDING
    ),
}
_OF_ALL: Mapping[str, Meaning] = {
    # The account.
    "ErrorAccountDisabled": Meaning(_LASTING, "the account is disabled", "enable the account"),
    "ErrorPasswordExpired": Meaning(_LASTING, "the password has expired", "set a new password and store it"),
    "ErrorPasswordChangeRequired": Meaning(_LASTING, "the password must be changed", "set it and store it"),
    # The server.
    "ErrorServerBusy": Meaning(_PASSING, "the server is busy", _WAIT),
    "ErrorExceededConnectionCount": Meaning(
        _PASSING, "there are too many connections of this account", "ask less often or raise EWSMaxConcurrency"
    ),
    "ErrorTooManyObjectsOpened": Meaning(_PASSING, "too many things of the mailbox are open", _WAIT),
    "ErrorADUnavailable": Meaning(_PASSING, "Active Directory is not available", _WAIT),
    "ErrorADOperation": Meaning(_PASSING, "Active Directory failed", _WAIT),
    "ErrorInternalServerTransientError": Meaning(_PASSING, "the server failed for the moment", _WAIT),
    "ErrorInternalServerError": Meaning(_PASSING, "the server failed", _WAIT),
    "ErrorTimeoutExpired": Meaning(_PASSING, "the server took too long", _WAIT),
    "ErrorRequestAborted": Meaning(_PASSING, "the server gave the request up", _WAIT),
    # The request.
    "ErrorMailboxDataArrayTooBig": Meaning(_UNEXPECTED, "too many mailboxes were asked for at once", _REPORT),
    "ErrorMailboxDataArrayEmpty": Meaning(_UNEXPECTED, "no mailbox was asked for", _REPORT),
    "ErrorTimeIntervalTooBig": Meaning(_LASTING, "the time asked for is too long", "set a shorter horizon"),
    "ErrorInvalidServerVersion": Meaning(_UNEXPECTED, "the server knows no version of the request", _REPORT),
    "ErrorIncorrectSchemaVersion": Meaning(_UNEXPECTED, "the server knows no version of the request", _REPORT),
    "ErrorInvalidSchemaVersionForMailboxVersion": Meaning(
        _UNEXPECTED, "the server knows no version of the request", _REPORT
    ),
    "ErrorSchemaValidation": Meaning(_UNEXPECTED, "the request does not follow the server's schema", _REPORT),
    "ErrorInvalidRequest": Meaning(_UNEXPECTED, "the request is not valid", _REPORT),
}
MEANINGS: Mapping[str, Meaning] = {**_OF_ONE_MAILBOX, **_OF_ALL}
# The server is older than the request; it is asked again in an older version.
VERSION_CODES = frozenset(
    {
        "ErrorInvalidServerVersion",
        "ErrorIncorrectSchemaVersion",
        "ErrorInvalidSchemaVersionForMailboxVersion",
        "ErrorSchemaValidation",
    }
)
# The server does not know an operation, or refuses it without a code (SOAP 1.1, section 4.4.1): it will not change.
REFUSAL_CODES = VERSION_CODES | {"ErrorInvalidRequest", "ErrorInvalidOperation", "Client"}
# Our own codes that suggest that a mailbox has moved: the URL leads nowhere, or its host is no more.
_OUR_MOVED = frozenset({"EndpointNotFound", "HostNotFound", "LoginPage"})
_UNKNOWN = Meaning(_UNEXPECTED, "it gives a code that this program does not know", _REPORT)


def problem_for(code: str, whom: str, retry_after: float | None = None) -> Problem:
    """Return the problem of a response code; `whom` begins the sentence ("ews.example.com answers")."""
    meaning = MEANINGS.get(code, _UNKNOWN)
    return Problem(code, meaning.kind, f"{whom} with {code}: {meaning.text}", meaning.remedy, retry_after)


def has_moved(code: str) -> bool:
    """Tell whether a code suggests that the mailbox lives elsewhere now."""
    return MEANINGS.get(code, _UNKNOWN).moved or code in _OUR_MOVED


def is_of_one_mailbox(code: str) -> bool:
    """Tell whether a code is about the mailbox asked for, so that the next one may fare better."""
    return code in _OF_ONE_MAILBOX


def shown_code(text: str) -> str:
    """Return a code as it may be stored and shown: one word, or `UnknownResponseCode` for anything else."""
    return text if _CODE.fullmatch(text) else "UnknownResponseCode"
