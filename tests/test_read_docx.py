"""Word documents: text as it is printed, tables as grids, the same facts as from another carrier."""

from __future__ import annotations

import zipfile
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from excel_writer import excel
from word_writer import (
    RUN,
    Add,
    boxed,
    chinese_list,
    chunk,
    grid,
    line,
    numbered,
    object_of,
    paragraph,
    text_box,
    word,
    xml,
)

from pipeline.document import Document
from pipeline.errors import BrokenFile, TooLarge
from pipeline.read import Limits, read_document
from pipeline.read.docx_numbering import chinese_numeral


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Document:
    path = tmp_path / "report.docx"
    path.write_bytes(data)
    return read_document(path) if limits is None else read_document(path, limits=limits)


# --- what is printed and what is not -----------------------------------------------------

PRINTED = [
    ("plain runs", RUN.format("公开") + RUN.format("12条"), "公开12条"),
    ("a figure split over runs", RUN.format("公开1") + RUN.format("2条"), "公开12条"),
    ("inserted in review", f"<w:ins w:id='1'>{RUN.format('公开12条')}</w:ins>", "公开12条"),
    (
        "deleted in review",
        f"{RUN.format('公开12条')}<w:del w:id='2'><w:r><w:delText>99条</w:delText></w:r></w:del>",
        "公开12条",
    ),
    ("hidden", f"{RUN.format('公开12条')}<w:r><w:rPr><w:vanish/></w:rPr><w:t>99条</w:t></w:r>", "公开12条"),
    ("not hidden", "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>公开12条</w:t></w:r>", "公开12条"),
    (
        "a content control",
        f"<w:sdt><w:sdtContent>{RUN.format('公开12条')}</w:sdtContent></w:sdt>",
        "公开12条",
    ),
    (
        "a field shows its result",
        f"<w:r><w:instrText>PAGE 99</w:instrText></w:r>{RUN.format('公开12条')}",
        "公开12条",
    ),
    ("a line break", "<w:r><w:t>公开12条。</w:t><w:br/><w:t>共3件。</w:t></w:r>", "公开12条。\n共3件。"),
]


@pytest.mark.parametrize(("inner", "text"), [case[1:] for case in PRINTED], ids=[case[0] for case in PRINTED])
def test_text_as_printed(tmp_path: Path, inner: str, text: str) -> None:
    assert read(tmp_path, word(xml(f"<w:p>{inner}</w:p>"))).text == f"{text}\n"


def test_headings_are_told_by_style(tmp_path: Path) -> None:
    document = read(tmp_path, word(paragraph("总体情况", "Heading 1"), paragraph("全年公开12条。")))
    assert [(block.kind, document.slice(block.span)) for block in document.blocks] == [
        ("heading", "总体情况"),
        ("paragraph", "全年公开12条。"),
    ]


def test_list_numbers_that_word_prints_are_read(tmp_path: Path) -> None:
    lines = [(0, "总体情况"), (1, "主动公开"), (1, "依申请公开"), (0, "存在问题"), (1, "意识不强")]
    data = word(chinese_list, *(xml(numbered(level, text)) for level, text in lines))
    assert read(tmp_path, data).text.split("\n")[:-1] == [
        "一、总体情况",
        "（一）主动公开",
        "（二）依申请公开",
        "二、存在问题",
        "（一）意识不强",
    ]


@pytest.mark.parametrize("number_format", ["taiwaneseCountingThousand", "chineseCountingThousand"])
def test_the_formats_that_libreoffice_and_wps_write(tmp_path: Path, number_format: str) -> None:
    data = word(partial(chinese_list, number_format=number_format), xml(numbered(0, "总体情况")))
    assert read(tmp_path, data).text == "一、总体情况\n"


def test_a_list_that_begins_again(tmp_path: Path) -> None:
    lines = [(77, "概述"), (77, "收费"), (78, "其他"), (78, "附表"), (77, "问题")]
    data = word(chinese_list, *(xml(numbered(0, text, number)) for number, text in lines))
    printed = ["一、概述", "二、收费", "一、其他", "二、附表", "三、问题"]
    assert read(tmp_path, data).text.split("\n")[:-1] == printed


@pytest.mark.parametrize(
    ("number", "printed"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (35, "三十五"), (100, "100")]
)
def test_chinese_list_numbers(number: int, printed: str) -> None:
    assert chinese_numeral(number) == printed


