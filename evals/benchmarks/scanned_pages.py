"""Reports as pictures of pages: printed sharp, then made to look as a scanner leaves them.

The tables are those of `table_carriers`, laid out with widths and heights like printed
forms have them, broken over pages where a page is full. Millimetres throughout.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from evals.benchmarks.table_carriers import PrintedCell, PrintedReport, PrintedTable

MM_AN_INCH = 25.4
PAGE_MM = (210.0, 297.0)
MARGIN_MM = (22.0, 25.0)
_PRINT_DPI = 300
_TWO_TONE = 165
_LEADING = 1.7
_CELL_MARGIN_MM = 1.2
# Label columns are wide, columns of figures narrow, as in the printed forms.
_WIDTHS_MM = {
    "requests": (10.0, 26.0, 52.0, 12.0, 11.0, 11.0, 11.0, 11.0, 11.0, 12.0),
    "remedies": (11.0,) * 15,
}
_FONT_PLACES = (
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)
_SIMPLIFIED = 2  # The collections hold JP, KR, SC, TC, HK in this order.
_FIGURE_FONT_PLACES = ("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf",)


@dataclass(frozen=True)
class Print:
    """Type and rules of the printed page; `figure_font` None takes the text's own."""

    font: Path
    figure_font: Path | None = None
    size_pt: float = 10.5
    body_pt: float = 16.0
    rule_mm: float = 0.2
    shaded: bool = True


@dataclass(frozen=True)
class Scan:
    """What a scanner does: resolution, degrees of rotation, blur in pixels, noise in grey levels."""

    dpi: int = 150
    angle: float = 0.0
    blur: float = 0.5
    noise: float = 8.0
    specks: int = 150
    fading: float = 0.0
    gaps: int = 0
    jpeg_quality: int | None = 75
    two_tone: bool = False
    seed: int = 0


def fonts() -> tuple[Path, ...]:
    """The Chinese fonts of this machine that the pages can be printed in."""
    return tuple(path for path in map(Path, _FONT_PLACES) if path.is_file())


def figure_fonts() -> tuple[Path, ...]:
    """Latin fonts for the figures."""
    return tuple(path for path in map(Path, _FIGURE_FONT_PLACES) if path.is_file())


def scanned(report: PrintedReport, prose: Sequence[str], style: Print, scan: Scan) -> list[Image.Image]:
    """The pages of a report as a scanner delivers them."""
    random_numbers = random.Random(scan.seed)
    return [damaged(page, scan, random_numbers) for page in printed(report, prose, style)]


def printed(report: PrintedReport, prose: Sequence[str], style: Print) -> list[Image.Image]:
    """Sharp pages at 300 dpi: title, prose, then each table under its heading."""
    press = Press(style)
    for line in prose:
        press.paragraph(line)
    for table in report.tables:
        press.paragraph(table.heading)
        press.table(table)
    press.paragraph("五、存在的主要问题及改进情况")
    press.paragraph("队伍建设仍需加强，公开的时效有待提高。")
    return press.pages


