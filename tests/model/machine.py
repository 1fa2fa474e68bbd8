"""What happens to the pipeline, in random order: a state machine of hypothesis, which also makes a failure short."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from presence.calendar import BusyType
from presence.errors import Problem, ProblemKind
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.standing_claims import Ending
from tests.model import actions, weather
from tests.model.changes import ENDPOINTS
from tests.model.instances import FAIR, Circumstances, Meanwhile, Mishap
from tests.model.surroundings import StreamedTable
from tests.model.users import USERS
from tests.model.world import SHARDS, World

_MINUTE, _HOUR = 60, 3600
_PROBLEMS = (
    Problem("Timeout", ProblemKind.PASSING, "no answer in time", "look at the server"),
    Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait", 40.0),
    Problem("ErrorAccessDenied", ProblemKind.LASTING, "no access", "grant it"),
)

people = st.integers(0, len(USERS) - 1)
seeds = st.integers(0, 1 << 16)
problems = st.sampled_from(_PROBLEMS)
durations = st.one_of(
    st.integers(1, 90),
    st.integers(1, 40).map(lambda minutes: minutes * _MINUTE),
    st.integers(1, 14).map(lambda hours: hours * _HOUR),
    st.sampled_from([26 * _HOUR, 75 * _HOUR]),
)
sketches = st.builds(
    actions.Sketch,
    start=st.one_of(
        st.integers(-90, 60).map(lambda minutes: minutes * _MINUTE),
        st.integers(-40, 400),
        st.integers(1, 30).map(lambda hours: hours * _HOUR),
    ),
    length=st.one_of(
        st.integers(1, 90).map(lambda minutes: minutes * _MINUTE), st.integers(20, 300), st.just(9 * _HOUR)
    ),
    busy_type=st.sampled_from([BusyType.BUSY, *(one for one in BusyType if one is not BusyType.NO_DATA)]),
    is_meeting=st.booleans(),
)
edits = st.builds(
    actions.EditCalendar, who=people, entries=st.lists(sketches, max_size=4).map(tuple), keeps=st.booleans()
)
presences = st.sampled_from(
    [
        AVAILABLE,
        Presence(Availability.DO_NOT_DISTURB, Activity.PRESENTING),
        Presence(Availability.BUSY, Activity.IN_A_CALL),
    ]
)
mishaps = st.none() | st.builds(Mishap, operation=st.integers(1, 7), crash=st.booleans(), took_effect=st.booleans())
skews = st.sampled_from([0.0, 0.0, -30.0, 30.0, -13.0, 7.5])
plain = st.builds(Circumstances, skew=skews, mishap=mishaps)


_CHECK_ALL = actions.CheckAll(0, FAIR)
_YES = st.sampled_from([True])


def _said(circumstances: st.SearchStrategy[Circumstances]) -> st.SearchStrategy[Any]:
    sources = st.sampled_from(["by-hand", "by-hand", "phone", "badge"])
    return st.one_of(
        st.builds(
            actions.SaySet,
            people,
            sources,
            presences,
            st.one_of(st.none(), st.integers(1, 3), st.integers(1, 200)),
            st.none() | st.sampled_from(Ending),
            circumstances,
        ),
        st.builds(actions.SayClear, people, sources, circumstances),
        st.builds(actions.SayCalendar, people, st.booleans(), st.none(), circumstances),
        st.builds(actions.SayCalendar, people, _YES, st.integers(1, 120), circumstances),
        st.builds(actions.SayRemind, people, st.none() | st.integers(1, 20), circumstances),
    )


def _received(circumstances: st.SearchStrategy[Circumstances]) -> st.SearchStrategy[actions.Receive]:
    return st.builds(
        actions.Receive,
        checks=st.booleans(),
        which=st.integers(0, 4),
        count=st.integers(1, 3),
        again=st.booleans(),
        circumstances=circumstances,
    )


meanwhiles = st.none() | st.builds(
    Meanwhile,
    operation=st.integers(1, 7),
    action=st.one_of(
        _received(plain),
        _said(plain),
        edits,
        st.builds(actions.TimePasses, st.integers(1, 40)),
        st.builds(actions.TickOfTransitions, plain),
    ),
)
busy = st.builds(
    Circumstances,
    skew=skews,
    mishap=mishaps,
    meanwhile=st.builds(
        Meanwhile,
        operation=st.integers(2, 6),
        action=st.one_of(
            st.builds(actions.Together, edits, st.builds(actions.Receive, _YES, which=st.integers(0, 4))),
            _said(st.just(FAIR)),
            _received(plain),
        ),
    ),
)
circumstances = st.one_of(
    st.builds(Circumstances, skew=skews),
    st.builds(Circumstances, skew=skews, mishap=mishaps, meanwhile=meanwhiles),
)


class Pipeline(RuleBasedStateMachine):
    """The pipeline in a world in which everything happens that may happen.

    `presences` makes its PresenceTable; `inside`: whether each step is judged, or only what others can see.
    """

    presences = staticmethod(lambda: StreamedTable(SHARDS))
    inside = True

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.failed = False

    def do(self, action: Any) -> None:
        self._while_promises_hold(lambda world: world.perform(action))

    def _while_promises_hold(self, let: Any) -> None:
        assert self.world is not None
        try:
            let(self.world)
        except BaseException:
            self.failed = True
            raise

    @initialize(horizon=st.sampled_from([24, 24, 6, 2]), first=st.booleans(), seed=seeds)
    def begins(self, horizon: int, first: bool, seed: int) -> None:
        self.world = World(timedelta(hours=horizon), self.presences(), inside=self.inside)
        if first:
            self._while_promises_hold(lambda world: weather.calm(world, 7, seed, checks=True))

    @rule(seconds=durations)
    def time_passes(self, seconds: int) -> None:
        self.do(actions.TimePasses(seconds))

    @rule(late=st.sampled_from([0, 0, 1, 3, 10]), circumstances=plain)
    def the_schedule_of_checks_fires(self, late: int, circumstances: Circumstances) -> None:
        self.do(actions.TickOfChecks(late, circumstances))

    @rule(circumstances=circumstances)
    def the_schedule_of_transitions_fires(self, circumstances: Circumstances) -> None:
        self.do(actions.TickOfTransitions(circumstances))

    @rule(action=_received(circumstances))
    def a_message_is_received(self, action: actions.Receive) -> None:
        self.do(action)

    @rule(before=st.none() | edits, action=st.builds(actions.CheckAll, disturbed=st.integers(0, 1), circumstances=busy))
    def checks_are_disturbed(self, before: actions.EditCalendar | None, action: actions.CheckAll) -> None:
        if before is not None:
            self.do(before)
        self.do(action)

    @rule(action=st.builds(actions.Lose, checks=st.booleans(), which=st.integers(0, 4)))
    def a_message_is_lost(self, action: actions.Lose) -> None:
        self.do(action)

    @rule(
        action=st.builds(
            actions.Publish,
            count=st.integers(1, 6),
            again=st.integers(0, 4),
            broken_off=st.none() | st.integers(0, 3),
        )
    )
    def the_stream_is_read(self, action: actions.Publish) -> None:
        self.do(action)

    @rule(seed=seeds)
    def the_subscriber_hears(self, seed: int) -> None:
        self.do(actions.Hear(seed))

    @rule(refuses=st.booleans())
    def the_topic_is_out_or_back(self, refuses: bool) -> None:
        self.do(actions.TopicRefuses(refuses))

    @rule(action=edits)
    def a_calendar_is_edited(self, action: actions.EditCalendar) -> None:
        self.do(action)

    @rule(
        action=st.builds(
            actions.SetReplies,
            people,
            st.booleans(),
            st.none() | st.tuples(st.integers(-60, 120), st.integers(121, 400)),
            st.booleans(),
        )
    )
    def replies_are_set(self, action: actions.SetReplies) -> None:
        self.do(action)

    @rule(
        before=edits, action=st.builds(actions.LoseData, people, st.tuples(st.integers(-60, 20), st.integers(21, 300)))
    )
    def exchange_has_no_data_any_more(self, before: actions.EditCalendar, action: actions.LoseData) -> None:
        for one in (replace(before, who=action.who, keeps=True), _CHECK_ALL, action, _CHECK_ALL):
            self.do(one)

    @rule(who=people, start=st.integers(310, 500), lost=st.integers(1, 6), stops=durations, seed=seeds)
    def a_change_is_lost(self, who: int, start: int, lost: int, stops: int, seed: int) -> None:
        soon = actions.EditCalendar(who, (actions.Sketch(start, 9 * _HOUR, BusyType.OUT_OF_OFFICE),))
        for one in (soon, _CHECK_ALL, *[actions.Lose(checks=False)] * lost, actions.TimePasses(stops)):
            self.do(one)
        self._while_promises_hold(lambda world: weather.only_transitions(world, 1, seed))

    @rule(action=st.builds(actions.LoseData, people, st.none() | st.tuples(st.integers(-60, 90), st.integers(91, 300))))
    def exchange_has_no_data(self, action: actions.LoseData) -> None:
        self.do(action)

    @rule(action=st.builds(actions.FailMailbox, people, st.none() | problems, st.booleans()))
    def a_mailbox_fails_or_is_back(self, action: actions.FailMailbox) -> None:
        self.do(action)

    @rule(action=st.builds(actions.FailEndpoint, st.integers(0, len(ENDPOINTS) - 1), st.none() | problems))
    def an_endpoint_is_out_or_back(self, action: actions.FailEndpoint) -> None:
        self.do(action)

    @rule(action=st.builds(actions.MoveMailbox, people, st.integers(0, len(ENDPOINTS) - 1)))
    def a_mailbox_moves(self, action: actions.MoveMailbox) -> None:
        self.do(action)

    @rule(action=_said(circumstances))
    def somebody_says_something(self, action: Any) -> None:
        self.do(action)

    @rule(
        minutes=st.integers(12, 40),
        checks=st.booleans(),
        seed=seeds,
        life=st.lists(st.tuples(st.integers(9, 30), edits | _said(st.just(FAIR))), max_size=5),
    )
    def all_is_calm(self, minutes: int, checks: bool, seed: int, life: list[tuple[int, Any]]) -> None:
        self._while_promises_hold(lambda world: weather.calm(world, minutes, seed, checks=checks, life=life))

    @rule(hours=st.integers(1, 16), seed=seeds)
    def only_transitions_run(self, hours: int, seed: int) -> None:
        self._while_promises_hold(lambda world: weather.only_transitions(world, hours, seed))

    def teardown(self) -> None:
        """Let quiet come, unless a promise is broken already."""
        if self.world is not None and not self.failed:
            self._while_promises_hold(lambda world: weather.quiet(world, 1))
