"""Records → rows of the tables `facts`, `reports`, `documents` and `findings`.

All but `facts` are of the facts in force: where a person corrected the machine, of the person's.

A row is a mapping from column to value; the columns and their types stand here once.
The reports have one row a document: for every field that occurs once in a report a value
and a status, so that the kinds of not-a-number stay apart. A figure of the table is
preferred to one of the prose; where prose has the field in any document of the run, its
own figure has columns of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from pipeline.export.table import Column as Column
from pipeline.export.table import ColumnType as ColumnType
from pipeline.export.table import Row as Row
from pipeline.export.table import TableSpec as TableSpec
from pipeline.export.table import Value as Value
from pipeline.fact import (
    Bound,
    Cause,
    Fact,
    Finding,
    Method,
    Record,
    RecordHint,
    RecordStatus,
    Scope,
    Severity,
    Source,
    Template,
)
from pipeline.panel.harmonised import FigureStatus
from pipeline.panel.model import Role
from pipeline.runs.corrected import VERDICTS, Changed, Figure
from pipeline.runs.work import DUPLICATE_RULE
from pipeline.schema import FieldSpec, fields

NOT_MENTIONED = "not_mentioned"
FAILED = "failed"
_SOURCE_ORDER = ("table", "metadata", "narrative")

# Words of the columns that have a closed list of them; a place in it is a code in Stata.
# The first are those of facts; the last three only harmonised variables and rates can have.
STATUS_WORDS: tuple[str, ...] = get_args(FigureStatus)
SOURCES: tuple[str, ...] = get_args(Source)
BOUNDS: tuple[str, ...] = get_args(Bound)
SCOPES: tuple[str, ...] = get_args(Scope)
TEMPLATES: tuple[str, ...] = get_args(Template)
RECORD_STATUSES: tuple[str, ...] = get_args(RecordStatus)
UNPLACED = "unplaced"
ROLES: tuple[str, ...] = (*get_args(Role), UNPLACED)

FACTS = TableSpec(
    "facts",
    (
        Column("doc_id", "text", "document, as in the table documents"),
        Column("path", "text", "field, as in the codebook"),
        Column(
            "value",
            "number",
            "the figure; empty for text and where status says that there is none",
            status="status",
        ),
        Column("value_text", "text", "the value of a text or date field"),
        Column("status", "text", "what kind of value it is: see the statuses", values=STATUS_WORDS),
        Column("bound", "text", "exact, at_least, at_most or about", values=BOUNDS),
        Column("raw", "text", "as printed"),
        Column("unit", "text", "measure word or unit as printed"),
        Column("source", "text", "table, narrative or metadata", values=SOURCES),
        Column(
            "method",
            "text",
            "how it was read: table_reader, rule, label, fill or human",
            values=get_args(Method),
        ),
        Column(
            "scope",
            "text",
            "own (the body itself), jurisdiction, or empty where unstated",
            values=get_args(Scope),
        ),
        Column("start", "integer", "first character in the canonical text, counted from 0"),
        Column("end", "integer", "character after the last in the canonical text"),
        Column("page", "integer", "page of the carrier, counted from 1"),
        Column("table", "integer", "table of the document, counted from 0"),
        Column("row", "integer", "row of that table, counted from 0"),
        Column("column", "integer", "column of that table, counted from 0"),
        Column("confidence", "number", "0 to 1, empty where the method gives none"),
        Column("label", "text", "subject of a proactive.category"),
        Column("findings", "text", "rules of the findings that involve this field, separated by blanks"),
        Column("run", "text", "run of the document"),
        Column(
            "superseded",
            "text",
            "yes where a person corrected or removed it: keep rows with no, else such figures count twice",
            values=("no", "yes"),
        ),
        Column(
            "review",
            "text",
            "what a person said of the figure: unchecked (nobody looked), confirmed, corrected (the row of "
            "method human has the right reading), removed (no figure of this field) or added",
            values=VERDICTS,
        ),
    ),
    "one row a fact: a value of a field as a document prints it, as read by the machine or by a person",
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
        Column("template_document", "text", "form of the report", values=TEMPLATES),
        Column("template_proactive", "text", "form of the proactive table", values=TEMPLATES),
        Column("template_requests", "text", "form of the requests table", values=TEMPLATES),
        Column("template_remedies", "text", "form of the remedies table", values=TEMPLATES),
        Column(
            "status",
            "text",
            "ok, flagged (a finding that is more than a note) or failed",
            values=RECORD_STATUSES,
        ),
        Column("error_code", "text", "why it failed, stable code"),
        Column("error", "text", "why it failed, in words"),
        Column("parts", "text", "files whose text the document holds too: of an archive, or attached"),
        Column("hint_url", "text", "address of the file by sources.csv"),
        Column("hint_place", "text", "place by sources.csv"),
        Column("hint_year", "integer", "year by sources.csv"),
        Column("duplicate_of", "text", "doc_id of an earlier document with the same bytes"),
        Column("facts", "integer", "number of facts in force"),
        Column("errors", "integer", "findings of severity error"),
        Column("warnings", "integer", "findings of severity warning"),
        Column("notes", "integer", "findings of severity note"),
        Column("requests_to_model", "integer", "requests sent, failed attempts too"),
        Column("input_tokens", "integer", "tokens read"),
        Column("cached_tokens", "integer", "of these, from the prefix cache"),
        Column("output_tokens", "integer", "tokens written"),
        Column("seconds", "number", "wall time"),
        Column("cost_usd", "number", "cost, empty where unknown"),
        Column("run", "text", "run of the document"),
        Column("reporter_id", "text", "issuer of the panel; empty where place or body is not known"),
        Column("unit_id", "text", "place of the panel: the latest code of it"),
        Column("place_by_hint", "text", "yes where nothing printed tells that place, but sources.csv does"),
        Column(
            "version_role", "text", "what it is to the panel: the document chosen, or why not", values=ROLES
        ),
        Column("version_of", "text", "doc_id of the document chosen for the same report"),
        Column("version_reason", "text", "why it was chosen or not, in words"),
        Column("figures_checked", "integer", "figures that a person has checked; see corrections"),
        Column("figures_corrected", "integer", "of these corrected, removed or added"),
    ),
    "one row a document",
)

FINDINGS = TableSpec(
    "findings",
    (
        Column("doc_id", "text", "document"),
        Column("rule", "text", "identity or rule that does not hold"),
        Column("severity", "text", "error, warning or note", values=get_args(Severity)),
        Column("at", "text", "row, column or block of the identity"),
        Column("paths", "text", "fields involved, separated by blanks"),
        Column("expected", "text", "one side of the identity"),
        Column("printed", "text", "the other side, as printed"),
        Column("cause", "text", "suspected: reading, report, scope or unknown", values=get_args(Cause)),
        Column("message", "text", "the finding in a sentence"),
        Column("run", "text", "run of the document"),
        Column("other_doc_id", "text", "the other document of an identity across years or places"),
        Column("other_run", "text", "run of the other document"),
    ),
    "one row a finding of the checks, within a document or across several",
)


def fact_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a fact."""
    for record in records:
        rules = _rules_by_path(record.findings)
        for fact in record.facts:
            yield _fact_row(record.doc_id, fact, rules.get(fact.path, ()))


