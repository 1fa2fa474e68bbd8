"""All orders in which actors can take their steps, one after the other, each tried from the start.

An actor is a function that calls `step()` before each thing that others can see. `every_order` runs the actors in
threads of which one at a time may go on, and tries every choice of who goes next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

Step = Callable[[], None]
Actor = Callable[[Step], None]


class _Stage:
    """Lets one actor at a time take one step."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._turns = [threading.Semaphore(0) for _ in actors]
        self._arrived = threading.Semaphore(0)
        self._finished = [False] * len(actors)
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._play, args=(index, actor), daemon=True) for index, actor in enumerate(actors)
        ]

    def run(self, choose: Callable[[list[int]], int]) -> None:
        for thread in self._threads:
            thread.start()
        for _ in self._threads:
            self._arrived.acquire()
        while waiting := [index for index, finished in enumerate(self._finished) if not finished]:
            self._turns[choose(waiting)].release()
            self._arrived.acquire()
        if self._errors:
            raise self._errors[0]

    def _play(self, index: int, actor: Actor) -> None:
        def step() -> None:
            self._arrived.release()
            self._turns[index].acquire()

        try:
            actor(step)
        except BaseException as error:  # noqa: BLE001  handed over to the thread that waits for it
            self._errors.append(error)
        finally:
            self._finished[index] = True
            self._arrived.release()


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
        _Stage(actors).run(choose)
        check(order)
        yield order
