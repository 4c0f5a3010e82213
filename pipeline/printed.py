"""Printed characters without the white space between them, with their places kept.

Justification puts spaces into words (`2018 年`, `总 计`) and line ends cut names in two;
patterns are matched on the packed form and their evidence points into the full text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.document import Document, Span
from pipeline.fact import Evidence

_FULL_WIDTH_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_PRINTED = re.compile(r"[^\s\u200b\ufeff]+")


@dataclass(frozen=True, slots=True)
class Printed:
    """A piece of text without white space, and where it is printed."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Packed:
    """A stretch of text without white space; `places` gives each character's place in the full text.

    White space between two digits stays as one space, else two figures would become one.
    Full-width digits become half-width.
    """

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The span of characters `start` to `end` of the packed text (`end` > `start`)."""
        return Span(self.places[start], self.places[end - 1] + 1)

    def piece(self, start: int, end: int) -> Printed:
        """Characters `start` to `end` with their place."""
        return Printed(self.text[start:end], self.span(start, end))

    def group(self, match: re.Match[str], name: str | int = 0) -> Printed | None:
        """A group of a match on `text`; None where it is empty or took no part."""
        start, end = match.span(name)
        return self.piece(start, end) if end > start else None


@lru_cache(maxsize=1024)
def pack(text: str, span: Span) -> Packed:
    """The characters of `span` without white space."""
    pieces: list[str] = []
    places: list[int] = []
    for match in _PRINTED.finditer(text, span.start, span.end):
        piece = match[0].translate(_FULL_WIDTH_DIGITS)
        if pieces and _is_digit(pieces[-1][-1]) and _is_digit(piece[0]):
            pieces.append(" ")
            places.append(places[-1] + 1)
        pieces.append(piece)
        places.extend(range(match.start(), match.end()))
    return Packed("".join(pieces), tuple(places))


def _is_digit(char: str) -> bool:
    return char in "0123456789"


def evidence_of(document: Document, span: Span) -> Evidence:
    """Evidence for the characters of `span`, with the page where there is one."""
    return Evidence(start=span.start, end=span.end, page=document.page_of(span))
