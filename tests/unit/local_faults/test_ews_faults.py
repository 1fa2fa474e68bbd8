from __future__ import annotations

from datetime import timedelta

import pytest

from local.exchange.availability_answer import answer
from local.exchange.availability_request import AvailabilityRequest
from local.exchange.soap import envelope
from local.faults.ews_faults import WAYS
from local.faults.places import BESIDE, START, STRUCK, organisation


@pytest.fixture(scope="module")
def right() -> bytes:
    hour = timedelta(hours=1)
    request = AvailabilityRequest((STRUCK, *BESIDE), START - hour, START + 24 * hour, 30, "DetailedMerged")
    return envelope(answer(request, organisation(), lambda _: True)).body.replace(b">Busy<", b">OOF<")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_spoils_a_right_answer(right: bytes, way: str) -> None:
    assert right.count(b">OOF<") == 6
    assert WAYS[way](right) != right
