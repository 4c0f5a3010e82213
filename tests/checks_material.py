"""Made-up documents for the tests of the checks: marked-up prose and tables → canonical text and facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.checks import check_facts
from pipeline.fact import Evidence, Fact, Finding, Templates
from pipeline.schema import APPLICANTS, OUTCOMES, outcome_rows, request_rows

Cell = int | float | str
Grid = dict[str, dict[str, Cell]]

MARK = re.compile(r"\[(?P<raw>[^|\]]+)\|(?P<path>[^|\]]+)(?:\|(?P<extra>[^\]]+))?\]")
STATUS_OF_CELL = {"": "blank", "/": "not_applicable", "?": "illegible"}


class Paper:
    """Collects the text and facts of one document.

    Prose is written with its facts marked: `收到申请[12件|requests.new_received.total]`.
    After a second bar: `zero` (a zero in words), a bound, or a scope.
    """

    def __init__(self, **templates: str) -> None:
        self.text = ""
        self.facts: list[Fact] = []
        self.templates = Templates.model_validate(templates)

    def prose(self, marked: str) -> Paper:
        position = 0
        for mark in MARK.finditer(marked):
            self.text += marked[position : mark.start()]
            self._add_prose_fact(mark["raw"], mark["path"], (mark["extra"] or "").split())
            position = mark.end()
        self.text += marked[position:] + "\n"
        return self

    def _add_prose_fact(self, raw: str, path: str, extra: list[str]) -> None:
        digits = re.sub(r"[^\d.]", "", raw)
        bound = next((word for word in extra if word in ("at_least", "at_most", "about")), "exact")
        scope = next((word for word in extra if word in ("own", "jurisdiction")), None)
        self._add(
            path=path,
            value=0 if "zero" in extra else float(digits),
            status="zero_in_words" if "zero" in extra else "value",
            raw=raw,
            bound=bound,
            scope=scope,
            source="narrative",
            method="rule",
        )

    def meta(self, **values: Cell) -> Paper:
        for key, value in values.items():
            self._add(path=f"meta.{key}", value=value, raw=str(value), source="metadata", method="rule")
        return self

    def table(self, group: str, grid: Mapping[str, Mapping[str, Cell]], confidence: float = 1.0) -> Paper:
        for row_number, (row, cells) in enumerate(grid.items()):
            for column_number, (column, cell) in enumerate(cells.items()):
                place = {"table": 0, "row": row_number, "column": column_number}
                self._add(
                    path=f"{group}.{row}.{column}",
                    value=None if isinstance(cell, str) else cell,
                    status=STATUS_OF_CELL[cell] if isinstance(cell, str) else "value",
                    raw=str(cell),
                    source="table",
                    method="table_reader",
                    confidence=confidence,
                    place=place,
                )
        return self

    def statistics(self, cells: Mapping[str, Cell]) -> Paper:
        """Rows of the statistics table by key."""
        for number, (key, cell) in enumerate(cells.items()):
            self._add(
                path=f"statistics.{key}",
                value=None if isinstance(cell, str) else cell,
                status=STATUS_OF_CELL[cell] if isinstance(cell, str) else "value",
                raw=str(cell),
                source="table",
                method="table_reader",
                confidence=1.0,
                place={"table": 0, "row": number, "column": 2},
            )
        return self

    def _add(self, *, raw: str, place: Mapping[str, int] | None = None, **values: object) -> None:
        start = len(self.text)
        self.text += raw if place is None else f"{raw}\t"
        evidence = Evidence(start=start, end=start + len(raw), **(place or {}))
        self.facts.append(Fact.model_validate({"raw": raw, "evidence": evidence, **values}))

    def check(self, findings: Sequence[Finding] = ()) -> tuple[Finding, ...]:
        return check_facts(self.text, self.facts, self.templates, findings)

    def breaches(self) -> list[str]:
        """The findings in the notation of the gold: `rule@at`."""
        return [named(finding) for finding in self.check()]


def named(finding: Finding) -> str:
    return finding.rule if finding.at is None else f"{finding.rule}@{finding.at}"


def requests_grid(form: str, inner: Mapping[str, Sequence[int]]) -> Grid:
    """A consistent requests table from the six applicants of some rows; the rest is worked out.

    `inner` gives `carried_in`, `carried_out` and outcome rows; `new_received` is what balances.
    """
    outcomes = outcome_rows("table2021" if form == "table2021" else "table2019")
    six = {row: list(inner.get(row, [0] * 6)) for row in (*outcomes, "carried_in", "carried_out")}
    six["concluded"] = [sum(six[row][i] for row in outcomes) for i in range(6)]
    six["new_received"] = [
        six["concluded"][i] + six["carried_out"][i] - six["carried_in"][i] for i in range(6)
    ]
    rows = request_rows("table2021" if form == "table2021" else "table2019")
    return {row.key: dict(zip(APPLICANTS, [*six[row.key], sum(six[row.key])], strict=True)) for row in rows}


def remedies_grid(**blocks: Sequence[Cell]) -> Grid:
    """Blocks as `review=[upheld, corrected, other, pending, total]`."""
    return {block: dict(zip(OUTCOMES, cells, strict=True)) for block, cells in blocks.items()}
