"""From SMTP addresses to endpoints: what is known, what the operator named, and what autodiscover finds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exchange.autodiscover.discovery import Discovered, Discovery
from exchange.autodiscover.questions import Questioner
from exchange.autodiscover.trace import TraceStep
from exchange.autodiscover.trust import Trust
from exchange.endpoints import Endpoint, EndpointCache, domain_key, mailbox_key
from exchange.gateways import Gateway, GatewayKind, GatewaysDocument
from exchange.hosts import HostPort, split_https_url
from exchange.problems import unexpected_error
from exchange.sessions import GatewaySession
from presence.addresses import domain_of
from presence.errors import Problem, ProblemError

_HOUR = 3600.0
_LONGEST_HOURS = 24


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a mailbox is, or why that is not known; `trace` tells how it was found out.

    Either `endpoint` or `problem` is set. `mailbox` is the address that the mailbox has at the endpoint: another
    than `address` if autodiscover redirected to it.
    """

    address: str
    mailbox: str
    endpoint: Endpoint | None
    problem: Problem | None
    trace: tuple[TraceStep, ...]


class Locator:
    """Finds the endpoints of mailboxes, for one read: a domain that fails is asked once."""

    def __init__(
        self, document: GatewaysDocument, cache: EndpointCache, session_of: Callable[[Gateway], GatewaySession]
    ) -> None:
        self._document = document
        self._cache = cache
        self._session_of = session_of
        self._failing: dict[str, Resolution] = {}
        self._services: dict[str, str] = {}

    def locate(self, addresses: Sequence[str]) -> Mapping[str, Resolution]:
        """Return where each mailbox is; every address is a key of the result."""
        found: dict[str, Resolution] = {}
        unknown: dict[str, Gateway] = {}
        for address in addresses:
            try:
                gateway = self._document.gateway_for(address)
            except ProblemError as error:
                found[address] = _failure(address, error.problem)
                continue
            if gateway.kind is GatewayKind.EWS:
                found[address] = _named_by_operator(address, gateway)
            else:
                unknown[address] = gateway
        if not unknown:
            return found
        domains = {domain_key(gateway.name, domain_of(address)) for address, gateway in unknown.items()}
        known = self._cache.get_many([*map(mailbox_key, unknown), *sorted(domains)])
        self._services.update({key: known[key]["url"] for key in domains if known.get(key, {}).get("url")})
        for address, gateway in unknown.items():
            remembered = _remembered(address, gateway, known.get(mailbox_key(address), {}))
            found[address] = remembered or self._discover(address, gateway)
        return found

    def _discover(self, address: str, gateway: Gateway) -> Resolution:
        key = domain_key(gateway.name, domain_of(address))
        if key in self._failing:
            failing = self._failing[key]
            return Resolution(address, address, None, failing.problem, failing.trace)
        try:
            discovery = Discovery(gateway, address, Questioner(self._session_of(gateway)))
            outcome = discovery.run(self._services.get(key))
        except ProblemError as error:
            return _failure(address, error.problem)
        except Exception as error:  # noqa: BLE001  a fault found by one mailbox must not cost the others
            return _failure(address, unexpected_error(f"autodiscover of {domain_of(address)}", error))
        if isinstance(outcome, Discovered):
            self._remember(key, address, gateway, outcome)
            endpoint = Endpoint(gateway.name, outcome.url)
            return Resolution(address, outcome.address, endpoint, None, discovery.trace)
        resolution = Resolution(address, address, None, outcome.problem, discovery.trace)
        if outcome.about_domain:
            self._failing[key] = resolution
            if self._services.pop(key, None):
                self._cache.delete([key])
        return resolution

    def _remember(self, key: str, address: str, gateway: Gateway, found: Discovered) -> None:
        hours = min(found.ttl_hours or _LONGEST_HOURS, _LONGEST_HOURS)
        value = {"gateway": gateway.name, "url": found.url, "mailbox": found.address}
        self._cache.put(mailbox_key(address), value, _spread(address, hours * _HOUR))
        if found.service_url and self._services.get(key) != found.service_url:
            self._services[key] = found.service_url
            self._cache.put(key, {"url": found.service_url}, _spread(key, _LONGEST_HOURS * _HOUR))


def ews_url(host: HostPort) -> str:
    """Return the EWS URL of a host that an operator named."""
    return f"https://{host.in_url}/EWS/Exchange.asmx"


def _named_by_operator(address: str, gateway: Gateway) -> Resolution:
    url = ews_url(gateway.hosts[0])
    step = TraceStep("ews", url, (), None, 0, f"named by gateway {gateway.name!r}; autodiscover is not used")
    return Resolution(address, address, Endpoint(gateway.name, url), None, (step,))


def _remembered(address: str, gateway: Gateway, value: Mapping[str, str]) -> Resolution | None:
    """Return what the cache knows, if the document still allows it: hosts may have lost its trust since."""
    url, mailbox = value.get("url", ""), value.get("mailbox", "")
    if not url or not mailbox or value.get("gateway") != gateway.name:
        return None
    try:
        host, _ = split_https_url(url)
    except ValueError:
        return None
    if not Trust(gateway).may_have_credentials(host.host):
        return None
    step = TraceStep("cached", url, (), None, 0, "known from an earlier run of autodiscover")
    return Resolution(address, mailbox, Endpoint(gateway.name, url), None, (step,))


def _failure(address: str, problem: Problem) -> Resolution:
    return Resolution(address, address, None, problem, ())


def _spread(key: str, seconds: float) -> float:
    """Vary a time by up to a quarter, by key, so that not all that was learnt at once is asked again at once."""
    return seconds * (0.75 + 0.5 * zlib.crc32(key.encode()) / 0xFFFFFFFF)
