"""The gateways document: which Exchange serves which addresses, with which account, and how it is reached.

On disk it is TOML, in ConfigTable JSON, with the same keys. It names secrets, it never holds one.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from exchange.files import load_toml, read_bounded
from exchange.hosts import HTTPS_PORT, HostPort, ascii_host, parse_address_port, parse_host_port
from exchange.tls_options import NO_EXCEPTIONS, TlsOptions, take_tls_options
from presence.addresses import domain_of
from presence.documents import Section
from presence.errors import ConfigurationError, Problem, ProblemError, ProblemKind
from presence.profile_documents import take_profiles
from presence.profiles import BUILT_IN, Profiles

SCHEMA_VERSION = 1
ALL_OTHER_DOMAINS = "*"
_DNS_PORT = 53
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class GatewayKind(StrEnum):
    """How the endpoint of a mailbox is found: by autodiscover, or named by the operator."""

    AUTODISCOVER = "autodiscover"
    EWS = "ews"


class Authentication(StrEnum):
    """How the account proves itself. NTLM carries the channel binding that Extended Protection asks for."""

    NTLM = "ntlm"
    BASIC = "basic"


class RepliesFrom(StrEnum):
    """How it is found out who has automatic replies: asked as a sender, asked in the owner's name, or not at all."""

    MAIL_TIPS = "mail-tips"
    OOF_SETTINGS = "oof-settings"
    OFF = "off"


class DiscoveryStep(StrEnum):
    """The steps of autodiscover, in their order (domain.md, "The client")."""

    ROOT_DOMAIN = "root-domain"
    AUTODISCOVER = "autodiscover"
    HTTP_REDIRECT = "http-redirect"
    SRV = "srv"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How names become addresses.

    `nameservers` replace the system's; `connect` sends a host and port to another address and port, the TLS name
    kept; `allow_loopback` permits targets on this machine and this link (test machines).
    """

    nameservers: tuple[HostPort, ...] = ()
    connect: Mapping[HostPort, HostPort] = field(default_factory=dict)
    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """One way to Exchange, for the addresses of its domains.

    `credentials` is the name of a secret, `ca` a chain in PEM that is trusted instead of the system's,
    `trusted_hosts` may be given credentials though they are not under the user's domain, `hosts` are those of a
    gateway of kind `ews`, in the order of preference, `automatic_replies` how it is asked for them, `tls` what is
    permitted of its servers beyond the usual.
    """

    name: str
    kind: GatewayKind
    domains: tuple[str, ...]
    credentials: str
    authentication: Authentication = Authentication.NTLM
    ca: str | None = field(default=None, repr=False)
    trusted_hosts: frozenset[str] = frozenset()
    skip: frozenset[DiscoveryStep] = frozenset()
    hosts: tuple[HostPort, ...] = ()
    automatic_replies: RepliesFrom = RepliesFrom.MAIL_TIPS
    tls: TlsOptions = NO_EXCEPTIONS


@dataclass(frozen=True, slots=True)
class GatewaysDocument:
    """The whole document."""

    gateways: tuple[Gateway, ...]
    network: NetworkSettings = NetworkSettings()
    profiles: Profiles = BUILT_IN

    def gateway_for(self, address: str) -> Gateway:
        """Return the gateway that serves an SMTP address.

        Raises `ProblemError` (NoGateway, lasting) if no gateway names its domain and none takes all others.
        """
        domain = domain_of(address)
        for wanted in (domain, ALL_OTHER_DOMAINS):
            for gateway in self.gateways:
                if wanted in gateway.domains:
                    return gateway
        raise ProblemError(
            Problem(
                "NoGateway",
                ProblemKind.LASTING,
                f"no gateway serves {domain}, the domain of {address}",
                f'add "{domain}" to the domains of a gateway in the gateways document',
            )
        )


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
    nameservers = []
    for index, text in enumerate(section.texts("nameservers")):
        try:
            nameservers.append(parse_address_port(text, _DNS_PORT))
        except ValueError as error:
            raise ConfigurationError(f"{section.where('nameservers')}[{index}]: {error}") from error
    table = section.section("connect")
    connect = {}
    for key, value in table.rest().items():
        try:
            connect[parse_host_port(key)] = parse_address_port(value)
        except ValueError as error:
            raise ConfigurationError(f'{section.where("connect")}."{key}": {error}') from error
    allow_loopback = section.flag("allow_loopback", default=False)
    section.finish()
    return NetworkSettings(tuple(nameservers), connect, allow_loopback)


def _gateway(section: Section) -> Gateway:
    kind = section.choice("kind", GatewayKind)
    gateway = Gateway(
        name=_reference(section, "name"),
        kind=kind,
        domains=_domains(section),
        credentials=_reference(section, "credentials"),
        authentication=section.choice("auth", Authentication, Authentication.NTLM),
        ca=_certificates(section) if section.has("ca") else None,
        trusted_hosts=_trusted_hosts(section) if kind is GatewayKind.AUTODISCOVER else frozenset(),
        skip=_skip(section) if kind is GatewayKind.AUTODISCOVER else frozenset(),
        hosts=_hosts(section) if kind is GatewayKind.EWS else (),
        automatic_replies=section.choice("automatic_replies", RepliesFrom, RepliesFrom.MAIL_TIPS),
        tls=take_tls_options(section),
    )
    section.finish()
    return gateway


def _reference(section: Section, key: str) -> str:
    """Read a name that also becomes part of a file's, a secret's and a table key's name."""
    text = section.text(key)
    if not _REFERENCE.fullmatch(text):
        raise section.refuse(key, "must be letters, digits, and . _ - only, starting with a letter or digit")
    return text


def _domains(section: Section) -> tuple[str, ...]:
    domains = []
    for index, text in enumerate(section.texts("domains", required=True)):
        domain = text.lower()
        try:
            if domain != ALL_OTHER_DOMAINS:
                ascii_host(domain)
        except ValueError as error:
            raise ConfigurationError(f"{section.where('domains')}[{index}]: {text!r} is no domain") from error
        domains.append(domain)
    return tuple(domains)


def _trusted_hosts(section: Section) -> frozenset[str]:
    hosts = set()
    for index, text in enumerate(section.texts("trusted_hosts")):
        try:
            hosts.add(ascii_host(text))
        except ValueError as error:
            raise ConfigurationError(f"{section.where('trusted_hosts')}[{index}]: {error}") from error
    return frozenset(hosts)


def _skip(section: Section) -> frozenset[DiscoveryStep]:
    steps = set()
    for index, text in enumerate(section.texts("skip")):
        try:
            steps.add(DiscoveryStep(text))
        except ValueError as error:
            known = ", ".join(DiscoveryStep)
            raise ConfigurationError(f"{section.where('skip')}[{index}]: {text!r} is no step; use {known}") from error
    if steps == set(DiscoveryStep):
        raise section.refuse("skip", "leaves no step of autodiscover")
    return frozenset(steps)


def _hosts(section: Section) -> tuple[HostPort, ...]:
    hosts = []
    for index, text in enumerate(section.texts("hosts", required=True)):
        try:
            hosts.append(parse_host_port(text, HTTPS_PORT))
        except ValueError as error:
            raise ConfigurationError(f"{section.where('hosts')}[{index}]: {error}") from error
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
            if domain in other.domains:
                raise section.refuse("domains", f"{domain!r} is served by gateway {other.name!r} already")
