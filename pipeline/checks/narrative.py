"""Figures in prose that are said to be made of others: `narrative.closed_list`, `narrative.bounds`.

A closed list must make its whole, less a stated overlap; an open one must not
exceed it. Where a figure is approximate both sides are intervals and the rule is
`narrative.bounds`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

from pipeline.checks.bounds import Interval
from pipeline.checks.findings import Identity, added, labels, shown
from pipeline.checks.lists import Listing, find_listings
from pipeline.checks.operands import Number, Reading, number, tidy, total
from pipeline.fact import Fact, Finding


def check(reading: Reading) -> Iterator[Finding]:
    """One finding for each list that does not agree with its whole."""
    for listing in find_listings(reading.text, reading.narrative):
        if not _holds(listing):
            yield _finding(reading, listing)


def _holds(listing: Listing) -> bool:
    """Whether the list agrees with its whole in one of the ways in which it can be read."""
    ways = product((listing.parts, listing.shorter or listing.parts), (listing.whole, *listing.other_wholes))
    return any(_agrees(listing, parts, whole) for parts, whole in ways)


def _agrees(listing: Listing, parts: Sequence[Fact], whole: Fact) -> bool:
    made = Interval.total(parts, minus=_overlap(listing))
    return made.meets(Interval.of(whole)) if listing.is_closed else made.may_be_within(Interval.of(whole))


def _overlap(listing: Listing) -> Number:
    return listing.overlap.count if listing.overlap is not None else 0


def _finding(reading: Reading, listing: Listing) -> Finding:
    operands = (listing.whole, *listing.parts)
    is_exact = all(fact.bound == "exact" for fact in operands)
    overlap = f" − {_overlap(listing)}" if listing.overlap is not None else ""
    low = Interval.total(listing.parts, minus=_overlap(listing)).low
    expected = total(listing.parts) - _overlap(listing) if is_exact else low
    return Identity("narrative.closed_list" if is_exact else "narrative.bounds", "warning").broken(
        reading,
        operands,
        where=" ".join(labels(listing.whole.path)),
        message=_message(listing, f"{added(listing.parts)}{overlap}", tidy(expected)),
        expected=tidy(expected) if math.isfinite(expected) else None,
        printed=number(listing.whole),
    )


def _message(listing: Listing, parts: str, low: Number) -> str:
    relation = "do not make" if listing.is_closed else "are more than"
    return f"the parts {parts} = {low} {relation} the {shown(listing.whole)} printed for the whole"
