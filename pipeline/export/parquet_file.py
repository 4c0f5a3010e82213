"""Parquet: typed columns, the text as it is, labels and units in the metadata of the columns."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from pipeline.export.arrow import arrow_schema, arrow_tables
from pipeline.export.table import Row, TableSpec


def write_parquet(path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """A Parquet file, written in batches of rows."""
    count = 0
    opened: AbstractContextManager[pq.ParquetWriter] = pq.ParquetWriter(
        path, arrow_schema(spec), compression="zstd"
    )
    with opened as writer:
        for table in arrow_tables(spec, rows):
            writer.write_table(table)
            count += table.num_rows
    return count
