"""Pages of a PDF as pictures, and where on them characters of the canonical text are printed.

A table cell knows its box from the ruling lines. A figure in prose is looked for among
the page's characters by what stands before and after it; where it is not found just once
it has no box, since a wrong outline is worse than none.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pdfplumber
import pypdfium2  # type: ignore[import-untyped]

from pipeline.document import Box, Document, Span
from pipeline.errors import BrokenFile, DocumentError
from pipeline.read import read_document
from pipeline.read.pdf_lines import Glyph, glyph_lines, glyphs_of

PICTURE_WIDTH, PICTURE_HEIGHT = 1000, 2000
PICTURE_QUALITY = 35
_CONTEXTS = (16, 10, 6, 3, 0)
_SAME_LINE = 0.6


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as a WebP image, with its size in points."""

    webp: bytes
    width: float
    height: float

    @property
    def data_uri(self) -> str:
        """The image as an address that holds it."""
        return f"data:image/webp;base64,{base64.b64encode(self.webp).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class PlaceOnPage:
    """Where characters are printed: the page, counted from 1, and a box a printed line."""

    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _PageText:
    """A page's characters without white space, and the glyph of each."""

    text: str
    glyphs: tuple[Glyph, ...]


class PdfPages:
    """The pages of one PDF, read again for people to look at."""

    def __init__(self, path: Path, document: Document | None = None) -> None:
        """`document` is the file as read, where it has been read already.

        Raises DocumentError where it is no PDF that can be read.
        """
        self.document: Document = document or read_document(path)
        if self.document.media_type != "application/pdf":
            raise DocumentError(f"{path.name}: is {self.document.media_type}, which has no pages")
        self._path = path
        self._texts: dict[int, _PageText] = {}
        with _drawn(path) as pdf:
            self._is_plain = [_is_plain(page) for page in pdf]
            self.sizes = _sizes(pdf)

    def pictures(self) -> Iterator[Picture]:
        """Every page as a grey picture of at most 1,000 × 2,000 pixels. Raises BrokenFile."""
        with _drawn(self._path) as pdf:
            yield from (_picture(page) for page in pdf)

    def place_of(self, span: Span) -> PlaceOnPage | None:
        """Where `span` of the canonical text is printed; None where that cannot be told."""
        place = self._place_of(span)
        return place if place and self._is_plain[place.page - 1] else None

    def _place_of(self, span: Span) -> PlaceOnPage | None:
        if span.start > span.end:
            return None
        for table in self.document.tables:
            for cell in table.cells if table.span.covers(span) else ():
                # Without characters it is an empty cell, none that it merely touches.
                if cell.span == span or (cell.span.covers(span) and span.start < span.end):
                    known = cell.page is not None and cell.box is not None
                    return PlaceOnPage(cell.page, (cell.box,)) if known else None  # type: ignore[arg-type]
        if span.start == span.end:
            return None
        recognised = [each for each in self.document.recognised_in(span) if each.box is not None]
        if recognised and recognised[0].page is not None:
            first = recognised[0].page
            boxes = tuple(each.box for each in recognised if each.box and each.page == first)
            return PlaceOnPage(first, boxes)
        page = self.document.page_of(span)
        return None if page is None else self._in_prose(span, page)

    def _in_prose(self, span: Span, page: int) -> PlaceOnPage | None:
        """A paragraph may go on over the page break: the following page is searched too."""
        last = self.document.page_count or page
        for number in range(page, min(page + 1, last) + 1):
            glyphs = self._found(span, self._text_of(number))
            if glyphs:
                return PlaceOnPage(number, tuple(_line_boxes(glyphs)))
        return None

    def _found(self, span: Span, page: _PageText) -> tuple[Glyph, ...]:
        """The glyphs of `span`, by the longest context in which they stand on the page just once."""
        text = self.document.text
        figure = _close(text[span.start : span.end])
        for reach in _CONTEXTS:
            before = _close(text[max(0, span.start - 2 * reach) : span.start])[-reach:] if reach else ""
            after = _close(text[span.end : span.end + 2 * reach])[:reach]
            if page.text.count(before + figure + after) == 1:
                start = page.text.index(before + figure + after) + len(before)
                return page.glyphs[start : start + len(figure)]
        return ()

    def _text_of(self, page: int) -> _PageText:
        if page not in self._texts:
            with pdfplumber.open(self._path, pages=[page]) as pdf:
                lines = glyph_lines(glyphs_of(pdf.pages[0]))
            printed = [(sign, glyph) for line in lines for glyph in line for sign in _close(glyph.text)]
            text = "".join(sign for sign, _ in printed)
            self._texts[page] = _PageText(text, tuple(glyph for _, glyph in printed))
        return self._texts[page]


def page_sizes(path: Path) -> list[tuple[float, float]]:
    """Width and height of every page of a PDF in points; no text is read. Raises BrokenFile."""
    with _drawn(path) as pdf:
        return _sizes(pdf)


def _sizes(pdf: Any) -> list[tuple[float, float]]:
    return [pdf.get_page_size(number) for number in range(len(pdf))]


def draw_page(path: Path, number: int) -> Picture:
    """One page of a PDF, counted from 1; nothing else of the file is read.

    Raises BrokenFile, and DocumentError where the PDF has no such page.
    """
    with _drawn(path) as pdf:
        if not 1 <= number <= len(pdf):
            raise DocumentError(f"{path.name}: has {len(pdf)} pages, no page {number}")
        return _picture(pdf[number - 1])


@contextmanager
def _drawn(path: Path) -> Iterator[Any]:
    """The PDF as pdfium has it, which draws it."""
    try:
        with pypdfium2.PdfDocument(path) as pdf:
            yield pdf
    except (pypdfium2.PdfiumError, ValueError) as error:
        raise BrokenFile(f"{path.name}: the PDF's pages cannot be drawn: {error}") from error


def _is_plain(page: Any) -> bool:
    """Whether a picture of the page begins where its coordinates do: not cropped, shifted or turned."""
    media = page.get_mediabox()
    return bool(media[:2] == (0, 0) and page.get_cropbox() == media and page.get_rotation() == 0)


def _picture(page: Any) -> Picture:
    width, height = page.get_size()
    scale = min(PICTURE_WIDTH / width, PICTURE_HEIGHT / height)
    image = page.render(scale=scale).to_pil().convert("L")
    written = BytesIO()
    image.save(written, format="WEBP", quality=PICTURE_QUALITY, method=6)
    return Picture(written.getvalue(), float(width), float(height))


def _close(text: str) -> str:
    return "".join(text.split())


def _line_boxes(glyphs: tuple[Glyph, ...]) -> Iterator[Box]:
    """A box a printed line."""
    line: list[Glyph] = []
    for glyph in glyphs:
        if line and abs(glyph.middle - line[-1].middle) > _SAME_LINE * glyph.size:
            yield _around(line)
            line = []
        line.append(glyph)
    if line:
        yield _around(line)


def _around(glyphs: list[Glyph]) -> Box:
    return Box(
        min(glyph.x0 for glyph in glyphs),
        min(glyph.top for glyph in glyphs),
        max(glyph.x1 for glyph in glyphs),
        max(glyph.bottom for glyph in glyphs),
    )
