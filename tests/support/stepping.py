"""All orders in which actors can take their steps, one after the other, each tried from the start.

An actor is a function that calls `step()` before each thing that others can see. `every_order` runs the actors in
threads of which one at a time may go on, and tries every choice of who goes next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

Step = Callable[[], None]
Actor = Callable[[Step], None]


class _Stage:
    """Lets one actor at a time take one step; who comes to a step chooses who goes next, and often goes on itself."""

    def __init__(self, actors: Sequence[Actor], choose: Callable[[list[int]], int]) -> None:
        self._choose = choose
        # Queues of nothing: semaphores that are quick to hand over.
        self._turns: list[SimpleQueue[None]] = [SimpleQueue() for _ in actors]
        self._ready: SimpleQueue[None] = SimpleQueue()
        self._over: SimpleQueue[None] = SimpleQueue()
        self._finished = [False] * len(actors)
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._play, args=(index, actor), daemon=True) for index, actor in enumerate(actors)
        ]

    def run(self) -> None:
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._ready.get()
        self._hand_over()
        self._over.get()
        if self._errors:
            raise self._errors[0]

    def _play(self, index: int, actor: Actor) -> None:
        at_first_step = True

        def step() -> None:
            nonlocal at_first_step
            if at_first_step:
                at_first_step = False
                self._ready.put(None)
            elif self._hand_over(index):
                return
            self._turns[index].get()

        try:
            actor(step)
        except BaseException as error:  # noqa: BLE001  handed over to the thread that waits for it
            self._errors.append(error)
        finally:
            self._finished[index] = True
            if at_first_step:
                self._ready.put(None)
            else:
                self._hand_over()

    def _hand_over(self, index: int | None = None) -> bool:
        """Let the chosen actor go on; tell whether that is the one of `index`, which then need not wait."""
        waiting = [number for number, finished in enumerate(self._finished) if not finished]
        if not waiting:
            self._over.put(None)
            return False
        chosen = self._choose(waiting)
        if chosen == index:
            return True
        self._turns[chosen].put(None)
        return False


def every_order(make: Callable[[], tuple[Sequence[Actor], Callable[[list[int]], None]]]) -> Iterator[list[int]]:
    """Run `make`'s actors in every order and its check after each; yield each order as the actors' numbers."""
    pending: list[list[int]] = [[]]
    while pending:
        prefix = pending.pop()
        order: list[int] = []

        def choose(waiting: list[int], prefix: list[int] = prefix, order: list[int] = order) -> int:
            if len(order) < len(prefix):
                choice = prefix[len(order)]
            else:
                choice = waiting[0]
                pending.extend([*order, other] for other in waiting[1:])
            order.append(choice)
            return choice

        actors, check = make()
        _Stage(actors, choose).run()
        check(order)
        yield order
