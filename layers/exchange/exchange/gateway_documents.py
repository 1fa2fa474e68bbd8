"""The gateways document as operators write it: TOML on disk, JSON in ConfigTable, with the same keys.

It names secrets, it never holds one.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from exchange.autodiscover.urls import check_autodiscover_url
from exchange.files import load_toml, read_bounded
from exchange.gateways import (
    ALL_OTHER_DOMAINS,
    MOST_MAILBOXES,
    Authentication,
    DiscoveryStep,
    Gateway,
    GatewayKind,
    GatewaysDocument,
    Limits,
    RepliesFrom,
    Side,
    ascii_address,
)
from exchange.mailbox_access import take_mailbox_access
from exchange.recipients import take_recipient_policy
from exchange.tls.options import take_tls_options
from exchange.web.hosts import HTTPS_PORT, HostPort, ascii_host, parse_address_port, parse_host_port
from exchange.web.network_settings import NetworkSettings
from presence.addresses import parse_smtp_address
from presence.documents import Section
from presence.errors import ConfigurationError
from presence.profile_documents import take_profiles

SCHEMA_VERSION = 1
_DNS_PORT = 53
_MOST_READS = 1000
_Value = TypeVar("_Value")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def load_gateways_document(path: Path) -> dict[str, object]:
    """Read the TOML file as plain data, each `ca_file` (relative to the file) replaced by `ca`, the text itself.

    The result is what ConfigTable holds. Raises `ConfigurationError` if a file can't be read or is no TOML.
    """
    document = load_toml(path)
    gateways = document.get("gateways")
    for index, gateway in enumerate(gateways if isinstance(gateways, list) else []):
        if isinstance(gateway, dict) and "ca_file" in gateway:
            gateway["ca"] = _read_ca_file(path, gateway, f"gateways[{index}]")
    return document


def read_gateways_file(path: Path) -> GatewaysDocument:
    """Read and check the TOML file. Raises `ConfigurationError`."""
    return parse_gateways(load_gateways_document(path))


def parse_gateways(document: Mapping[str, object]) -> GatewaysDocument:
    """Check a gateways document. Raises `ConfigurationError`: the path of the first mistake, and the reason."""
    root = Section(document)
    version = root.number("schema_version")
    if version != SCHEMA_VERSION:
        raise root.refuse("schema_version", f"{version} is not known; this program reads {SCHEMA_VERSION}")
    network = _network(root.section("network"))
    gateways: list[Gateway] = []
    for section in root.sections("gateways"):
        gateway = _gateway(section)
        _refuse_overlap(section, gateway, gateways)
        gateways.append(gateway)
    profiles = take_profiles(root)
    root.finish()
    return GatewaysDocument(tuple(gateways), network, profiles)


def _network(section: Section) -> NetworkSettings:
    nameservers = _each(section, "nameservers", lambda text: parse_address_port(text, _DNS_PORT))
    connect = {}
    for key, value in section.section("connect").rest().items():
        try:
            connect[parse_host_port(key)] = parse_address_port(value)
        except ValueError as error:
            raise ConfigurationError(f'{section.where("connect")}."{key}": {error}') from error
    allow_loopback = section.flag("allow_loopback", default=False)
    section.finish()
    return NetworkSettings(nameservers, connect, allow_loopback)


def _gateway(section: Section) -> Gateway:
    kind = section.choice("kind", GatewayKind)
    replies = section.choice("automatic_replies", RepliesFrom, RepliesFrom.MAIL_TIPS)
    gateway = Gateway(
        name=_reference(section, "name"),
        kind=kind,
        domains=_domains(section),
        credentials=_reference(section, "credentials"),
        users=_users(section),
        authentication=section.choice("auth", Authentication, Authentication.NTLM),
        ca=_certificates(section) if section.has("ca") else None,
        trusted_hosts=_trusted_hosts(section) if kind is GatewayKind.AUTODISCOVER else frozenset(),
        skip=_skip(section) if kind is GatewayKind.AUTODISCOVER else frozenset(),
        autodiscover_urls=_autodiscover_urls(section) if kind is GatewayKind.AUTODISCOVER else {},
        prefer=section.choice("prefer", Side, Side.EXTERNAL) if kind is GatewayKind.AUTODISCOVER else Side.EXTERNAL,
        hosts=_hosts(section) if kind is GatewayKind.EWS else (),
        automatic_replies=replies,
        tls=take_tls_options(section),
        limits=_limits(section.section("limits")),
        mailboxes=take_mailbox_access(section, speaks_for_owners=replies is RepliesFrom.OOF_SETTINGS),
        recipients=take_recipient_policy(section),
    )
    section.finish()
    version = gateway.mailboxes.version
    if replies is RepliesFrom.MAIL_TIPS and version is not None and not version.has_mail_tips:
        raise section.refuse(
            "automatic_replies", f'is mail-tips, which Exchange {version} has not; use "oof-settings" or "off"'
        )
    if not gateway.domains and not gateway.users:
        raise section.refuse("domains", "is missing, and so is users; nobody would be served")
    return gateway


def _reference(section: Section, key: str) -> str:
    """Read a name that also becomes part of a file's, a secret's and a table key's name."""
    text = section.text(key)
    if not _REFERENCE.fullmatch(text):
        raise section.refuse(key, "must be letters, digits, and . _ - only, starting with a letter or digit")
    return text


