"""What a run came to: counts over its records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.fact import Finding, Severity, Usage
from pipeline.runs.brief import RecordBrief
from pipeline.runs.record import RecordFile

MESSAGES_A_RULE = 3
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass
class RuleCount:
    """How often a rule was broken, the first documents, and the first messages, each with its document."""

    rule: str
    severity: Severity
    count: int = 0
    first: list[str] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)

    def add(self, doc_id: str, finding: Finding) -> None:
        """Count a finding."""
        self.count += 1
        self.show(doc_id, finding)

    def show(self, doc_id: str, finding: Finding) -> None:
        """Keep its message if it is among the first."""
        if len(self.messages) < MESSAGES_A_RULE:
            self.messages.append((doc_id, finding.message))


@dataclass(frozen=True, slots=True)
class Failure:
    """A document without facts."""

    doc_id: str
    file: str
    code: str | None
    reason: str


@dataclass
class Summary:
    """Totals of a run."""

    statuses: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    rules: dict[tuple[str, Severity], RuleCount] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    usage: Usage = field(default_factory=lambda: Usage(cost_usd=0.0))

    @property
    def documents(self) -> int:
        """Records, failed ones among them."""
        return sum(self.statuses.values())

    def add(self, brief: RecordBrief) -> None:
        """Count a record."""
        self.statuses[brief.status] += 1
        self.facts.update(brief.facts)
        self.usage += brief.usage
        for key, count in brief.rules.items():
            rule = self.rules.setdefault(key, RuleCount(*key))
            if rule.count < MESSAGES_A_RULE:
                rule.first.append(brief.doc_id)
            rule.count += count
        if brief.status == "failed":
            reason = brief.error or "no reason was kept"
            self.failures.append(Failure(brief.doc_id, brief.file, brief.error_code, reason))

    def by_severity(self) -> list[RuleCount]:
        """Rules, errors first, the most frequent first among equals."""
        return sorted(
            self.rules.values(), key=lambda rule: (_SEVERITIES.index(rule.severity), -rule.count, rule.rule)
        )

    def as_totals(self) -> dict[str, Any]:
        """The totals as they stand in `run.json`."""
        return {
            "documents": self.documents,
            **{status: self.statuses[status] for status in ("ok", "flagged", "failed")},
            "facts": sum(self.facts.values()),
            "facts_by_source": dict(sorted(self.facts.items())),
            "findings": sum(rule.count for rule in self.rules.values()),
            "findings_by_rule": {f"{rule.rule} ({rule.severity})": rule.count for rule in self.by_severity()},
            "usage": {**self.usage.model_dump(mode="json"), "seconds": round(self.usage.seconds, 3)},
        }


def summarize(records: RecordFile) -> Summary:
    """Totals over the records of a run; only those whose messages are shown are read."""
    summary = Summary()
    for brief in records.briefs():
        summary.add(brief)
    shown = dict.fromkeys(doc_id for rule in summary.rules.values() for doc_id in rule.first)
    for doc_id in shown:
        for finding in records.read(doc_id).findings:
            summary.rules[finding.rule, finding.severity].show(doc_id, finding)
    return summary
