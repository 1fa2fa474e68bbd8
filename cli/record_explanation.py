"""Why somebody is shown as they are, in words, from their record alone: `presence why`.

Entries are told by times and statuses; the record has no more of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cli.outlook import Outlook
from presence.automatic_replies import AutomaticReplies
from presence.claims import Source
from presence.freshness import Freshness, Rules
from presence.instants import format_instant
from presence.knowledge import (
    AUTOMATIC_REPLY_RULE,
    CLOSED_GAP_RULE,
    NOT_READ_RULE,
    OFF_RULE,
    OFF_WORK_RULE,
    PAUSED_RULE,
)
from presence.known_calendar import KnownCalendar, KnownEntry
from presence.mapping import LAST_KNOWN_RULE, NO_DATA_RULE, WITHOUT_LENGTH_RULE
from presence.records import PresenceRecord
from presence.rights import rights_of
from presence.showing import NOT_BELIEVED_RULE, RESTS_ON_READING
from presence.standing_claims import SET_BY_HAND_RULE, Ending, StandingClaim, still_standing
from presence.timeline import BASE_RULE, BEYOND_HORIZON_RULE, Segment, segment_at

_WORDS = {
    "busy": "an entry with the status Busy",
    "busy-meeting": "a meeting with others",
    "out-of-office": "an entry with the status Out of Office",
    "tentative": "a tentative entry",
    "working-elsewhere": "an entry with the status Working Elsewhere",
    "free": "a free entry claims nothing",
    "tentative-claims-nothing": "tentative entries claim nothing in this profile",
    "busy-claims-nothing": "busy entries claim nothing in this profile",
    "out-of-office-claims-nothing": "entries out of office claim nothing in this profile",
    "working-elsewhere-claims-nothing": "entries with Working Elsewhere claim nothing in this profile",
    "ignored-all-day": "busy entries over whole days claim nothing in this profile",
    "ignored-short": "so short an entry claims nothing in this profile",
    WITHOUT_LENGTH_RULE: "an entry that ends as it begins claims nothing",
    "ignored-private": "private entries claim nothing in this profile",
    AUTOMATIC_REPLY_RULE: "scheduled automatic replies",
    CLOSED_GAP_RULE: "a gap between meetings that is too short to count",
    OFF_WORK_RULE: "a time outside of the working hours of the mailbox",
    SET_BY_HAND_RULE: "set by hand",
    BASE_RULE: "nothing claims otherwise",
    BEYOND_HORIZON_RULE: "more changes were read than are kept, and what follows is not known",
    NO_DATA_RULE: "Exchange has no data for this time, and that is not taken for free",
    LAST_KNOWN_RULE: "known from an earlier reading; Exchange has no data for this time now",
    NOT_READ_RULE: "the calendar has not been read yet",
    OFF_RULE: "the calendar is switched off for this user",
    PAUSED_RULE: "the calendar is paused for this user",
    NOT_BELIEVED_RULE: "the calendar could not be read for so long that the last reading is not believed any more",
}
_ENDINGS = {
    Ending.TIME: "",
    Ending.BOUNDARY: ", at the next change of the calendar",
    Ending.MEETING: ", where the next meeting begins",
}


def why_lines(record: PresenceRecord, at: datetime, now: datetime, rules: Rules) -> Iterator[str]:
    """Yield the decision about an instant in lines of text; both instants in UTC, `rules` those of the functions."""
    outlook = Outlook(record, now, rules)
    yield f"{record.address} ({record.user_id})"
    yield ""
    if at == now:
        yield from _published(record, now)
    yield from _decided(outlook, at)
    yield ""
    yield from _rests_on(record, at, now)
    yield ""
    yield from _reading(record)
    yield ""
    yield from _coming(outlook, at)


def in_words(rule: str) -> str:
    """Return what a rule says; a rule without words of its own stands for itself."""
    source = rule.removeprefix("claimed-by-")
    return _WORDS.get(rule, rule if source == rule else f"claimed by the system {source}")


def replies_in_words(replies: AutomaticReplies | None) -> str:
    """Return when automatic replies go out, and to whom."""
    if replies is None:
        return "not known"
    if not replies.enabled:
        return "off"
    if replies.start is not None and replies.end is not None:
        return f"{format_instant(replies.start)} to {format_instant(replies.end)}, for {replies.audience}"
    return f"switched on, for {replies.audience}"


def _published(record: PresenceRecord, now: datetime) -> Iterator[str]:
    until = "" if record.until is None else f" until {format_instant(record.until)}"
    yield f"Published: {record.presence} since {format_instant(record.since)}{until} (version {record.version})"
    yield f"  because: {in_words(record.reason.rule)} (source {record.reason.source}, rule {record.reason.rule})"
    if record.freshness is not Freshness.CURRENT:
        since = record.failing_since or record.read_at
        known = "" if since is None else f", since {format_instant(since)} nothing could be read"
        yield f"  {record.freshness}{known}"
    if record.note is not None:
        yield f"  beside it the note: {record.note}"
    if record.next_at is not None and record.next_at < now:
        yield f"  a change was due at {format_instant(record.next_at)} and is not applied yet: is the stack at work?"


def _decided(outlook: Outlook, at: datetime) -> Iterator[str]:
    record, then = outlook.record, format_instant(at)
    segment, shown = segment_at(record.timeline, at), outlook.segment(at)
    if segment is None or shown is None:
        if at < outlook.now:
            yield f"At {then}: not kept in the record; see `presence history`"
        elif record.timeline:
            yield f"At {then}: not known"
        elif at > outlook.now:
            yield f"At {then}: not known: {in_words(NOT_READ_RULE)}"
        return
    if shown.rule == NOT_BELIEVED_RULE:
        yield f"At {then}: {shown.presence}, since {in_words(shown.rule)} (rule {shown.rule})"
        yield f"  not believed: {segment.presence}, {_stretch(segment)}: {in_words(segment.rule)} (rule {segment.rule})"
        return
    calendar = record.knowledge.calendar
    if calendar is not None and outlook.is_unread(segment, at):
        yield f"At {then}: not known: the calendar was read as far as {format_instant(calendar.horizon)}"
        return
    yield f"At {then} the timeline says {segment.presence}, {_stretch(segment)}"
    yield f"  won: {in_words(segment.rule)} (source {segment.source}, rule {segment.rule})"
    yield from _beaten(record, segment, at)
    doubted = outlook.not_believed_from(at)
    if doubted is not None and segment.source in RESTS_ON_READING:
        yield f"  not believed from {format_instant(doubted)} on, unless the calendar can be read before"


def _beaten(record: PresenceRecord, segment: Segment, at: datetime) -> Iterator[str]:
    """Yield what the winner beat. A timeline names each rule once, so entries of its own rule are counted here."""
    calendar = record.knowledge.calendar
    entries = () if calendar is None else calendar.entries
    alike = sum(known.rule == segment.rule and known.entry.start <= at < known.entry.end for known in entries)
    if alike > 1:
        yield f"  beside it: {alike - 1} more by the same rule"
    for rule in segment.beaten:
        yield f"  beaten: {in_words(rule)} (rule {rule})"
    if not segment.beaten and alike <= 1:
        yield "  beaten: nothing"


def _stretch(segment: Segment) -> str:
    until = "as far as is known" if segment.until is None else f"until {format_instant(segment.until)}"
    return f"from {format_instant(segment.since)} {until}"


def _rests_on(record: PresenceRecord, at: datetime, now: datetime) -> Iterator[str]:
    knowledge = record.knowledge
    yield f"What it rests on, by the profile {record.profile}"
    if not knowledge.use.on:
        yield "  calendar: switched off, so it is not read"
    elif knowledge.use.paused_until is not None and not knowledge.use.allows(now):
        yield f"  calendar: paused until {format_instant(knowledge.use.paused_until)}"
    if knowledge.calendar is not None:
        for known in knowledge.calendar.entries:
            yield f"  {_entry(known, at)}"
        if not knowledge.calendar.entries:
            yield "  calendar: no entries"
    for claim in still_standing(knowledge.standing, at):
        yield f"  {_standing(claim)}"
    yield f"  automatic replies: {replies_in_words(knowledge.replies)}"
    if knowledge.replies_problem is not None:
        yield f"    they could not be read the last time: {knowledge.replies_problem}; what was known of them stands"


def _entry(known: KnownEntry, at: datetime) -> str:
    entry = known.entry
    here = "now " if entry.start <= at < entry.end else ""
    times = f"{format_instant(entry.start)} to {format_instant(entry.end)}"
    return f"calendar: {times} {here}{entry.busy_type}: {in_words(known.rule)} (rule {known.rule})"


def _standing(claim: StandingClaim) -> str:
    source = "by hand" if claim.source == Source.BY_HAND else claim.source
    end = "until it is taken back" if claim.ends_at is None else f"until {format_instant(claim.ends_at)}"
    since = format_instant(claim.since)
    return f"{source}: {claim.presence} since {since} {end}{_ENDINGS[claim.ending]}, set by {claim.set_by}"


def _reading(record: PresenceRecord) -> Iterator[str]:
    calendar: KnownCalendar | None = record.knowledge.calendar
    if calendar is None or record.read_at is None:
        yield "Read: no calendar of this user is known"
    else:
        # The age of a reading that brings nothing new is noted once an hour only.
        yield f"Read: at {format_instant(record.read_at)}, or later without news, from {calendar.endpoint}"
        detail = f"{calendar.view} ({rights_of(calendar.view)})"
        yield f"  in the detail {detail}, as far as {format_instant(calendar.horizon)}"
    if record.problem is not None:
        problem = record.problem.problem
        yield f"Problem: {problem.code} since {format_instant(record.problem.since)}: {problem.text}"
        yield f"  to do: {problem.remedy}"


def _coming(outlook: Outlook, at: datetime) -> Iterator[str]:
    coming = outlook.coming(at)
    if not coming:
        yield "Next: nothing that is known"
    for place, change in enumerate(coming):
        why = "" if change.segment is None else f": {in_words(change.segment.rule)}"
        yield f"{'Then' if place else 'Next'}: {change.words}{why}"
