"""A profile in words: what it shows, when, by which rules, and what it can't know with the rights given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from presence.mapping import Kind, PrivateEntries, Profile
from presence.presences import AVAILABLE
from presence.rights import LEAST, Given, excess_over, needs_beyond

NOTHING = "nothing"
WHAT_WAS_SET = "what was set"
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)

_WHEN: Mapping[Kind, str] = {
    Kind.BY_HAND: "somebody set it, for themselves or another",
    Kind.OUT_OF_OFFICE: "an entry has the status OOF",
    Kind.BUSY: "an entry has the status Busy",
    Kind.AUTOMATIC_REPLY: "automatic replies go out to colleagues",
    Kind.TENTATIVE: "an entry has the status Tentative",
    Kind.WORKING_ELSEWHERE: "an entry has the status WorkingElsewhere",
    Kind.OFF_WORK: "it is outside the working hours of the mailbox",
}
_PRIVATE: Mapping[PrivateEntries, str] = {
    PrivateEntries.LIKE_OTHERS: "claim like all others",
    PrivateEntries.PLAIN: "are never shown as meetings",
    PrivateEntries.IGNORED: "claim nothing",
}


def explained(profile: Profile) -> Iterator[str]:
    """Yield the profile as a table, its rules, and what it can't know with the least rights."""
    yield f"profile {profile.name}; of several claims the one with the lowest rank is shown"
    yield ""
    yield from in_columns(list(_rows(profile)))
    yield ""
    yield "Rules"
    for rule in _rules(profile):
        yield f"  {rule}"
    yield ""
    yield from fallbacks(profile, LEAST)


def fallbacks(profile: Profile, given: Given) -> Iterator[str]:
    """Yield what the profile asks for and what was given doesn't show, and what is done instead."""
    needs = needs_beyond(profile, given)
    rights = given.in_words()
    yield f"With the rights {rights}" if needs else f"The rights {rights} show all that it needs"
    for need in needs:
        yield f"  {need.rule}: needs {need.right.value!r}; without, {need.fallback}"


def excesses(profile: Profile, given: Given) -> Iterator[str]:
    """Yield a warning for each thing that was given and need not be, what would do, and what that costs."""
    for excess in excess_over(profile, given):
        yield f"Warning: {excess.given!r} {excess.reason}; {excess.enough!r} would do"
        for need in excess.costs:
            yield f"  what that costs: {need.rule}; then, {need.fallback}"


def _rows(profile: Profile) -> Iterator[tuple[str, str, str, str]]:
    yield "rank", "kind", "shown", "when"
    for rank, kind in enumerate(profile.order, 1):
        presence = profile.presences.get(kind)
        shown = WHAT_WAS_SET if kind is Kind.BY_HAND else str(presence or NOTHING)
        yield str(rank), kind, shown, _WHEN[kind]
        if kind is Kind.BUSY and profile.meeting not in (None, presence):
            yield "", "", str(profile.meeting), "and it is known to be a meeting with others"
    yield "", "(no claim)", str(AVAILABLE), "the calendar is known, and nothing claims otherwise"


def _rules(profile: Profile) -> Iterator[str]:
    busy = "" if profile.all_day_busy else "; Busy ones claim nothing"
    yield f"entries that last all day claim like all others{busy}"
    yield f"private entries {_PRIVATE[profile.private]}"
    if profile.minimum_length:
        yield f"entries of less than {in_words(profile.minimum_length)} claim nothing"
    if profile.close_gaps:
        yield f"gaps of up to {in_words(profile.close_gaps)} between busy entries are shown as the entry before them"
    if Kind.AUTOMATIC_REPLY in profile.presences:
        yield "automatic replies with a start and an end claim from the one to the other"
    simply = "claim as long as they are on" if profile.replies_switched_on_claim else "are a note beside the presence"
    yield f"automatic replies that are simply switched on {simply}"
    yield "automatic replies to people outside only claim nothing"
    yield (
        "what is set by hand ends when it was told to; untold, at the next boundary of the day, and after "
        f"{in_words(profile.longest_by_hand)} at the latest"
    )
    yield f"other systems rank just above {Kind.BUSY} or as they ask for, and never before what was set by hand"


def in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of cells as lines of text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def in_words(length: timedelta) -> str:
    """Return a length of whole minutes as people write it: `1 h 30 min`."""
    hours, rest = divmod(length, _HOUR)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest // _MINUTE} min"] * bool(rest or not hours)
    return " ".join(parts)
