"""`presence replay`: publish the present version of users again, after something kept it from being published."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import islice

from cli.stacks import aws_errors_in_words, find_stack
from local.stack.tables import presences_of, users_of
from presence.errors import ConfigurationError
from presence.publishing import PresencePublisher
from presence.queues import Queue
from presence.records import User
from presence.settings import PublishPresenceSettings
from presence.tables.users import UserTable

_AT_ONCE = 100


def run(arguments: Namespace) -> int:
    """Publish again; exit code 1 if a record could not be read."""
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        users, presences = users_of(stack), presences_of(stack)
        # As the function publishes: the same source and the same disclosure, so that it is the same event.
        settings = PublishPresenceSettings.from_env(stack.variables_of("publish_presence"))
        publisher = PresencePublisher(
            client=stack.client("sns"),
            topic_arn=settings.topic_arn,
            source=settings.event_source,
            disclosure=settings.disclosure,
            failures=Queue(stack.client("sqs"), settings.failure_queue_url),
        )
        chosen = (scheduled.user for scheduled in users.every()) if arguments.all else _find(users, arguments.addresses)
        published = unread = failed = 0
        while batch := list(islice(chosen, _AT_ONCE)):
            stored = presences.get_many([user.user_id for user in batch])
            for record in stored.found.values():
                publisher.publish(record)
                published += 1
            for error in stored.malformed.values():
                print(error)
            failed += len(stored.malformed)
            unread += len(batch) - len(stored.found) - len(stored.malformed)
    print(f"{published} published again, {unread} have no record yet, {failed} could not be read")
    return 1 if failed else 0


def _find(users: UserTable, addresses: Sequence[str]) -> Iterator[User]:
    found = []
    for address in addresses:
        user = users.find(address)
        if user is None:
            raise ConfigurationError(f"{address} is no user of this stack; nothing was published")
        found.append(user)
    return iter(found)
