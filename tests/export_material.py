"""Tables to export: those of a real run over the samples, and one with values that are hard to keep.

Each format is read back by a program that did not write it, into rows that can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
from openpyxl.utils.escape import unescape

from pipeline.export.csv_file import neutralized
from pipeline.export.formats import DATABASE, WORKBOOK, Format, tables_writer
from pipeline.export.made_with import MadeWith
from pipeline.export.rows import STATUS_WORDS
from pipeline.export.stata_names import stata_names
from pipeline.export.table import Column, Row, TableSpec

Cells = list[dict[str, Any]]

HARD = TableSpec(
    "hard",
    (
        Column("doc_id", "text", "document"),
        Column("requests.new_received.total", "number", "figure", label_zh="新收 / 总计", unit="件"),
        Column("requests.new_received.total__status", "text", "status", values=STATUS_WORDS),
        Column("meta.year", "integer", "year", status="year_status"),
        Column("year_status", "text", "status of the year", values=STATUS_WORDS),
        Column("text.problems", "text", "any text"),
        Column("bytes", "integer", "more than 31 bits"),
        Column("in", "text", "a name that Stata keeps for itself; always empty"),
    ),
    "one row a trap",
)
TEXTS = (
    "=1+1",
    "+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "{=1+1}",
    "http://example.org/",
    "internal:Sheet1!A1",
    "一\n二\r\n三\r四\t五",
    "𠮷野家",
    "很长" * 20_000,
    "x" * 3_000,
    "x" * 3_000,
    "a,b;c\"d'e",
    "<&>",
    "_x0041_",
    " blanks around ",
    "",
    None,
    "1e5",
    "0012",
    "NA",
    "\ufeffmark",
    "e\u0301 composed",
)
NUMBERS = (0.0, -0.0, 1e15, 0.1, 123456789.25, -5.0, 1.0, 9007199254740991.0)
MISSING = tuple(word for word in STATUS_WORDS if word not in ("value", "zero_in_words"))


def hard_rows() -> list[Row]:
    """Each text, each number, each kind of no number."""
    rows: list[Row] = []
    cells = [*((number, "value") for number in NUMBERS), *((None, kind) for kind in MISSING)]
    for place, text in enumerate(TEXTS):
        number, status = cells[place % len(cells)]
        is_there = number is not None
        rows.append(
            {
                "doc_id": f"d{place}",
                "requests.new_received.total": number,
                "requests.new_received.total__status": status,
                "meta.year": 2000 + place if is_there else None,
                "year_status": status,
                "text.problems": text,
                "bytes": 2**40 + place,
            }
        )
    return rows


def write(format_name: Format, out: Path, tables: list[tuple[TableSpec, list[Row]]]) -> dict[str, int]:
    """As `gongkai export` does."""
    out.mkdir(parents=True, exist_ok=True)
    return tables_writer(format_name)(out, iter(tables), MadeWith({"strategy": "rules"}))


def _from_csv(out: Path, spec: TableSpec) -> Cells:
    path = out / f"{spec.name}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", lineterminator=None)
    return frame.to_dict("records")


def _from_parquet(out: Path, spec: TableSpec) -> Cells:
    """By DuckDB, whose reader shares nothing with Arrow's writer."""
    import duckdb

    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(out / f"{spec.name}.parquet")])
        return _dicts(found)


def _from_datasets(out: Path, spec: TableSpec) -> Cells:
    import datasets

    options = {"split": "train", "cache_dir": str(out / "cache")}
    return list(datasets.load_dataset(str(out), spec.name, **options))


def _from_stata(out: Path, spec: TableSpec) -> Cells:
    frame = pd.read_stata(out / f"{spec.name}.dta", convert_missing=True, convert_categoricals=False)
    return [_with_words(spec, row) for row in frame.to_dict("records")]


def _from_readstat(out: Path, spec: TableSpec) -> Cells:
    """By the library that R's haven reads with too."""
    import pyreadstat

    frame, _ = pyreadstat.read_dta(str(out / f"{spec.name}.dta"))
    return [_with_words(spec, row) for row in frame.to_dict("records")]


def _with_words(spec: TableSpec, cells: dict[str, Any]) -> dict[str, Any]:
    """Names of columns for those of variables, words for their codes."""
    names = stata_names([column.name for column in spec.columns])
    row = {column.name: cells[names[column.name]] for column in spec.columns}
    for column in spec.columns:
        if column.values and not _is_nothing(row[column.name]):
            row[column.name] = column.values[int(row[column.name]) - 1]
    return row


def _from_excel(out: Path, spec: TableSpec) -> Cells:
    workbook = openpyxl.load_workbook(out / WORKBOOK)
    header, *rows = workbook[spec.name].iter_rows(values_only=True)
    workbook.close()
    # What cannot stand in XML is escaped, as Excel does; openpyxl leaves it so in inline strings.
    texts = [[unescape(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    return [dict(zip(header, row, strict=True)) for row in texts]


def _from_duckdb(out: Path, spec: TableSpec) -> Cells:
    import duckdb

    with duckdb.connect(str(out / DATABASE), read_only=True) as database:
        return _dicts(database.execute(f'SELECT * FROM "{spec.name}"'))


def _dicts(found: Any) -> Cells:
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


READERS: dict[str, tuple[Format, Callable[[Path, TableSpec], Cells]]] = {
    "csv": ("csv", _from_csv),
    "parquet": ("parquet", _from_parquet),
    "datasets": ("datasets", _from_datasets),
    "dta by pandas": ("dta", _from_stata),
    "dta by readstat": ("dta", _from_readstat),
    "xlsx": ("xlsx", _from_excel),
    "duckdb": ("duckdb", _from_duckdb),
}
TELLS_EMPTY_FROM_NONE = ("parquet", "datasets", "duckdb")


def differences(reader: str, spec: TableSpec, expected: list[Row], found: Cells) -> Iterator[str]:
    """Cells that did not come back as they were."""
    if [list(row) for row in found[:1]] not in ([], [[column.name for column in spec.columns]]):
        yield f"columns: {list(found[0])}"
    if len(found) != len(expected):
        yield f"{len(found)} rows for {len(expected)}"
    for number, (before, after) in enumerate(zip(expected, found, strict=False)):
        for column in spec.columns:
            was, cell = before.get(column.name), after[column.name]
            if not _is_same(reader, column, was, cell):
                yield f"row {number}, {column.name}: {ascii(was)[:80]} → {ascii(cell)[:80]}"


def _is_same(reader: str, column: Column, was: Any, cell: Any) -> bool:
    if column.type != "text":
        if was is None or _is_nothing(cell):
            return was is None and _is_nothing(cell)
        # A workbook holds 16 digits.
        return math.isclose(cell, was, rel_tol=1e-15) if reader == "xlsx" else float(cell) == was
    if reader in TELLS_EMPTY_FROM_NONE:
        return bool(cell == was)
    if not was:
        return _is_nothing(cell)
    if reader == "csv":
        return bool(cell == neutralized(was))
    if reader == "xlsx" and len(was) > 32_767:
        return bool(cell == f"{was[:32_766]}…")
    return bool(cell == was)


def _is_nothing(cell: Any) -> bool:
    # pandas has an object for each of Stata's missing values.
    return cell is None or cell == "" or cell != cell or type(cell).__name__ == "StataMissingValue"


def arrow_metadata(path: Path) -> dict[str, dict[str, str]]:
    """Column → what its metadata says."""
    schema = pq.read_schema(path)
    return {
        field.name: {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        for field in schema
    }
