"""The profiles as operators have them now: those of the stack's gateways document, and the built-in ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from presence.current_document import CurrentDocument, Report
from presence.profile_documents import parse_profiles
from presence.profiles import BUILT_IN, Profiles
from presence.tables.configuration import GATEWAYS, ConfigTable


def current_profiles(
    configuration: ConfigTable, clock: Callable[[], datetime], report: Report
) -> Callable[[], Profiles]:
    """Return what gives the profiles as they stand; `clock` gives the present instant in UTC."""
    document = CurrentDocument(
        "the part with the profiles", lambda: configuration.document(GATEWAYS), parse_profiles, BUILT_IN, clock, report
    )
    return document.get
