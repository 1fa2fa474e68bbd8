"""What was found stands as long as the document has mailboxes looked for at the same places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from exchange.endpoints import MemoryEndpointCache
from local.exchange.kept_host import KeptHost, http
from tests.unit.exchange.hosts import Net, pox_settings, when_signed_in

ALICE, BOB = "alice@example.com", "bob@example.com"
OLD, NEW = (f"https://{name}.example.com/EWS/Exchange.asmx" for name in ("old", "new"))
PINNED = {"autodiscover_urls": {"example.com": "https://new.example.com/autodiscover/autodiscover.xml"}}


@pytest.fixture
def service(net: Net, cache: MemoryEndpointCache) -> KeptHost:
    """The service at which Alice was found."""
    net.silent("example.com")
    host = net.host("autodiscover.example.com", when_signed_in(http(200, pox_settings(OLD))))
    assert locate(net, cache, ALICE) == OLD
    host.requests.clear()
    return host


def locate(net: Net, cache: MemoryEndpointCache, address: str, **changed: Any) -> str | None:
    network = {"nameservers": changed.pop("nameservers")} if "nameservers" in changed else {}
    endpoint = net.locate([address], changed, cache=cache, **network)[address].endpoint
    return None if endpoint is None else endpoint.url


@pytest.mark.parametrize("change", [PINNED, {"skip": ["autodiscover"], "trusted_hosts": ["example.com"]}])
def test_a_step_or_a_service_that_is_no_longer_wanted_is_asked_and_believed_no_more(
    net: Net, cache: MemoryEndpointCache, service: KeptHost, change: Mapping[str, Any]
) -> None:
    for name in ("new.example.com", "example.com"):
        net.host(name, when_signed_in(http(200, pox_settings(NEW))))

    assert [locate(net, cache, each, **change) for each in (ALICE, BOB)] == [NEW, NEW]
    assert not service.requests


def test_other_name_servers_may_lead_to_another_service(
    net: Net, cache: MemoryEndpointCache, service: KeptHost
) -> None:
    assert locate(net, cache, ALICE, nameservers=["127.0.0.1:1"]) == OLD
    assert service.requests


def test_a_mailbox_that_is_not_found_at_the_new_places_is_read_where_it_was(
    net: Net, cache: MemoryEndpointCache, service: KeptHost
) -> None:
    net.silent("new.example.com")

    assert [locate(net, cache, ALICE, **PINNED) for _ in range(2)] == [OLD, OLD]
    assert not service.requests


@pytest.mark.parametrize("change", [{"trusted_hosts": ["mail.hosting.test"]}, {"domains": ["example.com", "b.test"]}])
def test_a_change_of_something_else_has_nobody_looked_for_again(
    net: Net, cache: MemoryEndpointCache, service: KeptHost, change: Mapping[str, Any]
) -> None:
    assert locate(net, cache, ALICE, **change) == OLD
    assert not service.requests
