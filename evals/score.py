"""Score a run against gold: load, judge every document, count, and lay out `scores.json`.

Scoring never calls a model and never changes a run, so that an old run can be scored
again with a newer scorer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.baselines import all_zeros, nothing
from evals.calibration import calibrate
from evals.evidence import beside_the_value, grounding
from evals.findings import score_findings
from evals.gold import SOURCES, Gold, Kind
from evals.metrics import COLUMNS, Cube, Tally, count, metrics, share
from evals.runs import RunFolder
from evals.statement import score_statement
from evals.stats import wilson
from evals.values import is_figure
from evals.verdicts import Judgement, Marked, mark_record
from pipeline.checks.trust import trust
from pipeline.errors import StartError
from pipeline.fact import Record, Usage

SCORER_VERSION = 1
FEW_DOCUMENTS = 20
INTERVALS = (
    "f1_low and f1_high: 95 %, logit-t over documents clustered by issuer, with Bell and McCaffrey's degrees "
    "of freedom (Wilson's limit for the share of "
    "exact documents where all are exact); f1_bca_low and f1_bca_high: BCa bootstrap over the same clusters, "
    "2,000 resamples; exact and failed documents: Wilson. None covers rare documents that fail wholly."
)


@dataclass(frozen=True)
class Scoring:
    """The verdicts on a run and what they were made from."""

    run: RunFolder
    gold: Gold
    marked: tuple[Marked, ...]
    records: dict[str, Record | None]

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """Every verdict spelled out, document after document."""
        return tuple(judgement for one in self.marked for judgement in one.judgements())

    @property
    def documents(self) -> tuple[str, ...]:
        """All annotated documents, in the order of the gold folder."""
        return tuple(self.records)

    @property
    def failed(self) -> tuple[str, ...]:
        """Documents with a record that says failed."""
        return tuple(name for name, record in self.records.items() if record and record.status == "failed")

    @property
    def missing(self) -> tuple[str, ...]:
        """Documents without a record."""
        return tuple(name for name, record in self.records.items() if record is None)

    @property
    def other_file(self) -> tuple[str, ...]:
        """Documents whose record has the name of the annotated file but not its bytes."""
        return tuple(
            document.doc_id
            for document in self.gold.documents
            if (record := self.records[document.doc_id]) and record.sha256 != document.file.sha256
        )

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The cluster of each document: its issuer."""
        issuers = [document.issuer for document in self.gold.documents]
        return np.unique(issuers, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def texts(self) -> dict[str, str | None]:
        """Canonical texts by document."""
        return {
            name: None if record is None else self.run.text(record.sha256)
            for name, record in self.records.items()
        }

    @cached_property
    def cube(self) -> Cube:
        """Counts by kind of fact and document."""
        return count(self.marked, self.gold.columns, self.clusters)

    def tally(self, groups: Callable[[Kind], Iterable[str]]) -> dict[str, Tally]:
        """Counts of the run by `groups`."""
        return self.cube.tally(groups)


def score_run(run: RunFolder, gold: Gold) -> Scoring:
    """Judge every annotated document of `gold`; failed and missing ones have omitted all.

    Raises StartError when the run has documents, but none of those annotated.
    """
    records = run.records_of(gold.files)
    if run.records and not any(records.values()):
        raise StartError(
            f"{run.folder}: has none of the {len(records)} documents annotated in {gold.folder}; it has "
            f"{run.records[0].doc_id} and {len(run.records) - 1} others: is it the right gold?"
        )
    marked = tuple(mark_record(document, records[document.doc_id]) for document in gold.documents)
    return Scoring(run, gold, marked, records)


def scores(scoring: Scoring) -> dict[str, Any]:
    """The content of `scores.json`."""
    everything = scoring.tally(_all).get("overall")
    content: dict[str, Any] = {
        "scorer": SCORER_VERSION,
        "scored": "machine" if scoring.run.made.checked is None else "in_force",
        "gold_hash": scoring.gold.hash,
        "gold": {
            "documents": len(scoring.documents),
            "prefilled": list(scoring.gold.prefilled),
            "unfinished": list(scoring.gold.unfinished),
        },
        "run": {"name": scoring.run.name} | scoring.run.manifest,
        "made_with": asdict(scoring.run.made),
        "documents": _documents(scoring),
        "warnings": warnings(scoring),
        "intervals": INTERVALS,
        "overall": _one(scoring, _all),
        "prose": _one(scoring, _prose),
        "tables": _one(scoring, _tables),
        **_breakdowns(scoring),
        "by_document": {
            name: no_data() if everything is None else _of_document(everything, row)
            for row, name in enumerate(scoring.documents)
        },
        "by_field": _groups(scoring, lambda kind: (kind.path,), with_bootstrap=False),
        "baselines": _baselines(scoring),
        "grounding": asdict(grounding(scoring.judgements, scoring.texts)),
        **beside_the_value(scoring.judgements),
        "findings": asdict(score_findings(scoring.gold, scoring.records)),
        "by_confidence": _confidence(scoring),
        "cost": cost([record for record in scoring.records.values() if record is not None]),
    }
    return content | {"statement": asdict(score_statement(content, scoring.run.made))}


def _one(scoring: Scoring, groups: Callable[[Kind], Iterable[str]]) -> dict[str, Any]:
    """The rates of the single group that `groups` names."""
    found = list(_groups(scoring, groups).values())
    return found[0] if found else no_data()


def _groups(
    scoring: Scoring, groups: Callable[[Kind], Iterable[str]], *, with_bootstrap: bool = True
) -> dict[str, dict[str, Any]]:
    found = scoring.tally(groups)
    return {name: asdict(metrics(found[name], with_bootstrap=with_bootstrap)) for name in sorted(found)}


def _breakdowns(scoring: Scoring, *, with_bootstrap: bool = True) -> dict[str, dict[str, Any]]:
    """The rates by source, group and template; a source without facts has no data."""
    groupings: dict[str, Callable[[Kind], Iterable[str]]] = {
        "by_source": lambda kind: (kind.source,),
        "by_group": lambda kind: (kind.path.partition(".")[0],),
        "by_template": lambda kind: (kind.template,),
    }
    found = {
        section: _groups(scoring, groups, with_bootstrap=with_bootstrap)
        for section, groups in groupings.items()
    }
    return found | {"by_source": {source: no_data() for source in SOURCES} | found["by_source"]}


def no_data() -> dict[str, Any]:
    """The rates of a group without any fact: counts 0, rates null."""
    return asdict(metrics(Tally(np.zeros((1, len(COLUMNS)), dtype=np.int64), np.zeros(1, dtype=np.int64))))


def _of_document(group: Tally, row: int) -> dict[str, Any]:
    """One document's rates; an interval takes two documents and is null."""
    return asdict(metrics(Tally(group.counts[row : row + 1], group.clusters[row : row + 1])))


def _documents(scoring: Scoring) -> dict[str, Any]:
    bad = wilson(len(scoring.failed) + len(scoring.missing), len(scoring.documents))
    known = {id(record) for record in scoring.records.values()}
    return {
        "scored": [name for name in scoring.documents if name not in {*scoring.failed, *scoring.missing}],
        "failed": list(scoring.failed),
        "missing": list(scoring.missing),
        "reasons": {name: scoring.records[name].error for name in scoring.failed},  # type: ignore[union-attr]
        "failed_or_missing_low": None if bad is None else bad.low,
        "failed_or_missing_high": None if bad is None else bad.high,
        "without_gold": [record.doc_id for record in scoring.run.records if id(record) not in known],
        "other_file": list(scoring.other_file),
    }


def warnings(scoring: Scoring) -> list[str]:
    """What a reader must know before quoting a figure, a sentence each."""
    count = len(scoring.documents)
    issuers = len(set(scoring.clusters.tolist()))
    said = []
    if min(count, issuers) < FEW_DOCUMENTS:
        said.append(
            f"Documents: {count}, issuers: {issuers}. So few cannot show that documents hardly ever fail as "
            "a whole, nor that one field or template is read better than another."
        )
    if scoring.failed or scoring.missing:
        names = ", ".join([*scoring.failed, *scoring.missing])
        said.append(f"Failed or missing, counted as all omitted: {names}.")
    if scoring.other_file:
        said.append(f"Same doc_id but other bytes than the annotated file: {', '.join(scoring.other_file)}.")
    if scoring.gold.prefilled:
        said.append(f"Gold began as a program's output: {', '.join(scoring.gold.prefilled)}.")
    if scoring.gold.unfinished:
        said.append(f"Gold is a draft or names no annotator: {', '.join(scoring.gold.unfinished)}.")
    if without := _documents(scoring)["without_gold"]:
        said.append(f"Documents of the run without gold, not scored: {len(without)}.")
    return said


def _baselines(scoring: Scoring) -> dict[str, Any]:
    """The same rates for programs that read nothing, in every breakdown."""
    found = {}
    for name, marked in (("nothing", nothing(scoring.gold)), ("all_zeros", all_zeros(scoring.gold))):
        knowing_nothing = Scoring(scoring.run, scoring.gold, marked, scoring.records)
        parts = (("overall", _all), ("prose", _prose), ("tables", _tables))
        found[name] = {part: _one(knowing_nothing, groups) for part, groups in parts}
        found[name] |= _breakdowns(knowing_nothing, with_bootstrap=False)
    return found


def _confidence(scoring: Scoring) -> dict[str, Any]:
    """Calibration of the facts that carry a confidence, by source; null where none does.

    What is held against the verdicts is trust: confidence, lowered where a finding
    suspects the reading.
    """
    trusted = [
        (judgement.source, sure, judgement.verdict in ("correct", "correctly_absent"))
        for judgement in scoring.judgements
        if judgement.fact
        and (record := scoring.records[judgement.doc_id])
        and (sure := trust(judgement.fact, record.findings)) is not None
    ]
    found: dict[str, Any] = {}
    for name, sources in (("overall", SOURCES), *((source, (source,)) for source in SOURCES)):
        chosen = [(sure, is_right) for source, sure, is_right in trusted if source in sources]
        done = calibrate([sure for sure, _ in chosen], [is_right for _, is_right in chosen])
        found[name] = None if done is None else done.as_dict()
    return found


def cost(records: Sequence[Record]) -> dict[str, float | None]:
    """Mean tokens, seconds and money a document with a record; null without records or price.

    `uncached_tokens` are the tokens read that no prefix cache held.
    """
    total = sum((record.usage for record in records), Usage(cost_usd=0.0))
    count = len(records)
    return {
        "documents": count,
        **{
            name: share(getattr(total, name), count)
            for name in ("requests", "input_tokens", "cached_tokens", "output_tokens", "seconds")
        },
        "uncached_tokens": share(total.input_tokens - total.cached_tokens, count),
        "cost_usd": None if total.cost_usd is None else share(total.cost_usd, count),
    }


def _prose(kind: Kind) -> Iterable[str]:
    """Figures stated in prose: without metadata and text items."""
    return ("prose",) if kind.source == "narrative" and is_figure(kind.path) else ()


def _all(_: Kind) -> Iterable[str]:
    return ("overall",)


def _tables(kind: Kind) -> Iterable[str]:
    return ("tables",) if kind.source == "table" else ()


def write_scores(content: dict[str, Any], out: Path) -> Path:
    """Write `scores.json` into `out` and return its path."""
    return write_json(content, out / "scores.json")


def write_json(content: dict[str, Any], path: Path) -> Path:
    """Write strict JSON, as UTF-8 and not ASCII-escaped, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    return path
