"""Text and Markdown: paragraphs that page breaks cut, flat tables, pipe tables, metadata."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.document import Document
from pipeline.read import read_document
from pipeline.read.limits import DEFAULT_LIMITS
from pipeline.read.parts import lay_out
from pipeline.read.text import text_parts


def read(tmp_path: Path, text: str, name: str = "report.txt") -> Document:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_document(path)


def of(text: str) -> Document:
    builder = lay_out(text_parts(text.split("\n")), DEFAULT_LIMITS)
    return builder.build(doc_id="d", file="d.txt", sha256="", media_type="text/plain")


def lines(text: str) -> list[str]:
    return of(text).text.splitlines()


LONG = "镇里把公开栏分成村务、财务、党务三个部分，由专人按月更换，更换前先交分管领导过目，"

JOINED = [
    pytest.param(
        f"{LONG}为帮助群\n\n众看懂文件，配发图表。",
        [f"{LONG}为帮助群众看懂文件，配发图表。"],
        id="blank line",
    ),
    pytest.param(
        f"{LONG}为群众\n\n众看懂，配图。", [f"{LONG}为群众众看懂，配图。"], id="a doubled character stays"
    ),
    pytest.param(
        f"{LONG}共发布1\n136条信息。", [f"{LONG}共发布1136条信息。"], id="figure split by a line end"
    ),
    pytest.param(f"{LONG}为群\n\n- 2 -\n\n众配图。", [f"{LONG}为群众配图。"], id="- 2 -"),
    pytest.param(f"{LONG}为群\n—4—\n众配图。", [f"{LONG}为群众配图。"], id="—4—"),
    pytest.param(f"{LONG}为群\n第4页 共6页\n众配图。", [f"{LONG}为群众配图。"], id="第4页 共6页"),
    pytest.param(
        f"{LONG}为群\n\n12\n\n众配图。", [f"{LONG}为群众配图。"], id="bare number between blank lines"
    ),
    pytest.param(f"{LONG}为群\f众配图。", [f"{LONG}为群众配图。"], id="form feed"),
]
APART = [
    pytest.param(
        f"{LONG}效果好。\n\n接着办第二件事，", [f"{LONG}效果好。", "接着办第二件事，"], id="sentence ended"
    ),
    pytest.param(f"{LONG}如下：\n第一类共12条", [f"{LONG}如下：", "第一类共12条"], id="colon"),
    pytest.param(f"{LONG}还有\n\n二、主动公开情况", [f"{LONG}还有", "二、主动公开情况"], id="chapter"),
    pytest.param(f"{LONG}还有\n（二）渠道。共三种。", [f"{LONG}还有", "（二）渠道。共三种。"], id="section"),
    pytest.param(f"{LONG}还有\n2.广播12次。", [f"{LONG}还有", "2.广播12次。"], id="enumerator"),
    pytest.param("云岭镇人民政府\n2031年1月9日", ["云岭镇人民政府", "2031年1月9日"], id="signature and date"),
    pytest.param("云岭镇2031年政府信息公开年度报告\n\n本报告由镇政府编制。", 2, id="title"),
    pytest.param("（一）加强组织，落实责任\n我镇重视此事，逐项落实。", 2, id="heading with a comma"),
    pytest.param("1.镇政府网站\n\nhttp://www.example.cn/a", 2, id="a link"),
]


@pytest.mark.parametrize(("text", "expected"), JOINED)
def test_cut_paragraphs_are_joined(text: str, expected: list[str]) -> None:
    assert lines(text.replace("\f", "\n\f\n")) == expected


@pytest.mark.parametrize(("text", "expected"), APART)
def test_separate_lines_stay_separate(text: str, expected: list[str] | int) -> None:
    assert lines(text) == (text.replace("\n\n", "\n").split("\n") if isinstance(expected, int) else expected)


def test_text_wrapped_at_a_width_is_flowed() -> None:
    width = 30
    sentence = "镇里把公开栏分成村务财务党务三个部分由专人按月更换更换之前先交分管领导过目再上墙"
    paragraph = "\u3000\u3000" + sentence * 6 + "。"
    wrapped = [paragraph[start : start + width] for start in range(0, len(paragraph), width)]
    assert lines("\n".join([*wrapped, *wrapped])) == [sentence * 6 + "。"] * 2


WHITE_SPACE = [
    ("\u3000\u3000全年  公开\u00a0\u00a012\u3000条。", "全年 公开 12 条。"),
    ("\ufeff全年公开\u200b12条。\x07", "全年公开12条。"),
    ("全年公开１２条，１，２３４次。", "全年公开１２条，１，２３４次。"),
    ("云岭县人⺠政府⼀年来公开12条。", "云岭县人民政府一年来公开12条。"),
]


@pytest.mark.parametrize(("text", "expected"), WHITE_SPACE)
def test_characters(tmp_path: Path, text: str, expected: str) -> None:
    assert read(tmp_path, text).text == expected + "\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028"])
def test_line_ends(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "report.txt"
    path.write_bytes(newline.join(["一、概述", "全年公开12条。"]).encode())
    assert read_document(path).text == "一、概述\n全年公开12条。\n"


KINDS = [
    ("一、概述", "heading"),
    ("（一）公开内容", "heading"),
    ("第二章 主动公开", "heading"),
    ("# 一、概述", "heading"),
    ("####一、概述", "heading"),
    ("**一、概述**", "heading"),
    ("云岭镇2031年政府信息公开年度报告", "heading"),
    ("（一）公开内容。全年公开12条。", "paragraph"),
    ("全年公开12条。", "paragraph"),
    ("2031年1月9日", "paragraph"),
]


@pytest.mark.parametrize(("line", "kind"), KINDS)
def test_headings(line: str, kind: str) -> None:
    assert of(line).blocks[0].kind == kind


MARKS = [
    ("**一是**更新慢；**二是**人手少。", "一是更新慢；二是人手少。"),
    ("见[公开目录](http://example.cn/a_(b)),共`12`条。", "见公开目录,共12条。"),
    ("网址<http://example.cn>已更新。", "网址http://example.cn已更新。"),
    ("共1\\.2万条，增\\-3。", "共1.2万条，增-3。"),
    ("> 说明：相同信息计为1条。", "说明：相同信息计为1条。"),
    ("5 * 3 * 2 = 30。", "5 * 3 * 2 = 30。"),
]


@pytest.mark.parametrize(("text", "expected"), MARKS)
def test_markdown_marks(text: str, expected: str) -> None:
    assert lines(text) == [expected]


def cells(text: str) -> list[list[list[str]]]:
    return [[[cell.text for cell in row] for row in table.rows] for table in of(text).tables]


def test_pipe_tables() -> None:
    text = (
        "| 项目 | 本年 |\n|:---|---:|\n| 规章 | **0** |\n| 甲\\|乙 | |\n\n"
        "项目 | 次数\n--- | ---\n会议 | 1,234<br>次\n\n后文一句。"
    )
    assert cells(text) == [
        [["项目", "本年"], ["规章", "0"], ["甲|乙", ""]],
        [["项目", "次数"], ["会议", "1,234次"]],
    ]
    assert of(text).tables[0].form == "grid"
    assert lines(text)[-1] == "后文一句。"


def test_consecutive_pipe_tables_stay_separate() -> None:
    text = "|甲|乙|\n|-|-|\n|1|2|\n|丙|丁|\n|-|-|\n|3|4|"
    assert cells(text) == [[["甲", "乙"], ["1", "2"]], [["丙", "丁"], ["3", "4"]]]


def test_html_table_inside_markdown() -> None:
    text = (
        "# 报告\n\n<table><tr><td colspan=2>甲</td></tr>\n<tr><td>1</td><td>2</td></tr></table>\n\n后文一句。"
    )
    table = of(text).tables[0]
    assert [(cell.text, cell.column, cell.column_span) for cell in table.cells] == [
        ("甲", 0, 2),
        ("1", 0, 1),
        ("2", 1, 1),
    ]
    assert lines(text)[-1] == "后文一句。"


TAB_TABLE = (
    "（勾稽关系）\t申请人情况\t\t总计\n\t自然人\t法人\t\n"
    "一、本年新收\t12\t0\t12\n（二）部分公开，不\t5\t0\t5\t"
)


def test_tab_table_keeps_empty_fields() -> None:
    assert cells(f"三、收到申请情况\n\n{TAB_TABLE}\n\n四、其他") == [
        [
            ["（勾稽关系）", "申请人情况", "", "总计"],
            ["", "自然人", "法人", ""],
            ["一、本年新收", "12", "0", "12"],
            ["（二）部分公开，不", "5", "0", "5", ""],
        ]
    ]
    assert of(TAB_TABLE).tables[0].form == "flat"


TAB_REGIONS = [
    pytest.param("甲\t1\t2\n年度办理结果\n乙\t3\t4", [3], id="a short line between rows belongs"),
    pytest.param("甲\t1\t2\n四、行政复议情况\n乙\t3\t4\n丙\t5\t6", [2], id="a chapter heading does not"),
    pytest.param("甲\t1\t2\n乙\t3\t4\n\n丙\t5\t6\n丁\t7\t8", [2, 2], id="a page break parts the pieces"),
    pytest.param("甲\t1\t2\n\n乙\t3\t4\n\n丙\t5\t6", [3], id="double-spaced rows are one table"),
    pytest.param("\t本年度全镇公开信息一千条。\n\t次年再接再厉。", [], id="indentation is no table"),
]


@pytest.mark.parametrize(("text", "row_counts"), TAB_REGIONS)
def test_tab_regions(text: str, row_counts: list[int]) -> None:
    assert [len(rows) for rows in cells(text)] == [count for count in row_counts if count > 1]


ONE_A_LINE = [
    *(
        "第二十条第（五）项",
        "信息内容",
        "本年处理决定数量",
        "行政许可",
        "1326",
        "第二十条第（六）项",
        "信息内容",
    ),
    *("本年处理决定数量", "行政处罚", "48件", "行政强制", "—"),
]
REQUESTS = [
    *("申请人情况", "自然人", "法人", "总计", "一、本年新收政府信息公开申请数量", "3", "0", "3"),
    *(
        "三、本年度办理结果",
        "（一）予以公开",
        "1,234",
        "/",
        "1,234",
        "四、结转下年度继续办理",
        "-1",
        "无",
        "０",
    ),
]


def test_one_cell_a_line() -> None:
    text = "\n".join(
        [
            "二、主动公开政府信息情况",
            *ONE_A_LINE,
            "三、收到和处理政府信息公开申请情况",
            *REQUESTS,
            "五、存在的问题",
            "人手少。",
        ]
    )
    document = of(text)
    assert [[cell.text for cell in table.cells] for table in document.tables] == [ONE_A_LINE, REQUESTS]
    assert [document.slice(block.span) for block in document.blocks if block.kind != "table"] == [
        "二、主动公开政府信息情况",
        "三、收到和处理政府信息公开申请情况",
        "五、存在的问题",
        "人手少。",
    ]


BLANK_LINES = [
    pytest.param(["3", "", "\u3000", "7"], ["3", "", "", "7"], id="blank lines are blank cells"),
    pytest.param(["3", "- 4 -", "", "7"], ["3", "- 4 -", "7"], id="not beside a page number"),
]


@pytest.mark.parametrize(("some", "expected"), BLANK_LINES)
def test_blank_cells(some: list[str], expected: list[str]) -> None:
    table = of("\n".join([*REQUESTS, *some])).tables[0]
    assert [cell.text for cell in table.cells] == [*REQUESTS, *expected]


def test_lines_spaced_out_by_blank_lines() -> None:
    table = of("\n\n".join(REQUESTS)).tables[0]
    assert [cell.text for cell in table.cells] == REQUESTS


def test_a_list_of_labelled_figures_is_no_table() -> None:
    text = "依申请公开的数据如下：\n" + "\n".join(f"第{n}类申请：{n}件" for n in range(14))
    assert of(text).tables == ()


METADATA = [
    ("索引号：990/12    发布日期：2031-03-18", [("索引号", "990/12"), ("发布日期", "2031-03-18")]),
    ("**索 引 号**：990/12", [("索引号", "990/12")]),
    ("发布时间:2031-01-31 21:24:30", [("发布时间", "2031-01-31 21:24:30")]),
    ("来源：办公室　日期：2031-03-12　字体：大 中 小", [("来源", "办公室"), ("日期", "2031-03-12")]),
    ("索引号\n990/12\n发布机构\n云岭县\n浏览次数\n76", [("索引号", "990/12"), ("发布机构", "云岭县")]),
    ("联系电话：0999-123", []),
    ("发布时间：每月初由专人发布，遇节假日顺延。", []),
]


@pytest.mark.parametrize(("text", "expected"), METADATA)
def test_metadata(text: str, expected: list[tuple[str, str]]) -> None:
    document = of(f"云岭县2031年政府信息公开年度报告\n{text}\n全年公开12条。")
    assert [(m.label, m.value) for m in document.metadata] == expected
    assert lines(f"{text}\n全年公开12条。")[-1] == "全年公开12条。"


LINE = st.text(alphabet="一二、（）。，：12\t |#*-—\u3000年政府公开自然人无/\f", max_size=30)


@settings(deadline=None, max_examples=150)
@given(st.lists(LINE, max_size=40))
def test_spans_and_figures_survive_any_text(source: list[str]) -> None:
    document = of("\n".join(source))
    for table in document.tables:
        for cell in table.cells:
            assert document.slice(cell.span) == cell.text
            assert "\n" not in cell.text
            assert "\t" not in cell.text
    for block in document.blocks:
        if block.kind != "table":
            assert "\n" not in document.slice(block.span)


def test_real_flat_tables(real_reports: Path) -> None:
    document = read_document(real_reports / "002_3ce49ca6a780e69a.txt")
    assert [len(table.rows) for table in document.tables] == [18, 7, 23, 4]
    assert [cell.text for cell in document.tables[2].rows[3]][:2] == ["年度办理结果", "计其他情形)"]
    assert len(document.tables[1].rows[5]) == 8


@pytest.mark.parametrize(
    ("name", "joined"),
    [
        ("000_17b79a92d118db90.txt", ["设立莱州市", "舆情收集、会商", "群众众对"]),
        ("002_3ce49ca6a780e69a.txt", ["第四十七次", "但工作中还存在"]),
        ("003_e51c1e5ccb519e51.txt", ["严格按照《暂行规定》"]),
        ("004_92ab342e01c50e26.txt", ["公开工作,主动公开"]),
    ],
)
def test_real_page_breaks(real_reports: Path, name: str, joined: list[str]) -> None:
    text = read_document(real_reports / name).text
    assert [each for each in joined if each not in text] == []
