"""An empty gold file for a document: its hash and the rows of the forms that were detected.

What is not annotated yet is `~`, which no finished file may hold: `gongkai gold check`
tells how many are left, and which comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from evals.gold_file import GoldMeta, is_known_path
from evals.gold_write import NOT_ANNOTATED, Content, gold_text
from evals.runs import RunFolder
from pipeline.errors import StartError, UsageError
from pipeline.fact import Fact, Record
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows, statistics_rows

_MARKS = {"blank": "_", "not_applicable": "/", "illegible": "?"}
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
    path.write_text(gold_text(_content(record, prefill)), encoding="utf-8")
    return path


def _content(record: Record, prefill: bool) -> Content:
    facts = record.facts if prefill else ()
    content: Content = {
        "doc_id": record.doc_id,
        "file": record.file,
        "sha256": record.sha256,
        "status": "draft",
        "annotators": [],
        "prefilled": prefill,
        "templates": record.templates.model_dump(),
        "meta": {key: _meta(facts, key) for key in GoldMeta.model_fields},
        **_tables(record, facts),
        "narrative": list(_prose(facts)),
        "text": {key: list(_items(key, facts)) for key in ("problems", "improvements")},
        "findings": [],
        "notes": "",
    }
    return content


def _tables(record: Record, facts: Sequence[Fact]) -> Content:
    cells = {fact.path: fact for fact in facts if fact.source == "table"}
    forms = record.templates
    tables: Content = {}
    items = PROACTIVE_CELLS.get(forms.proactive or "", {})
    tables["proactive"] = {
        item: {column: _cell(cells, f"proactive.{item}.{column}") for column in columns}
        for item, columns in items.items()
    }
    if forms.requests in ("table2019", "table2021"):
        rows = [row.key for row in request_rows(forms.requests)]
        tables["requests"] = {row: _row(cells, "requests", row, APPLICANTS) for row in rows}
    if forms.remedies in ("table2019", "table2021"):
        tables["remedies"] = {block: _row(cells, "remedies", block, OUTCOMES) for block in REMEDY_BLOCKS}
    national = [row.key for row in statistics_rows() if row.key] if forms.document == "stat2014" else []
    printed = [
        path.partition(".")[2] for path in cells if path.startswith("statistics.") and is_known_path(path)
    ]
    keys = dict.fromkeys([*national, *printed])
    return tables | {"statistics": {key: _cell(cells, f"statistics.{key}") for key in keys}}


def _row(
    cells: dict[str, Fact], group: str, row: str, columns: Sequence[str]
) -> list[int | float | str | None]:
    return [_cell(cells, f"{group}.{row}.{column}") for column in columns]


def _cell(cells: dict[str, Fact], path: str) -> int | float | str | None:
    fact = cells.get(path)
    return None if fact is None else _MARKS.get(fact.status) or fact.value


def _meta(facts: Sequence[Fact], key: str) -> object:
    given = next((fact.value for fact in facts if fact.path == f"meta.{key}"), None)
    return NOT_ANNOTATED if given is None else given


def _prose(facts: Sequence[Fact]) -> Iterator[Content]:
    for fact in facts:
        if fact.source == "narrative" and not fact.path.startswith(("text.", "meta.")):
            yield fact.model_dump(include={"path", "value", "raw", "label", "status", "bound", "scope"})


def _items(key: str, facts: Sequence[Fact]) -> Iterator[Content]:
    for item in (str(fact.value) for fact in facts if fact.path == f"text.{key}"):
        yield {"starts": item[:8], "ends": item[-8:]}
