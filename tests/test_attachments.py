"""Reports with attachments beside them: which files they are, one document, and resume."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from excel_writer import excel
from run_material import IDENTITY, Watcher, opener, report, run

from pipeline.errors import StartError
from pipeline.extraction import extraction_steps
from pipeline.fact import Record
from pipeline.metadata.reading import require_report
from pipeline.read import read_document, read_document_with_parts
from pipeline.runs.attachments import group
from pipeline.runs.record import read_records, read_text
from pipeline.runs.sources import Skipped, list_inputs
from pipeline.runs.work import Stages

TABLE = excel([["统计指标", "数量"], ["主动公开政府信息数", 120]])
CHANGED = excel([["统计指标", "数量"], ["主动公开政府信息数", 121]])


# --- whose attachment a file is ----------------------------------------------------------

GROUPED: list[tuple[str, list[str], dict[str, list[str]]]] = [
    # files of a folder → report: attachments
    ("a number", ["a.html", "a_附件1.xls", "a_附件2.xls"], {"a.html": ["a_附件1.xls", "a_附件2.xls"]}),
    ("a dash", ["a.html", "a-附件.doc"], {"a.html": ["a-附件.doc"]}),
    ("in brackets", ["a.pdf", "a（附件）.docx"], {"a.pdf": ["a（附件）.docx"]}),
    ("no mark between", ["a.html", "a附件：统计表.xls"], {"a.html": ["a附件：统计表.xls"]}),
    ("in English", ["a.html", "a_attachment.xlsx"], {"a.html": ["a_attachment.xlsx"]}),
    ("a space", ["a.html", "a Annex 1.pdf"], {"a.html": ["a Annex 1.pdf"]}),
    ("the longest name", ["a.html", "a_2016.html", "a_2016_附件.xls"], {"a_2016.html": ["a_2016_附件.xls"]}),
    ("of another", ["a.md", "a_附件.doc", "a_附件_附件.xls"], {"a.md": ["a_附件.doc", "a_附件_附件.xls"]}),
    ("two formats", ["a.html", "a.pdf", "a_附件.xls"], {"a.html": ["a_附件.xls"], "a.pdf": ["a_附件.xls"]}),
    ("a folder", ["a.md", "a_附件/b.xls", "a附件/c.doc"], {"a.md": ["a_附件/b.xls", "a附件/c.doc"]}),
    ("a saved page", ["a.htm", "a_files/表.xls", "a_files/frame.htm"], {"a.htm": ["a_files/表.xls"]}),
    ("a page saved by WPS", ["a.htm", "a.files/表.xls"], {"a.htm": ["a.files/表.xls"]}),
    ("another name", ["a.html", "b_附件.xls", "附件.xls", "a.xls", "ab.doc", "a_统计表.xls"], {}),
    ("another folder", ["a.html", "x/a_附件.xls"], {}),
    ("no report", ["a.xls", "a_附件.xls"], {}),
    ("no document", ["a.html", "a_附件.png"], {}),
    ("about attachments", ["附件说明.html", "附件1.xls"], {}),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [row[1:] for row in GROUPED], ids=[row[0] for row in GROUPED])
def test_a_name_says_whose_attachment_a_file_is(files: list[str], expected: dict[str, list[str]]) -> None:
    attached = group([Path("in") / file for file in files], {}).attached
    found = {
        owner.relative_to("in").as_posix(): [path.relative_to("in").as_posix() for path in paths]
        for owner, paths in attached.items()
    }
    assert found == expected


def folder(tmp_path: Path, **files: bytes | str) -> Path:
    """`name__ending` → content."""
    source = tmp_path / "in"
    for name, content in files.items():
        path = source / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return source


def test_an_attachment_is_no_input_of_its_own(tmp_path: Path) -> None:
    source = folder(tmp_path, a__txt=report(), a_附件__xlsx=TABLE, other__xlsx=TABLE)
    (source / "a_files").mkdir()
    (source / "a_files" / "frame.htm").write_text("<p>框架</p>", encoding="utf-8")
    listing = list_inputs([source])
    assert [(each.file, [a.file for a in each.attachments]) for each in listing.inputs] == [
        ("a.txt", ["a_附件.xlsx"])
    ]
    assert listing.skipped == (
        Skipped(
            "other.xlsx",
            "a workbook, and no attachment by its name (.xlsx): call it REPORT_附件.xlsx, "
            "or name its report under part_of in sources.csv",
        ),
        Skipped("a_files/frame.htm", "part of a saved page"),
    )


def test_files_named_outright_are_grouped_too(tmp_path: Path) -> None:
    """`extract reports/*` is the same as `extract reports/`."""
    source = folder(tmp_path, a__txt=report(), a_附件__xlsx=TABLE)
    listing = list_inputs(sorted(source.iterdir()))
    assert [(each.file, len(each.attachments)) for each in listing.inputs] == [("a.txt", 1)]
    assert [each.file for each in list_inputs([source / "a_附件.xlsx"]).inputs] == ["a_附件.xlsx"]


def test_a_report_named_outright_has_what_lies_beside_it(tmp_path: Path) -> None:
    """`extract reports/a.txt` and `extract reports/*.txt` are the same as `extract reports/`."""
    source = folder(
        tmp_path, **{"a__txt": report(), "a_附件__xlsx": TABLE, "a附件/b__xlsx": CHANGED, "b__txt": "B"}
    )
    (alone,) = list_inputs([source / "a.txt"]).inputs
    beside = next(each for each in list_inputs([source]).inputs if each.file == "a.txt")
    assert [each.file for each in alone.attachments] == ["a_附件.xlsx", "a附件/b.xlsx"]
    assert alone.content == beside.content


def test_attachments_come_in_natural_order(tmp_path: Path) -> None:
    names = ["a（附件10）__xlsx", "a（附件2）__xlsx", "a（附件）__xlsx"]
    source = folder(tmp_path, a__txt=report(), **dict.fromkeys(names, TABLE))
    (document,) = list_inputs([source]).inputs
    assert [each.file for each in document.attachments] == [
        "a（附件）.xlsx",
        "a（附件2）.xlsx",
        "a（附件10）.xlsx",
    ]


def test_a_folder_of_workbooks_alone_says_so(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no document to read; 1 other files were skipped"):
        list_inputs([folder(tmp_path, a__xlsx=TABLE)])


# --- one document ------------------------------------------------------------------------


def test_report_and_attachments_are_one_document(tmp_path: Path) -> None:
    source = folder(tmp_path, a__txt=report(), a_附件1__xlsx=TABLE, a_附件2__docx=b"PK\3\4word/")
    paths = [source / "a_附件1.xlsx", source / "a_附件2.docx"]
    document = read_document_with_parts(source / "a.txt", paths)
    alone = read_document(source / "a.txt")
    assert document.text == f"{alone.text}附件：a_附件1.xlsx\n统计指标\t数量\n主动公开政府信息数\t120\n"
    assert document.without_attachments() == replace(alone, losses=document.losses)
    assert (document.sha256, document.file, document.media_type) == (alone.sha256, "a.txt", "text/plain")
    assert [(part.file, part.place) for part in document.parts] == [("a_附件1.xlsx", "beside")]
    assert all(document.slice(cell.span) == cell.text for table in document.tables for cell in table.cells)
    assert document.losses[0].startswith("a_附件2.docx: attached, but not read: the Word document is damaged")


def test_an_attachment_that_shows_nothing_is_told_of(tmp_path: Path) -> None:
    source = folder(tmp_path, a__txt=report(), a_附件__xlsx=excel([[None]]))
    document = read_document_with_parts(source / "a.txt", [source / "a_附件.xlsx"])
    assert document.losses == ("a_附件.xlsx: shows no text and no table",)


def test_pages_are_those_of_the_report_alone(tmp_path: Path) -> None:
    pdf = Path(__file__).parents[1] / "gold" / "samples" / "botang_2023.pdf"
    path = folder(tmp_path, a__txt=report()) / "a.txt"
    document = read_document_with_parts(path, [pdf])
    assert len(document.tables) > 0
    assert {block.page for block in document.blocks} == {None}
    assert {cell.page for table in document.tables for cell in table.cells} == {None}


# --- runs --------------------------------------------------------------------------------


def records(out: Path) -> dict[str, Record]:
    return {record.file: record for record in read_records(out)}


def test_the_record_names_the_attachments_with_their_hashes(tmp_path: Path) -> None:
    source, out = (
        folder(tmp_path, a__txt=report(), a_附件__xlsx=TABLE, b__txt=report(count=7)),
        tmp_path / "run",
    )
    run(source, out=out)
    found = records(out)
    (part,) = found["a.txt"].parts
    assert (part.file, part.place) == ("a_附件.xlsx", "beside")
    assert part.sha256 == hashlib.sha256(TABLE).hexdigest()
    assert found["a.txt"].sha256 == hashlib.sha256(report().encode()).hexdigest()
    assert found["b.txt"].parts == ()
    text = read_text(out, found["a.txt"].sha256)
    assert text is not None
    assert "主动公开政府信息数\t120" in text


CHANGES = {
    "changed": lambda path: path.write_bytes(CHANGED),
    "gone": lambda path: path.unlink(),
    "unreadable now": lambda path: path.write_bytes(b"PK\3\4xl/"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_changed_attachment_is_noticed_and_nothing_else_is_read_again(tmp_path: Path, change: str) -> None:
    source, out = (
        folder(tmp_path, a__txt=report(), a_附件__xlsx=TABLE, b__txt=report(count=7)),
        tmp_path / "run",
    )
    run(source, out=out)
    CHANGES[change](source / "a_附件.xlsx")
    for expected in (["a.txt"], []):
        watcher = Watcher()
        run(source, out=out, watcher=watcher)
        assert [record.file for record in watcher.records] == expected
    assert len(records(out)) == 2


def test_an_attachment_that_comes_later_is_noticed(tmp_path: Path) -> None:
    source, out = folder(tmp_path, a__txt=report()), tmp_path / "run"
    run(source, out=out)
    (source / "a_附件.xlsx").write_bytes(TABLE)
    watcher = Watcher()
    run(source, out=out, watcher=watcher)
    assert [len(record.parts) for record in read_records(out)] == [1]
    assert watcher.messages[0] == "1 files have changed since they were read; they are done again."


def test_a_failed_report_with_an_attachment_is_done_once(tmp_path: Path) -> None:
    source, out = folder(tmp_path, a__txt="食堂菜单。", a_附件__xlsx=TABLE), tmp_path / "run"
    run(source, out=out)
    watcher = Watcher()
    run(source, out=out, watcher=watcher)
    assert watcher.records == []
    assert [record.status for record in records(out).values()] == ["failed"]


def test_copies_of_a_report_have_one_text(tmp_path: Path) -> None:
    """The same bytes with an attachment, without one, and with another one."""
    source, out = tmp_path / "in", tmp_path / "run"
    for name, attachment in (("x", TABLE), ("y", None), ("z", CHANGED)):
        (source / name).mkdir(parents=True)
        (source / name / "a.txt").write_text(report(), encoding="utf-8")
        if attachment is not None:
            (source / name / "a_附件.xlsx").write_bytes(attachment)
    listing = list_inputs([source])
    assert [each.attachments[0].path.parent.name for each in listing.inputs] == ["x", "x", "x"]
    assert [each.reason for each in listing.skipped] == [
        "attached to z/a.txt, the same file as x/a.txt, which has others"
    ]
    run(source, out=out)
    watcher = Watcher()
    run(source, out=out, watcher=watcher)
    assert watcher.records == []


def test_a_copy_without_attachment_leaves_the_text_whole(tmp_path: Path) -> None:
    source, out = folder(tmp_path, a__txt=report(), a_附件__xlsx=TABLE), tmp_path / "run"
    run(source, out=out)
    (tmp_path / "b.txt").write_text(report(), encoding="utf-8")
    run(tmp_path / "b.txt", out=out)
    text = read_text(out, records(out)["a.txt"].sha256)
    assert text is not None
    assert text.endswith("主动公开政府信息数\t120\n")


def test_a_whole_run_with_the_real_stages(tmp_path: Path) -> None:
    """A page around its attachment is a report; what could not be read flags it."""
    long = "全年主动公开信息120条。未收到公开申请。没有收取费用。\n未发生行政复议、行政诉讼。\n"
    title = "青岚县人民政府2017年政府信息公开工作年度报告"
    source = folder(
        tmp_path,
        a__html=f"<html><body><h1>{title}</h1><p>详见附件。</p></body></html>",
        a_附件1__txt=f"一、概述\n{long}存在公开不及时的问题。\n",
        a_附件2__pdf=b"%PDF-1.7 cut",
    )
    extract = partial(extraction_steps, strategy="rules")
    stages = Stages(read_document_with_parts, require_report, extract)
    run(source, out=tmp_path / "run", engine=opener(stages), identity=IDENTITY)
    (record,) = read_records(tmp_path / "run")
    facts = {fact.path: fact.value for fact in record.facts}
    assert record.status == "flagged", record.error
    assert (facts["meta.issuer"], facts["proactive.total"]) == ("青岚县人民政府", 120)
    (note,) = [finding.message for finding in record.findings if finding.rule == "read.loss"]
    assert note.startswith("read.loss: a_附件2.pdf: attached, but not read")
    assert [part.file for part in record.parts] == ["a_附件1.txt", "a_附件2.pdf"]
