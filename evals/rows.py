"""Gold and scores as rows, one a fact: for JSON Lines, spreadsheets and `datasets.Dataset`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.gold import Gold, GoldFact
from evals.score import Scoring
from evals.values import Value

if TYPE_CHECKING:
    from datasets import Dataset  # type: ignore[import-untyped]


def gold_rows(gold: Gold) -> Iterator[dict[str, Any]]:
    """Every gold fact; values as text, since a column of a dataset has one type."""
    for document in gold.documents:
        for fact in document.facts:
            yield {"doc_id": document.doc_id, **_gold_part(fact), "source": fact.source, "path": fact.path}


def verdict_rows(scoring: Scoring) -> Iterator[dict[str, Any]]:
    """Every verdict with what gold says and what the program gave."""
    for judgement in scoring.judgements:
        fact = judgement.fact
        yield {
            "doc_id": judgement.doc_id,
            "path": judgement.path,
            "source": judgement.source,
            "template": judgement.template,
            "verdict": judgement.verdict,
            **{f"gold_{key}": value for key, value in _gold_part(judgement.gold).items()},
            "value": None if fact is None else _text(fact.value),
            "status": None if fact is None else fact.status,
            "bound": None if fact is None else fact.bound,
            "scope": None if fact is None else fact.scope,
            "raw": None if fact is None else fact.raw,
            "label": None if fact is None else fact.label,
            "method": None if fact is None else fact.method,
            "confidence": None if fact is None else fact.confidence,
        }


def as_dataset(rows: Iterable[Mapping[str, Any]]) -> Dataset:
    """Rows as a Hugging Face dataset."""
    from datasets import Dataset  # takes seconds to import, which scoring need not wait for

    return Dataset.from_list([dict(row) for row in rows])


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write rows as JSON Lines, which `datasets.load_dataset("json", …)` opens too."""
    with path.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _gold_part(fact: GoldFact | None) -> dict[str, Any]:
    keys = ("status", "bound", "scope", "raw", "near", "label", "template")
    if fact is None:
        return {"value": None, **dict.fromkeys(keys)}
    return {"value": _text(fact.value), **{key: getattr(fact, key) for key in keys}}


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
