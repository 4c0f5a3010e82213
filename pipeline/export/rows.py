"""Records → rows of the tables `facts`, `panel`, `documents` and `findings`.

A row is a mapping from column to value; the columns and their types stand here once.
The panel has one row a document: for every field that occurs once in a report a value
and a status, so that the kinds of not-a-number stay apart. A figure of the table is
preferred to one of the prose; where prose has the field in any document of the run, its
own figure has columns of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.fact import Fact, Finding, Record, RecordHint
from pipeline.runs.work import DUPLICATE_RULE
from pipeline.schema import FieldSpec, fields

ColumnType = Literal["text", "integer", "number"]
Value = str | int | float | None
Row = Mapping[str, Value]

NOT_MENTIONED = "not_mentioned"
FAILED = "failed"
_SOURCE_ORDER = ("table", "metadata", "narrative")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table: name, type and what it holds."""

    name: str
    type: ColumnType
    meaning: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table to export: its name and columns in order."""

    name: str
    columns: tuple[Column, ...]


FACTS = TableSpec(
    "facts",
    (
        Column("doc_id", "text", "document, as in the table documents"),
        Column("path", "text", "field, as in the codebook"),
        Column("value", "number", "the figure; empty for text and where status says that there is none"),
        Column("value_text", "text", "the value of a text or date field"),
        Column("status", "text", "what kind of value it is: see the statuses"),
        Column("bound", "text", "exact, at_least, at_most or about"),
        Column("raw", "text", "as printed"),
        Column("unit", "text", "measure word or unit as printed"),
        Column("source", "text", "table, narrative or metadata"),
        Column("method", "text", "how it was read: table_reader, rule, label, fill or human"),
        Column("scope", "text", "own (the body itself), jurisdiction, or empty where unstated"),
        Column("start", "integer", "first character in the canonical text, counted from 0"),
        Column("end", "integer", "character after the last in the canonical text"),
        Column("page", "integer", "page of the carrier, counted from 1"),
        Column("table", "integer", "table of the document, counted from 0"),
        Column("row", "integer", "row of that table, counted from 0"),
        Column("column", "integer", "column of that table, counted from 0"),
        Column("confidence", "number", "0 to 1, empty where the method gives none"),
        Column("label", "text", "subject of a proactive.category"),
        Column("findings", "text", "rules of the findings that involve this field, separated by blanks"),
    ),
)

DOCUMENTS = TableSpec(
    "documents",
    (
        Column("doc_id", "text", "file name without its ending, unique in the run"),
        Column("file", "text", "file below the source folder"),
        Column("sha256", "text", "hash of the file"),
        Column("media_type", "text", "carrier as read"),
        Column("issuer", "text", "reporting body as printed"),
        Column("issuer_type", "text", "kind of body"),
        Column("level", "text", "administrative level"),
        Column("division_code", "text", "GB/T 2260 code, six digits"),
        Column("year", "integer", "year reported on"),
        Column("published_on", "text", "day of publication, ISO 8601"),
        Column("signed_on", "text", "day of the signature, ISO 8601"),
        Column("template_document", "text", "form of the report"),
        Column("template_proactive", "text", "form of the proactive table"),
        Column("template_requests", "text", "form of the requests table"),
        Column("template_remedies", "text", "form of the remedies table"),
        Column("status", "text", "ok, flagged (a finding that is more than a note) or failed"),
        Column("error_code", "text", "why it failed, stable code"),
        Column("error", "text", "why it failed, in words"),
        Column("parts", "text", "files whose text the document holds too: of an archive, or attached"),
        Column("hint_url", "text", "address of the file by sources.csv"),
        Column("hint_place", "text", "place by sources.csv"),
        Column("hint_year", "integer", "year by sources.csv"),
        Column("duplicate_of", "text", "doc_id of an earlier document with the same bytes"),
        Column("facts", "integer", "number of facts"),
        Column("errors", "integer", "findings of severity error"),
        Column("warnings", "integer", "findings of severity warning"),
        Column("notes", "integer", "findings of severity note"),
        Column("requests_to_model", "integer", "requests sent, failed attempts too"),
        Column("input_tokens", "integer", "tokens read"),
        Column("cached_tokens", "integer", "of these, from the prefix cache"),
        Column("output_tokens", "integer", "tokens written"),
        Column("seconds", "number", "wall time"),
        Column("cost_usd", "number", "cost, empty where unknown"),
    ),
)

FINDINGS = TableSpec(
    "findings",
    (
        Column("doc_id", "text", "document"),
        Column("rule", "text", "identity or rule that does not hold"),
        Column("severity", "text", "error, warning or note"),
        Column("at", "text", "row, column or block of the identity"),
        Column("paths", "text", "fields involved, separated by blanks"),
        Column("expected", "text", "one side of the identity"),
        Column("printed", "text", "the other side, as printed"),
        Column("cause", "text", "suspected: reading, report, scope or unknown"),
        Column("message", "text", "the finding in a sentence"),
    ),
)


def fact_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a fact."""
    for record in records:
        rules = _rules_by_path(record.findings)
        for fact in record.facts:
            yield _fact_row(record.doc_id, fact, rules.get(fact.path, ()))


