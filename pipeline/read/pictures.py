"""Tables that a page or Word document holds as pictures: read by OCR, put behind its own text.

Pictures are looked for only where the document itself prints fewer tables of figures than a
form has. Those of a page come from its own folder or from the page itself (`data:`): nothing
is fetched, and nothing outside of the folder is opened.
"""

from __future__ import annotations

import base64
import binascii
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from pipeline.read.encoding import decode
from pipeline.read.limits import Limits
from pipeline.read.lines import is_figure
from pipeline.read.parts import Part, Reading, TablePart, TextPart
from pipeline.read.scan import INSTALL, has_ocr, is_large, read_pictures

_SOURCE = re.compile(r"""<img\b[^<>]{0,2000}?\bsrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.I)
_INLINE = re.compile(r"data:image/[\w.+-]+;base64,(.*)", re.I | re.S)
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|/|\\)", re.I)
_MEMBER = re.compile(r"word/media/[^/]+\.(?:png|jpe?g|gif|bmp|tiff?)$", re.I)
_TABLES_OF_A_FORM = 3
_FEWEST_FIGURES = 5
_MOST_PICTURES = 20
# A document that prints less than this is only the frame of its pictures: their text counts too.
_FRAME_CHARACTERS = 400


def with_pictures(reading: Reading, data: bytes, path: Path, limits: Limits) -> Reading:
    """The reading with what its pictures print, or with the loss of them."""
    if sum(map(_has_figures, reading.parts)) >= _TABLES_OF_A_FORM:
        return reading
    found = islice(filter(is_large, _pictures(reading, data, path, limits)), _MOST_PICTURES)
    pictures = list(found)
    if not pictures:
        return reading
    if not has_ocr():
        note = f"{len(pictures)} pictures were not read: a table may be among them. {INSTALL}"
        return replace(reading, losses=(*reading.losses, note))
    is_frame = sum(len(part.text) for part in reading.parts if isinstance(part, TextPart)) < _FRAME_CHARACTERS
    added = [
        part
        for parts in read_pictures(pictures, limits)
        for part in parts
        if _has_figures(part) or (is_frame and isinstance(part, TextPart | TablePart))
    ]
    if not added:
        return reading
    note = f"tables or text of {len(pictures)} pictures were recognised (OCR) and stand behind the text"
    return replace(reading, parts=[*reading.parts, *added], notes=(*reading.notes, note))


def _has_figures(part: Part) -> bool:
    if not isinstance(part, TablePart):
        return False
    return sum(is_figure(draft.text) for row in part.rows for draft in row if draft.text) >= _FEWEST_FIGURES


def _pictures(reading: Reading, data: bytes, path: Path, limits: Limits) -> Iterator[bytes]:
    if reading.media_type == "text/html":
        yield from _pictures_of_page(decode(data).text, path, limits)
    elif "wordprocessingml" in reading.media_type:
        yield from _pictures_of_word(data)


def _pictures_of_page(page: str, path: Path, limits: Limits) -> Iterator[bytes]:
    """Pictures inside of the page, and those saved beside it, in order."""
    for match in _SOURCE.finditer(page):
        source = match[1] or match[2] or match[3] or ""
        inline = _INLINE.match(source)
        picture = _decoded(inline[1]) if inline else _beside(source, path, limits)
        if picture:
            yield picture


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(unquote(text))
    except (binascii.Error, ValueError):
        return b""


def _beside(source: str, path: Path, limits: Limits) -> bytes:
    """A file in the page's folder or below it; nothing for an address or for what lies elsewhere."""
    name = unquote(source.split("?")[0].split("#")[0])
    if not name or "\x00" in name or _REMOTE.match(name):
        return b""
    folder = path.parent.resolve()
    try:
        file = (folder / name).resolve()
        is_inside = (
            file.is_relative_to(folder) and file.is_file() and file.stat().st_size <= limits.file_bytes
        )
        return file.read_bytes() if is_inside else b""
    except OSError:
        return b""


def _pictures_of_word(data: bytes) -> Sequence[bytes]:
    """Pictures of a package that was read, so that its size is within the limits."""
    with zipfile.ZipFile(BytesIO(data)) as package:
        return [package.read(name) for name in sorted(package.namelist()) if _MEMBER.match(name)]
