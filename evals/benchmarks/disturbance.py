"""Disturbance suite of the table reader: how many cells survive what real files do to tables.

The tables of gold files are printed in four carriers, disturbed, written to files, and read
by `read_document` and `read_tables`. A cell is right if value and status are; a wrong or lost
cell is silent if no finding names its path. Beside it a naive parser pours all figures of the
table region into the cells of the form in order.

    python -m evals.benchmarks.disturbance gold/*.yaml

Targets: at least 99 % of the cells right, no cell wrong without a finding.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from evals.benchmarks.table_carriers import (
    CARRIERS,
    Carrier,
    Expected,
    PrintedReport,
    render,
    report_of,
)
from evals.benchmarks.table_disturbances import DISTURBANCES
from pipeline.document import Document
from pipeline.read import read_document
from pipeline.tables.cells import parse_cell
from pipeline.tables.reading import TableReading, read_tables

TARGET_RIGHT = 0.99

_NAIVE_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?!\d*[.、]\D)")  # all but enumerators


@dataclass(frozen=True)
class Score:
    """Cells of one or more tables: in all, right, wrong without a finding, naively right."""

    cells: int = 0
    right: int = 0
    silent: int = 0
    naive_right: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.cells + other.cells,
            self.right + other.right,
            self.silent + other.silent,
            self.naive_right + other.naive_right,
        )

    @property
    def share_right(self) -> float:
        """Share of the cells that are right; 0 where there are none."""
        return self.right / self.cells if self.cells else 0.0


@dataclass(frozen=True)
class Trial:
    """One disturbance of one report in one carrier; `silent` lists the paths gone wrong unnoticed."""

    disturbance: str
    carrier: Carrier
    report: str
    score: Score
    silent: tuple[str, ...]


def run(reports: Sequence[PrintedReport], folder: Path) -> list[Trial]:
    """All disturbances of all reports in all carriers, by files in `folder`."""
    return [
        _trial(name, carrier, report, folder)
        for name in DISTURBANCES
        for carrier in CARRIERS
        for report in reports
    ]


def _trial(name: str, carrier: Carrier, report: PrintedReport, folder: Path) -> Trial:
    disturbed = DISTURBANCES[name](report)
    file = folder / f"{report.name}_{name}_{carrier}.{CARRIERS[carrier]}"
    file.write_text(render(disturbed, carrier), encoding="utf-8")
    document = read_document(file)
    return _scored(name, carrier, disturbed, document, read_tables(document))


def _scored(
    name: str, carrier: Carrier, report: PrintedReport, document: Document, reading: TableReading
) -> Trial:
    facts = {
        fact.path: Expected(fact.value, fact.status)
        for fact in reading.facts
        if not isinstance(fact.value, str)
    }
    named = {path for finding in reading.findings for path in finding.paths}
    wrong = [path for path, expected in report.expected.items() if facts.get(path) != expected]
    silent = tuple(path for path in wrong if path not in named)
    score = Score(
        cells=len(report.expected),
        right=len(report.expected) - len(wrong),
        silent=len(silent) + len(facts.keys() - report.expected.keys()),
        naive_right=_naively_right(report.expected, document),
    )
    return Trial(name, carrier, report.name, score, silent)


def _naively_right(expected: Mapping[str, Expected], document: Document) -> int:
    """Cells right by pouring the figures behind the chapter on disclosure into the form."""
    start = next((table.span.start for table in document.tables), 0)
    end = max((table.span.end for table in document.tables), default=0)
    figures = (parse_cell(found).value for found in _NAIVE_FIGURE.findall(document.text[start:end]))
    pairs = zip(expected.values(), figures, strict=False)
    return sum(cell == Expected(figure, "value") for cell, figure in pairs)


def table_of_scores(trials: Iterable[Trial]) -> Iterator[str]:
    """A line per disturbance: right / cells in each carrier, silent, and the naive parser."""
    by_name: dict[str, dict[str, Score]] = {}
    for trial in trials:
        row = by_name.setdefault(trial.disturbance, {carrier: Score() for carrier in CARRIERS})
        row[trial.carrier] += trial.score
    yield f"{'disturbance':20}" + "".join(f"{carrier:>14}" for carrier in CARRIERS) + "   silent    naive"
    for name, row in by_name.items():
        total = sum(row.values(), Score())
        cells = "".join(f"{score.right:>8}/{score.cells:<5}" for score in row.values())
        yield f"{name:20}{cells}{total.silent:>9}{total.naive_right / total.cells:>9.1%}"


def total(trials: Iterable[Trial]) -> Score:
    """The score of all trials together."""
    return sum((trial.score for trial in trials), Score())


def load_reports(files: Sequence[Path]) -> list[PrintedReport]:
    """The reports with tables among gold files."""
    golds = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    return [report_of(gold) for gold in golds if gold.get("requests")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores; exit code 4 where a target is missed."""
    parser = argparse.ArgumentParser(description="Disturbance suite of the table reader.")
    parser.add_argument("gold", nargs="+", type=Path, help="gold files of reports with tables")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        trials = run(load_reports(options.gold), Path(folder))
    lines = [*table_of_scores(trials)]
    score = total(trials)
    lines.append(
        f"all: {score.right} of {score.cells} cells right ({score.share_right:.2%}), "
        f"{score.silent} wrong without a finding; naive parser {score.naive_right / max(1, score.cells):.1%}"
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if score.share_right >= TARGET_RIGHT and score.silent == 0 else 4


if __name__ == "__main__":
    raise SystemExit(main())
