"""The tables of two annotations as one: cell by cell, or a whole row where one of them has it not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from evals.gold import GoldDocument
from evals.gold_new import PROACTIVE_CELLS
from evals.review.adjudication.disagreements import Disagreement, Said
from evals.review.adjudication.places_said import PlacesSaid
from evals.review.adjudication.settling import Settling
from evals.values import same_value
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows

COLUMNS = {"requests": APPLICANTS, "remedies": OUTCOMES}
Group = Literal["proactive", "requests", "remedies"]
TABLES: tuple[Group, ...] = ("proactive", "requests", "remedies")


class MergingTables:
    """Merges the tables of one document."""

    def __init__(self, a: GoldDocument, b: GoldDocument, said: PlacesSaid, settling: Settling) -> None:
        self._a, self._b = a.file, b.file
        self._said = said
        self._settling = settling
        self._settle = settling.settle

    def table(self, group: Group, form: str | None) -> dict[str, Any]:
        """The rows of a table that both, or either, have; none where the form says there is no table."""
        if form is None or group in self._settling.waiting:
            return {}
        one, other = getattr(self._a, group), getattr(self._b, group)
        form_rows = rows_of(group, form)
        names = list(dict.fromkeys([*one, *other])) or list(form_rows)
        if self._differs(group):
            # Rows of the form that was decided against go with it.
            names = [name for name in names if name in form_rows]
        if list(one) != list(other):
            names = sorted(
                names, key=lambda name: form_rows.index(name) if name in form_rows else len(form_rows)
            )
        merged: dict[str, Any] = {}
        for name in names:
            if name in one and name in other:
                merged[name] = self._row(group, name, one[name], other[name])
                continue
            asked = self._one_sided(group, name, form, one.get(name), other.get(name))
            kept = self._settle(asked)
            if kept is None:
                cells = dict.fromkeys(asked.columns)
                merged[name] = cells if group == "proactive" else list(cells.values())
            elif kept:
                merged[name] = kept[0]
        return merged

    def _differs(self, group: str) -> bool:
        return bool(getattr(self._a.templates, group) != getattr(self._b.templates, group))

    def _one_sided(self, group: str, name: str, form: str, one: Any, other: Any) -> Disagreement:
        path = f"{group}.{name}"
        places = self._said.row(path)
        given = one if one is not None else other
        columns = COLUMNS.get(group) or tuple(given or PROACTIVE_CELLS.get(form, {}).get(name, ()))
        return Disagreement(
            path,
            "rows",
            path,
            None if one is None else Said(one, places),
            None if other is None else Said(other, places),
            f"{group}:{one is None}:{other is None}",
            columns=columns,
        )

    def _row(self, group: str, name: str, one: Any, other: Any) -> Any:
        if group == "proactive":
            return self._entries(f"{group}.{name}", one, other)
        columns = COLUMNS[group]
        cells = self._entries(f"{group}.{name}", _by_column(columns, one), _by_column(columns, other))
        return [cells.get(column) for column in columns]

    def statistics(self) -> dict[str, Any]:
        """The statistics table of 2014, key by key."""
        return self._entries("statistics", self._a.statistics, self._b.statistics)

    def _entries(self, group: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for name in dict.fromkeys([*one, *other]):
            path = f"{group}.{name}"
            if name in one and name in other and _same_entry(path, one[name], other[name]):
                merged[name] = one[name]
                continue
            spans = self._said.cell(path)
            sides = [Said(entries[name], spans) if name in entries else None for entries in (one, other)]
            kept = self._settle(Disagreement(path, "cells", path, sides[0], sides[1], group))
            if kept is None:
                merged[name] = None
            elif kept:
                merged[name] = kept[0]
        return merged


def _same_entry(path: str, one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one is other or str(one) == str(other)
    return same_value(path, one, other)


def _by_column(columns: Sequence[str], entries: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(columns, entries, strict=True))


def rows_of(group: str, form: str) -> tuple[str, ...]:
    """The rows that a form prints."""
    if group == "proactive":
        return tuple(PROACTIVE_CELLS.get(form, {}))
    if form not in ("table2019", "table2021"):
        return ()
    return REMEDY_BLOCKS if group == "remedies" else tuple(row.key for row in request_rows(form))
