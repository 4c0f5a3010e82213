"""PDF with a text layer: paragraphs by page, ruled tables joined over page breaks.

pdfplumber parses the page; the table grid is built from its lines (pdf_grid), since
its own finder drops cells whose border the page break opened and takes the white
boxes that word processors print behind text for tables.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from pipeline.document import Box, CellDraft
from pipeline.errors import BrokenFile, NoTextLayer
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.lines import has_sentence, is_page_number
from pipeline.read.metadata import pairs_in_line
from pipeline.read.parts import Part, Reading, TablePart, TextPart
from pipeline.read.pdf_grid import Grid, GridCell, grids_of, nearest, rules_of, snapped
from pipeline.read.pdf_lines import (
    Glyph,
    PageLine,
    cell_text,
    glyphs_of,
    measure,
    page_lines,
    paragraphs,
    running_lines,
)

# What pdfminer raises on damaged files: its own errors, and those of the built-in
# operations that it performs on damaged objects. Caught around its calls only.
_FAULTS = (
    PSException,
    PDFException,
    PdfminerException,
    MalformedPDFException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    EOFError,
    struct.error,
    zlib.error,
)
_MIN_GLYPHS_A_PAGE = 8
_UNMAPPED = "(cid:"
# Two pieces of a table may differ by this much in the place of a column edge, in points.
_SAME_EDGE = 6.0
_SHORT_BOX = 40
_HEAD_PARTS = 8


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table, or the piece of one that stands on a page."""

    page: int
    grid: Grid
    texts: tuple[str, ...]

    @property
    def top(self) -> float:
        """Upper edge in points."""
        return self.grid.ys[0]


@dataclass(frozen=True, slots=True)
class Page:
    """What is printed on a page: lines outside of tables, and tables."""

    height: float
    lines: list[PageLine]
    tables: list[PageTable]


@dataclass(frozen=True, slots=True)
class _Printed:
    """What pdfplumber gives of a page."""

    height: float
    glyphs: list[Glyph]
    grids: list[Grid]


def read_pdf(data: bytes, limits: Limits) -> Reading:
    """Parts of a PDF. Raises BrokenFile, NoTextLayer, TooLarge."""
    with _quiet():
        sources = _pages(_opened(data))
        refuse_above(len(sources), limits.pages, "pages")
        pages = []
        characters = 0
        for number, source in enumerate(sources, start=1):
            printed = _printed(source, number)
            characters += len(printed.glyphs)
            refuse_above(characters, limits.text_characters, "characters")
            pages.append(_page(number, printed))
    _require_text(characters, pages)
    return Reading(_with_metadata(_parts(pages)), "application/pdf", page_count=len(pages))


@contextmanager
def _quiet() -> Iterator[None]:
    """pdfminer logs what it repairs; a reader of reports need not see it."""
    logger = logging.getLogger("pdfminer")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _opened(data: bytes) -> Any:
    """The open PDF; it lives in memory, so that nothing is left to close."""
    try:
        return pdfplumber.open(BytesIO(data))
    except _FAULTS as error:
        raise _open_error(error, data) from error


def _open_error(error: Exception, data: bytes) -> BrokenFile:
    causes = (error, error.__cause__, error.__context__, *error.args)
    if any(isinstance(cause, PDFPasswordIncorrect) for cause in causes):
        return BrokenFile("the PDF is encrypted with a password. Remove the password, save it and try again.")
    if any(isinstance(cause, PDFEncryptionError) for cause in causes):
        return BrokenFile("the PDF is encrypted in an unknown way. Remove the protection and try again.")
    cut = b"%%EOF" not in data[-2048:]
    return BrokenFile(
        f"the PDF is {'cut off: its end is missing' if cut else 'damaged: its structure cannot be read'}. "
        "Get the file again from its source."
    )


def _pages(pdf: Any) -> list[Any]:
    try:
        pages = list(pdf.pages)
    except _FAULTS as error:
        raise BrokenFile("the PDF is damaged: its pages cannot be listed. Get the file again.") from error
    if not pages:
        raise BrokenFile("the PDF is damaged or cut off: it has no pages. Get the file again.")
    return pages


def _printed(page: Any, number: int) -> _Printed:
    try:
        printed = _Printed(float(page.height), glyphs_of(page), grids_of(rules_of(page)))
        page.close()
    except _FAULTS as error:
        raise BrokenFile(f"the PDF is damaged: page {number} cannot be read. Get the file again.") from error
    return printed


def _require_text(characters: int, pages: Sequence[Page]) -> None:
    texts = [line.text for page in pages for line in page.lines]
    unmapped = sum(text.count(_UNMAPPED) for text in texts)
    if characters < _MIN_GLYPHS_A_PAGE * len(pages) or unmapped * 3 > characters:
        what = "whose characters cannot be told" if unmapped else "of images without a text layer"
        raise NoTextLayer(
            f"the PDF has {len(pages)} page{'s' if len(pages) != 1 else ''} {what}: it needs OCR. "
            "Run OCR on it and save it with a text layer, or get the report as HTML or Word text."
        )


