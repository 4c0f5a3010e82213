"""Characters of a PDF page to lines, and lines to paragraphs by indent and line end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from pipeline.read import lines as line_kinds
from pipeline.read.characters import close_up, collapse, join_lines, whole_characters
from pipeline.read.parts import RecognisedRun, TextPart

_SAME_LINE = 0.5
_GAP_OF_SPACE = 0.28
_WRAPPED = 0.7
_FULL_WIDTH_MARKS = "，。；：、！？（）《》“”‘’〔〕【】"
_CJK_RANGE = (("\u2e80", "\u9fff"), ("\uf900", "\ufaff"), ("\uff00", "\uffef"), ("\U00020000", "\U0003ffff"))
# A glyph farther away than this, in points, is printed nowhere; damaged files have infinite places too.
_OFF_PAGE = 100_000.0
# Height of the zones at a page's edges where headers, footers and page numbers stand.
_MARGIN_ZONE = 0.12
_MIN_REPEATS = 3
_INDENT = 1.2
_SHORT_OF_MARGIN = 2.2
_WIDE_LEADING = 1.5
_SENTENCE_REST = 2  # a line of so few characters is the end of a sentence: 一。


@dataclass(frozen=True, slots=True)
class Glyph:
    """A printed character with its box in points from the upper left of the page."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float

    @property
    def middle(self) -> float:
        """Height of its centre."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class PageLine:
    """A printed line with its box; `runs` where it was recognised in a picture."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    page: int
    runs: tuple[RecognisedRun, ...] = ()


def glyphs_of(page: Any) -> list[Glyph]:
    """The page's characters without spaces and control characters."""
    glyphs = []
    for char in page.chars:
        text = _printed(char["text"])
        if text and abs(char["x0"]) < _OFF_PAGE and abs(char["top"]) < _OFF_PAGE:
            glyphs.append(Glyph(text, char["x0"], char["x1"], char["top"], char["bottom"], char["size"]))
    return glyphs


def _printed(text: str) -> str:
    """The character, or nothing for a space or control character."""
    return "" if text.isspace() or not text.isprintable() else whole_characters(text)


def glyph_lines(glyphs: Iterable[Glyph]) -> list[list[Glyph]]:
    """Glyphs by printed line, top to bottom and left to right; double prints are one."""
    lines: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda glyph: (glyph.middle, glyph.x0)):
        if lines and glyph.middle - _middle(lines[-1]) <= _SAME_LINE * max(glyph.size, lines[-1][0].size):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    return [_without_doubles(sorted(line, key=lambda glyph: glyph.x0)) for line in lines]


def _middle(line: Sequence[Glyph]) -> float:
    return line[0].middle


def _without_doubles(line: Sequence[Glyph]) -> list[Glyph]:
    """Bold type is sometimes made by printing a character twice, a hair apart."""
    kept: list[Glyph] = []
    for glyph in line:
        if kept and glyph.text == kept[-1].text and glyph.x0 - kept[-1].x0 < 0.3 * (glyph.x1 - glyph.x0):
            continue
        kept.append(glyph)
    return kept


def line_text(line: Sequence[Glyph]) -> str:
    """A line's characters, with a space where a gap parts words or figures."""
    pieces = [line[0].text]
    for before, glyph in pairwise(line):
        if glyph.x0 - before.x1 > _GAP_OF_SPACE * glyph.size and may_part(before.text, glyph.text):
            pieces.append(" ")
        pieces.append(glyph.text)
    return "".join(pieces)


def may_part(before: str, after: str) -> bool:
    """Whether a gap is a space: not between two Chinese characters, nor beside a full-width mark."""
    if before in _FULL_WIDTH_MARKS or after in _FULL_WIDTH_MARKS:
        return False
    return not (_is_cjk(before) and _is_cjk(after))


def _is_cjk(text: str) -> bool:
    return any(first <= text[0] <= last for first, last in _CJK_RANGE)


def cell_text(glyphs: Sequence[Glyph], left: float, right: float) -> str:
    """The text of a cell between two edges, its lines joined top to bottom.

    Digits on two lines are one figure only if the first line fills the cell.
    """
    text = ""
    previous: list[Glyph] = []
    for line in glyph_lines(glyphs):
        filled = bool(previous) and previous[-1].x1 - left > _WRAPPED * (right - left)
        text = join_lines(text, line_text(line), same_figure=filled)
        previous = line
    return close_up(collapse(text))


