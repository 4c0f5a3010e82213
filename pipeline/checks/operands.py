"""What the checks look at: facts by source and path, and which of them can be reckoned with.

A blank or `/` cell is never taken as zero, not even in a row whose other cells
are all printed: the form asks for a `0`, and bodies leave cells empty both for
zero and for unknown.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.fact import Fact, Finding, Source, Templates

Number = int | float

READABLE = frozenset({"value", "zero_in_words"})


@dataclass(frozen=True)
class Reading:
    """One document as it was read: canonical text, facts, forms, and what the reader could not place."""

    text: str
    facts: tuple[Fact, ...]
    templates: Templates
    findings: tuple[Finding, ...] = ()

    @cached_property
    def _index(self) -> Mapping[tuple[Source, str], tuple[Fact, ...]]:
        index: dict[tuple[Source, str], list[Fact]] = defaultdict(list)
        for fact in self.facts:
            index[fact.source, fact.path].append(fact)
        return {key: tuple(group) for key, group in index.items()}

    @cached_property
    def _cells(self) -> Mapping[str, Fact]:
        """The table's figures by path, those that can be reckoned with."""
        usable = {}
        for (source, path), found in self._index.items():
            is_exact = all(is_number(fact) and fact.bound == "exact" for fact in found)
            if source == "table" and is_exact and len({fact.value for fact in found}) == 1:
                usable[path] = found[0]
        return usable

    def cell(self, path: str) -> Fact | None:
        """The table's exact figure for `path`; None makes the check not assessable."""
        return self._cells.get(path)

    def cells(self, paths: Iterable[str]) -> tuple[Fact, ...] | None:
        """The table's figures for all of `paths`, or None when one of them is not usable."""
        found: list[Fact] = []
        for path in paths:
            fact = self.cell(path)
            if fact is None:
                return None
            found.append(fact)
        return tuple(found)

    def prose(self, path: str) -> tuple[Fact, ...]:
        """The figures and zeros that the prose prints for `path`, in order of print."""
        found = self._index.get(("narrative", path), ())
        return tuple(sorted((f for f in found if is_number(f)), key=lambda f: f.evidence.start))

    @cached_property
    def narrative(self) -> tuple[Fact, ...]:
        """All figures of the prose in order of print."""
        figures = (fact for fact in self.facts if fact.source == "narrative" and is_number(fact))
        return tuple(sorted(figures, key=lambda fact: (fact.evidence.start, fact.evidence.end)))

    def meta(self, path: str) -> Fact | None:
        """The one legible value of a `meta.*` path, whatever its source; None if several differ."""
        found = [f for f in self.facts if f.path == path and f.status == "value" and f.value is not None]
        return found[0] if len({str(fact.value) for fact in found}) == 1 else None


def is_number(fact: Fact) -> bool:
    """Whether the fact holds a finite number (a zero in words is 0)."""
    value = fact.value
    return fact.status in READABLE and isinstance(value, int | float) and math.isfinite(value)


def number(fact: Fact) -> Number:
    """The number of a fact for which `is_number` holds; whole floats become int."""
    if not is_number(fact) or fact.value is None or isinstance(fact.value, str):
        raise ValueError(f"{fact.path}: {fact.value!r} ({fact.status}) is no number")
    return tidy(fact.value)


def tidy(value: Number) -> Number:
    """A whole float as int, so that messages print 12 and not 12.0."""
    return int(value) if float(value).is_integer() else value


def total(facts: Iterable[Fact]) -> Number:
    """Sum of the facts' numbers."""
    return tidy(sum(number(fact) for fact in facts))


def equal(left: Number, right: Number) -> bool:
    """Equality that forgives the rounding of decimal fractions, nothing more."""
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