@dataclass
class Press:
    """Sets type from the top of a page to its bottom and then takes a new one."""

    style: Print
    pages: list[Image.Image] = field(default_factory=list)
    _y: float = 1e9

    def paragraph(self, text: str) -> None:
        """A paragraph of body type, its first line indented by two characters."""
        size = self.style.body_pt * MM_AN_INCH / 72
        width = PAGE_MM[0] - 2 * MARGIN_MM[0]
        for number, line in enumerate(_wrapped("　　" + text, self._font(self.style.body_pt), _px(width))):
            self._room(size * _LEADING)
            del number
            self._write(line, MARGIN_MM[0], self._y, self.style.body_pt)
            self._y += size * _LEADING

    def table(self, table: PrintedTable) -> None:
        """The rows of a table, on as many pages as it takes; the header is not broken."""
        widths = _widths(table)
        rows = list(_placed_rows(table))
        heights = [self._height(row, widths) for row in rows]
        while rows:
            self._room(sum(heights[: table.header_rows + 1]) + 1)
            count, bottom = 0, self._y
            while count < len(rows) and bottom + heights[count] <= PAGE_MM[1] - MARGIN_MM[1]:
                bottom += heights[count]
                count += 1
            self._piece(rows[:count], heights[:count], widths)
            rows = _rest(rows, count)
            heights = heights[count:]
            self._y = bottom if not rows else 1e9
        self._y += 4

    def _piece(
        self, rows: Sequence[list[_Placed]], heights: Sequence[float], widths: Sequence[float]
    ) -> None:
        xs = _edges(MARGIN_MM[0], widths)
        ys = _edges(self._y, heights)
        for number, row in enumerate(rows):
            for placed in row:
                bottom = ys[min(number + placed.cell.row_span, len(ys) - 1)]
                left, right = xs[placed.column], xs[placed.column + placed.cell.column_span]
                self._cell(placed.cell, left, ys[number], right, bottom)

    def _cell(self, cell: PrintedCell, left: float, top: float, right: float, bottom: float) -> None:
        draw = ImageDraw.Draw(self.pages[-1])
        box = [_px(left), _px(top), _px(right), _px(bottom)]
        fill = 214 if self.style.shaded and cell.text.startswith("第二十条") else None
        draw.rectangle(box, fill=fill, outline=0, width=max(1, _px(self.style.rule_mm)))
        lines = self._lines(cell, right - left)
        leading = self.style.size_pt * MM_AN_INCH / 72 * 1.25
        y = (top + bottom - leading * len(lines)) / 2
        is_label = cell.path is None and len(cell.text) > 8
        for line in lines:
            width = self._width(line, self.style.size_pt)
            x = left + _CELL_MARGIN_MM if is_label else (left + right - width) / 2
            self._write(line, x, y + leading * 0.08, self.style.size_pt)
            y += leading

    def _lines(self, cell: PrintedCell, width: float) -> list[str]:
        if cell.row_span > 8:
            return list(cell.text)  # a vertical label
        return list(_wrapped(cell.text, self._font(self.style.size_pt), _px(width - 2 * _CELL_MARGIN_MM)))

    def _height(self, row: Sequence[_Placed], widths: Sequence[float]) -> float:
        leading = self.style.size_pt * MM_AN_INCH / 72 * 1.25
        lines = [
            len(self._lines(each.cell, sum(widths[each.column : each.column + each.cell.column_span])))
            for each in row
            if each.cell.row_span == 1
        ]
        return leading * max(lines, default=1) + 2.4

    def _room(self, height: float) -> None:
        if self._y + height > PAGE_MM[1] - MARGIN_MM[1]:
            self.pages.append(Image.new("L", (_px(PAGE_MM[0]), _px(PAGE_MM[1])), 255))
            self._y = MARGIN_MM[1]

    def _font(self, size: float, figures: bool = False) -> ImageFont.FreeTypeFont:
        path = self.style.figure_font if figures and self.style.figure_font else self.style.font
        index = _SIMPLIFIED if path.suffix == ".ttc" else 0
        return ImageFont.truetype(path, round(size * _PRINT_DPI / 72), index=index)

    def _width(self, text: str, size: float) -> float:
        return sum(self._font(size, is_figure).getlength(run) for run, is_figure in _runs(text)) * _mm_a_px()

    def _write(self, text: str, x: float, y: float, size: float) -> None:
        draw = ImageDraw.Draw(self.pages[-1])
        place = float(_px(x))
        baseline = _px(y) + round(size * _PRINT_DPI / 72 * 0.95)
        for run, is_figure in _runs(text):
            font = self._font(size, is_figure)
            draw.text((place, baseline), run, fill=0, font=font, anchor="ls")
            place += font.getlength(run)


@dataclass(frozen=True)
class _Placed:
    cell: PrintedCell
    column: int


