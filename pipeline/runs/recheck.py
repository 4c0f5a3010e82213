"""`gongkai check`: the identities once more over the facts in force. Nothing is read or asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pipeline.checks import check_facts
from pipeline.errors import StartError
from pipeline.fact import Finding
from pipeline.runs.corrected import Changed, changed
from pipeline.runs.in_force import ReviewCounts, lost
from pipeline.runs.manifest import now, write_json
from pipeline.runs.record import read_records, read_text, text_path
from pipeline.runs.reviews import read_reviews
from pipeline.runs.settled import is_settled, of_tables

CHECK = "check.json"


@dataclass(frozen=True)
class Checked:
    """A document's findings of now. `new` are those that its record does not have."""

    doc_id: str
    findings: tuple[Finding, ...]
    new: tuple[Finding, ...]


@dataclass(frozen=True)
class CheckResult:
    """Every document that could be checked, and those that could not with the reason.

    `review` tells what people had corrected; None where the run has no review.
    """

    checked: tuple[Checked, ...]
    unchecked: tuple[tuple[str, str], ...]
    review: ReviewCounts | None = None


def check_run(folder: Path, sections: Mapping[str, object] = MappingProxyType({})) -> CheckResult:
    """Run the identities over all facts in force and write `check.json`; the records stay as they are.

    `sections` are written with it: what was found across documents.

    Raises StartError when the folder is no run folder or cannot be written.
    """
    checked: list[Checked] = []
    unchecked: list[tuple[str, str]] = []
    reviews, review = read_reviews(folder), ReviewCounts()
    present: dict[str, str] = {}
    for record in read_records(folder):
        present[record.doc_id] = record.sha256
        events = reviews.events_of(record.doc_id)
        found = changed(record, events)
        review.add([each.verdict for each in found.figures if each.is_checked], found.orphaned)
        if record.status == "failed":
            unchecked.append((record.doc_id, f"failed: {record.error}"))
        else:
            checked.append(_checked(folder, found))
    review.add((), lost(reviews, present))
    result = CheckResult(tuple(checked), tuple(unchecked), review if review.is_any else None)
    write_json(folder / CHECK, {**_as_json(result), **sections})
    return result


def _checked(folder: Path, found: Changed) -> Checked:
    record = found.record
    text = read_text(folder, record.sha256)
    if text is None:
        raise StartError(
            f"{text_path(folder, record.sha256)} is missing: the text of {record.doc_id} is needed. "
            "Run `gongkai extract` on it in a new folder"
        )
    # The checks' own findings are made anew.
    complaints = [each for each in of_tables(record.findings) if not is_settled(each, found.every_figure)]
    findings = check_facts(text, found.facts, record.templates, complaints)
    return Checked(record.doc_id, findings, tuple(item for item in findings if item not in record.findings))


def _as_json(result: CheckResult) -> dict[str, object]:
    return {
        "checked_at": now(),
        "documents": len(result.checked),
        "findings": sum(len(item.findings) for item in result.checked),
        "new_findings": sum(len(item.new) for item in result.checked),
        "by_document": {
            item.doc_id: [finding.model_dump(mode="json") for finding in item.findings]
            for item in result.checked
        },
        "not_checked": dict(result.unchecked),
        **({} if result.review is None else {"review": result.review.as_json()}),
    }


def finding_pairs(result: CheckResult) -> Iterator[tuple[str, Finding]]:
    """Every finding with its document."""
    for item in result.checked:
        for finding in item.findings:
            yield item.doc_id, finding
