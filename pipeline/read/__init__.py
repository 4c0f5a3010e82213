"""Reading: a file of any carrier becomes a Document with canonical text.

One carrier is one module and one line in the tables of readers. The carrier is chosen by
content. Reading opens no network connection and runs nothing that a file contains. What a
file holds inside, members of an archive and chunks of a Word document, is read the same way.

    sniff → encoding → text | html | pdf | docx | … → parts → Document
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.document import Document
from pipeline.errors import DocumentError, EmptyFile
from pipeline.read.archive import read_archive
from pipeline.read.attached import ReadFile, with_attachments
from pipeline.read.encoding import Decoded, decode
from pipeline.read.html import read_html
from pipeline.read.limits import DEFAULT_LIMITS, Limits, refuse_above
from pipeline.read.mhtml import read_mhtml
from pipeline.read.names import on_one_line, readable_name
from pipeline.read.parts import Reading, ReadNested, is_shown, lay_out
from pipeline.read.pictures import with_pictures
from pipeline.read.scan import read_scan
from pipeline.read.sniff import BinaryKind, TextKind, binary_kind, text_kind
from pipeline.read.text import read_text
from pipeline.read.wrapped import unwrapped, with_head, without_extra_escape

if TYPE_CHECKING:
    from pipeline.read.legacy import LegacyKind

__all__ = ["DEFAULT_LIMITS", "Limits", "read_document", "read_document_with_parts"]


# The libraries behind these carriers load with the first file of the kind: together they take longer
# than all that web pages and texts need.
def _read_pdf(data: bytes, limits: Limits) -> Reading:
    from pipeline.read.pdf import read_pdf

    return read_pdf(data, limits)


def _read_workbook(data: bytes, limits: Limits) -> Reading:
    from pipeline.read.workbook import read_workbook

    return read_workbook(data, limits)


def _read_docx(data: bytes, limits: Limits, read: ReadNested) -> Reading:
    from pipeline.read.docx import read_docx

    return read_docx(data, limits, read)


def _read_legacy(kind: LegacyKind, data: bytes, limits: Limits, read: ReadNested) -> Reading:
    from pipeline.read.legacy import read_legacy

    return read_legacy(kind, data, limits, read)


_BINARY_READERS: dict[BinaryKind, Callable[[bytes, Limits], Reading]] = {
    "pdf": _read_pdf,
    "workbook": _read_workbook,
    "mhtml": read_mhtml,
    "picture": read_scan,
}
# Carriers with other files inside, which the last argument reads.
_NESTING_READERS: dict[BinaryKind, Callable[[bytes, Limits, ReadNested], Reading]] = {
    "docx": _read_docx,
    "archive": read_archive,
    "doc": partial(_read_legacy, "doc"),
    "rtf": partial(_read_legacy, "rtf"),
    "odt": partial(_read_legacy, "odt"),
    "wordml": partial(_read_legacy, "wordml"),
    "xls": partial(_read_legacy, "xls"),
    "ods": partial(_read_legacy, "ods"),
    "excelml": partial(_read_legacy, "excelml"),
}
_TEXT_READERS: dict[TextKind, Callable[[Decoded, Limits], Reading]] = {"html": read_html, "text": read_text}
_MAX_NESTING = 3


def read_document(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Document:
    """Read one file.

    Raises a DocumentError: EmptyFile, UnsupportedFormat, BrokenFile, NoTextLayer, TooLarge,
    TookTooLong, or DocumentError itself if the file cannot be opened.
    """
    return read_document_with_parts(path, (), limits)


def read_document_with_parts(
    path: Path, attachments: Sequence[Path], limits: Limits = DEFAULT_LIMITS
) -> Document:
    """Read a report and the files that are attached to it as one document.

    Name and hash are those of the report; `parts` has names and hashes of the attachments.
    One that cannot be read is named in `losses`. Raises what `read_document` raises for the report.
    """
    try:
        data = _bytes_of(path, limits)
        reading = with_pictures(_read(data, limits), data, path, limits)
        if attachments:
            reading = _attached(reading, attachments, limits)
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
        losses=reading.losses,
    )


def _attached(report: Reading, attachments: Sequence[Path], limits: Limits) -> Reading:
    files: list[ReadFile] = []
    losses: list[str] = []
    for path in attachments:
        name = on_one_line(readable_name(path.name))
        try:
            data = _bytes_of(path, limits)
            files.append(ReadFile(name, hashlib.sha256(data).hexdigest(), _read(data, limits)))
        except DocumentError as error:
            losses.append(f"{name}: attached, but not read: {error}")
    reading = with_attachments(report, files, "beside", limits)
    return replace(reading, losses=(*reading.losses, *losses))


def _bytes_of(path: Path, limits: Limits) -> bytes:
    try:
        refuse_above(path.stat().st_size, limits.file_bytes, "bytes")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(
            f"the file cannot be read ({error.strerror or error}). Check that it exists and may be read."
        ) from error


def _read(data: bytes, limits: Limits, nesting: int = 0) -> Reading:
    """Choose the reader by content and read; raises EmptyFile if there is no text."""
    refuse_above(nesting, _MAX_NESTING, "files inside each other")
    binary = binary_kind(data)
    if binary in _NESTING_READERS:
        return _NESTING_READERS[binary](data, limits, partial(_read, nesting=nesting + 1))
    if binary is not None:
        return _BINARY_READERS[binary](data, limits)
    decoded = decode(data)
    if not decoded.text.lstrip("\ufeff\x00 \t\r\n\f\v\u00a0\u3000"):
        raise EmptyFile("the file is empty or holds only white space. Get it again from its source.")
    reading = _text_reading(decoded, limits)
    if not any(map(is_shown, reading.parts)):
        raise EmptyFile("the file shows no text. Save the page or text again, complete.")
    return reading


def _text_reading(decoded: Decoded, limits: Limits) -> Reading:
    """A page or text, or the one that JSON holds."""
    refuse_above(len(decoded.text), limits.text_characters, "characters")
    wrapped = unwrapped(decoded)
    text = without_extra_escape((decoded if wrapped is None else wrapped.inside).text)
    reading = _TEXT_READERS[text_kind(text)](decoded.with_text(text), limits)
    return reading if wrapped is None else with_head(reading, wrapped)
