"""What an unfinished gold file holds, by keys, and the steps that change it.

Keys: `templates.requests`, `meta.issuer`, `proactive.regulations.issued`, `requests.granted.total`,
`statistics.meetings`, a whole row `requests.granted`, `narrative/ID`, `text.problems/ID`, their order
`narrative`, `text.problems`, and `findings`, `notes`, `status`, `annotators`.

A value is that of the gold file, and None where nobody has annotated yet. In tables `_`, `/`, `?` and
`无` are marks as there, and `x` says that the report's form does not have the cell or row. `null` says
that the metadata are not printed. A line or an item is a mapping, or None where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from evals.gold_file import FINDING, MARKS, GoldMeta, GoldState, Text, is_known_path
from evals.gold_new import PROACTIVE_CELLS
from evals.gold_write import NOT_ANNOTATED, Content
from evals.values import is_repeatable
from pipeline.fact import Bound, Scope, Template, Templates
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, fields, request_rows, statistics_rows

ABSENT = "x"
NOT_PRINTED = "null"
LISTS = ("narrative", "text.problems", "text.improvements")
TABLE_FORMS = ("table2019", "table2021")
ROWS = {"requests": APPLICANTS, "remedies": OUTCOMES}
CELLS_ALLOWED = f"allowed are a figure, {' '.join(MARKS)}, x where the form has no such cell, or nothing"


class Step(NamedTuple):
    """One place that changes. `at` is the position in its list of a line that is made or taken away."""

    key: str
    old: Any
    new: Any
    at: int | None = None

    @property
    def back(self) -> Step:
        """The step that takes this one back."""
        return Step(self.key, self.new, self.old, self.at)


class DraftLine(BaseModel):
    """A line of the prose that may lack its path, print or value."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    path: str | None = None
    value: int | float | None = None
    raw: Text | None = None
    near: Text | None = None
    status: Literal["value", "zero_in_words", "illegible"] = "value"
    bound: Bound = "exact"
    scope: Scope | None = None
    label: Text | None = None

    @field_validator("path")
    @classmethod
    def _is_known(cls, path: str | None) -> str | None:
        if path is not None and (not is_known_path(path) or path.startswith(("meta.", "text."))):
            raise ValueError(f"path {path!r} is unknown; allowed are the number paths of the contract")
        return path


class DraftItem(BaseModel):
    """A text item that may lack its start or its end."""

    model_config = ConfigDict(extra="forbid", strict=True)

    starts: Text | None = None
    ends: Text | None = None


