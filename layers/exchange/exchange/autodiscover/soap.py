"""The messages of SOAP autodiscover, GetUserSettings (MS-OXWSADISC): bytes out, bytes in, nothing sent here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

from exchangelib.services import GetUserSettings
from exchangelib.version import EXCHANGE_2010, Version
from lxml import etree

from exchange.autodiscover.answers import (
    AutodiscoverAnswer,
    RedirectUrl,
    Refusal,
    ServiceUrls,
    Settings,
    redirect_address,
)
from exchange.ews.single import only_child, only_text
from exchange.web.bounded_xml import MalformedXml, parse_xml
from presence.errors import CalendarPresenceError, InvalidAddress

MOST_USERS = 100
"""A server refuses more (MaxUsersPerGetUserSettingsRequest of its configuration)."""

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_NAMESPACE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_WHAT = "the answer of GetUserSettings"
_VERSION = "Exchange2010"
_SETTINGS = ("auto_discover_smtp_address", "external_ews_url", "internal_ews_url", "ews_supported_schemas")
_SCHEMA = re.compile(r"Exchange[A-Za-z0-9_]{1,20}")
_MOST_SCHEMAS = 20
NO_ERROR = "NoError"
SERVER_BUSY = "ServerBusy"
# ErrorCode (SOAP), Microsoft's autodiscover web service reference; the two redirections are told apart before.
_CODES = frozenset(
    {
        "InvalidUser",
        "InvalidDomain",
        "InvalidRequest",
        "InvalidSetting",
        "SettingIsNotAvailable",
        "NotFederated",
        "InternalServerError",
        SERVER_BUSY,
    }
)
_OF_ADDRESS = frozenset({"InvalidUser", "InvalidDomain"})
_PASSING = frozenset({"InternalServerError", SERVER_BUSY})


class RefusedWhole(CalendarPresenceError):  # noqa: N818  it is what the server did
    """The service refused the request for all its users. `code` is a code of its own, `unknown`, or `Fault`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"GetUserSettings was refused with {code}")
        self.code = code


def user_settings_request(addresses: Sequence[str], url: str) -> bytes:
    """Return the SOAP request, to the service at `url`, for the settings of up to 100 mailboxes, in their order.

    It is built with exchangelib's class and not sent by it.
    """
    service = GetUserSettings(
        protocol=SimpleNamespace(version=Version(build=EXCHANGE_2010), credentials=None, service_endpoint=url)
    )
    payload = service.get_payload(users=addresses, settings=_SETTINGS)
    return bytes(service.wrap(payload, api_version=_VERSION))


def parse_user_settings(document: bytes, asked: Sequence[str]) -> tuple[AutodiscoverAnswer | None, ...]:
    """Return an answer for each mailbox asked for, in their order; None for one that this answer does not help with.

    Raises `MalformedXml` that says what is missing or wrong: another count than was asked for, above all, or a result
    that names another of the addresses, since results bear no other name. Raises `RefusedWhole`.
    """
    response = _response(document)
    code = _text(response, "ErrorCode")
    if code != NO_ERROR:
        raise RefusedWhole(code if code in _CODES else "unknown")
    users = only_child(response, _tag("UserResponses"))
    results = [] if users is None else list(users)
    if any(result.tag != _tag("UserResponse") for result in results):
        raise MalformedXml(f"{_WHAT} has something else than a UserResponse in its UserResponses")
    if len(results) != len(asked):
        raise MalformedXml(f"{_WHAT} is about {len(results)} mailboxes, and {len(asked)} were asked for")
    others = frozenset(asked)
    answers = []
    for address, result in zip(asked, results, strict=True):
        settings = _settings(result)
        named = settings.get("AutoDiscoverSMTPAddress", "").lower()
        if named != address and named in others:
            raise MalformedXml(f"{_WHAT} is not in the order of the mailboxes asked for")
        answers.append(_parse_user(result, settings))
    return tuple(answers)


def _response(document: bytes) -> etree._Element:
    envelope = parse_xml(document, _WHAT, f"{{{_SOAP}}}Envelope")
    body = only_child(envelope, f"{{{_SOAP}}}Body")
    if body is None or len(body) != 1:
        raise MalformedXml(f"{_WHAT} has no Body with one element")
    if body[0].tag == f"{{{_SOAP}}}Fault":
        raise RefusedWhole("Fault")
    if body[0].tag != _tag("GetUserSettingsResponseMessage"):
        raise MalformedXml(f"{_WHAT} has no GetUserSettingsResponseMessage")
    response = only_child(body[0], _tag("Response"))
    if response is None:
        raise MalformedXml(f"{_WHAT} has no Response")
    return response


def _parse_user(result: etree._Element, settings: Mapping[str, str]) -> AutodiscoverAnswer | None:
    code, target = _text(result, "ErrorCode"), _text(result, "RedirectTarget")
    if code == NO_ERROR:
        return _parse_settings(settings)
    if code == "RedirectUrl":
        return RedirectUrl(target) if target else None
    if code == "RedirectAddress":
        try:
            return redirect_address(target)
        except InvalidAddress:
            return None
    if code not in _CODES:
        return None
    return Refusal(code, of_address=code in _OF_ADDRESS, passing=code in _PASSING)


def _parse_settings(settings: Mapping[str, str]) -> Settings | None:
    external, internal = settings.get("ExternalEwsUrl"), settings.get("InternalEwsUrl")
    if not external and not internal:
        return None
    return Settings(
        external=ServiceUrls(external) if external else None,
        internal=ServiceUrls(internal) if internal else None,
        schemas=_schemas(settings.get("EwsSupportedSchemas", "")),
    )


def _settings(result: etree._Element) -> dict[str, str]:
    """Return the settings of one mailbox that are texts."""
    settings: dict[str, str] = {}
    found = only_child(result, _tag("UserSettings"))
    for setting in [] if found is None else found:
        name = _text(setting, "Name")
        if name in settings:
            raise MalformedXml(f"{_WHAT} has a setting twice")
        if len(setting) == 2:  # noqa: PLR2004  a name and a value; other settings hold lists, and none is asked for
            settings[name] = _text(setting, "Value")
    return settings


def _schemas(text: str) -> tuple[str, ...]:
    """Return the versions in a list with commas, in its order; what is no name of a version is left out."""
    names = [name.strip() for name in text.split(",")]
    return tuple(name for name in names if _SCHEMA.fullmatch(name))[:_MOST_SCHEMAS]


def _text(parent: etree._Element, name: str) -> str:
    return only_text(parent, _tag(name)) or ""


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"
