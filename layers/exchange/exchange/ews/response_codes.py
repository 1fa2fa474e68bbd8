"""What Exchange's response codes mean and what to do about each (messages.xsd, ResponseCodeType)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from exchange.ews.mailbox_codes import OF_ONE_MAILBOX
from exchange.ews.meanings import REPORT, UNEXPECTED, Meaning
from exchange.ews.request_codes import OF_THE_REQUEST
from exchange.ews.server_codes import OF_THE_SERVER, STUMBLES
from exchange.ews.unasked_codes import NEVER_ASKED_FOR
from presence.errors import Problem

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}")
NO_ERROR = "NoError"

ANSWERS: Mapping[str, Meaning] = {**OF_ONE_MAILBOX, **OF_THE_SERVER, **OF_THE_REQUEST}
"""The codes that can come as an answer to what is asked."""

MEANINGS: Mapping[str, Meaning] = {**NEVER_ASKED_FOR, **ANSWERS}
"""Every code of the schema but NoError."""

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
_UNKNOWN = Meaning(UNEXPECTED, "it gives a code that this program does not know", REPORT)


def problem_for(code: str, whom: str, retry_after: float | None = None) -> Problem:
    """Return the problem of a response code; `whom` begins the sentence ("ews.example.com answers")."""
    meaning = MEANINGS.get(code, _UNKNOWN)
    return Problem(code, meaning.kind, f"{whom} with {code}: {meaning.text}", meaning.remedy, retry_after)


def has_moved(code: str) -> bool:
    """Tell whether a code suggests that the mailbox lives elsewhere now."""
    return MEANINGS.get(code, _UNKNOWN).moved or code in _OUR_MOVED


def is_of_one_mailbox(code: str) -> bool:
    """Tell whether a code is about the mailbox asked for, so that the next one may fare better.

    Nothing says that a code of a feature that is never asked for has to do with anybody else.
    """
    return code in OF_ONE_MAILBOX or code in NEVER_ASKED_FOR


def is_of_all(code: str) -> bool:
    """Tell whether a code, though told of one mailbox, is about the account, the server or the request."""
    return code in OF_THE_SERVER or code in OF_THE_REQUEST


def stumbled(code: str) -> bool:
    """Tell whether the server failed at what it was asked; asked about one mailbox, it may answer for the next."""
    return code == "ServerFailed" or code in STUMBLES


def shown_code(text: str) -> str:
    """Return a code as it may be stored and shown: one word, or `UnknownResponseCode` for anything else."""
    return text if _CODE.fullmatch(text) else "UnknownResponseCode"
