"""What the answers of EWS have in common: the response of an operation, its messages, their codes (messages.xsd)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from lxml import etree

from exchange.ews.problems import count_mismatch
from exchange.ews.response_codes import NO_ERROR, problem_for, shown_code
from exchange.ews.single import only_child, only_text
from exchange.ews.soap import MESSAGES, WHAT, back_off_seconds, fault_problem, soap_body
from exchange.web.bounded_xml import MalformedXml
from exchange.web.problems import malformed_answer
from presence.errors import Problem, ProblemError

_CODE = f"{{{MESSAGES}}}ResponseCode"
_Result = TypeVar("_Result")


@contextmanager
def usable_answer(host: str) -> Iterator[None]:
    """Raise `ProblemError` (MalformedAnswer) where reading an answer as a whole raises `MalformedXml`.

    `host` names the server in the problem.
    """
    try:
        yield
    except MalformedXml as error:
        raise ProblemError(malformed_answer(host, str(error))) from error


def response_in(document: bytes, name: str, host: str) -> etree._Element:
    """Return the response of an operation, for example `FindItemResponse`; `host` names the server in problems.

    Raises `ProblemError` with the code of a SOAP fault, and `MalformedXml` for anything else.
    """
    response = soap_body(document)
    fault = fault_problem(response, host)
    if fault is not None:
        raise ProblemError(fault)
    if response.tag != f"{{{MESSAGES}}}{name}":
        raise MalformedXml(f"{WHAT} holds no {name}")
    return response


def messages_in(response: etree._Element, array: str, name: str) -> list[etree._Element]:
    """Return what a response holds of one kind, in the array where it stands. Raises `MalformedXml`."""
    found = only_child(response, f"{{{MESSAGES}}}{array}")
    if found is None:
        raise MalformedXml(f"{_name(response)} has no {array}")
    messages, tag = list(found), f"{{{MESSAGES}}}{name}"
    if any(message.tag != tag for message in messages):
        raise MalformedXml(f"{array} holds something else than {name}")
    return messages


def refusal_in(message: etree._Element, whom: str) -> Problem | None:
    """Return the problem of the code of a message, None where it is a success; `whom` begins the sentence.

    Raises `MalformedXml` where there is no code, or where it does not agree with the class of the message.
    """
    code = only_text(message, _CODE)
    if not code:
        raise MalformedXml(f"{_name(message)} has no ResponseCode")
    if code != NO_ERROR:
        return problem_for(shown_code(code), whom, back_off_seconds(message))
    if message.get("ResponseClass") != "Success":
        raise MalformedXml(f"{_name(message)} has the code NoError and is no success")
    return None


def read_each(
    messages: Sequence[etree._Element],
    addresses: Sequence[str],
    host: str,
    read: Callable[[etree._Element, str], _Result | Problem],
    malformed: Callable[[str, str], Problem],
) -> tuple[_Result | Problem, ...]:
    """Return what `read` makes of the message about each mailbox; what is wrong with one costs only that one.

    Where `read` raises `MalformedXml`, `malformed` makes a problem of the address and of what is wrong. Raises
    `ProblemError` (AnswerCountMismatch) if there are more messages or fewer than mailboxes.
    """
    if len(messages) != len(addresses):
        raise ProblemError(count_mismatch(host, len(addresses), len(messages)))
    results: list[_Result | Problem] = []
    for message, address in zip(messages, addresses, strict=True):
        try:
            results.append(read(message, address))
        except MalformedXml as error:
            results.append(malformed(address, str(error)))
    return tuple(results)


def _name(element: etree._Element) -> str:
    return str(etree.QName(element).localname)
