"""PDFs that turn in circles, nest without end or unpack to gigabytes: a reason, and no harm."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pdf_writer import Canvas, objects_pdf, pdf
from run_material import STAGES
from worker_material import WorkersHere

from pipeline.read import DEFAULT_LIMITS
from pipeline.runs.work import INTERNAL_CODE

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
NOTHING = b"<< /Length 0 >>\nstream\n\nendstream"


def page(extra: bytes = b"") -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % extra


def stream(data: bytes, entries: bytes = b"/Filter /FlateDecode") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    block = b" " * 2**20
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


LOOP = (
    b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 5 0 R >> >> /Length 6 >>"
)
HOSTILE = {
    "pages that hold themselves": [CATALOG, PAGES.replace(b"3 0 R", b"2 0 R 3 0 R"), page(), NOTHING],
    "a million pages announced": [CATALOG, PAGES.replace(b"/Count 1", b"/Count 1000000"), page(), NOTHING],
    "a form that draws itself": [
        CATALOG,
        PAGES,
        page(b"/Resources << /XObject << /A 5 0 R >> >>"),
        stream(b"/A Do", b""),
        LOOP + b"\nstream\n/A Do \nendstream",
    ],
    "lists in lists": [CATALOG, PAGES, page(b"/X " + b"[" * 50_000 + b"]" * 50_000), NOTHING],
    "lists in lists of the page": [CATALOG, PAGES, page(), stream(b"[" * 50_000 + b"]" * 50_000, b"")],
    "a page beyond all measure": [CATALOG, PAGES, page().replace(b"842", b"1e308"), NOTHING],
    "a length that refers to itself": [CATALOG, PAGES, page(), b"<< /Length 4 0 R >>\nstream\n\nendstream"],
    "gigabytes of blanks": [CATALOG, PAGES, page(), stream(bomb(1_500))],
}


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkersHere]:
    limits = replace(DEFAULT_LIMITS, memory_bytes=600 * 2**20)
    with WorkersHere(tmp_path_factory.mktemp("run"), STAGES, limits) as here:
        yield here


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pdf_fails_with_a_reason(tmp_path: Path, workers: WorkersHere, name: str) -> None:
    path = tmp_path / "hostile.pdf"
    path.write_bytes(objects_pdf(HOSTILE[name]))
    record = workers.record(path)
    assert record.status == "failed"
    assert record.error_code != INTERNAL_CODE
    assert str(record.error).startswith("hostile.pdf: ")


def test_a_table_of_objects_that_follows_itself(tmp_path: Path, workers: WorkersHere) -> None:
    data = pdf(Canvas().text(60, 60, "云岭县全年主动公开信息12条。"))
    start = data.rindex(b"startxref\n") + len(b"startxref\n")
    offset = data[start : data.index(b"\n", start)]
    path = tmp_path / "circle.pdf"
    path.write_bytes(data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev " + offset))
    assert str(workers.record(path).error).startswith("circle.pdf: the PDF is damaged")
