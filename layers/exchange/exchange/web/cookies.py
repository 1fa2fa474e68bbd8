"""Cookies for load balancers, which lead the next request to the server that answered the last one (cookie affinity).

Exchange 2007 and 2010 need that behind a balancer: NTLM is a talk with one server. They are kept in memory for as long
as the connections of one read, and go back to the host and port that set them, whatever domain they name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import urlsplit

import requests.cookies
import urllib3

_MOST_CHARACTERS = 8192
"""Of all cookies of a host; IIS refuses a request with more than 16 KiB of headers."""


# The stubs give them no types.
_header_from = cast("Callable[[CookieJar, requests.PreparedRequest], str | None]", requests.cookies.get_cookie_header)
_extract = cast(
    "Callable[[CookieJar, requests.PreparedRequest, urllib3.BaseHTTPResponse], None]",
    requests.cookies.extract_cookies_to_jar,
)


class NoCookies(DefaultCookiePolicy):
    """The policy of a jar that stays empty: that of `requests`, which shares cookies among the hosts of a domain."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:  # noqa: ARG002  the signature of http.cookiejar
        """Return False: none is kept."""
        return False


class HostCookies:
    """The cookies of each scheme, host and port, apart from each other."""

    def __init__(self) -> None:
        self._jars: defaultdict[tuple[str, str], CookieJar] = defaultdict(CookieJar)

    def put_on(self, request: requests.PreparedRequest) -> None:
        """Let a request carry the cookies that its host has set, and no other."""
        request.headers.pop("Cookie", None)
        header = _header_from(self._jar(request), request)
        if header and len(header) <= _MOST_CHARACTERS:
            request.headers["Cookie"] = header

    def take_from(self, request: requests.PreparedRequest, answer: urllib3.BaseHTTPResponse) -> None:
        """Keep the cookies of the answer to a request."""
        _extract(self._jar(request), request, answer)

    def _jar(self, request: requests.PreparedRequest) -> CookieJar:
        parts = urlsplit(str(request.url))
        return self._jars[parts.scheme, parts.netloc]
