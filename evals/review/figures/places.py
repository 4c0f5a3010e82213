"""Figures of a record → their places, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, get_args

from evals.review.figures.views import FigureView
from evals.review.queue.risk import concerns
from evals.review.typed import shown
from pipeline.fact import Fact, Finding, Severity, Source
from pipeline.runs.corrected import Figure, Reviewed
from pipeline.schema import fields

UNSURE = 0.9
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_CONTEXT = 22
_BETWEEN_CELLS = " │ "


class Places:
    """Makes the places of figures, each once."""

    def __init__(self, text: str | None, found: Reviewed, findings: Sequence[Finding]) -> None:
        self._text = text
        self._flags = _Flags(findings)
        self._by_key: dict[str, FigureView] = {}
        self._left: dict[str, Figure] = {figure.key: figure for figure in found.figures}
        self._cells: dict[str, list[Figure]] = {}
        for figure in found.figures:
            if figure.target.source == "table":
                self._cells.setdefault(figure.target.path, []).append(figure)

    def of(self, key: str) -> FigureView | None:
        """The place that shows a figure."""
        return self._by_key.get(key)

    def has_cell(self, path: str) -> bool:
        """Whether a table has a figure for `path`."""
        return path in self._cells

    def cell(self, path: str, row: str, column: str = "") -> FigureView:
        """The cell of a form for `path`: the figure in force, or an empty place."""
        spec = fields()[path]
        name = f"{row}, {column}" if column else row
        found = self._cells.get(path, ())
        figure = next((each for each in found if each.fact is not None), found[0] if found else None)
        slot = f"cell:{path}"
        if figure is None or figure.key not in self._left:
            return FigureView(slot, path, "table", name, column or row, spec.meaning)
        return self._made(slot, figure, name, column or row, spec.meaning)

    def meta(self, path: str) -> FigureView:
        """The line of a field of the metadata."""
        spec = fields()[path]
        figure = self._first_left(path, "metadata")
        slot = f"cell:{path}"
        if figure is None:
            return FigureView(slot, path, "metadata", spec.label, spec.label, spec.meaning)
        return self._made(slot, figure, spec.label, spec.label, spec.meaning)

    def _first_left(self, path: str, source: Source) -> Figure | None:
        found = [
            figure
            for figure in self._left.values()
            if (figure.target.path, figure.target.source) == (path, source)
        ]
        return next((figure for figure in found if figure.fact is not None), found[0] if found else None)

    def rest(self, group: str) -> Iterator[FigureView]:
        """What of a group has no place yet, in the order of the fields, then of print."""
        order = list(fields())
        left = [figure for figure in self._left.values() if figure.target.path.partition(".")[0] == group]

        def by_field(figure: Figure) -> tuple[int, int]:
            path = figure.target.path
            return (order.index(path) if path in fields() else len(order), figure.target.start)

        for figure in sorted(left, key=by_field):
            spec = fields().get(figure.target.path)
            label = spec.label if spec else figure.target.path
            subject = figure.fact or figure.machine or figure.human
            name = f"{label} {subject.label}" if subject is not None and subject.label else label
            yield self._made(f"figure:{figure.key}", figure, name, label, spec.meaning if spec else "")

    def _made(self, slot: str, figure: Figure, name: str, label: str, meaning: str) -> FigureView:
        del self._left[figure.key]
        fact = figure.fact or figure.machine or figure.human
        if fact is None:
            raise ValueError(f"{figure.key} has neither a machine's nor a person's reading")
        now, was = shown(figure.fact), shown(figure.machine)
        before, raw, after = self._print(fact)
        view = FigureView(
            slot=slot,
            path=fact.path,
            source=figure.target.source,
            name=name,
            label=label,
            meaning=meaning,
            key=figure.key,
            shown=now,
            was=was if figure.machine is not None and was != now else "",
            verdict=figure.verdict,
            base=figure.base,
            flag=self._flags.of(fact),
            is_unsure=fact.confidence is not None and fact.confidence < UNSURE,
            start=fact.evidence.start,
            end=fact.evidence.end,
            before=before,
            raw=raw,
            after=after,
            subject=fact.label or "",
            status=fact.status,
            bound=fact.bound,
            scope=fact.scope,
            method=fact.method,
            confidence=fact.confidence,
        )
        self._by_key[figure.key] = view
        return view

    def _print(self, fact: Fact) -> tuple[str, str, str]:
        """The print with what stands around it in its line."""
        text, start, end = self._text, fact.evidence.start, fact.evidence.end
        if text is None:
            return "", fact.raw, ""
        line = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        stop = len(text) if stop < 0 else stop
        before = text[max(line, start - _CONTEXT) : start].replace("\t", _BETWEEN_CELLS)
        after = text[end : min(stop, end + _CONTEXT)].replace("\t", _BETWEEN_CELLS)
        return before, text[start:end].replace("\n", " "), after


class _Flags:
    """The gravest finding about a fact."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._of_path: dict[str, list[Finding]] = {}
        for finding in findings:
            for path in finding.paths:
                self._of_path.setdefault(path, []).append(finding)

    def of(self, fact: Fact) -> Severity | Literal[""]:
        about = [each for each in self._of_path.get(fact.path, ()) if concerns(each, fact)]
        return min((each.severity for each in about), key=SEVERITIES.index, default="")
