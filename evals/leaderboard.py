"""Runs beside each other: quality with intervals, failures, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from evals.baselines import all_zeros, nothing
from evals.gold import Kind
from evals.metrics import metrics
from evals.score import Scoring, cost
from evals.values import is_figure

_OF_OVERALL = (
    *("f1", "f1_low", "f1_high", "nonzero_f1"),
    *("exact_documents", "exact_documents_count", "exact_documents_low", "exact_documents_high"),
)


def leaderboard(names: Sequence[str], scorings: Sequence[Scoring]) -> Iterator[dict[str, Any]]:
    """A row a run, best F1 first, with what it cost."""
    rows = [
        {
            "run": name,
            **asdict(scoring.run.made),
            **_rates(scoring),
            "failed": len(scoring.failed),
            "documents": len(scoring.documents),
            "cost": _cost(scoring),
        }
        for name, scoring in zip(names, scorings, strict=True)
    ]
    yield from sorted(rows, key=lambda row: -(row["f1"] or 0.0))


def _cost(scoring: Scoring) -> dict[str, float | None]:
    """As in `scores.json`; seconds of a run whose answers were played back are none of the model's."""
    found = cost([record for record in scoring.records.values() if record is not None])
    return found | ({"seconds": None} if scoring.run.made.replayed else {})


def baselines(scoring: Scoring) -> dict[str, dict[str, Any]]:
    """The rates of two programs that read nothing, over the documents of `scoring`."""
    return {
        name: _rates(Scoring(scoring.run, scoring.gold, marked, scoring.records))
        for name, marked in (("nothing", nothing(scoring.gold)), ("all_zeros", all_zeros(scoring.gold)))
    }


def _rates(scoring: Scoring) -> dict[str, Any]:
    rates = {part: metrics(found) for part, found in scoring.tally(headline_parts).items()}
    found: dict[str, Any] = {key: getattr(rates["overall"], key) for key in _OF_OVERALL}
    for part in ("prose", "tables"):
        for key in ("f1", "f1_low", "f1_high"):
            found[f"{part}_{key}"] = getattr(rates[part], key) if part in rates else None
    return found


def headline_parts(kind: Kind) -> Iterable[str]:
    """Under which headline figures a kind of fact counts."""
    parts = ["overall"]
    if kind.source == "table":
        parts.append("tables")
    elif kind.source == "narrative" and is_figure(kind.path):
        parts.append("prose")
    return parts
