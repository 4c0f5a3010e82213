"""The formats of an export, each with its writer.

csv       a file a table; opens in Excel           dta       a file a table, for Stata 14 and later
parquet   a file a table, typed                    xlsx      one workbook, a sheet a table
datasets  a folder for `datasets.load_dataset`     duckdb    one database with views
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from pipeline.export.files import TablesWriter, each_in_a_file, replaced
from pipeline.export.made_with import MadeWith
from pipeline.export.table import Table

Format = Literal["csv", "parquet", "dta", "xlsx", "datasets", "duckdb"]
FORMATS: tuple[Format, ...] = get_args(Format)
WORKBOOK, DATABASE = "gongkai.xlsx", "gongkai.duckdb"


def tables_writer(format_name: Format) -> TablesWriter:
    """The writer of a format; its library is loaded no earlier than it is needed."""
    match format_name:
        case "csv":
            from pipeline.export.csv_file import write_csv

            return each_in_a_file(write_csv, "csv")
        case "parquet":
            from pipeline.export.parquet_file import write_parquet

            return each_in_a_file(write_parquet, "parquet")
        case "dta":
            from pipeline.export.stata_file import write_stata

            return each_in_a_file(write_stata, "dta")
        case "datasets":
            from pipeline.export.datasets_folder import write_datasets

            return write_datasets
        case "xlsx":
            return _write_workbook
        case "duckdb":
            from pipeline.export.duckdb_file import require_duckdb

            require_duckdb()
            return _write_database


def _write_workbook(out: Path, tables: Iterable[Table], made: MadeWith) -> dict[str, int]:
    from pipeline.export.excel_file import write_excel

    with replaced(out / WORKBOOK) as path:
        return write_excel(path, tables, made.lines)


def _write_database(out: Path, tables: Iterable[Table], _made: MadeWith) -> dict[str, int]:
    from pipeline.export.duckdb_file import write_duckdb

    with replaced(out / DATABASE) as path:
        return write_duckdb(path, tables)
