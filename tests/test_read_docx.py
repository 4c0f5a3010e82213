"""Word documents: text as it is printed, tables as grids, the same facts as from another carrier."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from word_writer import grid, paragraph, word, xml

from pipeline.document import Document
from pipeline.errors import BrokenFile, TooLarge
from pipeline.read import Limits, read_document
from pipeline.read.docx_numbering import chinese_numeral


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Document:
    path = tmp_path / "report.docx"
    path.write_bytes(data)
    return read_document(path) if limits is None else read_document(path, limits=limits)


# --- what is printed and what is not -----------------------------------------------------

RUN = "<w:r><w:t>{}</w:t></w:r>"
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


def numbered(level: int, text: str) -> str:
    return (
        f"<w:p><w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='77'/></w:numPr></w:pPr>"
        f"<w:r><w:t>{text}</w:t></w:r></w:p>"
    )


def chinese_list(document: object) -> None:
    """A list that counts 一、 and below it （一）."""
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    levels = "".join(
        f"<w:lvl w:ilvl='{level}'><w:start w:val='1'/><w:numFmt w:val='chineseCounting'/>"
        f"<w:lvlText w:val='{text}'/></w:lvl>"
        for level, text in enumerate(("%1、", "（%2）"))
    )
    root = document.part.numbering_part.element  # type: ignore[attr-defined]
    abstract = f"<w:abstractNum {nsdecls('w')} w:abstractNumId='76'>{levels}</w:abstractNum>"
    root.insert(0, parse_xml(abstract))
    number = f"<w:num {nsdecls('w')} w:numId='77'><w:abstractNumId w:val='76'/></w:num>"
    root.append(parse_xml(number))


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
