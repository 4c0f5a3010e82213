"""Runs → the tables of an export: facts, panel, reports, documents, findings, corrections, codebook.

What several tables rest on is worked out once: whose reports the records are, which version
counts, what is found across documents. Records stay in their folders and are read for each
table in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from pipeline.export.codebook import CODEBOOK, codebook_rows, with_stata_names
from pipeline.export.corrections import CORRECTIONS, correction_rows, orphan_rows
from pipeline.export.panel_table import Tally, panel_rows, panel_spec
from pipeline.export.rows import (
    DOCUMENTS,
    FACTS,
    FINDINGS,
    UNPLACED,
    Occurrence,
    document_rows,
    fact_rows,
    figure_rows,
    finding_row,
    finding_rows,
    report_rows,
    reports_spec,
)
from pipeline.export.table import Row, Table, Value
from pipeline.fact import Record
from pipeline.panel.across import AcrossFinding, check_across
from pipeline.panel.model import PanelRow, Source
from pipeline.panel.sources import run_labels, sources_of
from pipeline.panel.units import GB_2260, Places
from pipeline.panel.versions import choose, unplaced
from pipeline.runs.corrected import Orphan
from pipeline.runs.in_force import ReviewCounts, lost
from pipeline.runs.reviews import read_reviews

TableName = Literal["facts", "panel", "reports", "documents", "findings", "corrections", "codebook"]
TABLES: tuple[TableName, ...] = tuple(name for name in get_args(TableName) if name != "corrections")
"""What every export has; `corrections` stands before the codebook where people have checked figures."""


class RunTables:
    """The tables of one or several runs. Nothing is read before it is asked for."""

    def __init__(self, runs: Iterable[Path], *, places: Places = GB_2260) -> None:
        """A run that is named twice counts once."""
        self._places = places
        self.runs = tuple({run.resolve(): run for run in runs}.values())
        self._tally = Tally()

    def __iter__(self) -> Iterator[Table]:
        """All tables; the codebook comes last, when the others have been counted.

        There are `corrections` only where people have checked figures: some readers refuse empty tables.
        """
        of_review: tuple[TableName, ...] = ("corrections",) if self.reviews else ()
        return (self.table(name) for name in (*TABLES[:-1], *of_review, TABLES[-1]))

    def table(self, name: TableName) -> Table:
        """One table by its name. Raises StartError when a run cannot be read."""
        made: Mapping[TableName, Callable[[], Table]] = {
            "facts": lambda: (FACTS, self._fact_rows()),
            "panel": lambda: (panel_spec(self.occurrence), self._tally.count(self._panel_rows())),
            "reports": lambda: (reports_spec(self.occurrence), self._report_rows()),
            "documents": lambda: (DOCUMENTS, self._document_rows()),
            "findings": lambda: (FINDINGS, self._finding_rows()),
            "corrections": lambda: (CORRECTIONS, self._correction_rows()),
            "codebook": lambda: (CODEBOOK, self._codebook_rows()),
        }
        return made[name]()

    def require_runs(self) -> None:
        """Raises StartError when a run cannot be read, before anything is written."""
        _ = self.sources

    @cached_property
    def sources(self) -> Sequence[Source]:
        """The records with their issuers, places and years."""
        return sources_of(self.runs, places=self._places)

    @cached_property
    def rows(self) -> Sequence[PanelRow]:
        """Issuers and years, each with the report that counts."""
        return choose(self.sources)

    @cached_property
    def across(self) -> Sequence[AcrossFinding]:
        """What is found across years and places."""
        return check_across(self.rows, places=self._places)

    @cached_property
    def occurrence(self) -> Occurrence:
        """Where each field occurs."""
        found = Occurrence()
        for source in self.sources:
            found.add(source.record)
        return found

    @cached_property
    def reviews(self) -> Mapping[Path, ReviewCounts]:
        """How much of each run people have checked; only of runs with changes that nobody undid."""
        counts = {label: ReviewCounts() for label in run_labels(self.runs)}
        for source in self.sources:
            if source.review is not None:
                counts[source.run].add(source.review.verdicts, source.review.orphaned)
        for label, orphaned in self._lost.items():
            counts[label].add((), orphaned)
        return {run: each for run, each in zip(self.runs, counts.values(), strict=True) if each.is_any}

    @cached_property
    def _lost(self) -> Mapping[str, Sequence[Orphan]]:
        """Changes of documents that a run does not have, by its label."""
        found: dict[str, Sequence[Orphan]] = {}
        for run, label in zip(self.runs, run_labels(self.runs), strict=True):
            reviews = read_reviews(run)
            if len(reviews):
                present = {each.doc_id: each.sha256 for each in self.sources if each.run == label}
                found[label] = lost(reviews, present)
        return found

    def _of_each(self, rows_of: Callable[[Iterable[Record]], Iterator[Row]]) -> Iterator[Row]:
        for source in self.sources:
            for row in rows_of([source.record]):
                yield {**row, "run": source.run}

    def _fact_rows(self) -> Iterator[Row]:
        for source in self.sources:
            rows = (
                fact_rows([source.record])
                if source.review is None
                else figure_rows(source.record, source.changed)
            )
            for row in rows:
                yield {**row, "run": source.run}

    def _correction_rows(self) -> Iterator[Row]:
        for source in self.sources:
            if source.review is not None:
                for row in correction_rows(source.changed):
                    yield {**row, "run": source.run}
        for label, orphaned in self._lost.items():
            for row in orphan_rows(orphaned):
                yield {**row, "run": label}

    def _panel_rows(self) -> Iterator[Row]:
        return panel_rows(self.rows, self.occurrence, self.across)

    def _report_rows(self) -> Iterator[Row]:
        return self._of_each(lambda records: report_rows(records, self.occurrence))

    def _document_rows(self) -> Iterator[Row]:
        versions = _versions(self.rows, self.sources)
        for source in self.sources:
            version = versions.get((source.run, source.doc_id), {})
            unit_id = source.unit.unit_id if source.unit else None
            about = {
                "run": source.run,
                "reporter_id": source.reporter_id,
                "unit_id": unit_id,
                "place_by_hint": "yes" if source.place_by_hint else "no",
            }
            for row in document_rows([source.record]):
                yield {**row, **about, **version, **_checked(source)}

    def _finding_rows(self) -> Iterator[Row]:
        yield from self._of_each(finding_rows)
        for each in self.across:
            pair = {"run": each.run, "other_doc_id": each.other_doc_id, "other_run": each.other_run}
            yield {**finding_row(each.doc_id, each.finding), **pair}

    def _codebook_rows(self) -> Iterator[Row]:
        if not self._tally.is_complete:
            for _ in self._tally.count(self._panel_rows()):
                pass
        yield from with_stata_names(codebook_rows(self.occurrence, self._tally))


def _checked(source: Source) -> dict[str, Value]:
    """How many figures of a document people have checked, and how many of them were changed."""
    verdicts = () if source.review is None else source.review.verdicts
    return {
        "figures_checked": len(verdicts),
        "figures_corrected": sum(verdict != "confirmed" for verdict in verdicts),
    }


def _versions(rows: Iterable[PanelRow], sources: Iterable[Source]) -> dict[tuple[str, str], dict[str, Value]]:
    """What each document is to the panel, by run and document."""
    found: dict[tuple[str, str], dict[str, Value]] = {}
    for version in (version for row in rows for version in row.versions):
        found[version.source.run, version.source.doc_id] = _version(version.role, version.of, version.reason)
    for outside in unplaced(sources):
        place = (outside.source.run, outside.source.doc_id)
        found[place] = _version(UNPLACED, None, outside.reason)
    return found


def _version(role: str, of: str | None, reason: str) -> dict[str, Value]:
    return {"version_role": role, "version_of": of, "version_reason": reason}
