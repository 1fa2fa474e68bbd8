from __future__ import annotations

import pytest

from exchange.recipients import RecipientKind, RecipientPolicy, Treatment, recipient_kind

PERSON, SHARED, ROOM = RecipientKind.PERSON, RecipientKind.SHARED_MAILBOX, RecipientKind.ROOM
LIST, NONE = RecipientKind.DISTRIBUTION_LIST, RecipientKind.NO_MAILBOX

# Exchange's enumeration RecipientTypeDetails, as directories have its numbers.
NUMBERS = [
    (1, PERSON),  # UserMailbox
    (2, PERSON),  # LinkedMailbox
    (4, SHARED),  # SharedMailbox
    (8, PERSON),  # LegacyMailbox
    (16, ROOM),  # RoomMailbox
    (32, ROOM),  # EquipmentMailbox
    (64, PERSON),  # MailContact
    (128, PERSON),  # MailUser
    (256, LIST),  # MailUniversalDistributionGroup
    (512, LIST),  # MailNonUniversalGroup
    (1024, LIST),  # MailUniversalSecurityGroup
    (2048, LIST),  # DynamicDistributionGroup
    (4096, NONE),  # PublicFolder
    (8192, NONE),  # SystemAttendantMailbox
    (16384, NONE),  # SystemMailbox
    (32768, PERSON),  # MailForestContact
    (65536, NONE),  # User
    (131072, NONE),  # Contact
    (262144, LIST),  # UniversalDistributionGroup
    (2097152, NONE),  # DisabledUser
    (8388608, NONE),  # ArbitrationMailbox
    (268435456, LIST),  # RoomList
    (536870912, NONE),  # DiscoveryMailbox
    (2147483648, PERSON),  # RemoteUserMailbox
    (8589934592, ROOM),  # RemoteRoomMailbox
    (17179869184, ROOM),  # RemoteEquipmentMailbox
    (34359738368, SHARED),  # RemoteSharedMailbox
    (1099511627776, LIST),  # GroupMailbox
    (2199023255552, ROOM),  # LinkedRoomMailbox
    (8796093022208, LIST),  # RemoteGroupMailbox
    (1 << 50, NONE),  # of a version to come
]


@pytest.mark.parametrize(("number", "kind"), NUMBERS)
def test_a_number_of_the_directory_stands_for_a_kind(number: int, kind: RecipientKind) -> None:
    assert recipient_kind(str(number)) is kind


@pytest.mark.parametrize("text", ["", "0", "3", "-2147483642", "UserMailbox", "1 ", "٤", "9" * 30])
def test_what_is_no_single_kind_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no value of msExchRecipientTypeDetails"):
        recipient_kind(text)


def test_lists_alone_are_refused_by_default() -> None:
    refused = {kind: key for kind in RecipientKind if (key := RecipientPolicy().key_that_refuses(kind))}
    assert refused == {LIST: "distribution_lists"}


def test_each_kind_has_its_key_and_people_have_none() -> None:
    strict = RecipientPolicy(Treatment.REFUSE, Treatment.REFUSE, Treatment.REFUSE)
    keys = {kind: strict.key_that_refuses(kind) for kind in RecipientKind}
    assert keys == {
        PERSON: None,
        SHARED: "shared_mailboxes",
        ROOM: "rooms",
        LIST: "distribution_lists",
        NONE: None,
    }
