"""The same report in every carrier and template: how many facts are read exactly.

    python tests/carrier_matrix.py                     # text carriers
    python tests/carrier_matrix.py --office --seeds 2  # old Office files too (needs LibreOffice)
    python tests/carrier_matrix.py --scans --seeds 2   # scanned pages too (needs the extra `ocr`)

A fact is exact if path, source, value, status and bound are; cells of tables are counted apart from
prose, text items and metadata. Of those that are not exact, `told` are illegible or named by a
finding, `silent` are not; `invented` stand in no report.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from made_reports import TEMPLATES, ExpectedFact, MadeReport, make_report
from report_carriers import OFFICE_CARRIERS, SCANS, TEXT_CARRIERS, MadeCarrier

from pipeline.extraction import Extraction, extract_document
from pipeline.read import read_document

# What the generator does not state: kind, level and place of the made-up issuer.
_NOT_STATED = ("meta.issuer_type", "meta.level", "meta.division_code", "meta.phone")


@dataclass(frozen=True)
class Outcome:
    """Facts of one or more reports: expected, exact, not exact but told of, silent, and invented.

    `cells` and `exact_cells` are those of tables among them.
    """

    expected: int = 0
    exact: int = 0
    told: int = 0
    silent: tuple[ExpectedFact, ...] = ()
    invented: tuple[ExpectedFact, ...] = ()
    cells: int = 0
    exact_cells: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.expected + other.expected,
            self.exact + other.exact,
            self.told + other.told,
            self.silent + other.silent,
            self.invented + other.invented,
            self.cells + other.cells,
            self.exact_cells + other.exact_cells,
        )


def outcome_of(report: MadeReport, carrier: MadeCarrier, folder: Path) -> Outcome:
    """Write the report, read it, compare."""
    path = folder / f"made{carrier.ending}"
    path.write_bytes(carrier.write(report))
    return compared(report, extract_document(read_document(path), "rules", None))


def compared(report: MadeReport, extraction: Extraction) -> Outcome:
    """What was read beside what was printed."""
    read = {
        ExpectedFact(fact.path, fact.source, str(fact.value), fact.status, fact.bound)
        for fact in extraction.facts
        if fact.path not in _NOT_STATED
    }
    named = {path for finding in extraction.findings for path in finding.paths}
    illegible = {fact.path for fact in extraction.facts if fact.status == "illegible"}
    missed = sorted(report.expected - read)
    silent = tuple(fact for fact in missed if fact.path not in named | illegible)
    expected_paths = {fact.path for fact in report.expected}
    invented = tuple(fact for fact in sorted(read - report.expected) if fact.path not in expected_paths)
    exact = len(report.expected) - len(missed)
    cells = [fact for fact in report.expected if fact.source == "table"]
    exact_cells = len(cells) - sum(fact.source == "table" for fact in missed)
    told = len(missed) - len(silent)
    return Outcome(len(report.expected), exact, told, silent, invented, len(cells), exact_cells)


def rows_of(carriers: Mapping[str, MadeCarrier], seeds: range) -> Iterator[tuple[str, str, Outcome]]:
    """An outcome for each carrier and template over all seeds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, carrier in carriers.items():
            for template in TEMPLATES:
                outcomes = (outcome_of(make_report(template, seed), carrier, Path(folder)) for seed in seeds)
                yield name, template, sum(outcomes, Outcome())


def main() -> int:
    """Print the matrix; exit code 4 where a text carrier is not exact or a miss is silent."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="reports a template")
    parser.add_argument("--scans", action="store_true", help="scanned pages too")
    parser.add_argument("--office", action="store_true", help="old Office files too")
    parser.add_argument("--only", default="", help="carriers whose name holds this")
    options = parser.parse_args()
    carriers = TEXT_CARRIERS | (OFFICE_CARRIERS if options.office else {}) | (SCANS if options.scans else {})
    carriers = {name: carrier for name, carrier in carriers.items() if options.only in name}
    all_outcomes, is_good = Outcome(), True
    head = f"{'cells':>14}{'other facts':>14}{'told':>7}{'silent':>8}{'invented':>10}"
    sys.stdout.write(f"{'carrier':16}{'template':12}{head}\n")
    for name, template, outcome in rows_of(carriers, range(options.seeds)):
        all_outcomes += outcome
        others = f"{outcome.exact - outcome.exact_cells}/{outcome.expected - outcome.cells}"
        counts = f"{f'{outcome.exact_cells}/{outcome.cells}':>14}{others:>14}"
        misses = f"{outcome.told:>7}{len(outcome.silent):>8}{len(outcome.invented):>10}"
        sys.stdout.write(f"{name:16}{template:12}{counts}{misses}\n")
        for fact in (*outcome.silent[:3], *outcome.invented[:3]):
            sys.stdout.write(f"    {fact.path} {fact.source} {fact.value} {fact.status}\n")
        silent_cells = [fact for fact in outcome.silent if fact.source == "table"]
        is_good &= not silent_cells and not outcome.invented
        is_good &= name in SCANS or outcome.exact == outcome.expected
        sys.stdout.flush()
    cells = f"{all_outcomes.exact_cells} of {all_outcomes.cells} cells"
    share = all_outcomes.exact / all_outcomes.expected
    sys.stdout.write(
        f"all: {cells}, {all_outcomes.exact} of {all_outcomes.expected} facts exact ({share:.2%})\n"
    )
    return 0 if is_good else 4


if __name__ == "__main__":
    raise SystemExit(main())
