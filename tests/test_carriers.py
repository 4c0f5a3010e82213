"""One report in many carriers: the same facts from each, whatever it is saved as."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from carrier_matrix import Outcome, outcome_of
from carriers import SAMPLES, facts_of
from excel_writer import as_excel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_reports import TEMPLATES, MadeTemplate, make_report
from page_layout import pdf_of
from report_carriers import TEXT_CARRIERS, MadeCarrier
from word_writer import as_word

from pipeline.document import Document
from pipeline.read import read_document

REPORTS = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".html", ".md"))
WRITERS: dict[str, Callable[[Document, Path], Path]] = {".docx": as_word, ".xlsx": as_excel}


@pytest.mark.parametrize("ending", list(WRITERS))
@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.stem)
def test_the_same_report_has_the_same_facts(tmp_path: Path, report: Path, ending: str) -> None:
    original = read_document(report)
    written = WRITERS[ending](original, tmp_path / f"{report.stem}{ending}")
    expected = facts_of(original)
    assert facts_of(read_document(written)) == expected
    assert expected.total() > 50


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("carrier", TEXT_CARRIERS)
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10**6))
def test_what_was_printed_is_what_is_read(
    tmp_path: Path, carrier: str, template: MadeTemplate, seed: int
) -> None:
    outcome = outcome_of(make_report(template, seed), TEXT_CARRIERS[carrier], tmp_path)
    assert (outcome.exact, outcome.invented) == (outcome.expected, ()), outcome
    assert outcome.expected > 15


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("padding", [4.0, 3.0, 2.0])
def test_rows_without_rules_that_stand_close_are_exact_or_told_of(
    tmp_path: Path, template: MadeTemplate, padding: float
) -> None:
    tight = MadeCarrier(".pdf", lambda report: pdf_of(report, is_ruled=False, padding=padding))
    outcome = sum((outcome_of(make_report(template, seed), tight, tmp_path) for seed in range(3)), Outcome())
    assert outcome.exact >= 0.99 * outcome.expected
    assert (outcome.silent, outcome.invented) == ((), ())