def page_lines(glyphs: Iterable[Glyph], page: int) -> list[PageLine]:
    """Lines of text with their boxes."""
    return [
        PageLine(
            line_text(line),
            line[0].x0,
            max(glyph.x1 for glyph in line),
            min(glyph.top for glyph in line),
            max(glyph.bottom for glyph in line),
            median(glyph.size for glyph in line),
            page,
        )
        for line in glyph_lines(glyphs)
    ]


def running_lines(pages: Sequence[Sequence[PageLine]], heights: Sequence[float]) -> set[PageLine]:
    """Page numbers, and headers and footers that stand on many pages."""
    zones = [
        [line for line in lines if _in_margin(line, height)]
        for lines, height in zip(pages, heights, strict=True)
    ]
    repeats = Counter(mark for lines in zones for mark in {_running_mark(line) for line in lines})
    enough = max(min(len(pages), _MIN_REPEATS), len(pages) // 2, 2)
    return {
        line
        for lines in zones
        for line in lines
        if line_kinds.is_page_number(line.text)
        or line_kinds.is_bare_number(line.text)
        or repeats[_running_mark(line)] >= enough
    }


def _in_margin(line: PageLine, height: float) -> bool:
    return line.bottom < _MARGIN_ZONE * height or line.top > (1 - _MARGIN_ZONE) * height


def _running_mark(line: PageLine) -> str:
    """What is the same in a header on every page: its words without figures, and its height."""
    words = "".join("#" if char.isdigit() else char for char in line.text)
    return f"{words}@{round(line.top / 3)}"


@dataclass(frozen=True, slots=True)
class Measure:
    """The type area of a document: margins, size and distance of body lines, in points."""

    left: float
    right: float
    size: float
    leading: float


def measure(lines: Sequence[PageLine]) -> Measure:
    """Type area by the lines of body size; margins are where most lines begin and end."""
    size = median(line.size for line in lines)
    body = [line for line in lines if abs(line.size - size) < 0.15 * size] or list(lines)
    starts = Counter(round(line.x0 / 4) for line in body)
    frequent = [start for start, count in starts.items() if count >= 0.15 * len(body)]
    left = min(frequent, default=min(starts)) * 4.0
    ends = sorted(line.x1 for line in body)
    gaps = [b.top - a.top for a, b in pairwise(body) if a.page == b.page and 0 < b.top - a.top < 4 * size]
    return Measure(left, ends[int(0.85 * (len(ends) - 1))], size, median(gaps) if gaps else 1.8 * size)


def paragraphs(lines: Sequence[PageLine], area: Measure) -> list[TextPart]:
    """Headings and paragraphs of a run of lines that no table interrupts."""
    parts: list[TextPart] = []
    text, taken = "", [lines[0]]
    for line in lines:
        if text and _goes_on(taken[-1], line, text, area):
            text = join_lines(text, line.text)
            taken.append(line)
        else:
            _close(parts, text, taken)
            text, taken = line.text, [line]
    _close(parts, text, taken)
    return parts


def _close(parts: list[TextPart], text: str, lines: Sequence[PageLine]) -> None:
    text = close_up(collapse(text))
    if text:
        kind: Literal["heading", "paragraph"] = "heading" if line_kinds.is_heading(text) else "paragraph"
        runs = tuple(run for line in lines for run in line.runs)
        parts.append(TextPart(kind, text, lines[0].page, runs))


def _goes_on(previous: PageLine, line: PageLine, text: str, area: Measure) -> bool:
    """Whether `line` continues the paragraph: the line before is full, this one not indented."""
    if previous.x1 < area.right - _SHORT_OF_MARGIN * area.size:
        return False
    if line.x0 > area.left + _INDENT * area.size or abs(line.size - previous.size) > 0.2 * area.size:
        return False
    is_chapter = line_kinds.is_chapter(line.text) and len(line.text) > _SENTENCE_REST
    if is_chapter or line_kinds.is_date(line.text):
        return False
    if previous.page == line.page and line.top - previous.top > _WIDE_LEADING * area.leading:
        return not line_kinds.ends_sentence(text) and line.top - previous.top < 2 * area.leading
    return not (line_kinds.is_title(text) and line_kinds.starts_item(line.text))
