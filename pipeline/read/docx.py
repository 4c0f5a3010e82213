"""Word documents (.docx): paragraphs in their order, tables as grids, printed list numbers.

python-docx opens the package; the text is taken from the elements themselves, since its
own view leaves out tracked insertions, content controls, text boxes and list numbers.
Deleted and hidden text is not printed and is left out, as are headers, footers and notes.
Workbooks and documents embedded in it are read in their places (docx_nested.py). Nothing
outside of the package is ever opened.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from lxml import etree  # type: ignore[import-untyped]

from pipeline.document import CellDraft
from pipeline.errors import BrokenFile
from pipeline.read.characters import collapse, join_lines, plain_newlines
from pipeline.read.docx_nested import Nested, embedded
from pipeline.read.docx_numbering import Numbering, W, numbering_of, value
from pipeline.read.flow import Line
from pipeline.read.limits import Limits, refuse_above
from pipeline.read.metadata import pairs_in_rows
from pipeline.read.package import as_plain_document, opened_within
from pipeline.read.parts import Part, Reading, ReadNested, TablePart
from pipeline.read.text import line_parts

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ALTERNATIVES, _FALLBACK = f"{_MC}AlternateContent", f"{_MC}Fallback"
# rt: the reading printed above characters.
_NOT_PRINTED = {
    _FALLBACK,
    *(f"{W}{name}" for name in "del moveFrom instrText txbxContent rPr pPr rt".split()),
}
_BOX = f"{W}txbxContent"
_WRAPPERS = {f"{W}{name}" for name in "sdt sdtContent ins customXml smartTag moveTo".split()}
_MAX_NESTING = 20
# What python-docx, zipfile and lxml raise on damaged packages; caught around their calls only.
_FAULTS = (
    OpcError,
    zipfile.BadZipFile,
    etree.LxmlError,
    KeyError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    EOFError,
    OSError,
    zlib.error,
)


def read_docx(data: bytes, limits: Limits, read: ReadNested) -> Reading:
    """Parts of a Word document; `read` reads what is embedded in it. Raises BrokenFile, TooLarge."""
    try:
        opened_within(data, limits).close()
        document = docx.Document(BytesIO(as_plain_document(data)))
        body, styles = document.element.body, _Styles(document.styles.element)
        part = document.part
        has_lists = any(relation.reltype.endswith("/numbering") for relation in part.rels.values())
        numbering = numbering_of(part.numbering_part.element if has_lists else None)
    except _FAULTS as error:
        raise BrokenFile(_DAMAGED) from error
    nested = Nested(part.rels, limits, read)
    parts = _Reader(styles, numbering, nested).parts(body)
    return Reading(parts, MEDIA_TYPE, notes=tuple(nested.notes))


_DAMAGED = (
    "the Word document is damaged or cut off: it cannot be opened. Get the file again from its source, or "
    "open it in Word or LibreOffice and save it again as .docx."
)


class _Styles:
    """Paragraph styles: which are headings, and which number their paragraphs."""

    def __init__(self, root: Any) -> None:
        self._by_id = {each.get(f"{W}styleId"): each for each in root.iter(f"{W}style")}

    def chain(self, style_id: str | None) -> Iterator[Any]:
        """The style and those that it is based on."""
        seen: set[str] = set()
        while style_id is not None and style_id in self._by_id and style_id not in seen:
            seen.add(style_id)
            yield self._by_id[style_id]
            style_id = value(self._by_id[style_id], "basedOn")

    def is_heading(self, style_id: str | None) -> bool:
        """Whether the style is a heading, by its name or its outline level."""
        for style in self.chain(style_id):
            name = (value(style, "name") or "").lower()
            if name.startswith(("heading", "标题")) or name == "title":
                return True
        return False


class _Reader:
    """Goes through a document once, from top to bottom, as list numbers count on."""

    def __init__(self, styles: _Styles, numbering: Numbering, nested: Nested) -> None:
        self._styles = styles
        self._numbering = numbering
        self._nested = nested

    def parts(self, parent: Any, depth: int = 0) -> list[Part]:
        """Text and tables below `parent`, in order."""
        refuse_above(depth, _MAX_NESTING, "tables inside each other")
        parts: list[Part] = []
        lines: list[Line] = []
        for block in _with_boxes(_blocks(parent)):
            if block.tag == f"{W}p":
                lines.extend(self._lines(block))
            inner = self._table(block, depth) if block.tag == f"{W}tbl" else self._embedded(block)
            if inner:
                parts.extend(line_parts(lines))
                lines.clear()
                parts.extend(inner)
        parts.extend(line_parts(lines))
        return parts

    def _embedded(self, block: Any) -> list[Part]:
        return [part for name, what in embedded(block) for part in self._nested.parts(name, what)]

    def _lines(self, paragraph: Any) -> Iterator[Line]:
        """A paragraph, a line for each that a line break makes."""
        properties = paragraph.find(f"{W}pPr")
        style = value(properties, "pStyle")
        texts = plain_newlines(self._prefix(properties, style) + _text(paragraph)).split("\n")
        for text in texts:
            yield Line(collapse(text), heading=self._styles.is_heading(style) and bool(text.strip()))

    def _prefix(self, properties: Any, style: str | None) -> str:
        holders = [properties, *(each.find(f"{W}pPr") for each in self._styles.chain(style))]
        found = [None if each is None else each.find(f"{W}numPr") for each in holders]
        numbers = [each for each in found if each is not None]
        list_id = next((named for each in numbers if (named := value(each, "numId"))), None)
        level = next((named for each in numbers if (named := value(each, "ilvl"))), "0")
        if list_id is None or not level.isdecimal():
            return ""
        return self._numbering.prefix(list_id, int(level))

    def _table(self, table: Any, depth: int) -> list[Part]:
        """A table; one that only places text on the page gives what its cells hold."""
        cells = [cell for row in _below(table, f"{W}tr") for cell in _below(row, f"{W}tc")]
        if len(cells) == 1 or any(next(cell.iter(f"{W}tbl"), None) is not None for cell in cells):
            return [part for cell in cells for part in self.parts(cell, depth + 1)]
        rows = self._grid(table)
        pairs = pairs_in_rows([[cell.text for cell in row] for row in rows])
        return [TablePart(rows, "grid")] if pairs is None else list(pairs)

    def _grid(self, table: Any) -> list[list[CellDraft]]:
        """Cells with their columns; one merged downwards is printed once and spans its rows."""
        rows: list[list[CellDraft]] = []
        above: dict[int, tuple[int, int]] = {}
        for row in _below(table, f"{W}tr"):
            properties = row.find(f"{W}trPr")
            column = _count(value(properties, "gridBefore"), 0)
            drafts: list[CellDraft] = []
            for cell in _below(row, f"{W}tc"):
                wide, goes_on = _spans(cell)
                if goes_on and column in above:
                    top, position = above[column]
                    grown = rows[top][position]
                    rows[top][position] = CellDraft(
                        grown.text, grown.column, len(rows) - top + 1, grown.column_span
                    )
                else:
                    above[column] = len(rows), len(drafts)
                    drafts.append(CellDraft(self._cell_text(cell), column, 1, wide))
                column += wide
            rows.append(drafts)
        return rows

    def _cell_text(self, cell: Any) -> str:
        joined = ""
        for block in _with_boxes(_blocks(cell)):
            for line in self._lines(block) if block.tag == f"{W}p" else ():
                joined = join_lines(joined, line.text, same_figure=False)
        return joined.replace("\t", " ")


def _spans(cell: Any) -> tuple[int, bool]:
    """How many columns a cell is wide, and whether it goes on from the one above."""
    properties = cell.find(f"{W}tcPr")
    merge = None if properties is None else properties.find(f"{W}vMerge")
    goes_on = merge is not None and merge.get(f"{W}val", "continue") == "continue"
    return _count(value(properties, "gridSpan"), 1), goes_on


def _count(text: str | None, otherwise: int) -> int:
    """A small number from an attribute; a span that no table has counts as one."""
    if text is None or not text.isdecimal():
        return otherwise
    return int(text[:4]) if int(text[:4]) <= 63 else otherwise


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs, tables and chunks right below `parent`, also inside content controls and insertions."""
    for child in parent:
        if child.tag in (f"{W}p", f"{W}tbl", f"{W}altChunk"):
            yield child
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)
        elif child.tag == _ALTERNATIVES:
            # The first that a program knows is printed; the last is for those that know none.
            yield from _blocks(next(iter(child), ()))


