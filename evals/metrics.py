"""From verdicts to rates: counts by group and document, then precision, recall, F1.

    counts: (clusters or documents × COLUMNS)
    precision = correct / (correct + wrong + invented)
    recall    = correct / (correct + wrong + omitted)
    F1        = 2·correct / (2·correct + 2·wrong + omitted + invented)

A rate without a denominator is None, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.gold import GoldColumns, Kind
from evals.stats import Numbers, bca_interval, logit_t_interval, ratio, wilson
from evals.values import is_figure, is_nonzero
from evals.verdicts import NOT_SCORED, VERDICTS, Marked
from pipeline.fact import Fact

Counts = NDArray[np.int64]
COLUMNS = (*VERDICTS, "nonzero_correct", "nonzero_expected", "nonzero_given")
CORRECT, WRONG, OMITTED, INVENTED, ABSENT, NONZERO_CORRECT, NONZERO_EXPECTED, NONZERO_GIVEN = range(8)


@dataclass(frozen=True)
class Tally:
    """Counts of one group of facts, a row a document, with each document's cluster."""

    counts: Counts
    clusters: NDArray[np.int64]

    @property
    def total(self) -> Counts:
        """Summed over the documents."""
        return np.asarray(self.counts.sum(axis=0))

    def by_cluster(self) -> Counts:
        """Summed over the documents of each cluster that has any here."""
        names, places = np.unique(self.clusters, return_inverse=True)
        summed = np.zeros((len(names), len(COLUMNS)), dtype=np.int64)
        np.add.at(summed, places, self.counts)
        return summed

    def judged(self) -> NDArray[np.bool_]:
        """Documents that have something to judge in this group."""
        return np.asarray(self.counts[:, : ABSENT + 1].sum(axis=1) > 0)

    def exact(self) -> NDArray[np.bool_]:
        """Documents without any error in this group, among all."""
        return np.asarray(self.judged() & (self.counts[:, WRONG : INVENTED + 1].sum(axis=1) == 0))


@dataclass(frozen=True)
class Cube:
    """Counts of a run by kind and document: (kinds × documents × COLUMNS).

    Grouping then looks at some hundred kinds instead of every verdict.
    """

    kinds: tuple[Kind, ...]
    documents: tuple[str, ...]
    clusters: NDArray[np.int64]
    counts: Counts

    def tally(self, groups: Callable[[Kind], Iterable[str]]) -> dict[str, Tally]:
        """Counts by the groups that `groups` names for each kind."""
        members: dict[str, list[int]] = {}
        for position, kind in enumerate(self.kinds):
            for name in groups(kind):
                members.setdefault(name, []).append(position)
        return {
            name: Tally(self.counts[positions].sum(axis=0), self.clusters)
            for name, positions in members.items()
        }


def count(marked: Sequence[Marked], gold: GoldColumns, clusters: NDArray[np.int64]) -> Cube:
    """Count verdicts; `marked` are all documents of `gold`, `clusters` gives the cluster of each."""
    width, size = len(COLUMNS), len(marked) * len(COLUMNS)
    starts = gold.kind * size + gold.document * width
    codes = np.frombuffer(b"".join(one.codes for one in marked), dtype=np.uint8).astype(np.int64)
    scored, nonzero = codes != NOT_SCORED, gold.is_nonzero & (codes != NOT_SCORED)
    right = nonzero & (codes == CORRECT)
    # A correct figure other than zero was expected, given and right.
    cells = [starts[scored] + codes[scored], starts[nonzero] + NONZERO_EXPECTED]
    cells += [starts[right] + column for column in (NONZERO_CORRECT, NONZERO_GIVEN)]
    kinds = {kind: position for position, kind in enumerate(gold.kinds)}
    cells.append(np.asarray(list(_errors(marked, kinds, starts, size)), dtype=np.int64))
    flat = np.bincount(np.concatenate(cells), minlength=len(kinds) * size)
    counts = flat.reshape(len(kinds), len(marked), width)
    return Cube(tuple(kinds), tuple(one.document.doc_id for one in marked), clusters, counts)


def _errors(
    marked: Sequence[Marked], kinds: dict[Kind, int], starts: NDArray[np.int64], size: int
) -> Iterator[int]:
    """The cells that wrong answers and invented facts add 1 to; new kinds are added to `kinds`."""
    first = 0
    for row, one in enumerate(marked):
        for gold, at in one.answers.items():
            if one.codes[gold] != CORRECT and _is_nonzero_figure(one.facts[at]):
                yield int(starts[first + gold]) + NONZERO_GIVEN
        for at in one.surplus:
            start = kinds.setdefault(one.kind_of_surplus(at), len(kinds)) * size + row * len(COLUMNS)
            yield start + INVENTED
            if _is_nonzero_figure(one.facts[at]):
                yield start + NONZERO_GIVEN
        first += len(one.codes)


