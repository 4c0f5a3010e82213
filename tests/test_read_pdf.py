"""PDFs: ruled tables over page breaks, paragraphs by geometry, errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from pdf_writer import Canvas, pdf

from pipeline.document import Document
from pipeline.errors import BrokenFile, NoTextLayer, TooLarge
from pipeline.read import Limits, read_document

# Three columns: a narrow one for vertical labels, labels, figures.
XS = (80, 100, 300, 400, 500)


def read(tmp_path: Path, *pages: Canvas) -> Document:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf(*pages))
    return read_document(path)


def rows(document: Document, table: int = 0) -> list[list[str]]:
    return [[cell.text for cell in row] for row in document.tables[table].rows]


def vertical(canvas: Canvas, x: float, y: float, text: str) -> None:
    for number, char in enumerate(text):
        canvas.text(x, y + 13 * number, char, 10)


def head(canvas: Canvas) -> Canvas:
    return canvas.paragraph(80, ["云岭镇人民政府公布如下，表内各项数字由办公室汇总，", "经核对无误。"])


def test_table_over_a_page_break_without_repeated_header(tmp_path: Path) -> None:
    first = head(Canvas()).grid(XS, (680, 700, 740, 780), missing=["v1:0", "h2:0"])
    first.text(150, 683, "项目").text(320, 683, "自然人").text(420, 683, "总").text(460, 683, "计")
    vertical(first, 85, 702, "三、本年度")
    first.text(110, 710, "（一）予以公开").text(340, 710, "1,204").text(440, 710, "1,206")
    first.text(110, 742, "（二）部分公开，不计其").text(110, 758, "他情形").text(340, 750, "3").text(
        440, 750, "/"
    )
    first.text(290, 805, "- 1 -", 10)
    second = Canvas().grid(XS, (80, 120, 160, 190), missing=["v1:2", "h1:0"])
    vertical(second, 85, 82, "办理结果")
    second.text(110, 90, "（三）不予公开").text(340, 90, "0").text(440, 90, "0")
    second.text(110, 130, "（七）总计").text(440, 130, "1209").text(110, 165, "四、结转下年度").text(
        340, 165, "-3"
    )
    second.text(290, 805, "- 2 -", 10)

    document = read(tmp_path, first, second)

    assert rows(document) == [
        ["项目", "自然人", "总计"],
        ["三、本年度", "（一）予以公开", "1,204", "1,206"],
        ["（二）部分公开，不计其他情形", "3", "/"],
        ["办理结果", "（三）不予公开", "0", "0"],
        ["（七）总计", "", "1209"],
        ["四、结转下年度", "-3", ""],
    ]
    table = document.tables[0]
    assert [row[-1].page for row in table.rows] == [1, 1, 1, 2, 2, 2]
    assert [(cell.column, cell.column_span) for cell in table.rows[0]] == [(0, 2), (2, 1), (3, 1)]
    assert table.rows[1][0].row_span == 2
    assert "- 1 -" not in document.text
    assert document.page_count == 2


def test_pieces_with_other_columns_stay_separate(tmp_path: Path) -> None:
    first = head(Canvas()).grid((80, 300, 500), (700, 740)).text(90, 710, "甲").text(310, 710, "1")
    second = Canvas().grid((80, 160, 500), (80, 120)).text(90, 90, "乙").text(310, 90, "2")
    document = read(tmp_path, first, second)
    assert [rows(document, number) for number in (0, 1)] == [[["甲", "1"]], [["乙", "2"]]]


def test_a_paragraph_between_two_pieces_keeps_them_separate(tmp_path: Path) -> None:
    first = head(Canvas()).grid((80, 300, 500), (700, 740)).text(90, 710, "甲").text(310, 710, "1")
    second = Canvas().paragraph(80, ["三、其他情况"]).grid((80, 300, 500), (120, 160))
    second.text(90, 130, "乙").text(310, 130, "2")
    assert len(read(tmp_path, first, second).tables) == 2


def test_missing_outer_lines_lose_no_cell(tmp_path: Path) -> None:
    page = head(Canvas()).grid((80, 300, 500), (300, 340, 380), missing=["h0:0", "h2:1"])
    page.text(90, 310, "信息内容").text(310, 310, "处理决定数量").text(90, 350, "行政许可").text(
        310, 350, "550"
    )
    assert rows(read(tmp_path, page)) == [["信息内容", "处理决定数量"], ["行政许可", "550"]]


def test_white_boxes_behind_text_are_no_table(tmp_path: Path) -> None:
    page = Canvas()
    for number in range(6):
        page.white_box(80, 80 + 28 * number, 520, 108 + 28 * number)
    document = read(tmp_path, head(page))
    assert document.tables == ()
    assert "汇总，经核对无误。" in document.text


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("44722", "8", "44722 8"),  # The first line does not fill the cell: two figures.
        ("1234567890123456", "78", "123456789012345678"),  # It does: one figure, wrapped.
        ("结果", "维持", "结果维持"),
        ("1.属于", "国家秘密", "1.属于国家秘密"),
    ],
)
def test_lines_of_a_cell(tmp_path: Path, first: str, second: str, expected: str) -> None:
    page = head(Canvas()).grid((80, 200, 300), (300, 340)).text(90, 305, "行")
    page.text(202, 302, first).text(202, 318, second)
    assert rows(read(tmp_path, page)) == [["行", expected]]


def test_paragraphs_by_indent_and_full_lines(tmp_path: Path) -> None:
    full = "全年通过区政府网站公开信息四百八十六条，通过公告栏公布"  # 27 characters: a full line.
    page = Canvas().text(200, 60, "松塘区档案馆", 22).text(150, 100, "2030年政府信息公开工作年度报告", 18)
    page.paragraph(150, ["一、概述"]).paragraph(178, [full[:25], full, "信息七十五条。"]).paragraph(
        262, ["二、其他"]
    )
    page.text(80, 730, full).text(290, 806, "— 1 —", 10)
    second = Canvas().paragraph(80, ["第二段从新的一页开始。"]).text(290, 806, "— 2 —", 10)
    lines = read(tmp_path, page, second).text.splitlines()
    assert lines[:3] == ["松塘区档案馆", "2030年政府信息公开工作年度报告", "一、概述"]
    assert lines[3] == full[:25] + full + "信息七十五条。"
    assert lines[4] == "二、其他"
    assert lines[-1] == "第二段从新的一页开始。"


def test_running_headers_and_page_numbers_go(tmp_path: Path) -> None:
    pages = []
    for number in range(1, 4):
        page = Canvas().text(250, 40, f"松塘区年度报告 第{number}页", 9).text(297, 810, str(number), 9)
        pages.append(page.paragraph(100, [f"本页讲第{number}件事，办理情况见下文", "和附表。"]))
    document = read(tmp_path, *pages)
    assert document.text.splitlines() == [
        f"本页讲第{number}件事，办理情况见下文和附表。" for number in (1, 2, 3)
    ]
    assert [block.page for block in document.blocks] == [1, 2, 3]


def test_a_page_number_over_a_table_is_no_cell(tmp_path: Path) -> None:
    page = head(Canvas()).grid((80, 300, 500), (700, 760, 830)).text(90, 710, "甲").text(310, 710, "1")
    page.text(90, 770, "乙").text(310, 770, "2").text(380, 808, "- 4 -", 10)
    assert rows(read(tmp_path, page)) == [["甲", "1"], ["乙", "2"]]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: data[:30], "cut off"),
        (lambda data: data.replace(b"/Type", b"/Typo"), "damaged"),
    ],
)
def test_broken_files(tmp_path: Path, damage: Callable[[bytes], bytes], says: str) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(damage(pdf(head(Canvas()))))
    with pytest.raises(BrokenFile, match=f"report.pdf: .*{says}"):
        read_document(path)


def test_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf(head(Canvas()), encrypted=True))
    with pytest.raises(BrokenFile, match="Remove the password"):
        read_document(path)


def test_no_text_layer(tmp_path: Path) -> None:
    with pytest.raises(NoTextLayer, match=r"3 pages.*needs OCR"):
        read(tmp_path, Canvas(), Canvas(), Canvas())


def test_too_many_pages(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf(head(Canvas()), Canvas(), Canvas()))
    with pytest.raises(TooLarge, match="3 pages: the limit is 2 pages"):
        read_document(path, limits=Limits(pages=2))


def test_reading_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    level = logging.getLogger("pdfminer").level
    read(tmp_path, head(Canvas()))
    assert caplog.records == []
    assert logging.getLogger("pdfminer").level == level


@pytest.mark.parametrize(
    ("name", "sizes", "cells"),
    [
        ("hongze_2023.pdf", [14, 26, 4], [(0, 3, 3, "5"), (1, 13, 9, "1"), (2, 3, 10, "5"), (2, 3, 0, "10")]),
        ("huaian_2024.pdf", [14, 28, 4], [(0, 13, 1, "96171.6"), (1, 26, 3, "2932"), (2, 3, 14, "20")]),
    ],
)
def test_real_reports(
    real_reports: Path, name: str, sizes: list[int], cells: list[tuple[int, int, int, str]]
) -> None:
    tables = read_document(real_reports / name).tables
    assert [len(table.rows) for table in tables] == sizes
    for table, row, column, text in cells:
        assert [cell.text for cell in tables[table].rows[row] if cell.column == column] == [text]


def test_two_columns_of_prose_are_no_table(tmp_path: Path) -> None:
    page = Canvas()
    left = [
        "全年主动公开政府信息",
        "100条，其中网站公开80条，",
        "微信公开20条。全年举办",
        "培训3次，参训人员90人。",
    ]
    right = ["收到申请", "12件", "答复申请", "10件"]
    for number, (one, two) in enumerate(zip(left, right, strict=True)):
        page.text(60, 80 + 24 * number, one, 12).text(330, 80 + 24 * number, two, 12)
    assert read(tmp_path, page).tables == ()
