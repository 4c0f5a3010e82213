"""The folder of made-up reports for measuring speed: no two alike, and every sum right."""

from __future__ import annotations

from pathlib import Path

from many_reports import make_reports

from pipeline.extraction import extract_document
from pipeline.metadata.reading import require_report
from pipeline.read import read_document


def test_the_reports_are_reports_whose_sums_are_right(tmp_path: Path) -> None:
    forms = set()
    for path in make_reports(tmp_path, 24, seed=1):
        document = read_document(path)
        require_report(document)
        extraction = extract_document(document, "rules", None)
        forms.add(extraction.templates.document)
        assert {finding.rule for finding in extraction.findings} <= {"narrative.closed_list"}
    assert forms == {"table2019", "table2021", "stat2014", "narrative"}


def test_no_two_reports_print_the_same_figures(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in make_reports(tmp_path, 900, seed=1)]
    assert len(set(texts)) == 900


def test_a_seed_gives_the_same_files(tmp_path: Path) -> None:
    one, two = (make_reports(tmp_path / name, 30, seed=3) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert one[-1].parent == tmp_path / "one" / "000"