def _is_nonzero_figure(fact: Fact) -> bool:
    return is_nonzero(fact.value) and is_figure(fact.path)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The rates of one group of facts; None where undefined.

    `f1_low`, `f1_high`: 95 %, by `f1_method`, over documents clustered by issuer.
    `exact_documents` is the share of documents without an error in this group.
    """

    correct: int
    wrong: int
    omitted: int
    invented: int
    correctly_absent: int
    precision: float | None
    recall: float | None
    f1: float | None
    f1_low: float | None
    f1_high: float | None
    f1_method: str | None
    f1_bca_low: float | None
    f1_bca_high: float | None
    macro_f1: float | None
    macro_f1_low: float | None
    macro_f1_high: float | None
    nonzero_f1: float | None
    nonzero_f1_low: float | None
    nonzero_f1_high: float | None
    documents: int
    clusters: int
    exact_documents: float | None
    exact_documents_count: int
    exact_documents_low: float | None
    exact_documents_high: float | None


def f1_terms(counts: Counts) -> tuple[Numbers, Numbers]:
    """Numerators and denominators of F1, a row each."""
    numerators = (2 * counts[:, CORRECT]).astype(np.float64)
    denominators = numerators + 2 * counts[:, WRONG] + counts[:, OMITTED] + counts[:, INVENTED]
    return numerators, denominators


def nonzero_terms(counts: Counts) -> tuple[Numbers, Numbers]:
    """Numerators and denominators of F1 over figures other than zero, a row each."""
    numerators = (2 * counts[:, NONZERO_CORRECT]).astype(np.float64)
    denominators = (counts[:, NONZERO_EXPECTED] + counts[:, NONZERO_GIVEN]).astype(np.float64)
    return numerators, denominators


def share(part: float, whole: float) -> float | None:
    """`part / whole`; None where there is nothing."""
    return None if whole == 0 else float(part) / float(whole)


def metrics(group: Tally, *, with_bootstrap: bool = True) -> Metrics:
    """The rates of `group` with their intervals."""
    total, clustered = group.total, group.by_cluster()
    correct, wrong, omitted, invented, absent = (int(number) for number in total[: ABSENT + 1])
    terms, nonzero = f1_terms(clustered), nonzero_terms(clustered)
    f1_interval, nonzero_interval = logit_t_interval(*terms), logit_t_interval(*nonzero)
    bootstrap = bca_interval(*terms) if with_bootstrap else None
    macro = _macro(group)
    macro_interval = logit_t_interval(*macro)
    judged, exact = int(group.judged().sum()), int(group.exact().sum())
    exact_interval = wilson(exact, judged)
    return Metrics(
        correct=correct,
        wrong=wrong,
        omitted=omitted,
        invented=invented,
        correctly_absent=absent,
        precision=share(correct, correct + wrong + invented),
        recall=share(correct, correct + wrong + omitted),
        f1=ratio(*terms),
        f1_low=None if f1_interval is None else f1_interval.low,
        f1_high=None if f1_interval is None else f1_interval.high,
        f1_method=None if f1_interval is None else f1_interval.method,
        f1_bca_low=None if bootstrap is None else bootstrap.low,
        f1_bca_high=None if bootstrap is None else bootstrap.high,
        macro_f1=ratio(*macro),
        macro_f1_low=None if macro_interval is None else macro_interval.low,
        macro_f1_high=None if macro_interval is None else macro_interval.high,
        nonzero_f1=ratio(*nonzero),
        nonzero_f1_low=None if nonzero_interval is None else nonzero_interval.low,
        nonzero_f1_high=None if nonzero_interval is None else nonzero_interval.high,
        documents=judged,
        clusters=int((clustered[:, : ABSENT + 1].sum(axis=1) > 0).sum()),
        exact_documents=share(exact, judged),
        exact_documents_count=exact,
        exact_documents_low=None if exact_interval is None else exact_interval.low,
        exact_documents_high=None if exact_interval is None else exact_interval.high,
    )


def _macro(group: Tally) -> tuple[Numbers, Numbers]:
    """Sum of the documents' F1 and their number, a row a cluster."""
    numerators, denominators = f1_terms(group.counts)
    defined = denominators > 0
    scores = np.divide(numerators, denominators, out=np.zeros_like(numerators), where=defined)
    names, places = np.unique(group.clusters, return_inverse=True)
    summed, counted = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(summed, places, scores)
    np.add.at(counted, places, defined)
    return summed, counted
