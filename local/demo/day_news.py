"""What happened to each person of a simulated day, from the simulated Exchange's side: its log and its calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from local.demo.day_expectations import News, Observation, Switched
from local.demo.expectations import Snapshot
from local.demo.oracle import Entry, Replies
from local.exchange.http_messages import LoggedRequest
from local.exchange.organisation import Organisation

_CALENDARS = "GetUserAvailability"
_MAIL_TIPS = "GetMailTips"
_REPLIES = frozenset({_MAIL_TIPS, "GetUserOofSettings"})
_ANSWERED = 200
_SERVERS_OWN_ERROR = 500
LONGEST_WITHOUT_ASKING = timedelta(minutes=5, seconds=10)
"""A check interval, and the time that a schedule and a queue take."""
_AFTER_A_WAIT = timedelta(seconds=15)
"""What may pass after the end of a wait that a host asked for: those who waited come back one after the other."""
_TOGETHER = timedelta(seconds=5)
"""Requests so close to each other were under way at the same time: none knows what the other was told."""


class RepliesWitness:
    """Remembers whether automatic replies of a mailbox were switched on or scheduled, from when on."""

    def __init__(self, organisation: Organisation, start: datetime) -> None:
        self._organisation = organisation
        self._settings = {each.address: [(start, each.out_of_office)] for each in organisation.mailboxes()}

    def look(self, address: str, now: datetime) -> None:
        """Write down how the settings of a mailbox stand now."""
        mailbox = self._organisation.mailbox(address)
        if mailbox is not None:
            self._settings[mailbox.address].append((now, mailbox.out_of_office))

    def told(self, address: str, instant: datetime, operation: str) -> Replies | None:
        """Return what a client is told at an instant: the settings or, by MailTips, only replies that go out then."""
        settings = [found for at, found in self._settings.get(address, []) if at <= instant]
        last = settings[-1] if settings else None
        if last is None or (operation == _MAIL_TIPS and not last.active_at(instant)):
            return None
        return Replies(last.start, last.end)


def observations(
    log: Iterable[LoggedRequest],
    histories: Mapping[str, tuple[Snapshot, ...]],
    replies: RepliesWitness,
    failing_hosts: Mapping[str, str],
) -> dict[str, list[Observation]]:
    """Return by address what Exchange was asked about, in order of time.

    A host that fails answers no request for the mailboxes of its domain, which `failing_hosts` names.
    """
    calendars: defaultdict[str, dict[datetime, bool]] = defaultdict(dict)
    told: dict[tuple[str, datetime], str] = {}
    for request in log:
        if request.operation == _CALENDARS:
            for address in request.addresses:
                calendars[address.lower()][request.at] = True
        elif request.operation in _REPLIES and request.status == _ANSWERED:
            told.update(((address.lower(), request.at), request.operation) for address in request.addresses)
        elif request.host in failing_hosts and request.operation is None and _failed(request):
            for address in _of_domain(histories, failing_hosts[request.host]):
                calendars[address].setdefault(request.at, False)
    return {
        address: [
            Observation(
                at,
                _entries_at(history, at) if answered else None,
                (address, at) in told,
                replies.told(address, at, told[address, at]) if (address, at) in told else None,
            )
            for at, answered in sorted(calendars[address].items())
        ]
        for address, history in histories.items()
    }


def in_order(found: Sequence[Observation], others: Sequence[News]) -> list[News]:
    """Return all news of a person in order of time."""
    news: list[News] = [*found, *others]
    return sorted(news, key=lambda each: each.at)


def silences(news: Sequence[News], start: datetime, closes: datetime, wait: timedelta = timedelta()) -> list[str]:
    """Return in words for how long Exchange was not asked about a person though it was their turn.

    Whose calendar is switched off has no turn, and nobody has one for as long as their host asks to be left alone when
    it fails (`wait`); that somebody is asked for all the same is told too.
    """
    instants = [start]
    found = []
    off = failed = False
    for at, each in [*((each.at, each) for each in news), (closes, None)]:
        if isinstance(each, Observation | Switched) or each is None:
            silence = at - instants[-1]
            longest = max(LONGEST_WITHOUT_ASKING, wait + _AFTER_A_WAIT) if failed else LONGEST_WITHOUT_ASKING
            if not off and silence > longest:
                found.append(f"not asked for between {instants[-1]:%H:%M:%S}Z and {at:%H:%M:%S}Z")
            if failed and isinstance(each, Observation) and _TOGETHER < silence < wait:
                found.append(f"asked for at {at:%H:%M:%S}Z, before the end of the wait asked for")
            failed = isinstance(each, Observation) and each.entries is None
            instants.append(at)
        if isinstance(each, Switched):
            off = not each.on
    return found


def _of_domain(addresses: Iterable[str], domain: str) -> Iterator[str]:
    return (address for address in addresses if address.endswith(f"@{domain}"))


def _failed(request: LoggedRequest) -> bool:
    return request.status == 0 or request.status >= _SERVERS_OWN_ERROR


def _entries_at(history: Sequence[Snapshot], instant: datetime) -> tuple[Entry, ...] | None:
    return next(snapshot.entries for snapshot in reversed(history) if snapshot.at <= instant)
