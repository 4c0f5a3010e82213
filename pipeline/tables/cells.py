"""What a table cell holds: a figure, a zero in words, nothing, or a stroke for "not applicable"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pipeline.fact import Status
from pipeline.schema import Kind

# One character for one, so that positions in the cell stay those of the print.
_SPACES = (0x3000, 0xA0, 0x2002, 0x2003, 0x2009, 0x202F, 0x200B, 0xFEFF, 0x09, 0x0A)
_HALF_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | dict.fromkeys(_SPACES, " ")
_STROKES = re.compile(r"[/\\\-—–―−─﹣_ ]+")
_ZERO_WORD = re.compile(r"(?P<figure>无|没有)[。.]?")
_ZERO_SIGN = re.compile(r"(?P<figure>(?:[○〇◯零])\s*(?P<unit>件|项|个|条|元|万元)?)")
_FIGURE = re.compile(
    r"(?P<figure>(?P<sign>[+\-−–]|增加|增|减少|减)?\s*"
    r"(?P<digits>\d{1,3}(?:[, ]\d{3})+|\d+)(?P<decimals>\.\d+)?"
    r"\s*(?P<unit>亿元|万元|元|件次|件|项|个|条次|条|篇次|篇|次|份|宗|起|例|场|期|处|家|人次|人|名)?)"
    r"\s*(?P<note>[(\[【〔].*|[,;]\s*(?:其中|含|包括).*)?"
)
_MOST_DIGITS = 20  # with separators; a longer run of digits is no figure of a report
_NEGATIVE = {"-", "−", "–", "减", "减少"}
_YUAN = {"元": Decimal(1), "万元": Decimal(10_000), "亿元": Decimal(100_000_000)}
_UNIT_IN_LABEL = re.compile(r"亿元|万元|元")


@dataclass(frozen=True, slots=True)
class CellValue:
    """A cell as read.

    `raw` is the figure with its unit as printed, `start`..`end` its place within the
    cell's text (empty for a blank). `note` is what stands behind the figure in brackets.
    """

    value: int | float | None
    status: Status
    raw: str
    start: int
    end: int
    unit: str | None = None
    note: str | None = None

    @property
    def is_figure(self) -> bool:
        """Whether something that can stand for a number is printed."""
        return self.status in ("value", "zero_in_words", "not_applicable")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is printed."""
        return self.status == "blank"


@lru_cache(maxsize=8192)
def parse_cell(text: str, kind: Kind = "count", header_unit: str | None = None) -> CellValue:
    """Read a cell of a count, change or money column; what cannot be read is `illegible`.

    Money (`kind` yuan or wan_yuan) is converted to the unit of the field: from the unit in
    the cell, else from `header_unit`, else it is taken to be printed in the field's unit.
    """
    plain = text.translate(_HALF_WIDTH)
    if not plain.strip():
        return CellValue(None, "blank", "", 0, 0)
    offset = len(plain) - len(plain.lstrip())
    body = plain.strip()
    if _STROKES.fullmatch(body):
        return _reading(text, offset, offset + len(body), None, "not_applicable")
    if word := _ZERO_WORD.fullmatch(body):
        return _reading(text, offset, offset + word.end("figure"), 0, "zero_in_words")
    if sign := _ZERO_SIGN.fullmatch(body):
        return _reading(text, offset, offset + sign.end("figure"), 0, "value", sign["unit"])
    figure = _FIGURE.fullmatch(body)
    if figure and len(figure["digits"]) <= _MOST_DIGITS:
        return _figure(text, offset, figure, kind, header_unit)
    return _reading(text, offset, offset + len(body), None, "illegible")


def _figure(text: str, offset: int, found: re.Match[str], kind: Kind, header_unit: str | None) -> CellValue:
    number = Decimal(re.sub(r"[, ]", "", found["digits"]) + (found["decimals"] or ""))
    if found["sign"] in _NEGATIVE:
        number = -number
    number = _in_field_unit(number, kind, found["unit"] or header_unit)
    value = int(number) if number == number.to_integral_value() else float(number)
    end = offset + len(found["figure"].rstrip())
    note_at = found.start("note")
    note = None if note_at < 0 else text[offset + note_at : offset + found.end("note")]
    return _reading(text, offset, end, value, "value", found["unit"], note)


def _reading(
    text: str,
    start: int,
    end: int,
    value: float | None,
    status: Status,
    unit: str | None = None,
    note: str | None = None,
) -> CellValue:
    return CellValue(value, status, text[start:end], start, end, unit, note)


def _in_field_unit(number: Decimal, kind: Kind, unit: str | None) -> Decimal:
    if kind not in ("yuan", "wan_yuan") or unit not in _YUAN:
        return number
    return number * _YUAN[unit] / (_YUAN["元"] if kind == "yuan" else _YUAN["万元"])


def money_unit(label: str) -> str | None:
    """The unit of money that a column label names: 本年收费金额（单位：万元） → 万元."""
    found = _UNIT_IN_LABEL.findall(label)
    return found[-1] if found else None