def _rules_by_path(findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    rules: dict[str, tuple[str, ...]] = {}
    for finding in findings:
        for path in finding.paths:
            rules[path] = tuple(dict.fromkeys((*rules.get(path, ()), finding.rule)))
    return rules


def _fact_row(doc_id: str, fact: Fact, rules: Iterable[str]) -> Row:
    is_text = isinstance(fact.value, str)
    return {
        "doc_id": doc_id,
        **fact.model_dump(include={"path", "status", "bound", "raw", "unit", "source", "method", "scope"}),
        "value": None if is_text else fact.value,
        "value_text": fact.value if is_text else None,
        **fact.evidence.model_dump(),
        "confidence": fact.confidence,
        "label": fact.label,
        "findings": " ".join(rules) or None,
    }


def document_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a document."""
    for record in records:
        meta = {fact.path: fact.value for fact in record.facts if fact.source == "metadata"}
        names = ("issuer", "issuer_type", "level", "division_code", "year", "published_on", "signed_on")
        severities = [finding.severity for finding in record.findings]
        hint = record.hint or RecordHint()
        yield {
            **record.model_dump(include={"doc_id", "file", "sha256", "media_type", "status"}),
            **{name: meta.get(f"meta.{name}") for name in names},
            **{f"template_{name}": form for name, form in record.templates.model_dump().items()},
            "error_code": record.error_code,
            "error": record.error,
            "parts": "; ".join(part.file for part in record.parts) or None,
            "hint_url": hint.url,
            "hint_place": hint.place,
            "hint_year": hint.year,
            "duplicate_of": duplicate_of(record),
            "facts": len(record.facts),
            "errors": severities.count("error"),
            "warnings": severities.count("warning"),
            "notes": severities.count("note"),
            "requests_to_model": record.usage.requests,
            **record.usage.model_dump(exclude={"requests"}),
        }


def duplicate_of(record: Record) -> str | None:
    """`doc_id` of the earlier document with the same bytes, None if there is none."""
    return next((finding.at for finding in record.findings if finding.rule == DUPLICATE_RULE), None)


def finding_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a finding."""
    for record in records:
        for finding in record.findings:
            yield {
                "doc_id": record.doc_id,
                **finding.model_dump(include={"rule", "severity", "at", "cause", "message"}),
                "paths": " ".join(finding.paths) or None,
                "expected": _as_text(finding.expected),
                "printed": _as_text(finding.printed),
            }


def _as_text(value: Value) -> str | None:
    """A side of an identity: numbers as people write them."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)


def panel_fields() -> tuple[FieldSpec, ...]:
    """The fields that have columns in the panel: those that occur once in a report."""
    return tuple(spec for spec in fields().values() if not spec.repeatable)


@dataclass
class Occurrence:
    """Where each field occurs in a run, for the panel's columns and the codebook's shares.

    `documents` counts records that did not fail; `mentioned` those with the field.
    """

    documents: int = 0
    mentioned: dict[str, int] = field(default_factory=dict)
    in_prose: set[str] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Count a record."""
        if record.status == "failed":
            return
        self.documents += 1
        for path in {fact.path for fact in record.facts}:
            self.mentioned[path] = self.mentioned.get(path, 0) + 1
        self.in_prose |= {fact.path for fact in record.facts if fact.source == "narrative"}


def panel_spec(occurrence: Occurrence) -> TableSpec:
    """The panel's columns: identity, all values, all statuses, then those of the prose."""
    specs = panel_fields()
    identity = (
        Column("doc_id", "text", "document"),
        Column("record_status", "text", "ok, flagged or failed"),
        Column("duplicate_of", "text", "doc_id of an earlier document with the same bytes"),
    )
    values = tuple(Column(spec.path, _type(spec), f"{spec.label}: {spec.meaning}") for spec in specs)
    statuses = tuple(
        Column(f"{spec.path}__status", "text", f"status of {spec.path}: see the statuses") for spec in specs
    )
    prose = tuple(
        column for spec in specs if spec.path in occurrence.in_prose for column in _prose_columns(spec)
    )
    return TableSpec("panel", (*identity, *values, *statuses, *prose))


def _type(spec: FieldSpec) -> ColumnType:
    if spec.kind in ("text", "date"):
        return "text"
    return "integer" if spec.kind == "year" else "number"


def _prose_columns(spec: FieldSpec) -> tuple[Column, ...]:
    path = spec.path
    return (
        Column(f"{path}__source", "text", f"where the value of {path} stands: table, metadata or narrative"),
        Column(f"{path}__bound", "text", f"bound of {path}: exact, at_least, at_most or about"),
        Column(f"{path}__narrative", _type(spec), f"{path} in the prose, the first where it has several"),
        Column(f"{path}__narrative_status", "text", f"status of {path} in the prose"),
        Column(f"{path}__narrative_bound", "text", f"bound of {path} in the prose"),
    )


def panel_rows(records: Iterable[Record], occurrence: Occurrence) -> Iterator[Row]:
    """One row a document, in the order of the records."""
    specs = panel_fields()
    for record in records:
        found: dict[str, list[Fact]] = {}
        for fact in record.facts:
            found.setdefault(fact.path, []).append(fact)
        row: dict[str, Value] = {
            "doc_id": record.doc_id,
            "record_status": record.status,
            "duplicate_of": duplicate_of(record),
        }
        absent = FAILED if record.status == "failed" else NOT_MENTIONED
        for spec in specs:
            has_prose = spec.path in occurrence.in_prose
            row |= _panel_cells(spec.path, found.get(spec.path, []), absent, has_prose)
        yield row


def _panel_cells(path: str, facts: list[Fact], absent: str, has_prose: bool) -> Row:
    # sorted keeps the order of print among facts of one source.
    chosen = next(iter(sorted(facts, key=lambda fact: _SOURCE_ORDER.index(fact.source))), None)
    cells: dict[str, Value] = {
        path: chosen.value if chosen else None,
        f"{path}__status": chosen.status if chosen else absent,
    }
    if has_prose:
        prose = next((fact for fact in facts if fact.source == "narrative"), None)
        cells |= {
            f"{path}__source": chosen.source if chosen else None,
            f"{path}__bound": chosen.bound if chosen else None,
            f"{path}__narrative": prose.value if prose else None,
            f"{path}__narrative_status": prose.status if prose else absent,
            f"{path}__narrative_bound": prose.bound if prose else None,
        }
    return cells
