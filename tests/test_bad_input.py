"""Files that are no report, or none that can be read: each its own reason, and the others go on."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from run_material import report, run, write_reports

from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.runs.record import read_records
from pipeline.runs.sources import list_inputs

needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read and write everything"
)
PDF_HEAD = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog"


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return content.getvalue()


def noise() -> bytes:
    return bytes(random.Random(1).randrange(256) for _ in range(20_000))


BAD_FILES: list[tuple[str, bytes | Callable[[], bytes], str, str]] = [
    # file name, content, error_code, what the reason says
    ("empty.txt", b"", "empty", "white space"),
    ("blank.txt", b" \r\n\t \n", "empty", "white space"),
    ("noise.pdf", noise, "unsupported_format|not_a_report", ""),
    ("noise.txt", noise, "unsupported_format|not_a_report", ""),
    ("cut.pdf", PDF_HEAD, "broken", ""),
    ("archive.txt", zipped, "unsupported_format", ""),
    ("word.docx", zipped, "unsupported_format", ""),
    ("other.txt", "食堂本周菜单：米饭、面条。".encode(), "not_a_report", "年度报告"),
    ("error.html", "<html><body><p>页面不存在</p></body></html>".encode(), "not_a_report", "年度报告"),
]


@pytest.mark.parametrize(("name", "content", "code", "words"), BAD_FILES, ids=[row[0] for row in BAD_FILES])
def test_a_bad_file_has_a_record_with_its_reason_and_the_others_go_on(
    tmp_path: Path, name: str, content: bytes | Callable[[], bytes], code: str, words: str
) -> None:
    source, out = write_reports(tmp_path / "in", 2), tmp_path / "run"
    (source / name).write_bytes(content() if callable(content) else content)
    run(source, out=out)
    records = {item.file: item for item in read_records(out)}
    bad = records.pop(name)
    assert bad.status == "failed"
    assert bad.error_code in code.split("|")
    assert bad.error is not None
    assert name in bad.error
    assert words in bad.error
    assert bad.facts == ()
    assert [item.status for item in records.values()] == ["ok", "ok"]


def only_record(out: Path) -> Record:
    (record,) = read_records(out)
    return record


@pytest.mark.parametrize("name", ["manifest.csv", "gold.yaml", "facts.json"])
def test_a_data_file_named_outright_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(report(), encoding="utf-8")
    run(tmp_path / name, out=tmp_path / "run")
    record = only_record(tmp_path / "run")
    assert (record.status, record.error_code) == ("failed", "unsupported_format")


def test_fifty_megabytes_of_text_are_refused_with_the_limit(tmp_path: Path) -> None:
    line = "全年公开信息若干条，内容从略。" * 20 + "\n"
    encoded = line.encode()
    with (tmp_path / "long.txt").open("wb") as stream:
        for _ in range(50_000_000 // len(encoded) + 1):
            stream.write(encoded)
    run(tmp_path / "long.txt", out=tmp_path / "run")
    record = only_record(tmp_path / "run")
    assert record.status == "failed"
    assert record.error_code == "too_large"
    assert record.error is not None
    assert "long.txt" in record.error
    assert "the limit is 500,000 printed characters" in record.error


ODD_NAMES = [
    "  空格 two.txt",
    "line\nbreak.txt",
    "\x1b[31mred.txt",
    "[bold]markup[red].txt",
    "emoji😀.txt",
    "-dash.txt",
    "a.b.c.2017.txt",
    "quote'\".txt",
    "\u202egpj.txt",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_odd_names_are_kept(tmp_path: Path, name: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / name).write_text(report(), encoding="utf-8")
    run(source, out=tmp_path / "run")
    record = only_record(tmp_path / "run")
    assert (record.file, record.status) == (name, "ok")
    assert record.doc_id == name.removesuffix(".txt")


def test_a_name_in_gbk_is_read(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    path = os.fsencode(source) + b"/" + "年报".encode("gbk") + b".txt"
    try:
        with open(path, "wb") as stream:
            stream.write(report().encode())
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    run(source, out=tmp_path / "run")
    record = only_record(tmp_path / "run")
    assert (record.file, record.status) == ("年报.txt", "ok")


def test_a_failed_file_with_such_a_name_has_a_record_too(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    try:
        with open(os.fsencode(source) + b"/\xff\xfe.txt", "wb"):
            pass
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    run(source, out=tmp_path / "run")
    record = only_record(tmp_path / "run")
    assert (record.file, record.error_code) == (r"\xff\xfe.txt", "empty")


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    (source / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    run(source, out=tmp_path / "run")
    records = {item.doc_id: item for item in read_records(tmp_path / "run")}
    assert records["gone"].error_code == "unreadable"
    assert records["r000"].status == "ok"


@needs_permissions
def test_an_unreadable_file(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    (source / "r000.txt").chmod(0)
    run(source, out=tmp_path / "run")
    assert only_record(tmp_path / "run").error_code == "unreadable"


@needs_permissions
def test_an_unreadable_folder_is_listed(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    (source / "closed").mkdir()
    (source / "closed").chmod(0)
    try:
        assert [item.file for item in list_inputs([source]).skipped] == ["closed/"]
    finally:
        (source / "closed").chmod(0o700)


def test_a_pipe_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    os.mkfifo(source / "pipe.txt")
    listing = list_inputs([source])
    assert [item.file for item in listing.inputs] == ["r000.txt"]
    assert [(item.file, item.reason) for item in listing.skipped] == [("pipe.txt", "no regular file")]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none", "no such file or folder"),
        (lambda folder: folder, "no document to read"),
    ],
    ids=["no such path", "empty folder"],
)
def test_nothing_to_start_with(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(StartError, match=message):
        list_inputs([make(folder)])


def test_a_folder_of_other_files_says_so(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("a", encoding="utf-8")
    with pytest.raises(StartError, match="1 other files were skipped"):
        list_inputs([tmp_path])


def test_no_place_for_the_run(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StartError, match="cannot be written"):
        run(source, out=tmp_path / "file" / "run")


@needs_permissions
def test_a_run_folder_without_permission(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 1)
    (tmp_path / "run").mkdir(mode=0o500)
    with pytest.raises(StartError, match="cannot be written"):
        run(source, out=tmp_path / "run")
