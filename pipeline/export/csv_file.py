"""CSV: UTF-8 with a byte order mark, for Excel; text that a spreadsheet would run is neutralised."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.export.table import Row, TableSpec, Value

# What spreadsheets take for the beginning of a formula, in both widths; tabs and returns are skipped by some.
_FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]|[\t\r\n]")
_HARMLESS = re.compile(r"[+\-]?\d[\d,]*(\.\d+)?\s*%?|-+")


def write_csv(path: Path, spec: TableSpec, rows: Iterable[Row]) -> int:
    """A CSV file; numbers without a needless `.0`, nothing for no value."""
    count = 0
    names = [column.name for column in spec.columns]
    # Words of a closed list are no formulas.
    texts = [place for place, each in enumerate(spec.columns) if each.type == "text" and not each.values]
    numbers = [place for place, each in enumerate(spec.columns) if each.type != "text"]
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(names)
        for row in rows:
            cells = [row.get(name) for name in names]
            for place in texts:
                cells[place] = _text(cells[place])
            for place in numbers:
                cells[place] = _number(cells[place])
            writer.writerow(cells)
            count += 1
    return count


def _text(value: Value) -> Value:
    return neutralized(value) if isinstance(value, str) else value


def _number(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def neutralized(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet would run it; signed numbers and strokes stay."""
    # Most texts begin with a letter, a character or a digit: no more need be looked at.
    if text[:1].isalnum() or not _FORMULA.match(text) or _HARMLESS.fullmatch(text):
        return text
    return f"'{text}"
