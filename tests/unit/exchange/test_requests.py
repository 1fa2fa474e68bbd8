from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from exchangelib.properties import MailboxData
from exchangelib.util import create_element, set_xml_value
from exchangelib.version import EXCHANGE_2013, Version
from lxml import etree

from exchange.ews.requests import availability_request
from exchange.gateways import MOST_MAILBOXES
from presence.calendar import Window

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(hours=24))
ARRAY = "{http://schemas.microsoft.com/exchange/services/2006/messages}MailboxDataArray"
UNUSUAL = ("o'neil+1@example.com", "a&b@example.com", "müller@exämple.com", "no\ufffecharacter@example.com")


def as_exchangelib_writes_it(addresses: Sequence[str]) -> str:
    mailboxes = [MailboxData(email=each, attendee_type="Required", exclude_conflicts=False) for each in addresses]
    return canonical(set_xml_value(create_element("m:MailboxDataArray"), mailboxes, Version(build=EXCHANGE_2013)))


def canonical(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n", exclusive=True).decode()


@pytest.mark.parametrize(
    "addresses", [UNUSUAL[:1], UNUSUAL, [f"user{number}@example.com" for number in range(MOST_MAILBOXES)]]
)
def test_mailboxes_are_asked_for_in_their_order_as_exchangelib_would_write_each(addresses: Sequence[str]) -> None:
    request = etree.fromstring(availability_request(addresses, WINDOW, "Exchange2013"))

    assert [canonical(array) for array in request.iter(ARRAY)] == [as_exchangelib_writes_it(addresses)]
