"""What a person asked for on the page → a change in the review log.

The machine's fact is never touched: a correction is a fact of its own, of method `human`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from evals.review.figures.cells import cells_of
from evals.review.figures.document import DocumentView
from evals.review.typed import Typed, TypedWrong, read_typed, shown
from pipeline.document import Document, Span
from pipeline.fact import Bound, Evidence, Fact, Record, Source
from pipeline.runs.corrected import Figure
from pipeline.runs.reviews import Action, ReviewEvent, ReviewLog, Target
from pipeline.schema import APPLICANTS, REMEDY_BLOCKS, fields
from pipeline.tables.templates import proactive_cells

_MOST_TARGETS = 2000


class ChangeWrong(ValueError):
    """A change that cannot be made: a key of words.yaml, what it quotes, and the field that it is about."""

    def __init__(self, word: str, /, field: str = "", **values: object) -> None:
        super().__init__(f"{word}: {values}")
        self.word = word
        self.field = field
        self.values = values


class Seen(BaseModel):
    """A figure and the number of its newest change that the window has seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    base: int = Field(ge=0)


class Asked(BaseModel):
    """The body of POST /documents/{n}/figures.

    `figures` are what the change is about; for `add` there is none, but `path` and `span`, where it is
    printed, or nothing where the place follows from the cells around it. What is None stays as it is; a
    scope of "none" takes the scope away. `since` is the newest change that the window knows, `record` the
    place of the record that it shows: what was read anew since may be other figures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Action
    figures: tuple[Seen, ...] = Field(default=(), max_length=_MOST_TARGETS)
    typed: str | None = Field(default=None, max_length=4000)
    bound: Bound | None = None
    scope: Literal["own", "jurisdiction", "none"] | None = None
    reason: str = Field(default="", max_length=2000)
    path: str | None = None
    span: tuple[int, int] | None = None
    label: str | None = Field(default=None, max_length=200)
    since: int = Field(default=0, ge=0)
    record: int | None = Field(default=None, ge=0)


@dataclass(frozen=True)
class Reviewer:
    """Who writes into which log."""

    log: ReviewLog
    annotator: str

    def change(self, view: DocumentView, asked: Asked, document: Document | None) -> list[ReviewEvent]:
        """Write what was asked. On disk when this returns.

        Raises ChangeWrong, TypedWrong, ReviewConflict, ReviewRefused, StartError; of several figures
        those before it are written then.
        """
        if asked.action == "add":
            fact = _added(view, asked, document)
            target = Target.of(fact)
            known = view.figures.get(target.key)
            if known is not None and known.verdict != "removed":
                raise ChangeWrong("review.is_there", "path", value=shown(known.fact))
            return [self._write(view.record, "add" if known is None or known.machine is None else "correct",
                                target, fact, asked, known)]  # fmt: skip
        return [self._one(view, asked, seen) for seen in asked.figures]

    def _one(self, view: DocumentView, asked: Asked, seen: Seen) -> ReviewEvent:
        figure = view.figures.get(seen.key)
        if figure is None:
            raise ChangeWrong("review.no_figure", key=seen.key)
        action, fact = asked.action, None
        if action == "correct":
            fact = _corrected(figure, asked)
            if figure.verdict in ("unchecked", "confirmed") and figure.machine is not None:
                action = "confirm" if _is_same(fact, figure.machine) else "correct"
                fact = None if action == "confirm" else fact
        if action == "confirm" and figure.fact is None:
            raise ChangeWrong("review.not_there", key=seen.key)
        undoes = None
        if action == "undo":
            if figure.last is None:
                raise ChangeWrong("review.nothing_to_undo")
            undoes = figure.last.number
        return self._write(view.record, action, figure.target, fact, asked, figure, seen.base, undoes)

    def _write(
        self,
        record: Record,
        action: Action,
        target: Target,
        fact: Fact | None,
        asked: Asked,
        figure: Figure | None,
        base: int | None = None,
        undoes: int | None = None,
    ) -> ReviewEvent:
        seen = None if figure is None else figure.machine
        return self.log.append(
            record.doc_id,
            record.sha256,
            self.annotator,
            action,
            target,
            fact,
            asked.reason,
            undoes,
            # A figure that was added and undone is none any more; its number goes on.
            base if base is not None or figure is None else figure.base,
            seen=seen,
        )


def _is_same(a: Fact, b: Fact) -> bool:
    return (a.value, a.status, a.bound, a.scope, a.label) == (b.value, b.status, b.bound, b.scope, b.label)


def _corrected(figure: Figure, asked: Asked) -> Fact:
    """The person's fact: what was typed, and the rest as it was."""
    before = figure.fact or figure.human or figure.machine
    if before is None:
        raise ChangeWrong("review.no_figure", key=figure.key)
    if asked.typed is None:
        typed = Typed(before.value, before.status, before.bound)
    else:
        typed = read_typed(before.path, asked.typed)
    return before.model_copy(
        update={
            "value": typed.value,
            "status": typed.status,
            "raw": _print_of(figure, before, typed, asked.typed),
            "bound": _bound(asked, typed),
            "scope": before.scope if asked.scope is None else _scope(asked),
            "method": "human",
            "confidence": None,
            "alternatives": (),
        }
    )


