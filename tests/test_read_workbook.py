"""Excel workbooks: cells as they are shown, tables between lines of text, the same facts as elsewhere."""

from __future__ import annotations

import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from excel_writer import excel, saved

from pipeline.document import Document
from pipeline.errors import BrokenFile, TooLarge
from pipeline.read import Limits, read_document


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Document:
    path = tmp_path / "report.xlsx"
    path.write_bytes(data)
    return read_document(path) if limits is None else read_document(path, limits=limits)


SHOWN: list[tuple[Any, str, str]] = [
    (12, "General", "12"),
    (12.0, "General", "12"),
    (12.5, "General", "12.5"),
    (1234567, "#,##0", "1234567"),
    (0.25, "0%", "25%"),
    (date(2024, 1, 31), "yyyy-mm-dd", "2024-01-31"),
    (" 1 200余条 ", "General", "1 200余条"),
    ("两行\n文字", "General", "两行文字"),
]


@pytest.mark.parametrize(("value", "number_format", "text"), SHOWN)
def test_a_cell_as_it_is_shown(tmp_path: Path, value: Any, number_format: str, text: str) -> None:
    document = read(tmp_path, excel([["规章", value], ["文件", 1]], formats={"B1": number_format}))
    assert [cell.text for cell in document.tables[0].cells] == ["规章", text, "文件", "1"]


def test_lines_and_tables_are_told_apart(tmp_path: Path) -> None:
    rows = [
        ["岚溪县2023年政府信息公开工作年度报告"],
        ["一、总体情况"],
        ["全年公开12条。"],
        ["二、主动公开政府信息情况"],
        ["项目", "本年制发件数"],
        ["规章", 3],
        ["行政规范性文件"],
        ["行政许可", 5],
        ["三、存在的主要问题"],
    ]
    document = read(tmp_path, excel(rows))
    assert [block.kind for block in document.blocks].count("table") == 1
    assert [[cell.text for cell in row] for row in document.tables[0].rows] == [
        ["项目", "本年制发件数"],
        ["规章", "3"],
        ["行政规范性文件", ""],
        ["行政许可", "5"],
    ]
    assert document.text.startswith("岚溪县2023年政府信息公开工作年度报告\n一、总体情况\n")


def test_merged_cells_are_one_cell_with_its_spans(tmp_path: Path) -> None:
    rows = [["申请人", None, "总计"], ["自然人", "商业企业", None], [1, 2, 3]]
    document = read(tmp_path, excel(rows, ["A1:B1", "C1:C2"]))
    assert [(c.text, c.row, c.column, c.row_span, c.column_span) for c in document.tables[0].cells] == [
        ("申请人", 0, 0, 1, 2),
        ("总计", 0, 2, 2, 1),
        ("自然人", 1, 0, 1, 1),
        ("商业企业", 1, 1, 1, 1),
        ("1", 2, 0, 1, 1),
        ("2", 2, 1, 1, 1),
        ("3", 2, 2, 1, 1),
    ]


def test_hidden_sheets_and_rows_are_not_read_and_named(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    for row in (["规章", 3], ["草稿", 99], ["许可", 5]):
        sheet.append(row)
    sheet.row_dimensions[2].hidden = True
    other: Any = workbook.create_sheet("底稿")
    other.append(["规章", 77])
    other.sheet_state = "hidden"
    document = read(tmp_path, saved(workbook))
    assert "99" not in document.text
    assert "77" not in document.text
    assert document.notes == ("hidden sheets are not read: 底稿",)


# --- broken and hostile ------------------------------------------------------------------


def test_damaged_workbooks_say_what_to_do(tmp_path: Path) -> None:
    whole = excel([["规章", 3]])
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[: middle - 300] + bytes(600) + whole[middle + 300 :]):
        with pytest.raises(BrokenFile, match="Excel workbook is damaged"):
            read(tmp_path, damaged)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    written = BytesIO(excel([["规章", 3]]))
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/media/image1.bin", b"\0" * 40_000_000)
    with pytest.raises(TooLarge, match="bytes when unpacked"):
        read(tmp_path, written.getvalue(), Limits(expanded_bytes=10_000_000))


def test_a_sheet_with_a_cell_in_its_last_corner_is_refused(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    sheet["A1"], sheet["XFD1048576"] = "规章", 3
    with pytest.raises(TooLarge, match="table cells"):
        read(tmp_path, saved(workbook))


def test_many_cells_are_refused_before_they_are_built(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="the limit is 50 table cells"):
        read(tmp_path, excel([[1] * 10 for _ in range(10)]), Limits(table_cells=50))
