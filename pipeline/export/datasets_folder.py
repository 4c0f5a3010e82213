"""A folder that `datasets.load_dataset(folder, "facts")` opens: Parquet files and a card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.export.card import card
from pipeline.export.files import each_in_a_file, replaced
from pipeline.export.made_with import MadeWith
from pipeline.export.parquet_file import write_parquet
from pipeline.export.table import Table, TableSpec


def write_datasets(out: Path, tables: Iterable[Table], made: MadeWith) -> dict[str, int]:
    """`data/{table}.parquet` and `README.md`; the number of rows of each table."""
    specs: list[TableSpec] = []

    def noted() -> Iterable[Table]:
        for spec, rows in tables:
            specs.append(spec)
            yield spec, rows

    counts = each_in_a_file(write_parquet, "parquet")(out / "data", noted(), made)
    with replaced(out / "README.md") as path:
        path.write_text(card(made, specs, counts), encoding="utf-8")
    return counts
