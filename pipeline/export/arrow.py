"""Rows as Arrow tables, some thousand at a time: what Parquet, DuckDB and Stata are written from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa  # type: ignore[import-untyped]

from pipeline.export.table import Column, Row, TableSpec

# Large batches compress better, small ones hold less in memory; a wide table has few rows in each.
_BATCH_CELLS, _FEWEST_ROWS = 500_000, 500
_TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}


def arrow_schema(spec: TableSpec) -> pa.Schema:
    """The columns with their types; meaning, labels, unit and words stand in the metadata."""
    return pa.schema(
        [
            pa.field(column.name, _TYPES[column.type], metadata=_metadata(spec, column))
            for column in spec.columns
        ],
        metadata={"table": spec.name, "meaning": spec.meaning},
    )


def _metadata(spec: TableSpec, column: Column) -> dict[str, str]:
    content = {
        "meaning": column.meaning,
        "label_zh": column.label_zh,
        "label_en": column.label_en,
        "unit": column.unit,
        "values": json.dumps(column.values) if column.values else None,
        "status": None if column.type == "text" else spec.status_of(column),
    }
    return {key: value for key, value in content.items() if value is not None}


def arrow_tables(spec: TableSpec, rows: Iterable[Row]) -> Iterator[pa.Table]:
    """The rows, `_BATCH_CELLS` at a time."""
    schema = arrow_schema(spec)
    batch_rows = max(_FEWEST_ROWS, _BATCH_CELLS // len(spec.columns))
    remaining = iter(rows)
    while batch := list(islice(remaining, batch_rows)):
        columns = [
            pa.array([row.get(column.name) for row in batch], _TYPES[column.type]) for column in spec.columns
        ]
        yield pa.table(columns, schema=schema)
