"""The request of GetUserAvailability, built with exchangelib's classes and not sent by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from types import SimpleNamespace

from exchangelib import EWSDateTime
from exchangelib.properties import DaylightTime, FreeBusyViewOptions, MailboxData, StandardTime, TimeWindow, TimeZone
from exchangelib.services import GetUserAvailability
from exchangelib.version import EXCHANGE_2013, Version

from exchange.ews.merged import MERGED_INTERVAL
from presence.calendar import Window

MOST_MAILBOXES = 100
# WorkingElsewhere came with 2013; an older server refuses the version and is asked again with the next.
REQUEST_VERSIONS = ("Exchange2013", "Exchange2007_SP1")
_VIEW = "DetailedMerged"
_SUNDAY = 7


def availability_request(addresses: Sequence[str], window: Window, version: str) -> bytes:
    """Return the SOAP request for the calendars of up to 100 mailboxes, in their order.

    The zone is one without bias, so that times come in UTC. The detailed view is asked for: rights allow at most what
    they allow, and its merged string tells "no data" from "nothing planned".
    """
    change = {"bias": 0, "time": time(0), "occurrence": 1, "iso_month": 1, "weekday": _SUNDAY}
    # The service wants a protocol only for its version and its account to impersonate, of which there is none here.
    service = GetUserAvailability(protocol=SimpleNamespace(version=Version(build=EXCHANGE_2013), credentials=None))
    end = window.end.replace(microsecond=0)
    payload = service.get_payload(
        mailbox_data=[
            MailboxData(email=address, attendee_type="Required", exclude_conflicts=False) for address in addresses
        ],
        timezone=TimeZone(bias=0, standard_time=StandardTime(**change), daylight_time=DaylightTime(**change)),
        free_busy_view_options=FreeBusyViewOptions(
            time_window=TimeWindow(
                start=EWSDateTime.from_datetime(window.start.replace(microsecond=0)),
                end=EWSDateTime.from_datetime(end if end == window.end else end + timedelta(seconds=1)),
            ),
            merged_free_busy_interval=int(MERGED_INTERVAL.total_seconds()) // 60,
            requested_view=_VIEW,
        ),
    )
    return bytes(service.wrap(payload, api_version=version))
