"""Where a document prints what an annotator has: prints by search, table cells by their position.

The reading of the machine serves for the position of a cell alone; what it read there is not used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evals.gold import GoldFact
from evals.occurrences import SearchText, overlap
from pipeline.document import Span
from pipeline.fact import Record

_SHORTEST_PRINT = 2


@dataclass(frozen=True)
class PlacesSaid:
    """Finds places in one document. `text` None: the text is not at hand, nothing is found.

    `positions`: by path, the spans of table cells and labelled values of the document as read.
    """

    text: SearchText | None = None
    positions: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    def of(self, fact: GoldFact) -> tuple[Span, ...]:
        """Every place that the fact can mean; several where `near` does not tell which."""
        if fact.starts is not None:
            return self.item(fact.starts, fact.ends or "")
        if fact.raw is not None:
            return self.print(fact.raw, fact.near)
        if fact.source == "metadata":
            return self.metadata(fact.path, fact.value)
        return self.cell(fact.path)

    def print(self, raw: str, near: str | None) -> tuple[Span, ...]:
        """Where `raw` stands, right after `near` where that can be found."""
        if self.text is None:
            return ()
        return tuple(self.text.find(raw, near) or self.text.find(raw))

    def item(self, starts: str, ends: str) -> tuple[Span, ...]:
        """From each place of `starts` to the nearest `ends` behind it."""
        if self.text is None:
            return ()
        ending = self.text.find(ends)
        items = []
        for begin in self.text.find(starts):
            end = next((span.end for span in ending if span.end >= begin.end), begin.end)
            items.append(Span(begin.start, end))
        return tuple(items)

    def cell(self, path: str) -> tuple[Span, ...]:
        """The table cell of `path` in the document as read; nothing where that is not known."""
        return self.positions.get(path, ())

    def row(self, path: str) -> tuple[Span, ...]:
        """The cells of a row."""
        return tuple(
            span for key, spans in self.positions.items() if key.startswith(f"{path}.") for span in spans
        )

    def metadata(self, path: str, value: object) -> tuple[Span, ...]:
        """Where the value is printed to the letter, else where the document as read has the field."""
        if value is None:
            return ()
        said = str(value)
        if self.text is not None and isinstance(value, str) and len(said) >= _SHORTEST_PRINT:
            found = tuple(self.text.find(said))
            if found:
                return found
        return self.positions.get(path, ())


def positions_in(record: Record | None) -> dict[str, tuple[Span, ...]]:
    """By path where a record places table cells and metadata. Of figures in prose it says nothing."""
    places: dict[str, tuple[Span, ...]] = {}
    for fact in record.facts if record is not None else ():
        if fact.source == "table" or (fact.path.startswith("meta.") and fact.source == "metadata"):
            span = Span(fact.evidence.start, fact.evidence.end)
            places[fact.path] = (*places.get(fact.path, ()), span)
    return places


def share_a_place(one: Sequence[Span], other: Sequence[Span]) -> bool:
    """Whether any two of them share a character."""
    return any(overlap(first, second) for first in one for second in other)
