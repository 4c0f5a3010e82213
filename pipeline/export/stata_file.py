"""Stata: short names, labels, words as labelled codes, kinds of no number as `.a` to `.e`.

A column with a closed list of words becomes a byte with value labels. In a number that has a
status the kinds of no number are extended missing values, with labels; the status stays too.
The note of a variable holds the whole name of its column and what it means.

Widths must be known before the first row is written, so the rows go through a Parquet file
first: memory stays that of some thousand rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.export import dta
from pipeline.export.arrow import arrow_schema, arrow_tables
from pipeline.export.missing import MISSING_LETTERS, OTHER_LETTER
from pipeline.export.stata_names import stata_name, stata_names
from pipeline.export.table import Column, Row, TableSpec

# A string of this width is kept as it is, even where most are shorter: strL cannot be a key of `merge`.
_PLAIN_BYTES = 128
_STRL_BYTES = 40  # what a strL takes beside its text, about
_MISSING_LABEL = "missing_kind"
_PRESENT = ("value", "zero_in_words")
_NUMPY_TYPES = {dta.STRL: "<u8", dta.DOUBLE: "<f8", dta.LONG: "<i4", dta.BYTE: "i1"}


def write_stata(path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """A `.dta` file of release 118, for Stata 14 and later."""
    with tempfile.TemporaryFile(dir=path.parent) as spool, tempfile.TemporaryFile(dir=path.parent) as texts:
        sizes = _spool(spool, spec, rows)
        layout = _layout(spec, sizes)
        with path.open("wb") as stream:
            file = dta.DtaFile(stream, texts, layout.variables, sizes.rows, _title(spec))
            for first, table in _batches(spool):
                file.write(_records(file, spec, layout, table, first).tobytes())
            file.finish(layout.value_labels)
    return sizes.rows


@dataclass
class _Sizes:
    """What the types depend on: longest text and all text in bytes, least and greatest integer."""

    rows: int = 0
    longest: dict[str, int] = field(default_factory=dict)
    text_bytes: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    wide_integers: set[str] = field(default_factory=set)

    def add(self, column: Column, values: pa.ChunkedArray) -> None:
        name = column.name
        if column.type == "text":
            lengths = pc.binary_length(values)
            self.longest[name] = max(self.longest.get(name, 0), pc.max(lengths).as_py() or 0)
            self.text_bytes[name] = self.text_bytes.get(name, 0) + (pc.sum(lengths).as_py() or 0)
            self.texts[name] = self.texts.get(name, 0) + len(values) - values.null_count
        elif column.type == "integer":
            ends = pc.min_max(values).as_py()
            least, greatest = ends["min"] or 0, ends["max"] or 0
            if least < dta.LONG_MIN or greatest > dta.LONG_MAX:
                self.wide_integers.add(name)

    def wants_strl(self, name: str) -> bool:
        """Is the column too long for a string, or mostly much shorter than its longest?"""
        longest = self.longest.get(name, 0)
        as_strl = 8 * self.rows + self.text_bytes.get(name, 0) + _STRL_BYTES * self.texts.get(name, 0)
        return longest > dta.STR_MAX_BYTES or (longest > _PLAIN_BYTES and longest * self.rows > 2 * as_strl)


def _spool(spool: IO[bytes], spec: TableSpec, rows: Iterable[Row]) -> _Sizes:
    """Write the rows as Parquet, and measure them on the way."""
    sizes = _Sizes()
    opened: AbstractContextManager[pq.ParquetWriter] = pq.ParquetWriter(
        spool, arrow_schema(spec), compression="zstd"
    )
    with opened as writer:
        for table in arrow_tables(spec, rows):
            cleaned = _without_nul(spec, table)
            for column in spec.columns:
                sizes.add(column, cleaned.column(column.name))
            sizes.rows += cleaned.num_rows
            writer.write_table(cleaned)
    return sizes


def _without_nul(spec: TableSpec, table: pa.Table) -> pa.Table:
    """NUL ends a string of Stata; its picture (␀) stands for it."""
    for place, column in enumerate(spec.columns):
        if column.type == "text":
            values = pc.replace_substring(table.column(place), "\0", "␀")
            table = table.set_column(place, table.schema.field(place), values)
    return table


def _batches(spool: IO[bytes]) -> Iterator[tuple[int, pa.Table]]:
    """Number of the first row, counted from 1, and the rows."""
    spool.seek(0)
    first = 1
    file = pq.ParquetFile(spool)
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, use_threads=False)
        yield first, table
        first += table.num_rows


@dataclass(frozen=True)
class _Layout:
    """Variables in the order of the columns, and what their value labels are."""

    variables: tuple[dta.Variable, ...]
    value_labels: dict[str, dict[int, str]]
    dtype: np.dtype[Any]


def _layout(spec: TableSpec, sizes: _Sizes) -> _Layout:
    names = stata_names([column.name for column in spec.columns])
    labels = _Labels()
    variables = tuple(_variable(spec, column, names[column.name], sizes, labels) for column in spec.columns)
    types = [_NUMPY_TYPES.get(each.type, f"S{each.type}") for each in variables]
    return _Layout(variables, labels.sets, np.dtype([(f"v{n}", kind) for n, kind in enumerate(types)]))


class _Labels:
    """Sets of value labels: one for each list of words, one for the kinds of no number."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[int, str]] = {}

    def of_words(self, column: Column) -> str:
        content = dict(enumerate(column.values, start=1))
        wanted = stata_name(column.name.rpartition("__")[2])
        names = (wanted, *(f"{wanted[:28]}_{number}" for number in range(2, 100)))
        name = next(each for each in names if self.sets.get(each, content) == content)
        self.sets[name] = content
        return name

    def of_missing(self) -> str:
        letters = {**MISSING_LETTERS, "other: see the status": OTHER_LETTER}
        self.sets[_MISSING_LABEL] = {dta.LONG_MISSING + _step(each): word for word, each in letters.items()}
        return _MISSING_LABEL


