"""The problems of finding Exchange: one function a code, with what to do. No text repeats what a server wrote."""

from __future__ import annotations

from presence.errors import Problem, ProblemKind


def host_not_trusted(host: str, domain: str, why: str) -> Problem:
    """Say that credentials would go to a host that nobody vouched for."""
    return Problem(
        "HostNotTrusted",
        ProblemKind.LASTING,
        f"{host} {why} for {domain}, but is neither below a domain of the gateway nor trusted; it was given nothing",
        f'if {host} is yours, add "{host}" to trusted_hosts of the gateway',
    )


def endpoint_unusable(domain: str, why: str) -> Problem:
    """Say that autodiscover named an EWS URL that is not asked."""
    return Problem(
        "EndpointUnusable",
        ProblemKind.LASTING,
        f"autodiscover names an EWS URL for {domain} that {why}; it was not asked",
        "set the external and internal URL of the EWS virtual directory to an https URL",
    )


def mailbox_not_found(address: str, host: str) -> Problem:
    """Say that autodiscover says that it knows no such address."""
    return Problem(
        "MailboxNotFound",
        ProblemKind.LASTING,
        f"autodiscover at {host} knows no mailbox {address}",
        "check the primary SMTP address of the user",
    )


def redirected_too_often(address: str, what: str) -> Problem:
    """Say that autodiscover led in a circle, or further than it may."""
    return Problem(
        "TooManyRedirects",
        ProblemKind.LASTING,
        f"autodiscover for {address} {what}",
        "correct the redirection of the address or of the autodiscover service",
    )


def autodiscover_not_now(host: str, code: str) -> Problem:
    """Say that an autodiscover service knows what it is asked, and fails for now; `code` is one known here."""
    return Problem(
        "ServerBusy" if code == "ServerBusy" else "ServerFailed",
        ProblemKind.PASSING,
        f"autodiscover at {host} answers with {code}",
        "nothing, if it passes; else look at the load and the health of the server",
    )


def autodiscover_failed(domain: str, kind: ProblemKind, steps: str) -> Problem:
    """Say that no step of autodiscover led to an endpoint."""
    return Problem(
        "AutodiscoverFailed",
        kind,
        f"autodiscover found no Exchange for {domain}: {steps}",
        "check DNS, certificate and URL of the autodiscover service, or name the hosts in a gateway of kind ews",
    )
