"""Response codes that are about the account or the server: whoever is asked about next would have the same."""

from __future__ import annotations

from exchange.ews.meanings import LASTING, PASSING, WAIT, Meaning, table

_CONNECTIONS = "ask less often or raise EWSMaxConcurrency"

STUMBLES = table(
    (Meaning(PASSING, "the server failed for the moment", WAIT), "ErrorInternalServerTransientError"),
    (
        Meaning(PASSING, "the server failed", WAIT),
        (
            "ErrorInternalServerError ErrorDataSourceOperation ErrorWin32InteropError ErrorWebRequestInInvalidState"
            " ErrorResponseSchemaValidation"
        ),
    ),
    (Meaning(PASSING, "the server took too long", WAIT), "ErrorTimeoutExpired"),
    (
        Meaning(PASSING, "the server gave the request up", WAIT),
        "ErrorRequestAborted ErrorClientDisconnected ErrorBatchProcessingStopped",
    ),
)
"""The server failed at what it was asked. Where that was one mailbox, it may be that mailbox's doing."""

_OTHERS = table(
    # The account.
    (
        Meaning(
            LASTING,
            "the account of the gateway is none that the directory knows",
            "use an account of the organisation, and see whether the directory has reached all sites",
        ),
        "ErrorCallerIsInvalidADAccount",
    ),
    (
        Meaning(
            LASTING,
            "the account of the gateway is in too many groups to be passed on to another server",
            "use an account of its own, in few groups",
        ),
        "ErrorProxyGroupSidLimitExceeded",
    ),
    (
        Meaning(LASTING, "the organisation is closed to this access", "see why with its administrator"),
        "ErrorOrganizationAccessBlocked",
    ),
    # The server.
    (Meaning(PASSING, "the server is busy", WAIT), "ErrorServerBusy"),
    (Meaning(PASSING, "there are too many connections of this account", _CONNECTIONS), "ErrorExceededConnectionCount"),
    (
        Meaning(PASSING, "the server has no room for more at this moment", WAIT),
        "ErrorTooManyObjectsOpened ErrorInsufficientResources ErrorNotEnoughMemory",
    ),
    (
        Meaning(
            PASSING,
            "the Exchange servers don't trust each other, or their own configuration is incomplete",
            "look at the event log of the server, and at the rights of its own account",
        ),
        (
            "ErrorLogonAsNetworkServiceFailed ErrorGetServerSecurityDescriptorFailed ErrorLocalServerObjectNotFound"
            " ErrorInvalidNetworkServiceContext ErrorInvalidProxySecurityContext ErrorInvalidClientSecurityContext"
            " ErrorInvalidSerializedAccessToken ErrorTokenSerializationDenied ErrorInvalidAuthorizationContext"
            " ErrorNoOAuthServerAvailableForRequest ErrorInvalidInternetWebProxyOnLocalServer"
        ),
    ),
    (
        Meaning(LASTING, "MailTips are switched off", "enable MailTips in the organisation"),
        "ErrorMailTipsDisabled",
    ),
)

OF_THE_SERVER = {**_OTHERS, **STUMBLES}
