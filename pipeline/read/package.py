"""Office packages (ZIP): what they would unpack to, seen before anything is unpacked, and their kinds."""

from __future__ import annotations

import re
import struct
import zipfile
from io import BytesIO

from pipeline.read.limits import Limits, refuse_above


def opened_within(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """The package, if it unpacks to no more than the limit. Raises TooLarge, and what zipfile raises."""
    package = zipfile.ZipFile(BytesIO(data))
    expanded = sum(member.file_size for member in package.infolist())
    refuse_above(expanded, limits.expanded_bytes, "bytes when unpacked")
    return package


def unpacked_size(data: bytes) -> int:
    """Bytes that a file unpacks to if it is a package; 0 for any other."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            return sum(member.file_size for member in package.infolist())
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, struct.error):
        return 0


_TYPES = "[Content_Types].xml"
_DOCUMENT = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
# Documents with macros, templates, and templates with macros: python-docx opens none by its own type.
_OTHER_DOCUMENTS = re.compile(
    rb"application/vnd\.ms-word\.(?:document|template)\.macroEnabled(?:Template)?\.main\+xml"
    rb"|application/vnd\.openxmlformats-officedocument\.wordprocessingml\.template\.main\+xml"
)


def as_plain_document(data: bytes) -> bytes:
    """A Word document with macros or a template as an ordinary document: the same parts, another type.

    Raises what zipfile raises.
    """
    with zipfile.ZipFile(BytesIO(data)) as package:
        types = package.read(_TYPES)
        if _OTHER_DOCUMENTS.search(types) is None:
            return data
        written = BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as plain:
            plain.writestr(_TYPES, _OTHER_DOCUMENTS.sub(_DOCUMENT, types))
            for name in dict.fromkeys(package.namelist()):
                if name != _TYPES and not name.endswith(("/", "vbaProject.bin")):
                    plain.writestr(name, package.read(name))
        return written.getvalue()
