"""How far a fact can be trusted once it was checked: its confidence, less where a finding doubts the reading.

Confidence comes from the label that was read, from the model's probabilities and from
its agreement with the wording. What a check adds is kept apart from it: a finding that
suspects the report itself says nothing against the reading.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fact import Fact, Finding

DOUBTED_TRUST = 0.5


def trust(fact: Fact, findings: Sequence[Finding]) -> float | None:
    """Of `fact` among the findings of its document, 0 to 1; None where it has no confidence."""
    if fact.confidence is None:
        return None
    is_doubted = any(_doubts(finding, fact) for finding in findings)
    return min(fact.confidence, DOUBTED_TRUST) if is_doubted else fact.confidence


def _doubts(finding: Finding, fact: Fact) -> bool:
    """Whether the finding suspects that this very print was misread."""
    if finding.cause != "reading" or finding.severity == "note" or fact.path not in finding.paths:
        return False
    return not finding.evidence or fact.evidence in finding.evidence
