"""What a Word document holds of other files: embedded workbooks and documents, and chunks.

ECMA-376 Part 1, §17.17.2.1 (altChunk) and §18.18 of Part 4 (OLE objects). WPS and Word keep a
pasted Excel table as a workbook of its own, of which the document prints a picture; web forms
put HTML or RTF into a chunk. Both are in the package, and are read like files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipeline.errors import DocumentError
from pipeline.read.docx_numbering import W
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.package import unpacked_size
from pipeline.read.parts import Part, ReadNested, is_shown

_OLE_OBJECT = "{urn:schemas-microsoft-com:office:office}OLEObject"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# Programs of tables and texts; others draw formulas and charts, or show a file as an icon.
_READ = ("Excel.", "Word.", "ET.", "KET.", "WPS.", "KWPS.")


def embedded(block: Any) -> Iterator[tuple[str, str]]:
    """Relations of a chunk, or of the objects in a paragraph, and what each is."""
    if block.tag == f"{W}altChunk":
        yield block.get(_ID) or "", "a chunk"
        return
    for each in block.iter(_OLE_OBJECT) if block.tag == f"{W}p" else ():
        yield each.get(_ID) or "", f"an object of {each.get('ProgID') or 'an unknown program'}"


class Nested:
    """The files in a package, read where they stand; `notes` says what is left out."""

    def __init__(self, relations: Mapping[str, Any], limits: Limits, read: ReadNested) -> None:
        self._relations = relations
        self._limits = limits
        self._read = read
        self._taken: set[str] = set()
        self.notes: list[str] = []

    def parts(self, name: str, what: str) -> list[Part]:
        """What the file of a relation shows; nothing for one that lies outside, or was read before."""
        relation = self._relations.get(name)
        if name in self._taken:
            return []
        self._taken.add(name)
        if relation is None or relation.is_external:
            self.notes.append(f"{what} in the document is not in the file, and is not read")
            return []
        if what.startswith("an object of") and not what.removeprefix("an object of ").startswith(_READ):
            self.notes.append(f"{what} in the document is not read")
            return []
        try:
            refuse_above(len(self._taken), self._limits.archive_members, "files in a document")
            data = relation.target_part.blob
            reading = self._read(data, self._limits)
        except DocumentError as error:
            self.notes.append(f"{what} in the document is not read: {error}")
            return []
        # What they unpack to counts together, as in an archive.
        left = self._limits.expanded_bytes - unpacked_size(data)
        self._limits = replace(self._limits, expanded_bytes=left)
        self.notes += [f"{what} in the document: {note}" for note in reading.notes]
        return [part for part in reading.parts if is_shown(part)]
