"""Records as people left them: facts in force with the findings that hold for them, and how much was checked.

What a program reads that goes on from a run (panel, export, check, overview) is this. Scores are of
the records as they were written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.fact import Fact, Finding, Record
from pipeline.runs.corrected import Changed, Orphan, Verdict, changed
from pipeline.runs.record import read_text
from pipeline.runs.reviews import ReviewEvent, Reviews, states
from pipeline.runs.settled import findings_in_force, may_be_settled
from pipeline.runs.work import status_of

_GONE = "the run has no such document"


def record_in_force(folder: Path, record: Record, events: Sequence[ReviewEvent]) -> Record:
    """The record with the facts in force and the findings that hold for them (settled.py).

    It is itself where no fact was changed and no finding settled. Where the run does not keep the text,
    the identities stay as they were.
    """
    if not events:
        return record
    found = changed(record, events)
    return left_with(record, found.facts, findings_of(folder, found))


def left_with(record: Record, facts: tuple[Fact, ...], findings: tuple[Finding, ...]) -> Record:
    """The record with these facts and findings, and the status that follows."""
    if facts == record.facts and findings == record.findings:
        return record
    status = record.status if record.status == "failed" else status_of(findings)
    return record.model_copy(update={"facts": facts, "findings": findings, "status": status})


def findings_of(folder: Path, found: Changed) -> tuple[Finding, ...]:
    """The findings of a record after what people said of it."""
    record, facts = found.record, found.facts
    can_settle = _can_settle(found)
    if facts == record.facts and not can_settle:
        return record.findings
    text = read_text(folder, record.sha256)
    return findings_in_force(record, text, found.every_figure if can_settle else (), facts)


def _can_settle(found: Changed) -> bool:
    """Whether anybody looked at a figure that a finding of the reading names."""
    paths = {path for each in found.record.findings if may_be_settled(each) for path in each.paths}
    return any(figure.is_checked and figure.target.path in paths for figure in found.figures)


@dataclass
class ReviewCounts:
    """How many figures of a run people have checked, with what outcome.

    `orphaned` are changes that apply to no figure of the run as it is now, with their reasons.
    """

    documents: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    orphaned: list[Orphan] = field(default_factory=list)

    @property
    def checked(self) -> int:
        """Figures that a person has read, whatever came of it."""
        return self.verdicts.total()

    @property
    def is_any(self) -> bool:
        """Whether there is a change that nobody undid."""
        return bool(self.checked or self.orphaned)

    def add(self, verdicts: Sequence[Verdict], orphaned: Sequence[Orphan]) -> None:
        """Count a document: the verdicts of its figures that were looked at, and its lost changes."""
        self.documents += bool(verdicts)
        self.verdicts.update(verdicts)
        self.orphaned += orphaned

    @property
    def sentence(self) -> str:
        """For people: `12 figures of 3 documents checked by a person: 9 confirmed, 3 corrected`."""
        outcomes = ", ".join(
            f"{self.verdicts[name]} {name}"
            for name in ("confirmed", "corrected", "removed", "added")
            if self.verdicts[name]
        )
        said = f"{self.checked} figures of {self.documents} documents checked by a person"
        said += f": {outcomes}" if outcomes else ""
        return f"{said}; {len(self.orphaned)} changes apply to no figure now" if self.orphaned else said

    def as_json(self) -> dict[str, object]:
        """As it stands in `check.json`."""
        return {
            "documents": self.documents,
            "checked": self.checked,
            **{name: self.verdicts[name] for name in ("confirmed", "corrected", "removed", "added")},
            "orphaned": [
                {
                    "number": each.event.number,
                    "doc_id": each.event.doc_id,
                    "action": each.event.action,
                    **each.event.target.model_dump(include={"path", "source", "start", "end"}),
                    "why": each.why,
                }
                for each in self.orphaned
            ],
        }


def verdicts_of(record: Record, events: Sequence[ReviewEvent]) -> tuple[list[Verdict], Sequence[Orphan]]:
    """The verdicts of the figures of a record that people looked at, and the changes that found none."""
    found = changed(record, events)
    return [figure.verdict for figure in found.figures if figure.is_checked], found.orphaned


def lost(reviews: Reviews, present: Mapping[str, str]) -> list[Orphan]:
    """The changes of documents that a run does not have; `present` are the hashes of those it has by name."""
    names = {sha256: doc_id for doc_id, sha256 in present.items()}
    return [
        Orphan(event, f"{_GONE}; the same file is {names[event.sha256]}" if event.sha256 in names else _GONE)
        for doc_id in reviews.doc_ids
        if doc_id not in present
        for state in states(reviews.events_of(doc_id)).values()
        for event in state.effective
    ]
