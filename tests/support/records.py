"""Records, users and messages: one of each kind as an example, and every shape for property tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry
from presence.claims import Source
from presence.errors import Problem, ProblemKind
from presence.freshness import Freshness
from presence.heard import Heard
from presence.instants import MINUTE
from presence.knowledge import CalendarUse, Knowledge
from presence.known_calendar import KnownCalendar, KnownEntry
from presence.messages import CheckReason, CheckRequest, TransitionRequest
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import (
    MOST_REMIND_MINUTES,
    Change,
    PresenceRecord,
    Reason,
    RecordedProblem,
    Reminders,
    User,
)
from presence.standing_claims import Ending, StandingClaim
from presence.timeline import Segment
from presence.working_hours import WorkingHours
from tests.support.zones import BERLIN, OFFICE_HOURS, TOKYO

_BUSY = Presence(Availability.BUSY, Activity.BUSY)


def available_record(user_id: str, now: datetime, until: datetime | None = None) -> PresenceRecord:
    """Return the first record, not yet stored, of a user who is Available at `now` and busy from `until` on."""
    since = now if until is None else min(now, until)
    free = Segment(since, until, AVAILABLE, Source.NONE, "no-claim")
    return PresenceRecord(
        user_id=user_id,
        address=f"{user_id}@example.com",
        revision=0,
        version=1,
        presence=AVAILABLE,
        since=since,
        until=until,
        reason=Reason(Source.NONE, "no-claim"),
        previous=UNKNOWN,
        timeline=(free,) if until is None else (free, Segment(until, None, _BUSY, Source.CALENDAR, "busy")),
        next_at=until,
        read_at=now,
        changed_at=now,
    )


_TEXTS = st.text(min_size=1, max_size=30)
_RULES = st.sampled_from(["busy", "busy-meeting", "out-of-office", "no-claim", "no-data", "not-read"])

instants = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  the zone is given beside
user_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
addresses = st.sampled_from(
    ["alice@example.com", "bob.o'neil+work@example.org", "花子@例え.test", "x@branch.test", "müller@sub.research.test"]
)
traceparents = st.binary(min_size=24, max_size=24).map(lambda ids: f"00-{ids[:16].hex()}-{ids[16:].hex()}-01")
presences = st.builds(Presence, st.sampled_from(Availability), st.sampled_from(Activity))
users = st.builds(
    User,
    user_ids,
    addresses,
    st.none() | st.sampled_from(["default", "lync"]),
    st.lists(st.sampled_from(["Sales", "営業"]), max_size=2).map(tuple),
)
sources = st.sampled_from([*map(str, Source), "phone", "desk-phone"])
flags = st.none() | st.booleans()
replies = st.just(NO_REPLIES) | st.builds(
    AutomaticReplies, st.booleans(), st.none() | instants, st.none() | instants, st.sampled_from(Audience)
)
known_entries = st.builds(
    KnownEntry,
    st.builds(CalendarEntry, instants, instants, st.sampled_from(BusyType), flags, flags, flags, st.booleans()),
    _RULES,
)
calendars = st.builds(
    KnownCalendar,
    entries=st.lists(known_entries, max_size=3).map(tuple),
    horizon=instants,
    endpoint=st.just("https://mail.example.com/EWS/Exchange.asmx"),
    view=st.sampled_from(["FreeBusy", "Detailed"]),
    working_hours=st.none() | st.builds(WorkingHours, st.sampled_from([BERLIN, TOKYO]), st.just(OFFICE_HOURS)),
)
standing_claims = st.builds(
    StandingClaim,
    source=sources,
    presence=presences,
    strength=st.none() | st.integers(0, 100),
    since=instants,
    until=st.none() | instants,
    ending=st.sampled_from(Ending),
    set_by=addresses,
    ends_at=st.none() | instants,
)
knowledges = st.builds(
    Knowledge,
    calendar=st.none() | calendars,
    replies=st.none() | replies,
    replies_problem=st.none() | st.sampled_from(["Timeout", "ErrorAccessDenied"]),
    standing=st.lists(standing_claims, max_size=2).map(tuple),
    use=st.builds(CalendarUse, st.booleans(), st.none() | instants),
    heard=st.lists(st.builds(Heard, st.sampled_from(["by-hand", "phone", "UseCalendar"]), instants), max_size=2).map(
        tuple
    ),
)
reminders = st.builds(
    Reminders,
    st.none() | st.integers(1, MOST_REMIND_MINUTES).map(lambda minutes: minutes * MINUTE),
    st.lists(instants, max_size=3).map(tuple),
)

check_requests = st.builds(
    CheckRequest,
    reason=st.sampled_from(CheckReason),
    requested_at=instants,
    users=st.lists(users, min_size=1, max_size=5, unique_by=lambda user: user.user_id).map(tuple),
    traceparent=traceparents,
    attempt=st.integers(0, 10),
    endpoint=st.none() | st.just("https://mail.example.com/EWS/Exchange.asmx"),
    domain=st.none() | st.just("example.com"),
)
transition_requests = st.builds(
    TransitionRequest,
    due=instants,
    shard=st.integers(0, 255),
    user_ids=st.lists(user_ids, min_size=1, max_size=5).map(tuple),
    traceparent=traceparents,
)


@st.composite
def timelines(draw: st.DrawFn) -> tuple[Segment, ...]:
    """Return segments without gap or overlap, the last without an end."""
    start = draw(instants)
    lengths = draw(st.lists(st.integers(1, 10_000), max_size=6))
    boundaries = [start + timedelta(minutes=sum(lengths[:count])) for count in range(len(lengths) + 1)]
    return tuple(
        Segment(
            since=since,
            until=until,
            presence=draw(presences),
            source=draw(sources),
            rule=draw(_RULES),
            beaten=tuple(draw(st.lists(_RULES, max_size=2))),
        )
        for since, until in zip(boundaries, [*boundaries[1:], None], strict=True)
    )


@st.composite
def records(draw: st.DrawFn) -> PresenceRecord:
    """Return a record; what belongs together is there together, and all else varies."""
    timeline = draw(st.just(()) | timelines())
    until = timeline[0].until if timeline else draw(st.none() | instants)
    problem = draw(
        st.none()
        | st.builds(
            RecordedProblem,
            st.builds(
                Problem,
                st.sampled_from(["Timeout", "ErrorADUnavailable"]),
                st.sampled_from(ProblemKind),
                _TEXTS,
                _TEXTS,
            ),
            instants,
        )
    )
    return PresenceRecord(
        user_id=draw(user_ids),
        address=draw(addresses),
        revision=draw(st.integers(1, 10**9)),
        version=draw(st.integers(1, 10**9)),
        presence=draw(presences),
        since=draw(instants),
        until=until,
        reason=Reason(draw(sources), draw(_RULES)),
        previous=draw(presences),
        timeline=timeline,
        next_at=draw(st.none() | st.just(until)),
        read_at=draw(st.none() | instants),
        changed_at=draw(instants),
        failing_since=draw(instants) if problem else draw(st.none() | instants),
        problem=problem,
        traceparent=draw(st.none() | traceparents),
        freshness=draw(st.sampled_from(Freshness)),
        note=draw(st.none() | st.just("automatic-replies")),
        change=draw(st.sampled_from(Change)),
        profile=draw(st.sampled_from(["default", "営業"])),
        knowledge=draw(knowledges),
        reminders=draw(reminders),
    )
