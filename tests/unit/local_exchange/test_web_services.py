from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from local.exchange.network import Host, Network
from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    Access,
    BusyStatus,
    Entry,
    Mailbox,
    Organisation,
    Recurrence,
    TimeForm,
    all_day,
)
from local.exchange.server import SimulatedExchange
from local.exchange.soap import SoapFaultError, fault
from tests.unit.local_exchange.client import (
    UTC_ZONE,
    availability,
    basic,
    envelope,
    find,
    mail_tips,
    oof_settings,
    post,
    session,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
ALICE = "alice@example.com"
TIMES_ONLY = "tim@example.com"
SILENT = "silent@example.com"
URL = "https://mail.example.com/EWS/Exchange.asmx"
EVENT = "//t:CalendarEvent"


class Asking:
    """An organisation of three, and one who asks its server."""

    def __init__(self) -> None:
        self.organisation = Organisation(
            [
                Mailbox(ALICE, "Alice", TOKYO, access=Access.DETAILED, aliases=("a@example.com",)),
                Mailbox(TIMES_ONLY, "Tim", TOKYO, time_form=TimeForm.OFFSET),
                Mailbox(SILENT, "Silent", TOKYO, access=Access.NONE),
                Mailbox("other@example.org", "Other", TOKYO),
            ]
        )
        host = Host("mail.example.com", accounts=("exchange-reader",), mailboxes=frozenset({"example.com"}))
        self.exchange = SimulatedExchange(self.organisation, Network((host,)), clock=lambda: START)

    def ask(self, body: str | bytes) -> requests.Response:
        with session(self.exchange, basic(self.exchange.accounts["exchange-reader"])) as made:
            return post(made, URL, body)

    def events(
        self, address: str = ALICE, start: datetime = START, end: datetime = START + 24 * HOUR
    ) -> list[tuple[str, str, str]]:
        answer = self.ask(availability([address], start, end))
        return [
            (
                texts(answer, "//t:StartTime")[number],
                texts(answer, "//t:EndTime")[number],
                texts(answer, "//t:BusyType")[number],
            )
            for number in range(len(find(answer, EVENT)))
        ]


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking()
    with made.exchange:
        yield made


def fault_code(answer: requests.Response) -> str:
    assert answer.status_code == 500
    codes = {
        texts(answer, "//faultcode")[0].partition(":")[2],
        *texts(answer, "//e:ResponseCode"),
    }
    assert len(codes) == 1
    return codes.pop()


def test_each_mailbox_has_its_answer_in_the_order_of_the_request(asking: Asking) -> None:
    asking.organisation.change_mailbox(TIMES_ONLY, problem="ErrorMailboxMoveInProgress")
    addresses = ["nobody@example.com", ALICE, SILENT, "other@example.org", TIMES_ONLY, "A@EXAMPLE.COM", "no address"]
    answer = asking.ask(availability(addresses, START, START + HOUR))
    assert answer.status_code == 200
    assert texts(answer, "//m:FreeBusyResponse/m:ResponseMessage/m:ResponseCode") == [
        "ErrorMailRecipientNotFound",
        "NoError",
        "ErrorNoFreeBusyAccess",
        "ErrorMailRecipientNotFound",
        "ErrorMailboxMoveInProgress",
        "NoError",
        "ErrorMailRecipientNotFound",
    ]
    assert len(find(answer, "//m:FreeBusyResponse[m:ResponseMessage/m:ResponseCode='NoError']/m:FreeBusyView")) == 2
    assert len(find(answer, "//m:FreeBusyView")) == 2
    assert asking.exchange.requests.of("GetUserAvailability")[0].mailboxes == 7


@pytest.mark.parametrize("status", BusyStatus)
def test_every_status_comes_as_it_stands_in_the_calendar(asking: Asking, status: BusyStatus) -> None:
    asking.organisation.add(ALICE, Entry(START, START + HOUR, status))
    assert asking.events() == [("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z", status.value)]


def test_overlapping_nested_and_back_to_back_entries_all_come_ordered_by_start(asking: Asking) -> None:
    for begins, ends in ((2, 3), (0, 4), (1, 2), (3, 5)):
        asking.organisation.add(ALICE, Entry(START + begins * HOUR, START + ends * HOUR))
    assert [(begins[11:13], ends[11:13]) for begins, ends, _ in asking.events()] == [
        ("09", "13"),
        ("10", "11"),
        ("11", "12"),
        ("12", "14"),
    ]


def test_recurring_entries_come_expanded_and_whole_even_where_the_window_cuts_them(asking: Asking) -> None:
    first = START - 10 * timedelta(days=1)
    asking.organisation.add(ALICE, Entry(first, first + 2 * HOUR, recurrence=Recurrence()))
    found = asking.events(start=START + HOUR, end=START + 25 * HOUR)
    assert [begins for begins, _, _ in found] == ["2026-11-23T09:00:00Z", "2026-11-24T09:00:00Z"]


def test_an_all_day_entry_of_tokyo_comes_as_fifteen_to_fifteen_hours_utc(asking: Asking) -> None:
    begins, ends = all_day(TOKYO, date(2026, 11, 24))
    asking.organisation.add(ALICE, Entry(begins, ends, BusyStatus.OUT_OF_OFFICE))
    assert asking.events() == [("2026-11-23T15:00:00Z", "2026-11-24T15:00:00Z", "OOF")]


def test_a_mailbox_that_writes_offsets_writes_those_of_its_zone(asking: Asking) -> None:
    asking.organisation.add(TIMES_ONLY, Entry(START, START + HOUR))
    assert asking.events(TIMES_ONLY) == [("2026-11-23T18:00:00+09:00", "2026-11-23T19:00:00+09:00", "Busy")]


def test_what_is_changed_while_it_runs_is_answered_at_once(asking: Asking) -> None:
    assert asking.events() == []
    entry_id = asking.organisation.add(ALICE, Entry(START, START + HOUR))
    assert len(asking.events()) == 1
    asking.organisation.change(ALICE, entry_id, end=START + 2 * HOUR)
    assert asking.events()[0][1] == "2026-11-23T11:00:00Z"
    asking.organisation.remove(ALICE, entry_id)
    assert asking.events() == []


def test_details_come_with_detailed_rights_only(asking: Asking) -> None:
    for address in (ALICE, TIMES_ONLY):
        asking.organisation.add(
            address, Entry(START, START + HOUR, is_meeting=False, is_private=True, subject=f"{SUBJECT_CANARY} <&>")
        )
    answer = asking.ask(availability([ALICE, TIMES_ONLY], START, START + HOUR, "DetailedMerged"))
    assert texts(answer, "//t:FreeBusyViewType") == ["DetailedMerged", "FreeBusyMerged"]
    assert texts(answer, "//t:Subject") == [f"{SUBJECT_CANARY} <&>"]
    assert texts(answer, "//t:Location") == [LOCATION_CANARY]
    flags = {name: texts(answer, f"//t:{name}") for name in ("IsMeeting", "IsRecurring", "IsPrivate")}
    assert flags == {"IsMeeting": ["false"], "IsRecurring": ["false"], "IsPrivate": ["true"]}


@pytest.mark.parametrize(
    ("view", "merged", "events"),
    [("FreeBusy", 0, 1), ("FreeBusyMerged", 1, 1), ("MergedOnly", 1, 0), ("Detailed", 0, 1), ("DetailedMerged", 1, 1)],
)
def test_each_view_has_what_it_names(asking: Asking, view: str, merged: int, events: int) -> None:
    answer = asking.ask(availability([ALICE], START, START + HOUR, view))
    assert texts(answer, "//t:FreeBusyViewType") == [view]
    assert len(find(answer, "//t:MergedFreeBusy")) == merged
    assert len(find(answer, "//t:CalendarEventArray")) == events
    assert len(find(answer, "//t:WorkingHours")) == events


def test_the_merged_view_has_a_digit_for_each_interval_and_the_strongest_status_wins(asking: Asking) -> None:
    for begins, ends, status in (
        (0, 2, BusyStatus.BUSY),
        (1, 2, BusyStatus.TENTATIVE),
        (3, 4, BusyStatus.OUT_OF_OFFICE),
        (3, 4, BusyStatus.BUSY),
        (4, 5, BusyStatus.WORKING_ELSEWHERE),
        (5, 6, BusyStatus.FREE),
        (6, 7, BusyStatus.NO_DATA),
        (7, 8, BusyStatus.TENTATIVE),
    ):
        asking.organisation.add(ALICE, Entry(START + begins * HOUR, START + ends * HOUR, status))
    answer = asking.ask(availability([ALICE], START, START + 8 * HOUR + HOUR / 2, "MergedOnly", interval=60))
    assert texts(answer, "//t:MergedFreeBusy") == ["220340410"]


def test_working_hours_carry_the_zone_of_the_mailbox(asking: Asking) -> None:
    answer = asking.ask(availability([ALICE], START, START + HOUR))
    assert texts(answer, "//t:WorkingHours/t:TimeZone/t:Bias") == ["-540"]
    assert texts(answer, "//t:WorkingPeriod/t:DayOfWeek") == ["Monday Tuesday Wednesday Thursday Friday"]


def test_a_mailbox_may_tell_no_working_hours(asking: Asking) -> None:
    asking.organisation.change_mailbox(ALICE, tells_working_hours=False)
    answer = asking.ask(availability([ALICE, TIMES_ONLY], START, START + HOUR))
    assert len(find(answer, "//t:WorkingHours")) == 1
    assert texts(answer, "//m:ResponseCode") == ["NoError", "NoError"]


@pytest.mark.parametrize(("view", "merged"), [("MergedOnly", 1), ("None", 0), ("FreeBusy", 0)])
def test_a_mailbox_may_give_another_view_than_was_asked_for(asking: Asking, view: str, merged: int) -> None:
    asking.organisation.change_mailbox(ALICE, view=view)
    answer = asking.ask(availability([ALICE, TIMES_ONLY], START, START + HOUR, "DetailedMerged"))
    assert texts(answer, "//t:FreeBusyViewType") == [view, "FreeBusyMerged"]
    assert len(find(answer, "//t:MergedFreeBusy")) == merged + 1
    assert len(find(answer, "//t:CalendarEventArray")) == 1 + (view == "FreeBusy")


def test_a_mailbox_may_ask_for_patience(asking: Asking) -> None:
    asking.organisation.change_mailbox(ALICE, problem="ErrorServerBusy", back_off=41500)
    answer = asking.ask(availability([ALICE, TIMES_ONLY], START, START + HOUR))
    assert texts(answer, "//m:ResponseCode") == ["ErrorServerBusy", "NoError"]
    assert texts(answer, "//m:MessageXml/t:Value[@Name='BackOffMilliseconds']") == ["41500"]


def test_a_fault_may_ask_for_patience() -> None:
    busy = fault(SoapFaultError("ErrorServerBusy", "The server is busy.", back_off=297749))
    assert busy.status == 500
    assert texts(busy.body, "//detail/e:ResponseCode") == ["ErrorServerBusy"]
    assert texts(busy.body, "//detail/t:MessageXml/t:Value[@Name='BackOffMilliseconds']") == ["297749"]
    assert b"BackOff" not in fault(SoapFaultError("ErrorServerBusy", "The server is busy.")).body


BERLIN_ZONE = (
    "<t:TimeZone><t:Bias>-60</t:Bias><t:StandardTime><t:Bias>0</t:Bias><t:Time>03:00:00</t:Time>"
    "<t:DayOrder>5</t:DayOrder><t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek></t:StandardTime>"
    "<t:DaylightTime><t:Bias>-60</t:Bias><t:Time>02:00:00</t:Time><t:DayOrder>5</t:DayOrder><t:Month>3</t:Month>"
    "<t:DayOfWeek>Sunday</t:DayOfWeek></t:DaylightTime></t:TimeZone>"
)


@pytest.mark.parametrize(
    ("begins", "ends", "zone"),
    [
        ("2026-11-23T10:00:00", "2026-11-23T10:30:00", BERLIN_ZONE),
        ("2026-11-23T10:00:00+01:00", "2026-11-23T09:30:00Z", BERLIN_ZONE),
        ("2026-11-23T09:00:00", "2026-11-23T09:30:00", UTC_ZONE),
    ],
    ids=["no zone: the request's", "with zones", "no zone: UTC"],
)
def test_the_window_is_understood_in_the_zone_of_the_request(asking: Asking, begins: str, ends: str, zone: str) -> None:
    asking.organisation.add(ALICE, Entry(START - HOUR, START))
    asking.organisation.add(ALICE, Entry(START + HOUR / 4, START + HOUR))
    asking.organisation.add(ALICE, Entry(START + HOUR / 2, START + HOUR))
    answer = asking.ask(availability([ALICE], begins, ends, zone=zone))
    assert texts(answer, "//t:StartTime") == ["2026-11-23T09:15:00Z"]


WHOLE = {"addresses": [ALICE], "start": START, "end": START + HOUR}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"addresses": [f"u{number}@example.com" for number in range(101)]}, "ErrorMailboxDataArrayTooBig"),
        ({"addresses": []}, "ErrorMailboxDataArrayEmpty"),
        ({"end": START + timedelta(days=62, seconds=1)}, "ErrorTimeIntervalTooBig"),
        ({"end": START}, "ErrorInvalidTimeInterval"),
        ({"interval": 4}, "ErrorInvalidMergedFreeBusyInterval"),
        ({"interval": 1441}, "ErrorInvalidMergedFreeBusyInterval"),
        ({"view": "None"}, "ErrorInvalidFreeBusyViewType"),
        ({"view": "Everything"}, "ErrorSchemaValidation"),
        ({"start": "yesterday"}, "ErrorSchemaValidation"),
        ({"start": "2026-02-30T09:00:00Z"}, "ErrorSchemaValidation"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "ErrorInvalidTimeInterval"),
        ({"start": "9999-12-30T00:00:00Z", "end": "9999-12-31T23:59:59-14:00"}, "ErrorInvalidTimeInterval"),
        ({"zone": ""}, "ErrorTimeZone"),
        ({"zone": UTC_ZONE.replace("<t:Bias>0", f"<t:Bias>{10**12}", 1)}, "ErrorTimeZone"),
        ({"zone": UTC_ZONE.replace("<t:Month>0", "<t:Month>13")}, "ErrorTimeZone"),
        ({"zone": UTC_ZONE.replace("00:00:00", "25:00")}, "ErrorSchemaValidation"),
    ],
)
def test_a_request_beyond_the_limits_is_refused_whole(asking: Asking, changed: dict[str, object], code: str) -> None:
    answer = asking.ask(availability(**{**WHOLE, **changed}))  # type: ignore[arg-type]  # a table of arguments
    assert fault_code(answer) == code


