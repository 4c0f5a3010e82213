"""The three tables of a gold file, printed in several carriers.

A table is laid out once as the form prints it, with spans, and then written as HTML,
Markdown pipes, tab-separated text or one cell a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.fact import Status
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, fields, request_rows
from pipeline.tables.templates import TableTemplate, expected_cells

Carrier = Literal["html", "markdown", "tabs", "cells"]
CARRIERS: dict[Carrier, str] = {"html": "html", "markdown": "md", "tabs": "txt", "cells": "txt"}

_GOLD_SIGNS: dict[str, Status] = {"_": "blank", "/": "not_applicable", "?": "illegible"}
_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Expected:
    """What a cell must be read as."""

    value: float | None
    status: Status


@dataclass(frozen=True)
class PrintedCell:
    """A cell of the form; `path` where it holds a figure."""

    text: str
    column_span: int = 1
    row_span: int = 1
    path: str | None = None


PrintedRow = tuple[PrintedCell, ...]


@dataclass(frozen=True)
class PrintedTable:
    """Rows of cells that begin in them, the chapter heading and the sentences above."""

    kind: str
    heading: str
    rows: tuple[PrintedRow, ...]
    header_rows: int
    above: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Grid columns."""
        return sum(cell.column_span for cell in self.rows[0])


@dataclass(frozen=True)
class PrintedReport:
    """The tables of a report and what each cell must be read as."""

    name: str
    tables: tuple[PrintedTable, ...]
    expected: Mapping[str, Expected]


def report_of(gold: Mapping[str, Any]) -> PrintedReport:
    """Lay out the tables of a gold file; cells that gold does not judge are printed as 0."""
    templates = gold["templates"]
    expected = {
        path: _expected(value)
        for path, value in _gold_cells(gold)
        if _GOLD_SIGNS.get(str(value)) != "illegible"
    }
    tables = printed_tables(templates["proactive"], templates["requests"], expected)
    printed = [cell.path for table in tables for row in table.rows for cell in row if cell.path]
    full = {path: expected.get(path, Expected(0, "value")) for path in printed}
    return PrintedReport(str(gold["doc_id"]), tables, full)


def printed_tables(
    proactive: TableTemplate, requests: TableTemplate, cells: Mapping[str, Expected]
) -> tuple[PrintedTable, PrintedTable, PrintedTable]:
    """The three tables as the forms print them; a cell that is not given is printed as 0."""
    texts = {path: printed_figure(cell) for path, cell in cells.items()}
    return _proactive(proactive, texts), _requests(requests, texts), _remedies(texts)