def figure_rows(record: Record, found: Changed) -> Iterator[Row]:
    """One row a reading: the machine's and, after it, a person's. `record` has the facts in force."""
    rules = _rules_by_path(record.findings)
    for place, fact in enumerate(found.record.facts):
        if (figure := found.of_machine.get(place)) is None:
            yield _fact_row(record.doc_id, fact, rules.get(fact.path, ()))
        else:
            yield from _rows_of_figure(record.doc_id, figure, rules)
    for figure in found.added:
        yield from _rows_of_figure(record.doc_id, figure, rules)


def _rows_of_figure(doc_id: str, figure: Figure, rules: Mapping[str, tuple[str, ...]]) -> Iterator[Row]:
    for fact in (figure.machine, figure.human):
        if fact is not None and (fact is figure.machine or fact is figure.fact):
            superseded = {"superseded": "no" if fact is figure.fact else "yes"}
            row = _fact_row(doc_id, fact, rules.get(fact.path, ()))
            yield {**row, **superseded, "review": figure.verdict}


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
        "superseded": "no",
        "review": "unchecked",
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
            yield finding_row(record.doc_id, finding)


def finding_row(doc_id: str, finding: Finding) -> dict[str, Value]:
    """A finding that stands at a document."""
    return {
        "doc_id": doc_id,
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
    """The fields that have columns of their own: those that occur once in a report."""
    return tuple(spec for spec in fields().values() if not spec.repeatable)


@dataclass
class Occurrence:
    """Where each field occurs in a run, for the columns of the prose and the codebook's shares.

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


def reports_spec(occurrence: Occurrence) -> TableSpec:
    """The columns of the reports: identity, all values, all statuses, then those of the prose."""
    identity = (
        Column("doc_id", "text", "document"),
        Column("record_status", "text", "ok, flagged or failed", values=RECORD_STATUSES),
        Column("duplicate_of", "text", "doc_id of an earlier document with the same bytes"),
        Column("run", "text", "run of the document"),
    )
    columns = (*identity, *printed_columns(occurrence))
    return TableSpec("reports", columns, "one row a document, one column a field")


def printed_columns(occurrence: Occurrence) -> tuple[Column, ...]:
    """The columns of the fields as printed: all values, all statuses, then those of the prose."""
    specs = panel_fields()
    values = (_value_column(spec) for spec in specs)
    statuses = (_status_column(spec) for spec in specs)
    prose = (column for spec in specs if spec.path in occurrence.in_prose for column in _prose_columns(spec))
    return (*values, *statuses, *prose)


def _type(spec: FieldSpec) -> ColumnType:
    if spec.kind in ("text", "date"):
        return "text"
    return "integer" if spec.kind == "year" else "number"


def _value_column(spec: FieldSpec) -> Column:
    return Column(
        spec.path,
        _type(spec),
        f"{spec.label}: {spec.meaning}",
        label_zh=spec.label,
        label_en=spec.meaning,
        unit=spec.unit,
        status=f"{spec.path}__status",
    )


def _status_column(spec: FieldSpec) -> Column:
    return Column(
        f"{spec.path}__status",
        "text",
        f"status of {spec.path}: see the statuses",
        label_zh=f"{spec.label}（状态）",
        label_en=f"{spec.meaning}: status",
        values=STATUS_WORDS,
    )


def _prose_columns(spec: FieldSpec) -> tuple[Column, ...]:
    path = spec.path

    def column(suffix: str, zh: str, en: str, meaning: str, values: tuple[str, ...]) -> Column:
        labels = (f"{spec.label}（{zh}）", f"{spec.meaning}: {en}")
        return Column(f"{path}__{suffix}", "text", meaning, *labels, values=values)

    return (
        column(
            "source",
            "来源",
            "source",
            f"where the value of {path} stands: table, metadata or narrative",
            SOURCES,
        ),
        column("bound", "界限", "bound", f"bound of {path}: exact, at_least, at_most or about", BOUNDS),
        Column(
            f"{path}__narrative",
            _type(spec),
            f"{path} in the prose, the first where it has several",
            f"{spec.label}（正文）",
            f"{spec.meaning}: in the prose",
            spec.unit,
            status=f"{path}__narrative_status",
        ),
        column(
            "narrative_status",
            "正文状态",
            "status in the prose",
            f"status of {path} in the prose",
            STATUS_WORDS,
        ),
        column("narrative_bound", "正文界限", "bound in the prose", f"bound of {path} in the prose", BOUNDS),
    )


def report_rows(records: Iterable[Record], occurrence: Occurrence) -> Iterator[Row]:
    """One row a document, in the order of the records."""
    for record in records:
        yield {
            "doc_id": record.doc_id,
            "record_status": record.status,
            "duplicate_of": duplicate_of(record),
            **printed_cells(record, occurrence),
        }


def printed_cells(record: Record, occurrence: Occurrence) -> dict[str, Value]:
    """The cells of `printed_columns` for a record."""
    found: dict[str, list[Fact]] = {}
    for fact in record.facts:
        found.setdefault(fact.path, []).append(fact)
    absent = FAILED if record.status == "failed" else NOT_MENTIONED
    cells: dict[str, Value] = {}
    for spec in panel_fields():
        has_prose = spec.path in occurrence.in_prose
        cells |= _printed_cells(spec.path, found.get(spec.path, []), absent, has_prose)
    return cells


def _printed_cells(path: str, facts: list[Fact], absent: str, has_prose: bool) -> Row:
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
