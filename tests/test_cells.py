"""Cells as printed → value, status, figure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables.cells import money_unit, parse_cell


@pytest.mark.parametrize(
    ("printed", "value", "status", "raw"),
    [
        ("0", 0, "value", "0"),
        ("12", 12, "value", "12"),
        ("０", 0, "value", "０"),
        ("１２", 12, "value", "１２"),
        ("1,234", 1234, "value", "1,234"),
        ("1，234", 1234, "value", "1，234"),
        ("1 234", 1234, "value", "1 234"),
        ("1,234,567", 1234567, "value", "1,234,567"),
        ("7730.28", 7730.28, "value", "7730.28"),
        ("12.0", 12, "value", "12.0"),
        ("0件", 0, "value", "0件"),
        ("12 件", 12, "value", "12 件"),
        (" 3 ", 3, "value", "3"),
        ("-3", -3, "value", "-3"),
        ("－3", -3, "value", "－3"),
        ("+2", 2, "value", "+2"),
        ("增2", 2, "value", "增2"),
        ("减2", -2, "value", "减2"),
        ("减少 4 项", -4, "value", "减少 4 项"),
        ("○", 0, "value", "○"),
        ("〇", 0, "value", "〇"),
        ("零", 0, "value", "零"),
        ("无", 0, "zero_in_words", "无"),
        ("", None, "blank", ""),
        ("　", None, "blank", ""),
        ("\xa0", None, "blank", ""),
        ("/", None, "not_applicable", "/"),
        ("／", None, "not_applicable", "／"),
        ("—", None, "not_applicable", "—"),
        ("——", None, "not_applicable", "——"),
        ("-", None, "not_applicable", "-"),
        ("－－", None, "not_applicable", "－－"),
        ("13（其中修订16件）", 13, "value", "13"),
        ("13（其中修订16件", 13, "value", "13"),
        ("5，其中新增1", 5, "value", "5"),
        ("详见附件", None, "illegible", "详见附件"),
        ("1O", None, "illegible", "1O"),
        ("增2减1", None, "illegible", "增2减1"),
        ("12 34", None, "illegible", "12 34"),
        ("?", None, "illegible", "?"),
    ],
)
def test_cells(printed: str, value: float | None, status: str, raw: str) -> None:
    cell = parse_cell(printed)
    assert (cell.value, cell.status, cell.raw) == (value, status, raw)
    assert printed[cell.start : cell.end] == raw


@pytest.mark.parametrize(
    ("printed", "kind", "header_unit", "value"),
    [
        ("1500084 元", "yuan", None, 1500084),
        ("150万元", "yuan", None, 1500000),
        ("2436.57万元", "yuan", None, 24365700),
        ("1.2亿元", "yuan", None, 120000000),
        ("150", "yuan", "万元", 1500000),
        ("150 元", "yuan", "万元", 150),
        ("150", "yuan", None, 150),
        ("96171.6", "wan_yuan", "万元", 96171.6),
        ("350000元", "wan_yuan", "万元", 35),
        ("350000", "wan_yuan", "元", 35),
        ("0.1", "wan_yuan", None, 0.1),
    ],
)
def test_money_goes_to_the_unit_of_its_field(
    printed: str, kind: str, header_unit: str | None, value: float
) -> None:
    assert parse_cell(printed, kind, header_unit).value == value


def test_the_note_behind_a_figure_is_kept() -> None:
    cell = parse_cell("13（其中修订16件）")
    assert cell.note == "（其中修订16件）"


@pytest.mark.parametrize(
    ("label", "unit"),
    [("本年收费金额（单位：万元）", "万元"), ("采购总金额（元）", "元"), ("采购总金额", None)],
)
def test_unit_in_a_column_label(label: str, unit: str | None) -> None:
    assert money_unit(label) == unit


@given(st.integers(min_value=0, max_value=10**9))
def test_separators_and_width_do_not_change_a_number(number: int) -> None:
    full_width = str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert {parse_cell(text).value for text in (str(number), f"{number:,}", full_width)} == {number}


@given(st.text(max_size=20))
def test_any_text_is_read_as_something_that_it_prints(text: str) -> None:
    cell = parse_cell(text)
    assert text[cell.start : cell.end] == cell.raw
    assert (cell.value is None) == (cell.status in ("blank", "not_applicable", "illegible"))
