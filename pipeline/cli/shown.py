"""Values in the terminal, and what people said of them beside what the machine read."""

from __future__ import annotations

from rich.table import Table

from pipeline.fact import Fact
from pipeline.runs.corrected import Figure, Reviewed
from pipeline.runs.reviews import ReviewEvent
from pipeline.terminal import plain

_STATUS_MARKS = {"blank": "·", "not_applicable": "/", "illegible": "?"}
_BOUND_MARKS = {"exact": "", "at_least": "≥ ", "at_most": "≤ ", "about": "≈ "}


def shown_value(fact: Fact | None) -> str:
    """A value with its kind: `·` blank, `/`, `?`, `0*` zero in words, `≥ 400`; a dash where there is none."""
    if fact is None:
        return "-"
    if fact.value is None:
        return _STATUS_MARKS.get(fact.status, "?")
    value = int(fact.value) if isinstance(fact.value, float) and fact.value.is_integer() else fact.value
    star = "*" if fact.status == "zero_in_words" else ""
    return f"{_BOUND_MARKS[fact.bound]}{value}{star}"


def shown_figure(figure: Figure | None) -> str:
    """`120✓` confirmed, `12←120` corrected from 120, `-←120` removed, `+12` added; else the value alone."""
    if figure is None:
        return "-"
    now = shown_value(figure.fact)
    match figure.verdict:
        case "confirmed":
            return f"{now}✓"
        case "corrected" | "removed":
            return f"{now}←{shown_value(figure.machine)}"
        case "added":
            return f"+{now}"
        case "unchecked":
            return now


def review_table(found: Reviewed) -> Table | None:
    """The changes with who made them, when and why; None where there are none."""
    rows = [(event, figure) for figure in found.figures for event in figure.events]
    if not rows and not found.orphaned:
        return None
    table = Table(box=None, header_style="dim", pad_edge=False)
    for header in ("n", "field", "action", "machine", "person", "by", "at", "reason"):
        table.add_column(header, overflow="fold")
    for event, figure in sorted(rows, key=lambda row: row[0].number):
        _add(table, event, event.action, figure.machine, event.reason)
    for each in found.orphaned:
        reason = f"{each.event.reason} ({each.why})".strip()
        _add(table, each.event, f"{each.event.action}, not applied", each.event.seen, reason)
    return table


def _add(table: Table, event: ReviewEvent, action: str, machine: Fact | None, reason: str) -> None:
    readings = (shown_value(machine), shown_value(event.fact))
    cells = (event.number, event.target.path, action, *readings, event.annotator, event.at, reason)
    table.add_row(*map(plain, cells))
