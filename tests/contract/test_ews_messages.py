"""What this project sends to Exchange and knows of its codes, against Microsoft's schemas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.ews.calendar_folder import PAGE
from exchange.ews.requests import (
    MOST_RECIPIENTS,
    REQUEST_VERSIONS,
    availability_request,
    calendar_folder_request,
    mail_tips_request,
    oof_settings_request,
)
from exchange.ews.response_codes import MEANINGS, NO_ERROR, VERSION_CODES
from exchange.gateways import MOST_MAILBOXES
from exchange.mailbox_access import Access
from presence.calendar import Window
from tests.contract.ews_schemas import requires_schemas, response_codes, validate, validate_header

pytestmark = requires_schemas

NOON = datetime(2026, 11, 21, 12, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, MOST_MAILBOXES])
@pytest.mark.parametrize("version", REQUEST_VERSIONS)
def test_the_request_for_calendars_is_as_the_schema_wants_it(count: int, version: str) -> None:
    addresses = [f"o'neil+{number}@example.com" for number in range(count)]

    request = availability_request(addresses, Window(NOON, NOON + timedelta(hours=24)), version)

    assert validate(request) == "GetUserAvailabilityRequest"


def test_a_request_for_times_alone_is_as_the_schema_wants_it_and_asks_for_no_details() -> None:
    window = Window(NOON, NOON + timedelta(hours=1))
    request = availability_request(["alice@example.com"], window, REQUEST_VERSIONS[0], times_only=True)

    assert validate(request) == "GetUserAvailabilityRequest"
    assert b"Detailed" not in request


@pytest.mark.parametrize("access", [Access.IMPERSONATION, Access.DELEGATE])
@pytest.mark.parametrize("version", REQUEST_VERSIONS)
def test_the_request_for_a_calendar_folder_is_as_the_schema_wants_it(access: Access, version: str) -> None:
    window = Window(NOON, NOON + timedelta(hours=24))
    request = calendar_folder_request("o'neil+1@example.com", window, PAGE, access, version)

    assert validate(request) == "FindItem"
    assert validate_header(request, "RequestServerVersion") == "RequestServerVersion"
    if access is Access.IMPERSONATION:
        assert validate_header(request, "ExchangeImpersonation") == "ExchangeImpersonation"


@pytest.mark.parametrize("count", [1, MOST_RECIPIENTS])
def test_the_request_for_mail_tips_is_as_the_schema_wants_it(count: int) -> None:
    request = mail_tips_request([f"o'neil+{number}@example.com" for number in range(count)])

    assert validate(request) == "GetMailTips"


def test_the_request_for_the_settings_of_an_owner_is_as_the_schema_wants_it() -> None:
    request = oof_settings_request("o'neil+1@example.com")

    assert validate(request) == "GetUserOofSettingsRequest"
    assert validate_header(request, "ExchangeImpersonation") == "ExchangeImpersonation"


def test_every_code_of_the_schema_has_a_meaning_and_none_is_invented() -> None:
    assert set(MEANINGS) == response_codes() - {NO_ERROR}
    assert response_codes() >= VERSION_CODES
