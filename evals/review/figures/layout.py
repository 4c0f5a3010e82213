"""Places → groups in the order of the forms, tables as tables, the rest as lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from evals.review.figures.places import Places
from evals.review.figures.views import Block, Column, Grid, Row, Section
from pipeline.fact import Record
from pipeline.schema import (
    APPLICANTS,
    OUTCOMES,
    REMEDY_BLOCKS,
    Meta,
    Report,
    fields,
    request_rows,
    statistics_rows,
)
from pipeline.tables.templates import TableTemplate, expected_cells

_TEMPLATES: tuple[TableTemplate, ...] = get_args(TableTemplate)


def sections_of(record: Record, places: Places) -> Iterator[Section]:
    """The groups that the document has."""
    for key, info in Report.model_fields.items():
        grids = [grid for grid in _grids(key, record, places) if grid.blocks]
        grids += _lists(key, places)
        if grids:
            yield Section(key, str(info.title), str(info.description), tuple(grids))


def _grids(group: str, record: Record, places: Places) -> Iterator[Grid]:
    if group == "meta":
        yield _meta(places)
    elif group == "proactive":
        yield Grid("grid:proactive", "proactive", tuple(_proactive(record, places)))
    elif group == "requests":
        form = _form(record.templates.requests)
        rows = _matrix("requests", _request_rows(form, places), APPLICANTS, places)
        yield _one_block("requests", "requests.granted", APPLICANTS, rows)
    elif group == "remedies":
        blocks = [(f"remedies.{block}", None) for block in REMEDY_BLOCKS]
        is_printed = record.templates.remedies in _TEMPLATES
        wanted = [row for row in blocks if is_printed or _has_any(row[0], OUTCOMES, places)]
        yield _one_block(
            "remedies", "remedies.review", OUTCOMES, _matrix("remedies", wanted, OUTCOMES, places)
        )
    elif group == "statistics":
        yield _statistics(record, places)


def _form(template: str | None) -> TableTemplate | None:
    return next((form for form in _TEMPLATES if form == template), None)


def _last_label(path: str) -> str:
    return fields()[path].label.split(" / ")[-1]


def _with_unit(path: str, label: str) -> str:
    """Amounts are in the unit of their field, whatever the report prints."""
    spec = fields().get(path)
    return f"{label}（{spec.unit}）" if spec is not None and spec.kind in ("yuan", "wan_yuan") else label


def _last_meaning(path: str) -> str:
    return fields()[path].meaning.split(": ")[-1]


def _one_block(
    form: Literal["requests", "remedies"], row: str, columns: Sequence[str], rows: Sequence[Row]
) -> Grid:
    heads = tuple(
        Column(_last_label(f"{row}.{column}"), _last_meaning(f"{row}.{column}")) for column in columns
    )
    return Grid(f"grid:{form}", form, (Block(heads, tuple(rows)),) if rows else ())


def _has_any(row: str, columns: Sequence[str], places: Places) -> bool:
    return any(places.has_cell(f"{row}.{column}") for column in columns)


def _request_rows(form: TableTemplate | None, places: Places) -> list[tuple[str, str | None]]:
    """The rows of the form, and those of the other form that were read none the less."""
    own = {row.key for row in request_rows(form)} if form else set()
    known = {row.key: row.group for each in _TEMPLATES for row in request_rows(each)}
    order = [
        path.split(".")[1] for path in fields() if path.startswith("requests.") and path.endswith(".total")
    ]
    return [
        (f"requests.{key}", known[key])
        for key in order
        if key in known and (key in own or _has_any(f"requests.{key}", APPLICANTS, places))
    ]


def _matrix(
    form: str, rows: Sequence[tuple[str, str | None]], columns: Sequence[str], places: Places
) -> list[Row]:
    made = []
    for at, (row, group) in enumerate(rows):
        is_first = group is not None and (at == 0 or rows[at - 1][1] != group)
        span = next((n for n, (_, other) in enumerate(rows[at:]) if other != group), len(rows) - at)
        label = fields()[f"{row}.{columns[0]}"].label.split(" / ")[-2]
        meaning = fields()[f"{row}.{columns[0]}"].meaning.split(": ")[:-1]
        cells = tuple(
            places.cell(f"{row}.{column}", label, _last_label(f"{row}.{column}")) for column in columns
        )
        above = group if is_first else None
        made.append(Row(f"row:{row}", label, ": ".join(meaning), cells, above, span if is_first else 1,
                        level=0 if group is None else 1))  # fmt: skip
    return made


def _proactive(record: Record, places: Places) -> Iterator[Block]:
    """The rows of the form under heads with their columns; a head stands again where they change."""
    form = _form(record.templates.proactive)
    paths = [cell.path for cell in expected_cells("proactive", form)] if form else []
    more = [
        cell.path
        for each in _TEMPLATES
        for cell in expected_cells("proactive", each)
        if places.has_cell(cell.path) and cell.path not in paths
    ]
    order = list(fields())
    items: dict[str, list[str]] = {}
    for path in sorted(dict.fromkeys([*paths, *more]), key=order.index):
        items.setdefault(path.rpartition(".")[0], []).append(path)
    columns: tuple[str, ...] | None = None
    rows: list[Row] = []
    heads: tuple[Column, ...] = ()
    for item, cells in items.items():
        names = tuple(path.rpartition(".")[2] for path in cells)
        if names != columns:
            if rows:
                yield Block(heads, tuple(rows))
            columns, rows = names, []
            heads = tuple(Column(_with_unit(path, _last_label(path)), _last_meaning(path)) for path in cells)
        label = fields()[cells[0]].label.split(" / ")[0]
        meaning = fields()[cells[0]].meaning.split(": ")[0]
        made = tuple(places.cell(path, label, _last_label(path)) for path in cells)
        rows.append(Row(f"row:{item}", label, meaning, made))
    if rows:
        yield Block(heads, tuple(rows))


def _meta(places: Places) -> Grid:
    rows = tuple(
        Row(f"row:{place.path}", place.label, place.meaning, (place,))
        for place in (places.meta(f"meta.{key}") for key in Meta.model_fields)
    )
    return Grid("grid:meta", "meta", (Block((), rows),))


def _statistics(record: Record, places: Places) -> Grid:
    """The national form whole where it is one, else the rows that were read."""
    is_national = record.templates.document == "stat2014"
    rows: list[Row] = []
    for row in statistics_rows():
        path = f"statistics.{row.key}"
        if row.key is None:
            if is_national:
                rows.append(Row(f"head:{row.printed}", row.printed, "", (), level=row.level))
        elif is_national or places.has_cell(path):
            cell = places.cell(path, row.label)
            rows.append(
                Row(f"row:{path}", _with_unit(path, row.printed), cell.meaning, (cell,), level=row.level)
            )
    return Grid("grid:statistics", "statistics", (Block((), tuple(rows)),) if rows else ())


def _lists(group: str, places: Places) -> Iterator[Grid]:
    """Figures of the prose, and what else has no cell: a row each."""
    rows = tuple(
        Row(f"row:{place.slot}", _with_unit(place.path, place.label), place.meaning, (place,))
        for place in places.rest(group)
    )
    if rows:
        form: Literal["items", "list"] = "items" if group == "text" else "list"
        yield Grid(f"list:{group}", form, (Block((), rows),))
