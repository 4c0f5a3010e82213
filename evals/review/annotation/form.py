"""A draft as the annotation form shows it: sections, rows and cells with their printed labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from evals.gold_check import table_identities
from evals.gold_file import GoldFile, GoldMeta
from evals.gold_new import PROACTIVE_CELLS
from evals.occurrences import SearchText
from evals.review.annotation.state import LISTS, ROWS, TABLE_FORMS, DraftState
from evals.review.annotation.values import line_value_shown, place_of, shown
from evals.review.typed import choices_of
from evals.values import is_repeatable
from pipeline.checks.statistics import SUMS
from pipeline.fact import Templates
from pipeline.schema import APPLICANTS, REMEDY_BLOCKS, FieldSpec, fields, outcome_rows, request_rows
from pipeline.statistics import StatisticsRow, local_rows, statistics_rows


@dataclass(frozen=True, slots=True)
class FormCell:
    """A place to type: its key, what stands there as typed, and what it is called."""

    key: str
    value: str
    label: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of a grid. `above` is the printed label of the group of `above_rows` that begins with it."""

    label: str
    meaning: str
    cells: tuple[FormCell, ...]
    above: str = ""
    above_rows: int = 0
    level: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class FormTable:
    """A grid with the heads of its columns."""

    id: str
    heads: tuple[str, ...]
    rows: tuple[FormRow, ...]


