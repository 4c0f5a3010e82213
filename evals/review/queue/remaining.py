"""How many figures are still to be checked for a target accuracy, and what a random sample says.

Of N figures C are checked, and right from then on. Figure i of the others is wrong with chance
pᵢ as the machine has it, s·pᵢ (at most 1) after what the checks taught. In the order of the queue,
n checks are enough for a target t as soon as

    Σ over the unchecked after the first n of min(1, s·pᵢ) ≤ (1 - t)·N.

s compares what checks found with what was expected. Of the checked, F were wrong and, with scale s,
Σ min(1, s·pᵢ) are expected. F is taken as Poisson, s as gamma with mean 1 and the weight of k = `PRIOR`
expected errors, so that s solves

    Σ over the checked of min(1, s·pᵢ) + k·s = F + k,

which is (F + k) / (Σ pᵢ + k) as long as no s·pᵢ exceeds 1: few checks move it little. The interval of n
belongs to the 2.5 % and 97.5 % points of the gamma distribution of shape F + k in the place of F + k.
It knows nothing of figures wrong in other ways than those checked: for that there is the sample.

Audit: figures drawn by random numbers that know nothing of them are, while unchecked, a random sample
of what was unchecked. Their share of wrong ones q has Clopper and Pearson's interval (1934), without any
use of pᵢ. With U of N figures unchecked, 1 - q·U/N of all are right. Figures checked by their chance since
then make the rest better, not worse. Such checks are no random sample: their share of wrong ones says
nothing of the rest, and is never shown as if it did.

Accuracy here is that of figures the machine gave; what it left out is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]

PRIOR = 5.0
CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Checks:
    """What checks found: `expected` errors by the machine's own chances, `found` ones.

    `scale`: how many times as often as expected figures are wrong, shrunk towards 1; with 95 % it lies
    between `low` and `high`.
    """

    count: int
    found: int
    expected: float
    scale: float
    low: float
    high: float

    @classmethod
    def of(cls, counts: NDArray[np.int64], chances: NDArray[np.float64], found: int) -> Checks:
        """Of `counts[k]` checked figures with the chance `chances[k]`, of which `found` were wrong."""
        is_there = counts > 0
        counts, chances = counts[is_there], chances[is_there]
        tails = special.gammaincinv(found + PRIOR, [_TAIL, 1 - _TAIL]).tolist()
        scale, low, high = (_scale(counts, chances, errors) for errors in (found + PRIOR, *tails))
        return cls(int(counts.sum()), found, float(counts @ chances), scale, low, high)


def _scale(counts: NDArray[np.int64], chances: NDArray[np.float64], errors: float) -> float:
    """The s at which Σ min(1, s·p) + PRIOR·s, which grows with s, comes to `errors`."""
    low, high = 0.0, errors / PRIOR
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(counts @ np.minimum(1.0, middle * chances)) + PRIOR * middle < errors:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, slots=True)
class Remaining:
    """Checks that remain; `low` and `high` for the interval of the scale."""

    count: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, weight: float) -> Share:
        """Of a whole of which only the part `weight` can be wrong."""
        return Share(self.value * weight, self.low * weight, self.high * weight)

    def complement(self) -> Share:
        """Of those that are not."""
        return Share(1 - self.value, 1 - self.high, 1 - self.low)


@dataclass(frozen=True, slots=True)
class Audit:
    """Figures that were checked as a random sample of the unchecked ones, and how many were wrong."""

    count: int
    wrong: int

    def wrong_among_unchecked(self) -> Share | None:
        """The share of wrong figures among those not checked; None without a sample."""
        return exact_share(self.wrong, self.count)


def exact_share(successes: int, trials: int) -> Share | None:
    """A share with Clopper and Pearson's interval; None without trials."""
    if trials == 0:
        return None
    low = special.betaincinv(successes, trials - successes + 1, _TAIL) if successes else 0.0
    high = special.betaincinv(successes + 1, trials - successes, 1 - _TAIL) if successes < trials else 1.0
    return Share(successes / trials, float(low), float(high))


def checks_remaining(
    counts: NDArray[np.int64], chances: NDArray[np.float64], total: int, target: float, scale: float
) -> int:
    """The least number of checks for `target`.

    `counts[k]` unchecked figures have the chance `chances[k]`; k in the order of the queue. `total`
    are all figures, checked ones among them.
    """
    scaled = np.minimum(1.0, chances * scale)
    taken = np.cumsum(counts * scaled)
    excess = (taken[-1] if len(taken) else 0.0) - (1 - target) * total
    if excess <= 0:
        return 0
    # The last step can miss the sum by a rounding error.
    step = min(int(np.searchsorted(taken, excess)), len(taken) - 1)
    before = float(taken[step - 1]) if step else 0.0
    inside = int(np.ceil((excess - before) / scaled[step] - 1e-9))
    return int(counts[:step].sum()) + min(inside, int(counts[step]))


def remaining(
    counts: NDArray[np.int64], chances: NDArray[np.float64], total: int, target: float, checks: Checks
) -> Remaining:
    """Checks that remain by what the checks found so far."""
    at_low, at_mean, at_high = (
        checks_remaining(counts, chances, total, target, scale)
        for scale in (checks.low, checks.scale, checks.high)
    )
    return Remaining(at_mean, at_low, at_high)
