"""What a table to export is: its columns with their types and labels, and rows of values.

The writers of the formats know no more than this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

ColumnType = Literal["text", "integer", "number"]
Value = str | int | float | None
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table: name, type and what it holds.

    `label_zh` and `label_en` are short names of it, as the forms print it and in English.
    `values` is the closed list of words that a text column can hold: append to it, never
    reorder, since a word's place in it is its code in Stata. `status` names the column that
    says which kind of nothing an empty value is; without it that is `{name}__status` or
    `{name}_status`, where there is one.
    """

    name: str
    type: ColumnType
    meaning: str
    label_zh: str | None = None
    label_en: str | None = None
    unit: str | None = None
    values: tuple[str, ...] = ()
    status: str | None = None


@dataclass(frozen=True)
class TableSpec:
    """A table to export: its name, its columns in order, and what a row is."""

    name: str
    columns: tuple[Column, ...]
    meaning: str = ""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}

    def status_of(self, column: Column) -> str | None:
        """Name of the column that says which kind of nothing an empty value is."""
        names = (column.status, f"{column.name}__status", f"{column.name}_status")
        return next((name for name in names if name is not None and name in self.by_name), None)


Table = tuple[TableSpec, Iterable[Row]]
FileWriter = Callable[[Path, TableSpec, Iterable[Row]], int]
"""Writes a table into a file; the number of its rows."""
