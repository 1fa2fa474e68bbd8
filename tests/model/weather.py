"""Times in which all goes well: the schedules fire, messages come when they are due, and all is published.

Only clocks differ, up to half a minute either way. After what was lost has been found, everything must be on time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Any

from presence.calendar import Window
from presence.instants import MINUTE, floor_to_minute
from presence.presences import Presence
from tests.model import actions
from tests.model.instances import Circumstances
from tests.model.judge import LARGEST_SKEW, must, truth
from tests.model.oracle import Known
from tests.model.users import USERS
from tests.model.world import World

_SKEWS = (-30.0, -11.5, 0.0, 0.0, 4.0, 30.0)
_FOUND_AGAIN_AFTER = timedelta(minutes=8)
"""What was queued at most four minutes ahead and lost is found overdue by a tick, by clocks that differ by a minute."""
_RECEIVED_BY_THEN = timedelta(minutes=2)
_BEFORE = timedelta(minutes=4)
_TURN = timedelta(minutes=6)
_QUIET = timedelta(minutes=25)
_MOST_QUIETS = 8


def calm(
    world: World,
    minutes: int,
    seed: int,
    *,
    checks: bool,
    settled: bool = False,
    life: Sequence[tuple[int, Any]] = (),
) -> None:
    """Let all run as it should for so many minutes, and judge what is shown once all has settled.

    `life` is what people do meanwhile, each with the minute at which they do it.
    """
    random = Random(seed)  # noqa: S311  it makes a test, not a secret
    replay_what_was_set_aside(world, random)
    judged_from = world.now if settled else world.now + _settling(world)
    end = world.now + timedelta(minutes=minutes)
    tick = floor_to_minute(world.now) + MINUTE
    coming = sorted(((world.now + MINUTE * minute, action) for minute, action in life), key=itemgetter(0))
    while True:
        queues = [world.transitions, world.checks] if checks else [world.transitions]
        waiting = [(flight.visible_at, queue is world.checks) for queue in queues for flight in queue.flights]
        at, is_check = min(waiting, default=(end, False))
        at = max(at, world.now)
        if min(at, tick) >= end:
            break
        circumstances = Circumstances(random.choice(_SKEWS))
        if coming and coming[0][0] <= min(at, tick):
            world.time.now = max(world.now, coming[0][0])
            world.perform(coming.pop(0)[1])
        elif tick <= at:
            world.time.now = max(world.now, tick)
            tick += MINUTE
            world.perform(actions.TickOfTransitions(circumstances))
            if checks:
                world.perform(actions.TickOfChecks(0, Circumstances(random.choice(_SKEWS))))
        else:
            world.time.now = at
            world.perform(actions.Receive(is_check, count=random.randint(1, 3), circumstances=circumstances))
        _publish(world, random)
        if world.now >= judged_from:
            _judge(world)
    world.time.now = max(world.now, end)


def only_transitions(world: World, hours: int, seed: int) -> None:
    """Let no check run for so many hours. Minutes in which nothing is due are left out: their ticks are missed."""
    end = world.now + timedelta(hours=hours)
    calm(world, int(_settling(world) / MINUTE) + 1, seed, checks=False)
    while True:
        planned = [record.next_at for user in USERS if (record := world.record(user.user_id)) and record.next_at]
        due = min(planned, default=end)
        if due >= end + _BEFORE or world.now >= end:
            break
        world.time.now = max(world.now, due - _BEFORE)
        calm(world, 6, seed, checks=False, settled=True)
    world.time.now = max(world.now, end)


def quiet(world: World, seed: int) -> None:
    """Let all be well again, for long enough, and compare what everybody is shown as with the truth."""
    world.exchange.out.clear()
    for mailbox in world.exchange.mailboxes.values():
        mailbox.problem = mailbox.replies_problem = None
        mailbox.without_data = ()
    world.topic.refuses = False
    for number in range(_MOST_QUIETS):
        calm(world, int(_QUIET / MINUTE), seed + number, checks=True)
        if _replies_are_read(world):
            break
    for _ in range(3):
        _wait_for_a_clear_moment(world, seed)
        for user in USERS:
            compare_with_truth(world, user.user_id, user.address)
        _versions_are_complete(world)
        calm(world, 7, seed + 100, checks=True, settled=True)


def compare_with_truth(world: World, user_id: str, address: str) -> None:
    """Hold what a subscriber shows of a user to the true calendar."""
    expected = _truth(world, user_id, address, world.now)
    shown = world.subscriber.shown[user_id]
    presence = f"{shown['presence']['availability']} / {shown['presence']['activity']}"
    published = (presence, shown["freshness"], shown["presence"].get("note"))
    right = (str(expected[0]), expected[1], expected[2])
    must("after quiet everybody is shown as they are", published == right, world.now, address, published, right)


def replay_what_was_set_aside(world: World, random: Random) -> None:
    """Do what the operator does when the alarm of the dead-letter queue has gone off."""
    world.topic.refuses = False
    _publish(world, random)
    world.replay()


def _settling(world: World) -> timedelta:
    """Return how long it takes until what was lost or missed has been found again, a tick a minute."""
    stopped = world.behind + (world.now - world.last_tick)
    return _FOUND_AGAIN_AFTER + MINUTE * (stopped // timedelta(hours=1)) + _RECEIVED_BY_THEN


def _publish(world: World, random: Random) -> None:
    world.perform(actions.Publish(len(world.presences.stream), again=random.choice((0, 0, 0, 2))))
    world.perform(actions.Hear(random.randint(0, 1 << 16)))


def _judge(world: World) -> None:
    for user in USERS:
        record = world.record(user.user_id)
        if record is None:
            continue
        world.judge.timely(record, world.now)
        shown = world.subscriber.shown.get(user.user_id)
        heard = shown is not None and shown["version"] == record.version
        must("what is written is published", heard, record, shown)


def _replies_are_read(world: World) -> bool:
    """Tell whether the automatic replies of all are known as they are: they take turns, and clocks may miss one."""
    return all(
        not belief.is_used(world.now) or belief.replies == world.exchange.mailboxes[user.address].replies
        for user in USERS
        for belief in [world.beliefs[user.user_id]]
    )


def _wait_for_a_clear_moment(world: World, seed: int) -> None:
    """Go on until nobody's presence changes within what clocks differ by."""
    for _ in range(60):
        margin = LARGEST_SKEW + timedelta(seconds=12)
        changes = [
            at for user in USERS for at in [*world.beliefs[user.user_id].changes(), *_true_changes(world, user.address)]
        ]
        # A calendar whose pause is over is read at its next turn.
        pauses = [world.beliefs[user.user_id].paused_until for user in USERS]
        is_read_soon = any(at and -margin <= world.now - at <= margin + _TURN for at in pauses)
        if not is_read_soon and not any(abs(at - world.now) <= margin for at in changes):
            return
        calm(world, 1, seed, checks=True, settled=True)
    must("there is a moment without changes", kept=False)


def _true_changes(world: World, address: str) -> list[datetime]:
    return [at for entry in world.exchange.mailboxes[address].entries for at in (entry.start, entry.end)]


def _truth(world: World, user_id: str, address: str, now: datetime) -> tuple[Presence, str, str | None]:
    mailbox = world.exchange.mailboxes[address]
    horizon = floor_to_minute(now) + world.options.horizon
    known = Known(mailbox.told(Window(now - timedelta(hours=1), horizon)), horizon, now)
    shown = truth(world.beliefs[user_id], known, mailbox.replies, now)
    return shown.presence, shown.freshness.value, shown.note


def _versions_are_complete(world: World) -> None:
    must("an event says the same whenever it comes", not world.subscriber.said_twice, world.subscriber.said_twice)
    for user in USERS:
        record = world.record(user.user_id)
        assert record is not None, "all have been read by now"
        heard = world.subscriber.versions(user.user_id)
        missing = {f"{user.user_id}:{version}" for version in range(1, record.version + 1) if version not in heard}
        kept = missing <= world.set_aside.ids and max(heard) == record.version
        must("versions are published without gaps", kept, missing, record)