@dataclass
class DraftState:
    """The content without its lists, and the lists by name: items by their ID, in order."""

    head: Content
    lists: dict[str, dict[str, dict[str, Any]]]

    @classmethod
    def of(cls, content: Content, ids: Mapping[str, Sequence[str]] | None = None) -> DraftState:
        """The state of a file's content; lists get `ids` where these fit, else f1, f2, …"""
        head = {key: value for key, value in content.items() if key not in ("narrative", "text")}
        # `~` in a table is null in YAML: what is left out is the same as what is not annotated.
        head["meta"] = {key: each for key, each in content["meta"].items() if each is not NOT_ANNOTATED}
        text = content.get("text") or {}
        found = dict(
            zip(
                LISTS,
                (content.get("narrative"), text.get("problems"), text.get("improvements")),
                strict=True,
            )
        )
        lists = {
            name: dict(zip(_ids(name, len(items or ()), ids), items or (), strict=True))
            for name, items in found.items()
        }
        return cls(
            head, {name: {key: dict(item) for key, item in each.items()} for name, each in lists.items()}
        )

    @property
    def content(self) -> Content:
        """As `gold_text` writes it."""
        narrative, problems, improvements = (list(self.lists[name].values()) for name in LISTS)
        return self.head | {
            "narrative": narrative,
            "text": {"problems": problems, "improvements": improvements},
        }

    @property
    def ids(self) -> dict[str, list[str]]:
        """The IDs of every list, in order."""
        return {name: list(items) for name, items in self.lists.items()}

    def value(self, key: str) -> Any:
        """What stands at `key`. Raises ValueError for a key that there is not."""
        name, _, item = key.partition("/")
        if name in LISTS:
            found = self.lists[name].get(item)
            return (list(self.lists[name]) if not item else None) if found is None else dict(found)
        group, _, rest = key.partition(".")
        if group == "meta" and rest in GoldMeta.model_fields:
            meta = self.head["meta"]
            return (NOT_PRINTED if meta[rest] is None else meta[rest]) if rest in meta else None
        if group == "templates" and rest in Templates.model_fields:
            return self.head["templates"].get(rest)
        if group in ("findings", "annotators"):
            return list(self.head.get(group) or ())
        if group in ("notes", "status"):
            return self.head.get(group)
        return self._cell(key, group, rest)

    def _cell(self, key: str, group: str, rest: str) -> Any:
        table = self.head.get(group) or {}
        row, _, column = rest.partition(".")
        if group in ROWS and row and column in ("", *ROWS[group]):
            if row not in table:
                return ABSENT
            return table[row][ROWS[group].index(column)] if column else list(table[row])
        if group == "proactive" and key in fields():
            return table.get(row, {}).get(column, ABSENT)
        if group == "statistics" and rest and is_known_path(key):
            return table.get(rest, ABSENT)
        raise ValueError(f"{key!r} is no key of a gold file")

    def steps(self, key: str, new: Any, at: int | None = None) -> list[Step]:
        """The steps that make `new` stand at `key`; more than one where rows come and go with it.

        Raises ValueError with the key and what is allowed when `new` cannot stand there.
        """
        old = self.value(key)
        new = checked(key, new)
        steps = list(self._steps(key, old, new, at))
        if key not in ("status", "annotators", "notes") and self.head["status"] != "draft":
            steps.append(Step("status", self.head["status"], "draft"))
        return steps

    def _steps(self, key: str, old: Any, new: Any, at: int | None) -> Iterator[Step]:
        group, _, rest = key.partition(".")
        name, _, item = key.partition("/")
        if group == "templates":
            yield from self._form_steps(rest, new)
        elif group in ROWS and "." in rest and ABSENT in (old, new):
            yield from self._row_steps(key, new)
        elif name in LISTS and not item and sorted(new) != sorted(old):
            raise ValueError(f"{key}: {new} does not have the same items as before: {old}")
        elif name in LISTS and item and None in (old, new):
            places = list(self.lists[name])
            yield Step(key, old, new, places.index(item) if item in places else at)
        else:
            yield Step(key, old, new)

    def _row_steps(self, key: str, new: Any) -> Iterator[Step]:
        """`x` in a cell stands for the whole row; a figure in a row that is not there brings it back."""
        group, row, column = key.split(".")
        columns = ROWS[group]
        whole: Any = ABSENT
        if new != ABSENT:
            whole = [new if each == column else None for each in columns]
        yield Step(f"{group}.{row}", self.value(f"{group}.{row}"), whole)

    def _form_steps(self, which: str, form: str | None) -> Iterator[Step]:
        """A form brings its rows and takes away those of the form before."""
        forms = {which: form}
        if which == "document":
            tables = form if form in TABLE_FORMS else None
            forms |= {"proactive": tables, "requests": tables, "remedies": tables}
            yield from self._statistics_steps(form)
        for name, each in forms.items():
            yield Step(f"templates.{name}", self.value(f"templates.{name}"), each)
            if name != "document":
                yield from self._table_steps(name, each)

    def _statistics_steps(self, form: str | None) -> Iterator[Step]:
        table = self.head.get("statistics") or {}
        if form == "stat2014" and not table:
            yield from (Step(f"statistics.{row.key}", ABSENT, None) for row in statistics_rows() if row.key)
        elif form != "stat2014" and all(entry is None for entry in table.values()):
            yield from (Step(f"statistics.{key}", None, ABSENT) for key in table)

    def _table_steps(self, group: str, form: str | None) -> Iterator[Step]:
        wanted = form_keys(group, form)
        width = len(ROWS[group]) if group in ROWS else 0
        for key in self._keys(group):
            if key not in wanted:
                yield Step(key, self.value(key), ABSENT)
        for key in wanted:
            if self.value(key) == ABSENT:
                yield Step(key, ABSENT, [None] * width if width else None)

    def _keys(self, group: str) -> list[str]:
        """The rows that a table has, or for the proactive table its cells."""
        table = self.head.get(group) or {}
        if group == "proactive":
            return [f"proactive.{item}.{column}" for item, columns in table.items() for column in columns]
        return [f"{group}.{row}" for row in table]

    def apply(self, step: Step) -> None:
        """Put `step.new` at its key. Raises LookupError where `step.old` does not stand there."""
        key, new = step.key, step.new
        if self.value(key) != step.old:
            raise LookupError(f"{key} holds {self.value(key)!r}, not {step.old!r}")
        name, _, item = key.partition("/")
        group, _, rest = key.partition(".")
        if name in LISTS:
            self.lists[name] = _list_with(self.lists[name], item, new, step.at)
        elif group == "meta":
            self.head["meta"].pop(rest, None)
            if new is not None:
                self.head["meta"][rest] = None if new == NOT_PRINTED else new
        elif group == "templates":
            self.head["templates"][rest] = new
        elif group in ("findings", "annotators", "notes", "status"):
            self.head[group] = new
        else:
            self._put(group, rest, new)

    def _put(self, group: str, rest: str, new: Any) -> None:
        table = self.head.get(group) or {}
        row, _, column = rest.partition(".")
        if group in ROWS and column:
            table[row][ROWS[group].index(column)] = new
        elif group == "proactive":
            columns = {key: value for key, value in table.get(row, {}).items() if key != column}
            table |= {row: columns if new == ABSENT else columns | {column: new}}
        else:
            table = {key: value for key, value in table.items() if key != rest}
            table |= {} if new == ABSENT else {rest: new}
        self.head[group] = _in_order(group, table)

    @property
    def places(self) -> list[str]:
        """The keys of everything that a finished file needs: the form, metadata, cells of the tables."""
        cells = [
            f"{key}.{column}"
            for group, columns in ROWS.items()
            for key in self._keys(group)
            for column in columns
        ]
        return [
            "templates.document",
            *(f"meta.{key}" for key in GoldMeta.model_fields),
            *self._keys("proactive"),
            *cells,
            *self._keys("statistics"),
        ]

    @property
    def missing(self) -> list[str]:
        """The keys of `places` where nobody has annotated yet, and of lines and items that lack a part."""
        lines = [f"narrative/{key}" for key, line in self.lists["narrative"].items() if not _is_whole(line)]
        items = [
            f"{name}/{key}"
            for name in LISTS[1:]
            for key, item in self.lists[name].items()
            if not (item.get("starts") and item.get("ends"))
        ]
        return [*(key for key in self.places if self.value(key) is None), *lines, *items]


