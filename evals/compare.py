"""Two or more runs on the same documents: what differs, by how much, and whether it can be shown.

The first run is the reference; every other is compared with it, document by document.
Model, prompt version, strategy and quantisation are all just runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evals.changes import Change, changes
from evals.difference import SIGNIFICANT, Difference
from evals.gold import Gold, Kind
from evals.kept_score import Contender, KeptScore, refuse_other_gold, score
from evals.leaderboard import baselines, headline_parts, leaderboard
from evals.metrics import Counts, Tally, f1_terms, nonzero_terms
from evals.runs import RunFolder
from evals.score import FEW_DOCUMENTS, Scoring, write_json
from evals.statement import Sentence, conclusion
from evals.stats import (
    MOST_EXACT_UNITS,
    SAMPLED_FLIPS,
    PairedRatios,
    benjamini_hochberg,
    holm,
    max_t_test,
    minimum_detectable_effect,
    sign_flip_tests,
    smallest_p,
)
from pipeline.errors import UsageError

OF_THE_MACHINE = "Compared is what the machines read, without any correction by hand."
HEADLINES = ("overall", "prose", "tables", "nonzero")


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
    conclusion_zh: str
    headline: tuple[Difference, ...]
    groups: tuple[Difference, ...]
    fields: tuple[Difference, ...]
    outcomes: Outcomes
    by_document: dict[str, dict[str, float | None]]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs compared over the documents that all of them have a record of.

    `lost`: for each run after the first, documents of which only the first has a record.
    """

    gold_hash: str
    documents: tuple[str, ...]
    warnings: tuple[str, ...]
    leaderboard: tuple[dict[str, Any], ...]
    baselines: dict[str, dict[str, Any]]
    pairs: tuple[Pair, ...]
    lost: dict[str, tuple[str, ...]]
    prefilled: tuple[str, ...]
    scorings: tuple[Scoring, ...]

    def as_dict(self) -> dict[str, Any]:
        """The content of `comparison.json`."""
        return {
            "gold_hash": self.gold_hash,
            "documents": list(self.documents),
            "warnings": list(self.warnings),
            "test": _TEST,
            "leaderboard": list(self.leaderboard),
            "baselines": self.baselines,
            "pairs": [asdict(pair) for pair in self.pairs],
            "prefilled": list(self.prefilled),
            "lost": {name: list(documents) for name, documents in self.lost.items()},
        }


_TEST = (
    "Sign-flip test over documents clustered by issuer: runs exchanged within clusters, all ways up to "
    f"{MOST_EXACT_UNITS} clusters, else {SAMPLED_FLIPS} sampled ones. Intervals: 95 %, t over clusters with "
    "Bell and McCaffrey's degrees of freedom; where interval and p disagree, p holds. "
    "p_adjusted: Holm over the runs compared with the first; max-T over groups; Benjamini–Hochberg over "
    "single fields, which are exploratory."
)


def compare(contenders: Sequence[Contender], gold: Gold) -> Comparison:
    """Compare runs and kept scores, the first being the reference.

    Raises UsageError for fewer than two, for a score of other gold, or where there is no
    document that all have.
    """
    if len(contenders) < 2:
        raise UsageError(f"compare needs two or more runs; given: {len(contenders)}")
    runs = [one.run if isinstance(one, KeptScore) else one for one in contenders]
    refuse_other_gold(contenders, gold)
    names = _names(runs)
    found = [run.records_of(gold.files) for run in runs]
    common = Gold(gold.folder, tuple(d for d in gold.documents if all(one[d.doc_id] for one in found)))
    if not common.documents:
        raise UsageError(f"{', '.join(names)}: no annotated document has a record in all of them")
    scorings = tuple(score(one, common) for one in contenders)
    if not any(scoring.cube.kinds for scoring in scorings):
        raise UsageError(f"{gold.folder}: holds no fact to compare runs by: annotate the documents first")
    return Comparison(
        gold_hash=gold.hash,
        documents=tuple(document.doc_id for document in common.documents),
        warnings=tuple(_warnings(runs, names, gold, common, scorings)),
        leaderboard=tuple(leaderboard(names, scorings)),
        baselines=baselines(scorings[0]),
        pairs=tuple(_pairs(names, scorings)),
        lost={
            name: tuple(doc_id for doc_id, record in found[0].items() if record and not one[doc_id])
            for name, one in zip(names[1:], found[1:], strict=True)
        },
        prefilled=common.prefilled,
        scorings=scorings,
    )


def _names(runs: Sequence[RunFolder]) -> list[str]:
    """The folders' names; with their parent's where two are alike."""
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return names
    return [
        f"{run.folder.resolve().parent.name}/{run.name} ({number})"
        for number, run in enumerate(runs, start=1)
    ]


