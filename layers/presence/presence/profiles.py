"""The profiles that come with the product, and which profile a user has.

`presence.profile_documents` reads those that operators write. The built-in ones are the columns of the table in
domain.md, "Words"; their rules are the defaults of "Presence as claims".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from presence.addresses import domain_of, in_own_script
from presence.errors import ConfigurationError
from presence.mapping import Kind, Profile
from presence.presences import AVAILABLE, Activity, Availability, Presence

ALL_OTHER_DOMAINS = "*"

_AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
_BUSY = Presence(Availability.BUSY, Activity.BUSY)
_MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
_ELSEWHERE = Presence(Availability.AVAILABLE, Activity.WORKING_ELSEWHERE)

DEFAULT = Profile(
    name="default",
    presences=MappingProxyType(
        {
            Kind.OUT_OF_OFFICE: _AWAY,
            Kind.BUSY: _BUSY,
            Kind.AUTOMATIC_REPLY: _AWAY,
            Kind.WORKING_ELSEWHERE: _ELSEWHERE,
        }
    ),
    meeting=_MEETING,
)
"""Of everybody to whom no other is assigned."""

LYNC = replace(
    DEFAULT, name="lync", presences=MappingProxyType({**DEFAULT.presences, Kind.WORKING_ELSEWHERE: AVAILABLE})
)
"""As a Lync client shows it, which knows no WorkingElsewhere."""

CISCO_9 = replace(LYNC, name="cisco-9", meeting=None)
"""As IM and Presence 9 shows it: one word, Idle/Busy, for all that is busy."""

CISCO_15 = replace(CISCO_9, name="cisco-15", presences=MappingProxyType({**CISCO_9.presences, Kind.BUSY: _MEETING}))
"""As IM and Presence 15 shows it: In a meeting for all that is busy."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """The profile of a user, why it is this one, and what was wrong with the user's own choice (None: nothing)."""

    profile: Profile
    reason: str
    mistake: str | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles by name, and to whom they are assigned.

    `users` has profile names by SMTP address, `groups` by `group_key`, the first of them that a user is in counts,
    `domains` by domain, `*` for all that are not named. International domains are there in their own script.
    """

    by_name: Mapping[str, Profile]
    users: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> Profile:
        """Return the profile of that name. Raises `ConfigurationError`, which names those that there are."""
        if name not in self.by_name:
            raise ConfigurationError(unknown_profile(name, self.by_name))
        return self.by_name[name]

    def profile_for(self, address: str, profile: str | None = None, groups: Sequence[str] = ()) -> Assignment:
        """Return the profile of the user with this SMTP address, who is in these groups.

        `profile` is the choice that stands on the user. If it names none, what is assigned counts, and the mistake is
        told: a profile that was taken out of the document must not stop the reading of a calendar.
        """
        if profile is not None and profile in self.by_name:
            return Assignment(self.by_name[profile], "it stands on the user")
        name, reason = self._assigned(address, groups)
        mistake = None if profile is None else f"the profile of {address}: {unknown_profile(profile, self.by_name)}"
        return Assignment(self.by_name[name], reason, mistake)

    def _assigned(self, address: str, groups: Sequence[str]) -> tuple[str, str]:
        written = in_own_script(address)
        if written in self.users:
            return self.users[written], "it is assigned to the user"
        if groups and self.groups:
            mine = {group_key(group): group for group in groups}
            for group, name in self.groups.items():
                if group in mine:
                    return name, f"it is assigned to the group {mine[group]}"
        domain = domain_of(written)
        if domain in self.domains:
            return self.domains[domain], f"it is assigned to the domain {domain}"
        if ALL_OTHER_DOMAINS in self.domains:
            return self.domains[ALL_OTHER_DOMAINS], "it is assigned to all other domains"
        return DEFAULT.name, "no other is assigned"


def group_key(name: str) -> str:
    """Return the spelling by which groups are compared: directories tell no capitals from small letters."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def unknown_profile(name: str, known: Iterable[str]) -> str:
    """Say that a profile is not known, and which are."""
    return f"{name!r:.40} is no profile; known are {', '.join(known)}"


BUILT_IN = Profiles(MappingProxyType({profile.name: profile for profile in (DEFAULT, CISCO_9, CISCO_15, LYNC)}))
"""What there is without a document: every user has the default."""
