"""Where a print stands in a text when white space does not count."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from evals.values import squeeze
from pipeline.document import Span


@dataclass(frozen=True)
class SearchText:
    """A text to search without regard to white space, with the way back to its characters."""

    text: str

    @cached_property
    def squeezed(self) -> str:
        """The text without white space."""
        return squeeze(self.text)

    @cached_property
    def _places(self) -> list[int]:
        """For each character of `squeezed`, its place in `text`."""
        return [place for place, character in enumerate(self.text) if not character.isspace()]

    def find(self, raw: str, near: str | None = None) -> list[Span]:
        """Every place where `raw` stands, right after `near` where that is given."""
        wanted, before = squeeze(raw), squeeze(near or "")
        if not wanted:
            return []
        needle = before + wanted
        spans = []
        start = self.squeezed.find(needle)
        while start >= 0:
            first, last = start + len(before), start + len(needle) - 1
            spans.append(Span(self._places[first], self._places[last] + 1))
            start = self.squeezed.find(needle, start + 1)
        return spans


def overlap(one: Span, other: Span) -> bool:
    """Whether two spans share a character."""
    return one.start < other.end and other.start < one.end
