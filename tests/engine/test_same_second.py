"""A thousand users who change in the same second: the real handler in five processes, with writes that take 5 ms.

The bound is the product's promise. `make bench` measures ten thousand as well, and both on the engine.
"""

from __future__ import annotations

import pytest

from benchmarks.figures import percentile
from benchmarks.same_second import P99, change_together

pytestmark = pytest.mark.timed

USERS = 1_000


def test_of_a_thousand_users_who_change_together_none_is_early_none_is_lost_and_none_is_late() -> None:
    came = change_together(USERS)
    assert (len(came.late), came.lost, came.early, came.written_twice) == (USERS, 0, 0, 0)
    assert percentile(came.late, 0.99) <= P99[USERS]
