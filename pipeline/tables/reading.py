"""The tables of a report → facts: classify → header → rows → align → facts.

The statistics table of 2014–2018 is read on its own (statistics.py), the three tables of
the later forms here.

Read by label, never by position. Nothing is guessed without a finding, and what is printed
is kept even where it does not add up.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.document import Document, Table
from pipeline.fact import Evidence, Fact, Finding, Templates
from pipeline.tables.facts import reading_finding
from pipeline.tables.forms import FormRows, rows_of_form
from pipeline.tables.kinds import classify, holds_figures
from pipeline.tables.statistics import read_statistics
from pipeline.tables.templates import KINDS, TableKind, TableTemplate, expected_cells, templates_of
from pipeline.tables.values import values_of_form

DEFAULT_TEMPLATE: TableTemplate = "table2021"  # where no label tells the form


@dataclass(frozen=True)
class TableReading:
    """Facts in the order of the forms, findings of the reading, the form of each table.

    `templates.document` is that of the proactive table, else of the requests table, else
    `stat2014` where the national statistics table is printed, else None: whether a report
    without tables is a narrative is for the caller to say.
    """

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    templates: Templates


def read_tables(document: Document, year: int | None = None) -> TableReading:
    """Read all cells of the tables of a report on `year` (None: not known).

    Facts have paths `proactive.{item}.{column}`, `requests.{row}.{applicant}`,
    `remedies.{block}.{outcome}` and `statistics.{key}`; only cells that the form has are
    expected. Findings have rules `table.*`. A table of no form gives no facts.
    """
    statistics = read_statistics(document, year)
    classified = classify(document, statistics.tables)
    forms = {part.kind: rows_of_form(document, part) for part in classified.parts}
    templates = _templates(forms)
    facts: list[Fact] = []
    findings = [_unknown_table(table) for table in classified.unknown if holds_figures(table)]
    for kind in KINDS:
        if kind in forms:
            values = values_of_form(document, forms[kind], _form_of(kind, templates))
            facts += values.facts
            findings += [*forms[kind].findings, *values.findings]
        elif forms:
            findings.append(_missing_table(kind, _form_of(kind, templates)))
    if templates.document is None and statistics.is_national:
        templates = templates.model_copy(update={"document": "stat2014"})
    return TableReading((*facts, *statistics.facts), (*findings, *statistics.findings), templates)


def _templates(forms: dict[TableKind, FormRows]) -> Templates:
    """Each table's own form; one without a telling label takes that of the other table."""
    proactive = forms["proactive"].template if "proactive" in forms else None
    requests = forms["requests"].template if "requests" in forms else None
    if "requests" in forms:
        requests = requests or proactive or DEFAULT_TEMPLATE
    if "proactive" in forms:
        proactive = proactive or requests or DEFAULT_TEMPLATE
    return templates_of(proactive, requests, "remedies" in forms)


def _form_of(kind: TableKind, templates: Templates) -> TableTemplate:
    own = {"proactive": templates.proactive, "requests": templates.requests, "remedies": templates.remedies}
    template = own[kind] or templates.document
    return template if template in ("table2019", "table2021") else DEFAULT_TEMPLATE


def _missing_table(kind: TableKind, template: TableTemplate) -> Finding:
    """One of the three is there, this one is not: an image, perhaps, or lost in the file."""
    paths = [cell.path for cell in expected_cells(kind, template)]
    return reading_finding("missing_table", f"No {kind} table was found", at=kind, paths=paths)


def _unknown_table(table: Table) -> Finding:
    first = " ".join(cell.text for cell in table.cells if cell.text.strip())[:40]
    evidence = Evidence(start=table.span.start, end=table.span.end, table=table.index)
    return reading_finding(
        "unknown",
        f"A table that is none of the forms' was left alone: {first}…",
        at=str(table.index),
        evidence=[evidence],
        is_note=True,
    )
