"""Response codes that say that the request itself is wrong, or newer than the server."""

from __future__ import annotations

from exchange.ews.meanings import LASTING, REPORT, UNEXPECTED, Meaning, table

OF_THE_REQUEST = table(
    (
        Meaning(UNEXPECTED, "too many mailboxes were asked for at once", REPORT),
        "ErrorMailboxDataArrayTooBig ErrorRequestStreamTooBig ErrorMultiLegacyMailboxAccess",
    ),
    (Meaning(UNEXPECTED, "no mailbox was asked for", REPORT), "ErrorMailboxDataArrayEmpty ErrorMissingRecipients"),
    (
        Meaning(LASTING, "the time asked for is too long", "set a shorter horizon"),
        "ErrorTimeIntervalTooBig ErrorCalendarViewRangeTooBig",
    ),
    (
        Meaning(UNEXPECTED, "the server knows no version of the request", REPORT),
        "ErrorInvalidServerVersion ErrorIncorrectSchemaVersion ErrorInvalidSchemaVersionForMailboxVersion",
    ),
    (Meaning(UNEXPECTED, "the request does not follow the server's schema", REPORT), "ErrorSchemaValidation"),
    (
        Meaning(UNEXPECTED, "the request is not valid", REPORT),
        (
            "ErrorInvalidRequest ErrorInvalidOperation ErrorInvalidArgument ErrorMissingArgument ErrorValueOutOfRange"
            " ErrorDuplicateSOAPHeader ErrorUnsupportedCulture"
        ),
    ),
    (
        Meaning(UNEXPECTED, "the time, the zone or the view asked for is not valid", REPORT),
        (
            "ErrorInvalidTimeInterval ErrorTimeZone ErrorInvalidFreeBusyViewType ErrorInvalidMergedFreeBusyInterval"
            " ErrorCalendarEndDateIsEarlierThanStartDate ErrorInvalidPagingMaxRows"
        ),
    ),
    (
        Meaning(UNEXPECTED, "the fields or the folder asked for are not valid", REPORT),
        (
            "ErrorInvalidPropertyRequest ErrorInvalidPropertyForOperation ErrorUnsupportedPropertyDefinition"
            " ErrorInvalidFolderId ErrorInvalidFolderTypeForOperation ErrorInvalidParentFolder"
            " ErrorParentFolderIdRequired"
            " ErrorInvalidId ErrorInvalidIdEmpty ErrorInvalidIdMalformed"
        ),
    ),
    (
        Meaning(UNEXPECTED, "in whose name is asked is not said rightly", REPORT),
        (
            "ErrorInvalidExchangeImpersonationHeaderData ErrorAccessModeSpecified ErrorMoreThanOneAccessModeSpecified"
            " ErrorInvalidLogonType ErrorInvalidManagementRoleHeader ErrorInvalidUserPrincipalName ErrorInvalidSid"
        ),
    ),
)
