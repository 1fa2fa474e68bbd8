"""What came of a check, in numbers and in people, for logs and metrics."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from presence.errors import UsersFailed
from presence.log_names import Person
from presence.records import PresenceRecord


@dataclass(slots=True)
class CheckSummary:
    """What came of a request, in numbers of users.

    `problems` counts the users whose mailbox could not be read or has no data for now, by code; `unread` is how many of
    them are not asked for again before their next turn. `replies_problems` counts those whose calendar was read,
    but not their automatic replies, by code. `dropped` are those whose next turn has come, who were removed, or whose
    calendar is switched off; `unknown_profiles` those whose own profile is not known. `errors` are those whose record
    could not be read or written, by user id: their message has to come back, which is harmless to the others.
    `changed` are those who have a new version to be published, `problems_begun` those who had no such problem before,
    by code.
    """

    checked: int = 0
    written: int = 0
    published: int = 0
    retried: int = 0
    dropped: int = 0
    unknown_profiles: int = 0
    problems: dict[str, int] = field(default_factory=dict)
    replies_problems: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    errors: dict[str, Exception] = field(default_factory=dict)
    changed: list[Person] = field(default_factory=list)
    problems_begun: defaultdict[str, list[Person]] = field(default_factory=lambda: defaultdict(list))

    def as_details(self) -> dict[str, object]:
        """Return numbers and people for a log line; zeros and nobody are left out."""
        details = {
            "checked": self.checked,
            "written": self.written,
            "published": self.published,
            "retried": self.retried,
            "dropped": self.dropped,
            "unknown_profiles": self.unknown_profiles,
            "problems": self.problems,
            "replies_problems": self.replies_problems,
            "changed": self.changed,
            "problems_begun": self.problems_begun,
        }
        return {name: detail for name, detail in details.items() if detail}

    def note_written(self, before: PresenceRecord | None, after: PresenceRecord) -> None:
        """Note that a record was written, and what is new about it."""
        person = Person(after.user_id, after.address)
        self.written += 1
        if before is None or after.version != before.version:
            self.published += 1
            self.changed.append(person)
        if after.problem is not None:
            code = after.problem.problem.code
            if before is None or before.problem is None or before.problem.problem.code != code:
                self.problems_begun[code].append(person)

    def raise_errors(self) -> None:
        """Raise `UsersFailed` if the records of some users could not be read or written."""
        if self.errors:
            raise UsersFailed(self.errors)
