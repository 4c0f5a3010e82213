"""Intervals and tests against scipy, closed forms and published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference  # type: ignore[import-untyped]

from evals.alpha import krippendorff_alpha
from evals.calibration import calibrate
from evals.stats import (
    Numbers,
    PairedRatios,
    bca_interval,
    benjamini_hochberg,
    degrees_of_freedom,
    flips,
    logit_t_interval,
    max_t_test,
    minimum_detectable_effect,
    ratio,
    sign_flip_test,
    wilson,
)


def numbers(*values: float) -> Numbers:
    return np.asarray(values, dtype=np.float64)


def made_up(count: int, seed: int = 1) -> tuple[Numbers, Numbers]:
    """Numerators and denominators of `count` documents."""
    generator = np.random.default_rng(seed)
    denominators = generator.integers(20, 400, count).astype(np.float64)
    return denominators * generator.beta(9, 1, count), denominators


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (7, 7), (3, 7), (1, 200), (81, 263)])
def test_wilson_equals_scipy(successes: int, trials: int) -> None:
    interval = wilson(successes, trials)
    expected = reference.binomtest(successes, trials).proportion_ci(method="wilson")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_nothing_to_judge_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert ratio(numbers(), numbers()) is None
    assert logit_t_interval(numbers(3), numbers(4)) is None
    assert bca_interval(numbers(3), numbers(4)) is None
    assert logit_t_interval(numbers(0, 0), numbers(0, 0)) is None


def test_logit_t_equals_the_textbook_for_equal_documents() -> None:
    """With equal denominators the ratio is a mean and its standard error that of a mean."""
    shares = numbers(0.9, 0.8, 0.95, 0.7)
    interval = logit_t_interval(shares * 50, np.full(4, 50.0))
    mean, error = shares.mean(), shares.std(ddof=1) / 2
    half = reference.t.ppf(0.975, 3) * error / (mean * (1 - mean))
    expected = [1 / (1 + math.exp(-(math.log(mean / (1 - mean)) + sign * half))) for sign in (-1, 1)]
    assert interval is not None
    assert [interval.low, interval.high] == pytest.approx(expected)


def test_degrees_of_freedom_by_the_definition() -> None:
    """With equal documents n - 1; else from the matrices of Bell and McCaffrey (2002)."""
    assert degrees_of_freedom(np.full(8, 1 / 8)) == pytest.approx(7)
    weights = numbers(0.4, 0.3, 0.15, 0.1, 0.05)
    residuals = np.eye(5) - np.outer(np.ones(5), weights)
    b_omega = np.diag(weights**2 / (1 - weights)) @ residuals @ residuals.T
    expected = np.trace(b_omega) ** 2 / np.trace(b_omega @ b_omega)
    assert degrees_of_freedom(weights) == pytest.approx(expected)
    assert expected < 4


def test_equal_documents_do_not_give_certainty() -> None:
    """Two documents with 99.5 % each leave the chance of 400 decisions."""
    interval = logit_t_interval(numbers(199, 199), numbers(200, 200))
    bound = wilson(398, 400)
    assert interval is not None
    assert bound is not None
    assert (interval.low, interval.high) == (bound.low, bound.high)
    assert interval.high - interval.low > 0.01


def test_all_exact_documents_do_not_give_certainty() -> None:
    interval = logit_t_interval(numbers(30, 40, 50), numbers(30, 40, 50))
    bound = wilson(3, 3)
    assert interval is not None
    assert bound is not None
    assert (interval.low, interval.high) == (bound.low, 1.0)


def test_bca_equals_scipy() -> None:
    numerators, denominators = made_up(25)
    interval = bca_interval(numerators, denominators, resamples=20_000)
    expected = reference.bootstrap(
        (numerators, denominators),
        lambda n, d, axis: n.sum(axis=axis) / d.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=0.003)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 1_000))
def test_intervals_hold_their_estimate_and_stay_within_0_and_1(count: int, seed: int) -> None:
    numerators, denominators = made_up(count, seed)
    share = ratio(numerators, denominators)
    interval = logit_t_interval(numerators, denominators)
    assert interval is not None
    assert share is not None
    assert 0 <= interval.low <= share <= interval.high <= 1


def paired(a: Numbers, b: Numbers) -> PairedRatios:
    """Two runs of documents with one fact each of equal weight."""
    ones = np.ones(len(a))
    return PairedRatios(a, ones, b, ones)


@pytest.mark.parametrize("count", [3, 8, 12])
def test_exact_sign_flip_equals_scipy(count: int) -> None:
    generator = np.random.default_rng(count)
    a, b = generator.random(count), generator.random(count) + 0.1
    expected = reference.permutation_test(
        (b, a), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip_test(paired(a, b)) == pytest.approx(expected)


def test_sampled_sign_flip_is_close_to_the_t_test_for_many_documents() -> None:
    generator = np.random.default_rng(4)
    a = generator.normal(0.80, 0.05, 60)
    b = a + generator.normal(0.012, 0.05, 60)
    assert sign_flip_test(paired(a, b)) == pytest.approx(reference.ttest_rel(a, b).pvalue, abs=0.02)


def test_a_run_against_itself() -> None:
    numerators, denominators = made_up(10)
    pairs = PairedRatios(numerators, denominators, numerators, denominators)
    interval = pairs.interval()
    assert (pairs.difference(), sign_flip_test(pairs)) == (0.0, 1.0)
    assert interval is not None
    assert interval.low == interval.high == 0.0


@pytest.mark.parametrize(("clusters", "ways"), [(1, 2), (7, 128), (16, 65_536), (17, 10_001)])
def test_exchanges_are_all_up_to_16_documents(clusters: int, ways: int) -> None:
    exchanged = flips(clusters)
    assert exchanged.shape == (ways, clusters)
    assert not exchanged[0].any()


def test_the_smallest_p_of_few_documents() -> None:
    a, b = np.zeros(5), np.ones(5)
    assert sign_flip_test(paired(a, b)) == 2 / 2**5


def test_max_t_corrects_upwards_and_equals_the_single_test_for_one_family() -> None:
    generator = np.random.default_rng(5)
    families = [paired(generator.random(10), generator.random(10) + shift) for shift in (0.0, 0.3, 0.6)]
    single = [sign_flip_test(pairs) for pairs in families]
    adjusted = max_t_test(families)
    assert all(
        a is not None and s is not None and a >= s - 1e-12 for a, s in zip(adjusted, single, strict=True)
    )
    assert max_t_test(families[2:]) == pytest.approx([single[2]])


def test_max_t_keeps_undefined_groups_apart() -> None:
    empty = PairedRatios(np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4))
    assert max_t_test([empty, paired(numbers(0, 0, 0, 0), numbers(1, 1, 1, 1))]) == [None, 0.125]
    assert sign_flip_test(empty) is None
    assert empty.standard_error() is None


def test_benjamini_hochberg_of_the_1995_paper() -> None:
    """Example of section 3.2: at 5 % the first four of fifteen are rejected."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert [q <= 0.05 for q in benjamini_hochberg(p)] == [True] * 4 + [False] * 11
    assert benjamini_hochberg([]) == []


