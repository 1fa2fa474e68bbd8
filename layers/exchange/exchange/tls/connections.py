"""TLS connections to the servers of a gateway: verified, or refused with what is wrong with which certificate."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime
from functools import partial

from exchange.tls.certificate_faults import explain_fault
from exchange.tls.certificates import (
    Certificate,
    CertificateWatch,
    SeenCertificate,
    Verdict,
    presented_chain,
    verified_chain,
)
from exchange.tls.contexts import client_context, looking_context
from exchange.tls.handshake_faults import explain_handshake
from exchange.tls.options import NO_EXCEPTIONS, TlsOptions
from exchange.tls.problems import certificate_invalid
from exchange.web.hosts import HostPort
from exchange.web.network import Network
from exchange.web.sockets import (
    AddressFailed,
    Allowance,
    BoundedTlsSocket,
    at_least_a_moment,
    open_address,
    open_first,
)
from presence.errors import Problem, ProblemError


class TlsClient:
    """Opens verified connections. `ca` is a chain in PEM that is trusted instead of the system's authorities.

    `watch` is told of each certificate that is shown, by the thread that connects.
    """

    def __init__(
        self, ca: str | None, options: TlsOptions = NO_EXCEPTIONS, watch: CertificateWatch | None = None
    ) -> None:
        self.context = client_context(ca, options)
        self._options = options
        self._watch = watch

    def open(self, network: Network, wanted: HostPort, allowance: Allowance) -> ssl.SSLSocket:
        """Connect, and verify the certificate against the host's name (or its IP address).

        Raises `ProblemError`: CertificateInvalid, TlsTooWeak, TlsFailed, and those of `open_first`.
        """
        return open_first(network, wanted, allowance, partial(self._open_at, wanted, allowance))

    def _open_at(self, wanted: HostPort, allowance: Allowance, address: HostPort, at_most: float) -> ssl.SSLSocket:
        """Connect to one address of a host in `at_most` seconds. Raises `AddressFailed` if the next may do better."""
        give_up = time.monotonic() + at_most
        plain = open_address(address, allowance, at_most)
        try:
            plain.settimeout(at_least_a_moment(min(give_up - time.monotonic(), allowance.connect_seconds())))
            secure = self.context.wrap_socket(plain, server_hostname=wanted.host)
        except ssl.SSLCertVerificationError as error:
            raise ProblemError(self._refuse(wanted, address, error, allowance)) from error
        except OSError as error:
            verdict, problem = explain_handshake(wanted.host, error)
            self._tell(SeenCertificate(wanted, verdict))
            fell_silent = isinstance(error, TimeoutError | ConnectionError | ssl.SSLEOFError)
            raise (AddressFailed if fell_silent else ProblemError)(problem) from error
        finally:
            plain.close()
        if isinstance(secure, BoundedTlsSocket):
            secure.allowance = allowance
        if self._watch is not None:
            self._tell(SeenCertificate(wanted, Verdict.VERIFIED, verified_chain(secure)))
        return secure

    def _refuse(
        self, wanted: HostPort, address: HostPort, error: ssl.SSLCertVerificationError, allowance: Allowance
    ) -> Problem:
        """Say what is wrong, with the certificate that the server shows when it is asked a second time."""
        chain = look(wanted, address, self._options, allowance)
        now = datetime.now(UTC)  # by which OpenSSL has judged too
        fault = explain_fault(error.verify_code, error.verify_message, wanted.host, chain, self._options, now)
        self._tell(SeenCertificate(wanted, fault.verdict, chain, fault.what))
        seen = f"; it shows {chain[0].describe()}" if chain else ""
        return certificate_invalid(wanted.host, f"{fault.verdict}, {fault.what}{seen}", fault.remedy)

    def _tell(self, seen: SeenCertificate) -> None:
        if self._watch is not None:
            self._watch(seen)


def look(wanted: HostPort, address: HostPort, options: TlsOptions, allowance: Allowance) -> tuple[Certificate, ...]:
    """Return the certificates that the server at an address sends, its own first; none if it can't be asked.

    The ssl module keeps a refused certificate to itself, so the hands are shaken once more without verifying. The
    connection is closed at once and goes to nobody: nothing is ever sent over it.
    """
    context = looking_context(options)
    try:
        with open_address(address, allowance) as plain:
            plain.settimeout(allowance.connect_seconds())
            with context.wrap_socket(plain, server_hostname=wanted.host) as secure:
                return presented_chain(secure)
    except (OSError, ProblemError):
        return ()
