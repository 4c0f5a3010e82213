"""The codebook: every variable of the exported tables, made from the schema and the crosswalk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import get_args

from pydantic import BaseModel

from pipeline.export.corrections import CORRECTIONS
from pipeline.export.missing import MISSING_LETTERS
from pipeline.export.panel_table import IDENTITY, Tally
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
    Value,
)
from pipeline.export.stata_names import stata_name, stata_suffix
from pipeline.fact import Template
from pipeline.panel.crosswalk import TEMPLATES, Break, Crosswalk, Rate, Variable, crosswalk, written
from pipeline.schema import FieldSpec, Report, fields
from pipeline.tables.templates import KINDS, TableKind, TableTemplate, expected_cells

CODEBOOK = TableSpec(
    "codebook",
    (
        Column(
            "table",
            "text",
            "table of the export; field for a field path (panel, reports and facts have it), status for a "
            "status, break for fields that look alike and are not linked",
        ),
        Column("column", "text", "variable: a field path, a column or a status"),
        Column("label", "text", "Chinese label as the forms print it"),
        Column("meaning", "text", "meaning in English"),
        Column("unit", "text", "unit of the form"),
        Column(
            "kind",
            "text",
            "count, change (may be negative), yuan, wan_yuan, text, date, year, harmonised, rate, days",
        ),
        Column("template", "text", "the only form that has it; empty if more than one has"),
        Column("repeatable", "text", "yes where a report may have several: then not in the panel"),
        Column(
            "documents",
            "integer",
            "documents that mention it, of those that did not fail; panel: rows with it",
        ),
        Column(
            "share_missing", "number", "share of documents that do not mention it; panel: of rows without it"
        ),
        Column("stata_name", "text", "variable of the Stata files; for a status its missing value there"),
        Column(
            "templates", "text", "all forms that have it, separated by blanks; empty where none asks for it"
        ),
        Column("notice", "text", "where the forms come from"),
        Column("made_of", "text", "fields that a harmonised variable or rate is made of, form by form"),
        Column("caveat", "text", "what to know before comparing it"),
    ),
    "one row a variable",
)

STATUSES = {
    "value": "a figure or text is printed",
    "zero_in_words": "words say that there was none; the value is 0",
    "blank": "the cell is there and empty; no value",
    "not_applicable": "the cell holds a stroke (/ or —); no value",
    "illegible": "something is printed that cannot be read for certain; no value",
    NOT_MENTIONED: "wide tables only: the report says nothing of it",
    FAILED: "wide tables only: the document could not be read",
    "not_in_template": "harmonised variables and rates: the form of the report does not ask it",
    "undefined": "rates only: the denominator is 0, or less",
    "not_comparable": "rates only: one part is from a table, the other from prose",
}
PANEL_SUFFIXES = {
    "__status": "status of the value: see table status",
    "__source": "where the value stands: table before metadata before narrative",
    "__bound": "exact, at_least, at_most or about",
    "__narrative": "the figure of the prose alone, the first printed where there are several",
    "__narrative_status": "status of the prose's figure",
    "__narrative_bound": "bound of the prose's figure",
}
RATE_SUFFIXES = {
    "__numerator": "what is divided; there even where the rate has no value",
    "__denominator": "what it is divided by",
}
LATENESS_SUFFIXES = {
    "__deadline": "last day in time, ISO 8601",
    "__basis": "regulation, or convention where no regulation names a day for this kind of body",
}


def codebook_rows(occurrence: Occurrence, panel: Tally | None = None) -> Iterator[Row]:
    """Fields, the panel's own variables, suffixes, columns of other tables, statuses, breaks.

    `panel` has counted the rows of the panel.
    """
    for spec in fields().values():
        yield _field_row(spec, occurrence)
    yield from _panel_rows(crosswalk(), panel or Tally())
    yield from _suffix_rows()
    for table in (FACTS, DOCUMENTS, FINDINGS, CORRECTIONS):
        for column in table.columns:
            yield {"table": table.name, "column": column.name, "meaning": column.meaning, "kind": column.type}
    for status, meaning in STATUSES.items():
        yield {"table": "status", "column": status, "meaning": meaning}
    yield from (_break_row(each) for each in crosswalk().not_linked)


def _suffix_rows() -> Iterator[Row]:
    late = crosswalk().lateness.name
    for pattern, suffixes in (
        ("{field}", PANEL_SUFFIXES),
        ("{rate}", RATE_SUFFIXES),
        (late, LATENESS_SUFFIXES),
    ):
        for suffix, meaning in suffixes.items():
            yield {"table": "panel", "column": f"{pattern}{suffix}", "meaning": meaning}


def _panel_rows(found: Crosswalk, panel: Tally) -> Iterator[Row]:
    for column in IDENTITY:
        about = {"label": column.label_zh, "meaning": column.meaning, "kind": column.type}
        yield {"table": "panel", "column": column.name, **about, **_counted(column.name, panel)}
    for variable in found.variables:
        yield {**_variable_row(variable), **_counted(variable.name, panel)}
    for rate in found.rates:
        yield {**_rate_row(rate), **_counted(rate.name, panel)}
    late = found.lateness
    yield {
        "table": "panel",
        "column": late.name,
        "label": late.label_zh,
        "meaning": late.label_en,
        "unit": late.unit,
        "kind": "days",
        "made_of": "meta.published_on - deadline",
        "caveat": late.caveat,
        **_counted(late.name, panel),
    }


def _counted(column: str, panel: Tally) -> Row:
    return {"documents": panel.present[column], "share_missing": panel.share_missing(column)}


def _variable_row(variable: Variable) -> Row:
    ways = {form: " | ".join(map(written, sums)) for form, sums in variable.ways.items()}
    return {
        "table": "panel",
        "column": variable.name,
        "label": variable.label_zh,
        "meaning": variable.label_en,
        "unit": variable.unit,
        "kind": "harmonised",
        "templates": " ".join(ways) or None,
        "notice": _notice(ways),
        "made_of": "; ".join(f"{form}: {way}" for form, way in ways.items()),
        "caveat": variable.caveat,
    }


def _rate_row(rate: Rate) -> Row:
    """A rate is to be had from the forms that have all its parts."""
    parts = {term.name for term in (*rate.numerator, *rate.denominator)}
    asked = [variable.ways for variable in crosswalk().variables if variable.name in parts]
    forms = [form for form in TEMPLATES if all(form in ways for ways in asked)]
    return {
        "table": "panel",
        "column": rate.name,
        "label": rate.label_zh,
        "meaning": rate.label_en,
        "kind": "rate",
        "templates": " ".join(forms) or None,
        "notice": _notice(forms),
        "made_of": rate.formula,
        "caveat": rate.caveat,
    }


def _break_row(found: Break) -> Row:
    return {
        "table": "break",
        "column": " ".join(found.fields),
        "meaning": "not linked: what changes between the two forms",
        "templates": " ".join(found.between),
        "notice": _notice(found.between),
        "caveat": found.why,
    }


def _notice(forms: Iterable[Template]) -> str | None:
    """The notices of forms, one after the other."""
    return "；".join(crosswalk().notices[form] for form in forms) or None


def with_stata_names(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows with the names that their variables have in the Stata files."""
    for row in rows:
        yield {**row, "stata_name": _stata_name(row)}


def _stata_name(row: Row) -> Value:
    name = str(row["column"])
    if row["table"] == "status":
        return f".{MISSING_LETTERS[name]}" if name in MISSING_LETTERS else None
    if row["table"] == "break":
        return None
    if name.startswith("{"):
        pattern, _, suffix = name.partition("}")
        return f"{pattern}}}{stata_suffix(suffix)}"
    return stata_name(name)


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
        "templates": " ".join(_forms_of(spec.path)) or None,
        "notice": _notice(_forms_of(spec.path)),
    }


@cache
def _forms_of(path: str) -> tuple[Template, ...]:
    """The forms that print a field in a table; `narrative` for what only prose has."""
    if path.startswith("meta."):
        return ()
    if path.startswith("statistics."):
        return ("stat2014",) if path in _templates() else ()
    tables: tuple[TableTemplate, ...] = ("table2019", "table2021")
    found = tuple(form for form in tables if any(path in _paths_of(kind, form) for kind in KINDS))
    return found or ("narrative",)


@cache
def _paths_of(kind: TableKind, form: TableTemplate) -> frozenset[str]:
    return frozenset(cell.path for cell in expected_cells(kind, form))


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
