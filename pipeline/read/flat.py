"""Tables in plain lines: tab-separated, or one cell a line.

Both lost their grid when a file was turned into text. Every field stays a cell, the
empty ones too; what a cell means is for the table reader to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.document import CellDraft
from pipeline.read import lines as line_kinds
from pipeline.read.characters import collapse
from pipeline.read.parts import TablePart

MAX_CELL = 45
MIN_CELL_RUN = 12
MIN_FIGURES = 0.4
# With a label of the forms in the run, fewer figures are enough: blank cells leave no line.
MIN_FIGURES_IN_FORM = 0.15
_FORM_LABELS = ("信息内容", "第二十条", "申请人情况", "自然人", "结果维持", "行政许可", "本年新收")
# The same for the statistics table of 2014–2018 and its local forerunners.
_STATISTICS_LABELS = (
    "主动公开政府信息数",
    "主动公开信息数",
    "收到申请数",
    "申请总数",
    "当面申请",
    "申请办结数",
)
_STATISTICS_START = re.compile(
    r"序号|(?:统计)?指标(?:名称)?|统计项目|[一1][、.．]?\s*主动公开(?:政府信息)?(?:情况)?"
)
_REMARK = re.compile(r"[(（][^()（）]*[)）]")
_LONGEST_REMARK = 30
_SECTION_LABELS = ("第二十条", "信息内容")
_LONG_FIELD = 60
_MAX_GAP = 2
_LOOK_AHEAD = 3


def tab_fields(line: str) -> list[str]:
    """The fields of a line, each on one line and with its outer spaces gone."""
    return [collapse(field) for field in line.split("\t")]


def is_tab_row(line: str) -> bool:
    """Whether tabs part cells here, and not an indentation or two pieces of prose."""
    if "\t" not in line.rstrip("\n"):
        return False
    fields = line.split("\t")
    if "\t" not in line.strip(" \u3000\t") and len(fields) < 3:
        return not line.startswith("\t") and len(line) <= MAX_CELL and bool(line.strip())
    return bool(line.strip()) and not any(len(field) > _LONG_FIELD and "。" in field for field in fields)


def tab_regions(lines: Sequence[str]) -> list[range]:
    """Where tab-separated tables stand, as positions of their lines."""
    rows = [position for position, line in enumerate(lines) if is_tab_row(line)]
    spaced = _is_double_spaced(lines, rows)
    regions: list[range] = []
    for position in rows:
        if regions and _belongs(lines[regions[-1].stop : position], spaced):
            regions[-1] = range(regions[-1].start, position + 1)
        else:
            regions.append(range(position, position + 1))
    return [region for region in regions if len(region) > 1 or lines[region.start].count("\t") >= 3]


def _is_double_spaced(lines: Sequence[str], rows: Sequence[int]) -> bool:
    """Whether a blank line stands between most rows."""
    pairs = list(pairwise(rows))
    near = sum(1 for first, second in pairs if second == first + 1)
    spaced = sum(1 for first, second in pairs if second == first + 2 and not lines[first + 1].strip())
    return spaced > near


def _belongs(gap: Sequence[str], spaced: bool) -> bool:
    """Whether the lines between two tab rows are part of the same table."""
    if not gap:
        return True
    if any(not line.strip() for line in gap):
        return spaced and len(gap) == 1
    return len(gap) <= _MAX_GAP and all(_is_short_label(line.strip()) for line in gap)


def _is_short_label(line: str) -> bool:
    return len(line) <= MAX_CELL and "。" not in line and not line_kinds.is_chapter(line)


def tab_table(lines: Iterable[str]) -> TablePart:
    """One row a line, one cell a field."""
    rows = [tab_fields(line) for line in lines if line.strip()]
    return TablePart([[CellDraft(field) for field in row] for row in rows], "flat")


def cell_regions(lines: Sequence[str]) -> list[range]:
    """Where tables with one cell a line stand; blank lines inside them do not count."""
    regions: list[range] = []
    if sum(1 for line in lines if len(line.strip()) <= MAX_CELL + _LONGEST_REMARK) < MIN_CELL_RUN:
        return regions
    start: int | None = None
    for position in range(len(lines) + 1):
        ended = position == len(lines) or not _may_be_cell(lines, position)
        if ended and start is not None:
            regions.extend(_trimmed(lines, range(start, position)))
            start = None
        elif not ended and start is None:
            start = position
    return regions


def _may_be_cell(lines: Sequence[str], position: int) -> bool:
    line = lines[position].strip()
    if not line:
        return True
    is_long = len(line) > MAX_CELL + _LONGEST_REMARK or len(_REMARK.sub("", line)) > MAX_CELL
    if is_long or line_kinds.has_sentence(line) or line_kinds.is_title(line):
        return False
    return not line_kinds.is_chapter(line) or _figure_follows(lines, position)


def _figure_follows(lines: Sequence[str], position: int) -> bool:
    """A chapter-like line inside a table has figures right behind it; a chapter has not."""
    following = [line.strip() for line in lines[position + 1 : position + 12] if line.strip()]
    return any(line_kinds.is_figure(line) for line in following[:_LOOK_AHEAD])


def _trimmed(lines: Sequence[str], run: range) -> list[range]:
    """The run up to its last figure if it holds a table, else nothing."""
    cells = [position for position in run if lines[position].strip()]
    figures = [position for position in cells if line_kinds.is_figure(lines[position].strip())]
    if not figures:
        return []
    cells = [position for position in cells if position <= figures[-1]]
    texts = [lines[position].strip() for position in cells]
    if start := _statistics_start(texts):
        cells, texts = cells[start:], texts[start:]
    is_form = any(label in text for text in texts for label in (*_FORM_LABELS, *_STATISTICS_LABELS))
    share = MIN_FIGURES_IN_FORM if is_form else MIN_FIGURES
    if len(cells) < MIN_CELL_RUN or len(figures) < share * len(cells):
        return []
    return [range(cells[0], cells[-1] + 1)]


def _statistics_start(texts: Sequence[str]) -> int:
    """Where a statistics table begins in a run: signature and title above it are none of its cells."""
    first = next((at for at, text in enumerate(texts) if any(x in text for x in _STATISTICS_LABELS)), 0)
    return next((at for at, text in enumerate(texts[:first]) if _STATISTICS_START.fullmatch(text)), first)


def cell_table(lines: Sequence[str]) -> TablePart:
    """One row and one cell a line; a blank line is a blank cell unless it only spaces lines out."""
    rows: list[list[CellDraft]] = []
    is_spaced = _is_spaced_out(lines)
    blanks: list[str] = []
    for line in lines:
        if not line.strip():
            blanks.append(line)
            continue
        if rows:
            missing = _blank_cells(blanks, rows[-1][0].text, line.strip(), is_spaced)
            rows.extend([CellDraft("")] for _ in range(missing))
        blanks.clear()
        rows.append([CellDraft(collapse(line))])
    return TablePart(rows, "flat")


def _is_spaced_out(lines: Sequence[str]) -> bool:
    """Whether hardly any two printed lines stand directly under each other."""
    printed = [position for position, line in enumerate(lines) if line.strip()]
    near = sum(1 for first, second in pairwise(printed) if second == first + 1)
    return near <= len(printed) // 10


def _blank_cells(blanks: Sequence[str], before: str, after: str, is_spaced: bool) -> int:
    """How many blank cells a run of blank lines between two cells stands for."""
    if "\f" in blanks or line_kinds.is_page_number(before) or line_kinds.is_page_number(after):
        return 0
    if is_spaced:
        return max(0, len(blanks) - 1) // 2
    if blanks == [""] and after.startswith(_SECTION_LABELS):
        return 0
    return len(blanks)
