"""What `presence run` prints: a line for each event that is published, and for each problem that comes or goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cli.one_line import in_one_line
from local.running.problems import ProblemNews
from presence.events import REMINDER_TYPE
from presence.instants import format_instant

_NAMED = 3


def event_line(event: Mapping[str, Any]) -> str:
    """Return a published event as a line: when, who, what, until when, and why; of a meeting only when it begins."""
    data = event["data"]
    if event["type"] == REMINDER_TYPE:
        begins = f"a meeting begins at {data['meeting']['startsAt']}"
        return in_one_line(
            f"{event['time']}  {data['user']['email']}  {begins}  (reminder, {data['minutesBefore']} min before)"
        )
    presence = data["presence"]
    availability, activity = presence["availability"], presence["activity"]
    words = availability if availability == activity else f"{availability} / {activity}"
    until = f" until {presence['until']}" if presence.get("until") else ""
    freshness = "" if data.get("freshness", "current") == "current" else f", {data['freshness']}"
    reason = data["reason"]
    return in_one_line(
        f"{event['time']}  {data['user']['email']}  {words}{until}{freshness}"
        f"  ({reason['source']}, {reason['rule']}; version {data['version']})"
    )


def problem_line(news: ProblemNews, now: datetime) -> str:
    """Return news of problems as a line, whatever a server wrote into it; `now` is an instant in UTC."""
    who = ", ".join(news.names[:_NAMED])
    if len(news.names) > _NAMED:
        who += f" and {len(news.names) - _NAMED} more"
    if news.problem is None:
        return f"{format_instant(now)}  solved: {who} can be read again"
    problem = news.problem
    return in_one_line(
        f"{format_instant(now)}  problem: {who}: {problem.code}: {problem.text}. To do: {problem.remedy}"
    )
