"""How a finding is made: its suspected cause, its sentence, its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.checks.operands import Number, Reading
from pipeline.fact import Cause, Evidence, Fact, Finding, Severity
from pipeline.schema import fields

LOW_CONFIDENCE = 0.9
CERTAIN_METHODS = frozenset({"table_reader", "rule", "human"})
MODEL_METHODS = frozenset({"label", "fill"})


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity of the forms: its rule, how grave a breach is, and at which row, column or block."""

    rule: str
    severity: Severity
    at: str | None = None

    def broken(
        self,
        reading: Reading,
        operands: Sequence[Fact],
        *,
        where: str,
        message: str,
        expected: Number | str | None,
        printed: Number | str | None,
        cause: Cause | None = None,
    ) -> Finding:
        """The finding that this identity does not hold for `operands`; `where` in Chinese labels."""
        place = f"{self.rule}, {where}" if where else self.rule
        return Finding(
            rule=self.rule,
            severity=self.severity,
            paths=tuple(dict.fromkeys(fact.path for fact in operands)),
            expected=expected,
            printed=printed,
            cause=cause or suspected_cause(reading, operands),
            message=f"{place}: {message}",
            at=self.at,
            evidence=tuple(fact.evidence for fact in operands),
        )


def suspected_cause(reading: Reading, operands: Sequence[Fact]) -> Cause:
    """`reading` if anything speaks for a misreading, `report` if all was read for certain, else `unknown`."""
    if _reader_complained(reading, operands) or any(_is_doubtful(reading, fact) for fact in operands):
        return "reading"
    return "report" if all(_is_certain(fact) for fact in operands) else "unknown"


def _is_doubtful(reading: Reading, fact: Fact) -> bool:
    if fact.confidence is not None and fact.confidence < LOW_CONFIDENCE:
        return True
    if fact.method in MODEL_METHODS and any(
        path != fact.path and method not in MODEL_METHODS for path, method in fact.alternatives
    ):
        return True
    return not _is_printed(reading.text, fact)


def _is_certain(fact: Fact) -> bool:
    if fact.confidence is None:
        return fact.method in CERTAIN_METHODS
    return fact.confidence >= 1.0


def _is_printed(text: str, fact: Fact) -> bool:
    """Whether the evidence shows the print; it may be the figure alone of a cell with a unit or remark."""
    shown_there = "".join(text[fact.evidence.start : fact.evidence.end].split())
    raw = "".join(fact.raw.split())
    return raw in shown_there or (shown_there != "" and shown_there in raw)


def _reader_complained(reading: Reading, operands: Sequence[Fact]) -> bool:
    return any(
        finding.rule.startswith("table.") and touches(finding, operands) for finding in reading.findings
    )


def touches(finding: Finding, operands: Sequence[Fact]) -> bool:
    """Whether a finding of the reader bears on the operands: one of their paths, rows or columns."""
    keys = {key for fact in operands for key in fact.path.split(".")[1:]}
    if finding.at in keys or not {fact.path for fact in operands}.isdisjoint(finding.paths):
        return True
    places = [fact.evidence for fact in operands if fact.evidence.table is not None]
    return any(_same_place(complaint, places) for complaint in finding.evidence)


def _same_place(complaint: Evidence, places: Sequence[Evidence]) -> bool:
    """Same row as one operand, or same column as two: one alone only crosses the column."""
    same_table = [place for place in places if complaint.table == place.table]
    if complaint.row is None:
        return bool(same_table)
    in_column = [p for p in same_table if complaint.column is not None and p.column == complaint.column]
    return len(in_column) > 1 or any(place.row == complaint.row for place in same_table)


def shown(fact: Fact) -> str:
    """The figure as printed; a zero in words keeps its words."""
    return "".join(fact.raw.split()) or str(fact.value)


def added(facts: Sequence[Fact]) -> str:
    """The operands as printed, joined by plus signs."""
    return " + ".join(shown(fact) for fact in facts)


def labels(path: str) -> tuple[str, ...]:
    """The Chinese labels of a field below its group: row and column, block and outcome."""
    spec = fields().get(path)
    return tuple(spec.label.split(" / ")) if spec is not None else (path,)
