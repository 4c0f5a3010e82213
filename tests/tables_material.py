"""Tables written as text for the tests of the table reader: a line a row, `|` between cells.

`<` continues the cell to its left over one more column, `^` the cell above over one more row.
"""

# ruff: noqa: E501 - a table row stays on one line

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.document import CellDraft, Document, DocumentBuilder, TableForm
from pipeline.fact import Fact
from pipeline.tables.reading import TableReading, read_tables

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"

APPLICANT_HEADER = """
（按列核对的勾稽关系，一、二两行相加所得的数应与三、四两行之和相同） | < | < | 申请人情况 | < | < | < | < | < | <
^ | ^ | ^ | 自然人 | 法人或其他组织 | < | < | < | < | 总计
^ | ^ | ^ | ^ | 商业企业 | 科研机构 | 社会公益组织 | 法律服务机构 | 其他 | ^
"""


def drafts(text: str) -> list[list[CellDraft]]:
    """Rows of drafts on a grid, spans taken from `<` and `^`."""
    grid = [[cell.strip() for cell in line.split("|")] for line in text.strip("\n").splitlines()]
    rows = []
    for number, row in enumerate(grid):
        cells = []
        for column, cell in enumerate(row):
            if cell in ("<", "^"):
                continue
            wide = _run(row[column + 1 :], "<")
            high = _run([line[column] if column < len(line) else "" for line in grid[number + 1 :]], "^")
            cells.append(CellDraft(cell, column, high + 1, wide + 1))
        rows.append(cells)
    return rows


def _run(marks: Sequence[str], mark: str) -> int:
    count = 0
    while count < len(marks) and marks[count] == mark:
        count += 1
    return count


def document_of(*tables: str, form: TableForm = "grid") -> Document:
    """A document that holds these tables; flat ones have no grid."""
    builder = DocumentBuilder()
    builder.add_text("heading", "二、主动公开政府信息情况")
    for table in tables:
        rows = drafts(table)
        if form == "flat":
            rows = [[CellDraft(cell.text) for cell in row] for row in rows]
        builder.add_table(rows, form)
    return _built(builder)


def stream_of(*cells: str) -> Document:
    """A document whose table has one cell a line; each argument holds cells parted by spaces."""
    builder = DocumentBuilder()
    builder.add_table([[CellDraft(cell)] for text in cells for cell in text.split(" ")], "flat")
    return _built(builder)


def _built(builder: DocumentBuilder) -> Document:
    return builder.build(doc_id="x", file="x.txt", sha256="0" * 64, media_type="text/plain")


def read(*tables: str, form: TableForm = "grid") -> TableReading:
    """The reading of tables written as text."""
    return read_tables(document_of(*tables, form=form))


def shown(fact: Fact) -> str:
    """A fact as a reader would write it: 3, _ for a blank, / for a stroke, ? for illegible, 无."""
    if fact.status == "value":
        return str(fact.value)
    return {"blank": "_", "not_applicable": "/", "illegible": "?", "zero_in_words": "无"}[fact.status]


def row(reading: TableReading, path: str) -> str:
    """All cells of a row in the order of the form."""
    return " ".join(shown(fact) for fact in reading.facts if fact.path.startswith(f"{path}."))


def rules(reading: TableReading) -> list[str]:
    """The findings as `rule@place`."""
    return [f"{finding.rule}@{finding.at}" if finding.at else finding.rule for finding in reading.findings]


def load_gold(file: Path) -> dict[str, Any]:
    """A gold file."""
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded
