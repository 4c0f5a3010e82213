"""What a file is, by its content and never by its ending."""

from __future__ import annotations

import re
import struct
import zipfile
from io import BytesIO
from typing import Literal, NoReturn

from pipeline.errors import UnsupportedFormat

BinaryKind = Literal["pdf", "docx", "workbook", "mhtml"]
TextKind = Literal["html", "text"]

_PDF_WITHIN = 1024
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE file (old Word .doc, Excel .xls or WPS)"),
    (b"{\\rtf", "Rich Text (RTF)"),
    (b"\x89PNG\r\n", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\x00", "an image (TIFF)"),
    (b"MM\x00*", "an image (TIFF)"),
    (b"BM", "an image (BMP)"),
    (b"AT&TFORM", "a DjVu scan"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"%!PS", "PostScript"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3\x00", "a database (SQLite)"),
)
_ZIP_MEMBERS: tuple[tuple[bytes, str], ...] = (
    (b"ppt/", "a presentation (.pptx)"),
    (b"OFD.xml", "an OFD document (.ofd)"),
    (b"application/epub", "an e-book (.epub)"),
    (b"opendocument", "an OpenDocument file"),
)
_OFFICE: dict[BinaryKind, set[str]] = {
    "docx": {"[Content_Types].xml", "word/document.xml"},
    "workbook": {"[Content_Types].xml", "xl/workbook.xml"},
}
_FOLDERS: dict[BinaryKind, bytes] = {"docx": b"word/", "workbook": b"xl/"}
# Signatures of two letters may begin a text: they count only with binary bytes behind them.
_SHORT_SIGNATURES = (b"BM", b"MZ", b"BZh", b"GIF8", b"%!PS")
# Neither white space nor the marks of end of file (DOS) and escape (ISO 2022).
_CONTROL_BYTES = bytes(byte for byte in range(32) if byte < 9 or (byte > 13 and byte not in (0x1A, 0x1B)))
_MHTML = re.compile(rb"^(?:From|MIME-Version|Subject|Date):.*?multipart/related", re.S | re.I)
# Characters of a Chinese text: white space, ASCII, punctuation, Han, full-width forms.
_EXPECTED = re.compile("[\t\n\r -~\u2010-\u2027\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_MARKUP = re.compile(r"<!doctype\s+html|<html[\s>]|<body[\s>]|<head[\s>]", re.I)
_BLOCK_TAG = re.compile(r"</(?:p|div|td|li|h[1-6]|span|font)\s*>|<br\s*/?>", re.I)
_FEW_BLOCK_TAGS = 3
_READ = "text, Markdown, HTML (.mht too), Word (.docx), Excel (.xlsx), and PDF with a text layer"


def binary_kind(data: bytes) -> BinaryKind | None:
    """The carrier, or None for something that may be text; raises UnsupportedFormat."""
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _office_kind(data) or _refuse(_zip_content(data) or "a ZIP archive")
    if _MHTML.match(data[:2000]):
        return "mhtml"
    seems = _seems(data)
    return None if seems is None else _refuse(seems)


def _refuse(seems: str) -> NoReturn:
    raise UnsupportedFormat(
        f"The file seems to be {seems}. Formats that are read: {_READ}. "
        "Save or export the report as one of these."
    )


def _office_kind(data: bytes) -> BinaryKind | None:
    """Word or Excel by the members of a ZIP; one that cannot be opened is told by its first and last ones."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            members = set(package.namelist())
        return next((kind for kind, needed in _OFFICE.items() if needed <= members), None)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, struct.error):
        ends = data[:8192] + data[-8192:]
        return next((kind for kind, folder in _FOLDERS.items() if folder in ends), None)


def _seems(data: bytes) -> str | None:
    for signature, name in _SIGNATURES:
        if data.startswith(signature) and (signature not in _SHORT_SIGNATURES or _is_binary(data)):
            return name
    if data[4:12] in (b"ftypheic", b"ftypmif1") or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "an image"
    return "binary data" if _is_binary(data) else None


def _zip_content(data: bytes) -> str | None:
    head = data[:8192] + data[-8192:]
    return next((name for member, name in _ZIP_MEMBERS if member in head), None)


def _is_binary(data: bytes) -> bool:
    """Many control bytes, and not the zero bytes of UTF-16 or UTF-32."""
    head = data[:8192]
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or looks_utf16(head):
        return False
    control = len(head) - len(head.translate(None, _CONTROL_BYTES))
    return control > max(2, len(head) // 100)


def looks_utf16(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` without a mark: it has zero bytes and reads as Chinese or ASCII."""
    head = head[: len(head) // 2 * 2]
    if head.count(0) * 100 < len(head) or not head:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head.decode(encoding, errors="replace")
        if len(_EXPECTED.findall(text)) >= 0.95 * len(text):
            return encoding
    return None


def text_kind(text: str) -> TextKind:
    """Whether decoded text is a web page or plain text (Markdown included)."""
    head = text[:20_000]
    if _MARKUP.search(head):
        return "html"
    starts_with_tag = head.lstrip().startswith("<") and not head.lstrip().startswith("<http")
    return "html" if starts_with_tag and len(_BLOCK_TAG.findall(head)) >= _FEW_BLOCK_TAGS else "text"
