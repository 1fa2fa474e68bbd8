"""Asking one endpoint about many mailboxes, some at a time, so that what fails costs as few of them as it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from exchange.ews.response_codes import is_of_one_mailbox, stumbled
from exchange.locating import Resolution
from exchange.problems import CONNECTION_CODES
from presence.errors import Problem, ProblemError

Result = TypeVar("Result")
Ask = Callable[[str, Sequence[Resolution]], Sequence[Result | Problem]]
"""Asks an URL about mailboxes and returns their results in their order, or raises `ProblemError`."""

# With these the next URL is asked. One that rejects the account may be sick; how often that may be tried is
# decided where the account is kept.
_OF_ONE_HOST = CONNECTION_CODES | {"CredentialsRejected"}
# These judge one answer, not the endpoint: the next request to it may fare better.
OF_ONE_ANSWER = frozenset({"MalformedAnswer", "AnswerCountMismatch", "AnswerTooLarge"})


def ask_endpoint(
    urls: Sequence[str], resolutions: Sequence[Resolution], at_once: int, ask: Ask[Result]
) -> dict[str, Result | Problem]:
    """Return a result or a problem for each address.

    `ask` takes one of the URLs and up to `at_once` mailboxes, and returns their results in their order, or raises
    `ProblemError`. `urls` lead to the same Exchange, in the order of preference: one whose host can't be connected to,
    or rejects the account, is left out from then on. After a problem that is not of one answer, nor of the one mailbox
    asked for, nobody else is asked; after a time-out with one mailbox, one more.
    """
    left, alone = list(urls), at_once == 1
    results: dict[str, Result | Problem] = {}
    failed: Problem | None = None
    hung = False
    for chunk in _chunks(resolutions, at_once):
        if failed is not None:
            results.update({resolution.address: failed for resolution in chunk})
            continue
        try:
            found = _ask_first(left, chunk, ask)
        except ProblemError as error:
            results.update({resolution.address: error.problem for resolution in chunk})
            # Over one mailbox a server may hang; over two, one after the other, it is slow.
            may_go_on = alone and error.problem.code == "Timeout" and not hung
            hung = may_go_on
            failed = error.problem if ends_asking(error.problem, alone=alone) and not may_go_on else None
        else:
            hung = False
            pairs = zip(chunk, found, strict=True)
            results.update({resolution.address: result for resolution, result in pairs})
    return results


def _ask_first(urls: list[str], chunk: Sequence[Resolution], ask: Ask[Result]) -> Sequence[Result | Problem]:
    """Ask the first host that can be connected to and accepts the account; take those out that don't."""
    while True:
        try:
            return ask(urls[0], chunk)
        except ProblemError as error:
            if error.problem.code not in _OF_ONE_HOST or len(urls) == 1:
                raise
            urls.pop(0)


def ends_asking(problem: Problem, *, alone: bool) -> bool:
    """Tell whether others would have the same problem; `alone`: it came of a question about one mailbox."""
    if problem.code in OF_ONE_ANSWER:
        return False
    if not alone:
        return True
    code = problem.code
    return not (is_of_one_mailbox(code) or stumbled(code) or code == "AutomaticRepliesRefused")


def _chunks(resolutions: Sequence[Resolution], at_once: int) -> Iterator[Sequence[Resolution]]:
    for start in range(0, len(resolutions), at_once):
        yield resolutions[start : start + at_once]
