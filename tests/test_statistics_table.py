"""The statistics table of 2014–2018 and its local forerunners, read label by label."""

from __future__ import annotations

from pathlib import Path

import pytest
from statistics_material import (
    HEADER,
    as_html,
    as_lines,
    as_tabs,
    cells,
    fact,
    form_rows,
    grid,
    one_cell_a_line,
    printed_values,
    read_year,
    values,
)
from tables_material import document_of, read, rules, stream_of

from pipeline.document import Document
from pipeline.extraction import extract_document
from pipeline.read import read_document
from pipeline.schema import fields, statistics_rows
from pipeline.tables.reading import read_tables


def halves() -> str:
    """The form in two halves side by side, the right one shorter."""
    rows = [" | ".join(row[:3]) for row in form_rows()]
    left, right = rows[:35], rows[35:] + [" | | "] * (70 - len(rows))
    lines = [f"{HEADER} | {HEADER}", *(f"{one} | {other}" for one, other in zip(left, right, strict=True))]
    return "\n".join(lines)


def numbered() -> str:
    """The form with a running number in front."""
    rows = [f"{number} | {' | '.join(row[:3])}" for number, row in enumerate(form_rows(), 1)]
    return "\n".join([f"序号 | {HEADER}", *rows])


def numbered_cells() -> list[str]:
    rows = [[str(number), *row[:3]] for number, row in enumerate(form_rows(), 1)]
    return ["序号", "统计指标", "单位", "统计数", *("".join(c.split()) for row in rows for c in row if c)]


def pages() -> list[str]:
    """The form cut after 20 and 41 rows, the header printed again on the third page."""
    lines = grid().splitlines()
    return ["\n".join(lines[:20]), "\n".join(lines[20:41]), "\n".join([HEADER, *lines[41:]])]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(document_of(grid()), id="three columns"),
        pytest.param(document_of(grid(), form="flat"), id="tab-separated"),
        pytest.param(one_cell_a_line(), id="one cell a line"),
        pytest.param(document_of("\n".join(grid().splitlines()[1:])), id="header lost"),
        pytest.param(document_of(halves()), id="two halves side by side"),
        pytest.param(document_of(halves(), form="flat"), id="two halves, tab-separated"),
        pytest.param(document_of(numbered()), id="running number"),
        pytest.param(stream_of(*numbered_cells()), id="running number, one cell a line"),
        pytest.param(document_of(*pages()), id="three pages"),
        pytest.param(document_of(grid().replace("| 条 |", "| |")), id="some units missing"),
    ],
)
def test_every_print_of_the_national_form_gives_the_same_values(document: Document) -> None:
    reading = read_tables(document)
    assert values(reading) == printed_values()
    assert rules(reading) == []
    assert reading.templates.model_dump() == {
        "document": "stat2014",
        "proactive": None,
        "requests": None,
        "remedies": None,
    }


def test_the_schema_has_the_form_as_printed() -> None:
    printed = [("".join(label.split()), unit, key or None) for label, unit, _, key in form_rows()]
    assert [(row.printed, row.unit, row.key) for row in statistics_rows()] == printed
    chain = "依申请公开情况 / 申请答复数 / 不同意公开答复数 / 涉及国家秘密"
    assert fields()["statistics.denied_state_secret"].label == chain


def test_a_label_that_stands_in_several_sections_goes_by_its_section() -> None:
    reading = read(
        """
        指标 | 单位 | 数量
        1.参加或举办新闻发布会总次数 | 次 | 5
        其中：主要负责同志参加次数 | 次 | 1
        2.政府网站在线访谈次数 | 次 | 7
        其中：主要负责同志参加次数 | 次 | 2
        3.其他方式 | 次 | 3
        四、行政复议数 | 件 | 9
        维持数 | 件 | 4
        被依法纠错数 | 件 | 3
        其他情形数 | 件 | 2
        五、行政诉讼数 | 件 | 6
        维持数 | 件 | 1
        被依法纠错数 | 件 | 0
        其他情形数 | 件 | 5
        """
    )
    assert values(reading) == {
        "press_conferences": "5",
        "press_conferences_leader": "1",
        "interviews": "7",
        "interviews_leader": "2",
        "other_responses": "3",
        "review_total": "9",
        "review_upheld": "4",
        "review_corrected": "3",
        "review_other": "2",
        "litigation_total": "6",
        "litigation_upheld": "1",
        "litigation_corrected": "0",
        "litigation_other": "5",
    }


