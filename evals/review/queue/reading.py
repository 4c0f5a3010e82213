"""A line of the records → what the queue keeps of each figure: seven bytes.

Figures stand in the order of their places. Chances are kept in steps of 1/10,000; their code puts
figures that a finding doubts first, then the more likely wrong ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.review.queue.risk import FactRisk, risks
from pipeline.fact import Fact, Record
from pipeline.runs.corrected import Figure, reviewed
from pipeline.runs.reviews import ReviewEvent, Target

STEPS = 10_000
CODES = 3 * (STEPS + 1)
CHANCES: NDArray[np.float64] = (np.arange(CODES) % (STEPS + 1)) / STEPS
"""The chance of each code."""

CHECKED, WRONG, FLAGGED, GONE = 1, 2, 4, 8
"""Marks of a figure: a person has looked; and found it wrong; a finding names it; no figure any more."""


@dataclass(frozen=True, slots=True)
class DocumentFigures:
    """The machine's figures of a document, in the order of their places.

    `ranks` are random numbers for the sample, the same whenever the document is read. `added`:
    figures that people added. `drawn`: where the figures stand that were drawn for the sample.
    """

    codes: NDArray[np.uint16]
    marks: NDArray[np.uint8]
    ranks: NDArray[np.uint32]
    issuer: str | None
    year: int | None
    added: int
    drawn: Mapping[str, int]


def read_figures(
    line: bytes,
    doc_id: str,
    seed: int,
    events_of: Callable[[str], Sequence[ReviewEvent]] | None = None,
    drawn: Collection[str] = (),
) -> DocumentFigures:
    """The figures of a record. `events_of` is given where people changed something.

    Raises ValueError, KeyError or TypeError where the line is not the record of this document.
    """
    record = json.loads(line)
    if record["doc_id"] != doc_id:
        raise ValueError(f"the record of {record['doc_id']} stands where that of {doc_id} should")
    facts = record["facts"]
    order = by_place([(fact["evidence"]["start"], fact["evidence"]["end"]) for fact in facts])
    found = risks(facts, record["findings"])
    codes = np.array([_code(found[index]) for index in order], np.uint16)
    marks = np.array([FLAGGED if found[index].is_flagged else 0 for index in order], np.uint8)
    added = 0
    if events_of is not None:
        read = reviewed(Record.model_validate_json(line), events_of(doc_id)).figures
        by_person = np.array([_mark(figure) for figure in read[: len(facts)]], np.uint8)
        marks |= by_person[order]
        added = sum(figure.verdict == "added" for figure in read[len(facts) :])
    keys = (
        {Target.of(Fact.model_validate(facts[index])).key: at for at, index in enumerate(order)}
        if drawn
        else {}
    )
    meta = {fact["path"]: fact["value"] for fact in facts if fact["path"] in ("meta.issuer", "meta.year")}
    year = meta.get("meta.year")
    return DocumentFigures(
        codes,
        marks,
        _ranks(doc_id, record["sha256"], seed, len(facts)),
        meta.get("meta.issuer"),
        year if isinstance(year, int) else None,
        added,
        {key: keys[key] for key in drawn if key in keys},
    )


def by_place(places: Sequence[tuple[int, int]]) -> list[int]:
    """Indices of evidence (start, end) in the order of print."""
    return sorted(range(len(places)), key=places.__getitem__)


def _code(risk: FactRisk) -> int:
    return risk.doubt * (STEPS + 1) + min(STEPS, max(1, round(risk.chance * STEPS)))


def _mark(figure: Figure) -> int:
    if not figure.is_checked:
        return 0
    return CHECKED | WRONG if _was_wrong(figure) else CHECKED


def _was_wrong(figure: Figure) -> bool:
    """Whether the person reads another figure than the machine; its scope and bound are not the figure."""
    machine, human = figure.machine, figure.fact
    if machine is None or human is None:
        return True
    return (machine.path, machine.value, machine.status) != (human.path, human.value, human.status)


def _ranks(doc_id: str, sha256: Any, seed: int, count: int) -> NDArray[np.uint32]:
    digest = hashlib.blake2b(f"{seed}\0{doc_id}\0{sha256}".encode(), digest_size=16).digest()
    random = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
    return random.integers(0, 1 << 32, count, np.uint32)
