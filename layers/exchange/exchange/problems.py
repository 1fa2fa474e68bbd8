"""The problems of this layer that are not Exchange's own response codes: one function a code, with what to do.

No text repeats what a server wrote: a hostile or chatty one may echo what it was sent.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from presence.errors import Problem, ProblemKind

# With these the next host of a pool may be tried: the request has not been judged by any Exchange.
CONNECTION_CODES = frozenset(
    {
        "HostUnreachable",
        "HostNotFound",
        "NameServerFailed",
        "AddressNotAllowed",
        "CertificateInvalid",
        "TlsFailed",
        "TlsTooWeak",
    }
)


def host_unreachable(host: str, reason: str) -> Problem:
    """Say that the connection was refused, reset, or lost."""
    return Problem(
        "HostUnreachable",
        ProblemKind.PASSING,
        f"{host} can't be reached: {reason}",
        "check that the server runs, and that routes and firewalls let this machine through to it",
    )


def timed_out(host: str, stage: str, seconds: float) -> Problem:
    """Say that the server took longer than allowed."""
    return Problem(
        "Timeout",
        ProblemKind.PASSING,
        f"{host} took longer than {seconds:g} s {stage}",
        "check the load of the server and the network on the way to it, or allow more time",
    )


def no_time_left(host: str) -> Problem:
    """Nothing of the time of the whole read is left."""
    return Problem(
        "Timeout",
        ProblemKind.PASSING,
        f"no time was left for {host} to answer: the read as a whole took too long",
        "see with `presence check` which step is slow; skip it, or allow the function more time",
    )


def host_not_found(host: str) -> Problem:
    """Say that DNS says that there is no such name, or that it has no address."""
    return Problem(
        "HostNotFound",
        ProblemKind.LASTING,
        f"DNS knows no address of {host}",
        "check the name, and the name servers in the network part of the gateways document",
    )


def name_server_failed(host: str, reason: str) -> Problem:
    """Say that DNS gave no answer, or a failure."""
    return Problem(
        "NameServerFailed",
        ProblemKind.PASSING,
        f"the name servers could not tell the address of {host}: {reason}",
        "check the name servers in the network part of the gateways document",
    )


def address_not_allowed(host: str, address: str, what: str) -> Problem:
    """Say that a name leads to an address that no Exchange server has."""
    return Problem(
        "AddressNotAllowed",
        ProblemKind.LASTING,
        f"{host} leads to {address}, {what}; nothing was sent there",
        "correct the DNS entry; on a test machine set allow_loopback in the network part of the gateways document",
    )


def certificate_invalid(host: str, what: str, remedy: str) -> Problem:
    """Say that the certificate can't be trusted; nothing was sent."""
    return Problem(
        "CertificateInvalid", ProblemKind.LASTING, f"the certificate of {host} is not accepted: {what}", remedy
    )


def tls_failed(host: str, reason: str) -> Problem:
    """Say that the TLS handshake broke off."""
    return Problem(
        "TlsFailed",
        ProblemKind.PASSING,
        f"no TLS connection to {host}: {reason}",
        "check that the port speaks TLS 1.2 or newer and that nothing on the way intercepts it",
    )


def tls_too_weak(host: str, what: str, remedy: str) -> Problem:
    """Say that the server speaks only what is no longer safe; nothing was sent."""
    return Problem("TlsTooWeak", ProblemKind.LASTING, f"no TLS connection to {host}: failed, {what}", remedy)


def answer_too_large(host: str, limit: int) -> Problem:
    """Say that the server sent more than any right answer needs."""
    return Problem(
        "AnswerTooLarge",
        ProblemKind.LASTING,
        f"{host} sent more than {limit // 1024} KiB; the answer was not read further",
        "check that this is the Exchange server and not another service",
    )


def malformed_answer(host: str, what: str) -> Problem:
    """Say that the answer as a whole is not what the protocol says."""
    return Problem(
        "MalformedAnswer",
        ProblemKind.PASSING,
        f"{host} sent an answer that can't be used: {what}",
        "if it stays, check that the URL leads to Exchange and that nothing on the way changes its answers",
    )


def malformed_calendar(address: str, what: str) -> Problem:
    """Say that the part of an answer that belongs to one mailbox is not what the schema says."""
    return Problem(
        "MalformedCalendar",
        ProblemKind.LASTING,
        f"the calendar of {address} can't be used: {what}",
        "look at the entry in the mailbox; if it looks right there, the server's answer is at fault",
    )


def count_mismatch(host: str, asked: int, answered: int) -> Problem:
    """Say that results are matched by their order, so a wrong count makes all of them unusable."""
    return Problem(
        "AnswerCountMismatch",
        ProblemKind.UNEXPECTED,
        f"{host} was asked about {asked} mailboxes and answered about {answered}; none of it was used",
        "report the server's version: its answers can't be matched to mailboxes",
    )


