"""The table `corrections`: what people said about the figures, with the machine's reading beside theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from pipeline.export.rows import BOUNDS, SCOPES, SOURCES, STATUS_WORDS
from pipeline.export.table import Column, Row, TableSpec, Value
from pipeline.fact import Fact
from pipeline.runs.corrected import Changed, Figure, Orphan
from pipeline.runs.reviews import Action, ReviewEvent

State = Literal["in_force", "replaced", "orphaned"]

_MADE: tuple[str, ...] = tuple(action for action in get_args(Action) if action != "undo")


def _reading(whose: str, prefix: str) -> tuple[Column, ...]:
    return (
        Column(
            f"{prefix}_value",
            "number",
            f"figure as {whose} read it; empty for text and where there is none",
            status=f"{prefix}_status",
        ),
        Column(f"{prefix}_value_text", "text", f"text or date as {whose} read it"),
        Column(f"{prefix}_status", "text", f"status as {whose} read it", values=STATUS_WORDS),
        Column(f"{prefix}_raw", "text", f"print as {whose} read it"),
    )


def _kind(whose: str, prefix: str) -> tuple[Column, ...]:
    """A person may leave the value and correct what kind of figure it is, or of which field."""
    return (
        Column(f"{prefix}_path", "text", f"field that {whose} took it for"),
        Column(f"{prefix}_bound", "text", f"bound as {whose} read it", values=BOUNDS),
        Column(f"{prefix}_scope", "text", f"scope as {whose} read it", values=SCOPES),
        Column(f"{prefix}_label", "text", f"subject of a proactive.category as {whose} read it"),
    )


CORRECTIONS = TableSpec(
    "corrections",
    (
        Column("doc_id", "text", "document"),
        Column("path", "text", "field, as in the codebook"),
        Column("source", "text", "table, narrative or metadata", values=SOURCES),
        Column(
            "action",
            "text",
            "confirm (right as it stood), correct, remove (no figure of this field) or add",
            values=_MADE,
        ),
        *_reading("the machine", "machine"),
        *_reading("the person", "human"),
        Column("annotator", "text", "who made the change"),
        Column("at", "text", "when, ISO 8601 in UTC"),
        Column("reason", "text", "why, in words of the annotator"),
        Column(
            "state",
            "text",
            "in_force, replaced (by a later change of the same figure) or orphaned (the run has no such "
            "figure any more: not applied)",
            values=get_args(State),
        ),
        Column("label", "text", "subject of a proactive.category"),
        Column("start", "integer", "first character in the canonical text, counted from 0"),
        Column("end", "integer", "character after the last in the canonical text"),
        Column("number", "integer", "number of the change in review.jsonl of its run"),
        Column("run", "text", "run of the document"),
        *_kind("the machine", "machine"),
        *_kind("the person", "human"),
    ),
    "one row a change that a person made and nobody undid; confirmations are changes too",
)


def correction_rows(found: Changed) -> Iterator[Row]:
    """The changes of a document in the order in which they were made."""
    rows = [row for figure in found.figures for row in _rows_of(figure)]
    rows += [_row(each.event, each.event.seen, "orphaned") for each in found.orphaned]
    yield from sorted(rows, key=lambda row: int(row["number"] or 0))


def orphan_rows(orphaned: Iterable[Orphan]) -> Iterator[Row]:
    """The changes of documents that a run no longer has."""
    return (_row(each.event, each.event.seen, "orphaned") for each in orphaned)


def _rows_of(figure: Figure) -> Iterator[Row]:
    """The change that decides and those that confirm it are in force; what was before them is replaced."""
    deciding = [place for place, event in enumerate(figure.events) if event.action != "confirm"]
    first = deciding[-1] if deciding else 0
    for place, event in enumerate(figure.events):
        yield _row(event, figure.machine, "in_force" if place >= first else "replaced")


def _row(event: ReviewEvent, machine: Fact | None, state: State) -> dict[str, Value]:
    return {
        **event.model_dump(include={"doc_id", "action", "annotator", "at", "number"}),
        **event.target.model_dump(),
        **_cells("machine", machine),
        **_cells("human", event.fact),
        "reason": event.reason or None,
        "state": state,
    }


def _cells(prefix: str, fact: Fact | None) -> dict[str, Value]:
    if fact is None:
        return {}
    is_text = isinstance(fact.value, str)
    return {
        f"{prefix}_value": None if is_text else fact.value,
        f"{prefix}_value_text": fact.value if isinstance(fact.value, str) else None,
        f"{prefix}_status": fact.status,
        f"{prefix}_raw": fact.raw,
        f"{prefix}_path": fact.path,
        f"{prefix}_bound": fact.bound,
        f"{prefix}_scope": fact.scope,
        f"{prefix}_label": fact.label,
    }
