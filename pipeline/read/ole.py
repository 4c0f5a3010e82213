"""OLE files: old Word and Excel documents, those of WPS, and office files under a password.

[MS-CFB], [MS-DOC] §2.5.2 (FibBase), [MS-XLS] §2.4.117 (FilePass). What a file is, is told by
its streams: WPS writes those of Word and Excel into .wps and .et files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Literal

import olefile

from pipeline.errors import BrokenFile, UnsupportedFormat

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OleKind = Literal["doc", "xls"]

_SHEETS = ("Workbook", "Book")
_OTHERS = {
    "PowerPoint Document": "a presentation (.ppt)",
    "__properties_version1.0": "an Outlook message (.msg)",
    "VisioDocument": "a Visio drawing",
    "MatOST": "a document of Microsoft Works",
}
_ENCRYPTED = ("EncryptedPackage", "EncryptionInfo")
_FIB_ENCRYPTED = 0x0100
_FILE_PASS, _END_OF_SHEET = 0x002F, 0x000A
PROTECTED = (
    "the file is protected with a password. Open it with the password and save it without one, "
    "or get it again from its source."
)
_DAMAGED = (
    "the file (old Word, Excel or WPS) is damaged or cut off: it cannot be opened. Get it again from "
    "its source, or open it in Word, WPS or LibreOffice and save it as .docx or .xlsx."
)
# What olefile raises on damaged files; caught around its calls only.
_FAULTS = (OSError, ValueError, IndexError, KeyError, struct.error, RecursionError)


def ole_kind(data: bytes) -> OleKind:
    """Whether it is a document or a workbook. Raises BrokenFile (damaged, password), UnsupportedFormat."""
    try:
        with olefile.OleFileIO(BytesIO(data)) as ole:
            names = {"/".join(path) for path in ole.listdir()}
            fib = ole.openstream("WordDocument").read(12) if "WordDocument" in names else b""
            has_faults = bool(ole.parsing_issues)  # type: ignore[attr-defined]
    except _FAULTS as error:
        raise BrokenFile(_DAMAGED) from error
    if names.intersection(_ENCRYPTED) or _is_encrypted(fib):
        raise BrokenFile(PROTECTED)
    if fib:
        return "doc"
    if names.intersection(_SHEETS):
        return "xls"
    what = next((what for name, what in _OTHERS.items() if name in names), None)
    if what is None and (has_faults or not names):
        raise BrokenFile(_DAMAGED)
    raise UnsupportedFormat(
        f"the file seems to be {what or 'an OLE file of no known kind'}, and neither a document nor a "
        "workbook of Word, Excel or WPS. Save or export the report as .docx or PDF."
    )


def _is_encrypted(fib: bytes) -> bool:
    return len(fib) == 12 and bool(struct.unpack_from("<H", fib, 10)[0] & _FIB_ENCRYPTED)


def has_file_password(data: bytes) -> bool:
    """Whether a workbook is encrypted: perhaps with the password that Excel itself knows."""
    try:
        with olefile.OleFileIO(BytesIO(data)) as ole:
            name = next((name for name in _SHEETS if ole.exists(name)), None)
            return name is not None and _FILE_PASS in _records(ole.openstream(name).read())
    except _FAULTS:
        return False


def _records(stream: bytes) -> Iterator[int]:
    """Types of the records up to the end of the first part of a workbook."""
    position = 0
    while position + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, position)
        yield kind
        if kind == _END_OF_SHEET:
            return
        position += 4 + length
