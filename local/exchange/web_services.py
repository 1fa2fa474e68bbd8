"""Exchange Web Services of one host: takes the SOAP request apart, asks the organisation, answers or faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from local.exchange import automatic_replies, availability_answer, availability_request, calendar_folder
from local.exchange.http_messages import HttpAnswer
from local.exchange.soap import VERSIONS, Envelope, SoapFaultError, envelope, fault, open_envelope, schema_fault
from local.exchange.xml_reading import SchemaViolationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from local.exchange.accounts import Account
    from local.exchange.http_messages import HttpRequest
    from local.exchange.network import Host
    from local.exchange.organisation import Mailbox, Organisation

PATH = "/ews/exchange.asmx"
UNSUPPORTED_MEDIA_TYPE = 415


class WebServices:
    """The operations that a host offers for the mailboxes of its domains; others it does not know."""

    def __init__(self, organisation: Organisation, host: Host, clock: Callable[[], datetime]) -> None:
        self._organisation = organisation
        self._name = host.name
        self._domains = host.mailboxes
        self._refuses_mail_tips = host.refuses_mail_tips
        self._versions = VERSIONS[: VERSIONS.index(host.newest_version or VERSIONS[-1]) + 1]
        self._clock = clock

    def serves(self, address: str) -> bool:
        """Tell whether this host knows the address, and holds its mailbox."""
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or mailbox.server not in (None, self._name):
            return False
        return mailbox.address.rpartition("@")[2].lower() in self._domains

    def answer(self, request: HttpRequest, caller: Account) -> HttpAnswer:
        """Answer a signed-in request. Whatever is wrong with it becomes a SOAP fault, never an exception."""
        if not request.headers.get("content-type", "").lower().startswith("text/xml"):
            return HttpAnswer(UNSUPPORTED_MEDIA_TYPE)
        operation: str | None = None
        try:
            opened = open_envelope(request.body)
            operation = str(opened.request.tag).rpartition("}")[2].removesuffix("Request")
            body, addresses = self._operate(opened, caller)
        except SoapFaultError as error:
            return replace(fault(error), operation=operation)
        except SchemaViolationError as error:
            return replace(fault(schema_fault(error)), operation=operation)
        return replace(envelope(body), operation=operation, addresses=addresses)

    def _operate(self, opened: Envelope, caller: Account) -> tuple[str, tuple[str, ...]]:
        if opened.version not in self._versions:
            raise SoapFaultError("ErrorInvalidServerVersion", f"This server knows nothing of {opened.version}.")
        impersonated = self._impersonated(opened.impersonated, caller)
        match opened.request.tag:
            case availability_request.REQUEST:
                asked = availability_request.read_request(
                    opened.request, has_time_zone_context=opened.has_time_zone_context
                )
                return availability_answer.answer(asked, self._organisation, self.serves), asked.addresses
            case automatic_replies.MAIL_TIPS_REQUEST:
                if self._refuses_mail_tips is not None:
                    return automatic_replies.mail_tips_refusal(self._refuses_mail_tips), ()
                recipients = automatic_replies.read_mail_tips_request(opened.request)
                return (
                    automatic_replies.mail_tips_answer(recipients, self._organisation, self.serves, self._clock()),
                    recipients,
                )
            case calendar_folder.REQUEST:
                folder = calendar_folder.read_request(opened.request)
                answer = calendar_folder.answer(folder, caller, impersonated, self._organisation, self.serves)
                return answer, (folder.address or impersonated or "",)
            case automatic_replies.OOF_REQUEST:
                address = automatic_replies.read_oof_request(opened.request)
                mailbox = self._owned(address, impersonated or caller.address)
                return automatic_replies.oof_answer(mailbox, self._clock()), (address,)
            case tag:
                raise SoapFaultError("ErrorInvalidRequest", f"This server has no operation '{tag}'.")

    def _impersonated(self, identity: str | None, caller: Account) -> str | None:
        """Return the address of the mailbox in whose name the caller asks."""
        if identity is None:
            return None
        if not caller.may_impersonate:
            raise SoapFaultError(
                "ErrorImpersonateUserDenied", "The account does not have permission to impersonate the requested user."
            )
        mailbox = self._organisation.mailbox(identity)
        if mailbox is None or not self.serves(identity):
            raise SoapFaultError("ErrorNonExistentMailbox", "No mailbox with such an identity.")
        if mailbox.excluded:
            raise SoapFaultError(
                "ErrorImpersonateUserDenied", "The requested user is outside of the scope of the role."
            )
        return mailbox.address

    def _owned(self, address: str, owner: str | None) -> Mailbox:
        """Return a mailbox whose settings its owner asks for: nobody else gets them, not even from an administrator."""
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or not self.serves(address):
            raise SoapFaultError("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.")
        if owner is None or owner.lower() != mailbox.address.lower():
            raise SoapFaultError("ErrorAccessDenied", "User is not mailbox owner.")
        return mailbox
