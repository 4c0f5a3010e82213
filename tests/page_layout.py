"""Made-up reports laid out on A4 pages, and the pages as a PDF with text or as a scan of one.

Coordinates are points from the upper left of the page. Tables go on over page breaks; a cell
that spans rows over a break has its text on the first page.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from made_reports import Heading, MadeReport, Paragraph
from pdf_writer import HEIGHT, WIDTH, Canvas, pdf
from PIL import Image, ImageDraw, ImageFont

from evals.benchmarks.table_carriers import PrintedCell, PrintedTable, placed_cells

SCAN_FONT = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"
SCAN_DPI = 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, 525.0, 72.0, 768.0
_BODY, _LEADING = 14.0, 24.0
_CELL, _CELL_LEADING, _PADDING = 8.0, 10.0, 3.0


@dataclass(frozen=True, slots=True)
class Text:
    """A line of type with its upper left corner."""

    x: float
    y: float
    text: str
    size: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A ruling line."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass
class PageContent:
    """What is printed on a page."""

    texts: list[Text] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)


def pages_of(report: MadeReport, *, is_ruled: bool, padding: float = 6.0) -> list[PageContent]:
    """The report laid out; without rules the tables stand by their white space alone.

    `padding` is the white space of a row above and below its cells, in points.
    """
    layout = _Layout(is_ruled, padding)
    layout.centred(report.title, 18)
    for label, value in report.metadata:
        layout.paragraph(f"{label}：{value}", 0)
    for block in report.blocks:
        match block:
            case Heading(text) | Paragraph(text):
                layout.paragraph(text, 2)
            case _:
                layout.table(block)
    for line in report.signature:
        layout.flush_right(line)
    layout.page_numbers()
    return layout.pages


class _Layout:
    """The pages so far and the height reached on the last one."""

    def __init__(self, is_ruled: bool, padding: float) -> None:
        self._padding = padding
        self.pages = [PageContent()]
        self._y = _TOP
        self._is_ruled = is_ruled

    def _room(self, height: float) -> None:
        if self._y + height > _BOTTOM:
            self.pages.append(PageContent())
            self._y = _TOP

    def _print(self, x: float, text: str, size: float, leading: float) -> None:
        self._room(leading)
        self.pages[-1].texts.append(Text(x, self._y, text, size))
        self._y += leading

    def centred(self, text: str, size: float) -> None:
        for line in wrapped(text, _RIGHT - _LEFT, size):
            self._print((_LEFT + _RIGHT - width_of(line, size)) / 2, line, size, 2 * size)

    def flush_right(self, text: str) -> None:
        self._print(_RIGHT - width_of(text, _BODY) - _BODY, text, _BODY, _LEADING)

    def paragraph(self, text: str, indent: int) -> None:
        first, *others = wrapped("　" * indent + text, _RIGHT - _LEFT, _BODY)
        self._print(_LEFT + indent * _BODY, first.strip("　"), _BODY, _LEADING)
        for line in others:
            self._print(_LEFT, line, _BODY, _LEADING)

    def table(self, table: PrintedTable) -> None:
        """Rows in runs that fit on a page."""
        xs = _edges(table)
        heights = _heights(table, xs, self._padding)
        first = 0
        self._y += 4
        self._room(heights[0] + heights[min(1, len(heights) - 1)])
        while first < len(heights):
            last, used = first, 0.0
            while last < len(heights) and self._y + used + heights[last] <= _BOTTOM:
                used += heights[last]
                last += 1
            self._piece(table, xs, heights, first, last)
            self._y += used + 8
            first = last
            if first < len(heights):
                self.pages.append(PageContent())
                self._y = _TOP

    def _piece(
        self, table: PrintedTable, xs: Sequence[float], heights: Sequence[float], first: int, last: int
    ) -> None:
        ys = [self._y + sum(heights[first:row]) for row in range(first, last + 1)]
        for cell, row, column in placed_cells(table):
            top, bottom = max(row, first), min(row + cell.row_span, last)
            if top >= bottom:
                continue
            box = xs[column], ys[top - first], xs[column + cell.column_span], ys[bottom - first]
            if self._is_ruled:
                self.pages[-1].strokes.extend(_frame(*box))
            if row >= first:
                self.pages[-1].texts.extend(_in_cell(cell.text, *box))

    def page_numbers(self) -> None:
        for number, page in enumerate(self.pages, start=1):
            page.texts.append(Text(284, 795, f"- {number} -", 10))


def _frame(x0: float, y0: float, x1: float, y1: float) -> Iterator[Stroke]:
    yield Stroke(x0, y0, x1, y0)
    yield Stroke(x0, y1, x1, y1)
    yield Stroke(x0, y0, x0, y1)
    yield Stroke(x1, y0, x1, y1)


def _in_cell(text: str, x0: float, y0: float, x1: float, y1: float) -> Iterator[Text]:
    """The lines of a cell, in its middle both ways."""
    lines = wrapped(text, x1 - x0 - _PADDING, _CELL)
    y = (y0 + y1 - _CELL_LEADING * len(lines)) / 2 + 1
    for number, line in enumerate(lines):
        yield Text((x0 + x1 - width_of(line, _CELL)) / 2, y + number * _CELL_LEADING, line, _CELL)


def _edges(table: PrintedTable) -> list[float]:
    """Column edges: narrow for a vertical label, wide for labels, even for figures."""
    width = _RIGHT - _LEFT
    labels = {"requests": (22.0, 50.0, 120.0), "proactive": (170.0,), "statistics": (270.0,)}.get(
        table.kind, ()
    )
    rest = (width - sum(labels)) / (table.width - len(labels))
    edges = [_LEFT]
    for column in range(table.width):
        edges.append(edges[-1] + (labels[column] if column < len(labels) else rest))
    return edges


def _heights(table: PrintedTable, xs: Sequence[float], padding: float) -> list[float]:
    """Row heights that hold every cell's lines."""
    heights = [_CELL_LEADING + padding] * len(table.rows)
    for cell, row, column in sorted(placed_cells(table), key=lambda placed: placed[0].row_span):
        needed = _CELL_LEADING * _line_count(cell, xs, column) + padding
        rows = slice(row, row + cell.row_span)
        heights[row + cell.row_span - 1] += max(0.0, needed - sum(heights[rows]))
    return heights