def no_calendar_entries(address: str, view: str) -> Problem:
    """Say that the view holds no entries, which is not the same as a free calendar."""
    return Problem(
        "NoCalendarEntries",
        ProblemKind.LASTING,
        f"{address} was answered with the view {view!r}, which holds no calendar entries",
        "a distribution list or an Exchange 2003 mailbox gives no entries: use the address of a mailbox; if the view is"
        ' MergedOnly, distribution_lists = "take" in the gateway takes it',
    )


def request_version_refused(host: str, gateway: str, version: str, code: str) -> Problem:
    """Say that a server is older than its gateway says."""
    return Problem(
        "RequestVersionRefused",
        ProblemKind.LASTING,
        f"{host} answers {code} to a request as Exchange {version}, which gateway {gateway!r} says it is",
        "correct exchange_version of the gateway, or leave it out: then it is found out",
    )


def malformed_replies(address: str, what: str) -> Problem:
    """Say that what came of one mailbox's automatic replies is not what the schema says."""
    return Problem(
        "MalformedAutomaticReplies",
        ProblemKind.LASTING,
        f"what Exchange tells of the automatic replies of {address} can't be used: {what}",
        "look at the automatic replies of the mailbox; if they look right there, the server's answer is at fault",
    )


def replies_not_told(address: str) -> Problem:
    """Say that Exchange left the automatic replies of one mailbox out, which is not the same as having none."""
    return Problem(
        "AutomaticRepliesNotTold",
        ProblemKind.PASSING,
        f"Exchange did not tell whether {address} has automatic replies",
        "nothing; it is tried again",
    )


def replies_refused(host: str, operation: str, code: str) -> Problem:
    """Say that the server does not know the question about automatic replies, or will not answer it."""
    return Problem(
        "AutomaticRepliesRefused",
        ProblemKind.LASTING,
        f"{host} does not answer {operation}: it gives {code}",
        'let the account impersonate and set access to "impersonation", or automatic_replies to "oof-settings",'
        ' which spares the vain question, or to "off"; MailTips are there from Exchange 2010 on',
    )


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


def gateway_busy(gateway: str, most: int, retry_after: float) -> Problem:
    """Say that as many reads of a gateway are under way as it may have, so that this one was not begun."""
    return Problem(
        "GatewayBusy",
        ProblemKind.PASSING,
        f"gateway {gateway!r} has all of its {most} concurrent reads under way; this one was not begun",
        "nothing, if it passes; else see which server is slow, or raise concurrent_reads if it can bear more",
        retry_after,
        unasked=True,
    )


def wait_asked_for(host: str, until: str, retry_after: float) -> Problem:
    """Say that a server has asked to be left alone until an instant, and was not asked."""
    return Problem(
        "ServerBusy",
        ProblemKind.PASSING,
        f"{host} has asked to be left alone until {until}, and was not asked",
        "nothing, if it passes; else look at the load and the health of the server",
        retry_after,
        unasked=True,
    )


def document_refused(reason: str) -> Problem:
    """Say that the gateways document has a mistake, so that the functions do not use it."""
    return Problem(
        "DocumentRefused",
        ProblemKind.LASTING,
        reason,
        "correct the document and put it with `presence gateways put FILE`",
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


def http_status(host: str, status: int, retry_after: float | None = None) -> Problem:
    """Say what an HTTP status means: not now (429, 5xx), or not at all. `retry_after` is in seconds.

    429 asks to wait also where it does not say for how long (RFC 6585, section 4); that is then 0, and not None.
    """
    throttled = status == HTTPStatus.TOO_MANY_REQUESTS
    if throttled or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(
            "ServerBusy" if throttled or status == HTTPStatus.SERVICE_UNAVAILABLE else "ServerFailed",
            ProblemKind.PASSING,
            f"{host} answers with HTTP status {status}",
            "nothing, if it passes; else look at the load and the health of the server",
            retry_after or 0.0 if throttled else retry_after,
        )
    code = {403: "AccessDenied", 404: "EndpointNotFound", 440: "LoginPage"}.get(status, "UnexpectedStatus")
    return Problem(
        code,
        ProblemKind.LASTING if status >= HTTPStatus.BAD_REQUEST else ProblemKind.UNEXPECTED,
        f"{host} answers with HTTP status {status}",
        "check that the URL is the right one, that the service is enabled there, and that the account may use it",
    )


def fails_over_one_mailbox(problem: Problem, address: str) -> Problem:
    """Say that a server fails at each request in which one mailbox is, and answers for the others of it."""
    text = f"{problem.text}; it is so when it is asked about {address}, and others of the same request are answered for"
    remedy = "look at this mailbox first: let Exchange repair it (New-MailboxRepairRequest), or move it"
    return replace(problem, text=text, remedy=remedy)


def unexpected_error(host: str, error: Exception) -> Problem:
    """Say that this program is at fault; the error's own text is left out, since nobody knows what stands in it."""
    return Problem(
        "UnexpectedError",
        ProblemKind.UNEXPECTED,
        f"reading from {host} failed with {type(error).__name__}",
        "report this with the version of the program",
    )
