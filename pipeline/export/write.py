"""A run → tables for analysis: facts, panel, documents, findings, codebook.

CSV is UTF-8 with a byte order mark, for Excel; text that a spreadsheet would take for a
formula gets an apostrophe in front. Parquet has typed columns and the text as it is.
`datasets` is a folder of Parquet files with a card: `datasets.load_dataset(folder, "facts")`.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipeline.errors import StartError, UsageError
from pipeline.export.codebook import CODEBOOK, codebook_rows
from pipeline.export.rows import (
    DOCUMENTS,
    FACTS,
    FINDINGS,
    Occurrence,
    Row,
    TableSpec,
    Value,
    document_rows,
    fact_rows,
    finding_rows,
    panel_rows,
    panel_spec,
)
from pipeline.fact import Record
from pipeline.runs.manifest import load_manifest
from pipeline.runs.record import read_records

Format = Literal["csv", "parquet", "dta", "xlsx", "datasets"]
FORMATS: tuple[str, ...] = get_args(Format)
AVAILABLE: tuple[Format, ...] = ("csv", "parquet", "datasets")

_BATCH_ROWS = 5_000
_ARROW_TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}
# What spreadsheets take for the beginning of a formula, in both widths; tabs and returns are skipped by some.
_FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]|[\t\r\n]")
_HARMLESS = re.compile(r"[+\-]?\d[\d,]*(\.\d+)?\s*%?|-+")

Writer = Callable[[Path, TableSpec, Iterable[Row]], int]


def export_run(run: Path, format_name: Format, out: Path) -> dict[str, int]:
    """Write the five tables into `out`; the number of rows of each.

    Raises UsageError for a format that is not there yet, StartError when the run cannot
    be read or `out` cannot be written.
    """
    if format_name not in AVAILABLE:
        raise UsageError(
            f"--format {format_name} is not in this version yet; there are {', '.join(AVAILABLE)} "
            "(Stata and Excel open the CSV, R and Python the Parquet files)"
        )
    occurrence = Occurrence()
    for record in read_records(run):
        occurrence.add(record)
    folder = out / "data" if format_name == "datasets" else out
    ending = "csv" if format_name == "csv" else "parquet"
    writer = _WRITERS[ending]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = {
            spec.name: _whole(writer, folder / f"{spec.name}.{ending}", spec, rows)
            for spec, rows in _tables(lambda: read_records(run), occurrence)
        }
        if format_name == "datasets":
            (out / "README.md").write_text(_card(run, counts), encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"{out}: cannot be written ({error.strerror or error}). Name another folder with --out"
        ) from error
    return counts


def _tables(
    records: Callable[[], Iterable[Record]], occurrence: Occurrence
) -> Iterator[tuple[TableSpec, Iterable[Row]]]:
    yield FACTS, fact_rows(records())
    yield panel_spec(occurrence), panel_rows(records(), occurrence)
    yield DOCUMENTS, document_rows(records())
    yield FINDINGS, finding_rows(records())
    yield CODEBOOK, codebook_rows(occurrence)


def _whole(writer: Writer, path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """Write a file under another name first: a file that is there is whole."""
    temporary = path.with_name(f".{path.name}.new")
    count = writer(temporary, spec, rows)
    os.replace(temporary, path)
    return count


def write_csv(path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """A CSV file; numbers without a needless `.0`, nothing for no value."""
    count = 0
    names = [column.name for column in spec.columns]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_csv_cell(row.get(name)) for name in names])
            count += 1
    return count


def _csv_cell(value: Value) -> Value:
    if isinstance(value, str):
        return neutralized(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def neutralized(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet would run it; signed numbers and strokes stay."""
    return f"'{text}" if _FORMULA.match(text) and not _HARMLESS.fullmatch(text) else text


def write_parquet(path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """A Parquet file, written in batches of rows."""
    schema = pa.schema(
        [
            pa.field(column.name, _ARROW_TYPES[column.type], metadata={"meaning": column.meaning})
            for column in spec.columns
        ]
    )
    count = 0
    remaining = iter(rows)
    opened: AbstractContextManager[pq.ParquetWriter] = pq.ParquetWriter(path, schema, compression="zstd")
    with opened as writer:
        while batch := list(islice(remaining, _BATCH_ROWS)):
            columns = {
                column.name: pa.array([row.get(column.name) for row in batch], _ARROW_TYPES[column.type])
                for column in spec.columns
            }
            writer.write_table(pa.table(columns, schema=schema))
            count += len(batch)
    return count


_WRITERS: dict[str, Writer] = {"csv": write_csv, "parquet": write_parquet}


def _card(run: Path, counts: dict[str, int]) -> str:
    """The card of a `datasets` folder: one configuration a table, and what the run was made with."""
    configs = [
        {"config_name": name, "data_files": f"data/{name}.parquet", "default": name == FACTS.name}
        for name in counts
    ]
    manifest = load_manifest(run)
    identity = None if manifest is None else manifest.identity
    made = {} if identity is None else {"strategy": identity.strategy, "model": identity.model}
    lines = [
        "---",
        # JSON is YAML, and needs no care for quotes.
        f"configs: {json.dumps(configs)}",
        "language: [zh]",
        "---",
        "",
        "# Annual disclosure reports (政府信息公开工作年度报告) as data",
        "",
        *(f"- {key}: {value or 'none'}" for key, value in made.items()),
        *(f"- {name}: {count} rows" for name, count in counts.items()),
        "",
        "The table `codebook` says what every variable means and how often it is missing.",
    ]
    return "\n".join(lines) + "\n"
