"""Run folders of made records for the tests of the queue and of the list of documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.fact import Evidence, Fact, Finding, Record
from pipeline.runs.record import RecordFile, write_text
from pipeline.schema import APPLICANTS, request_rows

ROWS = tuple(row.key for row in request_rows("table2021"))
PATHS = tuple(f"requests.{row}.{applicant}" for row in ROWS for applicant in APPLICANTS)


def made_fact(path: str, start: int, confidence: float | None = 1.0, value: int = 3, **other: object) -> Fact:
    known: dict[str, object] = {"source": "table", "method": "table_reader", "raw": str(value), **other}
    place = Evidence(start=start, end=start + len(str(value)))
    return Fact(path=path, value=value, evidence=place, confidence=confidence, **known)  # type: ignore[arg-type]


def made_finding(facts: Sequence[Fact], severity: str, cause: str) -> Finding:
    return Finding(
        rule="requests.row_total",
        severity=severity,
        cause=cause,
        message="does not add up",
        paths=tuple(fact.path for fact in facts),
        evidence=tuple(fact.evidence for fact in facts),
    )  # type: ignore[arg-type]


def made_record(
    doc_id: str, confidences: Sequence[float | None], findings: Sequence[Finding] = (), **other: object
) -> Record:
    """Figures of different fields one behind the other, eight characters apart, each with its confidence."""
    facts = [made_fact(PATHS[at % len(PATHS)], 8 * at, sure) for at, sure in enumerate(confidences)]
    known: dict[str, object] = {"status": "flagged" if findings else "ok", "facts": tuple(facts), **other}
    return Record(
        doc_id=doc_id,
        file=f"{doc_id}.txt",
        sha256=doc_id.encode().hex().ljust(64, "0")[-64:],
        media_type="text/plain",
        findings=tuple(findings),
        **known,  # type: ignore[arg-type]
    )


def made_run(folder: Path, records: Sequence[Record]) -> Path:
    """A run folder with these records and texts in which their prints stand."""
    folder.mkdir(parents=True, exist_ok=True)
    file = RecordFile(folder)
    for record in records:
        file.append(record)
        if record.status != "failed":
            write_text(folder, record.sha256, _text(record.facts))
    file.close()
    return folder


def _text(facts: Sequence[Fact]) -> str:
    text = [" "] * (max((fact.evidence.end for fact in facts), default=0) + 1)
    for fact in facts:
        text[fact.evidence.start : fact.evidence.end] = fact.raw
    return "".join(text)
