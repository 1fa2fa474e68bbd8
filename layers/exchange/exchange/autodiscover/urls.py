"""The URLs of autodiscover: those made from a domain, those that servers refer to, and what may be shown of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from exchange.web.hosts import HTTPS_PORT, HostPort, ascii_host, split_https_url

SERVICE_PATH = "/autodiscover/autodiscover.xml"
_SOAP_PATH = "/autodiscover/autodiscover.svc"


def root_domain_url(domain: str) -> str:
    """Return the first URL of autodiscover for a domain."""
    return f"https://{ascii_host(domain)}{SERVICE_PATH}"


def autodiscover_host_url(domain: str) -> str:
    """Return the second URL of autodiscover for a domain."""
    return f"https://autodiscover.{ascii_host(domain)}{SERVICE_PATH}"


def http_redirect_url(domain: str) -> str:
    """Return the URL that is asked, without credentials, for a redirection only."""
    return f"http://autodiscover.{ascii_host(domain)}{SERVICE_PATH}"


def service_record(domain: str) -> str:
    """Return the name of the SRV record of autodiscover for a domain."""
    return f"_autodiscover._tcp.{ascii_host(domain)}"


def service_url(target: HostPort) -> str:
    """Return the URL of autodiscover at the target of an SRV record; only TLS is spoken there."""
    return f"https://{target.in_url}{SERVICE_PATH}"


def pox_url(url: str) -> str:
    """Return the URL of a service that is asked by POX; of one that speaks SOAP too, SOAP refers to the other."""
    parts = urlsplit(url)
    return parts._replace(path=SERVICE_PATH).geturl() if parts.path.lower() == _SOAP_PATH else url


def soap_url(url: str) -> str | None:
    """Return the URL at which the service of a POX URL speaks SOAP if it does; None if none belongs to it."""
    parts = urlsplit(url)
    if parts.path.lower() != SERVICE_PATH or parts.query or parts.fragment:
        return None
    return parts._replace(path=_SOAP_PATH).geturl()


def check_autodiscover_url(url: str) -> HostPort:
    """Return the host of an URL that a server redirects to, or an operator names.

    Raises ValueError that says in a few words why it is not followed: it must be https, without a user name, and the
    path one of autodiscover, with nothing behind it.
    """
    host, path = split_https_url(url)
    if not path.lower().startswith("/autodiscover/") or _goes_on(url):
        raise ValueError("is no autodiscover URL")
    return host


def check_ews_url(url: str) -> HostPort:
    """Return the host of an URL of EWS that a server tells.

    Raises ValueError that says in a few words why it is neither asked nor kept: it must be https, without a user name,
    and have nothing behind its path.
    """
    host, _ = split_https_url(url)
    if _goes_on(url):
        raise ValueError("has a query or a fragment")
    return host


def printable_url(url: str) -> str:
    """Return scheme, host and port of an URL, and its path if that is autodiscover's own.

    A server may have put anything into the rest, what it was sent included.
    """
    try:
        parts = urlsplit(url)
        host = HostPort(ascii_host(parts.hostname or ""), parts.port or HTTPS_PORT)
    except ValueError:
        return "a malformed URL"
    if parts.scheme not in {"http", "https"}:
        return "a malformed URL"
    path = parts.path if parts.path.lower() in {SERVICE_PATH, _SOAP_PATH} else "/…"
    return f"{parts.scheme}://{host.in_url}{path}"


def _goes_on(url: str) -> bool:
    """Tell whether an URL has a query or a fragment. No Exchange needs one; a server may put there what it was sent."""
    return "?" in url or "#" in url