def test_minimum_detectable_effect_shrinks_with_documents() -> None:
    few, many = minimum_detectable_effect(0.01, 4), minimum_detectable_effect(0.01, 999)
    assert few is not None
    assert many is not None
    assert few > many
    assert many == pytest.approx(0.01 * (1.96 + 0.8416), rel=0.01)
    assert minimum_detectable_effect(None, None) is None


# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example A: two coders,
# ten units, binary; example C: four coders, twelve units, missing values, nominal.
BINARY = list(zip([0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0], strict=True))
FOUR_CODERS = [
    (1, 1, None, 1),
    (2, 2, 3, 2),
    (3, 3, 3, 3),
    (3, 3, 3, 3),
    (2, 2, 2, 2),
    (1, 2, 3, 4),
    (4, 4, 4, 4),
    (1, 1, 2, 1),
    (2, 2, 2, 2),
    (None, 5, 5, 5),
    (None, None, 1, 1),
    (None, None, 3, None),
]


@pytest.mark.parametrize(
    ("units", "alpha"),
    [(BINARY, 0.095), (FOUR_CODERS, 0.743), ([(1, 1), (1, 1)], None), ([(1, None)], None), ([], None)],
)
def test_alpha_of_published_examples(units: list[tuple[int | None, ...]], alpha: float | None) -> None:
    found = krippendorff_alpha(units)
    assert found == (None if alpha is None else pytest.approx(alpha, abs=0.0005))


def test_calibration_of_honest_and_of_boastful_confidence() -> None:
    honest = calibrate([0.75] * 4, [True, True, True, False])
    boastful = calibrate([1.0] * 4, [True, True, True, False])
    assert honest is not None
    assert honest.expected_calibration_error == pytest.approx(0.0)
    assert boastful is not None
    assert boastful.expected_calibration_error == pytest.approx(0.25)
    assert calibrate([], []) is None


def test_how_many_to_check_for_99_percent() -> None:
    found = calibrate([0.9] * 90 + [0.4] * 10, [True] * 90 + [False] * 5 + [True] * 5)
    assert found is not None
    assert [(point.kept, point.accuracy) for point in found.curve] == [(90, 1.0), (100, 0.95)]
    assert found.check_for_target == 10
    hopeless = calibrate([0.9] * 10, [False] * 10)
    assert hopeless is not None
    assert hopeless.check_for_target is None
