"""The codebook: every variable of the exported tables, made from the schema."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic import BaseModel

from pipeline.export.rows import (
    DOCUMENTS,
    FACTS,
    FAILED,
    FINDINGS,
    NOT_MENTIONED,
    Column,
    Occurrence,
    Row,
    TableSpec,
)
from pipeline.schema import FieldSpec, Report, fields

CODEBOOK = TableSpec(
    "codebook",
    (
        Column("table", "text", "table of the export; field for a field path, status for a status"),
        Column("column", "text", "variable: a field path, a column or a status"),
        Column("label", "text", "Chinese label as the forms print it"),
        Column("meaning", "text", "meaning in English"),
        Column("unit", "text", "unit of the form"),
        Column("kind", "text", "count, change (may be negative), yuan, wan_yuan, text, date, year"),
        Column("template", "text", "the only form that has it; empty if more than one has"),
        Column("repeatable", "text", "yes where a report may have several: then not in the panel"),
        Column("documents", "integer", "documents that mention it, of those that did not fail"),
        Column("share_missing", "number", "share of documents that do not mention it"),
    ),
)

STATUSES = {
    "value": "a figure or text is printed",
    "zero_in_words": "words say that there was none; the value is 0",
    "blank": "the cell is there and empty; no value",
    "not_applicable": "the cell holds a stroke (/ or —); no value",
    "illegible": "something is printed that cannot be read for certain; no value",
    NOT_MENTIONED: "panel only: the report says nothing of it",
    FAILED: "panel only: the document could not be read",
}
PANEL_SUFFIXES = {
    "__status": "status of the value: see table status",
    "__source": "where the value stands: table before metadata before narrative",
    "__bound": "exact, at_least, at_most or about",
    "__narrative": "the figure of the prose alone, the first printed where there are several",
    "__narrative_status": "status of the prose's figure",
    "__narrative_bound": "bound of the prose's figure",
}


def codebook_rows(occurrence: Occurrence) -> Iterator[Row]:
    """Fields first, then the panel's suffixes, the columns of the other tables, the statuses."""
    for spec in fields().values():
        yield _field_row(spec, occurrence)
    for suffix, meaning in PANEL_SUFFIXES.items():
        yield {"table": "panel", "column": f"{{field}}{suffix}", "meaning": meaning}
    for table in (FACTS, DOCUMENTS, FINDINGS):
        for column in table.columns:
            yield {"table": table.name, "column": column.name, "meaning": column.meaning, "kind": column.type}
    for status, meaning in STATUSES.items():
        yield {"table": "status", "column": status, "meaning": meaning}


def _field_row(spec: FieldSpec, occurrence: Occurrence) -> Row:
    mentioned = occurrence.mentioned.get(spec.path, 0)
    return {
        "table": "field",
        "column": spec.path,
        "label": spec.label,
        "meaning": spec.meaning,
        "unit": spec.unit,
        "kind": spec.kind,
        "template": _templates().get(spec.path),
        "repeatable": "yes" if spec.repeatable else "no",
        "documents": mentioned,
        "share_missing": 1 - mentioned / occurrence.documents if occurrence.documents else None,
    }


@cache
def _templates() -> dict[str, str]:
    """Fields that only one form has → that form, from the schema's fields and groups."""
    return dict(_only_forms(Report, "", None))


def _only_forms(model: type[BaseModel], prefix: str, inherited: str | None) -> Iterator[tuple[str, str]]:
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        own = extra.get("template")
        form = str(own) if own else inherited
        child = next((kind for kind in get_args(info.annotation) if _is_model(kind)), None)
        if child is not None:
            yield from _only_forms(child, f"{prefix}{name}.", form)
        elif form is not None:
            yield f"{prefix}{name}", form


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
