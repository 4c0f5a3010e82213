"""A large folder of made-up reports, no two alike: for measuring how many documents an hour a run does.

    python tests/many_reports.py --count 100000 --out DIR [--seed N] [--share-prose 0.3]

Forms and carriers are those of `made_reports` and `report_carriers`: tables of 2019, of 2021 and
hybrids, narratives, statistics tables, as text, Markdown and two styles of web page. Places do not
exist (codes 99xxxx). Folders `000`, `001`, … hold 1,000 files each; the same seed
gives the same files. `--share-prose` is the share of narratives.

A report is printed once as a stencil whose figures are gaps. All figures of a file are those of its
stencil times one factor: so they differ from file to file, and every sum stays right.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import count as counting
from pathlib import Path
from random import Random

from made_reports import Heading, MadeBlock, MadeReport, MadeTemplate, Paragraph, make_report
from report_carriers import TEXT_CARRIERS

from evals.benchmarks.table_carriers import PrintedCell, PrintedTable
from pipeline.metadata.divisions import Division, gazetteer

FILES_PER_FOLDER = 1_000
TABLE_FORMS: tuple[MadeTemplate, ...] = ("table2019", "table2021", "hybrid", "stat2014")
CARRIERS = ("text", "markdown", "page, modern", "page, Word")
REPORTS_PER_FORM = 30

# A gap is one character of the private use area, so that no carrier can break it in two.
_PLACE, _INDEX_NUMBER, _FIRST_FIGURE = 0xE000, 0xE001, 0xE002
_COUNTED = re.compile(r"\d+(?=条|篇|次|余人次|件)")  # no years and dates
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_SYLLABLES = "云沙临青石柳岭汀泊砚渡亭溪泽岚禾棠苇霁屿峤漪澍翎"


@dataclass(frozen=True)
class Stencil:
    """A report as a file of one carrier, its place, index number and figures left open.

    `figures` has the figure of each gap, as a factor of 1 would print it.
    """

    text: str
    ending: str
    year: int
    figures: Mapping[int, Decimal]

    def filled(self, place: Division, number: int, factor: int) -> str:
        """The file of this number about a place: figures times `factor`."""
        gaps = {gap: _printed(figure * factor) for gap, figure in self.figures.items()}
        gaps[_PLACE] = place.name
        gaps[_INDEX_NUMBER] = f"{place.code}-{self.year}-{number:07}"
        return self.text.translate(gaps)


def make_reports(folder: Path, count: int, seed: int = 0, share_prose: float = 0.3) -> list[Path]:
    """Write `count` reports into subfolders of `folder`; their paths in order."""
    random = Random(seed)
    turns = {form: counting() for form in (*TABLE_FORMS, "narrative")}
    paths = []
    for number in range(count):
        if number % FILES_PER_FOLDER == 0:
            inside = folder / f"{number // FILES_PER_FOLDER:03}"
            inside.mkdir(parents=True, exist_ok=True)
        form = "narrative" if random.random() < share_prose else random.choice(TABLE_FORMS)
        # Stencils take turns, and the factor grows with every round: the same pair never comes again.
        factor, turn = divmod(next(turns[form]), REPORTS_PER_FORM * len(CARRIERS))
        report, carrier = divmod(turn, len(CARRIERS))
        stencil = _stencil(form, seed * REPORTS_PER_FORM + report, CARRIERS[carrier])
        path = inside / f"r{number:07}{stencil.ending}"
        path.write_bytes(stencil.filled(random.choice(_places()), number, 1 + factor).encode())
        paths.append(path)
    return paths


@cache
def _places() -> tuple[Division, ...]:
    """Counties that do not exist."""
    names = (f"{first}{second}县" for first in _SYLLABLES for second in _SYLLABLES if first != second)
    real = gazetteer(None)
    unknown = (name for name in names if not real.named(name) and not real.stemmed(name[:-1]))
    return tuple(Division(f"99{at // 90 + 10}{at % 90 + 10}", name) for at, name in enumerate(unknown))


@cache
def _stencil(form: MadeTemplate, seed: int, carrier: str) -> Stencil:
    report = make_report(form, seed)
    gaps = _Gaps(report)
    written = TEXT_CARRIERS[carrier].write(gaps.opened()).decode()
    year = int(next(fact.value for fact in report.expected if fact.path == "meta.year"))
    return Stencil(written, TEXT_CARRIERS[carrier].ending, year, dict(gaps.figures()))


class _Gaps:
    """A report with gaps in the place of what differs from file to file; one gap for each figure."""

    def __init__(self, report: MadeReport) -> None:
        self._report = report
        self._place = report.signature[0].removesuffix("人民政府")
        self._gap_of: dict[str, int] = {}

    def figures(self) -> Iterator[tuple[int, Decimal]]:
        """Gaps and their figures."""
        return ((gap, Decimal(printed)) for printed, gap in self._gap_of.items())

    def opened(self) -> MadeReport:
        """The report with gaps."""
        metadata = (
            (label, chr(_INDEX_NUMBER) if label == "索引号" else self._without_place(value))
            for label, value in self._report.metadata
        )
        return replace(
            self._report,
            title=self._without_place(self._report.title),
            metadata=tuple(metadata),
            blocks=tuple(map(self._block, self._report.blocks)),
            signature=(self._without_place(self._report.signature[0]), self._report.signature[1]),
        )

    def _block(self, block: MadeBlock) -> MadeBlock:
        match block:
            case Heading():
                return block
            case Paragraph(text):
                return Paragraph(_COUNTED.sub(lambda found: self._gap(found[0]), self._without_place(text)))
        return self._table(block)

    def _table(self, table: PrintedTable) -> PrintedTable:
        return replace(table, rows=tuple(tuple(map(self._cell, row)) for row in table.rows))

    def _cell(self, cell: PrintedCell) -> PrintedCell:
        has_figure = cell.path is not None and _FIGURE.fullmatch(cell.text) is not None
        return replace(cell, text=self._gap(cell.text)) if has_figure else cell

    def _gap(self, printed: str) -> str:
        return chr(self._gap_of.setdefault(printed, _FIRST_FIGURE + len(self._gap_of)))

    def _without_place(self, text: str) -> str:
        return text.replace(self._place, chr(_PLACE))


def _printed(figure: Decimal) -> str:
    """The figure without zeros behind its decimal point."""
    text = f"{figure:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def main() -> None:
    """Write the folder; print how many files a second."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("--count", type=int, required=True, help="how many files")
    parser.add_argument("--out", type=Path, required=True, help="folder to write them into")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share-prose", type=float, default=0.3, help="share of reports without tables")
    options = parser.parse_args()
    began = time.monotonic()
    paths = make_reports(options.out, options.count, options.seed, options.share_prose)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{len(paths):,} files in {seconds:.1f} s, {len(paths) / seconds:,.0f} a second\n")


if __name__ == "__main__":
    main()