def _with_boxes(blocks: Iterable[Any]) -> Iterator[Any]:
    """The blocks, each paragraph followed by what the text boxes anchored in it hold."""
    for block in blocks:
        yield block
        for box in _text_boxes(block) if block.tag == f"{W}p" else ():
            yield from _with_boxes(_blocks(box))


def _below(parent: Any, tag: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, not those of tables inside it."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _below(child, tag)


def _text(paragraph: Any) -> str:
    return "".join(_pieces(paragraph))


def _pieces(element: Any) -> Iterator[str]:
    """What is printed of a paragraph's runs; line breaks as such."""
    for child in element:
        tag = child.tag
        if tag == f"{W}t":
            yield child.text or ""
        elif tag in (f"{W}br", f"{W}cr"):
            yield "\n"
        elif tag == f"{W}tab":
            yield " "
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif isinstance(tag, str) and tag not in _NOT_PRINTED and not _is_hidden(child):
            yield from _pieces(child)


def _is_hidden(run: Any) -> bool:
    if run.tag != f"{W}r":
        return False
    properties = run.find(f"{W}rPr")
    mark = None if properties is None else properties.find(f"{W}vanish")
    return mark is not None and mark.get(f"{W}val", "1") not in ("0", "false")


def _text_boxes(element: Any) -> Iterator[Any]:
    """Text boxes anchored in a paragraph, not those inside them; a fallback says the same again."""
    for child in element:
        if child.tag == _BOX:
            yield child
        elif child.tag != _FALLBACK:
            yield from _text_boxes(child)
