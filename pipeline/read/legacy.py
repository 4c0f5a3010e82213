"""Old and open office formats (.doc, .wps, .rtf, .odt, .xls, .et, .ods): converted, then read.

The conversion is LibreOffice's (libreoffice.py); what it makes is read by docx.py and
workbook.py under the same limits as any other file.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.errors import BrokenFile
from pipeline.read.docx import read_docx
from pipeline.read.libreoffice import Target, convert
from pipeline.read.limits import Limits
from pipeline.read.ole import PROTECTED, has_file_password
from pipeline.read.package import opened_within
from pipeline.read.parts import Reading, ReadNested
from pipeline.read.workbook import read_workbook

LegacyKind = Literal["doc", "rtf", "odt", "wordml", "xls", "ods", "excelml"]


@dataclass(frozen=True, slots=True)
class _Format:
    ending: str
    target: Target
    what: str
    media_type: str


_ODF = "application/vnd.oasis.opendocument"
_FORMATS: dict[LegacyKind, _Format] = {
    "doc": _Format(".doc", "docx", "an old Word or WPS document (.doc, .wps)", "application/msword"),
    "rtf": _Format(".rtf", "docx", "a Rich Text document (.rtf)", "application/rtf"),
    "odt": _Format(".odt", "docx", "an OpenDocument text (.odt)", f"{_ODF}.text"),
    "wordml": _Format(".xml", "docx", "a Word document in the XML of 2003", "application/msword"),
    "xls": _Format(".xls", "xlsx", "an old Excel or WPS workbook (.xls, .et)", "application/vnd.ms-excel"),
    "ods": _Format(".ods", "xlsx", "an OpenDocument spreadsheet (.ods)", f"{_ODF}.spreadsheet"),
    "excelml": _Format(".xml", "xlsx", "an Excel workbook in the XML of 2003", "application/vnd.ms-excel"),
}


def read_legacy(kind: LegacyKind, data: bytes, limits: Limits, read: ReadNested) -> Reading:
    """Parts of the file; `read` reads what is embedded in it.

    Raises what `convert` raises, BrokenFile (password), TooLarge.
    """
    form = _FORMATS[kind]
    if form.media_type.startswith(_ODF):
        _refuse_bad_package(data, limits, form)
    try:
        converted = convert(data, form.ending, form.target, form.what, limits)
    except BrokenFile as error:
        if kind == "xls" and has_file_password(data):
            raise BrokenFile(PROTECTED) from error
        raise
    is_text = form.target == "docx"
    reading = read_docx(converted, limits, read) if is_text else read_workbook(converted, limits)
    return replace(reading, media_type=form.media_type)


def _refuse_bad_package(data: bytes, limits: Limits, form: _Format) -> None:
    """Refuse what unpacks to too much, and what only a password opens."""
    try:
        with opened_within(data, limits) as package:
            manifest = (
                package.read("META-INF/manifest.xml")
                if "META-INF/manifest.xml" in package.namelist()
                else b""
            )
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise BrokenFile(
            f"the file is {form.what}, and damaged or cut off. Get it again from its source."
        ) from error
    if b"encryption-data" in manifest:
        raise BrokenFile(PROTECTED)
