"""Tables that are pictures: in a page, beside it, in a Word document; and pictures that are not looked at."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import docx
import pytest
from made_reports import Paragraph, make_report
from page_layout import table_picture

from pipeline.document import Document
from pipeline.extraction import extract_document
from pipeline.read import pictures, read_document
from pipeline.read.scan import has_ocr

needs_ocr = pytest.mark.skipif(not has_ocr(), reason="needs the extra `ocr`")
REPORT = make_report("table2021", 3)
REMEDIES = {fact.path: fact.value for fact in REPORT.expected if fact.path.startswith("remedies.")}


def picture() -> bytes:
    """The third table of the report as a picture."""
    return table_picture(REPORT.tables[2])


def page(*sources: str) -> bytes:
    images = "".join(f'<p><img src="{source}"></p>' for source in sources)
    prose = "".join(f"<p>{block.text}</p>" for block in REPORT.blocks if isinstance(block, Paragraph))
    return f"<html><body><h1>{REPORT.title}</h1>{prose}{images}</body></html>".encode()


def remedies(document: Document) -> dict[str, str]:
    facts = extract_document(document, "rules", None).facts
    return {
        fact.path: str(fact.value)
        for fact in facts
        if fact.path.startswith("remedies.") and fact.source == "table"
    }


@needs_ocr
def test_a_picture_inside_of_a_page(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(page("data:image/png;base64," + base64.b64encode(picture()).decode()))
    document = read_document(path)
    assert remedies(document) == REMEDIES
    assert "recognised (OCR)" in " ".join(document.notes)


@needs_ocr
def test_a_picture_saved_beside_the_page(tmp_path: Path) -> None:
    (tmp_path / "report_files").mkdir()
    (tmp_path / "report_files" / "表 1.png").write_bytes(picture())
    path = tmp_path / "report.html"
    path.write_bytes(page("report_files/%E8%A1%A8%201.png?v=2"))
    assert remedies(read_document(path)) == REMEDIES


@needs_ocr
def test_a_picture_in_a_word_document(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph(REPORT.title)
    for block in REPORT.blocks:
        if isinstance(block, Paragraph):
            document.add_paragraph(block.text)
    document.add_picture(BytesIO(picture()))
    path = tmp_path / "report.docx"
    document.save(str(path))
    assert remedies(read_document(path)) == REMEDIES


@pytest.mark.parametrize(
    "source",
    [
        "../secret.png",
        "/secret.png",
        "http://127.0.0.1:9/x.png",
        "file:///secret.png",
        "..%2Fsecret.png",
        "a%00.png",
    ],
)
def test_pictures_elsewhere_are_not_opened(tmp_path: Path, source: str) -> None:
    (tmp_path / "secret.png").write_bytes(picture())
    folder = tmp_path / "pages"
    folder.mkdir()
    path = folder / "report.html"
    path.write_bytes(page(source))
    document = read_document(path)
    assert (document.notes, document.losses) == ((), ())
    assert remedies(document) == {}


def test_what_is_no_picture_or_an_icon_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "icon.png").write_bytes(b"no picture")
    path = tmp_path / "report.html"
    path.write_bytes(page("icon.png", "data:image/png;base64,!!!!", "missing.png"))
    assert read_document(path).notes == ()


def test_without_the_extra_a_note_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "has_ocr", lambda: False)
    path = tmp_path / "report.html"
    path.write_bytes(page("data:image/png;base64," + base64.b64encode(picture()).decode()))
    (note,) = read_document(path).losses
    assert "1 pictures were not read" in note
    assert 'pip install "gongkai[ocr]"' in note
