"""Faults of DNS: what name servers answer wrongly, or not at all, and where records lead that somebody forged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from local.exchange.nameserver import NameFault, ServiceRecord
from local.exchange.network import HTTPS
from local.faults.places import AUTODISCOVER, MAIL, SERVICE_NAME
from local.faults.stage import Effect, Stage


def name_server(stage: Stage, fault: str, name: str = MAIL) -> Effect:
    """Let the answers about a name have a fault."""
    stage.exchange.zone.strike(name, NameFault[fault.upper().replace("-", "_")])
    stage.undo.callback(stage.exchange.zone.strike, name, None)
    return _of_name(stage, name)


def no_such_name(stage: Stage, name: str = MAIL) -> Effect:
    """Let a name no longer exist."""
    effect = _replace_addresses(stage, name)
    stage.exchange.zone.remove(name)
    return effect


def name_without_address(stage: Stage, name: str = MAIL) -> Effect:
    """Let a name exist, but have no address."""
    effect = _replace_addresses(stage, name)
    stage.exchange.zone.add_service(name, ServiceRecord(0, 0, HTTPS, name))
    return effect


def addresses(stage: Stage, addresses: list[str], name: str = MAIL) -> Effect:
    """Let a name have other addresses."""
    return _replace_addresses(stage, name, *addresses)


def service_records(stage: Stage, targets: list[str]) -> Effect:
    """Let the SRV record of autodiscover lead to these `name:port`, in the order of preference."""
    zone = stage.exchange.zone
    zone.remove(SERVICE_NAME)
    for preference, target in enumerate(targets):
        host, _, port = target.rpartition(":")
        zone.add_service(SERVICE_NAME, ServiceRecord(preference, 0, int(port), host))

    def restore() -> None:
        zone.remove(SERVICE_NAME)
        for record in stage.exchange.network.services[SERVICE_NAME]:
            zone.add_service(SERVICE_NAME, record)

    stage.undo.callback(restore)
    return _of_name(stage, SERVICE_NAME)


def asked_by_name(stage: Stage, name: str = AUTODISCOVER) -> Effect:
    """Let the operator's document no longer say where a host is, so that DNS is asked for it and answers wrongly."""
    known = {key: stage.exchange.connect.pop(key) for key in [*stage.exchange.connect] if key.startswith(f"{name}:")}
    stage.undo.callback(partial(stage.exchange.connect.update, known))
    return _of_name(stage, name)


def _replace_addresses(stage: Stage, name: str, *addresses: str) -> Effect:
    zone = stage.exchange.zone
    zone.remove(name)
    for address in addresses:
        zone.add_address(name, address)

    def restore() -> None:
        zone.remove(name)
        zone.add_address(name)

    stage.undo.callback(restore)
    return _of_name(stage, name)


def _of_name(stage: Stage, name: str) -> Effect:
    return lambda: stage.exchange.zone.unusual(name)


INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "name-server": name_server,
    "no-such-name": no_such_name,
    "name-without-address": name_without_address,
    "addresses": addresses,
    "service-records": service_records,
    "asked-by-name": asked_by_name,
}
