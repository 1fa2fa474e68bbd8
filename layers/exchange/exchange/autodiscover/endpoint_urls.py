"""Which of the URLs that autodiscover tells of a mailbox may be asked, and in which order."""

from __future__ import annotations

from exchange.autodiscover.answers import Settings
from exchange.autodiscover.problems import endpoint_unusable, host_not_trusted
from exchange.autodiscover.trust import Trust
from exchange.autodiscover.urls import check_ews_url
from exchange.gateways import Gateway, Side
from presence.errors import Problem


def usable_urls(gateway: Gateway, settings: Settings, domain: str) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the EWS URLs whose hosts may be given the account, the preferred one first, and what is wrong with others.

    `domain` is that of the address as the operator has it, for the problems.
    """
    sides = [settings.external, settings.internal]
    if gateway.prefer is Side.INTERNAL:
        sides.reverse()
    trust = Trust(gateway)
    usable: dict[str, None] = {}
    problems = []
    for side in filter(None, sides):
        try:
            host = check_ews_url(side.ews)
        except ValueError as error:
            problems.append(endpoint_unusable(domain, str(error)))
            continue
        if trust.may_have_credentials(host.host):
            usable[side.ews] = None
        else:
            problems.append(host_not_trusted(host.host, domain, "is named as the EWS server"))
    return tuple(usable), tuple(problems)