def _page(number: int, printed: _Printed) -> Page:
    """Share out the glyphs to tables and lines; a box around mere text is no table."""
    height, glyphs, grids = printed.height, printed.glyphs, printed.grids
    folios = [line for line in page_lines(glyphs, number) if _is_folio(line, height)]
    free: list[Glyph] = []
    inside: list[dict[int, list[Glyph]]] = [{} for _ in grids]
    for glyph in glyphs:
        place = None if any(_stands_in(glyph, line) for line in folios) else _place(glyph, grids)
        if place is None:
            free.append(glyph)
        else:
            inside[place.table].setdefault(place.cell, []).append(glyph)
    tables = []
    for grid, cells in zip(grids, inside, strict=True):
        texts = tuple(_text_in(grid, cell, cells.get(index, ())) for index, cell in enumerate(grid.cells))
        if _is_table(texts):
            tables.append(PageTable(number, grid, texts))
        else:
            free.extend(glyph for each in cells.values() for glyph in each)
    return Page(height, page_lines(free, number), tables)


@dataclass(frozen=True, slots=True)
class _Place:
    """A cell of one of the page's tables."""

    table: int
    cell: int


def _place(glyph: Glyph, grids: Sequence[Grid]) -> _Place | None:
    for table, grid in enumerate(grids):
        cell = grid.cell_at((glyph.x0 + glyph.x1) / 2, glyph.middle)
        if cell is not None:
            return _Place(table, cell)
    return None


def _stands_in(glyph: Glyph, line: PageLine) -> bool:
    return line.top <= glyph.middle <= line.bottom and line.x0 <= glyph.x0 <= line.x1


def _is_folio(line: PageLine, height: float) -> bool:
    """A page number `- 4 -` at the page's edge, also where a table runs over it."""
    return is_page_number(line.text) and (line.top > 0.9 * height or line.bottom < 0.08 * height)


def _text_in(grid: Grid, cell: GridCell, glyphs: Sequence[Glyph]) -> str:
    if not glyphs:
        return ""
    return cell_text(glyphs, grid.xs[cell.column], grid.xs[cell.column + cell.column_span])


def _is_table(texts: Sequence[str]) -> bool:
    if not any(texts):
        return False
    return len(texts) > 1 or (len(texts[0]) <= _SHORT_BOX and not has_sentence(texts[0]))


def _parts(pages: Sequence[Page]) -> list[Part]:
    """Text and tables of all pages in reading order."""
    running = running_lines([page.lines for page in pages], [page.height for page in pages])
    lines = [line for page in pages for line in page.lines if line not in running]
    area = measure(lines) if lines else None
    parts: list[Part] = []
    text: list[PageLine] = []
    pieces: list[PageTable] = []
    for item in _in_order(pages, running):
        if isinstance(item, PageLine):
            _close_table(parts, pieces)
            text.append(item)
            continue
        if text and area is not None:
            parts.extend(paragraphs(text, area))
            text.clear()
        if pieces and not _same_table(pieces[-1], item):
            _close_table(parts, pieces)
        pieces.append(item)
    _close_table(parts, pieces)
    if text and area is not None:
        parts.extend(paragraphs(text, area))
    return parts


def _with_metadata(parts: Sequence[Part]) -> list[Part]:
    """The parts with labelled values among the first lines marked as metadata."""
    marked: list[Part] = []
    for position, part in enumerate(parts):
        if not isinstance(part, TextPart) or position >= _HEAD_PARTS:
            marked.append(part)
            continue
        pairs = pairs_in_line(part.text)
        marked.extend([part] if pairs is None else [replace(pair, page=part.page) for pair in pairs])
    return marked


def _in_order(pages: Sequence[Page], running: set[PageLine]) -> Iterator[PageLine | PageTable]:
    for page in pages:
        items: list[PageLine | PageTable] = [line for line in page.lines if line not in running]
        yield from sorted([*items, *page.tables], key=lambda item: item.top)


def _close_table(parts: list[Part], pieces: list[PageTable]) -> None:
    if pieces:
        parts.append(_joined(pieces))
        pieces.clear()


def _same_table(first: PageTable, second: PageTable) -> bool:
    """Pieces of one table: on following pages, with the same outline and column edges."""
    if second.page != first.page + 1:
        return False
    ours = [x - first.grid.xs[0] for x in first.grid.xs]
    theirs = [x - second.grid.xs[0] for x in second.grid.xs]
    if abs(first.grid.xs[0] - second.grid.xs[0]) > _SAME_EDGE or abs(ours[-1] - theirs[-1]) > _SAME_EDGE:
        return False
    few, many = sorted((ours, theirs), key=len)
    return all(abs(x - many[nearest(many, x)]) <= _SAME_EDGE for x in few)


def _joined(pieces: Sequence[PageTable]) -> TablePart:
    """One table of all pieces, columns counted over the edges of all of them."""
    edges = snapped((x - piece.grid.xs[0] for piece in pieces for x in piece.grid.xs), _SAME_EDGE / 2)
    rows: list[list[CellDraft]] = []
    for piece in pieces:
        left = piece.grid.xs[0]
        first_row = len(rows)
        rows.extend([] for _ in range(len(piece.grid.ys) - 1))
        for cell, text in zip(piece.grid.cells, piece.texts, strict=True):
            start = nearest(edges, piece.grid.xs[cell.column] - left)
            end = nearest(edges, piece.grid.xs[cell.column + cell.column_span] - left)
            box = _box(piece.grid, cell)
            draft = CellDraft(text, start, cell.row_span, max(1, end - start), piece.page, box)
            rows[first_row + cell.row].append(draft)
    return TablePart(rows, "grid")


def _box(grid: Grid, cell: GridCell) -> Box:
    return Box(
        grid.xs[cell.column],
        grid.ys[cell.row],
        grid.xs[cell.column + cell.column_span],
        grid.ys[cell.row + cell.row_span],
    )
