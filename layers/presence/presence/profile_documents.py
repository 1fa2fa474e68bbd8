"""The profiles that operators write, and to whom they assign them: two keys of the gateways document.

`docs/profiles.md` describes them. Every mistake is a `ConfigurationError` of one line: where, why, what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from presence.addresses import domain_of, in_own_script, parse_smtp_address
from presence.documents import Section
from presence.errors import InvalidAddress
from presence.mapping import Kind, PrivateEntries, Profile
from presence.presences import Activity, Availability, Presence, parse_presence
from presence.profiles import ALL_OTHER_DOMAINS, BUILT_IN, DEFAULT, Profiles, group_key, unknown_profile

PROFILES = "profiles"
ASSIGNMENTS = "profile_assignments"
NOTHING = "none"
CLAIM, NOTE = "claim", "note"

MOST_PROFILES = 100
LONGEST_MINIMUM = 1440
LONGEST_GAP = 60
LONGEST_BY_HAND = 1440
"""Minutes. A day is the longest entry to pass over, and by hand is for a day, not for good. In a gap of more than an
hour the entry before it would be forgotten (`knowledge.LOOKS_BACK`), and it would open again."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_MINUTE = timedelta(minutes=1)
_NOT_FREE = frozenset({Kind.OUT_OF_OFFICE, Kind.BUSY, Kind.AUTOMATIC_REPLY})
_FREE = frozenset({Availability.AVAILABLE, Availability.AVAILABLE_IDLE})
_ALLOWED = (
    f"write {NOTHING!r}, or one of {', '.join(word for word in Availability if word is not Availability.UNKNOWN)}; "
    f"after a slash may stand one of {', '.join(word for word in Activity if word is not Activity.UNKNOWN)}"
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A profile of the document whose own keys are not read yet, since those of its base come first."""

    name: str
    base: str
    section: Section


def parse_profiles(document: Mapping[str, object]) -> Profiles:
    """Return the profiles of a gateways document, the built-in ones included; other keys are not looked at.

    Raises `ConfigurationError`.
    """
    return take_profiles(Section(document))


def take_profiles(root: Section) -> Profiles:
    """Take the keys `profiles` and `profile_assignments` out of a document. Raises `ConfigurationError`."""
    drafts = _drafts(root.sections(PROFILES, required=False))
    by_name = dict(BUILT_IN.by_name)
    for draft in drafts.values():
        for ancestor in reversed(_ancestry(draft, drafts)):
            if ancestor.name not in by_name:
                by_name[ancestor.name] = _profile(ancestor, by_name[ancestor.base])
    in_order = {name: by_name[name] for name in (*BUILT_IN.by_name, *drafts)}
    return _with_assignments(Profiles(MappingProxyType(in_order)), root.sections(ASSIGNMENTS, required=False))


def _drafts(sections: Iterable[Section]) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    taken: dict[str, str] = {}
    for section in sections:
        name = section.text("name")
        if len(drafts) == MOST_PROFILES:
            raise section.refuse("name", f"there are more than {MOST_PROFILES} profiles")
        if not _NAME.fullmatch(name):
            raise section.refuse("name", "must be letters, digits, and . _ - only, starting with a letter or digit")
        if name.lower() in BUILT_IN.by_name:
            raise section.refuse("name", f"{name!r} is built in; choose another name, and based_on = {name.lower()!r}")
        if name.lower() in taken:
            raise section.refuse("name", f"{name!r} is the name of another profile, {taken[name.lower()]}")
        taken[name.lower()] = section.where("name")
        drafts[name] = _Draft(name, section.text("based_on", DEFAULT.name), section)
    return drafts


def _ancestry(draft: _Draft, drafts: Mapping[str, _Draft]) -> list[_Draft]:
    """Return a profile and those of the document that it rests on, itself first."""
    line = [draft]
    while (last := line[-1]).base not in BUILT_IN.by_name:
        if last.base not in drafts:
            raise last.section.refuse("based_on", unknown_profile(last.base, (*BUILT_IN.by_name, *drafts)))
        if last.base in {profile.name for profile in line}:
            path = " -> ".join([*(profile.name for profile in line), last.base])
            raise last.section.refuse("based_on", f"the profiles rest on each other: {path:.200}")
        line.append(drafts[last.base])
    return line


def _profile(draft: _Draft, base: Profile) -> Profile:
    section = draft.section
    presences = _presences(section.section("presences"), base)
    profile = replace(
        base,
        name=draft.name,
        presences=MappingProxyType(presences),
        meeting=_meeting(section, base, busy=Kind.BUSY in presences),
        order=_order(section) if section.has("order") else base.order,
        all_day_busy=section.flag("all_day_busy", default=base.all_day_busy),
        private=section.choice("private", PrivateEntries, base.private),
        minimum_length=_minutes(section, "minimum_length_minutes", base.minimum_length, 0, LONGEST_MINIMUM),
        close_gaps=_minutes(section, "close_gaps_minutes", base.close_gaps, 0, LONGEST_GAP),
        replies_switched_on_claim=_replies_claim(section, base, claims=Kind.AUTOMATIC_REPLY in presences),
        longest_by_hand=_minutes(section, "longest_by_hand_minutes", base.longest_by_hand, 1, LONGEST_BY_HAND),
    )
    section.finish()
    return profile


def _presences(section: Section, base: Profile) -> dict[Kind, Presence]:
    presences = dict(base.presences)
    if section.has(Kind.BY_HAND):
        raise section.refuse(Kind.BY_HAND, "what is set by hand brings its own presence")
    for kind in Kind:
        if not section.has(kind):
            continue
        presence = _presence(section, kind, not_free=kind in _NOT_FREE)
        presences.pop(kind, None)
        if presence is not None:
            presences[kind] = presence
    allowed = ", ".join(kind for kind in Kind if kind is not Kind.BY_HAND)
    section.finish(f"this kind is not known; known are {allowed}")
    return presences


def _presence(section: Section, key: str, *, not_free: bool) -> Presence | None:
    text = section.text(key)
    if text == NOTHING:
        return None
    try:
        presence = parse_presence(text)
    except ValueError as error:
        raise section.refuse(key, f"{text!r:.60} is no presence; {_ALLOWED}") from error
    if presence.availability is Availability.UNKNOWN or presence.activity is Activity.UNKNOWN:
        raise section.refuse(key, f"{text!r:.60} is for missing data only; to claim nothing write {NOTHING!r}")
    if not_free and (presence.availability in _FREE or presence.activity is Activity.AVAILABLE):
        raise section.refuse(
            key, f"{text!r:.60} would hide that somebody is not free; to claim nothing write {NOTHING!r}"
        )
    return presence


def _meeting(section: Section, base: Profile, *, busy: bool) -> Presence | None:
    written = section.has("meeting")
    meeting = _presence(section, "meeting", not_free=True) if written else base.meeting
    if written and meeting is not None and not busy:
        raise section.refuse("meeting", f"has no effect, since presences.busy is {NOTHING!r}")
    return meeting if busy else None


def _order(section: Section) -> tuple[Kind, ...]:
    texts = section.texts("order", required=True)
    for index, text in enumerate(texts):
        if text not in set(Kind):
            raise section.refuse(f"order[{index}]", f"{text!r:.40} is no kind; known are {', '.join(Kind)}")
        if text in texts[:index]:
            raise section.refuse(f"order[{index}]", f"{text!r} stands there twice")
    if missing := [kind for kind in Kind if kind not in texts]:
        raise section.refuse("order", f"must name every kind, the strongest first; missing: {', '.join(missing)}")
    return tuple(Kind(text) for text in texts)


def _minutes(section: Section, key: str, base: timedelta, least: int, most: int) -> timedelta:
    minutes = section.number(key, base // _MINUTE)
    if not least <= minutes <= most:
        raise section.refuse(key, f"must be from {least} to {most} minutes")
    return minutes * _MINUTE


def _replies_claim(section: Section, base: Profile, *, claims: bool) -> bool:
    written = section.has("replies_switched_on")
    claim = section.choice("replies_switched_on", (CLAIM, NOTE), CLAIM if base.replies_switched_on_claim else NOTE)
    if claim == CLAIM and written and not claims:
        raise section.refuse("replies_switched_on", f"has no effect, since presences.automatic-reply is {NOTHING!r}")
    return claim == CLAIM and claims


def _with_assignments(profiles: Profiles, sections: Iterable[Section]) -> Profiles:
    users: dict[str, str] = {}
    groups: dict[str, str] = {}
    domains: dict[str, str] = {}
    for section in sections:
        profile = section.text("profile")
        if profile not in profiles.by_name:
            raise section.refuse("profile", unknown_profile(profile, profiles.by_name))
        named = [
            _assign(section, "domains", _domain, domains, profile),
            _assign(section, "groups", group_key, groups, profile),
            _assign(section, "users", _user, users, profile),
        ]
        if not any(named):
            raise section.refuse("profile", "is assigned to nobody; give domains, groups or users")
        section.finish()
    return replace(profiles, users=users, groups=groups, domains=domains)


def _assign(section: Section, key: str, spelling: Callable[[str], str], assigned: dict[str, str], profile: str) -> bool:
    """Assign the profile to all that a list names, and tell whether it names any."""
    texts = section.texts(key)
    for index, text in enumerate(texts):
        where = f"{key}[{index}]"
        try:
            name = spelling(text)
        except InvalidAddress as error:
            raise section.refuse(where, str(error)) from error
        if name in assigned:
            raise section.refuse(where, f"{text!r:.260} has the profile {assigned[name]!r} already")
        assigned[name] = profile
    return bool(texts)


def _user(text: str) -> str:
    return in_own_script(parse_smtp_address(text))


def _domain(text: str) -> str:
    if text == ALL_OTHER_DOMAINS:
        return text
    try:
        return domain_of(_user(f"x@{text}"))
    except InvalidAddress as error:
        raise InvalidAddress(f"{text!r:.260} is no domain") from error
