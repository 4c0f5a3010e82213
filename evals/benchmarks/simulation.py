"""Do the intervals cover and does the test keep its level? A simulation, not a timed test.

Runs are made up: each document has 20 to 300 facts and an accuracy of its own, drawn from
a beta distribution (`usual`) or with one document in fifty that fails wholly (`rare`).
Printed for 10, 20, 50 and 200 documents: the share of repetitions in which each interval
of F1 holds the true F1, and how often two runs of equal quality are called different.

    python -m evals.benchmarks.simulation --repetitions 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evals.stats import Interval, Numbers, PairedRatios, bca_interval, logit_t_interval, sign_flip_test

DOCUMENTS = (10, 20, 50, 200)
SIGNIFICANT = 0.05
FAILING = 1 / 50
TRUTH_DOCUMENTS = 2_000_000


@dataclass(frozen=True, slots=True)
class World:
    """Documents as they come: mean accuracy, how much documents differ, how many fail wholly."""

    name: str
    mean: float
    concentration: float
    failing: float

    def accuracies(self, count: int, generator: np.random.Generator) -> Numbers:
        """The accuracy of `count` documents."""
        drawn = generator.beta(
            self.mean * self.concentration, (1 - self.mean) * self.concentration, size=count
        )
        return np.where(generator.random(count) < self.failing, 0.0, drawn)

    def run(self, accuracies: Numbers, facts: Numbers, generator: np.random.Generator) -> Numbers:
        """Correct facts of a run: numerators of F1 where every other fact is wrong."""
        return generator.binomial(facts.astype(int), accuracies).astype(np.float64)


WORLDS = (
    World("usual, F1 0.90", 0.90, 20, 0.0),
    World("usual, F1 0.98", 0.98, 20, 0.0),
    World("rare failures", 0.98, 20, FAILING),
)


def facts_of(count: int, generator: np.random.Generator) -> Numbers:
    """Facts of `count` documents: short narratives and reports with all tables."""
    return np.where(generator.random(count) < 0.5, generator.integers(20, 60, count), 220).astype(np.float64)


def coverage(
    world: World,
    count: int,
    repetitions: int,
    interval: Callable[[Numbers, Numbers], Interval | None],
    generator: np.random.Generator,
) -> tuple[float, float]:
    """Share of intervals that hold the true F1, and of repetitions without an interval."""
    population = facts_of(TRUTH_DOCUMENTS, generator)
    truth = float((world.accuracies(TRUTH_DOCUMENTS, generator) * population).sum() / population.sum())
    held = missing = 0
    for _ in range(repetitions):
        facts = facts_of(count, generator)
        found = interval(world.run(world.accuracies(count, generator), facts, generator), facts)
        missing += found is None
        held += found is not None and found.low <= truth <= found.high
    return held / max(1, repetitions - missing), missing / repetitions


def false_positives(world: World, count: int, repetitions: int, generator: np.random.Generator) -> float:
    """How often two runs of equal quality are called different."""
    different = 0
    for _ in range(repetitions):
        facts = facts_of(count, generator)
        # Equal quality: the same distribution, so that exchanging the runs changes nothing.
        a = world.run(world.accuracies(count, generator), facts, generator)
        b = world.run(world.accuracies(count, generator), facts, generator)
        p = sign_flip_test(PairedRatios(a, facts, b, facts))
        different += p is not None and p < SIGNIFICANT
    return different / repetitions


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    print(f"{arguments.repetitions} repetitions; intervals should cover 95 %, the test call 5 % different\n")
    print(f"{'':18}{'documents':>10}{'logit-t':>10}{'BCa':>10}{'no BCa':>10}{'false +':>10}")
    for world in WORLDS:
        for count in DOCUMENTS:
            logit, _ = coverage(world, count, arguments.repetitions, logit_t_interval, generator)
            bca, missing = coverage(world, count, arguments.repetitions, bca_interval, generator)
            wrong = false_positives(world, count, arguments.repetitions, generator)
            print(f"{world.name:18}{count:>10}{logit:>10.1%}{bca:>10.1%}{missing:>10.1%}{wrong:>10.1%}")


if __name__ == "__main__":
    main()
