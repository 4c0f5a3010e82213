"""DuckDB: a database of all tables, with comments on tables and columns, and views.

- `figures`: numeric facts in force with who reports, for which year
- `panel_long`, `reports_long`: one row a figure of the wide table, with its status
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.export.arrow import arrow_tables
from pipeline.export.table import Column, Row, Table, TableSpec

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TYPES = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE"}
_WIDE = ("panel", "reports")
_KINDS_OF_TEXT = ("text", "date")
_ABOUT_A_DOCUMENT = ("reporter_id", "unit_id", "issuer", "issuer_type", "level", "division_code", "year")


def require_duckdb() -> None:
    """UsageError where the extra is not installed."""
    try:
        import duckdb  # noqa: F401
    except ImportError as error:
        raise UsageError("--format duckdb needs DuckDB: pip install 'gongkai[duckdb]'") from error


def write_duckdb(path: Path, tables: Iterable[Table]) -> dict[str, int]:
    """A database at `path`, which must not be there yet; the number of rows of each table."""
    import duckdb

    counts: dict[str, int] = {}
    specs: list[TableSpec] = []
    with duckdb.connect(str(path)) as database:
        for spec, rows in tables:
            _create(database, spec)
            counts[spec.name] = _fill(database, spec, rows)
            specs.append(spec)
        _add_views(database, {spec.name: spec for spec in specs})
    return counts


def _create(database: DuckDBPyConnection, spec: TableSpec) -> None:
    columns = ", ".join(f"{_name(column.name)} {_TYPES[column.type]}" for column in spec.columns)
    database.execute(f"CREATE TABLE {_name(spec.name)} ({columns})")
    database.execute(f"COMMENT ON TABLE {_name(spec.name)} IS {_text(spec.meaning)}")
    # In one go: each statement on its own would be forced to the disk. Companions of a field are left
    # out: a comment takes the longer the more columns there are, and the codebook explains them.
    database.execute("BEGIN")
    for column in (each for each in spec.columns if "__" not in each.name):
        place = f"{_name(spec.name)}.{_name(column.name)}"
        database.execute(f"COMMENT ON COLUMN {place} IS {_text(_comment(column))}")
    database.execute("COMMIT")


def _comment(column: Column) -> str:
    # The meaning of a field begins with its label.
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.meaning}{unit}"


def _fill(database: DuckDBPyConnection, spec: TableSpec, rows: Iterable[Row]) -> int:
    count = 0
    for table in arrow_tables(spec, rows):
        database.register("incoming", table)
        database.execute(f"INSERT INTO {_name(spec.name)} SELECT * FROM incoming")
        database.unregister("incoming")
        count += table.num_rows
    return count


def _add_views(database: DuckDBPyConnection, specs: dict[str, TableSpec]) -> None:
    if {"facts", "documents", "codebook"} <= specs.keys():
        database.execute(_figures(specs["facts"], specs["documents"]))
    for name in _WIDE:
        pairs = _figures_with_status(specs[name]) if name in specs else []
        if pairs:
            database.execute(_long(specs[name], pairs))


def _figures(facts: TableSpec, documents: TableSpec) -> str:
    """Facts of fields that hold numbers, with the columns of their documents that say whose they are.

    What a person corrected or removed is left out: the person's reading stands beside it.
    """
    keys = [name for name in ("run", "doc_id") if name in facts.by_name and name in documents.by_name]
    about = [name for name in _ABOUT_A_DOCUMENT if name in documents.by_name and name not in facts.by_name]
    kinds = ", ".join(map(_text, _KINDS_OF_TEXT))
    in_force = " AND f.superseded IS DISTINCT FROM 'yes'" if "superseded" in facts.by_name else ""
    columns = ", ".join([*(f"d.{_name(name)}" for name in about), "f.* EXCLUDE (value_text)"])
    return (
        f"CREATE VIEW figures AS SELECT {columns} FROM facts f "
        f"JOIN documents d USING ({', '.join(map(_name, keys))}) "
        'WHERE f.path NOT IN (SELECT "column" FROM codebook '
        f"WHERE \"table\" = 'field' AND kind IN ({kinds})){in_force}"
    )


def _figures_with_status(spec: TableSpec) -> list[tuple[str, str]]:
    """Fields, harmonised variables and rates that hold numbers, each with its status; not prose alone."""
    pairs = [
        (column.name, spec.status_of(column))
        for column in spec.columns
        if column.type == "number" and "__" not in column.name
    ]
    return [(name, status) for name, status in pairs if status is not None]


def _long(spec: TableSpec, pairs: Sequence[tuple[str, str]]) -> str:
    turning = {value for value, _ in pairs}
    names = [column.name for column in spec.columns if column.name not in turning]
    keys = [name for name in names if "." not in name and "__" not in name]
    kept = ", ".join(map(_name, keys))
    turned = ", ".join(f"({_name(value)}, {_name(status)}) AS {_text(value)}" for value, status in pairs)
    # By their names: a view with all columns would turn the other columns of fields into keys too.
    needed = ", ".join(_name(name) for name in (*keys, *(each for pair in pairs for each in pair)))
    return (
        f"CREATE VIEW {_name(f'{spec.name}_long')} AS SELECT {kept}, path, value, status "
        f"FROM (SELECT {needed} FROM {_name(spec.name)}) "
        f"UNPIVOT INCLUDE NULLS ((value, status) FOR path IN ({turned}))"
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
