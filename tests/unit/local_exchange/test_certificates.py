from __future__ import annotations

import hashlib
import socket
import ssl
import threading

import pytest
from cryptography import x509

from local.exchange.certificates import CertificateAuthority, HostCertificate

AUTHORITY = CertificateAuthority("Test CA")


def handshake(certificate: HostCertificate, name: str, ca_pem: str) -> bytes:
    """Shake hands as strictly as Python 3.13 does by default, and return the certificate that was seen."""
    context = ssl.create_default_context(cadata=ca_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server_side = certificate.server_context()

        def serve() -> None:
            try:
                with server_side.wrap_socket(theirs, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                pass

        server = threading.Thread(target=serve)
        server.start()
        try:
            with context.wrap_socket(ours, server_hostname=name) as tls:
                return tls.getpeercert(binary_form=True) or b""
        finally:
            ours.close()
            server.join()


@pytest.mark.parametrize("name", ["mail.example.com", "192.0.2.10"])
def test_a_hosts_certificate_passes_strict_verification_for_its_name(name: str) -> None:
    certificate = AUTHORITY.issue(name)
    seen = handshake(certificate, name, AUTHORITY.pem)
    assert hashlib.sha256(seen).digest() == certificate.digest


def test_it_does_not_pass_for_another_name() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(AUTHORITY.issue("mail.example.com"), "mail.example.org", AUTHORITY.pem)


def test_it_does_not_pass_with_another_authority() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(AUTHORITY.issue("mail.example.com"), "mail.example.com", CertificateAuthority("Other").pem)


def test_each_certificate_says_by_which_key_it_was_signed() -> None:
    authority = x509.load_pem_x509_certificate(AUTHORITY.pem.encode())
    host = x509.load_pem_x509_certificate(AUTHORITY.issue("mail.example.com").certificate_pem)
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    for certificate in (authority, host):
        extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        assert extension.value.key_identifier == identifier
