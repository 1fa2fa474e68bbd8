"""Kerberos, where the extra `kerberos` of this layer is installed: a ticket instead of a password.

The ticket comes from the ticket cache or the keytab of the environment (KRB5CCNAME, KRB5_CLIENT_KTNAME); the secret of
the gateway names the account, and no password is sent to anybody.
"""

from __future__ import annotations

import importlib
from typing import Any

from requests import Response
from requests.auth import AuthBase

from exchange.account.problems import kerberos_unusable
from presence.errors import ProblemError


def kerberos_auth(gateway: str, username: str) -> AuthBase:
    """Return what shows an account's ticket to servers, bound to the TLS connection (RFC 5929, section 4).

    Bound because Extended Protection asks for it. Never shown unasked, since the binding is that of the connection over
    which a server asked. A server that proves itself in turn must do so rightly; one that does not is believed for its
    certificate, since IIS proves itself with the first answer of a connection only. What errors say is kept, since
    Retry-After and SOAP faults stand in them. Raises `ProblemError` (KerberosUnusable) if the extra or a ticket is
    missing.
    """
    try:
        gssapi = importlib.import_module("gssapi")
        requests_gssapi = importlib.import_module("requests_gssapi")
    except ImportError as error:
        raise ProblemError(kerberos_unusable(gateway, "its library requests_gssapi is not installed")) from error
    try:
        ticket = gssapi.Credentials(name=gssapi.Name(username, gssapi.NameType.user), usage="initiate")
    except gssapi.exceptions.GSSError as error:
        raise ProblemError(kerberos_unusable(gateway, f"there is no ticket of {username}")) from error
    base: Any = requests_gssapi.HTTPSPNEGOAuth

    class Negotiation(base):  # type: ignore[misc]
        """Says when no ticket for the server could be had, where the library gives the 401 back as if it rejected one.

        And shows a server that rejected a ticket no second one.
        """

        def handle_401(self, response: Response, **options: Any) -> Any:
            return response if "Authorization" in response.request.headers else super().handle_401(response, **options)

        def generate_request_header(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().generate_request_header(*arguments, **options)
            except requests_gssapi.exceptions.SPNEGOExchangeError as error:
                raise PermissionError("no ticket for the server, or no binding to its connection") from error

    negotiation: AuthBase = Negotiation(
        creds=ticket,
        channel_bindings="tls-server-end-point",
        mutual_authentication=requests_gssapi.OPTIONAL,
        opportunistic_auth=False,
        delegate=False,
        sanitize_mutual_error_response=False,
    )
    return negotiation
