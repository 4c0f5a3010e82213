"""Pages that no site makes: endless nesting, spans without measure, hidden characters by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.document import Document
from pipeline.errors import TooLarge
from pipeline.read import Limits, read_document

TITLE = "云岭县人民政府2031年政府信息公开工作年度报告"
PROSE = "全年公开政府信息12条。"


def read(tmp_path: Path, body: str, head: str = "", **limits: int) -> Document:
    path = tmp_path / "report.html"
    page = f"<html><head>{head}</head><body><h1>{TITLE}</h1><p>{PROSE}</p>{body}</body></html>"
    path.write_text(page, encoding="utf-8")
    return read_document(path, limits=Limits(**limits))


def cells(document: Document) -> list[list[str]]:
    return [[cell.text for cell in row] for table in document.tables for row in table.rows]


READ = [
    pytest.param("<b>" * 100_000 + "末", id="type"),
    pytest.param("<p>" * 100_000 + "末", id="paragraphs"),
    pytest.param("<div>" * 4_000 + "末", id="divisions"),
    pytest.param("<nav>" * 500 + "文字。" * 2_000 + "</nav>" * 500 + "<p>末", id="menus"),
    pytest.param("<ul><li>甲" * 500 + "</li></ul>" * 500 + "<p>末", id="lists"),
    pytest.param("<script>" + "<div>" * 100_000 + "</script>末", id="a script"),
    pytest.param("<!--" + "<div>" * 100_000 + "-->末", id="a comment"),
    pytest.param(f"<p title='{'x' * 5_000_000}'>末", id="an attribute of five million characters"),
    pytest.param(f"<p style='{'is:' * 100_000}'>末", id="a style that never ends"),
    pytest.param("<table>" + "<tr>" * 100_000 + "</table>末", id="rows without cells"),
    pytest.param("&#8203;" * 100_000 + "末", id="characters that are not seen"),
    pytest.param("<table><tr><td>" + "<br>字" * 20_000 + "<td>1<tr><td>2<td>3</table>末", id="a long cell"),
]


@pytest.mark.parametrize("body", READ)
def test_what_is_only_long_is_read(tmp_path: Path, body: str) -> None:
    document = read(tmp_path, body)
    assert PROSE in document.text
    assert document.text.rstrip().endswith("末")


REFUSED = [
    ("<div>" * 100_000, "5,001 elements inside each other"),
    ("<table>" * 100_000, "5,001 elements inside each other"),
    ("<ul><li>甲" * 100_000, "5,001 elements inside each other"),
    ("<table>" + "<tr><td>1<td>2" * 110_000, "220,000 table cells"),
    ("<table>" + "<tr><td rowspan=99999 colspan=60>1" * 2_000, "table columns"),
    ("<table><tr><td>文字" * 4_000 + "末", "characters in tables inside tables"),
    ("<p>公开信息" * 20_000, "printed characters"),
]


@pytest.mark.parametrize(("body", "says"), REFUSED, ids=lambda value: value[:20])
def test_what_would_take_for_ever_is_refused_by_the_limit(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(TooLarge, match=f"report.html: .*{says}: the limit is"):
        read(tmp_path, body, text_characters=2_000_000, printed_characters=50_000)


def test_data_tables_inside_each_other_are_all_read(tmp_path: Path) -> None:
    document = read(tmp_path, f"<table><tr>{'<td>1' * 8}<td>" * 1_200)
    assert len(document.tables) == 1_200


BLOCKS_IN_CELLS = [
    ("12<p>34</p>", "12 34"),
    ("<div><p>12</p><p>34</p></div>", "12 34"),
    ("<center>12</center>34", "12 34"),
    ("\n<p>12</p>\n", "12"),
    ("<div><p>结果</p><p>维持</p></div>", "结果维持"),
    ("<h3>结果</h3>维持", "结果维持"),
]


@pytest.mark.parametrize(("cell", "expected"), BLOCKS_IN_CELLS)
def test_figures_of_two_blocks_are_two(tmp_path: Path, cell: str, expected: str) -> None:
    document = read(tmp_path, f"<table><tr><td>{cell}<td>1<tr><td>2<td>3</table>")
    assert cells(document)[0][0] == expected


# What cannot be seen on the page, and the characters that the reader itself puts into the tree.
INVISIBLE = [
    "\u200b",
    "&#8203;",
    "&#x200B;",
    "&ZeroWidthSpace;",
    "\u00ad",
    "&shy;",
    "\ue002",
    "&#xE002;",
    "&#57346;",
]


@pytest.mark.parametrize("char", INVISIBLE, ids=ascii)
def test_characters_that_are_not_seen_split_no_figure(tmp_path: Path, char: str) -> None:
    body = f"<table><tr><td>1{char}2<td>{char}<tr><td>{char}0{char}<td>3</table><p>公{char}开7{char}7条。"
    document = read(tmp_path, body)
    assert cells(document) == [["12", ""], ["0", "3"]]
    assert "公开77条。" in document.text


def test_a_mark_in_front_of_the_head_does_not_move_the_title(tmp_path: Path) -> None:
    document = read(
        tmp_path, "", head=f"\ufeff<title>另一标题</title>{'<meta name=PubDate content=2032-01-09>'}"
    )
    assert [(item.label, item.value) for item in document.metadata] == [
        ("title", "另一标题"),
        ("PubDate", "2032-01-09"),
    ]


def test_marks_by_reference_are_no_tables(tmp_path: Path) -> None:
    document = read(tmp_path, "<p>甲&#xE002;99&#xE002;乙<p>&#xE000;&#xE001;丙")
    assert document.tables == ()
    assert "甲99乙" in document.text
