"""What is not plain: a finding, never a silent guess."""

# ruff: noqa: E501 - a table row stays on one line

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tables_material import APPLICANT_HEADER, document_of, read, row, rules, stream_of

from pipeline.schema import request_rows
from pipeline.tables.reading import read_tables

HEADER = "自然人 商业企业 科研机构 社会公益组织 法律服务机构 其他 总计"
RECEIVED, CARRIED_IN = "一、本年新收政府信息公开申请数量", "二、上年结转政府信息公开申请数量"
GRANTED, TOTAL, CARRIED_OUT = "（一）予以公开", "（七）总计", "四、结转下年度继续办理"


def small_stream(received: str, granted: str, concluded: str) -> tuple[str, ...]:
    return (
        HEADER,
        f"{RECEIVED} {received}",
        f"{CARRIED_IN} 0 0 0 0 0 0 0",
        f"{GRANTED} {granted}",
        f"{TOTAL} {concluded}",
        f"{CARRIED_OUT} 0 0 0 0 0 0 0",
    )


def test_a_row_one_figure_short_keeps_what_is_sure() -> None:
    reading = read_tables(stream_of(*small_stream("3 0 0 0 0 0 3", "3 0 0 0 0 3", "3 0 0 0 0 0 3")))
    assert row(reading, "requests.granted") == "3 ? ? ? ? ? 3"
    assert "table.row_length@granted" in rules(reading)


def test_sums_of_the_columns_can_settle_a_short_row() -> None:
    reading = read_tables(stream_of(*small_stream("3 1 2 0 0 0 6", "3 1 2 0 0 6", "3 1 2 0 0 0 6")))
    assert row(reading, "requests.granted") == "3 1 2 ? ? ? 6"


def test_two_short_rows_are_judged_together() -> None:
    reading = read_tables(stream_of(*small_stream("5 1 0 0 0 0 6", "5 1 0 0 0 6", "5 1 0 0 0 6")))
    assert row(reading, "requests.granted").startswith("5 1")
    assert row(reading, "requests.granted").endswith("6")
    assert "table.row_length@concluded" in rules(reading)


def test_an_illegible_cell_points_at_its_whole_row() -> None:
    document = stream_of(*small_stream("3 0 0 0 0 0 3", "3 0 0 0 0 3", "3 0 0 0 0 0 3"))
    fact = next(fact for fact in read_tables(document).facts if fact.path == "requests.granted.company")
    printed = document.text[fact.evidence.start : fact.evidence.end]
    assert printed.startswith("（一）予以公开")
    assert fact.raw in printed
    assert (fact.status, fact.value, fact.confidence) == ("illegible", None, 0.0)


def test_a_page_number_among_the_figures_is_found_by_the_sums() -> None:
    reading = read_tables(stream_of(*small_stream("3 0 0 0 0 0 3", "3 0 0 4 0 0 0 3", "3 0 0 0 0 0 3")))
    assert row(reading, "requests.granted") == "3 0 0 0 0 0 3"
    assert "table.row_length@granted" in rules(reading)


def test_a_page_number_in_a_row_of_its_own_is_left_out() -> None:
    reading = read(
        APPLICANT_HEADER
        + f"{RECEIVED} | < | < | 3 | 0 | 0 | 0 | 0 | 0 | 3\n"
        + "4 | < | < | < | < | < | < | < | < | <\n"
        + f"{CARRIED_IN} | < | < |  |  |  |  |  |  | "
    )
    assert row(reading, "requests.carried_in") == "_ _ _ _ _ _ _"
    assert "table.unclaimed_cell" in rules(reading)


def test_a_row_without_a_known_label() -> None:
    reading = read("信息内容 | 本年处理决定数量\n行政许可 | 5\n行政检查 | 7")
    assert row(reading, "proactive.licensing") == "5"
    assert "table.unclaimed_row" in rules(reading)


def test_two_rows_with_one_label() -> None:
    reading = read("信息内容 | 本年处理决定数量\n行政许可 | 5\n行政许可 | 7")
    assert row(reading, "proactive.licensing") == "5"
    assert "table.unclaimed_row" in rules(reading)


def test_the_better_of_two_labels_keeps_the_row() -> None:
    reading = read("信息内容 | 本年处理决定数量\n行政处罚案件 | 7\n行政处罚 | 5")
    assert row(reading, "proactive.penalties") == "5"
    assert "table.unclaimed_row" in rules(reading)


