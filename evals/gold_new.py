"""An empty gold file for a document: its hash and the rows of the forms that were detected.

What is not annotated yet is `~`, which no finished file may hold: `gongkai gold check`
names every cell that is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from evals.gold_file import GoldMeta
from evals.runs import RunFolder
from pipeline.errors import StartError, UsageError
from pipeline.fact import Fact, Record
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows, statistics_rows

_MARKS = {"blank": "_", "not_applicable": "/", "illegible": '"?"'}
_ITEMS_2019 = {
    "regulations": ("made", "disclosed", "disclosed_total"),
    "normative_documents": ("made", "disclosed", "disclosed_total"),
    "licensing": ("items_previous", "items_change", "decisions"),
    "other_services": ("items_previous", "items_change", "decisions"),
    "penalties": ("items_previous", "items_change", "decisions"),
    "coercion": ("items_previous", "items_change", "decisions"),
    "administrative_fees": ("items_previous", "items_change"),
    "procurement": ("items", "amount_yuan"),
}
_ITEMS_2021 = {
    "regulations": ("issued", "repealed", "in_force"),
    "normative_documents": ("issued", "repealed", "in_force"),
    "licensing": ("decisions",),
    "penalties": ("decisions",),
    "coercion": ("decisions",),
    "administrative_fees": ("amount_wan_yuan",),
}
PROACTIVE_CELLS = {"table2019": _ITEMS_2019, "table2021": _ITEMS_2021}


def find_record(run: RunFolder, doc_id: str) -> Record:
    """The record of `doc_id`. Raises UsageError with the names that there are."""
    for record in run.records:
        if doc_id in (record.doc_id, record.file):
            return record
    known = ", ".join(record.doc_id for record in run.records[:10])
    raise UsageError(f"{run.folder} has no document {doc_id!r}; it has {known}")


def write_frame(record: Record, folder: Path, *, prefill: bool = False) -> Path:
    """Write the frame for `record` into `folder`. Raises StartError where there is a file already."""
    path = folder / f"{record.doc_id}.yaml"
    if path.exists():
        raise StartError(f"{path}: is there already; annotations are never written over")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(record, prefill)) + "\n", encoding="utf-8")
    return path


def _lines(record: Record, prefill: bool) -> Iterator[str]:
    facts = record.facts if prefill else ()
    yield f"doc_id: {_scalar(record.doc_id)}"
    yield f"file: {_scalar(record.file)}"
    yield f"sha256: {record.sha256}"
    yield "status: draft"
    yield "annotators: []"
    if prefill:
        yield "prefilled: true"
    forms = {key: form or "null" for key, form in record.templates.model_dump().items()}
    yield "templates: {" + ", ".join(f"{key}: {form}" for key, form in forms.items()) + "}"
    yield "meta: {" + ", ".join(f"{key}: {_meta(facts, key)}" for key in GoldMeta.model_fields) + "}"
    yield from _tables(record, facts)
    yield from _prose(facts)
    yield "text:"
    yield from _items("problems", facts)
    yield from _items("improvements", facts)
    yield "findings: []"
    yield 'notes: ""'


def _tables(record: Record, facts: Sequence[Fact]) -> Iterator[str]:
    cells = {fact.path: fact for fact in facts if fact.source == "table"}
    items = PROACTIVE_CELLS.get(record.templates.proactive or "")
    if items:
        yield "proactive:"
        for item, columns in items.items():
            filled = (f"{column}: {_cell(cells, f'proactive.{item}.{column}')}" for column in columns)
            yield f"  {item}: {{{', '.join(filled)}}}"
    form = record.templates.requests
    if form in ("table2019", "table2021"):
        yield "requests:  # " + ", ".join(APPLICANTS)
        yield from (_row(cells, "requests", row.key, APPLICANTS) for row in request_rows(form))
    if record.templates.remedies in ("table2019", "table2021"):
        yield "remedies:  # " + ", ".join(OUTCOMES)
        yield from (_row(cells, "remedies", block, OUTCOMES) for block in REMEDY_BLOCKS)
    if record.templates.document == "stat2014" or any(path.startswith("statistics.") for path in cells):
        yield "statistics:"
        national = [row.key for row in statistics_rows() if row.key]
        printed = [path.partition(".")[2] for path in cells if path.startswith("statistics.")]
        keys = dict.fromkeys([*national, *printed] if record.templates.document == "stat2014" else printed)
        yield from (f"  {key}: {_cell(cells, f'statistics.{key}')}" for key in keys)


def _row(cells: dict[str, Fact], group: str, row: str, columns: Sequence[str]) -> str:
    filled = (_cell(cells, f"{group}.{row}.{column}") for column in columns)
    return f"  {row}: [{', '.join(filled)}]"


def _cell(cells: dict[str, Fact], path: str) -> str:
    fact = cells.get(path)
    if fact is None:
        return "~"
    return _MARKS.get(fact.status) or _scalar(fact.value)


def _meta(facts: Sequence[Fact], key: str) -> str:
    given = next((fact.value for fact in facts if fact.path == f"meta.{key}"), None)
    return "~" if given is None else _scalar(given)


def _prose(facts: Sequence[Fact]) -> Iterator[str]:
    stated = [
        fact for fact in facts if fact.source == "narrative" and not fact.path.startswith(("text.", "meta."))
    ]
    yield "narrative:" if stated else "narrative: []"
    for fact in stated:
        parts = [f"path: {fact.path}", f"value: {_scalar(fact.value)}", f"raw: {_scalar(fact.raw)}"]
        if fact.label is not None:
            parts.append(f"label: {_scalar(fact.label)}")
        if fact.status != "value":
            parts.append(f"status: {fact.status}")
        if fact.bound != "exact":
            parts.append(f"bound: {fact.bound}")
        yield "  - {" + ", ".join([*parts, f"scope: {fact.scope or 'null'}"]) + "}"


def _items(key: str, facts: Sequence[Fact]) -> Iterator[str]:
    items = [str(fact.value) for fact in facts if fact.path == f"text.{key}"]
    yield f"  {key}:" if items else f"  {key}: []"
    for item in items:
        yield f"    - {{starts: {_scalar(item[:8])}, ends: {_scalar(item[-8:])}}}"


def _scalar(value: int | float | str | None) -> str:
    """A YAML scalar on one line, quoted where it needs to be; digits that are text stay text."""
    if isinstance(value, str) and value.isdigit():
        return f'"{value}"'
    dumped = yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True)
    plain = dumped.removesuffix("\n").removesuffix("\n...")
    if isinstance(value, str) and plain == value and any(sign in value for sign in ",[]{}#:"):
        return "'" + value.replace("'", "''") + "'"
    return plain
