"""The problems that are of no single package of this layer, and which codes are those of a connection.

Each package that has problems of its own has a module `problems` with one function a code, which says what to do.
"""

from __future__ import annotations

from dataclasses import replace

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


def no_gateway(address: str, domain: str) -> Problem:
    """Say that the gateways document has no gateway for an address."""
    return Problem(
        "NoGateway",
        ProblemKind.LASTING,
        f"no gateway serves {domain}, the domain of {address}",
        f'add "{domain}" to the domains of a gateway in the gateways document',
    )


def no_gateways(reason: str) -> Problem:
    """Say that there is no gateways document yet, or none that was ever good."""
    return Problem("NoGateways", ProblemKind.LASTING, reason, "put one with `presence gateways put FILE`")


def document_refused(reason: str) -> Problem:
    """Say that the gateways document has a mistake, so that the functions do not use it."""
    return Problem(
        "DocumentRefused",
        ProblemKind.LASTING,
        reason,
        "correct the document and put it with `presence gateways put FILE`",
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
