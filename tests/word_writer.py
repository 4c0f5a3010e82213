"""Word documents for tests, made with python-docx: one from a report that was read, others by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pipeline.document import Document, Table

Add = Callable[[Any], None]


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
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                if text:
                    table.cell(row, column).text = text

    return add


def as_word(report: Document, path: Path) -> Path:
    """The report as a Word document: the same headings, paragraphs and tables."""
    content: list[Add] = []
    for block in report.blocks:
        if block.table is None:
            content.append(
                paragraph(report.slice(block.span), "Heading 2" if block.kind == "heading" else None)
            )
        else:
            content.append(_table(report.tables[block.table]))
    path.write_bytes(word(*content))
    return path


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
