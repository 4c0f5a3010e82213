"""A score kept without its run: `errors.json` holds every verdict that is not right.

Gold says the rest. The file is small and reads well in a diff, so that an accepted score
can be kept beside the code and new runs compared with it. It fits one gold and one
scorer; with any other it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from evals.gold import Gold, GoldDocument
from evals.runs import RunFolder, load_run
from evals.score import SCORER_VERSION, Scoring, score_run, write_json
from evals.verdicts import (
    CORRECT,
    CORRECTLY_ABSENT,
    NOT_SCORED,
    OMITTED,
    UNANSWERED,
    VERDICTS,
    Marked,
    Verdict,
)
from pipeline.errors import StartError, UsageError
from pipeline.fact import Evidence, Fact, Record, Source, Status

ERRORS = "errors.json"
_RIGHT = (CORRECT, CORRECTLY_ABSENT, NOT_SCORED)
# What names the run; where its reports lay and when it was made are nobody's business here.
_KEPT_OF_RUN = ("strategy", "model", "model_resolved", "parameters", "prompts", "version")
_KEPT_OF_RECORD = {"doc_id", "file", "sha256", "media_type", "templates", "status", "error", "usage"}


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Given(_Form):
    """What a program stated where it was wrong, and where in its text."""

    value: int | float | str | None
    status: Status
    label: str | None
    start: int
    end: int


class KeptError(_Form):
    """A verdict that is not right. `place` counts gold facts of this path and source; None: invented."""

    place: int | None = Field(ge=0)
    verdict: Verdict
    path: str
    source: Source
    given: Given | None


class ErrorsFile(_Form):
    """The content of `errors.json`: gold and scorer that it fits, the run, its records without facts."""

    scorer: int
    gold_hash: str
    run: dict[str, Any]
    records: list[Record]
    errors: dict[str, list[KeptError]]


@dataclass(frozen=True)
class KeptScore:
    """A score as `errors.json` keeps it: `run` has records without facts."""

    run: RunFolder
    gold_hash: str
    errors: Mapping[str, Sequence[KeptError]]


Contender = RunFolder | KeptScore


def write_errors(scoring: Scoring, out: Path) -> Path:
    """Write `errors.json` into `out` and return its path."""
    records = [record for record in scoring.records.values() if record is not None]
    content = {
        "scorer": SCORER_VERSION,
        "gold_hash": scoring.gold.hash,
        "run": {
            **{key: scoring.run.manifest.get(key) for key in _KEPT_OF_RUN},
            **({"review": scoring.run.manifest["review"]} if "review" in scoring.run.manifest else {}),
        },
        "records": [record.model_dump(mode="json", include=_KEPT_OF_RECORD) for record in records],
        "errors": {
            one.document.doc_id: found
            for one in scoring.marked
            if (found := [error.model_dump() for error in _errors(one)])
        },
    }
    return write_json(content, out / ERRORS)


def load_contender(folder: Path) -> Contender:
    """A run folder, or a folder that `gongkai eval` wrote. Raises StartError for any other."""
    if (folder / "records.jsonl").is_file() or not (folder / ERRORS).is_file():
        return load_run(folder)
    path = folder / ERRORS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("scorer") != SCORER_VERSION:
            raise StartError(
                f"{path}: made by scorer {content.get('scorer')}, this is scorer {SCORER_VERSION}: "
                "score the run again with gongkai eval"
            )
        kept = ErrorsFile.model_validate(content)
    except ValueError as error:
        said = " ".join(str(error).split())[:200]
        raise StartError(f"{path}: not as gongkai eval writes it; score the run again ({said})") from error
    return KeptScore(RunFolder(folder, tuple(kept.records), kept.run), kept.gold_hash, kept.errors)


def refuse_other_gold(contenders: Sequence[Contender], gold: Gold) -> None:
    """Raise UsageError for a score that was made with other gold than `gold`."""
    for one in contenders:
        if isinstance(one, KeptScore) and one.gold_hash != gold.hash:
            raise UsageError(
                f"{one.run.folder}: scored with gold {one.gold_hash[:12]}, but {gold.folder} is "
                f"{gold.hash[:12]}: scores of different gold cannot be compared; score the run again"
            )


def score(contender: Contender, gold: Gold) -> Scoring:
    """Score a run, or take a kept score, over the documents of `gold`: all or some that it was made with."""
    if isinstance(contender, RunFolder):
        return score_run(contender, gold)
    records = contender.run.records_of(gold.files)
    marked = tuple(
        _marked(document, contender.errors.get(document.doc_id, ())) for document in gold.documents
    )
    return Scoring(contender.run, gold, marked, records)


def _errors(one: Marked) -> Iterator[KeptError]:
    for positions in one.document.positions.values():
        for place, position in enumerate(positions):
            gold, code = one.document.facts[position], one.codes[position]
            if code not in _RIGHT:
                at = one.answers.get(position)
                given = None if at is None else _given(one.facts[at])
                verdict = VERDICTS[code]
                yield KeptError(place=place, verdict=verdict, path=gold.path, source=gold.source, given=given)
    for at in one.surplus:
        fact = one.facts[at]
        yield KeptError(
            place=None, verdict="invented", path=fact.path, source=fact.source, given=_given(fact)
        )


def _given(fact: Fact) -> Given:
    place = fact.evidence
    return Given(value=fact.value, status=fact.status, label=fact.label, start=place.start, end=place.end)


def _marked(document: GoldDocument, errors: Sequence[KeptError]) -> Marked:
    """The document as it was marked; facts that were right are not kept."""
    unanswered = [UNANSWERED[status] for status in document.statuses]
    codes = bytearray(CORRECT if code == OMITTED else code for code in unanswered)
    facts: list[Fact] = []
    answers: dict[int, int] = {}
    surplus: list[int] = []
    for error in errors:
        position = None if error.place is None else _position(document, error)
        if position is not None:
            codes[position] = VERDICTS.index(error.verdict)
        if error.given is None:
            continue
        if position is None:
            surplus.append(len(facts))
        else:
            answers[position] = len(facts)
        facts.append(_fact(error, error.given))
    return Marked(document, facts, codes, answers, tuple(surplus))


def _position(document: GoldDocument, error: KeptError) -> int:
    positions = document.positions.get((error.path, error.source), [])
    if error.place is None or error.place >= len(positions):
        raise StartError(
            f"{document.doc_id}: the kept score names {error.path} number {error.place}, which gold has not: "
            "score the run again with gongkai eval"
        )
    return positions[error.place]


def _fact(error: KeptError, given: Given) -> Fact:
    return Fact(
        path=error.path,
        value=given.value,
        status=given.status,
        raw="" if given.value is None else str(given.value),
        source=error.source,
        method="rule",
        evidence=Evidence(start=given.start, end=given.end),
        label=given.label,
    )
