from __future__ import annotations

import pytest

from exchange.web.bounded_xml import MalformedXml, parse_xml

BOMB = (
    '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx">'
    + "".join(
        f'<!ENTITY b{index} "&b{index - 1 if index else ""};&b{index - 1 if index else ""};">' for index in range(30)
    )
    + "]><a>&b29;</a>"
)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "is not well-formed XML"),
        (b"hello", "is not well-formed XML"),
        (b"<a><b></a>", "is not well-formed XML: tag name mismatch at line 1, column"),
        (b"<a><b>", "is not well-formed XML"),
        (b"<a/><a/>", "is not well-formed XML"),
        (b"<a>&b;</a>", "is not well-formed XML"),
        (b"<a>\xff</a>", "is not well-formed XML"),
        ("<a>é</a>".encode("latin-1"), "is not well-formed XML"),
        ('<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"), "is not UTF-8"),
        (BOMB.encode(), "has a document type declaration, which is refused"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "has a document type declaration, which is refused"),
        (b"<a>" * 20000 + b"</a>" * 20000, "is not well-formed XML"),
        (b"<b/>", "has another root element than a"),
        (b'<a xmlns="urn:x"/>', "has another root element than a"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_the_document_is_refused_with_the_reason(document: bytes, reason: str) -> None:
    with pytest.raises(MalformedXml) as caught:
        parse_xml(document, "the answer", "a")

    assert str(caught.value).startswith(f"the answer {reason}")


def test_the_reason_repeats_nothing_of_the_document() -> None:
    with pytest.raises(MalformedXml) as caught:
        parse_xml(b"<a>\n<Secret>Board meeting</Topsecret></a>", "the answer")

    assert "ecret" not in str(caught.value)
    assert "line 2" in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_byte_order_mark_and_another_declared_charset_do_no_harm() -> None:
    assert parse_xml(b"\xef\xbb\xbf<a/>", "the answer").tag == "a"
    assert parse_xml("<?xml version='1.0' encoding='iso-8859-1'?><a>é</a>".encode(), "the answer").text == "é"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"<a>x&#x1F;y&#0;z&#xFFFF;&#xD800;&#55296;&#99999999;</a>", "x\ufffdy\ufffdz\ufffd\ufffd\ufffd\ufffd"),
        (b"<a>x\x0by</a>", "x\ufffdy"),
        (b"<a>&#x1F;&#x41;&#10;&#x1F600;&amp;</a>", "\ufffdA\n\U0001f600&"),
    ],
)
def test_a_character_that_xml_forbids_costs_only_itself(document: bytes, text: str) -> None:
    assert parse_xml(document, "the answer").text == text


def test_what_is_cut_off_is_refused_also_where_it_holds_such_a_character() -> None:
    with pytest.raises(MalformedXml):
        parse_xml(b"<a>&#x1F;<b>", "the answer")