@dataclass(frozen=True, slots=True)
class FormField:
    """A metadata field; `choices` where it is limited to some values."""

    key: str
    name: str
    value: str
    label: str
    meaning: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line of the prose. `span` is where its print stands, "" where it does not."""

    id: str
    line: str
    shown: dict[str, str]
    span: str
    label: str
    meaning: str
    has_label: bool


@dataclass(frozen=True, slots=True)
class FormItem:
    """A text item with the places of its start and its end."""

    id: str
    item: str
    starts: str
    ends: str
    starts_span: str
    ends_span: str


@dataclass(frozen=True, slots=True)
class BrokenSum:
    """An identity that the figures break: both sides, and a cell of it."""

    finding: str
    label: str
    expected: str
    printed: str
    key: str


@dataclass(frozen=True, slots=True)
class Form:
    """Everything that the form shows."""

    status: str
    templates: dict[str, str]
    meta: tuple[FormField, ...]
    proactive: tuple[FormTable, ...]
    requests: FormTable | None
    remedies: FormTable | None
    statistics: FormTable | None
    lines: tuple[FormLine, ...]
    problems: tuple[FormItem, ...]
    improvements: tuple[FormItem, ...]
    findings: tuple[str, ...]
    broken: tuple[BrokenSum, ...]
    notes: str
    filled: int
    places: int

    @property
    def percent(self) -> int:
        """How many of the places are filled, in per cent; 100 only when all are."""
        return 100 * self.filled // self.places


def form_of(state: DraftState, text: SearchText) -> Form:
    """The form of a draft beside the canonical `text` of its document."""
    filled, places = progress(state)
    templates = {key: state.value(f"templates.{key}") or "" for key in Templates.model_fields}
    return Form(
        status=state.head["status"],
        templates=templates,
        meta=tuple(_meta(state)),
        proactive=_proactive(state, templates["proactive"]),
        requests=_requests(state, templates["requests"]),
        remedies=_remedies(state, templates["remedies"]),
        statistics=_statistics(state, templates["document"]),
        lines=tuple(line_of(state, key, text) for key in state.lists["narrative"]),
        problems=tuple(item_shown(state, "text.problems", key, text) for key in state.lists["text.problems"]),
        improvements=tuple(
            item_shown(state, "text.improvements", key, text) for key in state.lists["text.improvements"]
        ),
        findings=tuple(state.value("findings")),
        broken=broken_sums(state),
        notes=state.value("notes") or "",
        filled=filled,
        places=places,
    )


def progress(state: DraftState) -> tuple[int, int]:
    """How many places are annotated, of how many that a finished file needs."""
    places = state.places
    return sum(state.value(key) is not None for key in places), len(places)


def _cell(state: DraftState, path: str, label: str) -> FormCell:
    spec = fields().get(path)
    return FormCell(path, shown(state.value(path)), label, "" if spec is None else spec.meaning)


def _meta(state: DraftState) -> Iterator[FormField]:
    for name in GoldMeta.model_fields:
        key = f"meta.{name}"
        spec = fields()[key]
        yield FormField(key, name, shown(state.value(key)), spec.label, spec.meaning, choices_of(key))


def _proactive(state: DraftState, form: str) -> tuple[FormTable, ...]:
    """Items that share their columns stand in one table, as they are printed."""
    items = PROACTIVE_CELLS.get(form, {})
    tables = []
    for number, (columns, group) in enumerate(groupby(items, key=lambda item: items[item])):
        rows = []
        for item in group:
            specs = [fields()[f"proactive.{item}.{column}"] for column in columns]
            label, meaning = (part.rpartition(sep)[0] for part, sep in _parts(specs[0]))
            cells = tuple(_cell(state, spec.path, f"{label}，{_last(spec)}") for spec in specs)
            rows.append(FormRow(label, meaning, cells))
        heads = tuple(
            _with_unit(fields()[f"proactive.{rows_item}.{column}"])
            for rows_item, column in _heads(items, columns)
        )
        tables.append(FormTable(f"proactive-{number}", heads, tuple(rows)))
    return tuple(tables)


def _heads(items: dict[str, tuple[str, ...]], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    item = next(item for item, each in items.items() if each == columns)
    yield from ((item, column) for column in columns)


def _parts(spec: FieldSpec) -> tuple[tuple[str, str], tuple[str, str]]:
    return (spec.label, " / "), (spec.meaning, ": ")


def _last(spec: FieldSpec) -> str:
    return spec.label.rpartition(" / ")[2]


def _with_unit(spec: FieldSpec) -> str:
    return f"{_last(spec)}（{spec.unit}）" if spec.unit in ("元", "万元") else _last(spec)


def _requests(state: DraftState, form: str) -> FormTable | None:
    if form not in TABLE_FORMS:
        return None
    rows = []
    for group, members in groupby(
        request_rows("table2019" if form == "table2019" else "table2021"), key=lambda row: row.group
    ):
        listed = list(members)
        for row in listed:
            specs = [fields()[f"requests.{row.key}.{column}"] for column in APPLICANTS]
            cells = tuple(_cell(state, spec.path, f"{row.label}，{_last(spec)}") for spec in specs)
            size = len(listed) if row is listed[0] else 0
            meaning = specs[0].meaning.rpartition(": ")[0]
            rows.append(FormRow(row.label, meaning, cells, group or "", size))
    heads = tuple(_last(fields()[f"requests.granted.{column}"]) for column in APPLICANTS)
    return FormTable("requests", heads, tuple(rows))


def _remedies(state: DraftState, form: str) -> FormTable | None:
    if form not in TABLE_FORMS:
        return None
    rows = []
    for block in REMEDY_BLOCKS:
        specs = [fields()[f"remedies.{block}.{column}"] for column in ROWS["remedies"]]
        label, meaning = (part.partition(sep)[0] for part, sep in _parts(specs[0]))
        rows.append(
            FormRow(
                label, meaning, tuple(_cell(state, spec.path, f"{label}，{_last(spec)}") for spec in specs)
            )
        )
    heads = tuple(_last(fields()[f"remedies.review.{column}"]) for column in ROWS["remedies"])
    return FormTable("remedies", heads, tuple(rows))


def _statistics(state: DraftState, document: str) -> FormTable | None:
    present = list(state.head.get("statistics") or {})
    if document != "stat2014" and not present:
        return None
    national = statistics_rows() if document == "stat2014" else ()
    known = {row.key for row in national}
    others = {row.key: row for row in (*statistics_rows(), *local_rows()) if row.key}
    rows = [_statistics_row(state, row) for row in national]
    rows += [_statistics_row(state, others.get(key) or _own_row(key)) for key in present if key not in known]
    return FormTable("statistics", ("",), tuple(rows))


def _own_row(key: str) -> StatisticsRow:
    return StatisticsRow(key, key, key, "", "count", (), is_national=False)


def _statistics_row(state: DraftState, row: StatisticsRow) -> FormRow:
    spec = fields().get(f"statistics.{row.key}")
    meaning = "" if spec is None else spec.meaning.rpartition(": ")[2]
    cells = (_cell(state, f"statistics.{row.key}", row.label),) if row.key else ()
    return FormRow(row.printed, meaning, cells, level=row.level, unit=row.unit if row.key else "")


def line_of(state: DraftState, key: str, text: SearchText) -> FormLine:
    """A line as it is shown."""
    line = state.lists["narrative"][key]
    spec = fields().get(line["path"] or "")
    values = {field: line[field] or "" for field in ("path", "raw", "near", "bound", "scope", "label")}
    return FormLine(
        id=key,
        line=json.dumps(line, ensure_ascii=False),
        shown=values | {"value": line_value_shown(line)},
        span=_span(text, line["raw"], line["near"]),
        label="" if spec is None else spec.label,
        meaning="" if spec is None else spec.meaning,
        has_label=is_repeatable(line["path"] or ""),
    )


def item_shown(state: DraftState, name: str, key: str, text: SearchText) -> FormItem:
    """A text item as it is shown."""
    item = state.lists[name][key]
    return FormItem(
        id=key,
        item=json.dumps(item, ensure_ascii=False),
        starts=item["starts"] or "",
        ends=item["ends"] or "",
        starts_span=_span(text, item["starts"]),
        ends_span=_span(text, item["ends"]),
    )


def _span(text: SearchText, raw: str | None, near: str | None = None) -> str:
    span = place_of(text, raw, near)
    return "" if span is None else f"{span.start},{span.end}"


# ---- identities ----


def as_gold(state: DraftState) -> GoldFile:
    """The tables as gold, `?` in the place of what is not annotated yet; no prose."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return (
            [filled(each) for each in value] if isinstance(value, list) else "?" if value is None else value
        )

    head = state.head
    tables = {key: filled(head.get(key) or {}) for key in ("proactive", "requests", "remedies", "statistics")}
    content = {key: head[key] for key in ("doc_id", "file", "sha256")}
    content |= {"status": "draft", "annotators": [], "meta": {}, **tables}
    return GoldFile.model_validate(content | {"templates": Templates.model_validate(head["templates"])})


