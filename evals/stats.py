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
_NO_SPREAD = 1e-12  # a standard error below it is one of rounding


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval and the method that gave it."""

    low: float
    high: float
    method: str


@cache
def _normal_quantile(share: float) -> float:
    return float(stats.norm.ppf(share))


@lru_cache(maxsize=4096)
def _t_quantile(share: float, freedom: float) -> float:
    return float(stats.t.ppf(share, freedom))


def wilson(successes: float, trials: float, confidence: float = CONFIDENCE) -> Interval | None:
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


def standard_error(pulls: Numbers, weights: Numbers) -> float:
    """Linearised (sandwich) standard error over clusters, each pull divided by √(1 - its weight).

    `weights` are the clusters' shares of the denominator and sum to 1. A heavy cluster
    pulls the ratio towards itself and so seems to differ less than it does (HC2 of
    MacKinnon and White 1985). With equal weights this is the usual error of a mean.
    """
    return math.sqrt(float((pulls**2 / (1 - weights)).sum()))


def degrees_of_freedom(weights: Numbers) -> float:
    """Of that error: Satterthwaite's, as Bell and McCaffrey (2002) give them.

    n - 1 with equal weights, fewer where some clusters weigh more than others. From the
    traces of BΩ and (BΩ)², B = diag(w²/(1 - w)) and Ω the covariance of the residuals of a
    weighted mean of equally varying clusters, Ωᵢⱼ = [i = j] - wᵢ - wⱼ + Σw².
    """
    squares = float((weights**2).sum())
    b = weights**2 / (1 - weights)
    u = squares - weights
    diagonal = 1 - 2 * weights + squares
    trace = float((b * diagonal).sum())
    everywhere = (b * u**2).sum() * b.sum() - 2 * (b * u).sum() * (b * weights).sum()
    everywhere += b.sum() * (b * weights**2).sum()
    off_diagonal = everywhere - (b**2 * (u - weights) ** 2).sum()
    return trace**2 / float(off_diagonal + (b**2 * diagonal**2).sum())


def logit_t_interval(
    numerators: Numbers, denominators: Numbers, confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval of a ratio of sums: t with Bell and McCaffrey's degrees of freedom, on the logit scale.

    Clusters without a denominator carry nothing and are left out; None below two.
    Where every cluster is at 1 (or 0) there is no spread: the limit is then Wilson's for
    the share of such clusters, as a cluster that differs may differ wholly. Where all clusters
    have one share in between it is Wilson's for the pooled counts: chance alone, for no width at
    all would claim to know.
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
    weights = denominators / denominators.sum()
    error = standard_error(influence(numerators, denominators), weights)
    if error < _NO_SPREAD:
        bound = wilson(float(numerators.sum()), float(denominators.sum()), confidence)
        return None if bound is None else Interval(bound.low, bound.high, "wilson on pooled counts")
    half = _t_quantile(0.5 + confidence / 2, degrees_of_freedom(weights)) * error / (share * (1 - share))
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


@lru_cache(maxsize=2)
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
        return standard_error(pull[self.used], self._weights())

    def freedom(self) -> float | None:
        """Degrees of freedom of that error; None where there is none."""
        return None if self.standard_error() is None else degrees_of_freedom(self._weights())

    def _weights(self) -> Numbers:
        """Each used cluster's weight, on average of both runs: they judge nearly the same facts."""
        denominators = (self.denominators_a, self.denominators_b)
        return np.asarray(sum(one[self.used] / (2 * one.sum()) for one in denominators))

    def interval(self, confidence: float = CONFIDENCE) -> Interval | None:
        """The difference with t on Bell and McCaffrey's degrees of freedom."""
        difference, error, freedom = self.difference(), self.standard_error(), self.freedom()
        if difference is None or error is None or freedom is None:
            return None
        half = _t_quantile(0.5 + confidence / 2, freedom) * error
        return Interval(max(-1.0, difference - half), min(1.0, difference + half), "paired t on documents")


def exchanged(families: Sequence[PairedRatios]) -> Numbers:
    """The difference of each family under each way of exchanging the runs, NaN where undefined.

    (families × ways). The families share their clusters, so that one product of matrices
    moves them all.
    """
    gaps = np.stack(
        [pairs.numerators_b - pairs.numerators_a for pairs in families]
        + [pairs.denominators_b - pairs.denominators_a for pairs in families]
    )
    moved = gaps @ flips(gaps.shape[1]).T
    shift_n, shift_d = moved[: len(families)], moved[len(families) :]
    sums = [
        np.array([[one.sum()] for one in side])
        for side in zip(
            *(
                (pairs.numerators_a, pairs.denominators_a, pairs.numerators_b, pairs.denominators_b)
                for pairs in families
            ),
            strict=True,
        )
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        a = (sums[0] + shift_n) / (sums[1] + shift_d)
        b = (sums[2] - shift_n) / (sums[3] - shift_d)
    return np.asarray(b - a)


def smallest_p(clusters: int) -> float:
    """The least p that the sign-flip test can give with so many clusters."""
    return 2 / 2**clusters if clusters <= MOST_EXACT_UNITS else 1 / (SAMPLED_FLIPS + 1)


def sign_flip_test(pairs: PairedRatios) -> float | None:
    """Two-sided p of no difference: the runs are exchanged within documents at random.

    Exact up to 16 documents, else over 10,000 sampled ways and the observed one. None
    where the difference is undefined.
    """
    return sign_flip_tests([pairs])[0]


def sign_flip_tests(families: Sequence[PairedRatios]) -> list[float | None]:
    """The test for each of several families over the same clusters, not corrected for their number."""
    if not families:
        return []
    return [
        None if pairs.difference() is None else _share_as_large(np.abs(moved))
        for pairs, moved in zip(families, exchanged(families), strict=True)
    ]


def max_t_test(families: Sequence[PairedRatios]) -> list[float | None]:
    """p values of several differences, corrected for their number (Westfall and Young 1993).

    All families share the same documents and the same exchanges, so that their
    dependence is kept. A family without definition has p None, one without spread 1.
    """
    if not families:
        return []
    all_moved = exchanged(families)
    scaled = np.full(all_moved.shape, np.nan)
    for index, (pairs, moved) in enumerate(zip(families, all_moved, strict=True)):
        if pairs.difference() is None:
            continue
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


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Family-wise adjusted p values (Holm 1979), in the same order; None stays None and does not count."""
    defined = [p for p in p_values if p is not None]
    adjusted: dict[float, float] = {}
    largest = 0.0
    for done, p in enumerate(sorted(defined)):
        largest = max(largest, min(1.0, (len(defined) - done) * p))
        adjusted.setdefault(p, largest)
    return [None if p is None else adjusted[p] for p in p_values]


def minimum_detectable_effect(
    error: float | None, freedom: float | None, power: float = POWER
) -> float | None:
    """The smallest difference in F1 that a paired test at 5 % finds with about `power`.

    None without an error, with error 0 (a single outcome says nothing of others), and
    where no difference could be found.
    """
    if not error or freedom is None:
        return None
    effect = (_t_quantile(0.5 + CONFIDENCE / 2, freedom) + _t_quantile(power, freedom)) * error
    return effect if effect <= 1 else None  # F1 cannot differ by more
