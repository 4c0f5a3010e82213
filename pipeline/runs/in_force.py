"""Records as people left them: facts in force with the findings that hold for them, and how much was checked.

What a program reads that goes on from a run (panel, export, check, overview) is this. Scores are of
the records as they were written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.checks import check_facts
from pipeline.fact import Fact, Finding, Record
from pipeline.runs.corrected import Orphan, Reviewed, facts_in_force, reviewed
from pipeline.runs.record import read_records, read_text
from pipeline.runs.reviews import ReviewEvent, Reviews, has_changes, read_reviews, states
from pipeline.runs.work import status_of

_GONE = "the run has no such document"


def record_in_force(folder: Path, record: Record, events: Sequence[ReviewEvent]) -> Record:
    """The record with the facts in force; itself where no fact was changed.

    Its findings are those of the reading and the identities that these facts break. Where the run
    does not keep the text, the findings stay as they were.
    """
    if not events:
        return record
    facts = facts_in_force(record, events)
    if facts == record.facts:
        return record
    findings = _findings(folder, record, facts)
    status = record.status if record.status == "failed" else status_of(findings)
    return record.model_copy(update={"facts": facts, "findings": findings, "status": status})


def _findings(folder: Path, record: Record, facts: tuple[Fact, ...]) -> tuple[Finding, ...]:
    text = read_text(folder, record.sha256)
    if text is None or record.status == "failed":
        return record.findings
    before = check_facts(text, record.facts, record.templates, reading_findings(record))
    kept = tuple(finding for finding in record.findings if finding not in before)
    return (*kept, *check_facts(text, facts, record.templates, reading_findings(record)))


def reading_findings(record: Record) -> tuple[Finding, ...]:
    """Complaints of the table reader: of all findings of the reading, those bear on a suspected cause."""
    return tuple(finding for finding in record.findings if finding.rule.startswith("table."))


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

    def add(self, found: Reviewed) -> None:
        """Count a document."""
        verdicts = [figure.verdict for figure in found.figures if figure.is_checked]
        self.documents += bool(verdicts)
        self.verdicts.update(verdicts)
        self.orphaned += found.orphaned

    def add_lost(self, reviews: Reviews, present: set[str]) -> None:
        """Count the changes of documents that the run does not have."""
        for doc_id in reviews.doc_ids:
            if doc_id not in present:
                self.orphaned += lost(reviews.events_of(doc_id))

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


def lost(events: Sequence[ReviewEvent]) -> list[Orphan]:
    """The changes of a document that the run no longer has."""
    return [Orphan(event, _GONE) for state in states(events).values() for event in state.effective]


def count_reviews(folder: Path) -> ReviewCounts | None:
    """How much of a run was checked; None where no change stands. Raises StartError like its readers."""
    reviews = read_reviews(folder)
    if not has_changes(reviews):
        return None
    counts, present = ReviewCounts(), set[str]()
    for record in read_records(folder):
        present.add(record.doc_id)
        if events := reviews.events_of(record.doc_id):
            counts.add(reviewed(record, events))
    counts.add_lost(reviews, present)
    return counts
