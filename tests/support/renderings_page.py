"""Writes docs/events/renderings.md from the renderings themselves, so that the page can't say anything else.

`PYTHONPATH=layers/presence .venv/bin/python -m tests.support.renderings_page > docs/events/renderings.md`
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from presence.calendar import BusyType
from presence.presences import Presence, parse_presence
from presence.renderings import World, render
from presence.renderings.cisco import CiscoRelease, cisco_label
from presence.renderings.labels import Language, calendar_label, presence_label
from presence.renderings.lync import lync_state
from presence.renderings.pidf import basic, rpid_activities
from presence.renderings.slack import slack_status
from presence.renderings.xmpp import XmppPresence, xmpp_presence

USUAL = [
    parse_presence(text)
    for text in (
        "Available / Available",
        "Available / WorkingElsewhere",
        "AvailableIdle / Inactive",
        "Busy / Busy",
        "Busy / InAMeeting",
        "Busy / InACall",
        "Busy / InAConferenceCall",
        "BusyIdle / Busy",
        "DoNotDisturb / DoNotDisturb",
        "DoNotDisturb / Presenting",
        "DoNotDisturb / UrgentInterruptionsOnly",
        "BeRightBack / BeRightBack",
        "Away / Away",
        "Away / OutOfOffice",
        "Offline / OffWork",
        "Offline / Offline",
        "PresenceUnknown / PresenceUnknown",
    )
]
"""Pairs that occur, between them every availability and every activity."""

_EXAMPLE = parse_presence("Busy / InAMeeting")
_SINCE = datetime(2026, 11, 21, 14, tzinfo=UTC)
_UNTIL = datetime(2026, 11, 21, 15, tzinfo=UTC)

_INTRODUCTION = """\
# What a presence looks like elsewhere

Events carry an availability and an activity in the words of Microsoft Graph's presence resource. The modules of
`presence.renderings` turn them into what other systems show; each names its source. A test fails where this page is
not what the modules say; `tests/support/renderings_page.py` writes it anew.

Two rules hold in every world and for every availability with every activity, usual or not:

* What is unknown, be it the availability or the activity, is unknown or offline, and never available.
* An activity of somebody available (`Available`, `WorkingElsewhere`) says nothing beside another availability:
  `Away / Available` is shown as `Away / Away`.

Available with `reason.source` `none` only means that nothing claims otherwise: a system with a presence of its own
leaves that as it is.
"""

_NOTES = """\
* **Cisco**: IM and Presence folds every busy stretch of a calendar into Idle/Busy; from release 15 on it is In a
  meeting, known to be one or not.
* **XMPP** (RFC 6121): a presence without `show` means available, and there is no `show` for "unknown". So who is
  offline or unknown is sent as `unavailable`, the one presence that claims nothing. Busy is `away` with its text;
  `dnd`, which silences people in many clients, is for whoever asks for it (`busy_as`).
* **PIDF** (RFC 3863) with activities (RFC 4480): `basic` says whether a message reaches somebody, the activities what
  they do. Out of office is `away` and never `vacation`: the reason is not ours to tell. `until` is left out where a
  stack does not publish it.
* **Lync**: 0 to 4499 is read as available, so unknown is 18500, offline.
* **Slack**: an empty status clears the one that somebody has. `status_expiration` is the end of the presence in seconds
  since 1970, rounded up to the whole second; 0 where no end is known.
"""


def page() -> str:
    """Return the whole page."""
    return (
        "\n".join(
            [
                _INTRODUCTION,
                "## In each world\n",
                *_table(("Presence", "Text", "Cisco 9", "Cisco 15", "XMPP", "PIDF", "Lync", "Slack"), map(_row, USUAL)),
                _NOTES,
                "## In Japanese\n",
                *_table(("Presence", "Text", "Cisco 9", "Cisco 15"), map(_row_in_japanese, USUAL)),
                "Status of a calendar entry; out of office is away from Outlook 2010 on:\n",
                *_table(("Status", "English", "Japanese"), _calendar_rows()),
                "## An example of each\n",
                "`Busy / InAMeeting` of alice@example.com, from 14:00 to 15:00 UTC:\n",
                *(f"`{world}`\n\n```\n{_example(world)}\n```\n" for world in World),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def _row(presence: Presence) -> list[str]:
    slack = slack_status(presence)
    return [
        str(presence),
        presence_label(presence),
        cisco_label(presence, CiscoRelease.NINE),
        cisco_label(presence, CiscoRelease.FIFTEEN),
        _xmpp_in_words(xmpp_presence(presence)),
        ", ".join([basic(presence), *rpid_activities(presence)]),
        str(lync_state(presence)),
        f"`{slack.emoji}` {slack.text}" if slack.text else "(cleared)",
    ]


def _row_in_japanese(presence: Presence) -> list[str]:
    return [
        str(presence),
        presence_label(presence, Language.JAPANESE),
        cisco_label(presence, CiscoRelease.NINE, Language.JAPANESE),
        cisco_label(presence, CiscoRelease.FIFTEEN, Language.JAPANESE),
    ]


def _xmpp_in_words(presence: XmppPresence) -> str:
    show = presence.show or ("(none)" if presence.is_available else "unavailable")
    return f"{show}, {presence.status}" if presence.status else show


def _calendar_rows() -> list[list[str]]:
    rows = [
        [busy_type, calendar_label(busy_type), calendar_label(busy_type, Language.JAPANESE)] for busy_type in BusyType
    ]
    away = [calendar_label(BusyType.OUT_OF_OFFICE, language, outlook=2010) for language in Language]
    return [*rows, [f"{BusyType.OUT_OF_OFFICE}, Outlook 2010", *away]]


def _example(world: World) -> str:
    return render(world, _EXAMPLE, address="alice@example.com", since=_SINCE, until=_UNTIL).rstrip("\n")


if __name__ == "__main__":
    sys.stdout.write(page())
