"""The problems of a gateway's account: one function a code, with what to do. No text repeats what a server wrote."""

from __future__ import annotations

from presence.errors import Problem, ProblemKind


def credentials_rejected(host: str, gateway: str, offered: str) -> Problem:
    """Say that the server refused the account."""
    return Problem(
        "CredentialsRejected",
        ProblemKind.LASTING,
        f"{host} rejects the credentials of gateway {gateway!r} (it offers {offered or 'no authentication'})",
        "check user name, password, the gateway's auth, and whether the account is locked;"
        " TLS interception breaks NTLM with Extended Protection",
    )


def credentials_refused_here(host: str, gateway: str, since: str) -> Problem:
    """Say that a host that rejected the account a short time ago is not asked with it again yet."""
    return Problem(
        "CredentialsRejected",
        ProblemKind.LASTING,
        f"{host} rejected the credentials of gateway {gateway!r} at {since}, and is not given them again for now",
        "check user name, password, the gateway's auth, and whether the account is locked; if another host accepts"
        " them, look at this one",
    )


def gateway_rests(gateway: str, host: str, attempts: int, since: str, next_attempt: str) -> Problem:
    """Say that the account was rejected more than once, so that nobody sends it anywhere for a while."""
    return Problem(
        "CredentialsRejected",
        ProblemKind.LASTING,
        f"gateway {gateway!r} rests since {since}: its credentials were rejected {attempts} times, last by {host};"
        f" the next attempt, a single one, is made at {next_attempt}",
        "check user name, password, the gateway's auth, and whether the account is locked; a new secret is tried at"
        f" once; if the account was mended instead, say `presence gateways retry {gateway}`",
    )


def credentials_being_tried(gateway: str, retry_after: float) -> Problem:
    """Say that another reader is finding out whether the account is right; one at a time may be wrong."""
    return Problem(
        "CredentialsBeingTried",
        ProblemKind.PASSING,
        f"it is being tried whether the credentials of gateway {gateway!r} are right; until then one reader sends them",
        "nothing; it is tried again",
        retry_after,
        unasked=True,
    )


def authentication_not_offered(host: str, gateway: str, wanted: str, offered: str) -> Problem:
    """Say that the server asks for another kind of authentication than the gateway is set to."""
    return Problem(
        "AuthenticationNotOffered",
        ProblemKind.LASTING,
        f"{host} offers {offered or 'no authentication'}, gateway {gateway!r} is set to {wanted}",
        "set auth of the gateway to what the server offers, or enable it on the server",
    )


def authentication_failed(host: str, gateway: str) -> Problem:
    """Say that the exchange of NTLM messages broke off before the account was judged."""
    return Problem(
        "AuthenticationFailed",
        ProblemKind.PASSING,
        f"{host} broke off the NTLM authentication of gateway {gateway!r}",
        "check that NTLM is enabled on the server and that a load balancer keeps a connection on one server",
    )


def secret_unusable(gateway: str, reason: str) -> Problem:
    """Say that the gateway's secret is missing or malformed."""
    return Problem(
        "SecretUnusable",
        ProblemKind.LASTING,
        f"gateway {gateway!r} has no usable credentials: {reason}",
        "store the secret that the gateway names, with username and password",
    )


def kerberos_unusable(gateway: str, reason: str) -> Problem:
    """Say that a gateway is set to Kerberos, and this program can't show a ticket."""
    return Problem(
        "KerberosUnusable",
        ProblemKind.LASTING,
        f"gateway {gateway!r} is set to kerberos, and {reason}",
        "install the extra kerberos of layers/exchange, and give the process a ticket cache (KRB5CCNAME) or a keytab"
        " (KRB5_CLIENT_KTNAME) of the account; or set auth of the gateway to ntlm",
    )
