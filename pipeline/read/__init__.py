"""Reading: a file of any carrier becomes a Document with canonical text.

One carrier is one module and one line in `_READERS`. The carrier is chosen by
content. Reading opens no network connection and runs nothing that a file contains.

    sniff → encoding → text | html | pdf → parts → Document
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from pipeline.document import Document
from pipeline.errors import DocumentError, EmptyFile
from pipeline.read.docx import read_docx
from pipeline.read.encoding import Decoded, decode
from pipeline.read.html import read_html
from pipeline.read.limits import DEFAULT_LIMITS, Limits, refuse_above
from pipeline.read.mhtml import read_mhtml
from pipeline.read.parts import Reading, TablePart, TextPart, lay_out
from pipeline.read.pdf import read_pdf
from pipeline.read.sniff import BinaryKind, TextKind, binary_kind, text_kind
from pipeline.read.text import read_text
from pipeline.read.workbook import read_workbook

__all__ = ["DEFAULT_LIMITS", "Limits", "read_document"]

_BINARY_READERS: dict[BinaryKind, Callable[[bytes, Limits], Reading]] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "workbook": read_workbook,
    "mhtml": read_mhtml,
}
_TEXT_READERS: dict[TextKind, Callable[[Decoded, Limits], Reading]] = {"html": read_html, "text": read_text}


def read_document(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one file.

    Raises a DocumentError: EmptyFile, UnsupportedFormat, BrokenFile, NoTextLayer,
    TooLarge, or DocumentError itself if the file cannot be opened.
    """
    try:
        data = _bytes_of(path, limits)
        reading = _read(data, limits)
        builder = lay_out(reading.parts, limits)
    except DocumentError as error:
        raise type(error)(f"{path.name}: {error}") from error
    return builder.build(
        doc_id=path.stem,
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=reading.media_type,
        page_count=reading.page_count,
        notes=reading.notes,
    )


def _bytes_of(path: Path, limits: Limits) -> bytes:
    try:
        refuse_above(path.stat().st_size, limits.file_bytes, "bytes")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(
            f"the file cannot be read ({error.strerror or error}). Check that it exists and may be read."
        ) from error


def _read(data: bytes, limits: Limits) -> Reading:
    """Choose the reader by content and read; raises EmptyFile if there is no text."""
    binary = binary_kind(data)
    if binary is not None:
        return _BINARY_READERS[binary](data, limits)
    decoded = decode(data)
    if not decoded.text.strip("\ufeff\x00 \t\r\n\f\v\u00a0\u3000"):
        raise EmptyFile("the file is empty or holds only white space. Get it again from its source.")
    reading = _TEXT_READERS[text_kind(decoded.text)](decoded, limits)
    if not any(isinstance(part, TablePart | TextPart) for part in reading.parts):
        raise EmptyFile("the file shows no text. Save the page or text again, complete.")
    return reading
