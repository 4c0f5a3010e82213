"""ZIP archives of one report with its attachments: one document; and those that are refused."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from carriers import SAMPLES, facts_of
from excel_writer import excel
from word_writer import as_word, grid, paragraph, word

from pipeline.document import Document
from pipeline.errors import BrokenFile, DocumentError, TooLarge, UnsupportedFormat
from pipeline.extraction import LOSS_RULE, NOTE_RULE, extract_document
from pipeline.metadata.reading import read_metadata
from pipeline.read import Limits, read_document

TITLE = "岚溪县2016年政府信息公开工作年度报告"
SENTENCES = "\n".join(f"全年通过第{n}种渠道主动公开信息{n}条。" for n in "二三四五六")
REPORT = f"{TITLE}\n\n一、主动公开情况\n\n{SENTENCES}\n\n岚溪县人民政府\n2017年1月20日\n"
OTHER = REPORT.replace("岚溪县", "青岚县").replace("通过第", "经由第")
TABLE = excel([["统计指标", "数量"], ["一、主动公开政府信息数", 120], ["其中：规范性文件数", 3]])


def zipped(*members: tuple[str | zipfile.ZipInfo, str | bytes]) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return written.getvalue()


def read(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Document:
    path = tmp_path / "岚溪县.zip"
    path.write_bytes(data)
    return read_document(path, limits=limits or Limits())


def files(document: Document) -> list[str]:
    return [part.file for part in document.parts]


# --- one document ------------------------------------------------------------------------


def test_the_report_comes_first_then_the_attachments_by_name(tmp_path: Path) -> None:
    members = [
        ("附件10：名单.txt", "名单共三人。"),
        ("附件2：统计表.xlsx", TABLE),
        (f"{TITLE}.txt", REPORT),
    ]
    document = read(tmp_path, zipped(*members))
    assert files(document) == [f"{TITLE}.txt", "附件2：统计表.xlsx", "附件10：名单.txt"]
    lines = document.text.split("\n")
    assert lines[0] == TITLE
    assert lines.index("附件2：统计表.xlsx") < lines.index("附件10：名单.txt")
    assert [part.sha256 for part in document.parts] == [
        hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
        for content in (REPORT, TABLE, "名单共三人。")
    ]
    assert (document.doc_id, document.media_type) == ("岚溪县", "application/zip")


def test_it_says_the_same_as_the_report_by_itself(tmp_path: Path) -> None:
    report = SAMPLES / "qilan_2022.html"
    alone = read_document(report)
    document = read(tmp_path, zipped((report.name, report.read_bytes()), ("附件1.xlsx", TABLE)))
    assert document.text.startswith(alone.text)
    assert facts_of(document) == facts_of(alone)


def test_the_name_of_an_attachment_is_no_title_and_gives_no_figure(tmp_path: Path) -> None:
    report = "全年主动公开信息12条。\n未收到公开申请，没有收取费用。\n未发生行政复议、行政诉讼。\n"
    report += "存在的问题是公开不够及时。\n本报告如下公布。\n"
    name = "附件：青岚县人民政府2015年政府信息公开工作年度报告公开99条.xlsx"
    document = read(tmp_path, zipped(("正文.txt", report), (name, TABLE)))
    assert name in document.text
    assert [block for block in document.blocks if name in document.slice(block.span)] == []
    facts = extract_document(document, "rules", None).facts
    assert not [fact for fact in facts if fact.raw in ("2015", "99条", "青岚县人民政府")]


def test_an_attachment_behind_it_does_not_move_the_signature(tmp_path: Path) -> None:
    """A long table behind the report: the signature stands in the first half of the text."""
    long = excel([["项目", "数量"], *([f"第{n}项工作的名称", n] for n in range(400))])
    facts = read_metadata(read_document(write(tmp_path, REPORT))).facts
    document = read(tmp_path, zipped(("报告.txt", REPORT), ("附件.xlsx", long)))
    extracted = extract_document(document, "rules", None).facts
    assert [fact for fact in extracted if fact.source == "metadata"] == list(facts)
    assert {fact.path for fact in facts} >= {"meta.issuer", "meta.year", "meta.signed_on"}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "report.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_page_around_its_attachment_is_read_with_it(tmp_path: Path) -> None:
    page = f"<html><body><h1>{TITLE}</h1><p>发布日期：2017-02-01</p><p>详见附件。</p></body></html>"
    report = as_word(read_document(SAMPLES / "qilan_2022.html"), tmp_path / "附件.docx")
    document = read(tmp_path, zipped(("index.html", page), ("附件.docx", report.read_bytes())))
    expected = {fact for fact in facts_of(read_document(report)) if fact[1] == "table"}
    assert {fact for fact in facts_of(document) if fact[1] == "table"} == expected


def test_a_table_that_the_report_prints_too_is_read_once(tmp_path: Path) -> None:
    report = SAMPLES / "qilan_2022.html"
    again = [["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"], ["规章", "77", "78", "79"]]
    again.append(["行政规范性文件", "77", "78", "79"])
    document = read(tmp_path, zipped((report.name, report.read_bytes()), ("附件1.docx", word(grid(again)))))
    assert len(document.tables) == len(read_document(report).tables) + 1
    assert facts_of(document) == facts_of(read_document(report))


GBK = "岚溪县/政府信息公开工作年度报告.txt"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_without_a_mark_of_their_encoding(tmp_path: Path, encoding: str) -> None:
    """As archives made on Chinese Windows (GBK) and on a Mac (UTF-8) have them."""
    raw = GBK.encode(encoding)
    data = zipped(("x" * len(raw), REPORT)).replace(b"x" * len(raw), raw)
    assert files(read(tmp_path, data)) == [GBK]


def test_what_systems_leave_in_archives_is_passed_over(tmp_path: Path) -> None:
    junk = ["__MACOSX/._报告.txt", "报告/.DS_Store", "报告/Thumbs.db", "~$报告.docx", "desktop.ini", "报告/"]
    document = read(tmp_path, zipped(*((name, b"\0\1\2") for name in junk), ("报告/报告.txt", REPORT)))
    assert (files(document), document.notes) == (["报告/报告.txt"], ())


def test_what_is_not_read_is_noted_and_shown_as_a_finding(tmp_path: Path) -> None:
    members = [
        ("报告.txt", REPORT),
        ("公章.psd", b"8BPS"),
        ("附件1.docx", b"PK\3\4word/"),
        ("附件2.pdf", b""),
    ]
    document = read(tmp_path, zipped(*members))
    assert files(document) == ["报告.txt"]
    noted = "\n".join((*document.notes, *document.losses))
    assert all(name in noted for name in ("公章.psd", "附件1.docx", "附件2.pdf"))
    assert "Word document is damaged" in noted
    findings = extract_document(document, "rules", None).findings
    assert [f.severity for f in findings if f.rule == NOTE_RULE] == ["note"] * len(document.notes)
    assert [f.severity for f in findings if f.rule == LOSS_RULE] == ["warning"] * len(document.losses)
    assert len(document.losses) == 2


def test_the_same_report_in_two_formats_is_read_once(tmp_path: Path) -> None:
    again = word(*(paragraph(line) for line in REPORT.split("\n") if line))
    document = read(tmp_path, zipped((f"{TITLE}.txt", REPORT), (f"{TITLE}.docx", again)))
    assert len(files(document)) == 1
    assert "the same report as" in document.notes[0]
    assert document.text.count(TITLE) == 1


# --- refused -----------------------------------------------------------------------------


def encrypted(name: str) -> bytes:
    """An archive whose members are marked as encrypted."""
    data = bytearray(zipped((name, REPORT)))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(signature) + offset
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    return bytes(data)


INNER = zipped(("a.txt", REPORT))
NAMED = [(f"{place}2016年政府信息公开工作年度报告.txt", "略") for place in ("岚溪县", "青岚县", "砚溪县")]
REFUSED: list[tuple[str, bytes, type[DocumentError], str]] = [
    ("several reports by name", zipped(*NAMED), UnsupportedFormat, "3 reports .*岚溪县.*青岚县.*砚溪县.*"),
    (
        "several reports by text",
        zipped(("甲/报告.txt", REPORT), ("乙/报告.txt", OTHER)),
        UnsupportedFormat,
        "2 reports .*乙/报告.txt, 甲/报告.txt",
    ),
    ("an archive in it", zipped(("a.txt", REPORT), ("b.zip", INNER)), UnsupportedFormat, "archive .b.zip"),
    ("a RAR archive in it", zipped(("a.txt", REPORT), ("b.rar", b"x")), UnsupportedFormat, "archive .b.rar"),
    ("a password", encrypted("报告.txt"), BrokenFile, "protected with a password .报告.txt is encrypted"),
    ("no document", zipped(("a.png", b"x"), ("b.css", b"y")), UnsupportedFormat, "no document .2 other"),
    ("nothing that can be read", zipped(("报告.pdf", b"%PDF-1.7 cut")), BrokenFile, "archive, 报告.pdf"),
    ("cut off", zipped(("报告.txt", REPORT))[:-40], UnsupportedFormat, "a damaged ZIP archive"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "error", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refusals_say_what_to_do(tmp_path: Path, data: bytes, error: type[DocumentError], says: str) -> None:
    with pytest.raises(error, match=f"^岚溪县.zip: .*{says}"):
        read(tmp_path, data)


def test_an_archive_under_another_ending_is_not_opened_inside(tmp_path: Path) -> None:
    document = read(tmp_path, zipped(("报告.txt", REPORT), ("附件.docx", zipped(("b.zip", INNER)))))
    assert files(document) == ["报告.txt"]
    assert "holds another archive (b.zip)" in document.losses[0]


CLIMBING = ["../外面.txt", "../../tmp/外面.txt", "/外面.txt", "C:\\外面.txt", "a/../../外面.txt"]


@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_lead_out_are_read_in_memory_and_noted(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    document = read(folder, zipped(("报告.txt", REPORT), (name, "外面的一句话。")))
    assert "外面的一句话。" in document.text
    assert "lead out of the archive" in document.notes[-1]
    assert name.replace("\\", "/") in document.notes[-1]
    assert set(tmp_path.rglob("*")) - before == {folder / "岚溪县.zip"}


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    data = zipped(("报告.txt", REPORT), ("附件.txt", b"0" * 40_000_000))
    assert len(data) < 100_000
    with pytest.raises(TooLarge, match="bytes when unpacked"):
        read(tmp_path, data, Limits(expanded_bytes=10_000_000))


def bomb() -> bytes:
    """A Word document that is small, and is not once it is unpacked."""
    written = BytesIO(word(paragraph("全年公开12条。")))
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/media/image1.bin", b"\0" * 4_000_000)
    return written.getvalue()


def test_bombs_in_an_archive_share_its_limit(tmp_path: Path) -> None:
    """Each of them alone is within the limit."""
    data = zipped(("报告.txt", REPORT), *((f"附件{n}.docx", bomb()) for n in range(1, 6)))
    document = read(tmp_path, data, Limits(expanded_bytes=10_000_000))
    assert files(document) == ["报告.txt", "附件1.docx", "附件2.docx"]
    assert [loss.partition(":")[0] for loss in document.losses] == [f"附件{n}.docx" for n in (3, 4, 5)]


def test_too_many_members(tmp_path: Path) -> None:
    data = zipped(*((f"{n}.txt", "一句话。") for n in range(12)))
    with pytest.raises(TooLarge, match="the limit is 10 files in the archive"):
        read(tmp_path, data, Limits(archive_members=10))


def test_attachments_count_towards_the_length_of_the_text(tmp_path: Path) -> None:
    data = zipped(("报告.txt", REPORT), *((f"附件{n}.txt", "长" * 900) for n in range(5)))
    with pytest.raises(TooLarge, match="the limit is 2,000 printed characters"):
        read(tmp_path, data, Limits(printed_characters=2_000))