def _placed_rows(table: PrintedTable) -> Iterator[list[_Placed]]:
    covered: set[tuple[int, int]] = set()
    for number, row in enumerate(table.rows):
        column, placed = 0, []
        for cell in row:
            while (number, column) in covered:
                column += 1
            placed.append(_Placed(cell, column))
            for down in range(cell.row_span):
                covered |= {(number + down, column + right) for right in range(cell.column_span)}
            column += cell.column_span
        yield placed


def _rest(rows: Sequence[list[_Placed]], count: int) -> list[list[_Placed]]:
    """The rows behind a page break; a cell that runs over it goes on as an empty one."""
    rest = [list(row) for row in rows[count:]]
    if rest:
        for number, row in enumerate(rows[:count]):
            for placed in row:
                left = placed.cell.row_span - (count - number)
                if left > 0:
                    empty = PrintedCell("", placed.cell.column_span, left)
                    rest[0].append(_Placed(empty, placed.column))
    return rest


def _widths(table: PrintedTable) -> Sequence[float]:
    width = PAGE_MM[0] - 2 * MARGIN_MM[0]
    if table.kind in _WIDTHS_MM and len(_WIDTHS_MM[table.kind]) == table.width:
        return [each * width / sum(_WIDTHS_MM[table.kind]) for each in _WIDTHS_MM[table.kind]]
    return [0.4 * width, *[0.6 * width / (table.width - 1)] * (table.width - 1)]


def _edges(start: float, sizes: Sequence[float]) -> list[float]:
    edges = [start]
    for size in sizes:
        edges.append(edges[-1] + size)
    return edges


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> Iterator[str]:
    line = ""
    for char in text:
        if line and font.getlength(line + char) > width and not (line[-1].isascii() and char.isascii()):
            yield line
            line = ""
        line += char
    if line:
        yield line


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Stretches of ASCII and of other characters, which have fonts of their own."""
    run = ""
    for char in text:
        if run and char.isascii() != run[-1].isascii():
            yield run, run[-1].isascii()
            run = ""
        run += char
    if run:
        yield run, run[-1].isascii()


def _px(mm: float) -> int:
    return round(mm * _PRINT_DPI / MM_AN_INCH)


def _mm_a_px() -> float:
    return MM_AN_INCH / _PRINT_DPI


def damaged(page: Image.Image, scan: Scan, numbers: random.Random) -> Image.Image:
    """A sharp page as the scanner delivers it."""
    page = page.rotate(scan.angle, Image.Resampling.BICUBIC, fillcolor=255)
    size = tuple(round(side * scan.dpi / _PRINT_DPI) for side in page.size)
    page = page.resize((size[0], size[1]), Image.Resampling.BOX)
    page = page.filter(ImageFilter.GaussianBlur(scan.blur))
    levels = np.asarray(page, dtype=np.float32)
    noise = np.random.default_rng(numbers.randrange(2**32))
    levels = 255 - (255 - levels) * (1 - scan.fading)
    _white_gaps(levels, scan.gaps, noise)
    levels += noise.normal(0, scan.noise, levels.shape) if scan.noise else 0
    rows, columns = (noise.integers(0, side, scan.specks) for side in levels.shape)
    levels[rows, columns] = noise.integers(0, 120, scan.specks)
    page = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    if scan.two_tone:
        return page.point(lambda level: 255 if level > _TWO_TONE else 0).convert("1")
    return page if scan.jpeg_quality is None else _through_jpeg(page, scan.jpeg_quality)


def _white_gaps(levels: np.ndarray, count: int, noise: np.random.Generator) -> None:
    """Spots where the toner is missing, up to three pixels wide: they break rules."""
    for _ in range(count):
        row, column = (int(noise.integers(0, side - 3)) for side in levels.shape)
        levels[row : row + 3, column : column + 3] = 255


def _through_jpeg(page: Image.Image, quality: int) -> Image.Image:
    written = BytesIO()
    page.save(written, format="JPEG", quality=quality)
    return Image.open(BytesIO(written.getvalue())).convert("L")
