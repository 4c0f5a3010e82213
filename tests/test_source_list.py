"""sources.csv: what it may hold, and what is said where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_material import report, run

from pipeline.document import SourceHint
from pipeline.errors import UsageError
from pipeline.runs.record import read_records
from pipeline.runs.source_list import SourceList, read_source_list
from pipeline.runs.sources import list_inputs

GOOD = """file,url,place,year,part_of,remark
a.html,http://www.example.gov.cn/a,云岭县,2018,,seen
sub\\b.doc,,,,a.html,
,,,,,
c.pdf,,990123,2020,,
"""


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "sources.csv").write_bytes(text.encode(encoding))
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_a_list_says(tmp_path: Path, encoding: str) -> None:
    assert read_source_list(write(tmp_path, GOOD, encoding)) == SourceList(
        {
            "a.html": SourceHint("http://www.example.gov.cn/a", "云岭县", 2018),
            "sub/b.doc": SourceHint(),
            "c.pdf": SourceHint(None, "990123", 2020),
        },
        {"sub/b.doc": "a.html"},
    )


def test_no_list(tmp_path: Path) -> None:
    assert read_source_list(tmp_path) == SourceList()


WRONG = [
    ("name,year\na,2018\n", r"no column `file` in its first line \(name, year\)"),
    ("", r"no column `file` in its first line \(nothing\)"),
    ("file,year\na,18\n", "line 2: year '18' is no year of a report"),
    ("file,year\na,两千\n", "line 2: year '两千' is no year"),
    ("file,year\na,2018\na,2019\n", "line 3: a is listed twice"),
    ("file,year\n,2018\n", "line 2: the file is missing"),
    ("file,part_of\na,b\n", "a is part of b, which the list does not have"),
    ("file,part_of\na,a\n", "which is itself a part"),
    ("file,part_of\na,b\nb,c\nc,\n", "which is itself a part"),
    ('file,url\na,"http\nb,\n', "Is a quotation mark left open"),
]


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_a_wrong_list_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_source_list(write(tmp_path, text))


LIST = "file,url,place,year,part_of\na.txt,http://www.example.gov.cn/a,云岭县,2017,\ntable.txt,,,,a.txt\nlost.txt,,,,\n"


def test_a_run_keeps_what_the_list_says_and_joins_what_belongs_together(tmp_path: Path) -> None:
    source, out = write(tmp_path, LIST), tmp_path / "run"
    (source / "a.txt").write_text(report(), encoding="utf-8")
    (source / "table.txt").write_text("统计表", encoding="utf-8")
    run(source, out=out)
    (record,) = read_records(out)
    assert record.hint is not None
    assert record.hint.model_dump() == {"url": "http://www.example.gov.cn/a", "place": "云岭县", "year": 2017}
    assert [part.file for part in record.parts] == ["table.txt"]


def test_a_file_that_is_listed_and_not_there_is_told_of(tmp_path: Path) -> None:
    source = write(tmp_path, LIST)
    (source / "a.txt").write_text(report(), encoding="utf-8")
    skipped = {item.file: item.reason for item in list_inputs([source]).skipped}
    assert skipped["lost.txt"] == "named in sources.csv, but not there"
    assert skipped["sources.csv"] == "the list of sources"


def test_lists_of_folders_below_count_too(tmp_path: Path) -> None:
    below = tmp_path / "2016"
    below.mkdir()
    write(below, LIST)
    for name in ("a.txt", "table.txt"):
        (below / name).write_text(report() + name, encoding="utf-8")
    (document,) = list_inputs([tmp_path]).inputs
    assert document.file == "2016/a.txt"
    assert document.hint is not None
    assert [attached.file for attached in document.attachments] == ["table.txt"]


def test_a_changed_line_of_the_list_has_its_document_done_again(tmp_path: Path) -> None:
    source, out = write(tmp_path, "file,year\na.txt,2017\nb.txt,2017\n"), tmp_path / "run"
    for name in ("a.txt", "b.txt"):
        (source / name).write_text(report() + name, encoding="utf-8")
    assert run(source, out=out).written == 2
    assert run(source, out=out).written == 0
    write(source, "file,year\na.txt,2018\nb.txt,2017\n")
    assert run(source, out=out).written == 1
    assert {record.file: record.hint and record.hint.year for record in read_records(out)} == {
        "a.txt": 2018,
        "b.txt": 2017,
    }
