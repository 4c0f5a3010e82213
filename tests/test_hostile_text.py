"""Text that no county writes: endless sentences and numbers, characters that hide or turn, damaged files."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from carrier_matrix import compared
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reports import Heading, MadeReport, Paragraph, make_report
from mutations import mutated
from report_carriers import TEXT_CARRIERS

from pipeline.document import Document
from pipeline.errors import DocumentError
from pipeline.extraction import Extraction, extract_document
from pipeline.metadata.reading import require_report
from pipeline.read import read_document

TITLE = "云岭县人民政府2018年政府信息公开工作年度报告"
REPORT = TITLE + "\n一、概述\n全年主动公开政府信息12条。\n{}\n二、问题\n一是不足。\n"


def extracted(folder: Path, text: str) -> Extraction:
    path = folder / "report.txt"
    path.write_text(REPORT.format(text), encoding="utf-8")
    return extract_document(read_document(path), "rules", None)


ENDLESS = ["1条，" * 5_000, "未收到" * 5_000, "9" * 20_000, "一" * 20_000, "1,234.56万元" * 2_000]


@pytest.mark.parametrize("text", ENDLESS, ids=lambda text: text[:6])
def test_an_endless_sentence_is_left_alone_with_a_finding(tmp_path: Path, text: str) -> None:
    found = extracted(tmp_path, text)
    assert {fact.path: fact.value for fact in found.facts}["proactive.total"] == 12
    (finding,) = [finding for finding in found.findings if finding.rule == "narrative.overlong_sentence"]
    assert f"{len(text):,} characters without the end of a sentence" in finding.message


def test_a_number_without_end_is_no_figure(tmp_path: Path) -> None:
    found = extracted(tmp_path, f"全年收到政府信息公开申请{'9' * 1_500}件。")
    assert [fact for fact in found.facts if fact.path.startswith("requests.")] == []


# Zero width, direction marks, isolates, tags, variation, soft hyphen, controls.
HIDDEN = "\u200b\u200e\u202e\u2066\u2069\ufeff\u00ad\U000e0041\x07"


def with_hidden(report: MadeReport) -> MadeReport:
    """The report with characters that are not seen, also inside its figures."""

    def mixed(text: str) -> str:
        return "".join(f"{char}{HIDDEN[at % len(HIDDEN)]}" for at, char in enumerate(text))

    blocks = [
        type(block)(mixed(block.text)) if isinstance(block, Heading | Paragraph) else block
        for block in report.blocks
    ]
    return MadeReport(
        report.template, report.title, report.metadata, tuple(blocks), report.signature, report.expected
    )


# XML of Office forbids control characters; PDF writers have no glyph for what is not seen.
@pytest.mark.parametrize("carrier", ["text", "markdown", "page, modern", "page, Word"])
def test_characters_that_are_not_seen_change_no_fact_and_are_told_of(tmp_path: Path, carrier: str) -> None:
    report = make_report("table2021", 11)
    path = tmp_path / f"report{TEXT_CARRIERS[carrier].ending}"
    path.write_bytes(TEXT_CARRIERS[carrier].write(with_hidden(report)))
    document = read_document(path)
    outcome = compared(report, extract_document(document, "rules", None))
    assert (outcome.exact, outcome.invented) == (outcome.expected, ()), outcome
    assert not set(document.text) & set(HIDDEN)
    assert any("turn the direction of writing" in note for note in document.notes)


def spans_hold(document: Document) -> bool:
    """Whether every block and cell is where the document says."""
    return all(document.slice(cell.span) == cell.text for table in document.tables for cell in table.cells)


@pytest.mark.parametrize("carrier", TEXT_CARRIERS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9))
def test_a_damaged_file_is_read_or_fails_with_a_reason(
    carrier: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = TEXT_CARRIERS[carrier].write(make_report("hybrid", 5))
    path = tmp_path_factory.mktemp("damaged") / f"damaged{TEXT_CARRIERS[carrier].ending}"
    path.write_bytes(mutated(good, Random(seed), [good]))
    try:
        document = read_document(path)
        require_report(document)
    except DocumentError as error:
        reason = str(error)
    else:
        reason = ""
    if reason:
        assert reason.startswith(path.name)
        return
    assert spans_hold(document)
    for fact in extract_document(document, "rules", None).facts:
        assert "".join(fact.raw.split()) in "".join(
            document.text[fact.evidence.start : fact.evidence.end].split()
        )
