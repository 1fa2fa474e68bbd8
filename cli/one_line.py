"""Text that others wrote, made fit for one line of a terminal."""

from __future__ import annotations


def in_one_line(text: str) -> str:
    """Return the text with what can't be printed escaped: a document or a server may hold line ends and worse."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
