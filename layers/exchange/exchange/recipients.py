"""What an address of a directory stands for, and which kinds a gateway takes.

A directory tells it (msExchRecipientTypeDetails). Exchange does not: to free/busy a room is a mailbox like any other,
and only a distribution list shows, by an answer without entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from presence.documents import Section


class RecipientKind(StrEnum):
    """What stands behind an address."""

    PERSON = "a mailbox of a person"
    SHARED_MAILBOX = "a shared mailbox"
    ROOM = "a room or equipment"
    DISTRIBUTION_LIST = "a distribution list"
    NO_MAILBOX = "no mailbox"


class Treatment(StrEnum):
    """What is done with a kind of recipient."""

    TAKE = "take"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class RecipientPolicy:
    """Which kinds a gateway takes beside the mailboxes of people."""

    distribution_lists: Treatment = Treatment.REFUSE
    rooms: Treatment = Treatment.TAKE
    shared_mailboxes: Treatment = Treatment.TAKE

    def key_that_refuses(self, kind: RecipientKind) -> str | None:
        """Return the key of the document by which a kind is refused; None if it is taken."""
        treatments = {
            RecipientKind.DISTRIBUTION_LIST: ("distribution_lists", self.distribution_lists),
            RecipientKind.ROOM: ("rooms", self.rooms),
            RecipientKind.SHARED_MAILBOX: ("shared_mailboxes", self.shared_mailboxes),
        }
        key, treatment = treatments.get(kind, ("", Treatment.TAKE))
        return key if treatment is Treatment.REFUSE else None

    def in_words(self) -> str:
        """Return which kinds are taken and which are not."""
        kinds = {
            "distribution lists": self.distribution_lists,
            "rooms": self.rooms,
            "shared mailboxes": self.shared_mailboxes,
        }
        told = (
            f"{verb} {', '.join(kind for kind, treatment in kinds.items() if treatment is wanted)}"
            for verb, wanted in (("takes", Treatment.TAKE), ("refuses", Treatment.REFUSE))
            if wanted in kinds.values()
        )
        return "; ".join(told)


USUAL_RECIPIENTS = RecipientPolicy()


def take_recipient_policy(section: Section) -> RecipientPolicy:
    """Take the keys of recipients out of a gateway's section. Raises `ConfigurationError`."""
    usual = USUAL_RECIPIENTS
    return RecipientPolicy(
        section.choice("distribution_lists", Treatment, usual.distribution_lists),
        section.choice("rooms", Treatment, usual.rooms),
        section.choice("shared_mailboxes", Treatment, usual.shared_mailboxes),
    )


# Exchange's own enumeration RecipientTypeDetails: one bit each. "Remote" ones are kept by Exchange Online.
# User, linked, legacy and remote mailboxes; mail users and contacts, whose mailbox another Exchange may have.
_PEOPLE = (1 << 0, 1 << 1, 1 << 3, 1 << 6, 1 << 7, 1 << 15, 1 << 31)
_SHARED = (1 << 2, 1 << 35)
_ROOMS = (1 << 4, 1 << 5, 1 << 33, 1 << 34, 1 << 41)  # room, equipment, remote room, remote equipment, linked room
# Mail-enabled and other groups, dynamic ones, role groups, lists of rooms, groups of Exchange Online.
_LISTS = (1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 18, 1 << 19, 1 << 20, 1 << 28, 1 << 30, 1 << 40, 1 << 43)
_LARGEST = 1 << 62

_KINDS: Mapping[int, RecipientKind] = {
    **dict.fromkeys(_PEOPLE, RecipientKind.PERSON),
    **dict.fromkeys(_SHARED, RecipientKind.SHARED_MAILBOX),
    **dict.fromkeys(_ROOMS, RecipientKind.ROOM),
    **dict.fromkeys(_LISTS, RecipientKind.DISTRIBUTION_LIST),
}


def recipient_kind(type_details: str) -> RecipientKind:
    """Return what a value of msExchRecipientTypeDetails stands for.

    Users without mail, public folders and Exchange's own mailboxes are `NO_MAILBOX`, and so is a value that came with
    a later version. Raises ValueError for what is no such value at all.
    """
    number = int(type_details) if type_details.isascii() and type_details.isdigit() else -1
    if not 0 < number <= _LARGEST or number & (number - 1):
        raise ValueError(f"{type_details!r:.40} is no value of msExchRecipientTypeDetails")
    return _KINDS.get(number, RecipientKind.NO_MAILBOX)
