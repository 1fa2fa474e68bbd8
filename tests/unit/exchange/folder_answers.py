"""Answers of FindItem about calendar folders, right ones and others."""

from __future__ import annotations

from tests.unit.exchange.hosts import envelope

CANARY = "canary of a takeover"


def item(
    item_id: str = "one",
    start: str = "2026-11-21T13:00:00Z",
    end: str = "2026-11-21T14:00:00Z",
    status: str | None = "Busy",
    **fields: str,
) -> str:
    """Return a CalendarItem; further fields by their names in the schema. Nobody asked for its subject and location."""
    told = {"Start": start, "End": end, "LegacyFreeBusyStatus": status, **fields}
    values = "".join(f"<t:{name}>{value}</t:{name}>" for name, value in told.items() if value is not None)
    return (
        f'<t:CalendarItem><t:ItemId Id="{item_id}" ChangeKey="1"/><t:Subject>{CANARY}</t:Subject>'
        f"{values}<t:Location>{CANARY}</t:Location></t:CalendarItem>"
    )


def folder(*items: str, last: str | None = "true") -> str:
    """Return the RootFolder of an answer; `last` None: it does not say whether there is more."""
    attribute = "" if last is None else f' IncludesLastItemInRange="{last}"'
    return (
        f'<m:RootFolder TotalItemsInView="{len(items)}"{attribute}><t:Items>{"".join(items)}</t:Items></m:RootFolder>'
    )


def folder_message(inside: str, code: str = "NoError", result: str = "Success") -> str:
    """Return the message about one folder."""
    return (
        f'<m:FindItemResponseMessage ResponseClass="{result}"><m:ResponseCode>{code}</m:ResponseCode>{inside}'
        "</m:FindItemResponseMessage>"
    )


def folders(*messages: str) -> bytes:
    """Return a whole answer of FindItem."""
    array = f"<m:ResponseMessages>{''.join(messages)}</m:ResponseMessages>"
    return envelope(f"<m:FindItemResponse>{array}</m:FindItemResponse>")


def calendar_folder(*items: str, last: str | None = "true") -> bytes:
    """Return a whole answer with these items."""
    return folders(folder_message(folder(*items, last=last)))
