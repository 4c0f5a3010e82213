"""What two documents have in common: the figures of table and prose, wherever and however printed.

A figure is its path, status, value and bound; white space, carrier, page and confidence do not
count. Of text items only Chinese characters and digits count.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.fact import Fact, Record

SAME_SHARE = 0.8
"""Two documents are the same report when no field that both have differs, and at least this share of
all figures is in both: a poor carrier loses cells, but does not alter them."""

SAME_WORDING = 0.5
"""And when at least this share of the text items of the one that has fewer is in the other."""

_Figure = tuple[str, float | str | None, str]
_NO_WORDING = re.compile(r"[^\u4e00-\u9fff0-9]+")


@dataclass(frozen=True, slots=True)
class Content:
    """The figures of a document by field (a category's label is part of it), and its text items."""

    figures: Mapping[str, Counter[_Figure]]
    wording: frozenset[str]

    @classmethod
    def of(cls, record: Record) -> Content:
        """The content of a record; `meta` is no part of it, as it differs from site to site."""
        figures: dict[str, Counter[_Figure]] = defaultdict(Counter)
        wording: set[str] = set()
        for fact in record.facts:
            if fact.path.startswith("text."):
                wording.add(_NO_WORDING.sub("", str(fact.value)))
            elif fact.source in ("table", "narrative"):
                figures[_field(fact)][_figure(fact)] += 1
        return cls(figures, frozenset(wording))

    def compare(self, other: Content) -> Comparison:
        """What differs; the order of the two does not matter."""
        both = self.figures.keys() & other.figures.keys()
        differing = tuple(sorted(field for field in both if self.figures[field] != other.figures[field]))
        common = sum((self.figures[field] & other.figures[field]).total() for field in both)
        every = self._count() + other._count() - common
        fewer = min(len(self.wording), len(other.wording))
        return Comparison(
            differing=differing,
            only_in_one=len(self.figures.keys() ^ other.figures.keys()),
            share=common / every if every else 1.0,
            wording=len(self.wording & other.wording) / fewer if fewer else 1.0,
        )

    def _count(self) -> int:
        return sum(figures.total() for figures in self.figures.values())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Fields that both documents have with different figures, the number of those that only one has,
    the share of figures in both, and the share of text items in both."""

    differing: tuple[str, ...]
    only_in_one: int
    share: float
    wording: float

    @property
    def is_same(self) -> bool:
        """Whether both are one report."""
        return not self.differing and self.share >= SAME_SHARE and self.wording >= SAME_WORDING


def _field(fact: Fact) -> str:
    label = "" if fact.label is None else f"#{_NO_WORDING.sub('', fact.label)}"
    return f"{fact.source}:{fact.path}{label}"


def _figure(fact: Fact) -> _Figure:
    value = float(fact.value) if isinstance(fact.value, int | float) else fact.value
    return (fact.status, value, fact.bound)
