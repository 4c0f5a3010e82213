"""Two or more runs on the same documents: what differs, by how much, and whether it can be shown.

The first run is the reference; every other is compared with it, document by document.
Model, prompt version, strategy and quantisation are all just runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evals.changes import Change, changes
from evals.gold import Gold
from evals.metrics import Counts, Kind, Tally, f1_terms, metrics, nonzero_terms
from evals.runs import RunFolder
from evals.score import FEW_DOCUMENTS, Scoring, cost, score_run, write_json
from evals.stats import (
    MOST_EXACT_UNITS,
    SAMPLED_FLIPS,
    PairedRatios,
    benjamini_hochberg,
    max_t_test,
    minimum_detectable_effect,
    sign_flip_test,
)
from evals.values import is_figure
from pipeline.errors import UsageError

SIGNIFICANT = 0.05
HEADLINES = ("overall", "prose", "tables", "nonzero")


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of two runs on one group of facts: `difference` is the second minus the first.

    `p` is of the sign-flip test over documents; `p_adjusted` corrects it for the number
    of groups (max-T) or fields (Benjamini–Hochberg). None where undefined.
    """

    part: str
    f1_a: float | None
    f1_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    minimum_detectable_effect: float | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Documents on which the second run has a higher, the same, or a lower F1 than the first."""

    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Pair:
    """One run against the reference."""

    a: str
    b: str
    conclusion: str
    headline: tuple[Difference, ...]
    groups: tuple[Difference, ...]
    fields: tuple[Difference, ...]
    outcomes: Outcomes
    by_document: dict[str, dict[str, float | None]]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs compared over the documents that all of them have a record of."""

    gold_hash: str
    documents: tuple[str, ...]
    warnings: tuple[str, ...]
    leaderboard: tuple[dict[str, Any], ...]
    pairs: tuple[Pair, ...]
    scorings: tuple[Scoring, ...]

    def as_dict(self) -> dict[str, Any]:
        """The content of `comparison.json`."""
        return {
            "gold_hash": self.gold_hash,
            "documents": list(self.documents),
            "warnings": list(self.warnings),
            "test": _TEST,
            "leaderboard": list(self.leaderboard),
            "pairs": [asdict(pair) for pair in self.pairs],
        }


_TEST = (
    "Sign-flip test over documents clustered by issuer: runs exchanged within clusters, all ways up to "
    f"{MOST_EXACT_UNITS} clusters, else {SAMPLED_FLIPS} sampled ones. Intervals: paired t over clusters, "
    "95 %; with few clusters they are too narrow, and where interval and p disagree, p holds. "
    "p_adjusted: max-T over groups; Benjamini–Hochberg over single fields, which are exploratory."
)


def compare(runs: Sequence[RunFolder], gold: Gold) -> Comparison:
    """Compare `runs`, the first being the reference.

    Raises UsageError for fewer than two runs or no document that all have.
    """
    if len(runs) < 2:
        raise UsageError(f"compare needs two or more runs; given: {len(runs)}")
    names = _names(runs)
    common = Gold(gold.folder, tuple(d for d in gold.documents if all(run.record_of(d.file) for run in runs)))
    if not common.documents:
        raise UsageError(f"{', '.join(names)}: no annotated document has a record in all of them")
    scorings = tuple(score_run(run, common) for run in runs)
    pairs = tuple(
        _pair(names[0], name, scorings[0], scoring)
        for name, scoring in zip(names[1:], scorings[1:], strict=True)
    )
    return Comparison(
        gold_hash=gold.hash,
        documents=tuple(document.doc_id for document in common.documents),
        warnings=tuple(_warnings(runs, names, gold, common, scorings)),
        leaderboard=tuple(_leaderboard(names, scorings)),
        pairs=pairs,
        scorings=scorings,
    )


def _names(runs: Sequence[RunFolder]) -> list[str]:
    """The folders' names; with their parent's where two are alike."""
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{run.folder.parent.name}/{run.name} ({number})" for number, run in enumerate(runs, start=1)]


