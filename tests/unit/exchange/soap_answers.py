"""Answers of SOAP autodiscover, right and wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

from local.exchange.kept_host import Respond, http

AUTODISCOVER = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
SOAP_PATH = b"/autodiscover/autodiscover.svc"


def settings_of_user(address: str, *, external: str = "", internal: str = "", **more: str) -> str:
    """Return the UserResponse of a mailbox that is there."""
    values = {"AutoDiscoverSMTPAddress": address, "ExternalEwsUrl": external, "InternalEwsUrl": internal, **more}
    settings = "".join(
        f'<UserSetting i:type="StringSetting"><Name>{name}</Name><Value>{value}</Value></UserSetting>'
        for name, value in values.items()
        if value
    )
    return _user("NoError", inside=f"<UserSettings>{settings}</UserSettings>")


def refused_user(code: str, target: str | None = None) -> str:
    """Return the UserResponse of an error code, or of a redirection to a target."""
    return _user(code, target=target)


def _user(code: str, *, target: str | None = None, inside: str = "<UserSettings/>") -> str:
    redirect = '<RedirectTarget i:nil="true"/>' if target is None else f"<RedirectTarget>{target}</RedirectTarget>"
    return (
        f"<UserResponse><ErrorCode>{code}</ErrorCode><ErrorMessage>Text.</ErrorMessage>{redirect}"
        f"<UserSettingErrors/>{inside}</UserResponse>"
    )


def user_settings(*users: str, code: str = "NoError") -> bytes:
    """Return a whole answer of GetUserSettings."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<s:Body><GetUserSettingsResponseMessage xmlns="{AUTODISCOVER}"><Response '
        f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><ErrorCode>{code}</ErrorCode><ErrorMessage/>'
        f"<UserResponses>{''.join(users)}</UserResponses></Response></GetUserSettingsResponseMessage></s:Body>"
        "</s:Envelope>"
    ).encode()


def users_asked(request: bytes) -> list[str]:
    """Return the addresses in a request of GetUserSettings."""
    return [found.decode() for found in re.findall(rb"<a:Mailbox>([^<]*)</a:Mailbox>", request)]


def is_soap(request: bytes) -> bool:
    """Tell whether a request is one of SOAP autodiscover."""
    return request.split(b" ", 2)[1].lower() == SOAP_PATH


def service(of_user: Callable[[str], str], pox: Respond | None = None) -> Respond:
    """Answer as a service that speaks both: `of_user` makes the UserResponse of an address, `pox` the answer in POX.

    Without `pox` nobody is told anything in POX.
    """

    def respond(request: bytes) -> bytes | None:
        if is_soap(request):
            return http(200, user_settings(*map(of_user, users_asked(request))))
        return http(404) if pox is None else pox(request)

    return respond