def _step(letter: str) -> int:
    return ord(letter) - ord("a") + 1


def _variable(spec: TableSpec, column: Column, name: str, sizes: _Sizes, labels: _Labels) -> dta.Variable:
    value_label = ""
    if column.values:
        kind = dta.BYTE
        shown = f"%{max(8, *map(len, column.values))}.0g"
        value_label = labels.of_words(column)
    elif column.type == "text":
        width = max(1, sizes.longest.get(column.name, 0))
        kind = dta.STRL if sizes.wants_strl(column.name) else width
        shown = "%9s" if kind == dta.STRL else f"%-{min(width, 60)}s"
    else:
        is_long = column.type == "integer" and column.name not in sizes.wide_integers
        kind = dta.LONG if is_long else dta.DOUBLE
        shown = "%14.0g"
        value_label = labels.of_missing() if spec.status_of(column) else ""
    return dta.Variable(name, kind, shown, _label(column), value_label, _note(column))


def _label(column: Column) -> str:
    """At most 80 characters: of a long label the middle goes, since its end tells columns apart."""
    label = column.label_zh or column.meaning
    if column.label_zh and column.unit:
        label += f"（{column.unit}）"
    if len(label) <= dta.LABEL_MAX_CHARS:
        return label
    half = (dta.LABEL_MAX_CHARS - 1) // 2
    return f"{label[:half]}…{label[-half:]}"


def _note(column: Column) -> str:
    return f"{column.name}: {column.meaning}"


def _title(spec: TableSpec) -> str:
    return f"{spec.name}: {spec.meaning}" if spec.meaning else spec.name


def _records(
    file: dta.DtaFile, spec: TableSpec, layout: _Layout, table: pa.Table, first: int
) -> NDArray[Any]:
    records = np.zeros(table.num_rows, layout.dtype)
    for place, (column, variable) in enumerate(zip(spec.columns, layout.variables, strict=True)):
        values = table.column(place).combine_chunks()
        if column.values:
            cells = _codes(column, values)
        elif variable.type == dta.STRL:
            texts = values.cast(pa.binary()).to_pylist()
            references = (file.long_text(place + 1, first + at, text or b"") for at, text in enumerate(texts))
            cells = np.fromiter(references, np.uint64, len(texts))
        elif column.type == "text":
            cells = np.array([text or b"" for text in values.cast(pa.binary()).to_pylist()])
        else:
            status = spec.status_of(column)
            statuses = None if status is None else table.column(status).combine_chunks()
            cells = _numbers(column, values, statuses, variable.type)
        records[f"v{place}"] = cells
    return records


def _codes(column: Column, values: pa.Array) -> NDArray[Any]:
    """Places of the words in their list, counted from 1."""
    found = pc.index_in(values, pa.array(column.values))
    if found.null_count != values.null_count:
        unknown = pc.unique(values.filter(pc.and_(pc.is_valid(values), pc.is_null(found)))).to_pylist()
        raise ValueError(f"{column.name}: {unknown} is none of the words {', '.join(column.values)}")
    codes: NDArray[Any] = pc.fill_null(pc.add(found, 1), dta.BYTE_MISSING).to_numpy(zero_copy_only=False)
    return codes


def _numbers(column: Column, values: pa.Array, statuses: pa.Array | None, kind: int) -> NDArray[Any]:
    missing = _missing_steps(statuses, len(values))
    is_there = pc.is_valid(values).to_numpy(zero_copy_only=False)
    if kind == dta.LONG:
        whole = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
        return np.where(is_there, whole, dta.LONG_MISSING + missing)
    numbers = pc.fill_null(values, 0).cast(pa.float64()).to_numpy(zero_copy_only=False)
    if np.any(np.abs(numbers) > dta.DOUBLE_MAX) or np.any(np.isnan(numbers)):
        raise ValueError(f"{column.name}: holds a number that Stata cannot hold")
    bits = dta.DOUBLE_MISSING_BITS + missing.astype(np.uint64) * dta.DOUBLE_MISSING_STEP
    return np.where(is_there, numbers, bits.astype(np.uint64).view(np.float64))


def _missing_steps(statuses: pa.Array | None, rows: int) -> NDArray[np.int64]:
    """Which missing value an empty number is: 0 for `.`, 1 for `.a`, …"""
    if statuses is None:
        return np.zeros(rows, np.int64)
    words = [*_PRESENT, *MISSING_LETTERS]
    steps = np.array(
        [*(0 for _ in _PRESENT), *map(_step, MISSING_LETTERS.values()), _step(OTHER_LETTER), 0], np.int64
    )
    found = pc.index_in(statuses, pa.array(words))
    # A status that is not in the list, then no status at all.
    place = pc.if_else(pc.is_valid(statuses), pc.fill_null(found, len(words)), len(words) + 1)
    chosen: NDArray[np.int64] = steps[place.to_numpy(zero_copy_only=False)]
    return chosen