def test_a_lost_header_is_taken_from_the_form_and_said_so() -> None:
    reading = read(
        f"{RECEIVED} | 3 | 0 | 0 | 0 | 0 | 0 | 3\n{CARRIED_IN} | 0 | 0 | 0 | 0 | 0 | 0 | 0\n{TOTAL} | 3 | 0 | 0 | 0 | 0 | 0 | 3"
    )
    assert row(reading, "requests.new_received") == "3 0 0 0 0 0 3"
    assert rules(reading)[1] == "table.missing_header@requests"
    assert {fact.confidence for fact in reading.facts} == {0.8}


def test_a_column_that_no_form_has() -> None:
    reading = read(
        "信息内容 | 本年制发件数 | 本年公开率 | 本年废止件数 | 现行有效件数\n规章 | 1 | 100 | 2 | 3"
    )
    assert row(reading, "proactive.regulations") == "1 2 3"
    assert "table.unknown_column@regulations" in rules(reading)


def test_a_cell_that_cannot_be_read() -> None:
    reading = read("信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数\n规章 | 1 | 详见附件 | 3")
    assert row(reading, "proactive.regulations") == "1 ? 3"
    assert "table.illegible_cell" in rules(reading)


def test_a_first_cell_that_cannot_be_read() -> None:
    reading = read("信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数\n规章 | 详见附件 | 2 | 3")
    assert row(reading, "proactive.regulations") == "? 2 3"
    assert "table.illegible_cell" in rules(reading)


def test_a_grid_row_that_lost_a_cell_in_the_middle() -> None:
    document = document_of(
        APPLICANT_HEADER
        + f"{RECEIVED} | < | < | 3 | 1 | < | 0 | 0 | 0 | 4\n"
        + f"{CARRIED_IN} | < | < | 0 | 0 | 0 | 0 | 0 | 0 | 0"
    )
    reading = read_tables(document)
    assert row(reading, "requests.new_received") == "3 1 ? 0 0 0 4"
    assert "table.row_length@new_received" in rules(reading)


def test_other_tables_are_left_alone() -> None:
    reading = read(
        "指标 | 单位 | 数量\n主动公开政府信息数 | 条 | 310\n行政许可 | 件 | 40\n行政处罚 | 件 | 12",
        "姓名 | 职务\n甲 | 主任",
    )
    assert reading.facts == ()
    assert [(finding.rule, finding.severity) for finding in reading.findings] == [("table.unknown", "note")]
    assert reading.templates.document is None


def test_no_tables() -> None:
    reading = read()
    assert (reading.facts, reading.findings, reading.templates.document) == ((), (), None)


def test_missing_rows_and_tables_are_named() -> None:
    reading = read(
        APPLICANT_HEADER
        + f"{RECEIVED} | < | < | 3 | 0 | 0 | 0 | 0 | 0 | 3\n（六）其他处理 | < | < | 0 | 0 | 0 | 0 | 0 | 0 | 0"
    )
    missing = [finding for finding in reading.findings if finding.rule == "table.missing_row"]
    assert len(missing) == len(request_rows("table2019")) - 2
    assert all(finding.cause == "reading" and finding.severity == "warning" for finding in missing)
    assert "table.missing_table@remedies" in rules(reading)


CELL = st.sampled_from(
    [
        "",
        "0",
        "3",
        "/",
        "1,234",
        "无",
        "规章",
        "（一）予以公开",
        "总计",
        "自然人",
        "其他",
        "结果维持",
        "行政复议",
        "本年制发件数",
        "信息内容",
        "说明",
        "4",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(CELL, min_size=1, max_size=9), min_size=1, max_size=9),
    st.sampled_from(["grid", "flat"]),
)
def test_any_table_is_read_without_error_and_with_evidence(rows: list[list[str]], form: str) -> None:
    document = document_of("\n".join(" | ".join(cells) for cells in rows), form=form)  # type: ignore[arg-type]
    reading = read_tables(document)
    paths = [fact.path for fact in reading.facts]
    assert len(paths) == len(set(paths))
    for fact in reading.facts:
        assert fact.raw in document.text[fact.evidence.start : fact.evidence.end]