def _gold_cells(gold: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for item, columns in gold["proactive"].items():
        for column, value in columns.items():
            yield f"proactive.{item}.{column}", value
    for kind, keys in (("requests", APPLICANTS), ("remedies", OUTCOMES)):
        for row, values in gold[kind].items():
            for key, value in zip(keys, values, strict=True):
                yield f"{kind}.{row}.{key}", value


def _expected(value: Any) -> Expected:
    status = _GOLD_SIGNS.get(str(value))
    return Expected(None, status) if status else Expected(value, "value")


def printed_figure(cell: Expected) -> str:
    """What a cell prints."""
    return {"blank": "", "not_applicable": "/"}.get(cell.status, str(cell.value))


def _figure(path: str, texts: Mapping[str, str]) -> PrintedCell:
    return PrintedCell(texts.get(path, "0"), path=path)


_SECTIONS = {
    "table2019": ((1, 2), (5, 2), (6, 2), (8, 1), (9, 1)),
    "table2021": ((1, 2), (5, 1), (6, 2), (8, 1)),
}


def _proactive(template: TableTemplate, texts: Mapping[str, str]) -> PrintedTable:
    cells = expected_cells("proactive", template)
    items = list(dict.fromkeys(cell.row for cell in cells))
    rows: list[PrintedRow] = []
    for clause, count in _SECTIONS[template]:
        mine, items = items[:count], items[count:]
        columns = [cell.column for cell in cells if cell.row == mine[0]]
        rows.append((PrintedCell(f"第二十条第（{_NUMERALS[clause - 1]}）项", column_span=4),))
        labels = [fields()[f"proactive.{mine[0]}.{column}"].label.split(" / ")[-1] for column in columns]
        rows.append((PrintedCell("信息内容"), *_spread([PrintedCell(label) for label in labels])))
        for item in mine:
            figures = [_figure(f"proactive.{item}.{column}", texts) for column in columns]
            rows.append((PrintedCell(_item_label(item)), *_spread(figures)))
    return PrintedTable("proactive", "二、主动公开政府信息情况", tuple(rows), 2)


def _item_label(item: str) -> str:
    return next(spec.label.split(" / ")[0] for path, spec in fields().items() if f"proactive.{item}." in path)


def _spread(cells: Sequence[PrintedCell], width: int = 3) -> tuple[PrintedCell, ...]:
    """The last cell is as wide as the columns that are left."""
    return (*cells[:-1], replace(cells[-1], column_span=width - len(cells) + 1))


def _requests(template: TableTemplate, texts: Mapping[str, str]) -> PrintedTable:
    names = {key: fields()[f"requests.granted.{key}"].label.split(" / ")[-1] for key in APPLICANTS}
    rows: list[PrintedRow] = [
        (
            PrintedCell("（按列核对的勾稽关系，一、二两行相加所得的数应与三、四两行之和相同）", 3, 3),
            PrintedCell("申请人情况", 7),
        ),
        (
            PrintedCell(names["natural_person"], row_span=2),
            PrintedCell("法人或其他组织", 5),
            PrintedCell(names["total"], row_span=2),
        ),
        tuple(PrintedCell(names[key]) for key in APPLICANTS[1:-1]),
    ]
    for key, label in _request_label_cells(template):
        rows.append((*label, *(_figure(f"requests.{key}.{applicant}", texts) for applicant in APPLICANTS)))
    return PrintedTable("requests", "三、收到和处理政府信息公开申请情况", tuple(rows), 3)


def _request_label_cells(template: TableTemplate) -> Iterator[tuple[str, PrintedRow]]:
    """The label cells of each row: vertical label, group and row with their enumerators."""
    form = request_rows(template)
    outcomes = [row for row in form if row.group]
    groups = list(dict.fromkeys(row.group for row in outcomes if row.group != "本年度办理结果"))
    number_in_group: dict[str | None, int] = {}
    round_number = 0
    for row in form:
        vertical = (
            (PrintedCell("三、本年度办理结果", row_span=len(outcomes)),) if row.key == "granted" else ()
        )
        if row.group is None:
            chapter = {"new_received": "一", "carried_in": "二", "carried_out": "四"}[row.key]
            yield row.key, (PrintedCell(f"{chapter}、{row.label}", 3),)
            continue
        if row.group not in groups:
            round_number += 1
            label = (
                "部分公开（区分处理的，只计这一情形，不计其他情形）"
                if row.key == "partially_granted"
                else row.label
            )
            yield row.key, (*vertical, PrintedCell(f"（{_NUMERALS[round_number - 1]}）{label}", 2))
            continue
        number_in_group[row.group] = number_in_group.get(row.group, 0) + 1
        group: PrintedRow = ()
        if number_in_group[row.group] == 1:
            round_number += 1
            size = sum(other.group == row.group for other in outcomes)
            group = (PrintedCell(f"（{_NUMERALS[round_number - 1]}）{row.group}", row_span=size),)
        yield row.key, (*group, PrintedCell(f"{number_in_group[row.group]}.{row.label}"))


def _remedies(texts: Mapping[str, str]) -> PrintedTable:
    names = {key: fields()[f"remedies.review.{key}"].label.split(" / ")[-1] for key in OUTCOMES}
    outcomes = [PrintedCell(names[key]) for key in OUTCOMES]
    rows: tuple[PrintedRow, ...] = (
        (PrintedCell("行政复议", 5), PrintedCell("行政诉讼", 10)),
        (
            *(replace(cell, row_span=2) for cell in outcomes),
            PrintedCell("未经复议直接起诉", 5),
            PrintedCell("复议后起诉", 5),
        ),
        (*outcomes, *outcomes),
        tuple(_figure(f"remedies.{block}.{key}", texts) for block in REMEDY_BLOCKS for key in OUTCOMES),
    )
    return PrintedTable("remedies", "四、政府信息公开行政复议、行政诉讼情况", rows, 3)


def render(report: PrintedReport, carrier: Carrier) -> str:
    """The report as a file of this carrier."""
    parts = ["北汀县人民政府2023年政府信息公开工作年度报告", "", "一、总体情况", "", "全年工作平稳开展。", ""]
    for table in report.tables:
        parts += [table.heading, "", *(line for text in table.above for line in (text, ""))]
        parts += [*_RENDERERS[carrier](table), ""]
    parts += [
        "五、存在的主要问题及改进情况",
        "",
        "队伍建设仍需加强。",
        "",
        "六、其他需要报告的事项",
        "",
        "无其他事项。",
    ]
    if carrier == "html":
        body = "\n".join(part if part.startswith("<") else f"<p>{part}</p>" for part in parts if part)
        return f"<html><head><meta charset='utf-8'></head><body>{body}</body></html>"
    return "\n".join(parts) + "\n"


def _html(table: PrintedTable) -> list[str]:
    rows = []
    for row in table.rows:
        cells = (
            f'<td colspan="{cell.column_span}" rowspan="{cell.row_span}">{cell.text or "&nbsp;"}</td>'
            for cell in row
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return ["<table border=1>", *rows, "</table>"]


def placed_cells(table: PrintedTable) -> Iterator[tuple[PrintedCell, int, int]]:
    """Each cell with its row and grid column."""
    covered: set[tuple[int, int]] = set()
    for number, row in enumerate(table.rows):
        column = 0
        for cell in row:
            while (number, column) in covered:
                column += 1
            yield cell, number, column
            covered |= {
                (number + down, column + right)
                for down in range(cell.row_span)
                for right in range(cell.column_span)
            }
            column += cell.column_span


def grid_texts(table: PrintedTable) -> list[list[str]]:
    """Rows of texts by grid column; places that a span covers are empty."""
    grid = [[""] * table.width for _ in table.rows]
    for cell, row, column in placed_cells(table):
        grid[row] += [""] * (column + cell.column_span - len(grid[row]))  # a row with a cell too many
        grid[row][column] = cell.text
    return grid


def _markdown(table: PrintedTable) -> list[str]:
    lines = ["| " + " | ".join(texts) + " |" for texts in grid_texts(table)]
    return [lines[0], "|" + " --- |" * table.width, *lines[1:]]


def _tabs(table: PrintedTable) -> list[str]:
    """Covered places are empty fields; a row of one cell alone stands without tabs."""
    return [
        row[0].text
        if len(row) == 1 and row[0].path is None and table.kind == "requests"
        else "\t".join(texts)
        for row, texts in zip(table.rows, grid_texts(table), strict=True)
    ]


def _cells(table: PrintedTable) -> list[str]:
    return [cell.text for row in table.rows for cell in row]


def table_lines(table: PrintedTable, carrier: Carrier) -> list[str]:
    """The lines of a table in this carrier."""
    return _RENDERERS[carrier](table)


_RENDERERS = {"html": _html, "markdown": _markdown, "tabs": _tabs, "cells": _cells}
