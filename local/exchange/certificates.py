"""Certificate authorities of simulated organisations: certificates that pass strict verification, or fail as asked."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=90)
# Clocks of two machines differ; a certificate made just now must be good already.
BACKDATED = timedelta(days=1)
_HASH = hashes.SHA256()
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Shape:
    """How a certificate differs from a good one.

    `common_name` stands in the subject instead of the first name, `alternative_names` and `key_identifiers` (AKI and
    SKI, RFC 5280 section 4.2.1) may be left out, `rsa_bits` asks for a key of RSA, `begins` and `ends` are instants,
    `critical` are further extensions. Of an authority: whether it `may_issue`, and the `path_length` below it.
    """

    common_name: str | None = None
    alternative_names: bool = True
    key_identifiers: bool = True
    for_servers: bool = True
    rsa_bits: int | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    critical: tuple[x509.ExtensionType, ...] = ()
    may_issue: bool = True
    path_length: int | None = None


GOOD = Shape()


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """A host's certificate and private key, both PEM, and the SHA-256 digest of the certificate's DER form.

    `chain_pem` is what the host sends after its own certificate: intermediates, if it is set up well.
    """

    certificate_pem: bytes
    key_pem: bytes
    digest: bytes
    chain_pem: bytes = b""

    def server_context(self, *, ciphers: str = "") -> ssl.SSLContext:
        """Return a TLS server context (1.2 or newer) that shows this certificate; `ciphers` as OpenSSL writes them."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ciphers:
            context.set_ciphers(ciphers)
        # The ssl module reads certificates from files only.
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # which nobody else may read
            file.write(self.key_pem + self.certificate_pem + self.chain_pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context


class CertificateAuthority:
    """A private CA. Its certificates carry the key identifiers (AKI, SKI) that RFC 5280 section 4.2.1 asks for.

    Python 3.13 refuses a chain without them. Elliptic-curve keys are made in no time, so the simulator starts quickly.
    With an `issuer` it is an intermediate, else a root. `now` is when it issues what it issues, itself included.
    """

    def __init__(
        self,
        name: str,
        now: datetime | None = None,
        *,
        issuer: CertificateAuthority | None = None,
        shape: Shape = GOOD,
    ) -> None:
        self._now = now or datetime.now(UTC)
        self._issuer = issuer
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        builder = (
            signer._builder(self._subject, self._key.public_key(), shape)  # noqa: SLF001  of the same class
            .add_extension(x509.BasicConstraints(ca=shape.may_issue, path_length=shape.path_length), critical=True)
            .add_extension(_key_usage(signs_certificates=shape.may_issue), critical=True)
        )
        self._certificate = builder.sign(signer._key, _HASH)  # noqa: SLF001  of the same class

    @property
    def pem(self) -> str:
        """The CA's certificate, for whoever is to trust it."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, *names: str, shape: Shape = GOOD, sends: tuple[CertificateAuthority, ...] = ()) -> HostCertificate:
        """Return a certificate whose subject alternative names are these host names and IP addresses.

        `sends` are the authorities whose certificates the host sends along, the next one first.
        """
        key = _new_key(shape)
        builder = _of_host(self._builder(_subject(names, shape), key.public_key(), shape), names, shape)
        return _host_certificate(builder.sign(self._key, _HASH), key, "".join(each.pem for each in sends))

    def _builder(self, subject: x509.Name, public_key: _PublicKey, shape: Shape) -> x509.CertificateBuilder:
        builder = _dated(subject, self._subject, public_key, shape, self._now)
        if not shape.key_identifiers:
            return builder
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
        ).add_extension(ours, critical=False)


def self_signed(*names: str, shape: Shape = GOOD, now: datetime | None = None) -> HostCertificate:
    """Return a certificate that a host has made for itself, as Exchange does when it is set up."""
    key = _new_key(shape)
    subject = _subject(names, shape)
    builder = _dated(subject, subject, key.public_key(), shape, now or datetime.now(UTC))
    if shape.key_identifiers:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(own, critical=False)
    return _host_certificate(_of_host(builder, names, shape).sign(key, _HASH), key, "")


def is_address(name: str) -> bool:
    """Tell whether a host's name is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _new_key(shape: Shape) -> _Key:
    if shape.rsa_bits is None:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=shape.rsa_bits)


def _subject(names: tuple[str, ...], shape: Shape) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shape.common_name or names[0])])


def _dated(
    subject: x509.Name, issuer: x509.Name, public_key: _PublicKey, shape: Shape, now: datetime
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(shape.begins or now - BACKDATED)
        .not_valid_after(shape.ends or now + LIFETIME)
    )
    for extension in shape.critical:
        builder = builder.add_extension(extension, critical=True)
    return builder


def _of_host(builder: x509.CertificateBuilder, names: tuple[str, ...], shape: Shape) -> x509.CertificateBuilder:
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if shape.for_servers else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if not shape.alternative_names:
        return builder
    return builder.add_extension(
        x509.SubjectAlternativeName([_alternative_name(name) for name in names]), critical=False
    )


def _host_certificate(certificate: x509.Certificate, key: _Key, chain_pem: str) -> HostCertificate:
    return HostCertificate(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        digest=certificate.fingerprint(hashes.SHA256()),
        chain_pem=chain_pem.encode(),
    )


def _alternative_name(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if is_address(name) else x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
