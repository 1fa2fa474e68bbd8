"""Who may be given credentials: the rules that keep autodiscover from handing the account to strangers.

Hundreds of thousands of accounts were once collected by a host that clients asked because it looked like a parent of
the user's domain. So the hosts asked are made from the full domain only, and of those few are believed.
"""

from __future__ import annotations

from exchange.gateways import ALL_OTHER_DOMAINS, Gateway
from exchange.hosts import HostPort, ascii_host, split_https_url

_SERVICE_PATH = "/autodiscover/autodiscover.xml"


class Trust:
    """The hosts that belong to one mailbox's organisation.

    `domain` is that of the address that the operator wrote, not of one that a server redirected to: else a server
    could name its own domain the user's. Domains that the gateway names explicitly are the operator's word too.
    """

    def __init__(self, gateway: Gateway, domain: str) -> None:
        own = {domain, *gateway.domains} - {ALL_OTHER_DOMAINS}
        self._suffixes = tuple(f".{ascii_host(name)}" for name in sorted(own))
        self._hosts = gateway.trusted_hosts

    def may_have_credentials(self, host: str) -> bool:
        """Say whether a host is one below the organisation's domains, or trusted by name.

        The root of a domain is often somebody's website, so it is trusted by name only.
        """
        return host in self._hosts or host.endswith(self._suffixes)


def root_domain_url(domain: str) -> str:
    """Return the first URL of autodiscover for a domain."""
    return f"https://{ascii_host(domain)}{_SERVICE_PATH}"


def autodiscover_host_url(domain: str) -> str:
    """Return the second URL of autodiscover for a domain."""
    return f"https://autodiscover.{ascii_host(domain)}{_SERVICE_PATH}"


def http_redirect_url(domain: str) -> str:
    """Return the URL that is asked, without credentials, for a redirection only."""
    return f"http://autodiscover.{ascii_host(domain)}{_SERVICE_PATH}"


def service_record(domain: str) -> str:
    """Return the name of the SRV record of autodiscover for a domain."""
    return f"_autodiscover._tcp.{ascii_host(domain)}"


def service_url(target: HostPort) -> str:
    """Return the URL of autodiscover at the target of an SRV record; only TLS is spoken there."""
    return f"https://{target.in_url}{_SERVICE_PATH}"


def check_autodiscover_url(url: str) -> HostPort:
    """Return the host of an URL that a server redirects to.

    Raises ValueError that says in a few words why it is not followed: it must be https, without a user name, and the
    path one of autodiscover.
    """
    host, path = split_https_url(url)
    if not path.lower().startswith("/autodiscover/"):
        raise ValueError("is no autodiscover URL")
    return host
