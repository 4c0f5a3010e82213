"""What a run must know of a record without reading it again: for resuming, progress and totals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.fact import Record, RecordStatus, Severity, Usage
from pipeline.runs.sources import content_of


@dataclass(frozen=True, slots=True)
class RecordBrief:
    """A record's status and counts. `content` is one hash for the document and its attachments."""

    doc_id: str
    file: str
    content: str
    status: RecordStatus
    error: str | None = None
    error_code: str | None = None
    facts: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[tuple[str, Severity], int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    @property
    def fact_count(self) -> int:
        """Facts of all sources."""
        return sum(self.facts.values())

    @property
    def finding_count(self) -> int:
        """Findings that flag a document: errors and warnings."""
        return sum(count for (_, severity), count in self.rules.items() if severity != "note")

    def as_row(self) -> list[Any]:
        """As plain values, for a line of JSON."""
        rules = [[rule, severity, count] for (rule, severity), count in self.rules.items()]
        usage = [getattr(self.usage, name) for name in Usage.model_fields]
        return [
            self.doc_id, self.file, self.content, self.status, self.error, self.error_code,
            dict(self.facts), rules, usage,
        ]  # fmt: skip


def brief_of(record: Record) -> RecordBrief:
    """The brief of a record."""
    attached = [part.sha256 for part in record.parts if part.place == "beside"]
    hint = () if record.hint is None else tuple(record.hint.model_dump().values())
    return RecordBrief(
        record.doc_id,
        record.file,
        content_of(record.sha256, attached, hint),
        record.status,
        record.error,
        record.error_code,
        Counter(fact.source for fact in record.facts),
        Counter((finding.rule, finding.severity) for finding in record.findings),
        record.usage,
    )


def brief_from_row(row: list[Any]) -> RecordBrief:
    """The brief that `as_row` made. Raises ValueError or TypeError where it is none."""
    doc_id, file, content, status, error, code, facts, rules, usage = row
    counts = {(rule, severity): int(count) for rule, severity, count in rules}
    spent = Usage.model_validate(dict(zip(Usage.model_fields, usage, strict=True)))
    return RecordBrief(doc_id, file, content, status, error, code, facts, counts, spent)


def dump_row(row: list[Any]) -> bytes:
    """A line of JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"
