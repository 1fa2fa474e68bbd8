"""What `presence check` found out, as text for a person and as JSON for a program. Nothing secret is in either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cli.certificates import certificates_as_json, certificates_as_lines
from cli.discovery_text import settings_as_json, settings_as_lines, steps_as_json, steps_as_lines
from cli.record_explanation import replies_in_words
from exchange.locating import Resolution
from exchange.mailbox_access import FREE_BUSY_ONLY, MailboxAccess
from exchange.tls.certificates import SeenCertificate
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarEntry, CalendarReading
from presence.decisions import Readings, after_reading
from presence.errors import Problem
from presence.freshness import Rules
from presence.instants import format_instant
from presence.mapping import NO_DATA_RULE
from presence.profiles import Assignment
from presence.records import PresenceRecord, User
from presence.rights import rights_of
from presence.timeline import BASE_RULE, Segment, segment_at, stretch_at

_NOBODY = "0" * 32


@dataclass(frozen=True, slots=True)
class Explanation:
    """A mailbox at an instant: how it was found, and its reading or the problem instead.

    `certificates` are those that servers showed on the way, `checked_at` (UTC) is when. `assignment` is the profile
    that the document gives the address, `replies` the automatic replies, or why they can't be read (None: the gateway
    is not asked for them), `access` how the gateway's account reaches calendars.
    """

    address: str
    at: datetime
    resolution: Resolution
    outcome: CalendarReading | Problem
    certificates: tuple[SeenCertificate, ...]
    checked_at: datetime
    assignment: Assignment
    replies: AutomaticReplies | Problem | None = None
    access: MailboxAccess = FREE_BUSY_ONLY

    @property
    def problem(self) -> Problem | None:
        """Why the calendar could not be read."""
        return self.outcome if isinstance(self.outcome, Problem) else None

    def record(self) -> PresenceRecord | None:
        """Return what the functions would store of a user whose first reading this is; None with a problem."""
        if isinstance(self.outcome, Problem):
            return None
        user, readings = User(_NOBODY, self.address), Readings(self.outcome, self.replies)
        return after_reading(None, user, readings, self.assignment.profile, self.at, Rules()).record


def as_json(explanation: Explanation) -> dict[str, object]:
    """Return the explanation as one JSON object; instants in UTC, absent parts null."""
    outcome, problem = explanation.outcome, explanation.problem
    endpoint = explanation.resolution.endpoint
    found: dict[str, object] = {
        "address": explanation.address,
        "at": format_instant(explanation.at),
        "gateway": None if endpoint is None else endpoint.gateway,
        "mailbox": explanation.resolution.mailbox,
        "steps": steps_as_json(explanation.resolution, explanation.checked_at),
        "certificates": certificates_as_json(explanation.certificates, explanation.checked_at),
        "endpoint": None if endpoint is None else endpoint.url,
        "urls": settings_as_json(explanation.resolution.settings),
        "calendar": None,
        "profile": {"name": explanation.assignment.profile.name, "why": explanation.assignment.reason},
        "automaticReplies": None,
        "presence": None,
        "problem": None if problem is None else _problem(problem),
    }
    if isinstance(outcome, CalendarReading):
        found["endpoint"] = outcome.endpoint
        found["calendar"] = {
            "readAt": format_instant(outcome.read_at),
            "view": outcome.view,
            "rights": rights_of(outcome.view).value,
            "access": explanation.access.access.value,
            "start": format_instant(outcome.window.start),
            "end": format_instant(outcome.window.end),
            "entries": [_entry(entry) for entry in outcome.entries],
        }
        found["automaticReplies"] = _replies(explanation.replies)
        found["presence"] = _presence(explanation.record(), explanation.at)
    return found


def as_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the explanation in lines of text."""
    yield f"{explanation.address} at {format_instant(explanation.at)}"
    yield from _found_lines(explanation.resolution, explanation.checked_at)
    if explanation.certificates:
        yield ""
        yield from certificates_as_lines(explanation.certificates, explanation.checked_at)
    outcome = explanation.outcome
    if isinstance(outcome, Problem):
        yield ""
        yield from problem_lines(outcome)
        return
    yield ""
    yield f"Calendar, read from {outcome.endpoint} (view {outcome.view})"
    yield f"  from {explanation.access.in_words()}; it was shown with the rights: {rights_of(outcome.view)}"
    yield f"  {format_instant(outcome.window.start)} to {format_instant(outcome.window.end)}, {_count(outcome)}"
    for entry in outcome.entries:
        yield f"  {format_instant(entry.start)} to {format_instant(entry.end)}  {entry.busy_type}{_details(entry)}"
    if isinstance(explanation.replies, Problem):
        yield "Automatic replies: not known"
        yield from (f"  {line}" for line in problem_lines(explanation.replies))
    elif explanation.replies is None:
        yield "Automatic replies: not asked for, as the gateway has it"
    else:
        yield f"Automatic replies: {replies_in_words(explanation.replies)}"
    yield ""
    yield f"Profile {explanation.assignment.profile.name}: {explanation.assignment.reason}"
    yield "  what stands on a user of a stack, a profile or groups, is not known here"
    yield from _presence_lines(explanation.record(), outcome, explanation.at)


