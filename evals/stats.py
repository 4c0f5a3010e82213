"""Statistics of an evaluation whose unit is the document, clustered by issuer.

Figures of one report are wrong together, so the spread is taken between clusters, never
between figures. A rate over clusters is a ratio of sums: F1 is Σ 2·correct over
Σ (2·correct + 2·wrong + omitted + invented).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

Numbers = NDArray[np.float64]
CONFIDENCE = 0.95
POWER = 0.8
RESAMPLES = 2_000
MOST_EXACT_UNITS = 16
SAMPLED_FLIPS = 10_000
SEED = 20_190_515  # the day the Regulation came into force; any fixed number serves


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval and the method that gave it."""

    low: float
    high: float
    method: str


@cache
def _normal_quantile(share: float) -> float:
    return float(stats.norm.ppf(share))


@cache
def _t_quantile(share: float, freedom: int) -> float:
    return float(stats.t.ppf(share, freedom))


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Wilson's score interval for a share (Wilson 1927); None without trials."""
    if trials == 0:
        return None
    z = _normal_quantile(0.5 + confidence / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale), "wilson")


def ratio(numerators: Numbers, denominators: Numbers) -> float | None:
    """The ratio of sums; None where there is nothing to divide by."""
    total = float(denominators.sum())
    return None if total == 0 else float(numerators.sum()) / total


def influence(numerators: Numbers, denominators: Numbers) -> Numbers:
    """Each cluster's pull on the ratio of sums; their spread gives its standard error."""
    total = denominators.sum()
    return np.asarray((numerators - numerators.sum() / total * denominators) / total)


def standard_error(pulls: Numbers) -> float:
    """Linearised (sandwich) standard error over clusters, with n/(n-1)."""
    count = len(pulls)
    return math.sqrt(count / (count - 1) * float((pulls**2).sum()))


