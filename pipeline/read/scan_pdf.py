"""Pages of a PDF that are pictures, drawn to be recognised."""

from __future__ import annotations

import threading
from collections.abc import Collection
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.errors import BrokenFile
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.scan import read_levels

if TYPE_CHECKING:
    from pipeline.read.scan_page import ScannedPage

# A page is drawn as fine as its picture, within these bounds.
_COARSEST, _FINEST = 150.0, 200.0
_POINTS_AN_INCH = 72
_MOST_PIXELS = 12_000_000

# pdfium is not to be used by two threads at a time.
_drawing = threading.Lock()


def read_drawn_pages(data: bytes, numbers: Collection[int], limits: Limits) -> dict[int, ScannedPage]:
    """What is printed on the pages `numbers` (from 1) of a PDF. Raises BrokenFile, TooLarge."""
    return {number: read_levels(*_drawn(data, number, limits), number) for number in numbers}


def _drawn(data: bytes, number: int, limits: Limits) -> tuple[NDArray[np.uint8], float]:
    """Grey levels of a page, and points a pixel."""
    try:
        with _drawing, pypdfium2.PdfDocument(data) as pdf:
            page = pdf[number - 1]
            scale = _resolution(page, limits) / _POINTS_AN_INCH
            levels = page.render(scale=scale, grayscale=True).to_numpy()
            return np.array(levels.reshape(levels.shape[:2]), dtype=np.uint8), 1 / scale
    except (pypdfium2.PdfiumError, ValueError, IndexError) as error:
        raise BrokenFile(f"the PDF is damaged: page {number} cannot be drawn. Get the file again.") from error


def _resolution(page: Any, limits: Limits) -> float:
    """Pixels an inch: those of the page's largest picture, within bounds."""
    width, height = page.get_size()
    finest = 0.0
    for picture in page.get_objects(filter=(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE,)):
        columns, rows = picture.get_px_size()
        refuse_above(columns * rows, limits.picture_pixels, "pixels")
        left, _, right, _ = picture.get_bounds()
        if right - left > width / 2:
            finest = max(finest, _POINTS_AN_INCH * columns / (right - left))
    most = _POINTS_AN_INCH * sqrt(_MOST_PIXELS / max(1.0, width * height))
    return min(max(finest, _COARSEST), _FINEST, most)
