"""Approximate figures as intervals: 余 / 多 / 以上 at least, 近 / 不到 at most, 约 within ten per cent.

A figure printed in 万 or 亿 is rounded to its last digit: `2.86万` is 28,550 to 28,650.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.checks.operands import equal, number
from pipeline.fact import Fact

ABOUT = 0.10


@dataclass(frozen=True, slots=True)
class Interval:
    """Values that a print allows, both ends included."""

    low: float
    high: float

    @classmethod
    def of(cls, fact: Fact) -> Interval:
        """What the fact's figure and bound allow. `1200余` is at least 1200, without an upper end."""
        value = number(fact)
        if fact.bound == "at_least":
            return cls(value, math.inf)
        if fact.bound == "at_most":
            return cls(min(0, value), value)
        if fact.bound == "about":
            return cls(value - ABOUT * abs(value), value + ABOUT * abs(value))
        rounding = _rounding(fact.raw)
        return cls(value - rounding, value + rounding)

    @classmethod
    def total(cls, facts: Iterable[Fact], minus: float = 0) -> Interval:
        """What the sum of the facts, less `minus`, may be."""
        intervals = [cls.of(fact) for fact in facts]
        return cls(sum(i.low for i in intervals) - minus, sum(i.high for i in intervals) - minus)

    def times(self, factor: float) -> Interval:
        """The same values in a smaller unit: 万元 times 10,000 is 元."""
        return self if factor == 1 else Interval(self.low * factor, self.high * factor)

    def meets(self, other: Interval) -> bool:
        """Whether some value lies in both."""
        return _at_most(self.low, other.high) and _at_most(other.low, self.high)

    def may_be_within(self, whole: Interval) -> bool:
        """Whether some value of this one is no more than some value of `whole`."""
        return _at_most(self.low, whole.high)


_IN_MYRIADS = re.compile(r"[0-9０-９](?:[.．](?P<decimals>[0-9０-９]+))?\s*(?P<unit>[万亿])(?!元)")
_SIZES = {"万": 1e4, "亿": 1e8}


def _rounding(raw: str) -> float:
    """Half of the last digit of a figure printed in 万 or 亿, 0 for one printed in full."""
    match = _IN_MYRIADS.search(raw)
    if match is None:
        return 0.0
    return float(_SIZES[match["unit"]] / 10 ** len(match["decimals"] or "") / 2)


def _at_most(low: float, high: float) -> bool:
    return low <= high or (math.isfinite(low) and math.isfinite(high) and equal(low, high))
