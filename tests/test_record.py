"""records.jsonl: what a kill, a full disk and a resume leave of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from run_material import record

from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.runs.record import RecordFile, read_records, read_text, write_text


def doc_ids(folder: Path) -> list[str]:
    return [item.doc_id for item in read_records(folder)]


def fill(folder: Path, *names: str) -> Path:
    records = RecordFile(folder)
    for name in names:
        records.append(record(name))
    records.close()
    return folder / "records.jsonl"


def test_a_line_a_document_in_utf8_on_disk_at_once(tmp_path: Path) -> None:
    records = RecordFile(tmp_path)
    records.append(record("青岚县_2017"))
    content = (tmp_path / "records.jsonl").read_bytes()
    records.close()
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")
    assert "青岚县_2017".encode() in content
    assert json.loads(content)["doc_id"] == "青岚县_2017"


# What a kill can leave of the last line: cut anywhere, or nothing but its newline missing.
@pytest.mark.parametrize("cut", [1, 2, 10, 100, -2], ids=lambda cut: f"cut {cut}")
def test_a_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = fill(tmp_path, "a", "b", "c")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]) + lines[2][:cut])
    assert doc_ids(tmp_path) == ["a", "b"], "a reader passes it over and writes nothing"
    records = RecordFile(tmp_path)
    assert records.was_torn
    records.append(record("d"))
    records.close()
    assert path.read_bytes() == b"".join(lines[:2]) + record("d").model_dump_json().encode() + b"\n"


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=0))
def test_cut_at_any_byte_whole_lines_survive(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("run")
    path = fill(folder, "a", "b", "c", "d")
    content = path.read_bytes()
    kept = content[: cut % (len(content) + 1)]
    path.write_bytes(kept)
    records = RecordFile(folder)
    assert list(records.lines) == ["a", "b", "c", "d"][: kept.count(b"\n")]
    records.close()


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    path = fill(tmp_path, "a", "b")
    path.write_bytes(b'{"doc_id": 3}\n' + path.read_bytes())
    with pytest.raises(StartError, match="line 1 is no record"):
        RecordFile(tmp_path)
    with pytest.raises(StartError, match="line 1 is no record"):
        list(read_records(tmp_path))


def test_a_later_line_replaces_the_former(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    records = RecordFile(tmp_path)
    records.append(record("a", status="failed", error="gone", facts=()))
    assert records.read("a").status == "failed"
    assert list(records.lines) == ["b", "a"]
    records.close()
    assert doc_ids(tmp_path) == ["b", "a"]


@pytest.mark.parametrize(
    ("written", "order", "expected"),
    [
        (["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"]),
        (["c", "a", "b"], ["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b", "a"], ["a", "b"], ["a", "b"]),
        (["a", "b", "c"], ["c"], ["c"]),
        ([], [], []),
    ],
)
def test_arrange(tmp_path: Path, written: list[str], order: list[str], expected: list[str]) -> None:
    fill(tmp_path, *written)
    records = RecordFile(tmp_path)
    records.arrange(order)
    assert [item.doc_id for item in records] == expected
    records.append(record("z"))
    assert records.read("z") == record("z"), "it goes on after being put in order"
    records.close()
    lines = (tmp_path / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["doc_id"] for line in lines] == [*expected, "z"]


def test_a_record_that_does_not_fit_on_the_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill(tmp_path, "a")
    before = path.read_bytes()
    records = RecordFile(tmp_path)
    real_write = os.write

    def full(descriptor: int, content: bytes) -> int:
        real_write(descriptor, content[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StartError, match=r"record of b cannot be written \(No space left"):
        records.append(record("b"))
    monkeypatch.undo()
    assert path.read_bytes() == before
    records.append(record("c"))
    records.close()
    assert doc_ids(tmp_path) == ["a", "c"]


@pytest.mark.parametrize(
    "text", ["一行\n两行\n", "cr\r\nlf\r", "\ufeff头", "a\tb\n", "", "全角１２ 𠮷"], ids=ascii
)
def test_text_comes_back_character_for_character(tmp_path: Path, text: str) -> None:
    write_text(tmp_path, "0" * 64, text)
    assert read_text(tmp_path, "0" * 64) == text
    assert [file.name for file in (tmp_path / "text").iterdir()] == ["0" * 64 + ".txt"]


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no such folder"):
        list(read_records(tmp_path / "none"))
    with pytest.raises(StartError, match="holds no records"):
        list(read_records(tmp_path))


def test_a_record_is_read_back_equal(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    assert next(iter(read_records(tmp_path))) == record("a")
    assert isinstance(record("a"), Record)