def _each(section: Section, key: str, read: Callable[[str], _Value], *, required: bool = False) -> tuple[_Value, ...]:
    """Return what `read` makes of each text of a list. Raises `ConfigurationError` with the place of the first mistake.

    `read` raises ValueError or `ConfigurationError` that says what is wrong with a text.
    """
    values = []
    for index, text in enumerate(section.texts(key, required=required)):
        try:
            values.append(read(text))
        except (ValueError, ConfigurationError) as error:
            raise ConfigurationError(f"{section.where(key)}[{index}]: {error}") from error
    return tuple(values)


def _domains(section: Section) -> tuple[str, ...]:
    def read(text: str) -> str:
        if text != ALL_OTHER_DOMAINS:
            _ascii_domain(text)
        return text.lower()

    return _each(section, "domains", read, required=section.has("domains"))


def _ascii_domain(text: str) -> str:
    try:
        return ascii_host(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no domain") from error


def _users(section: Section) -> frozenset[str]:
    def read(text: str) -> str:
        return ascii_address(parse_smtp_address(text))

    return frozenset(_each(section, "users", read, required=section.has("users")))


def _limits(section: Section) -> Limits:
    limits = Limits(
        concurrent_reads=_number_within(section, "concurrent_reads", Limits().concurrent_reads, _MOST_READS),
        mailboxes_per_request=_number_within(section, "mailboxes_per_request", MOST_MAILBOXES, MOST_MAILBOXES),
    )
    section.finish()
    return limits


def _number_within(section: Section, key: str, default: int, most: int) -> int:
    number = section.number(key, default)
    if not 1 <= number <= most:
        raise section.refuse(key, f"must be from 1 to {most}")
    return number


def _trusted_hosts(section: Section) -> frozenset[str]:
    return frozenset(_each(section, "trusted_hosts", ascii_host))


def _skip(section: Section) -> frozenset[DiscoveryStep]:
    def read(text: str) -> DiscoveryStep:
        try:
            return DiscoveryStep(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no step; use {', '.join(DiscoveryStep)}") from error

    steps = frozenset(_each(section, "skip", read))
    if steps == set(DiscoveryStep):
        raise section.refuse("skip", "leaves no step of autodiscover")
    return steps


def _autodiscover_urls(section: Section) -> dict[str, str]:
    urls: dict[str, str] = {}
    for domain, url in section.section("autodiscover_urls").rest().items():
        where = f'{section.where("autodiscover_urls")}."{domain}"'
        try:
            name = _ascii_domain(domain)
        except ValueError as error:
            raise ConfigurationError(f"{where}: {error}") from error
        try:
            check_autodiscover_url(url)
        except ValueError as error:
            # Without the URL, which may hold a password.
            raise ConfigurationError(f"{where}: the URL {error}") from error
        if name in urls:
            raise ConfigurationError(f"{where}: the domain is there twice")
        urls[name] = url
    return urls


def _hosts(section: Section) -> tuple[HostPort, ...]:
    hosts = _each(section, "hosts", lambda text: parse_host_port(text, HTTPS_PORT), required=True)
    return tuple(dict.fromkeys(hosts))


def _certificates(section: Section) -> str:
    text = section.text("ca")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise section.refuse("ca", "holds no certificate in PEM") from error
    return text


def _read_ca_file(path: Path, gateway: dict[str, object], where: str) -> str:
    name = gateway.pop("ca_file")
    if "ca" in gateway:
        raise ConfigurationError(f"{where}.ca_file: give ca_file or ca, not both")
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{where}.ca_file: must be the name of a file")
    try:
        return read_bounded(path.parent / name).decode("ascii")
    except OSError as error:
        raise ConfigurationError(f"{where}.ca_file: {name!r} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{where}.ca_file: {name!r} is no PEM file") from error
    except ValueError as error:  # of a name with a null byte
        raise ConfigurationError(f"{where}.ca_file: {name!r} is no name of a file") from error


def _refuse_overlap(section: Section, gateway: Gateway, earlier: list[Gateway]) -> None:
    for other in earlier:
        if other.name == gateway.name:
            raise section.refuse("name", f"{gateway.name!r} is the name of another gateway")
        for domain in gateway.domains:
            if other.serves_domain(domain):
                raise section.refuse("domains", f"{domain!r} is served by gateway {other.name!r} already")
        for user in sorted(gateway.users & other.users):
            raise section.refuse("users", f"{user!r} is served by gateway {other.name!r} already")
