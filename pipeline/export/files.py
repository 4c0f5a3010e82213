"""Files that are there are whole: each is written under another name first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.export.made_with import MadeWith
from pipeline.export.table import FileWriter, Table

SOMETIMES = frozenset({"corrections"})
"""Tables that not every export has."""

TablesWriter = Callable[[Path, Iterable[Table], MadeWith], dict[str, int]]
"""Writes tables into a folder; the number of rows of each."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A place to write to that becomes `path` when all went well, and goes when not."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def each_in_a_file(write: FileWriter, ending: str) -> TablesWriter:
    """A writer that puts each table into a file of its own."""

    def write_tables(out: Path, tables: Iterable[Table], made: MadeWith) -> dict[str, int]:
        out.mkdir(parents=True, exist_ok=True)
        counts: dict[str, int] = {}
        for spec, rows in tables:
            with replaced(out / f"{spec.name}.{ending}") as path:
                counts[spec.name] = write(path, spec, rows)
        for name in SOMETIMES - counts.keys():
            # An earlier export into this folder had it: it would go with these tables, and is not of them.
            (out / f"{name}.{ending}").unlink(missing_ok=True)
        return counts

    return write_tables