def _warnings(
    runs: Sequence[RunFolder], names: Sequence[str], gold: Gold, common: Gold, scorings: Sequence[Scoring]
) -> Iterator[str]:
    for run, name in zip(runs, names, strict=True):
        missing = [d.doc_id for d in gold.documents if run.record_of(d.file) is None]
        if missing:
            yield f"Different document sets: {name} lacks {', '.join(missing)}; left out for all."
    for name, scoring in zip(names, scorings, strict=True):
        if scoring.failed:
            yield f"Failed in {name}, counted as all omitted: {', '.join(scoring.failed)}."
    clusters = len(set(scorings[0].clusters.tolist()))
    if clusters < MOST_EXACT_UNITS and 2 / 2**clusters > SIGNIFICANT:
        least = 2 / 2**clusters
        yield f"With {clusters} issuers no difference can reach p < 0.05: the smallest p is {least:.3g}."
    if len(common.documents) < FEW_DOCUMENTS:
        yield f"Only {len(common.documents)} documents: absence of a difference is not shown by this."
    if gold.prefilled:
        yield f"Gold began as a program's output: {', '.join(gold.prefilled)}."


_RANKED_BY = ("f1", "f1_low", "f1_high", "nonzero_f1", "exact_documents")


def _leaderboard(names: Sequence[str], scorings: Sequence[Scoring]) -> Iterator[dict[str, Any]]:
    """A row a run, best F1 first, with what it cost."""
    rows = []
    for name, scoring in zip(names, scorings, strict=True):
        tallies = scoring.tally(_headline_parts)
        rates = {part: metrics(found) for part, found in tallies.items()}
        overall = rates["overall"]
        records = [record for record in scoring.records.values() if record is not None]
        row = {
            "run": name,
            **{key: scoring.run.manifest.get(key) for key in ("model", "strategy", "prompt_sha256")},
            **{key: getattr(overall, key) for key in _RANKED_BY},
            "failed": len(scoring.failed),
            "cost": cost(records),
        }
        for part in ("prose", "tables"):
            found = rates.get(part)
            for key in ("f1", "f1_low", "f1_high"):
                row[f"{part}_{key}"] = None if found is None else getattr(found, key)
        rows.append(row)
    yield from sorted(rows, key=lambda row: -(row["f1"] or 0.0))


def _headline_parts(kind: Kind) -> Iterable[str]:
    parts = ["overall"]
    if kind.source == "table":
        parts.append("tables")
    elif kind.source == "narrative" and is_figure(kind.path):
        parts.append("prose")
    return parts


def _pair(name_a: str, name_b: str, a: Scoring, b: Scoring) -> Pair:
    headline = _headline(a, b)
    found = tuple(changes(a.judgements, b.judgements))
    documents = dict(_by_document(a, b))
    return Pair(
        a=name_a,
        b=name_b,
        conclusion=conclude(name_a, name_b, headline[0], len(a.documents), found),
        headline=headline,
        groups=_corrected(_family(a, b, lambda kind: (kind.path.partition(".")[0],))),
        fields=_explored(_family(a, b, lambda kind: (kind.path,))),
        outcomes=_outcomes(documents),
        by_document=documents,
        changes=found,
    )


def _headline(a: Scoring, b: Scoring) -> tuple[Difference, ...]:
    family = _family(a, b, _headline_parts)
    overall_a, overall_b = (scoring.tally(lambda _: ("overall",))["overall"] for scoring in (a, b))
    family["nonzero"] = PairedRatios(
        *nonzero_terms(overall_a.by_cluster()), *nonzero_terms(overall_b.by_cluster())
    )
    return tuple(_difference(part, family[part], None) for part in HEADLINES if part in family)


def _family(a: Scoring, b: Scoring, groups: Callable[[Kind], Iterable[str]]) -> dict[str, PairedRatios]:
    """F1 of both runs by group, over the same clusters."""
    tallies_a, tallies_b = a.tally(groups), b.tally(groups)
    empty = Tally(np.zeros((len(a.documents), 8), dtype=np.int64), a.clusters)
    family = {}
    for part in sorted({*tallies_a, *tallies_b}):
        counts_a: Counts = tallies_a.get(part, empty).by_cluster()
        counts_b: Counts = tallies_b.get(part, empty).by_cluster()
        family[part] = PairedRatios(*f1_terms(counts_a), *f1_terms(counts_b))
    return family