def test_a_hundred_mailboxes_and_sixty_two_days_are_allowed(asking: Asking) -> None:
    addresses = [f"u{number}@example.com" for number in range(100)]
    answer = asking.ask(availability(addresses, START, START + timedelta(days=62)))
    assert len(find(answer, "//m:FreeBusyResponse")) == 100


GOOD = availability([ALICE], START, START + HOUR)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not XML",
        GOOD[:-30],
        "<html/>",
        envelope(""),
        envelope("<m:GetUserOofSettingsRequest/><m:GetUserOofSettingsRequest/>"),
        GOOD.replace("<s:Envelope", "<!DOCTYPE Envelope []><s:Envelope", 1),
        GOOD.replace("<s:Envelope", "<!DOCTYPE x [<!ENTITY y 'z'>]><s:Envelope", 1).replace("Required", "&y;"),
        GOOD.replace("<t:Email>", "<t:Mail>").replace("</t:Email>", "</t:Mail>"),
        GOOD.replace("<t:AttendeeType>Required</t:AttendeeType>", ""),
        GOOD.replace("Required", "Bystander"),
        GOOD.replace("</m:MailboxDataArray>", "<t:Extra/></m:MailboxDataArray>"),
        GOOD.replace("</m:GetUserAvailabilityRequest>", "<m:Extra/></m:GetUserAvailabilityRequest>"),
        GOOD.replace("<m:MailboxDataArray>", "<m:MailboxDataArray>text"),
        GOOD.replace("<t:MailboxData>", "<m:MailboxData>").replace("</t:MailboxData>", "</m:MailboxData>"),
        GOOD.replace("<t:Bias>0</t:Bias>", "<t:Bias>none</t:Bias>", 1),
        mail_tips([ALICE], "Weather"),
        oof_settings(ALICE).replace("t:Mailbox", "m:Mailbox"),
    ],
)
def test_a_malformed_request_gets_a_fault(asking: Asking, body: str) -> None:
    assert fault_code(asking.ask(body.replace('<?xml version="1.0" encoding="utf-8"?>', ""))) == "ErrorSchemaValidation"


def test_another_operation_another_version_and_another_header_get_a_fault(asking: Asking) -> None:
    version = '<t:RequestServerVersion Version="{}"/>'
    request = GOOD[GOOD.index("<m:GetUser") : GOOD.index("</s:Body>")]
    assert fault_code(asking.ask(envelope("<m:FindItem/>"))) == "ErrorInvalidRequest"
    assert fault_code(asking.ask(envelope(request, version.format("Exchange5")))) == "ErrorInvalidServerVersion"
    assert fault_code(asking.ask(envelope(request, '<t:X s:mustUnderstand="1"/>'))) == "ErrorInvalidRequest"
    assert asking.ask(envelope(request, version.format("Exchange2010"))).status_code == 200


def test_only_xml_is_read(asking: Asking) -> None:
    with session(asking.exchange, basic(asking.exchange.accounts["exchange-reader"])) as made:
        assert made.post(URL, data=GOOD, headers={"Content-Type": "application/json"}, timeout=5).status_code == 415
        assert made.get(URL, timeout=5).status_code == 405