def _warnings(
    runs: Sequence[RunFolder], names: Sequence[str], gold: Gold, common: Gold, scorings: Sequence[Scoring]
) -> Iterator[str]:
    for run, name in zip(runs, names, strict=True):
        missing = [doc_id for doc_id, record in run.records_of(gold.files).items() if record is None]
        if missing:
            yield f"Different document sets: {name} lacks {', '.join(missing)}; left out for all."
    if reviewed := [name for run, name in zip(runs, names, strict=True) if run.is_reviewed]:
        yield f"Reviewed: {', '.join(reviewed)}. {OF_THE_MACHINE}"
    for run, name in zip(runs, names, strict=True):
        if run.made.checked is not None:
            yield f"{name} was scored with its corrections by hand, which are no machine's reading."
    for name, scoring in zip(names, scorings, strict=True):
        if scoring.failed:
            yield f"Failed in {name}, counted as all omitted: {', '.join(scoring.failed)}."
    clusters = len(set(scorings[0].clusters.tolist()))
    least = smallest_p(clusters)
    if least >= SIGNIFICANT:
        yield f"With {clusters} issuers no difference can reach p < 0.05: the smallest p is {least:.3g}."
    if min(len(common.documents), clusters) < FEW_DOCUMENTS:
        yield (
            f"Only {len(common.documents)} documents of {clusters} issuers: absence of a difference is not "
            "shown by this."
        )
    for name, scoring in zip(names, scorings, strict=True):
        if scoring.other_file:
            yield f"{name}: same doc_id but other bytes than annotated: {', '.join(scoring.other_file)}."
    if gold.prefilled:
        yield f"Gold began as a program's output: {', '.join(gold.prefilled)}."
    if gold.unfinished:
        yield f"Gold is a draft or names no annotator: {', '.join(gold.unfinished)}."


def _pairs(names: Sequence[str], scorings: Sequence[Scoring]) -> Iterator[Pair]:
    """Every run against the first; the overall test is corrected for the number of runs that differ.

    Runs with the same verdicts cannot be called different, so that they cost nothing
    (Tarone 1990).
    """
    reference, others = scorings[0], scorings[1:]
    found = [tuple(changes(reference.judgements, other.judgements)) for other in others]
    headlines = [_headline(reference, other) for other in others]
    comparisons = sum(bool(one) for one in found)
    if comparisons > 1:
        tested = [headline[0].p if one else None for headline, one in zip(headlines, found, strict=True)]
        headlines = [
            (replace(overall, p_adjusted=p), *rest)
            for (overall, *rest), p in zip(headlines, holm(tested), strict=True)
        ]
    for name, other, headline, one in zip(names[1:], others, headlines, found, strict=True):
        said = conclusion(
            names[0], name, headline[0], len(other.documents), differs=bool(one), comparisons=comparisons
        )
        yield _pair(names[0], name, said, reference, other, headline, one)


def _pair(
    name_a: str,
    name_b: str,
    said: Sentence,
    a: Scoring,
    b: Scoring,
    headline: tuple[Difference, ...],
    found: tuple[Change, ...],
) -> Pair:
    documents = dict(_by_document(a, b))
    return Pair(
        a=name_a,
        b=name_b,
        conclusion=said.en,
        conclusion_zh=said.zh,
        headline=headline,
        groups=_corrected(_family(a, b, lambda kind: (kind.path.partition(".")[0],))),
        fields=_explored(_family(a, b, lambda kind: (kind.path,))),
        outcomes=_outcomes(documents),
        by_document=documents,
        changes=found,
    )


def _headline(a: Scoring, b: Scoring) -> tuple[Difference, ...]:
    family = _family(a, b, headline_parts)
    overall_a, overall_b = (scoring.tally(lambda _: ("overall",))["overall"] for scoring in (a, b))
    family["nonzero"] = PairedRatios(
        *nonzero_terms(overall_a.by_cluster()), *nonzero_terms(overall_b.by_cluster())
    )
    parts = [part for part in HEADLINES if part in family]
    tested = sign_flip_tests([family[part] for part in parts])
    return tuple(_difference(part, family[part], p, None) for part, p in zip(parts, tested, strict=True))


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


def _difference(part: str, pairs: PairedRatios, p: float | None, adjusted: float | None) -> Difference:
    interval = pairs.interval()
    can_show = smallest_p(int(pairs.used.sum())) < SIGNIFICANT
    effect = minimum_detectable_effect(pairs.standard_error(), pairs.freedom())
    return Difference(
        part=part,
        f1_a=_ratio(pairs.numerators_a, pairs.denominators_a),
        f1_b=_ratio(pairs.numerators_b, pairs.denominators_b),
        difference=pairs.difference(),
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        p=p,
        p_adjusted=adjusted,
        minimum_detectable_effect=effect if can_show else None,
    )


def _ratio(numerators: Any, denominators: Any) -> float | None:
    total = float(denominators.sum())
    return None if total == 0 else float(numerators.sum()) / total


def _corrected(family: dict[str, PairedRatios]) -> tuple[Difference, ...]:
    families = list(family.values())
    tested, adjusted = sign_flip_tests(families), max_t_test(families)
    return tuple(
        _difference(part, pairs, p, corrected)
        for (part, pairs), p, corrected in zip(family.items(), tested, adjusted, strict=True)
    )


def _explored(family: dict[str, PairedRatios]) -> tuple[Difference, ...]:
    """Single fields that differ at all; the number of all tested fields is corrected for."""
    tested = dict(zip(family, sign_flip_tests(list(family.values())), strict=True))
    defined = {part: p for part, p in tested.items() if p is not None}
    adjusted = dict(zip(defined, benjamini_hochberg(list(defined.values())), strict=True))
    rows = (_difference(part, pairs, tested[part], adjusted.get(part)) for part, pairs in family.items())
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
