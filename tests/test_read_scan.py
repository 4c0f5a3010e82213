"""Scanned pages and pictures: cells exact or told of, and clear words where they cannot be read."""

from __future__ import annotations

import socket
import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import pypdfium2
import pytest
from carrier_matrix import compared
from made_reports import MadeReport, make_report
from page_layout import SCAN_FONT, pdf_of, scan_of, scanned_pages
from PIL import Image
from tables_material import APPLICANT_HEADER, drafts

from pipeline.document import Box, DocumentBuilder, Recognised, Span
from pipeline.errors import DocumentError, EmptyFile, NoTextLayer, TooLarge, UnsupportedFormat
from pipeline.extraction import extract_document
from pipeline.read import DEFAULT_LIMITS, pdf, read_document, scan
from pipeline.read.scan import has_ocr
from pipeline.tables.reading import read_tables

pytestmark = [
    pytest.mark.skipif(not has_ocr(), reason="needs the extra `ocr`"),
    pytest.mark.skipif(not Path(SCAN_FONT).exists(), reason="needs the Debian package fonts-noto-cjk"),
]
REPORT = make_report("table2021", 3)


def write(folder: Path, data: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("reading opened a network connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(
    ("report", "degrees"),
    [(REPORT, -1.0), (make_report("table2019", 4), 1.0), (make_report("stat2014", 5), 0.6)],
    ids=["table2021", "table2019", "stat2014"],
)
def test_cells_of_a_scan_are_exact_or_told_of(tmp_path: Path, report: MadeReport, degrees: float) -> None:
    document = read_document(write(tmp_path, scan_of(report, degrees), "scan.pdf"))
    outcome = compared(report, extract_document(document, "rules", None))
    assert outcome.exact_cells >= 0.97 * outcome.cells
    assert [fact for fact in outcome.silent if fact.source == "table"] == []
    assert outcome.invented == ()


def test_a_recognised_figure_has_page_box_and_confidence(tmp_path: Path) -> None:
    document = read_document(write(tmp_path, scan_of(REPORT, 0.0), "scan.pdf"))
    assert document.media_type == "application/pdf"
    assert any("recognised in pictures (OCR)" in note for note in document.notes)
    figures = [cell for table in document.tables for cell in table.cells if cell.text.isdecimal()]
    assert len(figures) > 190
    for cell in figures:
        assert cell.page is not None
        assert cell.box is not None
        assert cell.confidence is not None
    facts = extract_document(document, "rules", None).facts
    total = next(fact for fact in facts if fact.path == "proactive.total")
    assert total.confidence is not None
    assert total.evidence.page == 1


@pytest.mark.parametrize(
    ("kind", "media_type"), [("TIFF", "image/tiff"), ("PNG", "image/png"), ("JPEG", "image/jpeg")]
)
def test_image_files(tmp_path: Path, kind: str, media_type: str) -> None:
    first, second, *_ = scanned_pages(REPORT, 0.3)
    written = BytesIO()
    if kind == "TIFF":
        first.save(written, kind, save_all=True, append_images=[second], dpi=(150, 150))
    else:
        first.save(written, kind, dpi=(150, 150))
    document = read_document(write(tmp_path, written.getvalue(), "scan.dat"))
    assert (document.media_type, document.page_count) == (media_type, 2 if kind == "TIFF" else 1)
    assert REPORT.title in document.text


def test_scanned_pages_among_pages_of_text(tmp_path: Path) -> None:
    mixed = pypdfium2.PdfDocument(pdf_of(REPORT, is_ruled=True))
    scanned = pypdfium2.PdfDocument(scan_of(REPORT, 0.0))
    count = len(mixed)
    mixed.del_page(count - 1)
    mixed.import_pages(scanned, [count - 1])
    written = BytesIO()
    mixed.save(written)
    document = read_document(write(tmp_path, written.getvalue(), "mixed.pdf"))
    outcome = compared(REPORT, extract_document(document, "rules", None))
    assert outcome.exact_cells == outcome.cells
    assert any(f"page {count}" in note for note in document.notes)


def test_an_empty_sheet_says_so(tmp_path: Path) -> None:
    sheet, written = Image.new("L", (1240, 1754), 250), BytesIO()
    sheet.save(written, "PDF", resolution=150)
    with pytest.raises(NoTextLayer, match="recognised no text"):
        read_document(write(tmp_path, written.getvalue(), "empty.pdf"))
    written = BytesIO()
    sheet.save(written, "PNG")
    with pytest.raises(EmptyFile, match="no text was recognised"):
        read_document(write(tmp_path, written.getvalue(), "empty.png"))


def test_without_the_extra_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "has_ocr", lambda: False)
    monkeypatch.setattr(pdf, "has_ocr", lambda: False)
    written = BytesIO()
    Image.new("L", (800, 800), 255).save(written, "PNG")
    cases: list[tuple[bytes, str, type[DocumentError]]] = [
        (scan_of(REPORT, 0.0), "scan.pdf", NoTextLayer),
        (written.getvalue(), "scan.png", UnsupportedFormat),
    ]
    for data, name, error in cases:
        with pytest.raises(error, match=r'pip install "gongkai\[ocr\]"'):
            read_document(write(tmp_path, data, name))


def test_a_picture_of_gigapixels_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(TooLarge, match=f"the limit is {DEFAULT_LIMITS.picture_pixels:,} pixels"):
        read_document(write(tmp_path, data, "huge.png"))


@pytest.mark.parametrize(("sure", "status"), [(0.55, "illegible"), (0.97, "value")])
def test_a_figure_that_was_not_surely_recognised_is_illegible(sure: float, status: str) -> None:
    rows = drafts(APPLICANT_HEADER + "一、本年新收政府信息公开申请数量 | < | < | 7 | 0 | 0 | 0 | 0 | 0 | 7")
    rows[-1][1] = rows[-1][1]._replace(confidence=sure)
    builder = DocumentBuilder()
    builder.add_table(rows, "grid")
    document = builder.build(doc_id="x", file="x.png", sha256="0" * 64, media_type="image/png")
    reading = read_tables(document)
    fact = next(fact for fact in reading.facts if fact.path == "requests.new_received.natural_person")
    assert (fact.status, fact.raw) == (status, "7")
    assert fact.confidence is not None
    assert fact.confidence <= sure
    named = [
        finding for finding in reading.findings if fact.path in finding.paths and "OCR" in finding.message
    ]
    assert bool(named) == (status == "illegible")


def test_of_unsure_print_a_figure_is_illegible_and_a_name_is_told_of() -> None:
    lines = [REPORT.title, "一、概述", "全年主动公开政府信息12条。"]
    builder = DocumentBuilder()
    for line, unsure in zip(lines, ("县", "", "12"), strict=True):
        span = builder.add_text("paragraph", line)
        if unsure:
            start = span.start + line.index(unsure)
            place = Span(start, start + len(unsure))
            builder.add_recognised([Recognised(place, 1, Box(0, 0, 9, 9), 0.6)])
    document = builder.build(doc_id="x", file="x.png", sha256="0" * 64, media_type="image/png")
    extraction = extract_document(document, "rules", None)
    facts = {fact.path: (fact.value, fact.status, fact.confidence) for fact in extraction.facts}
    rules = {path: finding.rule for finding in extraction.findings for path in finding.paths}
    assert facts["proactive.total"] == (None, "illegible", 0.0)
    assert rules["proactive.total"] == "reading.illegible"
    issuer = REPORT.title[: REPORT.title.index("2023")]
    assert facts["meta.issuer"] == (issuer, "value", 0.6)
    assert rules["meta.issuer"] == "reading.unsure"
