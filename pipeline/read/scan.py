"""Pictures of reports: scans as image files, scanned pages of PDFs, tables that are pictures.

Text is recognised in this process, by packages that are an extra: without them a scan is
refused in plain words. Nothing is fetched.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from pipeline.errors import BrokenFile, DocumentError, EmptyFile, TooLarge, UnsupportedFormat
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.parts import Part, Reading, TablePart, TextPart
from pipeline.read.pdf_parts import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.read.scan_page import ScannedPage

NEEDED = ("rapidocr", "onnxruntime", "cv2")
INSTALL = 'Text in pictures is read by an extra: pip install "gongkai[ocr]"'

# The decoders that may run; others start programs or are seldom used and seldom mended.
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
# What Pillow raises on damaged pictures.
_FAULTS = (OSError, ValueError, SyntaxError, EOFError, struct.error, LookupError, TypeError, OverflowError)
_POINTS_AN_INCH = 72
_A4_SHORT, _A4_LONG = 595.3, 841.9
_SHORTEST_SIDE, _LONGEST_SIDE = 280.0, 2400.0  # points of a page whose stated resolution is believed
_DPI = 200  # pictures finer than this are made coarser
_SMALLEST_PICTURE = 150  # pixels of a side below which a picture holds no table


@cache
def has_ocr() -> bool:
    """Whether the packages that read text in pictures are installed."""
    return all(find_spec(name) is not None for name in NEEDED)


def read_scan(data: bytes, limits: Limits) -> Reading:
    """Parts of an image file; a TIFF may have several pages.

    Raises UnsupportedFormat where the extra is missing, BrokenFile, TooLarge, EmptyFile.
    """
    if not has_ocr():
        raise UnsupportedFormat(f"the file is a picture of a report. {INSTALL}; or get the report as text.")
    image = _opened(data, limits)
    pages = [
        read_levels(levels, points, number)
        for number, (levels, points) in enumerate(_frames(image, limits), start=1)
    ]
    parts = parts_of([each.page for each in pages])
    if not any(isinstance(part, TextPart | TablePart) for part in parts):
        raise EmptyFile("no text was recognised in the picture. Scan the report again, or get it as text.")
    return Reading(parts, _media_type(image), page_count=len(pages), notes=notes_on(pages))


def is_large(data: bytes) -> bool:
    """Whether a picture is large enough to hold a table, by its header."""
    size = picture_size(BytesIO(data))
    return size is not None and min(size) >= _SMALLEST_PICTURE


def read_pictures(pictures: Sequence[bytes], limits: Limits) -> list[list[Part]]:
    """What is printed on the pictures of a page or document, for each its parts, without places.

    A picture that cannot be read, or is too small to hold a table, has none. Raises
    UnsupportedFormat where the extra is missing.
    """
    if not has_ocr():
        raise UnsupportedFormat(f"the document holds pictures. {INSTALL}; or get the report as text.")
    return [_picture_parts(picture, limits) for picture in pictures]


def _picture_parts(data: bytes, limits: Limits) -> list[Part]:
    try:
        image = _opened(data, limits)
        if min(image.size) < _SMALLEST_PICTURE:
            return []
        levels, points = next(_frames(image, limits))
    except DocumentError:
        return []
    return [_without_place(part) for part in parts_of([read_levels(levels, points, 1).page])]


def _without_place(part: Part) -> Part:
    """The part without page and boxes: what holds the picture has no pages."""
    match part:
        case TablePart(rows, form):
            return TablePart([[cell._replace(page=None, box=None) for cell in row] for row in rows], form)
        case TextPart():
            runs = tuple(replace(run, page=None, box=None) for run in part.runs)
            return replace(part, page=None, runs=runs)
        case _:
            return part


def read_levels(levels: NDArray[np.uint8], points: float, number: int) -> ScannedPage:
    """What is printed on a page; `levels`: 255 paper, 0 black, `points` a pixel."""
    from pipeline.read.scan_page import read_page  # needs the extra

    return read_page(levels, points, number)


def notes_on(pages: Sequence[ScannedPage]) -> tuple[str, ...]:
    """Which pages were recognised, and on which of them some print was not."""
    listed = ", ".join(str(each.number) for each in pages)
    unread = ", ".join(str(each.number) for each in pages if not each.is_complete)
    recognised = [f"recognised in pictures (OCR): page {listed}"] if pages else []
    return (*recognised, *([f"print that could not be recognised: page {unread}"] if unread else []))


def picture_size(path: Path | BytesIO) -> tuple[int, int] | None:
    """Width and height in pixels by the header of a file alone; None where it cannot be read."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            return image.size
    except (*_FAULTS, Image.DecompressionBombError):
        return None


def _opened(data: bytes, limits: Limits) -> Image.Image:
    """The image by its header. Raises BrokenFile, TooLarge."""
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{error}: the limit is {limits.picture_pixels:,} pixels. Scan it coarser.") from error
    except _FAULTS as error:
        raise BrokenFile("the picture is damaged. Get the file again from its source.") from error
    refuse_above(image.size[0] * image.size[1], limits.picture_pixels, "pixels")
    return image


def _media_type(image: Image.Image) -> str:
    return Image.MIME.get("JPEG" if image.format == "MPO" else image.format or "", "image/unknown")


def _frames(image: Image.Image, limits: Limits) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Grey levels and points a pixel of each page; of other formats than TIFF the first picture."""
    try:
        count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        refuse_above(count, limits.pages, "pages")
        for number in range(count):
            image.seek(number)
            refuse_above(image.size[0] * image.size[1], limits.picture_pixels, "pixels")
            yield _levels(image)
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{error}: the limit is {limits.picture_pixels:,} pixels. Scan it coarser.") from error
    except _FAULTS as error:
        raise BrokenFile("the picture is damaged or cut off. Get the file again from its source.") from error


def _levels(image: Image.Image) -> tuple[NDArray[np.uint8], float]:
    """Grey levels, upright by EXIF, with square pixels no finer than is of use."""
    across, down = _points_a_pixel(image)
    grey = ImageOps.exif_transpose(_grey(image))
    if grey.size != image.size:
        across, down = down, across
    points = max(across, down, _POINTS_AN_INCH / _DPI)
    size = (max(1, round(grey.width * across / points)), max(1, round(grey.height * down / points)))
    if size != grey.size:
        grey = grey.resize(size, Image.Resampling.BOX if size[0] < grey.width else Image.Resampling.BICUBIC)
    return np.asarray(grey, dtype=np.uint8), points


def _points_a_pixel(image: Image.Image) -> tuple[float, float]:
    """By the resolution that the file states, where it makes a page; else as if the picture were A4."""
    width, height = image.size
    stated = image.info.get("dpi")
    if isinstance(stated, tuple) and len(stated) == 2 and min(stated) > 0:
        across, down = (_POINTS_AN_INCH / float(each) for each in stated)
        sides = sorted((width * across, height * down))
        if sides[0] >= _SHORTEST_SIDE and sides[1] <= _LONGEST_SIDE:
            return across, down
    points = _A4_SHORT / width if width <= height else _A4_LONG / width
    return points, points


def _grey(image: Image.Image) -> Image.Image:
    """One channel of 8 bits on white paper."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        return Image.fromarray((255 * values / max(values.max(), 1e-9)).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        image = paper
    return image.convert("L")
