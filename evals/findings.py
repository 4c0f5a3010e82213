"""Whether the identities that a report breaks were reported, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evals.gold import Gold
from pipeline.fact import Finding, Record


@dataclass(frozen=True, slots=True)
class FindingScore:
    """Broken identities by `rule@place`: listed in gold, of those reported, and reported beyond.

    What the reading itself reported (`table.*`) is no claim about the report and does not
    count; a note meets a finding of gold but is not counted as beyond it. A finding without
    a place is met by any place.
    """

    listed: int
    reported: int
    missed: tuple[str, ...]
    beyond: tuple[str, ...]


def score_findings(gold: Gold, records: Mapping[str, Record | None]) -> FindingScore:
    """Compare the findings of every record with those that its gold lists."""
    listed = 0
    missed: list[str] = []
    beyond: list[str] = []
    for document in gold.documents:
        record = records.get(document.doc_id)
        findings = [] if record is None else [one for one in record.findings if _is_claim(one)]
        given = {_name(finding) for finding in findings}
        claimed = {_name(finding) for finding in findings if finding.severity != "note"}
        expected = set(document.file.findings)
        listed += len(expected)
        missed += [f"{document.doc_id}: {name}" for name in sorted(expected) if not _met(name, given)]
        beyond += [f"{document.doc_id}: {name}" for name in sorted(claimed) if not _met(name, expected)]
    return FindingScore(listed, listed - len(missed), tuple(missed), tuple(beyond))


def _is_claim(finding: Finding) -> bool:
    return finding.rule.partition(".")[0] not in ("table", "reading", "model")


def _name(finding: Finding) -> str:
    return finding.rule if finding.at is None else f"{finding.rule}@{finding.at}"


def _met(name: str, others: set[str]) -> bool:
    """Whether `others` has this rule at this place, or either side names no place."""
    rule, _, place = name.partition("@")
    if name in others or rule in others:
        return True
    return not place and any(other.partition("@")[0] == rule for other in others)
