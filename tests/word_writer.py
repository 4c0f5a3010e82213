"""Word documents for tests, made with python-docx: one from a report that was read, others by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pipeline.document import Document, Table

Add = Callable[[Any], None]
RUN = "<w:r><w:t>{}</w:t></w:r>"
_DRAWING = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'
)
_ANCHOR = (
    '<wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="1" behindDoc="0" '
    'locked="0" layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/><wp:positionH '
    'relativeFrom="column"><wp:posOffset>0</wp:posOffset></wp:positionH><wp:positionV '
    'relativeFrom="paragraph"><wp:posOffset>0</wp:posOffset></wp:positionV><wp:extent cx="3000000" '
    'cy="1500000"/><wp:wrapNone/><wp:docPr id="1" name="a"/>{}</wp:anchor>'
)
_SHAPE = (
    '<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
    '<wps:wsp><wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="3000000" '
    'cy="1500000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></wps:spPr><wps:txbx>{}</wps:txbx>'
    "<wps:bodyPr/></wps:wsp></a:graphicData></a:graphic>"
)


def word(*content: Add) -> bytes:
    """A document to which each of `content` adds something."""
    document = docx.Document()
    for add in content:
        add(document)
    written = BytesIO()
    document.save(written)
    return written.getvalue()


def paragraph(text: str, style: str | None = None) -> Add:
    return lambda document: document.add_paragraph(text, style)


def xml(inner: str) -> Add:
    """A paragraph or table as elements, `w:` being the namespace of Word."""

    def add(document: Any) -> None:
        tag, _, rest = inner.partition(">")
        document.element.body.insert(-1, parse_xml(f"{tag} {nsdecls('w')}>{rest}"))

    return add


def grid(rows: Sequence[Sequence[str]], merged: Sequence[tuple[int, int, int, int]] = ()) -> Add:
    """A table; `merged` gives upper left and lower right cells that are made one."""

    def add(document: Any) -> None:
        table = document.add_table(len(rows), len(rows[0]))
        for top, left, bottom, right in merged:
            table.cell(top, left).merge(table.cell(bottom, right))
        for row, texts in zip(table.rows, rows, strict=True):  # table.cell goes through the whole table
            for cell, text in zip(row.cells, texts, strict=True):
                if text:
                    cell.text = text

    return add


def numbered(level: int, text: str, number: int = 77) -> str:
    return (
        f"<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{number}'/></w:numPr></w:pPr>"
        f"<w:r><w:t>{text}</w:t></w:r></w:p>"
    )


def chinese_list(document: Any, number_format: str = "chineseCounting") -> None:
    """A list that counts 一、 and below it （一）; list 78 counts the same way and begins again."""
    levels = "".join(
        f"<w:lvl w:ilvl='{level}'><w:start w:val='1'/><w:numFmt w:val='{number_format}'/>"
        f"<w:lvlText w:val='{text}'/></w:lvl>"
        for level, text in enumerate(("%1、", "（%2）"))
    )
    root = document.part.numbering_part.element
    abstract = f"<w:abstractNum {nsdecls('w')} w:abstractNumId='76'>{levels}</w:abstractNum>"
    root.insert(0, parse_xml(abstract))
    number = f"<w:num {nsdecls('w')} w:numId='77'><w:abstractNumId w:val='76'/></w:num>"
    root.append(parse_xml(number))
    again = "<w:lvlOverride w:ilvl='0'><w:startOverride w:val='1'/></w:lvlOverride>"
    number = f"<w:num {nsdecls('w')} w:numId='78'><w:abstractNumId w:val='76'/>{again}</w:num>"
    root.append(parse_xml(number))


def rows_of(rows: Sequence[Sequence[str]]) -> str:
    """A table as elements."""
    columns = "<w:gridCol w:w='2000'/>" * len(rows[0])
    cells = [
        "".join(f"<w:tc><w:tcPr><w:tcW w:w='2000' w:type='dxa'/></w:tcPr>{line(text)}</w:tc>" for text in row)
        for row in rows
    ]
    lines = "".join(f"<w:tr>{row}</w:tr>" for row in cells)
    return f"<w:tbl><w:tblPr/><w:tblGrid>{columns}</w:tblGrid>{lines}</w:tbl>"


def line(text: str) -> str:
    """A paragraph as elements."""
    return f"<w:p>{RUN.format(text)}</w:p>"


def boxed(content: str) -> str:
    """A run with a text box, and once more for programs that know no such boxes, as Word and WPS write it."""
    box = f"<w:txbxContent>{content}<w:p/></w:txbxContent>"
    new = f"<w:drawing>{_ANCHOR.format(_SHAPE.format(box))}</w:drawing>"
    old = f'<w:pict><v:shape style="width:200pt;height:100pt"><v:textbox>{box}</v:textbox></v:shape></w:pict>'
    choice = f'<mc:Choice Requires="wps">{new}</mc:Choice><mc:Fallback>{old}</mc:Fallback>'
    return f"<w:r><mc:AlternateContent {_DRAWING}>{choice}</mc:AlternateContent></w:r>"


def text_box(rows: Sequence[Sequence[str]]) -> Add:
    """A paragraph to which a text box is anchored that holds a table."""
    return xml(f"<w:p>{boxed(rows_of(rows))}</w:p>")


def chunk(data: bytes, ending: str, content_type: str) -> Add:
    """Another file as a chunk of the text."""

    def add(document: Any) -> None:
        name = _packed(document, data, f"/word/chunk.{ending}", content_type, "aFChunk")
        document.element.body.insert(-1, parse_xml(f'<w:altChunk {nsdecls("w", "r")} r:id="{name}"/>'))

    return add


def object_of(program: str, data: bytes | None) -> Add:
    """An embedded object in a paragraph, shown as a picture; without `data` one that lies elsewhere."""

    def add(document: Any) -> None:
        if data is None:
            name = document.part.relate_to(
                "http://127.0.0.1:1/a.xlsx", f"{_RELATIONS}/oleObject", is_external=True
            )
        else:
            name = _packed(document, data, "/word/embeddings/a.xlsx", "application/x", "package")
        space = 'xmlns:o="urn:schemas-microsoft-com:office:office"'
        ole = f'<o:OLEObject {space} ProgID="{program}" r:id="{name}"/>'
        inner = f"<w:p {nsdecls('w', 'r')}><w:r><w:object>{ole}</w:object></w:r></w:p>"
        document.element.body.insert(-1, parse_xml(inner))

    return add


_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _packed(document: Any, data: bytes, name: str, content_type: str, relation: str) -> str:
    part = Part(PackURI(name), content_type, data, document.part.package)
    found: str = document.part.relate_to(part, f"{_RELATIONS}/{relation}")
    return found


def as_word(report: Document, path: Path) -> Path:
    """The report as a Word document at `path`."""
    path.write_bytes(word_of(report))
    return path


def word_of(report: Document) -> bytes:
    """The report as a Word document: the same headings, paragraphs and tables."""
    content: list[Add] = []
    for block in report.blocks:
        if block.table is None:
            content.append(
                paragraph(report.slice(block.span), "Heading 2" if block.kind == "heading" else None)
            )
        else:
            content.append(_table(report.tables[block.table]))
    return word(*content)


def _table(table: Table) -> Add:
    width = 1 + max(cell.column + cell.column_span - 1 for cell in table.cells)
    rows = [[""] * width for _ in table.rows]
    merged = []
    for cell in table.cells:
        rows[cell.row][cell.column] = cell.text
        if cell.row_span > 1 or cell.column_span > 1:
            ends = cell.row + cell.row_span - 1, cell.column + cell.column_span - 1
            merged.append((cell.row, cell.column, *ends))
    return grid(rows, merged)