def _line_count(cell: PrintedCell, xs: Sequence[float], column: int) -> int:
    return len(wrapped(cell.text, xs[column + cell.column_span] - xs[column] - _PADDING, _CELL))


def width_of(text: str, size: float) -> float:
    """Width of a line: half a square for ASCII, a square for all else."""
    return sum(0.5 if char.isascii() else 1.0 for char in text) * size


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Lines no wider than `width`; a figure is not broken."""
    lines: list[str] = [""]
    for word in _unbroken(text):
        if lines[-1] and width_of(lines[-1] + word, size) > width:
            lines.append("")
        lines[-1] += word
    return lines


def _unbroken(text: str) -> Iterator[str]:
    run = ""
    for char in text:
        if char.isascii():
            run += char
            continue
        if run:
            yield run
            run = ""
        yield char
    if run:
        yield run


def pdf_of(report: MadeReport, *, is_ruled: bool, padding: float = 6.0) -> bytes:
    """A PDF with a text layer."""
    return pdf(*(_canvas(page) for page in pages_of(report, is_ruled=is_ruled, padding=padding)))


def _canvas(page: PageContent) -> Canvas:
    canvas = Canvas()
    for stroke in page.strokes:
        canvas.line(stroke.x0, stroke.y0, stroke.x1, stroke.y1)
    for text in page.texts:
        canvas.text(text.x, text.y, text.text, text.size)
    return canvas


def scan_of(report: MadeReport, degrees: float) -> bytes:
    """A PDF of page images: printed, laid on the glass at an angle, scanned at 150 dpi with noise."""
    scans = scanned_pages(report, degrees)
    written = BytesIO()
    scans[0].save(written, "PDF", save_all=True, append_images=scans[1:], resolution=SCAN_DPI, quality=80)
    return written.getvalue()


def scanned_pages(report: MadeReport, degrees: float) -> list[Image.Image]:
    """The scanned pages as pictures; the same report and angle have the same noise."""
    noise = np.random.default_rng(zlib.crc32(f"{report.title} {report.signature} {degrees}".encode()))
    return [_scan(page, degrees, noise) for page in pages_of(report, is_ruled=True)]


def _scan(page: PageContent, degrees: float, noise: np.random.Generator) -> Image.Image:
    scale = SCAN_DPI / 72
    image = Image.new("L", (round(WIDTH * scale), round(HEIGHT * scale)), 255)
    draw = ImageDraw.Draw(image)
    for stroke in page.strokes:
        draw.line(
            [stroke.x0 * scale, stroke.y0 * scale, stroke.x1 * scale, stroke.y1 * scale], fill=30, width=2
        )
    for text in page.texts:
        font = ImageFont.truetype(SCAN_FONT, round(text.size * scale))
        x = text.x
        for char in text.text:
            draw.text((x * scale, text.y * scale), char, fill=20, font=font, anchor="la")
            x += width_of(char, text.size)
    turned = image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    grey = np.asarray(turned, dtype=np.float32) * 0.93 + noise.normal(0, 8, (turned.height, turned.width))
    specks = noise.random(grey.shape) < 0.0004
    grey[specks] = 60
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


def table_picture(table: PrintedTable) -> bytes:
    """A table alone as a PNG, as sites put it into their pages."""
    report = MadeReport("table2021", "", (), (table,), ("", ""), frozenset())
    (page,) = pages_of(report, is_ruled=True)
    page.texts = [text for text in page.texts if text.y < 780]
    scan = _scan(page, 0.0, np.random.default_rng(1))
    bottom = round(max(stroke.y1 for stroke in page.strokes) * SCAN_DPI / 72) + 20
    written = BytesIO()
    scan.crop((100, 150, scan.width - 100, bottom)).save(written, "PNG")
    return written.getvalue()