# --- tables ------------------------------------------------------------------------------


def test_merged_cells_are_one_cell_with_its_spans(tmp_path: Path) -> None:
    rows = [["结果", "", "公开"], ["", "", "3"], ["不予", "4", "5"]]
    document = read(tmp_path, word(grid(rows, [(0, 0, 1, 1)])))
    (table,) = document.tables
    assert [(c.text, c.row, c.column, c.row_span, c.column_span) for c in table.cells] == [
        ("结果", 0, 0, 2, 2),
        ("公开", 0, 2, 1, 1),
        ("3", 1, 2, 1, 1),
        ("不予", 2, 0, 1, 1),
        ("4", 2, 1, 1, 1),
        ("5", 2, 2, 1, 1),
    ]


def cell(inner: str) -> str:
    return f"<w:tc>{inner}<w:p/></w:tc>"


def test_a_table_that_only_places_text_is_text(tmp_path: Path) -> None:
    """A frame around a paragraph and a table: neither is a cell of anything."""
    said = f"<w:p>{RUN.format('全年公开12条。')}</w:p>"
    row = "".join(cell(f"<w:p>{RUN.format(text)}</w:p>") for text in ("规章", "5"))
    inner = f"<w:tbl><w:tr>{row}</w:tr></w:tbl>"
    document = read(tmp_path, word(xml(f"<w:tbl><w:tr>{cell(said + inner)}</w:tr></w:tbl>")))
    assert [block.kind for block in document.blocks] == ["paragraph", "table"]
    assert [each.text for each in document.tables[0].cells] == ["规章", "5"]


# --- what Word and WPS put into a document -----------------------------------------------


def shown(document: Document) -> list[tuple[str, str]]:
    """Kind and text of every block."""
    return [(block.kind, document.slice(block.span)) for block in document.blocks]


ROWS = [["规章", "5"], ["许可", "7"]]
TABLE = ("table", "规章\t5\n许可\t7")


def test_a_table_in_a_text_box_is_a_table_and_read_once(tmp_path: Path) -> None:
    before, behind = paragraph("框前的一句话。"), paragraph("框后的一句话。")
    expected = [("paragraph", "框前的一句话。"), TABLE, ("paragraph", "框后的一句话。")]
    assert shown(read(tmp_path, word(before, text_box(ROWS), behind))) == expected


def test_a_text_box_inside_a_text_box_is_read_once(tmp_path: Path) -> None:
    inner = f"<w:p>{RUN.format('外框的话。')}{boxed(line('内框的话。'))}</w:p>"
    document = read(tmp_path, word(xml(f"<w:p>{boxed(inner)}</w:p>")))
    assert document.text == "外框的话。\n内框的话。\n"


def test_alternatives_of_whole_paragraphs_are_printed_once(tmp_path: Path) -> None:
    space = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    choice = f"<mc:Choice Requires='wps'>{line('新的写法。')}</mc:Choice>"
    fallback = f"<mc:Fallback>{line('旧的写法。')}</mc:Fallback>"
    content = f"<w:sdt><w:sdtContent><mc:AlternateContent {space}>{choice}{fallback}</mc:AlternateContent>"
    assert read(tmp_path, word(xml(f"{content}</w:sdtContent></w:sdt>"))).text == "新的写法。\n"


def test_the_reading_above_a_character_is_not_text(tmp_path: Path) -> None:
    ruby = f"<w:ruby><w:rt>{RUN.format('lán')}</w:rt><w:rubyBase>{RUN.format('岚')}</w:rubyBase></w:ruby>"
    document = read(tmp_path, word(xml(f"<w:p><w:r>{ruby}</w:r>{RUN.format('溪县公开12条。')}</w:p>")))
    assert document.text == "岚溪县公开12条。\n"


CELLS = "".join(f"<tr><td>{label}</td><td>{figure}</td></tr>" for label, figure in ROWS)
HTML = f"<html><body><p>全年公开12条。</p><table>{CELLS}</table></body></html>".encode()
SAVED = (
    b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html; "
    b"charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + HTML + b"\n--x--\n"
)
CHUNKS = [
    ("html", HTML, "text/html"),
    ("mht", SAVED, "message/rfc822"),
    ("docx", word(paragraph("全年公开12条。"), grid(ROWS)), "application/x"),
]


