"""Who is in the organisation: two people whose server tells times only, one of them with a profile, and a third."""

from __future__ import annotations

from presence.records import User

USERS = (
    User("a" * 32, "alice@example.com"),
    User("0b" * 16, "bob@example.com", "own"),
    User("1c" * 16, "carol@example.org"),
)
