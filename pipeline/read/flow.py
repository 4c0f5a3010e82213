"""Lines to paragraphs: put together again what page breaks and line ends cut.

A paragraph is joined with the next line only where the cut is in the middle of a
sentence. Nothing is deleted: where a page break doubled a character, both stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.read import lines as line_kinds
from pipeline.read.characters import display_width, join_lines
from pipeline.read.parts import TextPart

_OPEN_END = "，、,（(《“—和及与的"
_SHORT = 25
_MIN_WRAPPED_LINES = 8
_WIDEST = 120
_YEAR_END = re.compile(r"\d{4}\s*年度?$")
_IN_BRACKETS = re.compile(r"[（(【〖].*[)）】〗]")


class Line(NamedTuple):
    """A line of the source with its white space collapsed; `text` is empty for a blank line."""

    text: str
    heading: bool = False
    indented: bool = False


def flow(lines: Sequence[Line]) -> list[TextPart]:
    """Headings and paragraphs of a run of lines; page numbers between them are dropped."""
    kept = [line for line in without_page_numbers(lines) if line.text]
    width = wrap_width([line.text for line in kept])
    parts: list[TextPart] = []
    current = last = ""
    for line in kept:
        if not line.heading and current and _continues(current, last, line, width):
            current = join_lines(current, line.text)
        else:
            _close(parts, current)
            current = line.text
        last = line.text
        if line.heading:
            parts.append(TextPart("heading", current))
            current = last = ""
    _close(parts, current)
    return parts


def _close(parts: list[TextPart], text: str) -> None:
    if text:
        parts.append(TextPart("heading" if line_kinds.is_heading(text) else "paragraph", text))


def without_page_numbers(lines: Sequence[Line]) -> Iterable[Line]:
    """The lines without `- 2 -`, `第4页 共6页`, or a bare number between two blank lines."""
    for position, line in enumerate(lines):
        if line.text.isdecimal():
            if line_kinds.is_bare_number(line.text) and _stands_alone(lines, position):
                continue
        elif line_kinds.is_page_number(line.text):
            continue
        yield line


def _stands_alone(lines: Sequence[Line], position: int) -> bool:
    before = position > 0 and not lines[position - 1].text
    after = position + 1 < len(lines) and not lines[position + 1].text
    return before and after


def wrap_width(texts: Sequence[str]) -> int | None:
    """Screen columns at which the lines were broken, or None if a line is a paragraph."""
    # Where the tenth longest line of a hundred is wider than any screen, no line was broken at a width.
    place = int(0.9 * (len(texts) - 1))
    if len(texts) < _MIN_WRAPPED_LINES or sorted(map(len, texts))[place] > _WIDEST:
        return None
    widths = sorted(display_width(text) for text in texts)
    width = widths[place]
    full = sum(1 for each in widths if abs(each - width) <= 4)
    return (
        width if 30 <= width <= _WIDEST and full >= max(_MIN_WRAPPED_LINES // 2, 0.4 * len(widths)) else None
    )


def _is_broken_title(paragraph: str, line: Line) -> bool:
    """`某县人民政府2019年` | `政府信息公开工作年度报告`: one title on two lines."""
    return bool(_YEAR_END.search(paragraph)) and line_kinds.is_title(paragraph + line.text)


def _continues(paragraph: str, last: str, line: Line, width: int | None) -> bool:
    """Whether `line` goes on with `paragraph`, whose last printed line is `last`."""
    if width is None and line_kinds.ends_sentence(paragraph):
        return False
    if len(paragraph) <= line_kinds.MAX_HEADING and _is_broken_title(paragraph, line):
        return True
    if line_kinds.starts_item(line.text) or line_kinds.is_date(line.text) or line_kinds.is_title(line.text):
        return False
    if width is not None and display_width(last) >= width - 4 and not line.indented:
        return not (line_kinds.ends_sentence(last) and display_width(line.text) < width - 4)
    if line_kinds.ends_sentence(paragraph) or _is_complete(paragraph) or line_kinds.is_signature(line.text):
        return False
    if paragraph[-1] in _OPEN_END and len(paragraph) > 10 and line_kinds.has_clause(paragraph):
        return True
    return len(last) >= _SHORT and line_kinds.has_clause(paragraph)


def _is_complete(paragraph: str) -> bool:
    """A heading, a link, or a line that is one pair of brackets needs no continuation."""
    if _IN_BRACKETS.fullmatch(paragraph) or paragraph.endswith(">"):
        return True
    numbered = line_kinds.starts_item(paragraph) and len(paragraph) <= line_kinds.MAX_HEADING
    return (numbered and not line_kinds.has_sentence(paragraph)) or line_kinds.is_title(paragraph)
