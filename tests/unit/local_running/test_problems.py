"""Problems are told once, when they come and when they go."""

from __future__ import annotations

from datetime import UTC, datetime

from exchange.gateway_problems import GatewayProblem
from local.running.problems import ProblemNews, problem_news
from presence.errors import Problem, ProblemKind

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
NOT_FOUND = Problem("MailboxNotFound", ProblemKind.LASTING, "there is no such mailbox", "check the address")
AWAY = Problem("HostAway", ProblemKind.PASSING, "mail.example.com does not answer", "see whether it runs")
AWAY_OTHERWISE = Problem(
    "HostAway", ProblemKind.PASSING, "mail.example.com refuses the connection", "see whether it runs"
)


def test_users_with_the_same_kind_of_problem_are_told_together() -> None:
    present = {"b@example.com": AWAY, "c@example.com": NOT_FOUND, "a@example.com": AWAY_OTHERWISE}
    assert problem_news({}, present) == [
        ProblemNews(("a@example.com", "b@example.com"), AWAY),
        ProblemNews(("c@example.com",), NOT_FOUND),
    ]


def test_a_gateway_is_told_apart_from_its_users() -> None:
    of_the_gateway = GatewayProblem(AWAY.code, AWAY.text, AWAY.remedy, NOW)
    present: dict[str, Problem | GatewayProblem] = {"gateway headquarters": of_the_gateway, "a@example.com": AWAY}
    assert problem_news({}, present) == [
        ProblemNews(("gateway headquarters",), of_the_gateway),
        ProblemNews(("a@example.com",), AWAY),
    ]
    assert problem_news(present, {}) == [ProblemNews(("a@example.com", "gateway headquarters"), None)]


def test_what_stays_is_not_told_again_though_its_words_change() -> None:
    assert problem_news({"a@example.com": AWAY}, {"a@example.com": AWAY_OTHERWISE}) == []


def test_another_kind_of_problem_is_told_and_so_is_the_end_of_one() -> None:
    known = {"a@example.com": AWAY, "b@example.com": AWAY}
    assert problem_news(known, {"a@example.com": NOT_FOUND}) == [
        ProblemNews(("a@example.com",), NOT_FOUND),
        ProblemNews(("b@example.com",), None),
    ]
