"""What a response code means and what to do about it: the form in which the tables of codes are written."""

from __future__ import annotations

from dataclasses import dataclass

from presence.errors import ProblemKind

PASSING, LASTING, UNEXPECTED = ProblemKind.PASSING, ProblemKind.LASTING, ProblemKind.UNEXPECTED

WAIT = "nothing; it is tried again"
REPORT = "report this with the version of the program: the request itself was refused"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The kind of a code, what it says, what to do; `moved`: the mailbox may live elsewhere now, so look again."""

    kind: ProblemKind
    text: str
    remedy: str
    moved: bool = False


def table(*groups: tuple[Meaning, str]) -> dict[str, Meaning]:
    """Return the meaning of each code; a group is a meaning and the codes that have it, with spaces between them.

    Raises ValueError for a code that stands there twice.
    """
    meanings: dict[str, Meaning] = {}
    for meaning, codes in groups:
        for code in codes.split():
            if code in meanings:
                raise ValueError(f"{code} stands twice in a table of response codes")
            meanings[code] = meaning
    return meanings