def _print_of(figure: Figure, before: Fact, typed: Typed, as_typed: str | None) -> str:
    """What a cell prints: another value is typed as it stands there. In prose the words around it stay."""
    if before.source != "table" or (typed.value, typed.status) == (before.value, before.status):
        return before.raw
    machine = figure.machine
    if machine is not None and (typed.value, typed.status) == (machine.value, machine.status):
        return machine.raw
    if typed.status == "illegible":
        return before.raw if machine is None else machine.raw
    return "" if typed.status == "blank" else (as_typed or "").strip()


def _bound(asked: Asked, typed: Typed) -> Bound:
    """A bound goes with a number; what was typed with it counts before what was chosen."""
    if typed.status != "value" or isinstance(typed.value, str):
        return "exact"
    return typed.bound if typed.bound != "exact" or asked.bound is None else asked.bound


def _scope(asked: Asked) -> Literal["own", "jurisdiction"] | None:
    return None if asked.scope in (None, "none") else asked.scope  # type: ignore[return-value]


# ---- what the machine missed ----


def _added(view: DocumentView, asked: Asked, document: Document | None) -> Fact:
    path = asked.path or ""
    spec = fields().get(path)
    if spec is None:
        raise ChangeWrong("review.choose_field", "path", path=path)
    if asked.typed is None or not asked.typed.strip():
        raise ChangeWrong("review.type_value", "typed")
    typed = read_typed(path, asked.typed)
    label = (asked.label or "").strip()
    if spec.repeatable and path == "proactive.category" and not label:
        raise ChangeWrong("review.needs_label", "label")
    place = _evidence(view, asked, document, path, typed)
    text = view.text or ""
    return Fact(
        path=path,
        value=typed.value,
        status=typed.status,
        bound=_bound(asked, typed),
        raw=text[place.start : place.end],
        unit=spec.unit,
        source=_source(path, text, place, asked),
        method="human",
        scope=_scope(asked),
        evidence=place,
        label=label if path == "proactive.category" else None,
    )


def _source(path: str, text: str, place: Evidence, asked: Asked) -> Source:
    """Metadata are their own; a cell of a form is one where it is typed into one, or stands in a table."""
    if path.startswith("meta."):
        return "metadata"
    is_of_form = is_table_path(path)
    if is_of_form and (asked.span is None or place.table is not None or _is_in_row(text, place)):
        return "table"
    return "narrative"


def is_table_path(path: str) -> bool:
    """Whether a form has a cell for the field."""
    group, _, rest = path.partition(".")
    if group == "statistics":
        return True
    if group == "proactive":
        return any(cell.path == path for cell in proactive_cells())
    row, _, column = rest.partition(".")
    if group == "remedies":
        return row in REMEDY_BLOCKS
    return group == "requests" and column in APPLICANTS and row not in ("answered", "by_channel")


def _is_in_row(text: str, place: Evidence) -> bool:
    start, end = text.rfind("\n", 0, place.start) + 1, text.find("\n", place.end)
    return "\t" in text[start : len(text) if end < 0 else end]


def _evidence(
    view: DocumentView, asked: Asked, document: Document | None, path: str, typed: Typed
) -> Evidence:
    """Where it is printed: what was selected, else the cell that the row and the column lead to."""
    text = view.text
    if text is None:
        raise ChangeWrong("review.no_text")
    if asked.span is not None:
        start, end = asked.span
        if not 0 <= start <= end <= len(text):
            raise ChangeWrong("review.outside", "span", start=start, end=end, length=len(text))
        return _placed(Span(start, end), document)
    cells = [
        found for found in cells_of(view, text, path) if _prints(text[found.start : found.end], typed, path)
    ]
    if len(cells) != 1:
        raise ChangeWrong("review.select_meta" if path.startswith("meta.") else "review.select_print", "span")
    return _placed(cells[0], document)


def _placed(span: Span, document: Document | None) -> Evidence:
    plain = Evidence(start=span.start, end=span.end)
    if document is None or span.end > len(document.text):
        return plain
    for table in document.tables:
        if not table.span.covers(span):
            continue
        for cell in table.cells:
            if cell.span.covers(span):
                at = {"table": table.index, "row": cell.row, "column": cell.column, "page": cell.page}
                return plain.model_copy(update=at)
    return plain.model_copy(update={"page": document.page_of(span)})


def _prints(raw: str, typed: Typed, path: str) -> bool:
    """Whether a cell reads like what was typed; a figure is never laid on a cell with another one."""
    if typed.status == "illegible":
        return True
    if typed.status == "blank":
        return not raw.strip()
    if typed.status == "zero_in_words":
        return raw.strip() in ("无", "零", "没有")
    try:
        return read_typed(path, raw) == typed
    except TypedWrong:
        return False