def form_keys(group: str, form: str | None) -> list[str]:
    """The rows of a form, or for the proactive table its cells, in printed order."""
    if form not in TABLE_FORMS:
        return []
    if group == "proactive":
        return [
            f"proactive.{item}.{each}" for item, columns in PROACTIVE_CELLS[form].items() for each in columns
        ]
    if group == "remedies":
        return [f"remedies.{block}" for block in REMEDY_BLOCKS]
    return [
        f"requests.{row.key}" for row in request_rows("table2019" if form == "table2019" else "table2021")
    ]


def checked(key: str, value: Any) -> Any:
    """`value` in the form in which the file holds it. Raises ValueError with the key and what is allowed."""
    name, _, item = key.partition("/")
    group, _, rest = key.partition(".")
    if name in LISTS:
        return _checked_item(key, name, value) if item else _checked_names(key, value)
    if group == "meta":
        return _checked_meta(key, rest, value)
    if group in ("templates", "status"):
        allowed = get_args(Template) if group == "templates" else get_args(GoldState)
        if value not in allowed and not (value is None and group == "templates"):
            raise ValueError(f"{key}: {value!r}; allowed are {', '.join(allowed)}")
        return value
    if group in ("findings", "annotators"):
        wrong = [
            each for each in _checked_names(key, value) if group == "findings" and not FINDING.fullmatch(each)
        ]
        if wrong:
            raise ValueError(f"{key}: {wrong[0]!r} is no rule@column, rule@row or rule@block")
        return list(value)
    if group == "notes":
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{key}: {value!r}; allowed is text")
        return value or None
    return [_entry(key, each) for each in value] if isinstance(value, list) else _entry(key, value)