def broken_sums(state: DraftState) -> tuple[BrokenSum, ...]:
    """The identities that the figures typed so far break and that are not listed as findings."""
    gold = as_gold(state)
    listed = set(state.value("findings"))
    return tuple(_broken(gold, finding) for finding in sorted(table_identities(gold).broken - listed))


def _broken(gold: GoldFile, finding: str) -> BrokenSum:
    rule, _, place = finding.partition("@")
    form = "table2019" if gold.templates.requests == "table2019" else "table2021"
    if rule == "requests.row_total":
        key, parts = f"requests.{place}.total", gold.requests[place][:-1]
        return _sum(finding, key, parts, gold.requests[place][-1])
    if rule == "remedies.total":
        cells = gold.remedies[place]
        return _sum(finding, f"remedies.{place}.total", cells[:-1], cells[-1])
    if rule == "stat2014.total":
        identity = next(
            each
            for each in SUMS
            if each.whole == place and not any(key in gold.statistics for key in each.unless)
        )
        keys = [*identity.parts, *identity.more]
        parts = [gold.statistics[key] for key in keys if key in gold.statistics]
        return _sum(finding, f"statistics.{place}", parts, gold.statistics[place])
    column = APPLICANTS.index(place)
    concluded = gold.requests["concluded"][column]
    if rule == "requests.outcome_total":
        outcomes = [gold.requests[row][column] for row in outcome_rows(form) if row in gold.requests]  # type: ignore[arg-type]
        return _sum(finding, f"requests.concluded.{place}", outcomes, concluded)
    incoming = [gold.requests[row][column] for row in ("new_received", "carried_in")]
    done = _total([concluded, gold.requests["carried_out"][column]])
    return _sum(finding, f"requests.carried_out.{place}", incoming, done)


def _sum(finding: str, key: str, parts: Iterable[Any], whole: Any) -> BrokenSum:
    spec = fields().get(key)
    label = key if spec is None else spec.label
    return BrokenSum(finding, label, shown(_total(parts)), shown(_total([whole])), key)


def _total(entries: Iterable[Any]) -> int | float:
    total = sum(0 if isinstance(entry, str) else entry for entry in entries)
    return round(total, 6) if isinstance(total, float) else total


def paths_offered() -> list[dict[str, str | bool]]:
    """Every path that a line of the prose may have, with what it is called; those of the statistics last."""
    specs = [spec for spec in fields().values() if spec.group not in ("meta", "text")]
    ranked = sorted(specs, key=lambda spec: spec.group == "statistics")
    return [
        {
            "path": spec.path,
            "label": spec.label,
            "meaning": spec.meaning,
            "unit": spec.unit or "",
            "hasLabel": spec.repeatable,
        }
        for spec in ranked
    ]


def is_cell(key: str) -> bool:
    """Whether `key` is that of one typed place, not of a line, an item or a list."""
    return key.partition("/")[0] not in LISTS and key not in ("findings", "status", "annotators")


def label_of(key: str) -> str:
    """What a place is called as forms print it; its key where they do not."""
    spec = fields().get(key)
    return key if spec is None else spec.label
