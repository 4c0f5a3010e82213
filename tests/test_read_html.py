"""Web pages: spans that lie, nested layout, split figures, site chrome, metadata, hidden text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.document import Document
from pipeline.errors import EmptyFile, TooLarge
from pipeline.read import Limits, read_document
from pipeline.read.encoding import Decoded
from pipeline.read.html import read_html
from pipeline.read.limits import DEFAULT_LIMITS
from pipeline.read.parts import TablePart

TITLE = "云岭县人民政府2031年政府信息公开工作年度报告"
PROSE = "本报告由云岭县人民政府办公室编制，反映全县各单位一年来的政府信息公开工作，欢迎提出意见。"


def read(tmp_path: Path, body: str, head: str = "") -> Document:
    path = tmp_path / "report.html"
    path.write_text(f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>", encoding="utf-8")
    return read_document(path)


def lines(document: Document) -> list[str]:
    return document.text.splitlines()


def grid(table: str) -> list[list[tuple[str, int, int, int]]]:
    """Text, column, row span and column span of each cell."""
    reading = read_html(
        Decoded(f"<html><body><table>{table}</table></body></html>", "utf-8", None), DEFAULT_LIMITS
    )
    part = next(part for part in reading.parts if isinstance(part, TablePart))
    return [[(c.text, c.column or 0, c.row_span, c.column_span) for c in row] for row in part.rows]


SPANS = [
    pytest.param(
        "<tr><td rowspan=2>甲<td colspan=2>乙<tr><td>1<td>2",
        [[("甲", 0, 2, 1), ("乙", 1, 1, 2)], [("1", 1, 1, 1), ("2", 2, 1, 1)]],
        id="honest spans",
    ),
    pytest.param(
        "<tr><td>甲<td>乙<td colspan=2>丙<td>丁<tr><td>规章<td colspan=2>1<td>2<td>3",
        [
            [("甲", 0, 1, 1), ("乙", 1, 1, 1), ("丙", 2, 1, 2), ("丁", 4, 1, 1)],
            [("规章", 0, 1, 1), ("1", 1, 1, 2), ("2", 3, 1, 1), ("3", 4, 1, 1)],
        ],
        id="header 1,1,2,1 over body 1,2,1,1",
    ),
    pytest.param(
        "<tr><td>甲<td rowspan=2>乙<tr><td colspan=2>丙<td>丁",
        [[("甲", 0, 1, 1), ("乙", 1, 2, 1)], [("丙", 2, 1, 1), ("丁", 3, 1, 1)]],
        id="a cell that would overlap moves right",
    ),
    pytest.param(
        "<tr><td colspan=999>甲<tr><td>1<td>2<td>3",
        [[("甲", 0, 1, 3)], [("1", 0, 1, 1), ("2", 1, 1, 1), ("3", 2, 1, 1)]],
        id="an excessive column span is cut",
    ),
    pytest.param(
        "<tr><td rowspan=99>甲<td>1<tr><td>2",
        [[("甲", 0, 2, 1), ("1", 1, 1, 1)], [("2", 1, 1, 1)]],
        id="an excessive row span is cut",
    ),
    pytest.param(
        "<tr><td rowspan=0>甲<td>1<tr><td>2<tr><td>3",
        [[("甲", 0, 3, 1), ("1", 1, 1, 1)], [("2", 1, 1, 1)], [("3", 1, 1, 1)]],
        id="row span 0 reaches to the end",
    ),
    pytest.param(
        "<tr><td rowspan=x>甲<td colspan='-2'>1<tr><td>2<td>3",
        [[("甲", 0, 1, 1), ("1", 1, 1, 1)], [("2", 0, 1, 1), ("3", 1, 1, 1)]],
        id="spans that are no numbers",
    ),
]


@pytest.mark.parametrize(("table", "expected"), SPANS)
def test_spans(table: str, expected: list[list[tuple[str, int, int, int]]]) -> None:
    assert grid(table) == expected


SPAN = st.integers(0, 4)
ROWS = st.lists(st.lists(st.tuples(SPAN, SPAN), min_size=1, max_size=5), min_size=2, max_size=6)


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_no_cell_is_lost_whatever_the_spans(rows: list[list[tuple[int, int]]]) -> None:
    number = iter(range(1000))
    table = "".join(
        "<tr>" + "".join(f"<td rowspan={down} colspan={across}>{next(number)}" for down, across in row)
        for row in [*rows, [(1, 1)] * 9]
    )
    cells = [cell for row in grid(table) for cell in row]
    assert [cell[0] for cell in cells] == [str(n) for n in range(len(cells))]
    assert len(cells) == sum(map(len, rows)) + 9


CELLS = [
    ("<span>2</span><span>3</span>", "23"),
    ("<font>其</font><font>他</font>法<b>律</b><i>行政</i><u>法规</u>", "其他法律行政法规"),
    ("结果<br>维持", "结果维持"),
    ("<p>结果</p><p>维持</p>", "结果维持"),
    ("法律\n        服务机构", "法律服务机构"),
    ("&nbsp;", ""),
    ("<p><span>&nbsp;</span></p>", ""),
    ("1&nbsp;234", "1 234"),
    ("12<br>件", "12件"),
    ("<p>12</p><p>34</p>", "12 34"),
    ("０", "０"),
    ("０件<span style='display: none'>9</span>", "０件"),
    ("<p>甲</p>\n <p>乙</p>\n", "甲乙"),
    ("a<!-- b -->c", "ac"),
]


@pytest.mark.parametrize(("cell", "expected"), CELLS)
def test_cell_text(cell: str, expected: str) -> None:
    assert grid(f"<tr><td>{cell}<td>1<tr><td>2<td>3")[0][0][0] == expected


def test_inline_tags_split_no_word_of_prose(tmp_path: Path) -> None:
    body = f"<h1>{TITLE}</h1>共公<font>开</font>信<b>息</b><i>1</i>,<i>2</i>36条，\n  其中公报 6期。"
    assert lines(read(tmp_path, body)) == [TITLE, "共公开信息1,236条，其中公报 6期。"]


def test_break_and_blocks_end_lines(tmp_path: Path) -> None:
    body = (
        f"<h1>{TITLE}</h1>{PROSE}<br>一、概述<div>全年公开12条。</div>公开栏3处。"
        "<ul><li>甲事已办。<li>乙事已办。</ul>"
    )
    document = read(tmp_path, body)
    assert lines(document)[1:] == [
        PROSE,
        "一、概述",
        "全年公开12条。",
        "公开栏3处。",
        "甲事已办。",
        "乙事已办。",
    ]
    assert [block.kind for block in document.blocks][:3] == ["heading", "paragraph", "heading"]


HIDDEN = [
    "<script>var a='藏'</script>",
    "<style>.藏{}</style>",
    "<noscript>藏</noscript>",
    "<template>藏</template>",
    "<p hidden>藏</p>",
    "<p style='color:red;display : none'>藏</p>",
    "<div style='VISIBILITY:hidden'>藏</div>",
    "<p>露<span style='display:none'>藏</span></p>",
]


@pytest.mark.parametrize("markup", HIDDEN)
def test_hidden_text_is_dropped(tmp_path: Path, markup: str) -> None:
    document = read(
        tmp_path, f"<h1>{TITLE}</h1><p>{PROSE}</p>{markup}<p style='overflow:hidden'>末段在此。</p>"
    )
    assert "藏" not in document.text
    assert lines(document)[-1] == "末段在此。"


DATA = "<table border=1><tr><td>规章<td>0<td>1<tr><td>行政许可<td>2<td>3</table>"


def test_nested_layout_tables_are_flowed(tmp_path: Path) -> None:
    body = (
        "<table><tr><td>首页</td><td>信息公开</td></tr></table>"
        "<table><tr><td><table><tr><td>公开指南</td></tr><tr><td>公开目录</td></tr></table></td>"
        f"<td><table><tr><td><b>{TITLE}</b></td></tr>"
        "<tr><td>发布日期：2032-01-19&nbsp;&nbsp;来源：县政府办公室&nbsp;&nbsp;浏览次数：132 【打印】"
        f"<tr><td><table><tr><td><p>{PROSE}</p>{DATA}<p>一切照旧。</p></td></tr></table></td></tr></table>"
        "</td></tr></table><table><tr><td>主办：云岭县<br>网站标识码：990</td></tr></table>"
    )
    document = read(tmp_path, body)
    assert [m.label for m in document.metadata] == ["发布日期", "来源"]
    assert [m.value for m in document.metadata] == ["2032-01-19", "县政府办公室"]
    text = [document.slice(block.span) for block in document.blocks if block.kind != "table"]
    assert text == [TITLE, "发布日期：2032-01-19", "来源：县政府办公室", PROSE, "一切照旧。"]
    assert [[cell.text for cell in row] for row in document.tables[0].rows] == [
        ["规章", "0", "1"],
        ["行政许可", "2", "3"],
    ]


def test_site_chrome_is_left_out(tmp_path: Path) -> None:
    body = (
        "<header><nav><ul><li><a href=/>首页</a><li><a href=/>政府信息公开</a></ul></nav></header>"
        f"<div>当前位置：<a>首页</a> &gt; <a>年报</a> &gt; {TITLE}</div>"
        "<aside>公开指南</aside>"
        f"<h1>{TITLE}</h1><div>字号：[大 中 小]</div><p>{PROSE}</p>{DATA}"
        "<p>云岭县人民政府</p><p>2032年1月9日</p><p>附件：年度报告.pdf</p>"
        "<div>上一篇：预算公开</div><ul><li><a>相关甲甲甲</a><li><a>相关乙乙乙</a><li><a>相关丙丙丙</a></ul>"
        "<footer>版权所有 云岭县</footer>"
    )
    document = read(tmp_path, body)
    text = [document.slice(block.span) for block in document.blocks if block.kind != "table"]
    assert text == [TITLE, PROSE, "云岭县人民政府", "2032年1月9日", "附件：年度报告.pdf"]


def test_a_page_without_title_keeps_everything(tmp_path: Path) -> None:
    assert lines(read(tmp_path, f"<p>第一行</p><p>{PROSE}</p>")) == ["第一行", PROSE]


METADATA_TABLES = [
    "<tr><td>索&nbsp;引&nbsp;号：</td><td>990/12</td><td>发布机构：</td><td>云岭县</td></tr>"
    "<tr><td>文&nbsp;号：</td><td>&nbsp;</td><td>公开日期：</td><td>2032-03-01</td></tr>",
    "<tr><td>索引号：990/12</td><td>发布机构：云岭县</td></tr><tr><td>公开日期：2032-03-01</td><td></td></tr>",
]


@pytest.mark.parametrize("table", METADATA_TABLES)
def test_metadata_table(tmp_path: Path, table: str) -> None:
    document = read(tmp_path, f"<table>{table}</table><h1>{TITLE}</h1><p>{PROSE}</p>")
    assert [(m.label, m.value) for m in document.metadata] == [
        ("索引号", "990/12"),
        ("发布机构", "云岭县"),
        ("公开日期", "2032-03-01"),
    ]
    assert document.tables == ()
    assert all(document.slice(m.span) == m.value for m in document.metadata)


def test_meta_elements_and_page_title(tmp_path: Path) -> None:
    meta = '<meta name="PubDate" content="2032-03-01"><meta name="viewport" content="x">'
    head = f"<title>{TITLE}_云岭县</title>{meta}"
    document = read(tmp_path, f"<p>{PROSE}</p>", head)
    assert [(m.label, m.value) for m in document.metadata] == [
        ("title", f"{TITLE}_云岭县"),
        ("PubDate", "2032-03-01"),
    ]
    with_heading = read(tmp_path, f"<h1>{TITLE}</h1><p>{PROSE}</p>", head)
    assert [m.label for m in with_heading.metadata] == ["PubDate"]


def test_a_title_on_two_lines_is_one(tmp_path: Path) -> None:
    body = f"<div>云岭县人民政府2031年<br>政府信息公开工作年度报告</div><p>{PROSE}</p>"
    assert lines(read(tmp_path, body))[0] == TITLE


def test_data_table_with_a_table_in_a_cell_keeps_both(tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>项{n}<td>{n}<td>{n}" for n in range(5))
    inner = "<table><tr><td>内<td>7<tr><td>乙<td>8</table>"
    document = read(
        tmp_path, f"<h1>{TITLE}</h1><p>{PROSE}</p><table>{rows}<tr><td>注{inner}<td>1<td>2</table>"
    )
    assert [len(table.cells) for table in document.tables] == [18, 4]


def test_misnested_markup(tmp_path: Path) -> None:
    table = "<table><tr><td>规章<td>0<div><td>1</div></tr><p>游离的话。</p><tr><td>乙<td>2<td>3"
    body = f"<h1>{TITLE}</h1><p>{PROSE}</p>{table}"
    document = read(tmp_path, body)
    assert "游离的话。" in document.text
    assert [[cell.text for cell in row] for row in document.tables[0].rows] == [
        ["规章", "0", "1"],
        ["乙", "2", "3"],
    ]


def test_deep_nesting_does_no_harm(tmp_path: Path) -> None:
    assert PROSE in read(tmp_path, f"<h1>{TITLE}</h1>" + "<table><tr><td>" * 200 + f"<p>{PROSE}</p>").text
    assert PROSE in read(tmp_path, f"<h1>{TITLE}</h1>" + "<div><font>" * 2000 + PROSE).text


def test_empty_page(tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        read(tmp_path, "<div> &nbsp; </div><script>x</script>")


def test_too_many_cells(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(f"<html><body>{DATA}</body></html>", encoding="utf-8")
    with pytest.raises(TooLarge, match="table cells"):
        read_document(path, limits=Limits(table_cells=5))