def _checked_names(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{key}: {value!r}; allowed is a list of names")
    if len(set(value)) != len(value):
        raise ValueError(f"{key}: a name stands twice in {value}")
    return value


def _checked_item(key: str, name: str, value: Any) -> Any:
    if value is None:
        return None
    form: type[BaseModel] = DraftLine if name == "narrative" else DraftItem
    try:
        return form.model_validate(value).model_dump()
    except ValidationError as error:
        raise ValueError(f"{key}: {_said(error)}") from None


def _checked_meta(key: str, rest: str, value: Any) -> Any:
    if value is None or value == NOT_PRINTED:
        return value
    try:
        return getattr(GoldMeta.model_validate({rest: value}), rest)
    except ValidationError as error:
        raise ValueError(f"{key}: {_said(error)}") from None


def _said(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"] if isinstance(part, str) and "[" not in part)
    said = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {said}; found {str(fault['input'])[:80]!r}"


def _entry(key: str, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if value is not None and not is_number and value not in (*MARKS, ABSENT):
        raise ValueError(f"{key}: {value!r}; {CELLS_ALLOWED}")
    return value


def _ids(name: str, count: int, ids: Mapping[str, Sequence[str]] | None) -> Sequence[str]:
    given = (ids or {}).get(name, ())
    return (
        given if len(given) == count == len(set(given)) else [f"f{number}" for number in range(1, count + 1)]
    )


def _list_with(
    items: dict[str, dict[str, Any]], item: str, new: Any, at: int | None
) -> dict[str, dict[str, Any]]:
    if not item:
        return {key: items[key] for key in new}
    if new is None:
        return {key: value for key, value in items.items() if key != item}
    if item in items or at is None:
        return items | {item: new}
    pairs = list(items.items())
    return dict([*pairs[:at], (item, new), *pairs[at:]])


def _is_whole(line: Mapping[str, Any]) -> bool:
    has_value = line.get("value") is not None or line.get("status") == "illegible"
    has_label = bool(line.get("label")) or not is_repeatable(line.get("path") or "")
    return bool(line.get("path") and line.get("raw") and has_value and has_label)


def _in_order(group: str, table: dict[str, Any]) -> dict[str, Any]:
    """Rows as the contract lists them; rows that it does not list stay behind, in their order."""
    known = list(dict.fromkeys(_row_of(group, path) for path in fields() if path.startswith(f"{group}.")))
    ranks = {row: rank for rank, row in enumerate(known)}
    ordered = {row: table[row] for row in sorted(table, key=lambda row: ranks.get(row, len(ranks)))}
    if group != "proactive":
        return ordered
    return {
        item: {key: columns[key] for key in sorted(columns, key=lambda key: _column_rank(item, key))}
        for item, columns in ordered.items()
        if columns
    }


def _row_of(group: str, path: str) -> str:
    rest = path.removeprefix(f"{group}.")
    return rest if group == "statistics" else rest.partition(".")[0]


def _column_rank(item: str, column: str) -> int:
    return list(fields()).index(f"proactive.{item}.{column}")
