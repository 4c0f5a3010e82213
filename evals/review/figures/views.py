"""What the page shows of a document: places with figures, rows, tables, groups.

A place is where a figure stands on the page: a cell of a form, also one that nothing was read
for, or a line of a list. Its `slot` names it on the page; `key` names the figure that it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from evals.review.typed import name_of
from pipeline.fact import Bound, Method, Scope, Severity, Source, Status
from pipeline.runs.corrected import Verdict

Kind = Literal["flagged", "unchecked", "checked", "empty"]


@dataclass(frozen=True, slots=True)
class FigureView:
    """A place with its figure. `was` is the machine's reading where a person's stands before it."""

    slot: str
    path: str
    source: Source
    name: str
    label: str
    meaning: str
    key: str = ""
    shown: str = ""
    was: str = ""
    verdict: Verdict | Literal["absent"] = "absent"
    base: int = 0
    flag: Severity | Literal[""] = ""
    is_unsure: bool = False
    start: int | None = None
    end: int | None = None
    before: str = ""
    raw: str = ""
    after: str = ""
    subject: str = ""
    status: Status | None = None
    bound: Bound | None = None
    scope: Scope | None = None
    method: Method | None = None
    confidence: float | None = None

    @property
    def kind(self) -> Kind:
        """What is to be done about it: what a person has looked at is checked, whatever the findings."""
        if self.verdict == "absent":
            return "empty"
        if self.verdict != "unchecked":
            return "checked"
        return "flagged" if self.flag in ("error", "warning") else "unchecked"

    @property
    def choice(self) -> str:
        """The Chinese name of one of a few values, which are English words in the data."""
        return name_of(self.path, self.shown)

    @property
    def is_long(self) -> bool:
        """Whether it is a text of its own and no figure."""
        return self.path.startswith("text.")


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column: printed label, meaning."""

    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. `above` heads it and the rows below it that have none, `span` of them together."""

    slot: str
    label: str
    meaning: str
    cells: tuple[FigureView, ...]
    above: str | None = None
    span: int = 1
    level: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under one head; the table of proactive disclosure has several."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of the forms, or a list."""

    slot: str
    form: Literal["proactive", "requests", "remedies", "statistics", "meta", "list", "items"]
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> Iterator[Row]:
        """All rows."""
        return (row for block in self.blocks for row in block.rows)

    @property
    def is_list(self) -> bool:
        """Whether a row is about one figure and has its print beside it."""
        return self.form in ("meta", "list", "items")

    @property
    def has_groups(self) -> bool:
        """Whether rows stand under heads of their own."""
        return any(row.above is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields."""

    key: str
    label: str
    meaning: str
    grids: tuple[Grid, ...]
