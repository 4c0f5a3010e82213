"""Scanned reports: what share of table cells and of figures in prose is read from a picture, and how fast.

Made-up reports with figures that add up are printed, scanned with rotation, blur, noise, dirt
and broken rules, written as TIFF, and read by `read_document` and `extract_document`. A cell is
exact if value and status are; else it is illegible, wrong with a finding on its path, or wrong
in silence. Pages a second are of CPU time on one core. For thresholds the recogniser's
confidences of right and wrong prints are counted.

    python -m evals.benchmarks.ocr [--reports 40] [--seed 0] [--dpi 150]

Targets: at least 99 % of the cells exact, none wrong in silence.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from evals.benchmarks.scanned_pages import Print, Scan, figure_fonts, fonts, scanned
from evals.benchmarks.table_carriers import Expected, PrintedReport, report_of
from pipeline.document import Document, Span
from pipeline.extraction import Extraction, extract_document
from pipeline.read import read_document
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, request_rows
from pipeline.tables.templates import TableTemplate, expected_cells

TARGET_EXACT = 0.99
VERDICTS = ("exact", "illegible", "finding", "silent")
_BOUNDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
_SENTENCES = (
    "{year}年，全县主动公开政府信息{a}条，其中通过县政府网站公开{b}条，通过政务微信公开{c}条。",
    "全年收到政府信息公开申请{d}件，制发行政规范性文件{e}件，发布政策解读稿件{f}篇。",
    "全年举办新闻发布会{g}场，组织业务培训{h}次，培训{i}人次。",
)


@dataclass(frozen=True)
class Trial:
    """One report, read from its scan: verdicts of cells, confidences, figures of prose, seconds."""

    verdicts: Counter[str]
    sure: tuple[tuple[bool, float], ...]
    prose_wrong: tuple[str, ...]
    prose: int
    pages: int
    seconds: float
    misses: tuple[str, ...]


def drawn_gold(seed: int) -> dict[str, Any]:
    """The tables of a gold file with figures that add up; most are zeros, as in real reports."""
    draw = random.Random(seed)
    template: TableTemplate = draw.choice(("table2019", "table2021", "table2021"))
    zero = draw.choice((0, 0, 0, 0, 0, 0, 0, 0, "/", "_"))
    columns = [_applicant(draw, template) for _ in APPLICANTS[:-1]]
    requests = {row: [column[row] for column in columns] for row in columns[0]}
    requests = {row: [*values, sum(values)] for row, values in requests.items()}
    remedies = {block: [_count(draw, 0.4) for _ in OUTCOMES[:-1]] for block in REMEDY_BLOCKS}
    remedies = {block: [*values, sum(values)] for block, values in remedies.items()}
    proactive: dict[str, dict[str, Any]] = {}
    for cell in expected_cells("proactive", template):
        value = round(draw.uniform(0, 9999), draw.randrange(3)) if "amount" in cell.column else _large(draw)
        proactive.setdefault(cell.row, {})[cell.column] = value
    printed = {row: [value or zero for value in values] for row, values in requests.items()}
    return {
        "doc_id": f"scan_{seed}",
        "templates": dict.fromkeys(("document", "proactive", "requests", "remedies"), template),
        "proactive": proactive,
        "requests": printed,
        "remedies": remedies,
    }


def _applicant(draw: random.Random, template: TableTemplate) -> dict[str, int]:
    """A column of the requests table: outcomes add up, and what came in goes out."""
    column = {row.key: 0 for row in request_rows(template)}
    outcomes = [row.key for row in request_rows(template) if row.group and row.key != "concluded"]
    for _ in range(draw.choice((0, 1, 3, 8))):
        column[draw.choice(outcomes)] += _count(draw, 1.0)
    column["concluded"] = sum(column[key] for key in outcomes)
    column["carried_out"] = _count(draw, 0.2)
    coming = column["concluded"] + column["carried_out"]
    column["carried_in"] = min(coming, _count(draw, 0.3))
    column["new_received"] = coming - column["carried_in"]
    return column


def _count(draw: random.Random, share: float) -> int:
    """A figure of one to four digits, small ones more often, or 0."""
    return draw.randrange(1, 10 ** draw.choice((1, 1, 1, 2, 2, 3))) if draw.random() < share else 0


def _large(draw: random.Random) -> int:
    return draw.randrange(10 ** draw.choice((1, 2, 4, 6))) if draw.random() < 0.8 else 0


def drawn_prose(seed: int) -> tuple[list[str], dict[str, int]]:
    """Title, chapter heading and sentences of a report, and the figures in them by field."""
    draw = random.Random(seed)
    figures = {letter: draw.randrange(1, 10 ** draw.choice((1, 2, 3, 4))) for letter in "bcdefghi"}
    figures["a"] = figures["b"] + figures["c"]
    year = draw.randrange(2019, 2026)
    text = ["云岭县人民政府" + f"{year}年政府信息公开工作年度报告", "一、总体情况"]
    text += [sentence.format(year=year, **figures) for sentence in _SENTENCES]
    names = {
        "a": "proactive.total",
        "b": "proactive.channel.website",
        "c": "proactive.channel.wechat",
        "d": "requests.new_received.total",
        "e": "proactive.normative_documents.issued",
        "f": "engagement.interpretations",
        "g": "engagement.press_conferences",
        "h": "capacity.trainings",
        "i": "capacity.trainees",
    }
    return text, {names[letter]: value for letter, value in figures.items()}


def drawn_look(seed: int, dpi: int) -> tuple[Print, Scan]:
    """Type, and what the scanner does to it."""
    draw = random.Random(seed)
    latin = figure_fonts()
    style = Print(
        draw.choice(fonts()),
        draw.choice(latin) if latin and draw.random() < 0.5 else None,
        size_pt=draw.choice((9.0, 10.5, 10.5, 12.0)),
        rule_mm=draw.choice((0.15, 0.2, 0.35)),
    )
    scan = Scan(
        dpi=dpi,
        angle=draw.uniform(-1.5, 1.5),
        blur=draw.uniform(0.3, 0.8) * dpi / 150,
        noise=draw.uniform(2, 12),
        specks=draw.randrange(400),
        fading=draw.uniform(0, 0.3),
        gaps=draw.randrange(250),
        jpeg_quality=draw.choice((50, 75, 90)),
        seed=seed,
    )
    return style, scan


def trial(seed: int, dpi: int, folder: Path) -> Trial:
    """Print, scan and read one report."""
    report = report_of(drawn_gold(seed))
    text, figures = drawn_prose(seed)
    images = scanned(report, text, *drawn_look(seed, dpi))
    file = folder / f"{report.name}.tif"
    images[0].save(file, save_all=True, append_images=images[1:], dpi=(dpi, dpi), compression="tiff_lzw")
    began = time.process_time()
    document = read_document(file)
    seconds = time.process_time() - began
    extraction = extract_document(document, "rules", None)
    return _judged(report, figures, document, extraction, len(images), seconds)


def _judged(
    report: PrintedReport,
    figures: Mapping[str, int],
    document: Document,
    extraction: Extraction,
    pages: int,
    seconds: float,
) -> Trial:
    facts = {fact.path: fact for fact in extraction.facts if fact.source == "table"}
    named = {path for finding in extraction.findings for path in finding.paths if finding.severity != "note"}
    verdicts: Counter[str] = Counter()
    sure: list[tuple[bool, float]] = []
    misses = []
    for path, expected in report.expected.items():
        fact = facts.get(path)
        verdict = _verdict(None if fact is None else (fact.value, fact.status), expected, path in named)
        verdicts[verdict] += 1
        if fact is not None:
            confidence = document.confidence_of(Span(fact.evidence.start, fact.evidence.end))
            if confidence is not None:
                sure.append((_printed(expected) == fact.raw, confidence))
        if verdict != "exact":
            misses.append(
                f"{report.name} {path}: {_printed(expected)!r} → {fact.raw if fact else None!r} {verdict}"
            )
    prose = {fact.path: fact for fact in extraction.facts if fact.source == "narrative"}
    wrong = tuple(
        f"{report.name} {path}: {value} → {prose[path].raw if path in prose else None}"
        for path, value in figures.items()
        if path not in prose or prose[path].value != value
    )
    return Trial(verdicts, tuple(sure), wrong, len(figures), pages, seconds, tuple(misses))


def _verdict(found: tuple[Any, str] | None, expected: Expected, is_named: bool) -> str:
    if found == (expected.value, expected.status):
        return "exact"
    if found is not None and found[1] == "illegible":
        return "illegible"
    return "finding" if is_named else "silent"


def _printed(cell: Expected) -> str:
    return {"blank": "", "not_applicable": "/"}.get(cell.status, str(cell.value))


def summary(trials: Sequence[Trial]) -> Iterator[str]:
    """The shares, the speed, and how confidence parts right from wrong."""
    verdicts = sum((each.verdicts for each in trials), Counter[str]())
    cells = sum(verdicts.values())
    shares = ", ".join(f"{verdicts[name]} {name} ({verdicts[name] / cells:.2%})" for name in VERDICTS)
    yield f"{cells} cells: {shares}"
    wrong = [line for each in trials for line in each.prose_wrong]
    figures = sum(each.prose for each in trials)
    yield f"{figures} figures in prose: {figures - len(wrong)} exact"
    seconds, pages = sum(each.seconds for each in trials), sum(each.pages for each in trials)
    yield f"{pages} pages: {pages / seconds:.2f} a second of CPU time"
    sure = [pair for each in trials for pair in each.sure]
    for bound in _BOUNDS:
        lost = sum(is_right and confidence < bound for is_right, confidence in sure)
        passed = sum(not is_right and confidence >= bound for is_right, confidence in sure)
        yield f"  confidence {bound}: {lost} right prints below, {passed} wrong prints not below"
    yield from (line for each in trials for line in each.misses)
    yield from wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit code 4 where a target is missed."""
    parser = argparse.ArgumentParser(description="Scanned reports: accuracy and speed.")
    parser.add_argument("--reports", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dpi", type=int, default=150)
    options = parser.parse_args(arguments)
    if not fonts():
        parser.error("no Chinese font: install the package fonts-noto-cjk")
    Image.init()
    with tempfile.TemporaryDirectory() as folder:
        seeds = range(options.seed, options.seed + options.reports)
        trials = [trial(seed, options.dpi, Path(folder)) for seed in seeds]
    sys.stdout.write("\n".join(summary(trials)) + "\n")
    verdicts = sum((each.verdicts for each in trials), Counter[str]())
    is_met = verdicts["exact"] >= TARGET_EXACT * sum(verdicts.values()) and not verdicts["silent"]
    return 0 if is_met else 4


if __name__ == "__main__":
    raise SystemExit(main())
