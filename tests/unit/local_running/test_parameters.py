"""Parameters of the template that an operator gives by hand are checked before anything is started."""

from __future__ import annotations

import pytest

from local.running.parameters import OF_ONE_MACHINE, read_parameters
from presence.errors import ConfigurationError


def test_without_any_there_are_those_of_one_machine() -> None:
    assert read_parameters([]) == OF_ONE_MACHINE


def test_what_is_given_goes_before_what_one_machine_has() -> None:
    given = read_parameters(["CheckIntervalMinutes=1", "TransitionShards=4", "AlarmTopicArn="])
    assert given == OF_ONE_MACHINE | {"CheckIntervalMinutes": "1", "TransitionShards": "4", "AlarmTopicArn": ""}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("CheckIntervalMinutes", "is not of the form NAME=VALUE"),
        ("CheckInterval=1", "'CheckInterval' is not known; there are AlarmTopicArn, "),
        ("SchedulesState=ENABLED", "'SchedulesState' is not known"),
        ("CheckIntervalMinutes=7", "CheckIntervalMinutes: '7' is none of 1, 2, 3"),
        ("CheckIntervalMinutes=soon", "CheckIntervalMinutes: 'soon' is no whole number"),
        ("HorizonHours=1", "HorizonHours: '1' is less than 2"),
        ("HorizonHours=49", "HorizonHours: '49' is more than 48"),
        ("HorizonHours=-3", "HorizonHours: '-3' is no whole number"),
        ("PublishNext=yes", "PublishNext: 'yes' is none of true, false"),
        ("AlarmTopicArn=topic", "AlarmTopicArn: 'topic' is not of the form that is asked for"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(text: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_parameters([text])
    assert mistake in str(raised.value)
    assert str(raised.value).startswith("--parameter: ")