def logit_t_interval(
    numerators: Numbers, denominators: Numbers, confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval of a ratio of sums: t with n-1 degrees of freedom on the logit scale.

    Clusters without a denominator carry nothing and are left out; None below two.
    Where every cluster is at 1 (or 0) there is no spread: the limit is then Wilson's for
    the share of such clusters, as a cluster that differs may differ wholly.
    """
    used = denominators > 0
    numerators, denominators = numerators[used], denominators[used]
    count = len(denominators)
    share = ratio(numerators, denominators)
    if count < 2 or share is None:
        return None
    if share >= 1.0 or share <= 0.0:
        bound = wilson(count if share >= 1.0 else 0, count, confidence)
        return None if bound is None else Interval(bound.low, bound.high, "wilson on exact documents")
    error = standard_error(influence(numerators, denominators))
    half = _t_quantile(0.5 + confidence / 2, count - 1) * error / (share * (1 - share))
    centre = math.log(share / (1 - share))
    return Interval(_expit(centre - half), _expit(centre + half), "logit-t on documents")


def _expit(x: float) -> float:
    return float(1 / (1 + math.exp(-x))) if x > -700 else 0.0


def bca_interval(
    numerators: Numbers, denominators: Numbers, confidence: float = CONFIDENCE, resamples: int = RESAMPLES
) -> Interval | None:
    """Bias-corrected and accelerated bootstrap over clusters (Efron 1987); None where undefined."""
    used = denominators > 0
    numerators, denominators = numerators[used], denominators[used]
    count = len(denominators)
    share = ratio(numerators, denominators)
    if count < 2 or share is None:
        return None
    weights = _resampled(count, resamples)
    draws = (weights @ numerators) / (weights @ denominators)
    kept = (numerators.sum() - numerators) / np.where(
        denominators.sum() - denominators > 0, denominators.sum() - denominators, np.nan
    )
    limits = _bca_limits(draws, kept, share, confidence)
    return None if limits is None else Interval(*limits, "BCa over documents")


@lru_cache(maxsize=8)
def _resampled(count: int, resamples: int) -> NDArray[np.int64]:
    """How often each cluster is drawn, (resamples × count): the same draws for every group."""
    return np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=resamples)


def _bca_limits(
    draws: Numbers, left_out: Numbers, estimate: float, confidence: float
) -> tuple[float, float] | None:
    below = float((draws < estimate).mean() + (draws == estimate).mean() / 2)
    if not 0 < below < 1 or np.isnan(left_out).any() or np.ptp(draws) == 0:
        return None
    bias = float(stats.norm.ppf(below))
    spread = left_out.mean() - left_out
    cubes, squares = float((spread**3).sum()), float((spread**2).sum())
    acceleration = 0.0 if squares == 0 else cubes / (6 * squares**1.5)
    tails = stats.norm.ppf([0.5 - confidence / 2, 0.5 + confidence / 2])
    shifted = bias + (bias + tails) / (1 - acceleration * (bias + tails))
    low, high = np.quantile(draws, stats.norm.cdf(shifted))
    return float(low), float(high)


def flips(count: int, draws: int = SAMPLED_FLIPS) -> NDArray[np.int8]:
    """Ways to exchange two runs within documents, (ways × count), 1 = exchanged.

    All of them up to 16 documents, else a fixed sample. The first is always the one as observed.
    """
    if count <= MOST_EXACT_UNITS:
        numbers = np.arange(2**count)[:, None]
        return np.asarray((numbers >> np.arange(count)) & 1, dtype=np.int8)
    sampled = np.random.default_rng(SEED).integers(0, 2, size=(draws + 1, count), dtype=np.int8)
    sampled[0] = 0
    return sampled


@dataclass(frozen=True, slots=True)
class PairedRatios:
    """Two runs on the same clusters: numerators and denominators of a ratio of sums."""

    numerators_a: Numbers
    denominators_a: Numbers
    numerators_b: Numbers
    denominators_b: Numbers

    def difference(self) -> float | None:
        """B minus A; None where one is undefined."""
        a = ratio(self.numerators_a, self.denominators_a)
        b = ratio(self.numerators_b, self.denominators_b)
        return None if a is None or b is None else b - a

    @property
    def used(self) -> NDArray[np.bool_]:
        """Clusters that carry something in either run."""
        return np.asarray((self.denominators_a > 0) | (self.denominators_b > 0))

    def standard_error(self) -> float | None:
        """Of the difference, linearised over clusters; None below two clusters or undefined."""
        if self.used.sum() < 2 or self.difference() is None:
            return None
        pull = influence(self.numerators_b, self.denominators_b) - influence(
            self.numerators_a, self.denominators_a
        )
        return standard_error(pull[self.used])

    def interval(self, confidence: float = CONFIDENCE) -> Interval | None:
        """The difference with t on n-1 degrees of freedom."""
        difference, error = self.difference(), self.standard_error()
        if difference is None or error is None:
            return None
        freedom = int(self.used.sum()) - 1
        half = _t_quantile(0.5 + confidence / 2, freedom) * error
        return Interval(max(-1.0, difference - half), min(1.0, difference + half), "paired t on documents")

    def exchanged(self, ways: NDArray[np.int8]) -> Numbers:
        """The difference under each way of exchanging the runs, NaN where undefined."""
        gap_n, gap_d = self.numerators_b - self.numerators_a, self.denominators_b - self.denominators_a
        shift_n, shift_d = ways @ gap_n, ways @ gap_d
        with np.errstate(invalid="ignore", divide="ignore"):
            b = (self.numerators_b.sum() - shift_n) / (self.denominators_b.sum() - shift_d)
            a = (self.numerators_a.sum() + shift_n) / (self.denominators_a.sum() + shift_d)
        return np.asarray(b - a)


def sign_flip_test(pairs: PairedRatios) -> float | None:
    """Two-sided p of no difference: the runs are exchanged within documents at random.

    Exact up to 16 documents, else over 10,000 sampled ways and the observed one. None
    where the difference is undefined.
    """
    if pairs.difference() is None:
        return None
    return _share_as_large(np.abs(pairs.exchanged(flips(len(pairs.numerators_a)))))


def max_t_test(families: Sequence[PairedRatios]) -> list[float | None]:
    """p values of several differences, corrected for their number (Westfall and Young 1993).

    All families share the same documents and the same exchanges, so that their
    dependence is kept. A family without spread or definition has p None.
    """
    if not families:
        return []
    ways = flips(len(families[0].numerators_a))
    scaled = np.full((len(families), len(ways)), np.nan)
    for index, pairs in enumerate(families):
        if pairs.difference() is None:
            continue
        moved = pairs.exchanged(ways)
        spread = float(np.sqrt(np.nanmean(moved**2)))
        scaled[index] = np.abs(moved) / spread if spread > 0 else 0.0
    largest = np.nanmax(np.where(np.isnan(scaled), -np.inf, scaled), axis=0)
    return [
        None if np.isnan(row[0]) else float((largest >= row[0] * (1 - 1e-9) - 1e-12).mean()) for row in scaled
    ]


def _share_as_large(sizes: Numbers) -> float:
    """Share of the exchanges at least as large as the observed one, which is the first."""
    sizes = np.nan_to_num(sizes, nan=0.0)
    return float((sizes >= sizes[0] * (1 - 1e-9) - 1e-12).mean())


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """False-discovery-rate adjusted p values (Benjamini and Hochberg 1995), in the same order."""
    if not p_values:
        return []
    return [float(q) for q in stats.false_discovery_control(list(p_values))]


def minimum_detectable_effect(error: float | None, clusters: int, power: float = POWER) -> float | None:
    """The smallest difference that a paired test at 5 % finds with `power`; None below two clusters."""
    if error is None or clusters < 2:
        return None
    freedom = clusters - 1
    return (_t_quantile(0.5 + CONFIDENCE / 2, freedom) + _t_quantile(power, freedom)) * error
