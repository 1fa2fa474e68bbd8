"""What is known of somebody as a profile would show it: each entry with what it claims, and the timeline that is left.

The code is that of the deployed functions; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cli.profile_text import in_columns
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarEntry
from presence.instants import format_instant
from presence.knowledge import Knowledge, judgements, picture_of
from presence.mapping import Judgement, Profile
from presence.timeline import MAXIMUM_SEGMENTS, Segment, from_instant, is_cut

_HEAD = ("since", "until", "presence", "source", "rule", "beaten")


def as_lines(profile: Profile, knowledge: Knowledge, at: datetime) -> Iterator[str]:
    """Yield what the profile makes of what is known, from an instant (UTC) on."""
    picture = picture_of(knowledge, profile, at)
    timeline = from_instant(picture.timeline, at)
    yield f"profile {profile.name}"
    yield ""
    yield from _inputs(profile, picture.knowledge)
    yield ""
    yield "Timeline"
    yield from (f"  {line}" for line in in_columns([_HEAD, *(_row(segment, at) for segment in timeline)]))
    if is_cut(picture.timeline):
        follows = format_instant(timeline[-1].since)
        yield f"  a timeline is kept for {MAXIMUM_SEGMENTS} stretches; see what follows with --at {follows}"
    if picture.note is not None:
        yield f"Note beside the presence: {picture.note}"


def _inputs(profile: Profile, knowledge: Knowledge) -> Iterator[str]:
    calendar = knowledge.calendar
    if calendar is None:
        yield "The calendar is not known" if knowledge.use.on else "The calendar is switched off"
    else:
        yield "Entries, free ones left out" if calendar.entries else "No entries, or free ones only"
        for entry, judgement in judgements(calendar.entries, profile, calendar.zone):
            yield f"  {_entry(entry)}: {_claimed(judgement)}"
    if knowledge.replies is not None and knowledge.replies.enabled:
        yield f"Automatic replies {_replies(knowledge.replies)}"
    for claim in knowledge.standing:
        ends = "it is taken back" if claim.ends_at is None else format_instant(claim.ends_at)
        yield f"Claimed by {claim.source} until {ends}: {claim.presence}"


def _entry(entry: CalendarEntry) -> str:
    flags = {"meeting": entry.is_meeting, "private": entry.is_private, "all day": entry.is_all_day}
    told = [name for name, flag in {**flags, "from an earlier reading": entry.is_kept}.items() if flag]
    details = f" ({', '.join(told)})" if told else ""
    return f"{format_instant(entry.start)} to {format_instant(entry.end)}  {entry.busy_type}{details}"


def _claimed(judgement: Judgement) -> str:
    return f"{judgement.presence or 'claims nothing'}, by the rule {judgement.rule}"


def _replies(replies: AutomaticReplies) -> str:
    if replies.start is None or replies.end is None:
        times = "switched on"
    else:
        times = f"{format_instant(replies.start)} to {format_instant(replies.end)}"
    return f"{times}, to {replies.audience}"


def _row(segment: Segment, at: datetime) -> Sequence[str]:
    """Return the cells of a segment; what began earlier is shown from `at` on."""
    until = "not known" if segment.until is None else format_instant(segment.until)
    since = format_instant(max(segment.since, at))
    return since, until, str(segment.presence), segment.source, segment.rule, ", ".join(segment.beaten)