@pytest.mark.parametrize(("ending", "data", "kind"), CHUNKS, ids=[chunk[0] for chunk in CHUNKS])
def test_a_chunk_is_read_where_it_stands(tmp_path: Path, ending: str, data: bytes, kind: str) -> None:
    document = read(tmp_path, word(paragraph("前言。"), chunk(data, ending, kind), paragraph("结语。")))
    expected = [("paragraph", "前言。"), ("paragraph", "全年公开12条。"), TABLE, ("paragraph", "结语。")]
    assert shown(document) == expected


def test_an_embedded_workbook_is_read_where_its_picture_stands(tmp_path: Path) -> None:
    data = word(
        paragraph("前言。"),
        object_of("Excel.Sheet.12", excel([["规章", 5], ["许可", 7]])),
        paragraph("结语。"),
    )
    assert shown(read(tmp_path, data)) == [("paragraph", "前言。"), TABLE, ("paragraph", "结语。")]


def in_chunks(data: bytes, depth: int) -> Add:
    """A text in a document in a document …"""
    if depth == 0:
        return chunk(data, "txt", "text/plain")
    return chunk(word(in_chunks(data, depth - 1)), "docx", "application/x")


NOT_READ = [
    ("a formula", object_of("Equation.3", b"x"), "an object of Equation.3 in the document is not read"),
    ("one that lies elsewhere", object_of("Excel.Sheet.12", None), "is not in the file, and is not read"),
    ("a damaged one", object_of("Excel.Sheet.12", b"PK\3\4xl/"), "not read: the Excel workbook is damaged"),
    ("a chunk in a chunk in a chunk", in_chunks("深处的话。".encode(), 3), "files inside each other"),
]


@pytest.mark.parametrize(("add", "note"), [case[1:] for case in NOT_READ], ids=[case[0] for case in NOT_READ])
def test_what_is_not_read_is_noted(tmp_path: Path, add: Add, note: str) -> None:
    document = read(tmp_path, word(paragraph("全年公开12条。"), add))
    assert document.text == "全年公开12条。\n"
    assert note in document.notes[0]


OTHER_TYPES = [
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
]


@pytest.mark.parametrize("content_type", OTHER_TYPES, ids=["docm", "dotm", "dotx"])
def test_documents_with_macros_and_templates(tmp_path: Path, content_type: str) -> None:
    plain = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    written = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(word(paragraph("全年公开12条。"), grid(ROWS)))) as old,
        zipfile.ZipFile(written, "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(plain.encode(), content_type.encode()))
        new.writestr("word/vbaProject.bin", b"Sub AutoOpen()")
    assert shown(read(tmp_path, written.getvalue())) == [("paragraph", "全年公开12条。"), TABLE]


# --- broken and hostile ------------------------------------------------------------------


def test_damaged_documents_say_what_to_do(tmp_path: Path) -> None:
    whole = word(paragraph("全年公开12条。"))
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + bytes(300) + whole[middle + 300 :]):
        with pytest.raises(BrokenFile, match="Word document is damaged"):
            read(tmp_path, damaged)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    written = BytesIO(word(paragraph("全年公开12条。")))
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/media/image1.bin", b"\0" * 40_000_000)
    with pytest.raises(TooLarge, match="bytes when unpacked"):
        read(tmp_path, written.getvalue(), Limits(expanded_bytes=10_000_000))


def test_tables_inside_each_other_have_a_limit(tmp_path: Path) -> None:
    inner = "<w:p/>"
    for _ in range(40):
        inner = f"<w:tbl><w:tr><w:tc>{inner}<w:p/></w:tc></w:tr></w:tbl>"
    with pytest.raises(TooLarge, match="tables inside each other"):
        read(tmp_path, word(xml(inner)))


def test_entities_of_a_document_are_not_resolved(tmp_path: Path) -> None:
    """A document type that names a file: nothing of the file is read."""
    secret = tmp_path / "secret.txt"
    secret.write_text("机密文件共999条", encoding="utf-8")
    content = word(paragraph("全年公开12条。"))
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "word/document.xml":
                text = data.decode("utf-8").replace("全年公开", "&secret;全年公开")
                entity = f'<!DOCTYPE d [<!ENTITY secret SYSTEM "{secret.as_uri()}">]>'
                data = text.replace("<w:document", f"{entity}<w:document", 1).encode()
            new.writestr(name, data)
    assert "机密" not in read(tmp_path, written.getvalue()).text