def _difference(part: str, pairs: PairedRatios, adjusted: float | None) -> Difference:
    interval = pairs.interval()
    return Difference(
        part=part,
        f1_a=_ratio(pairs.numerators_a, pairs.denominators_a),
        f1_b=_ratio(pairs.numerators_b, pairs.denominators_b),
        difference=pairs.difference(),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        p=sign_flip_test(pairs),
        p_adjusted=adjusted,
        minimum_detectable_effect=minimum_detectable_effect(pairs.standard_error(), int(pairs.used.sum())),
    )


def _ratio(numerators: Any, denominators: Any) -> float | None:
    total = float(denominators.sum())
    return None if total == 0 else float(numerators.sum()) / total


def _corrected(family: dict[str, PairedRatios]) -> tuple[Difference, ...]:
    adjusted = max_t_test(list(family.values()))
    return tuple(
        _difference(part, pairs, p) for (part, pairs), p in zip(family.items(), adjusted, strict=True)
    )


def _explored(family: dict[str, PairedRatios]) -> tuple[Difference, ...]:
    """Single fields that differ at all; the number of all tested fields is corrected for."""
    tested = {part: sign_flip_test(pairs) for part, pairs in family.items()}
    defined = {part: p for part, p in tested.items() if p is not None}
    adjusted = dict(zip(defined, benjamini_hochberg(list(defined.values())), strict=True))
    rows = (_difference(part, pairs, adjusted.get(part)) for part, pairs in family.items())
    return tuple(row for row in rows if row.f1_a != row.f1_b)


def _by_document(a: Scoring, b: Scoring) -> Iterator[tuple[str, dict[str, float | None]]]:
    tally_a, tally_b = (scoring.tally(lambda _: ("all",))["all"] for scoring in (a, b))
    terms_a, terms_b = f1_terms(tally_a.counts), f1_terms(tally_b.counts)
    for row, name in enumerate(a.documents):
        f1_a, f1_b = (_ratio(n[row : row + 1], d[row : row + 1]) for n, d in (terms_a, terms_b))
        yield name, {"f1_a": f1_a, "f1_b": f1_b}


def _outcomes(documents: dict[str, dict[str, float | None]]) -> Outcomes:
    wins = ties = losses = 0
    for scores in documents.values():
        a, b = scores["f1_a"], scores["f1_b"]
        if a is None or b is None or a == b:
            ties += 1
        elif b > a:
            wins += 1
        else:
            losses += 1
    return Outcomes(wins, ties, losses)


def write_comparison_json(comparison: Comparison, out: Path) -> Path:
    """Write `comparison.json` into `out` and return its path."""
    return write_json(comparison.as_dict(), out / "comparison.json")


def conclude(a: str, b: str, overall: Difference, documents: int, found: Sequence[Change]) -> str:
    """The comparison in one plain sentence."""
    if overall.difference is None or overall.p is None:
        return f"{a} and {b} cannot be compared: there is no score for one of them."
    if overall.difference == 0 and not found:
        return f"{a} and {b} have the same verdict on every fact of {documents} documents."
    measured = f"F1 {overall.f1_a:.3f} and {overall.f1_b:.3f} on {documents} documents"
    interval = "" if overall.low is None else f", 95 % {overall.low:+.3f} to {overall.high:+.3f}"
    numbers = f"difference {overall.difference:+.3f}{interval}, p = {overall.p:.3g}"
    if overall.p < SIGNIFICANT:
        better, worse = (b, a) if overall.difference > 0 else (a, b)
        return f"{better} is better than {worse} ({a}, {b}: {measured}; {numbers})."
    effect = overall.minimum_detectable_effect
    power = (
        "" if effect is None else f" Four times in five these documents show a difference of {effect:.3f}."
    )
    return f"No difference between {a} and {b} can be shown ({measured}; {numbers}).{power}"
