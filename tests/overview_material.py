"""Made-up runs for the tests of the overview: few figures, each printed in a text at its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.fact import Evidence, Fact, Finding, Record, Template, Templates
from pipeline.fact import Source as FactSource
from pipeline.metadata.issuers import issuer_type
from pipeline.runs.record import RecordFile, write_text

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><style>body{display:none}</style>"
# All outcomes of the form of 2021, so that a year has a complete column of outcomes.
OUTCOME_ROWS = (
    "granted partially_granted denied_state_secret denied_law_prohibits denied_security_stability "
    "denied_third_party denied_internal_affairs denied_deliberative denied_enforcement_file "
    "denied_administrative_query unavailable_not_held unavailable_must_be_created unavailable_unclear "
    "unprocessed_petition unprocessed_repeat unprocessed_publication unprocessed_mass "
    "unprocessed_confirmation other_not_corrected other_fee_unpaid other_misc"
).split()


@dataclass
class Made:
    """A report while it is written: every figure is printed as `path：figure` on a line of its own."""

    doc_id: str
    issuer: str
    year: int
    code: str
    form: Template = "table2021"
    text: str = ""
    facts: list[Fact] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.text = f"{self.issuer}{self.year}年政府信息公开工作年度报告\n"
        for name, value in self._meta().items():
            self.say(f"meta.{name}", value, source="metadata")

    def _meta(self) -> dict[str, Any]:
        level = "township" if "镇" in self.issuer else "county"
        known = {"issuer": self.issuer, "issuer_type": issuer_type(self.issuer), "level": level}
        return {**known, "year": self.year, "division_code": self.code}

    def say(self, path: str, value: Any, *, source: FactSource = "table", **parts: Any) -> Made:
        """Print a figure."""
        raw = parts.pop("raw", str(value))
        start = len(self.text) + len(path) + 1
        self.text += f"{path}：{raw}\n"
        place = Evidence(start=start, end=start + len(raw), page=2 if source == "table" else None)
        fact = Fact(path=path, value=value, raw=raw, source=source, method="rule", evidence=place, **parts)
        self.facts.append(fact)
        return self

    def requests(self, **rows: int) -> Made:
        """The totals of the requests table: rows that are not given are 0."""
        rows = {"new_received": sum(rows.values()), "concluded": sum(rows.values()), **rows}
        rows = {"carried_in": 0, "carried_out": 0, **dict.fromkeys(OUTCOME_ROWS, 0), **rows}
        for row, value in rows.items():
            self.say(f"requests.{row}.total", value)
        return self

    def find(self, rule: str, paths: Sequence[str], expected: Any, printed: Any, **parts: Any) -> Made:
        """Add a finding on figures that were printed."""
        places = tuple(fact.evidence for fact in self.facts if fact.path in paths)
        content = {
            "severity": "error",
            "cause": "report",
            "message": f"{rule}: {expected} but {printed}",
            **parts,
        }
        finding = {"rule": rule, "paths": paths, "expected": expected, "printed": printed, "evidence": places}
        self.findings.append(Finding.model_validate({**finding, **content}))
        return self

    def record(self, **parts: Any) -> Record:
        """The report as a record."""
        content: dict[str, Any] = {
            "doc_id": self.doc_id,
            "file": f"{self.year}/{self.doc_id}.txt",
            "sha256": hashlib.sha256(self.doc_id.encode()).hexdigest(),
            "media_type": "text/plain",
            "templates": Templates(
                **dict.fromkeys(("document", "proactive", "requests", "remedies"), self.form)
            ),
            "status": "flagged" if any(each.severity != "note" for each in self.findings) else "ok",
            "facts": tuple(self.facts),
            "findings": tuple(self.findings),
        }
        return Record.model_validate({**content, **parts})


def failed(doc_id: str, error: str = "the PDF is cut off") -> Record:
    """A record of a document that could not be read."""
    known = {"doc_id": doc_id, "file": f"{doc_id}.pdf", "sha256": "0" * 64, "media_type": None}
    return Record.model_validate({**known, "status": "failed", "error": error, "error_code": "broken"})


def write_run(folder: Path, reports: Sequence[Made], others: Sequence[Record] = ()) -> Path:
    """A run folder with the texts of the reports."""
    folder.mkdir(parents=True, exist_ok=True)
    file = RecordFile(folder)
    for report in reports:
        record = report.record()
        file.append(record)
        write_text(folder, record.sha256, report.text)
    for record in others:
        file.append(record)
    file.close()
    return folder


STONE, CLOUD = ("青岚省云溪市石桥县人民政府", "990101"), ("青岚省云溪市云渡县人民政府", "990102")
OFFICE = ("青岚省云溪市石桥县教育局", "990101")


def reports() -> list[Made]:
    """Three issuers, 2021–2023: one year missing, one with an error, one at odds with the year before."""
    stone = [Made(f"stone_{year}", *STONE[:1], year, STONE[1]) for year in (2021, 2022, 2023)]
    stone[0].requests(granted=5, unprocessed_repeat=2)
    stone[1].requests(granted=4711, denied_third_party=3)
    stone[2].requests(granted=8, other_misc=1, carried_in=4).say(
        "proactive.normative_documents.issued", None, raw="", status="blank"
    )
    cloud = [Made(f"cloud_{year}", CLOUD[0], year, CLOUD[1]) for year in (2021, 2023)]
    cloud[0].requests(granted=1, concluded=3)
    cloud[0].find(
        "requests.outcome_total", ["requests.granted.total", "requests.concluded.total"], 1, 3, at="total"
    )
    cloud[1].requests(granted=2).find("meta.chapters", (), 6, HOSTILE, severity="note", message=HOSTILE)
    office = Made("office_2023", OFFICE[0], 2023, OFFICE[1]).requests()
    office.say("fees.charged_yuan", 0, raw="未收取" + HOSTILE, source="narrative", status="zero_in_words")
    return [*stone, *cloud, office]
