"""Which figures of a document a finding speaks of."""

from __future__ import annotations

from pipeline.fact import Evidence, Fact, Finding


def concerns(finding: Finding, fact: Fact) -> bool:
    """Whether the finding names this print of the field: by its place, or that of a row it stands in."""
    if fact.path not in finding.paths:
        return False
    return not finding.evidence or any(_overlap(place, fact.evidence) for place in finding.evidence)


def _overlap(a: Evidence, b: Evidence) -> bool:
    if a == b:
        return True
    # What is blank has no width; it lies in a row all the same.
    return (a.start <= b.start and b.end <= a.end) or (a.start < b.end and b.start < a.end)