def test_parents_in_a_column_of_their_own() -> None:
    reading = read(
        """
        类别 | 指标 | < | 单位 | 数量
        依申请公开情况 | 收到申请数 | < | 件 | 12
        ^ | 其中 | 当面申请数 | 件 | 5
        ^ | ^ | 信函申请数 | 件 | 7
        ^ | 不同意公开答复数 | < | 件 | 3
        ^ | 其中 | 涉及国家秘密 | 件 | 1
        ^ | ^ | 信息不存在 | 件 | 2
        行政复议 | 总数 | < | 件 | 2
        ^ | 维持具体行政行为数 | < | 件 | 2
        行政诉讼 | 总数 | < | 件 | 1
        ^ | 被依法纠错数 | < | 件 | 1
        """
    )
    assert values(reading) == {
        "received_total": "12",
        "received_in_person": "5",
        "received_mail": "7",
        "answered_denied": "3",
        "denied_state_secret": "1",
        "denied_nonexistent": "2",
        "review_total": "2",
        "review_upheld": "2",
        "litigation_total": "1",
        "litigation_corrected": "1",
    }


@pytest.mark.parametrize(
    ("captions", "year", "figures", "expected"),
    [
        ("本级 | 下级 | 合计", 2016, "3 | 4 | 7", "7"),
        ("合计 | 本级 | 下级", None, "7 | 3 | 4", "7"),
        ("2015年 | 2016年", 2016, "3 | 7", "7"),
        ("2016年 | 2015年", 2015, "3 | 7", "7"),
        ("2015年度 | 2016年度", None, "3 | 7", "7"),
        ("本年度 | 上年度 | 同比增长", 2016, "7 | 3 | 4", "7"),
        ("本年度 | 历年累计", 2016, "7 | 90", "7"),
        ("本期实际 | 本年累计", 2016, "1 | 7", "7"),
        ("统计数 | 备注", 2016, "7 | 详见附件2", "7"),
    ],
)
def test_the_column_of_the_year_and_of_all_bodies(
    captions: str, year: int | None, figures: str, expected: str
) -> None:
    rows = ("当面申请数", "传真申请数", "信函申请数")
    table = [f"统计指标 | 单位 | {captions}", *(f"{row} | 件 | {figures}" for row in rows)]
    reading = read_tables(document_of("\n".join(table)), year)
    assert set(values(reading).values()) == {expected}
    assert not [rule for rule in rules(reading) if rule != "table.missing_row"]


@pytest.mark.parametrize(
    ("captions", "figures"),
    [
        ("区政府统计数 | 区直单位统计数 | 乡镇街道统计数", "1 | 2 | 3"),
        ("2013年 | 2014年", "3 | 7"),
        ("2014年", "7"),
    ],
)
def test_no_column_that_is_the_reports_gives_a_finding_and_no_figure(captions: str, figures: str) -> None:
    rows = ("当面申请数", "传真申请数", "信函申请数")
    table = "\n".join([f"统计指标 | 单位 | {captions}", *(f"{row} | 件 | {figures}" for row in rows)])
    reading = read_year(table, year=2016)
    assert values(reading) == {}
    assert rules(reading) == ["table.unclear_column"]
    assert captions.replace(" | ", ", ") in reading.findings[0].message


def test_blank_zero_stroke_word_and_note_stay_apart() -> None:
    replaced = {
        "received_in_person": "",
        "received_fax": "0",
        "received_online": "/",
        "received_mail": "无",
        "interpretations": "47篇",
        "normative_documents_issued": "20（其中修订3件）",
        "disclosed_total": "1,240条",
        "disclosed_other": "详见附件",
    }
    reading = read(grid(replaced))
    found = values(reading)
    assert [found[key] for key in replaced] == ["_", "0", "/", "无", "47", "20", "1240", "?"]
    assert rules(reading) == ["table.illegible_cell@disclosed_other", "table.cell_note"] or rules(
        reading
    ) == [
        "table.cell_note",
        "table.illegible_cell@disclosed_other",
    ]


def test_a_blank_in_text_with_one_cell_a_line_leaves_the_row_blank() -> None:
    lines = cells()
    at = lines.index("2.传真申请数")
    assert lines[at + 2] == "3"
    reading = read_tables(stream_of(*lines[: at + 2], *lines[at + 3 :]))
    assert values(reading) == printed_values() | {"received_fax": "_"}
    assert fact(reading, "received_fax").confidence == 0.5


