"""What the reading child is asked and answers; its side of the connection.

Only here a file is opened. Libraries are loaded in the child: the server needs none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evals.review.source.files import SourceFiles
from evals.review.source.recent import Recent
from pipeline.document import Box, Document, Span
from pipeline.errors import DocumentError
from pipeline.read.limits import Limits

if TYPE_CHECKING:
    from pipeline.read.pages import PdfPages

PDF = "application/pdf"
_MOST_KEPT_OPEN = 4


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page that can be shown as a picture: its number, counted from 1, and its size in points."""

    number: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span is printed: a page and its size in points, and a box a printed line."""

    span: Span
    page: PageSize
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """Read a document; the answer is a `Document`."""

    files: SourceFiles


@dataclass(frozen=True, slots=True)
class MeasurePages:
    """The pages of a PDF; the answer is a tuple of `PageSize`, empty for a file that is none."""

    path: Path


@dataclass(frozen=True, slots=True)
class DrawPage:
    """A page of a PDF, counted from 1; the answer is a WebP image."""

    path: Path
    page: int


@dataclass(frozen=True, slots=True)
class FindPlaces:
    """Where spans are printed; the answer is a list of `Place` without those that are not found."""

    files: SourceFiles
    spans: tuple[Span, ...]


Request = ReadFiles | MeasurePages | DrawPage | FindPlaces


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer to what could not be done."""

    reason: str
    is_out_of_memory: bool = False


class Serving:
    """Answers requests. Keeps the last files open: places on one page are asked for one after another."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._documents: Recent[SourceFiles, Document] = Recent(_MOST_KEPT_OPEN)
        self._pages: Recent[SourceFiles, PdfPages] = Recent(_MOST_KEPT_OPEN)

    def __call__(self, request: Request) -> object:
        """The answer, or `Failed`."""
        try:
            return self._answer(request)
        except (DocumentError, OSError) as error:
            return Failed(str(error))
        except MemoryError:
            return Failed("out of memory", is_out_of_memory=True)

    def _answer(self, request: Request) -> object:
        from pipeline.read.pages import draw_page, page_sizes

        match request:
            case ReadFiles(files):
                return self._document(files)
            case MeasurePages(path):
                sizes = page_sizes(path) if _is_pdf(path) else []
                return tuple(PageSize(number, *size) for number, size in enumerate(sizes, 1))
            case DrawPage(path, page):
                return draw_page(path, page).webp
            case FindPlaces(files, spans):
                return self._found(files, spans)

    def _document(self, files: SourceFiles) -> Document:
        from pipeline.read import read_document_with_parts

        known = self._documents.get(files)
        if known is None:
            known = read_document_with_parts(files.path, files.attachments, self._limits)
            self._documents.put(files, known)
        return known

    def _found(self, files: SourceFiles, spans: tuple[Span, ...]) -> list[Place]:
        if self._document(files).media_type != PDF:
            return []
        pdf = self._pdf(files)
        found = ((span, pdf.place_of(span)) for span in spans)
        return [
            Place(span, PageSize(place.page, *pdf.sizes[place.page - 1]), place.boxes)
            for span, place in found
            if place is not None
        ]

    def _pdf(self, files: SourceFiles) -> PdfPages:
        from pipeline.read.pages import PdfPages

        known = self._pages.get(files)
        if known is None:
            known = PdfPages(files.path, self._document(files).without_attachments())
            self._pages.put(files, known)
        return known


def _is_pdf(path: Path) -> bool:
    from pipeline.read.sniff import binary_kind

    return binary_kind(path.read_bytes()) == "pdf"
