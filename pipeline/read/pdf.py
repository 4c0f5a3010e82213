"""PDF: paragraphs by page, ruled tables joined over page breaks; pages that are pictures are recognised.

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
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from pipeline.errors import BrokenFile, NoTextLayer
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.lines import is_page_number
from pipeline.read.parts import Reading
from pipeline.read.pdf_grid import Grid, GridCell, grids_of, rules_of
from pipeline.read.pdf_lines import (
    Glyph,
    PageLine,
    cell_text,
    glyphs_of,
    page_lines,
)
from pipeline.read.pdf_parts import Page, PageTable, is_table, parts_of
from pipeline.read.pdf_unruled import unruled_tables
from pipeline.read.scan import INSTALL, has_ocr, notes_on
from pipeline.read.scan_pdf import read_drawn_pages

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
_WHOLE_PAGE = 0.8


@dataclass(frozen=True, slots=True)
class _Printed:
    """What pdfplumber gives of a page."""

    width: float
    height: float
    glyphs: list[Glyph]
    grids: list[Grid]
    picture_share: float


def read_pdf(data: bytes, limits: Limits) -> Reading:
    """Parts of a PDF. Raises BrokenFile, NoTextLayer, TooLarge."""
    with _quiet():
        sources = _pages(_opened(data))
        refuse_above(len(sources), limits.pages, "pages")
        pages: dict[int, Page] = {}
        pictures = []
        characters = 0
        for number, source in enumerate(sources, start=1):
            printed = _printed(source, number)
            characters += len(printed.glyphs)
            refuse_above(characters, limits.text_characters, "characters")
            pages[number] = _page(number, printed)
            if _is_picture(printed):
                pictures.append(number)
    notes: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    if has_ocr():
        notes = _recognise(data, pages, pictures, limits)
        _require_text(list(pages.values()))
    else:
        losses = _unread(list(pages.values()), pictures, characters)
    parts = parts_of(list(pages.values()))
    return Reading(parts, "application/pdf", page_count=len(pages), notes=notes, losses=losses)


def _recognise(
    data: bytes, pages: dict[int, Page], pictures: Sequence[int], limits: Limits
) -> tuple[str, ...]:
    """Put what is recognised on `pictures` in place of their text layer; returns notes on it."""
    scanned = read_drawn_pages(data, pictures, limits)
    for number, each in scanned.items():
        pages[number] = each.page
    return notes_on([each for each in scanned.values() if each.page.lines or each.page.tables])


def _require_text(pages: Sequence[Page]) -> None:
    """Raise NoTextLayer where nothing is printed on any page, or nothing was recognised."""
    if not any(page.lines or page.tables for page in pages):
        raise NoTextLayer(
            f"{_counted(pages)} without a text layer: it needs OCR, and that recognised no text. "
            "Scan the report again, or get it as HTML or Word text."
        )


def _unread(pages: Sequence[Page], pictures: Sequence[int], characters: int) -> tuple[str, ...]:
    """Where OCR is not installed: NoTextLayer for a scan, a note on pictures among pages of text."""
    unmapped = sum(line.text.count(_UNMAPPED) for page in pages for line in page.lines)
    if characters < _MIN_GLYPHS_A_PAGE * len(pages) or unmapped * 3 > characters:
        what = "whose characters cannot be told" if unmapped else "of images without a text layer"
        raise NoTextLayer(
            f"{_counted(pages)} {what}: it needs OCR. {INSTALL}; or get the report as HTML or Word text."
        )
    listed = ", ".join(str(number) for number in pictures)
    return (f"not read, perhaps pictures: page {listed}. {INSTALL}",) if pictures else ()


def _counted(pages: Sequence[Page]) -> str:
    return f"the PDF has {len(pages)} page{'s' if len(pages) != 1 else ''}"


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
        grids = grids_of(rules_of(page))
        size = float(page.width), float(page.height)
        printed = _Printed(*size, glyphs_of(page), grids, _picture_share(page))
        page.close()
    except _FAULTS as error:
        raise BrokenFile(f"the PDF is damaged: page {number} cannot be read. Get the file again.") from error
    return printed


def _picture_share(page: Any) -> float:
    """The share of the page that its largest picture covers."""
    areas = (float(image["width"]) * float(image["height"]) for image in page.images)
    return max(areas, default=0.0) / max(1.0, float(page.width) * float(page.height))


def _is_picture(printed: _Printed) -> bool:
    """Whether a page has to be recognised: little text, unknown characters, or a scan with text behind."""
    unmapped = sum(glyph.text.startswith(_UNMAPPED) for glyph in printed.glyphs)
    if len(printed.glyphs) < _MIN_GLYPHS_A_PAGE or unmapped * 3 > len(printed.glyphs):
        return True
    return printed.picture_share > _WHOLE_PAGE and not printed.grids


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
        if is_table(texts):
            tables.append(PageTable(number, grid, texts))
        else:
            free.extend(glyph for each in cells.values() for glyph in each)
    unruled = unruled_tables(free, printed.width)
    tables += [
        PageTable(number, table.grid, table.texts, figure_columns=table.figure_columns)
        for table in unruled.tables
    ]
    return Page(height, page_lines(unruled.glyphs, number), tables)


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
