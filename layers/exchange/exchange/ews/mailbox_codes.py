"""Response codes that are about the one mailbox asked for: the next one may fare better."""

from __future__ import annotations

from exchange.ews.meanings import LASTING, PASSING, WAIT, Meaning, table

_RIGHTS = "let the account of the gateway see the free/busy times of this mailbox"
_FOLDER = "let the account of the gateway read the calendar folder of this mailbox"
_IMPERSONATION = "let the account of the gateway impersonate this mailbox, or leave it excluded"
_FORWARDING = "check the availability configuration (address space, account, certificates) of the Exchange servers"
_ADDRESS = "check the primary SMTP address of the user"
_ACCOUNTS = "see whether it is the account of the gateway or that of the mailbox, and enable it"
_REPAIR = "let Exchange repair the mailbox (New-MailboxRepairRequest), or correct the entry that it can't read"

OF_ONE_MAILBOX = table(
    # Who it is.
    (
        Meaning(LASTING, "there is no such mailbox", _ADDRESS, moved=True),
        (
            "ErrorMailRecipientNotFound ErrorNonExistentMailbox ErrorCannotFindUser ErrorRecipientNotFound"
            " ErrorNameResolutionNoMailbox ErrorNameResolutionNoResults ErrorMissingExchangePrincipal"
            " ErrorInvalidMailbox"
        ),
    ),
    (
        Meaning(LASTING, "the address is not valid", _ADDRESS),
        "ErrorInvalidSmtpAddress ErrorInvalidRoutingType ErrorInvalidRecipients",
    ),
    (
        Meaning(LASTING, "the mailbox has no address", _ADDRESS),
        "ErrorMissingEmailAddress ErrorMissingInformationEmailAddress",
    ),
    (
        Meaning(LASTING, "the address is not the primary one of a single mailbox", _ADDRESS),
        "ErrorNonPrimarySmtpAddress ErrorEmailAddressMismatch ErrorNameResolutionMultipleResults",
    ),
    (
        Meaning(LASTING, "the address is a distribution list that is too large", "use the address of a mailbox"),
        "ErrorFreeBusyDLLimitReached",
    ),
    (
        Meaning(
            LASTING,
            "the mailbox is configured wrongly in the directory",
            "look at the mailbox with Get-Mailbox, which names what is wrong",
        ),
        "ErrorMailboxConfiguration ErrorDuplicateLegacyDistinguishedName ErrorInvalidSecurityDescriptor",
    ),
    # Who may see it.
    (Meaning(LASTING, "the account may not see the calendar", _RIGHTS), "ErrorNoFreeBusyAccess"),
    (
        Meaning(
            LASTING,
            "the account has no access to what was asked for",
            "give the account of the gateway the right to it",
        ),
        "ErrorAccessDenied",
    ),
    (
        Meaning(LASTING, "the account sees no calendar folder in this mailbox", _FOLDER),
        "ErrorFolderNotFound ErrorItemNotFound ErrorNoCalendar ErrorCalendarFolderIsInvalidForCalendarView",
    ),
    (
        Meaning(LASTING, "the mailbox is excluded from impersonation", _IMPERSONATION),
        "ErrorImpersonationDenied ErrorImpersonateUserDenied",
    ),
    (
        Meaning(PASSING, "Exchange could not work in the name of the mailbox's owner", _FORWARDING),
        "ErrorImpersonationFailed",
    ),
    (
        Meaning(LASTING, "an account is disabled", _ACCOUNTS),
        "ErrorAccountDisabled ErrorAccountSuspend ErrorAccountSuspendShowTierUpgrade ErrorInvalidLicense",
    ),
    (
        Meaning(LASTING, "a password has expired", "set a new password; if it is the gateway's, store it"),
        "ErrorPasswordExpired ErrorPasswordChangeRequired",
    ),
    # Where it is.
    (Meaning(PASSING, "Exchange could not open the mailbox", WAIT, moved=True), "ErrorMailboxLogonFailed"),
    (Meaning(PASSING, "the mailbox is being moved", WAIT, moved=True), "ErrorMailboxMoveInProgress"),
    (Meaning(PASSING, "the mailbox is changing over to another server", WAIT, moved=True), "ErrorMailboxFailover"),
    (
        Meaning(PASSING, "the mailbox database is not available", WAIT, moved=True),
        "ErrorMailboxStoreUnavailable ErrorConnectionFailed",
    ),
    (
        Meaning(PASSING, "the mailbox is on another server", WAIT, moved=True),
        "ErrorWrongServerVersion ErrorWrongServerVersionDelegate ErrorCrossSiteRequest",
    ),
    (Meaning(PASSING, "Active Directory is not available", WAIT), "ErrorADUnavailable ErrorADOperation"),
    # Exchange asking another Exchange for it.
    (
        Meaning(PASSING, "Exchange could not ask the mailbox's own server", _FORWARDING, moved=True),
        (
            "ErrorProxyRequestProcessingFailed ErrorProxyCallFailed ErrorProxySoapException ErrorProxyTokenExpired"
            " ErrorNoRespondingCASInDestinationSite ErrorNoApplicableProxyCASServersAvailable"
            " ErrorNoDestinationCASDueToKerberosRequirements ErrorNoDestinationCASDueToSSLRequirements"
            " ErrorNoDestinationCASDueToVersionMismatch"
        ),
    ),
    (
        Meaning(PASSING, "Exchange will not forward the question to the mailbox's own server", _FORWARDING, moved=True),
        "ErrorProxyRequestNotAllowed",
    ),
    (
        Meaning(PASSING, "Exchange could not find the mailbox's own server", _FORWARDING, moved=True),
        "ErrorAutoDiscoverFailed ErrorServiceDiscoveryFailed ErrorProxyServiceDiscoveryFailed",
    ),
    (
        Meaning(LASTING, "Exchange has no availability configuration for the domain", _FORWARDING, moved=True),
        (
            "ErrorAddressSpaceNotFound ErrorAvailabilityConfigNotFound ErrorInvalidOrganizationRelationshipForFreeBusy"
            " ErrorOrganizationNotFederated ErrorInvalidFederatedOrganizationId"
            " ErrorInvalidFederationOrganizationIdentifier ErrorTargetDomainNotSupported"
        ),
    ),
    (
        Meaning(LASTING, "Exchange's own account for the other organisation is wrong", _FORWARDING),
        "ErrorInvalidCrossForestCredentials",
    ),
    # What is in it.
    (Meaning(PASSING, "Exchange could not work out the free/busy times", WAIT), "ErrorFreeBusyGenerationFailed"),
    (
        Meaning(PASSING, "the public folder with the free/busy times could not be read", WAIT),
        (
            "ErrorPublicFolderRequestProcessingFailed ErrorPublicFolderServerNotFound"
            " ErrorNoPublicFolderReplicaAvailable"
            " ErrorNoPublicFolderServerAvailable ErrorPublicFolderMailboxDiscoveryFailed"
            " ErrorPublicFolderOperationFailed"
            " ErrorPublicFolderSyncException"
        ),
    ),
    (
        Meaning(
            LASTING,
            "the mailbox is on Exchange 2003, of which this server has no entries",
            "move the mailbox to a newer server",
        ),
        "ErrorLegacyMailboxFreeBusyViewTypeNotMerged",
    ),
    (
        Meaning(LASTING, "something in the mailbox is damaged", _REPAIR),
        (
            "ErrorCorruptData ErrorItemCorrupt ErrorFolderCorrupt ErrorItemPropertyRequestFailed"
            " ErrorFolderPropertRequestFailed ErrorContentConversionFailed ErrorCalendarInvalidPropertyState"
            " ErrorCalendarInvalidTimeZone ErrorCalendarInvalidRecurrence ErrorWorkingHoursXmlMalformed"
        ),
    ),
    (
        Meaning(LASTING, "there is more in the calendar than Exchange gives out", "raise EWSFindCountLimit"),
        "ErrorExceededFindCountLimit ErrorResultSetTooBig",
    ),
    (Meaning(PASSING, "Exchange could not read the automatic replies", WAIT), "ErrorUnableToGetUserOofSettings"),
)