def test_a_missing_row_is_named() -> None:
    reading = read(grid(left_out=("concluded_extended", "offices")))
    assert rules(reading) == ["table.missing_row@concluded_extended", "table.missing_row@offices"]
    assert "延期办结数" in reading.findings[0].message


def test_rows_that_places_add_are_never_taken_for_others() -> None:
    added = """
        主动公开政府文件数 | 条 | 77
        主动公开机构领导、机构设置及人事信息 | 条 | 78
        通过部门网站主动公开政府信息数 | 条 | 79
        重点领域信息公开数 | 条
        """
    reading = read(grid() + added.rstrip())
    assert values(reading) == printed_values()
    assert rules(reading) == ["table.unclaimed_row"] * 3
    assert [finding.message[-2:] for finding in reading.findings] == ["77", "78", "79"]


def test_the_frame_of_the_table_is_no_row() -> None:
    frame = (
        "\n单位负责人：某某 | 审核人：某某 | 填报人：某某\n联系电话 | 88880000 | \n填报日期 | 2017年1月9日 | "
    )
    reading = read(grid() + frame)
    assert values(reading) == printed_values()
    assert rules(reading) == []


def test_a_second_figure_for_a_row_is_left_out_and_named() -> None:
    reading = read(grid() + "\n1.当面申请数 | 件 | 12")
    assert values(reading)["received_in_person"] == "11"
    assert rules(reading) == ["table.duplicate_row@received_in_person"]


def test_a_second_table_is_left_out_and_named() -> None:
    reading = read(grid(), grid({"received_total": "999"}))
    assert values(reading) == printed_values()
    assert rules(reading) == ["table.duplicate_table@1"]


def test_labels_cut_and_split_by_row_borders() -> None:
    reading = read(
        f"""
        {HEADER}
        （一）主动公开政府信息数 | 条 | 31
        （不同渠道和方式公开相同信息计1条） | |
        1.当面申请数 | 件 | 4
        - 4 - | |
        维持具体行政行为或者驳回 | |
        原告诉讼请求数 | 件 | 2
        （四）政府信息公开专项经费（不包括用于政府公 | 万元 | 5
        报编辑管理及政府网站建设维护等方面的经费） | |
        """
    )
    assert values(reading) == {
        "disclosed_total": "31",
        "received_in_person": "4",
        "litigation_upheld": "2",
        "budget_wan_yuan": "5",
    }
    assert rules(reading) == []


@pytest.mark.parametrize(
    ("row", "value", "raw", "unit"),
    [
        ("七、依申请公开信息收取的费用 | 万元 | 0.35", 0.35, "0.35", "万元"),
        ("七、依申请公开信息收取的费用 | 元 | 3500", 0.35, "3500", "元"),
        ("七、依申请公开信息收取的费用（元） | | 3500", 0.35, "3500", "万元"),
        ("七、依申请公开信息收取的费用 | 万元 | 3500元", 0.35, "3500元", "元"),
        ("七、依申请公开信息收取的费用 | | 0.35", 0.35, "0.35", "万元"),
    ],
)
def test_money_is_in_wan_yuan(row: str, value: float, raw: str, unit: str) -> None:
    reading = read(f"{HEADER}\n当面申请数 | 件 | 1\n传真申请数 | 件 | 1\n{row}")
    fees = fact(reading, "fees_wan_yuan")
    assert (fees.value, fees.raw, fees.unit) == (value, raw, unit)
    is_named = "元" in row.replace("费用", "").replace("公开", "")
    assert ("table.unit_assumed@fees_wan_yuan" in rules(reading)) != is_named
    assert fees.confidence == (1.0 if is_named else 0.8)


def test_evidence_is_the_figure_in_its_cell() -> None:
    document = document_of(grid())
    found = fact(read_tables(document), "denied_privacy")
    evidence = found.evidence
    assert document.text[evidence.start : evidence.end] == found.raw == "3"
    assert (evidence.table, evidence.row, evidence.column) == (0, 37, 2)
    assert (found.source, found.method, found.unit, found.confidence) == ("table", "table_reader", "件", 1.0)


