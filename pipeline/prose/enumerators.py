"""Enumerators in a text: 一是, （二）, 3., ①, 首先; and where its sentences begin."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pipeline.document import Span
from pipeline.numerals import number_value

NUMERAL = "一二三四五六七八九十"
SENTENCE_END = "。！!？?"
WIDEST_GAP = 8
ENUMERATORS: dict[str, re.Pattern[str]] = {
    "is": re.compile(rf"([{NUMERAL}]{{1,2}})[是要][，,：: ]*"),
    "nth": re.compile(rf"第([{NUMERAL}]{{1,2}})[，,、：: ]+"),
    "numeral": re.compile(rf"([{NUMERAL}]{{1,2}}) ?[、．.] ?"),
    "bracketed": re.compile(rf"[（(] ?([{NUMERAL}]{{1,2}}) ?[）)][、，, ]*"),
    "bracketed_digit": re.compile(r"[（(] ?(\d{1,2}) ?[）)][、，, ]*"),
    "digit": re.compile(r"(\d{1,2}) ?[.．、] ?(?!\d)"),
    "circled": re.compile(r"([①-⑳])[、，, ]*"),
    "word": re.compile(r"(首先|其次|再次|最后)[是要]?[，,：: ]*"),
}
WORDS = ("首先", "其次", "再次", "最后")
AFTER_COMMA = frozenset({"is", "word", "nth"})


@dataclass(frozen=True, slots=True)
class Enumerator:
    """`一是`, `（二）`, `3.`: its style, its place in the list counted from 1, its characters."""

    style: str
    ordinal: int
    span: Span


def find_enumerators(text: str, span: Span) -> list[Enumerator]:
    """Enumerators at the head of a line, clause or list, in order of print."""
    found = []
    for style, pattern in ENUMERATORS.items():
        before = "：:；;。\n" + ("，,、" if style in AFTER_COMMA else "")
        for match in pattern.finditer(text, span.start, span.end):
            lead = text[max(span.start, match.start() - WIDEST_GAP) : match.start()].rstrip(" 　*")
            if not lead or lead[-1] in before:
                found.append(Enumerator(style, _ordinal(match.group(1)), Span(*match.span())))
    return sorted(found, key=lambda mark: mark.span)


def _ordinal(print_: str) -> int:
    """The number that an enumerator prints; 0 for one that is none."""
    if print_ in WORDS:
        return 1 + WORDS.index(print_)
    return int(number_value(unicodedata.normalize("NFKC", print_)) or 0)


def sentence_starts(text: str, span: Span) -> list[int]:
    """Where lines and sentences begin, behind white space and brackets of emphasis."""
    starts = [span.start]
    starts += [i + 1 for i in range(span.start, span.end) if text[i] in SENTENCE_END + "\n；;"]
    skipped = (re.compile(r"[\s　*]*").match(text, start, span.end) for start in starts)
    return sorted({match.end() for match in skipped if match is not None and match.end() < span.end})
