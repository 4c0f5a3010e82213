"""What a file is, by its content and never by its ending."""

from __future__ import annotations

import re
import struct
import zipfile
from io import BytesIO
from typing import Literal, NoReturn

from pipeline.errors import UnsupportedFormat
from pipeline.read import ole

BinaryKind = Literal[
    "pdf",
    "docx",
    "workbook",
    "mhtml",
    "picture",
    "archive",
    "doc",
    "rtf",
    "odt",
    "wordml",
    "xls",
    "ods",
    "excelml",
]
TextKind = Literal["html", "text"]

_PDF_WITHIN = 1024
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"AT&TFORM", "a DjVu scan"),
    (b"%!PS", "PostScript"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3\x00", "a database (SQLite)"),
)
_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
)
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_ZIP_MEMBERS: tuple[tuple[str, str], ...] = (
    ("ppt/presentation.xml", "a presentation (.pptx)"),
    ("OFD.xml", "an OFD document (.ofd)"),
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
)
_ZIP_TYPES: tuple[tuple[bytes, BinaryKind | str], ...] = (
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file that is neither text nor spreadsheet"),
    (b"application/epub", "an e-book (.epub)"),
)
# Some programs number the main part: word/document2.xml.
_OFFICE: dict[BinaryKind, re.Pattern[str]] = {
    "docx": re.compile(r"word/document\d*\.xml"),
    "workbook": re.compile(r"xl/workbook\.xml"),
}
_FOLDERS: dict[BinaryKind, bytes] = {"docx": b"word/", "workbook": b"xl/"}
# Signatures of two letters may begin a text: they count only with binary bytes behind them.
_SHORT_SIGNATURES = (b"BM", b"MZ", b"BZh", b"GIF8", b"%!PS")
# Neither white space nor the marks of end of file (DOS) and escape (ISO 2022).
_CONTROL_BYTES = bytes(byte for byte in range(32) if byte < 9 or (byte > 13 and byte not in (0x1A, 0x1B)))
_OFFICE_XML = re.compile(rb'<\?mso-application\s+progid="(Word\.Document|Excel\.Sheet)"')
_MHTML = re.compile(rb"^(?:From|MIME-Version|Subject|Date):.*?multipart/related", re.S | re.I)
# Characters of a Chinese text: white space, ASCII, punctuation, Han, full-width forms.
_EXPECTED = re.compile("[\t\n\r -~\u2010-\u2027\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_MARKUP = re.compile(r"<!doctype\s+html|<html[\s>]|<body[\s>]|<head[\s>]", re.I)
_BLOCK_TAG = re.compile(r"</(?:p|div|td|li|h[1-6]|span|font)\s*>|<br\s*/?>", re.I)
_FEW_BLOCK_TAGS = 3
_READ = (
    "text, Markdown, HTML (.mht too), Word and WPS (.docx, .doc, .wps), RTF, OpenDocument (.odt, .ods), "
    "Excel (.xlsx, .xls, .et), PDF, scans (PNG, JPEG, TIFF, BMP, GIF), and ZIP archives of one report"
)


def binary_kind(data: bytes) -> BinaryKind | None:
    """The carrier, or None for something that may be text; raises UnsupportedFormat."""
    # Before PDF: the first member of an archive may be one.
    if data.startswith(b"PK\x03\x04"):
        return _zip_kind(data)
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(ole.SIGNATURE):
        return ole.ole_kind(data)
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if (office := _OFFICE_XML.search(data[:1000])) is not None:
        return "wordml" if office[1] == b"Word.Document" else "excelml"
    if _MHTML.match(data[:2000]):
        return "mhtml"
    _refuse_archive(data)
    if _is_picture(data):
        return "picture"
    seems = _seems(data)
    return None if seems is None else _refuse(seems)


def _is_picture(data: bytes) -> bool:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    signature = next((each for each in _PICTURES if data.startswith(each)), None)
    return signature is not None and (signature not in _SHORT_SIGNATURES or _is_binary(data))


def _refuse(seems: str) -> NoReturn:
    raise UnsupportedFormat(
        f"The file seems to be {seems}. Formats that are read: {_READ}. "
        "Save or export the report as one of these."
    )


def _refuse_archive(data: bytes) -> None:
    found = _signed(data, _ARCHIVES)
    if data[_TAR_MARK_AT : _TAR_MARK_AT + len(_TAR_MARK)] == _TAR_MARK:
        found = "a tar archive"
    if found is not None:
        raise UnsupportedFormat(
            f"The file is {found}, which is not opened. Unpack it, and name the folder or the report in it."
        )


def _zip_kind(data: bytes) -> BinaryKind:
    """Word, Excel or OpenDocument by the members of a ZIP, else an archive; raises UnsupportedFormat.

    One that cannot be opened is told by its first and last members.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            members = set(package.namelist())
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, struct.error):
        ends = data[:8192] + data[-8192:]
        found = next((kind for kind, folder in _FOLDERS.items() if folder in ends), None)
        return found or _refuse("a damaged ZIP archive")
    has_types = "[Content_Types].xml" in members
    office = next(
        (kind for kind, main in _OFFICE.items() if has_types and any(map(main.fullmatch, members))), None
    )
    other = next((what for member, what in _ZIP_MEMBERS if member in members), None)
    return office or (_refuse(other) if other is not None else _by_type(data))


def _by_type(data: bytes) -> BinaryKind:
    """OpenDocument: the first member is the type, stored as it is (ODF 1.2 Part 3, §3.3)."""
    head = data[:200]
    if b"mimetype" in head[:100]:
        for name, kind in _ZIP_TYPES:
            if name in head:
                return kind if kind in ("odt", "ods") else _refuse(kind)
    return "archive"


def _signed(data: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    for signature, name in table:
        if data.startswith(signature) and (signature not in _SHORT_SIGNATURES or _is_binary(data)):
            return name
    return None


def _seems(data: bytes) -> str | None:
    found = _signed(data, _SIGNATURES)
    if found is not None:
        return found
    if data[4:12] in (b"ftypheic", b"ftypmif1"):
        return "an image (HEIC)"
    return "binary data" if _is_binary(data) else None


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
