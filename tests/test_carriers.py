"""One report in many carriers: the same facts from each, whatever it is saved as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from excel_writer import as_excel
from word_writer import as_word

from pipeline.document import Document
from pipeline.extract import extract_document
from pipeline.read import read_document

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
REPORTS = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".html", ".md"))
WRITERS: dict[str, Callable[[Document, Path], Path]] = {".docx": as_word, ".xlsx": as_excel}


def facts_of(document: Document) -> Counter[tuple[str, ...]]:
    """What is said of a document, wherever it stands; every fact holds its print."""
    facts = extract_document(document, "rules", None).facts
    for fact in facts:
        print_ = document.text[fact.evidence.start : fact.evidence.end]
        assert "".join(fact.raw.split()) in "".join(print_.split())
    return Counter(
        (f.path, f.source, f.status, str(f.value), f.bound, str(f.scope), str(f.label)) for f in facts
    )


@pytest.mark.parametrize("ending", list(WRITERS))
@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.stem)
def test_the_same_report_has_the_same_facts(tmp_path: Path, report: Path, ending: str) -> None:
    original = read_document(report)
    written = WRITERS[ending](original, tmp_path / f"{report.stem}{ending}")
    expected = facts_of(original)
    assert facts_of(read_document(written)) == expected
    assert expected.total() > 50
