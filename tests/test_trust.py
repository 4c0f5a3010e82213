"""How far a checked fact is trusted: a finding that doubts the reading lowers it, no other does."""

from __future__ import annotations

import pytest
from eval_material import fact

from pipeline.checks.trust import DOUBTED_TRUST, trust
from pipeline.fact import Cause, Evidence, Finding, Severity

HERE, THERE = Evidence(start=5, end=7), Evidence(start=40, end=42)
TOTAL, OTHER = "requests.granted.total", "requests.concluded.total"


def finding(cause: Cause, severity: Severity, path: str, *places: Evidence) -> Finding:
    return Finding(
        rule="requests.row_total", severity=severity, paths=(path,), cause=cause, message="", evidence=places
    )


CASES = [
    ("no finding", [], 0.95),
    ("a misreading is suspected", [finding("reading", "error", TOTAL)], DOUBTED_TRUST),
    ("of this very print", [finding("reading", "warning", TOTAL, HERE)], DOUBTED_TRUST),
    ("of another print of the field", [finding("reading", "error", TOTAL, THERE)], 0.95),
    ("of another field", [finding("reading", "error", OTHER)], 0.95),
    ("the report is inconsistent itself", [finding("report", "error", TOTAL)], 0.95),
    ("only a note", [finding("reading", "note", TOTAL)], 0.95),
]


@pytest.mark.parametrize(("findings", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_trust(findings: list[Finding], expected: float) -> None:
    sure = fact(TOTAL, 3, source="table", confidence=0.95, evidence=HERE)
    assert trust(sure, findings) == expected


def test_doubt_raises_no_confidence_and_unknown_stays_unknown() -> None:
    findings = [finding("reading", "error", TOTAL)]
    assert trust(fact(TOTAL, 3, confidence=0.2), findings) == 0.2
    assert trust(fact(TOTAL, 3), findings) is None