def problem_lines(problem: Problem) -> Iterator[str]:
    """Yield a problem, and what to do."""
    yield f"Problem {problem.code} ({problem.kind}): {problem.text}"
    yield f"  to do: {problem.remedy}"
    if problem.retry_after is not None:
        yield f"  the server asks to be left alone for {problem.retry_after:g} s"


def _found_lines(resolution: Resolution, now: datetime) -> Iterator[str]:
    if resolution.endpoint is not None:
        yield f"Gateway {resolution.endpoint.gateway}"
    if resolution.mailbox != resolution.address:
        yield f"Its mailbox is {resolution.mailbox} now"
    yield ""
    yield from steps_as_lines(resolution, now)
    if resolution.settings is not None:
        yield ""
        yield from settings_as_lines(resolution.settings)


def _presence_lines(record: PresenceRecord | None, reading: CalendarReading, at: datetime) -> Iterator[str]:
    timeline = () if record is None else record.timeline
    stretch, segment = stretch_at(timeline, at), segment_at(timeline, at)
    if record is None or stretch is None or segment is None:
        return
    yield f"Presence: {stretch.presence}"
    earlier = " or earlier" if stretch.since <= reading.window.start else ""
    until = "the end of what was read" if stretch.until is None else format_instant(stretch.until)
    yield f"  from {format_instant(stretch.since)}{earlier} until {until}"
    yield f"  why: {_why(segment)}"
    if record.note is not None:
        yield f"  beside it the note: {record.note}"
    following = None if stretch.until is None else stretch_at(timeline, stretch.until)
    if following is not None:
        yield f"  next: {following.presence} at {format_instant(following.since)} by the rule {following.rule}"
    else:
        yield "  next: nothing that is known"


def _why(segment: Segment) -> str:
    if segment.rule == BASE_RULE:
        return f"no entry claims otherwise (rule {segment.rule})"
    beaten = f"; it beat {', '.join(segment.beaten)}" if segment.beaten else "; it beat no other claim"
    if segment.rule == NO_DATA_RULE:
        return f"Exchange has no data for this time, and that is not taken for free (rule {segment.rule}){beaten}"
    return f"the rule {segment.rule}, by the {segment.source.replace('-', ' ')}{beaten}"


def _count(reading: CalendarReading) -> str:
    return {0: "no entries", 1: "1 entry"}.get(len(reading.entries), f"{len(reading.entries)} entries")


def _details(entry: CalendarEntry) -> str:
    flags = {
        "meeting": entry.is_meeting,
        "recurring": entry.is_recurring,
        "private": entry.is_private,
        "all day": entry.is_all_day,
    }
    told = [name for name, flag in flags.items() if flag]
    return f" ({', '.join(told)})" if told else ""


def _entry(entry: CalendarEntry) -> dict[str, object]:
    return {
        "start": format_instant(entry.start),
        "end": format_instant(entry.end),
        "busyType": entry.busy_type.value,
        "isMeeting": entry.is_meeting,
        "isRecurring": entry.is_recurring,
        "isPrivate": entry.is_private,
        "isAllDay": entry.is_all_day,
    }


def _replies(replies: AutomaticReplies | Problem | None) -> dict[str, object] | None:
    if replies is None or isinstance(replies, Problem):
        return None if replies is None else {"problem": _problem(replies)}
    return {
        "enabled": replies.enabled,
        "start": None if replies.start is None else format_instant(replies.start),
        "end": None if replies.end is None else format_instant(replies.end),
        "audience": replies.audience.value,
    }


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "kind": problem.kind.value,
        "text": problem.text,
        "remedy": problem.remedy,
        "retryAfter": problem.retry_after,
    }


def _presence(record: PresenceRecord | None, at: datetime) -> dict[str, object] | None:
    timeline = () if record is None else record.timeline
    stretch, segment = stretch_at(timeline, at), segment_at(timeline, at)
    if record is None or stretch is None or segment is None:
        return None
    following = None if stretch.until is None else stretch_at(timeline, stretch.until)
    return {
        **_shown(stretch),
        "since": format_instant(stretch.since),
        "until": None if stretch.until is None else format_instant(stretch.until),
        "why": {"source": str(segment.source), "rule": segment.rule, "beaten": list(segment.beaten)},
        "next": None if following is None else {**_shown(following), "at": format_instant(following.since)},
        "note": record.note,
    }


def _shown(segment: Segment) -> dict[str, object]:
    return {"availability": segment.presence.availability.value, "activity": segment.presence.activity.value}
