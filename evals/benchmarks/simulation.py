"""Do the intervals cover, and does the comparison keep its level? A simulation, not a timed test.

Runs are made up and counted, then go through the same functions as real scores. Each
document has 20 to 300 facts in six groups and an accuracy of its own, drawn from a beta
distribution. Worlds: `usual`; `two reports an issuer`, which share their accuracy and are
one cluster; `rare failures`, where one document in fifty fails wholly.

Printed for 10, 20, 50 and 200 documents: the share of repetitions in which each 95 %
interval holds the truth (F1 by logit-t and by BCa, F1 averaged over documents, the
difference of two runs of the same quality, the share of documents without an error), and
how often such runs are called different (sign-flip test; any of six groups by max-T).

    python -m evals.benchmarks.simulation --repetitions 1000
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.difference import SIGNIFICANT
from evals.metrics import COLUMNS, CORRECT, WRONG, Counts, Metrics, Tally, f1_terms, metrics
from evals.stats import Numbers, PairedRatios, max_t_test, sign_flip_test

DOCUMENTS = (10, 20, 50, 200)
GROUPS = 6
SHORT, LONG = (20, 60), 220
TRUTH_DOCUMENTS = 400_000


@dataclass(frozen=True, slots=True)
class World:
    """Documents as they come: mean accuracy, how much it differs, how many fail, reports an issuer."""

    name: str
    mean: float
    concentration: float = 20.0
    failing: float = 0.0
    an_issuer: int = 1

    def issuers(self, count: int) -> NDArray[np.int64]:
        """The issuer of each of `count` documents."""
        return np.arange(count, dtype=np.int64) // self.an_issuer

    def facts(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Facts of each document: half are short narratives, half have all tables."""
        return np.where(generator.random(count) < 0.5, generator.integers(*SHORT, count), LONG)

    def accuracies(self, count: int, generator: np.random.Generator) -> Numbers:
        """The accuracy of each document in one run."""
        beta = self.mean * self.concentration, (1 - self.mean) * self.concentration
        drawn = generator.beta(*beta, size=count)[self.issuers(count)]
        return np.where(generator.random(count) < self.failing, 0.0, drawn)


WORLDS = (
    World("usual, F1 0.90", 0.90),
    World("usual, F1 0.98", 0.98),
    World("two reports an issuer", 0.90, an_issuer=2),
    World("rare failures", 0.98, failing=1 / 50),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What the intervals are to hold, from a very large sample."""

    f1: float
    macro_f1: float
    exact_documents: float


def truth(world: World, generator: np.random.Generator) -> Truth:
    """The truth of a world."""
    facts, accuracies = world.facts(TRUTH_DOCUMENTS, generator), world.accuracies(TRUTH_DOCUMENTS, generator)
    correct = generator.binomial(facts, accuracies)
    return Truth(
        float((accuracies * facts).sum() / facts.sum()),
        float(accuracies.mean()),
        float((correct == facts).mean()),
    )


def runs(world: World, count: int, generator: np.random.Generator) -> Iterator[list[Tally]]:
    """Two runs of equal quality over the same documents, each as six groups of facts.

    Half of a document's accuracy is its own, half comes anew with each run: exchanging
    the runs changes nothing that could be known.
    """
    facts = world.facts(count, generator)
    by_group = generator.multinomial(facts, np.full(GROUPS, 1 / GROUPS))
    own = world.accuracies(count, generator)
    is_own = (generator.random(count) < 0.5)[world.issuers(count)]
    for _ in range(2):
        accuracies = np.where(is_own, own, world.accuracies(count, generator))
        correct = generator.binomial(by_group, accuracies[:, None])
        yield [_tally(by_group[:, g], correct[:, g], world.issuers(count)) for g in range(GROUPS)]


def _tally(facts: NDArray[np.int64], correct: NDArray[np.int64], issuers: NDArray[np.int64]) -> Tally:
    counts: Counts = np.zeros((len(facts), len(COLUMNS)), dtype=np.int64)
    counts[:, CORRECT], counts[:, WRONG] = correct, facts - correct
    return Tally(counts, issuers)


def _together(groups: list[Tally]) -> Tally:
    return Tally(np.sum([group.counts for group in groups], axis=0), groups[0].clusters)


def _pair(a: Tally, b: Tally) -> PairedRatios:
    return PairedRatios(*f1_terms(a.by_cluster()), *f1_terms(b.by_cluster()))


def _holds(low: float | None, value: float, high: float | None) -> bool | None:
    return None if low is None or high is None else low - 1e-12 <= value <= high + 1e-12


def intervals(found: Metrics, held: Truth) -> dict[str, bool | None]:
    """Whether each interval of one run holds the truth; None where there is no interval."""
    return {
        "logit-t": _holds(found.f1_low, held.f1, found.f1_high),
        "BCa": _holds(found.f1_bca_low, held.f1, found.f1_bca_high),
        "macro": _holds(found.macro_f1_low, held.macro_f1, found.macro_f1_high),
        "exact": _holds(found.exact_documents_low, held.exact_documents, found.exact_documents_high),
    }


def comparison(a: list[Tally], b: list[Tally]) -> dict[str, bool | None]:
    """Whether the interval of the difference holds 0, and whether runs or groups are called different."""
    pair = _pair(_together(a), _together(b))
    interval, p = pair.interval(), sign_flip_test(pair)
    by_group = max_t_test([_pair(one, other) for one, other in zip(a, b, strict=True)])
    return {
        "difference": None if interval is None else _holds(interval.low, 0.0, interval.high),
        "false +": None if p is None else p < SIGNIFICANT,
        "false + groups": any(p is not None and p < SIGNIFICANT for p in by_group),
    }


HEADS = ("logit-t", "BCa", "macro", "exact", "difference", "false +", "false + groups", "no BCa")


def shares(world: World, count: int, repetitions: int, generator: np.random.Generator) -> dict[str, float]:
    """The share of repetitions in which each thing holds, among those in which it is defined."""
    known = truth(world, generator)
    held: Counter[str] = Counter()
    defined: Counter[str] = Counter()
    for _ in range(repetitions):
        a, b = runs(world, count, generator)
        for name, holds in (intervals(metrics(_together(a)), known) | comparison(a, b)).items():
            defined[name] += holds is not None
            held[name] += holds is True
    found = {name: held[name] / defined[name] if defined[name] else float("nan") for name in defined}
    return found | {"no BCa": 1 - defined["BCa"] / repetitions}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    error = 2 * np.sqrt(0.05 * 0.95 / arguments.repetitions)
    print(
        f"{arguments.repetitions} repetitions; aim: intervals 95 %, false positives 5 %, each ± {error:.1%}\n"
    )
    print(f"{'world':22}{'documents':>10}" + "".join(f"{head:>15}" for head in HEADS))
    for world in WORLDS:
        for count in DOCUMENTS:
            found = shares(world, count, arguments.repetitions, generator)
            print(f"{world.name:22}{count:>10}" + "".join(f"{found[head]:>15.1%}" for head in HEADS))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
