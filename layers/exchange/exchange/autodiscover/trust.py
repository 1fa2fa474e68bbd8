"""Who may be given credentials: the rules that keep autodiscover from handing the account to strangers.

Hundreds of thousands of accounts were once collected by a host that clients asked because it looked like a parent of
the user's domain. So the hosts asked are made from the full domain only, and of those few are believed.
"""

from __future__ import annotations

from exchange.gateways import ALL_OTHER_DOMAINS, Gateway
from exchange.web.hosts import ascii_host, split_https_url

_COUNTRY_CODE_LENGTH = 2
# Second-level names under which countries register others: whoever owns "autodiscover" below them is a stranger.
_REGISTRY_WORDS = "ac asn biz co com edu gen go gob gouv gov gv id info k12 lg ltd me mil mod ne net nhs nom or org plc"
_REGISTRY_NAMES = frozenset(_REGISTRY_WORDS.split())


class Trust:
    """The hosts that may be given a gateway's account: what the operator's document says, and nothing else.

    Neither the domain of an address nor one that a server redirects to counts, unless the gateway names it: else
    whoever brings an address into a gateway for all other domains (a list of contacts, a forged message) would name
    the hosts that the account goes to.
    """

    def __init__(self, gateway: Gateway) -> None:
        names = sorted(ascii_host(name) for name in gateway.domains if name != ALL_OTHER_DOMAINS)
        self._suffixes = tuple(f".{name}" for name in names if not _belongs_to_registry(name))
        named = (split_https_url(url)[0].host for url in gateway.autodiscover_urls.values())
        self._hosts = gateway.trusted_hosts.union(named)

    def may_have_credentials(self, host: str) -> bool:
        """Tell whether a host is one below the domains that the gateway names, or one that its document names.

        The root of a domain is often somebody's website, so it is trusted by name only.
        """
        return host in self._hosts or host.endswith(self._suffixes)


def _belongs_to_registry(domain: str) -> bool:
    """Tell whether a domain looks like one of a registry (`co.uk`), below which anybody may have a name."""
    labels = domain.split(".")
    if len(labels) == 1:
        return True
    return len(labels) == 2 and len(labels[1]) == _COUNTRY_CODE_LENGTH and labels[0] in _REGISTRY_NAMES  # noqa: PLR2004
