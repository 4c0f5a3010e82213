"""CPU time of the reader beside the parse alone, and the two HTML parsers beside each other.

    python -m evals.benchmarks.reading [FILE ...]

Without files it reads the sample reports in gold/samples, which are little but the report, and
made-up pages of three kinds of sites (web_pages.py), which are as long as published ones. For
HTML the parse alone is `LexborHTMLParser(text)`, for PDF `extract_tables` of pdfplumber on every page. Each
figure is the best of several rounds of process time in one run. Targets: HTML at most
3 times the parse, PDF at most 1.3 times. `floor` is what it takes to lay out the parts
already read into a Document (HTML): where it is over the target, no reader that gives
cells with positions can meet it.

Why lexbor: it parses in a third to a half of the time that lxml takes, and from
misnested tables it builds the tree that browsers build (the last lines printed).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pdfplumber
from selectolax.lexbor import LexborHTMLParser

from evals.benchmarks.disturbance import load_reports
from evals.benchmarks.web_pages import STYLES, web_page
from pipeline.read import DEFAULT_LIMITS, read_document
from pipeline.read.encoding import decode
from pipeline.read.html import read_html
from pipeline.read.parts import lay_out

SAMPLES = Path(__file__).parents[2] / "gold" / "samples"
TARGETS = {".html": 3.0, ".pdf": 1.3}
ROUNDS = 7
# A <td> inside a <div> and a paragraph between rows: browsers give `a | b` and `c | d`.
MISNESTED = "<table><tr><td>a<div><td>b</div></tr><p>x</p><tr><td>c<td>d</table>"


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of CPU time for one file."""

    name: str
    suffix: str
    parse: float
    read: float
    lxml: float | None = None
    floor: float | None = None

    @property
    def ratio(self) -> float:
        """Reader by parse alone."""
        return self.read / self.parse


def milliseconds(work: Callable[[], object], repeat: int) -> float:
    """Best of ROUNDS of the mean process time of one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeat):
            work()
        best = min(best, (time.process_time() - start) / repeat)
    return best * 1000


def measure(path: Path) -> Timing:
    """Time the reader and the parse alone on one file."""
    if path.suffix == ".pdf":
        parse = milliseconds(lambda: extract_tables(path), 1)
        return Timing(path.name, path.suffix, parse, milliseconds(lambda: read_document(path), 1))
    decoded = decode(path.read_bytes())
    text, parts = decoded.text, read_html(decoded, DEFAULT_LIMITS).parts
    return Timing(
        path.name,
        path.suffix,
        milliseconds(lambda: LexborHTMLParser(text), 10),
        milliseconds(lambda: read_document(path), 5),
        milliseconds(lambda: lxml_parse(text), 10) if find_spec("lxml") else None,
        milliseconds(lambda: lay_out(parts, DEFAULT_LIMITS), 5),
    )


def extract_tables(path: Path) -> int:
    """What pdfplumber alone takes for the tables; returns how many it finds."""
    with pdfplumber.open(path) as pdf:
        return sum(len(page.extract_tables()) for page in pdf.pages)


def lxml_parse(text: str) -> object:
    """The other candidate for HTML; it is no dependency of the package."""
    return import_module("lxml.html").document_fromstring(text)


def rows_by_lexbor(markup: str) -> list[list[str]]:
    """Rows of cells as lexbor sees them."""
    rows = LexborHTMLParser(markup).css("tr")
    return [[cell.text(deep=True) for cell in row.css("td")] for row in rows]


def rows_by_lxml(markup: str) -> list[list[str]]:
    """Rows of cells as lxml sees them: only those that are children of their row."""
    rows = import_module("lxml.html").document_fromstring(markup).iter("tr")
    return [[cell.text_content() for cell in row.findall("td")] for row in rows]


def report(timings: Sequence[Timing]) -> str:
    """A table of milliseconds and ratios, one line a file."""
    lines = [
        f"{'file':28}{'parse ms':>10}{'read ms':>10}{'ratio':>8}{'target':>8}{'lxml ms':>10}{'floor ms':>10}"
    ]
    for each in timings:
        lxml, floor = ("-" if value is None else f"{value:.2f}" for value in (each.lxml, each.floor))
        lines.append(
            f"{each.name:28}{each.parse:10.2f}{each.read:10.2f}{each.ratio:8.2f}"
            f"{TARGETS[each.suffix]:8.1f}{lxml:>10}{floor:>10}"
        )
    lines.append(f"misnested rows, lexbor: {rows_by_lexbor(MISNESTED)}")
    if find_spec("lxml"):
        lines.append(f"misnested rows, lxml:   {rows_by_lxml(MISNESTED)}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Measure the files named, or the samples and pages."""
    paths = [Path(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        paths = paths or [*sorted(SAMPLES.iterdir()), *_pages(Path(folder))]
        print(report([measure(path) for path in paths if path.suffix in TARGETS]))


def _pages(folder: Path) -> Iterator[Path]:
    """A page of each kind of site, with the tables of a sample report."""
    (made,) = load_reports([SAMPLES / "qilan_2022.yaml"])
    for style in STYLES:
        path = folder / f"page, {style}.html"
        path.write_bytes(web_page(made, style))
        yield path


if __name__ == "__main__":
    main(sys.argv[1:])