LOCAL = """
指 标 名 称 | 计量单位 | 代码 | 本年实际
甲 | 乙 | 丙 | 1
主动公开信息数 | 条 | 01 | 340
其中：全文电子化的主动公开信息数 | 条 | 02 | 330
新增的行政规范性文件数 | 条 | 03 | 12
网站专栏页面访问量 | 人次 | 04 | 22000
接待咨询数 | 人次 | 05 | 91
申请总数 | 条 | 06 | 15
其中：1.当面申请数 | 条 | 07 | 5
2.传真申请数 | 条 | 08 | 1
3.电子邮件申请数 | 条 | 09 | 2
4.网上申请数 | 条 | 10 | 4
5.信函申请数 | 条 | 11 | 3
对申请的答复总数 | 条 | 12 | 14
其中：1.同意公开答复数 | 条 | 13 | 8
2.同意部分公开答复数 | 条 | 14 | 2
3.否决公开答复总数 | 条 | 15 | 4
其中：（1）“非《规定》所指政府信息”数 | 条 | 16 | 1
（2）“信息不存在”数 | 条 | 17 | 2
（3）“申请内容不明确”数 | 条 | 18 | 0
（4）其它原因 | 条 | 19 | 1
行政复议数 | 件 | 20 | 1
行政诉讼数 | 件 | 21 | 0
行政申诉数 | 件 | 22 | 2
收取费用总数 | 元 | 23 | 600
"""
LOCAL_VALUES = {
    "disclosed_total": "340",
    "received_total": "15",
    "received_in_person": "5",
    "received_fax": "1",
    "received_mail": "3",
    "answered_total": "14",
    "answered_granted": "8",
    "answered_partially_granted": "2",
    "answered_denied": "4",
    "denied_not_government_information": "1",
    "review_total": "1",
    "litigation_total": "0",
    "fees_wan_yuan": "0.06",
    "disclosed_full_text": "330",
    "normative_documents_new": "12",
    "received_email": "2",
    "received_web": "4",
    "denied_nonexistent": "2",
    "denied_unclear": "0",
    "denied_other": "1",
    "appeals_total": "2",
    "consultations_total": "91",
    "website_visits": "22000",
}


@pytest.mark.parametrize("form", ["grid", "flat"])
def test_a_local_form_of_before_2014(form: str) -> None:
    reading = read(LOCAL, form="flat" if form == "flat" else "grid")
    assert values(reading) == LOCAL_VALUES
    assert rules(reading) == []
    assert reading.templates.document is None


def test_what_is_no_reason_of_refusal_is_an_outcome() -> None:
    reading = read(
        """
        指标名称 | 计量单位 | 数量
        对申请的答复总数 | 件 | 15
        同意公开 | 件 | 5
        不同意公开 | 件 | 3
        信息不存在 | 件 | 2
        申请内容不明确 | 件 | 4
        其他情形 | 件 | 1
        网上申请数 | 件 | 15
        """
    )
    assert values(reading) == {
        "answered_total": "15",
        "answered_granted": "5",
        "answered_denied": "3",
        "answered_nonexistent": "2",
        "answered_unclear": "4",
        "answered_other": "1",
        "received_online": "15",
    }


@pytest.mark.parametrize(
    "table",
    [
        "渠道 | 政府网站 | 政务微博 | 政务微信\n条数 | 12 | 5 | 6",
        "公开渠道 | 数量\n政府网站 | 120\n政务微博 | 30\n政务微信 | 50",
        "类别 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计\n行政复议 | 2 | 1 | 0 | 1 | 4",
    ],
)
def test_other_tables_are_none(table: str) -> None:
    assert values(read(table)) == {}


# A whole report


@pytest.mark.parametrize(
    ("name", "content"),
    [("report.html", as_html()), ("lines.txt", as_lines()), ("tabs.txt", as_tabs())],
    ids=["html", "one cell a line", "tab-separated"],
)
def test_a_report_with_its_statistics_table(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    document = read_document(tmp_path / name)
    extraction = extract_document(document, "rules", None)
    table = {fact.path: fact for fact in extraction.facts if fact.source == "table"}
    assert {path.partition(".")[2]: fact.raw for path, fact in table.items()} == printed_values()
    for fact_ in table.values():
        assert document.text[fact_.evidence.start : fact_.evidence.end] == fact_.raw
    assert extraction.templates.document == "stat2014"
    prose = {fact.path: fact.value for fact in extraction.facts if fact.source == "narrative"}
    assert prose["proactive.channel.website"] == 1051
    assert {fact.path: fact.value for fact in extraction.facts}["meta.signed_on"] == "2017-01-20"
    found = {f"{finding.rule}@{finding.at}" for finding in extraction.findings if finding.severity == "error"}
    assert found == {"cross.proactive@channel.website", "cross.zero@charged_yuan"}
