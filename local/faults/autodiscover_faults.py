"""Faults of autodiscover: answers that lead nowhere, in a circle, or to strangers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from local.exchange.autodiscover import ENVELOPE, RESPONSE_SCHEMA
from local.exchange.faults import Fault
from local.faults.ews_faults import of_the_organisation
from local.faults.places import AUTODISCOVER, AUTODISCOVER_PATH, AUTODISCOVER_SOAP_PATH, STRUCK
from local.faults.stage import Effect, Stage
from local.faults.tcp_faults import standing


def moved_to(stage: Stage, address: str) -> Effect:
    """Let autodiscover say of one mailbox that it has another address now."""
    stage.organisation.change_mailbox(STRUCK, redirect_address=address)
    stage.undo.callback(stage.organisation.change_mailbox, STRUCK, redirect_address=None)
    return of_the_organisation(stage)


def referred_to(stage: Stage, url: str) -> Effect:
    """Let autodiscover refer to another service for one mailbox."""
    stage.organisation.change_mailbox(STRUCK, redirect_url=url)
    stage.undo.callback(stage.organisation.change_mailbox, STRUCK, redirect_url=None)
    return of_the_organisation(stage)


def pox_error(stage: Stage, code: int, host: str = AUTODISCOVER) -> Effect:
    """Let autodiscover answer with one of its own error codes."""
    error = f'<Response><Error Time="10:00:07" Id="1"><ErrorCode>{code}</ErrorCode></Error></Response>'
    return _answer(stage, host, error)


def pox_endpoint(stage: Stage, url: str, host: str = AUTODISCOVER) -> Effect:
    """Let autodiscover name another EWS URL."""
    return _settings(stage, host, f"<Protocol><Type>EXPR</Type><ASUrl>{url}</ASUrl><EwsUrl>{url}</EwsUrl></Protocol>")


def pox_without_endpoint(stage: Stage, host: str = AUTODISCOVER) -> Effect:
    """Let autodiscover name no EWS URL."""
    return _settings(stage, host, "<Protocol><Type>WEB</Type></Protocol>")


def pox_body(stage: Stage, body: str, host: str = AUTODISCOVER) -> Effect:
    """Let autodiscover answer with something else, and in this way alone."""
    no_soap = Fault(status=404, before_authentication=True)
    standing(stage, host, AUTODISCOVER_SOAP_PATH, no_soap)
    return standing(stage, host, AUTODISCOVER_PATH, Fault(body=body.encode()))


def _settings(stage: Stage, host: str, protocols: str) -> Effect:
    account = f"<Account><AccountType>email</AccountType><Action>settings</Action>{protocols}</Account>"
    return _answer(stage, host, f'<Response xmlns="{RESPONSE_SCHEMA}">{account}</Response>')


def _answer(stage: Stage, host: str, response: str) -> Effect:
    return pox_body(stage, f'<?xml version="1.0"?><Autodiscover xmlns="{ENVELOPE}">{response}</Autodiscover>', host)


INJECTIONS: Mapping[str, Callable[..., Effect]] = {
    "moved-to": moved_to,
    "referred-to": referred_to,
    "pox-error": pox_error,
    "pox-endpoint": pox_endpoint,
    "pox-without-endpoint": pox_without_endpoint,
    "pox-body": pox_body,
}
