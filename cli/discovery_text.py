"""How a mailbox was looked for, and what was told of it, for `presence check`. Nothing secret is in either."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cli.certificates import certificates_as_json
from exchange.autodiscover.answers import ServiceUrls, Settings
from exchange.autodiscover.trace import TraceStep
from exchange.locating import Resolution
from exchange.tls.certificates import SeenCertificate
from exchange.web.hosts import split_https_url

_EWS_PATH = "/ews/exchange.asmx"


def steps_as_lines(resolution: Resolution, now: datetime) -> Iterator[str]:
    """Yield each step, numbered, with what it met; `now` (UTC) is the instant for the days that certificates have."""
    yield "How the mailbox was looked for"
    for number, step in enumerate(resolution.trace, 1):
        where = f" at {', '.join(step.addresses)}" if step.addresses else ""
        status = f" HTTP {step.status}" if step.status is not None else ""
        yield f"  {number}. {step.step}: {step.asked}{where}{status} ({step.milliseconds} ms): {step.sentence}"
        if step.certificate is not None:
            yield f"     certificate: {_certificate(step.certificate, now)}"
    if not resolution.trace:
        yield "  no step was taken"


def steps_as_json(resolution: Resolution, now: datetime) -> list[dict[str, object]]:
    """Return an object for each step."""
    return [_step(step, now) for step in resolution.trace]


def settings_as_lines(settings: Settings) -> Iterator[str]:
    """Yield the URLs that autodiscover told, whether they are asked or not."""
    yield "What autodiscover told"
    for side, urls in (("external", settings.external), ("internal", settings.internal)):
        yield f"  EWS {side} URL: {'not told' if urls is None else _shown(urls.ews)}"
        if urls is not None and urls.oof is not None:
            yield f"  OOF {side} URL: {_shown(urls.oof)}"
    if settings.schemas:
        yield f"  EWS speaks {', '.join(settings.schemas)}"


def settings_as_json(settings: Settings | None) -> dict[str, object] | None:
    """Return the URLs as one object; null where autodiscover told none, or was not asked."""
    if settings is None:
        return None
    return {
        "external": _urls(settings.external),
        "internal": _urls(settings.internal),
        "schemas": list(settings.schemas),
    }


def _certificate(seen: SeenCertificate, now: datetime) -> str:
    told = f"{seen.verdict}{f', {seen.fault}' if seen.fault else ''}"
    if not seen.chain or seen.ends_first is None:
        return told
    own = seen.chain[0]
    return f"{told}; {own.subject or 'no subject'}, issued by {own.issuer}, {seen.ends_first.days_left(now)} days left"


def _step(step: TraceStep, now: datetime) -> dict[str, object]:
    seen = step.certificate
    return {
        "step": step.step,
        "asked": step.asked,
        "addresses": list(step.addresses),
        "certificate": None if seen is None else certificates_as_json([seen], now)[0],
        "status": step.status,
        "milliseconds": step.milliseconds,
        "sentence": step.sentence,
    }


def _urls(urls: ServiceUrls | None) -> dict[str, object] | None:
    if urls is None:
        return None
    return {"ews": _shown(urls.ews), "oof": None if urls.oof is None else _shown(urls.oof)}


def _shown(url: str) -> str:
    """Return an URL with the path that Exchange has for it; a server may have put anything into another one."""
    try:
        host, path = split_https_url(url)
    except ValueError as error:
        return f"one that {error}"
    return f"https://{host.in_url}{path if path.lower() == _EWS_PATH else '/…'}"
