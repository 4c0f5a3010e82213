"""Pages of a PDF as pictures, and where on them facts are printed."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import pytest
from pdf_writer import Canvas, pdf
from PIL import Image

from pipeline.document import Span
from pipeline.errors import BrokenFile, DocumentError
from pipeline.read.pages import PdfPages

BODY = [
    "岚溪县2020年政府信息公开工作年度报告显示，全年主动公开信息",
    "共计128条，其中网站公开56条，微博公开56条。",
]
LEFT, FIRST_LINE, LEADING, SIZE = 80.0, 100.0, 28.0, 16.0


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> PdfPages:
    """Two lines of prose, then a ruled table of two rows and two columns."""
    page = Canvas().paragraph(FIRST_LINE, BODY)
    for x in (100, 300, 500):
        page.line(x, 300, x, 360)
    for y in (300, 330, 360):
        page.line(100, y, 500, y)
    page.text(120, 308, "规章").text(320, 308, "56").text(120, 338, "文件").text(320, 338, "7")
    path = tmp_path_factory.mktemp("pdf") / "lanxi_2020.pdf"
    path.write_bytes(pdf(page))
    return PdfPages(path)


def place(pages: PdfPages, figure: str, after: str) -> Span:
    """The place of `figure` in the canonical text, the first one behind `after`."""
    text = pages.document.text
    start = text.index(figure, text.index(after) + len(after))
    return Span(start, start + len(figure))


def width(text: str) -> float:
    """Of a line in the test's font: digits are half as wide as they are high."""
    return SIZE * sum(0.5 if sign.isascii() else 1.0 for sign in text)


def test_a_cell_is_outlined_by_its_ruling_lines(pages: PdfPages) -> None:
    found = pages.place_of(place(pages, "56", "规章"))
    assert found is not None
    assert (found.page, [(round(b.x0), round(b.top), round(b.x1), round(b.bottom)) for b in found.boxes]) == (
        1,
        [(300, 300, 500, 330)],
    )


@pytest.mark.parametrize(("figure", "after"), [("128条", "共计"), ("56条", "网站公开"), ("56条", "微博公开")])
def test_a_figure_in_prose_is_outlined_where_it_stands(pages: PdfPages, figure: str, after: str) -> None:
    """The figure 56 stands twice on the line, and once in the table."""
    found = pages.place_of(place(pages, figure, after))
    assert found is not None
    (box,) = found.boxes
    before = BODY[1][: BODY[1].index(after) + len(after)]
    assert box.top == pytest.approx(FIRST_LINE + LEADING, abs=SIZE / 2)
    assert box.x0 == pytest.approx(LEFT + width(before), abs=1)
    assert box.x1 == pytest.approx(LEFT + width(before + figure), abs=1)


def test_a_text_over_two_lines_has_a_box_a_line(pages: PdfPages) -> None:
    found = pages.place_of(place(pages, "主动公开信息共计128条", "全年"))
    assert found is not None
    first, second = found.boxes
    assert first.bottom < second.top
    assert second.x0 < first.x0


def with_box(folder: Path, name: str, box: str) -> PdfPages:
    """A page of two lines whose box of this name is another than the paper's."""
    path = folder / "boxed.pdf"
    content = pdf(Canvas().paragraph(FIRST_LINE, BODY))
    paper = b"/MediaBox [0 0 595 842]"
    assert paper in content
    path.write_bytes(content.replace(paper, paper + box.encode() if name == "CropBox" else box.encode()))
    return PdfPages(path)


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("CropBox", " /CropBox [60 300 595 792]"),
        ("MediaBox", "/MediaBox [-50 -80 595 842]"),
    ],
)
def test_no_outline_where_the_picture_begins_elsewhere(tmp_path: Path, name: str, box: str) -> None:
    """Cropped and shifted pages are shown, but nothing is outlined in the wrong place."""
    pages = with_box(tmp_path, name, box)
    start = pages.document.text.index("128条")
    assert pages.place_of(Span(start, start + 4)) is None
    assert len(list(pages.pictures())) == 1


@pytest.mark.parametrize("box", ["/MediaBox [0 0 595 14000]", "/MediaBox [0 0 9000 842]"])
def test_pictures_are_of_bounded_size(tmp_path: Path, box: str) -> None:
    (picture,) = with_box(tmp_path, "MediaBox", box).pictures()
    with Image.open(BytesIO(base64.b64decode(picture.data_uri.partition(",")[2]))) as image:
        assert image.width <= 1000
        assert image.height <= 2001


def test_a_figure_that_cannot_be_told_from_another_has_no_place(tmp_path: Path) -> None:
    path = tmp_path / "twice.pdf"
    path.write_bytes(pdf(Canvas().text(20, 100, "全年公开七条信息" * 11, 6)))
    pages = PdfPages(path)
    start = pages.document.text.index("七条", 40)
    assert pages.place_of(Span(start, start + 2)) is None


def test_a_paragraph_that_goes_on_overleaf_is_searched_there(tmp_path: Path) -> None:
    first = Canvas().paragraph(700, ["岚溪县政府信息公开工作年度报告显示，全年主动公开各类信息共计"])
    path = tmp_path / "overleaf.pdf"
    path.write_bytes(pdf(first, Canvas().text(LEFT, 100, "一百二十八条，其中微博公开五十六条。", 16)))
    pages = PdfPages(path)
    start = pages.document.text.index("五十六条")
    found = pages.place_of(Span(start, start + 4))
    assert found is not None
    assert found.page == 2


def test_nothing_has_no_place(pages: PdfPages) -> None:
    assert pages.place_of(Span(3, 3)) is None


def test_pictures_are_grey_and_as_large_as_the_page(pages: PdfPages) -> None:
    (picture,) = pages.pictures()
    kind, _, content = picture.data_uri.partition(",")
    assert kind == "data:image/webp;base64"
    with Image.open(BytesIO(base64.b64decode(content))) as image:
        assert image.width == 1000
        assert image.height / image.width == pytest.approx(picture.height / picture.width, abs=0.01)
        assert image.convert("L").getextrema()[0] < 128, "nothing is printed on it"
    assert (picture.width, picture.height) == (595, 842)


def test_other_files_have_no_pages(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("岚溪县2020年政府信息公开工作年度报告", encoding="utf-8")
    with pytest.raises(DocumentError, match="has no pages"):
        PdfPages(text)
    broken = tmp_path / "b.pdf"
    broken.write_bytes(b"%PDF-1.4\n1 0 obj\n")
    with pytest.raises(BrokenFile):
        PdfPages(broken)
