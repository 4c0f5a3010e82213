"""Which of the figures behind a label is the report's, and the fact that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.fact import Fact
from pipeline.schema import fields
from pipeline.tables.facts import PLACE_CONFIDENCE, blank_fact, cell_fact, illegible_fact
from pipeline.tables.rows import PlacedCell
from pipeline.tables.statistics_claims import Claim
from pipeline.tables.statistics_columns import Caption, chosen, plain
from pipeline.tables.statistics_entries import Entries, Entry
from pipeline.tables.templates import ExpectedCell

UNIT_ASSUMED_CONFIDENCE = 0.8  # money whose unit is printed nowhere


@dataclass(frozen=True)
class Value:
    """The cell that holds an entry's value, None for a blank that left no cell.

    `is_told` is False where several figures stand there and nothing says which one counts;
    `others` are figures that no column explains.
    """

    cell: PlacedCell | None
    is_told: bool = True
    others: tuple[PlacedCell, ...] = ()


def value_of(entry: Entry, entries: Entries, year: int | None) -> Value:
    """The value of an entry under the captions of its table."""
    captions = entries.captions[entry.half] if entry.half < len(entries.captions) else ()
    if len(captions) < 2:
        return _only(entry, captions)
    caption = chosen(captions, year)
    if caption is None:
        return Value(None, is_told=not entry.figures)
    order = captions.index(caption)
    for places in (entry.figures, entry.slots):
        if len(places) == len(captions):
            return Value(places[order])
    if not entry.figures:
        return Value(None)
    if entry.is_stream:
        return Value(None, is_told=False)
    return Value(_under(entry, caption))


def is_of_other_period(entries: Entries, year: int | None) -> bool:
    """Whether no one column of figures is that of the report's year and of all bodies together."""
    return any(captions and chosen(captions, year) is None for captions in entries.captions)


def _only(entry: Entry, captions: Sequence[Caption]) -> Value:
    """The one figure of an entry; of more the one under the caption, if it is printed there."""
    figures = entry.figures
    if len(figures) > 1:
        under = _under(entry, captions[0]) if captions and not entry.is_stream else None
        if under in figures:
            return Value(under, others=tuple(other for other in figures if other is not under))
        return Value(None, is_told=False)
    blank = _under(entry, captions[0]) if captions else None
    return Value(figures[0] if figures else blank or next(iter(entry.slots[-1:]), None))


def _under(entry: Entry, caption: Caption) -> PlacedCell | None:
    return next((slot for slot in entry.slots if slot.cell.column <= caption.column < slot.right_edge), None)


def fact_of(claim: Claim, value: Value, document: Document) -> Fact:
    """The fact that a claimed entry prints; illegible where its value cannot be told."""
    expected = _expected(claim.key)
    entry = claim.entry
    if not value.is_told:
        return illegible_fact(expected, document, entry.line)
    if value.cell is None:
        confidence = min(claim.confidence, PLACE_CONFIDENCE["empty"])
        return blank_fact(expected, document, entry.line, confidence)
    confidence = claim.confidence
    if is_unit_assumed(claim, value):
        confidence = min(confidence, UNIT_ASSUMED_CONFIDENCE)
    fact = cell_fact(expected, value.cell, entry.money_unit, confidence)
    printed_unit = value.cell.reading.unit or (
        plain(entry.unit.cell.text).strip("()") if entry.unit else None
    )
    return fact.model_copy(update={"unit": printed_unit or expected.unit})


def is_unit_assumed(claim: Claim, value: Value) -> bool:
    """Whether an amount of money other than 0 stands without 元 or 万元."""
    if value.cell is None or _expected(claim.key).kind == "count" or not value.cell.reading.value:
        return False
    return value.cell.reading.unit is None and claim.entry.money_unit is None


def _expected(key: str) -> ExpectedCell:
    spec = fields()[f"statistics.{key}"]
    return ExpectedCell(spec.path, key, "", spec.kind, spec.unit, None)
