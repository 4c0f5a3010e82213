"""The source pane's data: blocks and marks of a document, and files read where they can do no harm."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from evals.review.library import Library, NoSuchDocument
from evals.review.server import serve
from evals.review.settings import ReviewSettings
from evals.review.source import files
from evals.review.source.files import SourceFolders
from evals.review.source.reading_child import NotShown, Reading, Source
from evals.review.source.view import BlockView, Mark, Segment, SourceView, source_view
from pipeline.document import Span
from pipeline.errors import StartError
from pipeline.read import DEFAULT_LIMITS, Limits, read_document
from pipeline.runs.manifest import RunIdentity, load_manifest
from pipeline.runs.record import RecordFile, read_text
from tests.review_material import SAMPLES, extracted, write_pdf
from tests.review_runs import made_record, made_run

T = TypeVar("T")

SPANS = """<html><body><h1>甲县2023年政府信息公开工作年度报告</h1><table>
<tr><td rowspan="2">项目</td><td colspan="2">数量</td></tr>
<tr><td>甲</td><td>乙</td></tr>
<tr><td>丙</td><td colspan="9999">1</td></tr>
<tr><td rowspan="9999">丁</td><td>2</td><td>3</td></tr>
</table><p>𠮷野家<b>12</b>件😀。</p></body></html>"""


def segments(view: SourceView) -> Iterator[Segment]:
    for block in view.blocks:
        yield from block.segments
        for row in block.rows:
            for cell in row:
                yield from cell.segments


def said(found: tuple[Segment, ...]) -> str:
    return "".join(segment.text for segment in found)


def cells(block: BlockView) -> list[list[str]]:
    return [[said(cell.segments) for cell in row] for row in block.rows]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(tmp_path_factory.mktemp("source"), SAMPLES)


@pytest.mark.parametrize("file", sorted(SAMPLES.glob("*.*[!l]")), ids=lambda file: str(file.name))
def test_every_character_of_a_report_is_shown_once_at_its_place(file: Path) -> None:
    document = read_document(file)
    for source in (document, document.text):
        shown = sorted(segments(source_view(source, ())), key=lambda segment: segment.start)
        assert all(document.text[each.start : each.end] == each.text for each in shown)
        assert "".join("".join(each.text.split()) for each in shown) == "".join(document.text.split())


def test_all_evidence_of_a_run_is_marked_where_it_stands(run: Path) -> None:
    library = Library(run)
    for entry in library.entries:
        record, text = library.record(entry.number), library.text(entry.number)
        assert text is not None
        marks = [Mark(str(n), f.evidence.start, f.evidence.end) for n, f in enumerate(record.facts)]
        for source in (text, read_document(SAMPLES / record.file)):
            view = source_view(source, marks)
            assert view.unplaced == ()
            marked: dict[str, str] = {}
            for segment in segments(view):
                for key in segment.keys:
                    marked[key] = marked.get(key, "") + segment.text
            for mark in marks:
                expected = "".join(text[mark.start : mark.end].split())
                assert "".join(marked[mark.key].split()) == expected


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], [("abcdef", "")]),
        ([("x", 2, 4)], [("ab", ""), ("cd", "x"), ("ef", "")]),
        ([("x", 0, 6)], [("abcdef", "x")]),
        ([("x", 1, 4), ("y", 3, 5)], [("a", ""), ("bc", "x"), ("d", "xy"), ("e", "y"), ("f", "")]),
        ([("x", 0, 3), ("y", 3, 6)], [("abc", "x"), ("def", "y")]),
        ([("x", 1, 3), ("y", 1, 3)], [("a", ""), ("bc", "xy"), ("def", "")]),
        ([("x", 0, 6), ("y", 2, 3)], [("ab", "x"), ("c", "xy"), ("def", "x")]),
        ([("x", 3, 3)], [("abc", ""), ("", "x"), ("def", "")]),
        ([("x", 2, 4), ("y", 3, 3)], [("ab", ""), ("c", "x"), ("", "y"), ("d", "x"), ("ef", "")]),
    ],
)
def test_text_is_cut_where_marks_begin_and_end(
    marks: list[tuple[str, int, int]], expected: list[tuple[str, str]]
) -> None:
    (block,) = source_view("abcdef\n", [Mark(*mark) for mark in marks]).blocks
    assert [(segment.text, "".join(segment.keys)) for segment in block.segments] == expected


@pytest.mark.parametrize("span", [(5, 4), (-1, 2), (0, 99), (3, 4), (7, 7)])
def test_a_mark_that_stands_in_no_text_is_named(span: tuple[int, int]) -> None:
    assert source_view("abc\nde", [Mark("lost", *span)]).unplaced == ("lost",)


def test_positions_are_code_points_and_spans_stay_within_the_table(tmp_path: Path) -> None:
    (tmp_path / "spans.html").write_text(SPANS, encoding="utf-8")
    document = read_document(tmp_path / "spans.html")
    start = document.text.index("12")
    view = source_view(document, [Mark("figure", start, start + 2, "prose")])
    table = next(block for block in view.blocks if block.form == "table")
    shape = [[(said(c.segments), c.row_span, c.column_span) for c in row] for row in table.rows]
    assert shape == [
        [("项目", 2, 1), ("数量", 1, 2)],
        [("甲", 1, 1), ("乙", 1, 1)],
        [("丙", 1, 1), ("1", 1, 2)],
        [("丁", 1, 1), ("2", 1, 1), ("3", 1, 1)],
    ]
    assert [(s.text, s.keys, s.kinds) for s in view.blocks[-1].segments] == [
        ("𠮷野家", (), ()),
        ("12", ("figure",), ("prose",)),
        ("件😀。", (), ()),
    ]


def test_lines_with_tabs_are_rows_where_only_the_text_is_at_hand() -> None:
    view = source_view("题\n\na\tb\n\tc\n段落\nd\te", ())
    assert [block.form for block in view.blocks] == ["paragraph", "table", "paragraph", "table"]
    assert cells(view.blocks[1]) == [["a", "b"], ["", "c"]]


def test_an_empty_cell_has_its_mark() -> None:
    (table,) = source_view("甲\t\t\n\t乙\t", [Mark("blank", 2, 2), Mark("end", 7, 7)]).blocks
    keys = [[[key for s in cell.segments for key in s.keys] for cell in row] for row in table.rows]
    assert keys == [[[], ["blank"], []], [[], [], ["end"]]]


def patient(limits: Limits = DEFAULT_LIMITS) -> Reading:
    """On a busy machine too the document is waited for."""
    return Reading(limits, patience_seconds=120)


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as started:
        yield started


@pytest.fixture(scope="module")
def reading(runner: asyncio.Runner) -> Iterator[Reading]:
    """One for all tests that do not break it; of the loop of `runner`."""
    started = patient()
    yield started
    runner.run(started.close())


async def read(reading: Reading, library: Library, *numbers: int) -> list[Source]:
    return list(await asyncio.gather(*(reading.source(library, number) for number in numbers)))


async def read_once(reading: Reading, library: Library, *numbers: int) -> list[Source]:
    try:
        return await read(reading, library, *numbers)
    finally:
        await reading.close()


def test_requests_at_the_same_time_are_all_answered(
    run: Path, reading: Reading, runner: asyncio.Runner
) -> None:
    library = Library(run)
    sources = runner.run(read(reading, library, *range(1, len(library) + 1), 1, 2, 1))
    assert all(source.document is not None and not source.notices for source in sources)


def test_a_file_is_read_only_if_it_is_the_one_that_was_extracted(
    run: Path, tmp_path: Path, reading: Reading, runner: asyncio.Runner
) -> None:
    documents = tmp_path / "moved" / "elsewhere"
    shutil.copytree(SAMPLES, documents)
    number = next(e.number for e in Library(run).entries if e.brief.file.endswith(".html"))
    file = Library(run).entry(number).brief.file
    (documents / file).rename(documents / "renamed.html")
    library = Library(run, tmp_path / "moved")
    (source,) = runner.run(read(reading, library, number))
    assert source.document is not None
    with (documents / "renamed.html").open("a", encoding="utf-8") as stream:
        stream.write("<p>later</p>")
    (source,) = runner.run(read(reading, library, number))
    assert source.document is None
    assert [notice.key for notice in source.notices] == ["source.no_file"]
    assert source.text == library.text(number)


def test_a_symlink_that_leads_out_of_the_folder_is_not_followed(run: Path, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    entry = Library(run).entry(1)
    (documents / entry.brief.file).symlink_to((SAMPLES / entry.brief.file).resolve())
    assert Library(run, documents).source(1) is None
    inside = documents / "real"
    inside.mkdir()
    shutil.copy(SAMPLES / entry.brief.file, inside)
    found = Library(run, documents).source(1)
    assert found is not None
    assert found.path == inside / entry.brief.file


@pytest.mark.parametrize(
    ("limits", "notice"),
    [
        (replace(DEFAULT_LIMITS, seconds=0.001), "source.too_long"),
        (replace(DEFAULT_LIMITS, file_bytes=10), "source.unreadable"),
    ],
    ids=["hangs", "too large"],
)
def test_what_cannot_be_read_is_shown_as_its_text(run: Path, limits: Any, notice: str) -> None:
    library = Library(run)
    number = next(e.number for e in library.entries if e.brief.file.endswith(".pdf"))
    sources = in_loop(read_once(patient(limits), library, number, number))
    for source in sources:
        assert source.document is None
        assert source.text == library.text(number)
        assert [each.key for each in source.notices] == [notice]


def test_a_reader_that_is_brought_down_costs_its_own_document_only(run: Path) -> None:
    library = Library(run)

    async def scenario() -> tuple[Source, Source]:
        reading = patient()
        try:
            await reading.source(library, 1)
            assert reading.reader_pid is not None
            os.kill(reading.reader_pid, signal.SIGSTOP)  # it takes the request and does not answer
            waiting = asyncio.create_task(reading.source(library, 2))
            await asyncio.sleep(0.3)
            os.kill(reading.reader_pid, signal.SIGKILL)
            return await waiting, await reading.source(library, 3)
        finally:
            await reading.close()

    fallen, after = in_loop(scenario())
    assert [(notice.key, notice.detail) for notice in fallen.notices] == [("source.crashed", "SIGKILL")]
    assert fallen.text == library.text(2)
    assert after.document is not None


def test_what_takes_long_is_shown_as_its_text_and_read_on(run: Path) -> None:
    library = Library(run)

    async def scenario() -> tuple[Source, bytes, Source]:
        reading = Reading(patience_seconds=0.3)
        try:
            await reading.warm()
            assert reading.reader_pid is not None
            os.kill(reading.reader_pid, signal.SIGSTOP)
            early = await reading.source(library, pdf)
            page = await reading.picture(library, pdf, 1)
            os.kill(reading.reader_pid, signal.SIGCONT)
            late = early
            for _ in range(100):
                if late.document is None:
                    late = await reading.source(library, pdf)
            return early, page, late
        finally:
            await reading.close()

    pdf = next(e.number for e in library.entries if e.brief.file.endswith(".pdf"))
    early, page, late = in_loop(scenario())
    assert [notice.key for notice in early.notices] == ["source.still_reading"]
    assert early.text == library.text(pdf)
    assert len(early.pages) == 4, "the pages can be looked at meanwhile"
    assert page[:4] == b"RIFF"
    assert late.document is not None
    assert late.notices == ()


def test_a_long_document_has_its_pages_drawn_one_by_one(
    tmp_path: Path, reading: Reading, runner: asyncio.Runner
) -> None:
    pages = 150
    write_pdf(tmp_path / "sources" / "long.pdf", pages)
    run = extracted(tmp_path, tmp_path / "sources")
    library = Library(run)

    async def scenario() -> None:
        source = await reading.source(library, 1)
        assert len(source.pages) == pages
        last = await reading.picture(library, 1, pages)
        assert last[:4] == b"RIFF"
        for page in (0, pages + 1, 10**30):
            with pytest.raises(NotShown):
                await reading.picture(library, 1, page)
        place = source.text.index("Office5had")
        (found,) = await reading.places(library, 1, [Span(place, place + 8)])
        assert found.page.number == 5
        assert found.boxes[0].x0 < found.boxes[0].x1 <= found.page.width

    runner.run(scenario())


@pytest.mark.parametrize("has_index", [True, False])
def test_numbers_stay_while_a_run_goes_on(run: Path, tmp_path: Path, has_index: bool) -> None:
    lines = (run / "records.jsonl").read_bytes().splitlines(keepends=True)
    growing = tmp_path / "run"
    growing.mkdir()
    records = growing / "records.jsonl"
    records.write_bytes(b"".join(lines[1:3]))
    if has_index:
        RecordFile(growing).close()
    library = Library(growing)
    before = [entry.doc_id for entry in library.entries]
    assert len(before) == 2
    with records.open("ab") as stream:
        stream.write(lines[0][:50])
        stream.flush()
        assert len(library.entries) == 2, "a line that is being written is none yet"
        stream.write(lines[0][50:] + b"".join(lines[3:]) + lines[1])
    after = [entry.doc_id for entry in library.entries]
    assert after[:2] == before
    assert sorted(after) == sorted(entry.doc_id for entry in Library(run).entries)
    assert library.entry(1).start > library.entry(2).start, "the later line of a document counts"
    with closing(RecordFile(growing)) as file:
        file.arrange(sorted(after, reverse=True))
    assert [entry.doc_id for entry in library.entries] == after
    assert [library.record(n).doc_id for n in range(1, len(after) + 1)] == after
    with pytest.raises(NoSuchDocument):
        library.record(len(after) + 1)


def test_a_damaged_line_is_named(run: Path, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes((run / "records.jsonl").read_bytes() + b'{"doc_id": 1}\n')
    with pytest.raises(StartError, match="no record begins at byte"):
        Library(tmp_path)


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, what: str) -> None:
    folder = tmp_path / what
    if what == "empty":
        folder.mkdir()
    with pytest.raises(StartError, match=r"no such folder|holds no records"):
        Library(folder)


# --- A run folder that somebody else has made


def forged(folder: Path, **changed: object) -> Path:
    """A run of one document whose record says something else than `gongkai extract` would write."""
    run = made_run(folder / "run", [made_record("甲", [1.0, 0.5])])
    record = json.loads((run / "records.jsonl").read_bytes()) | changed
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    (run / "records.jsonl").write_text(f"{line}\n", encoding="utf-8")
    (run / "records.index").unlink()
    return run


@pytest.mark.parametrize(
    "doc_id", ["../甲", "..", "/tmp/甲", "甲/乙", "甲\0乙", "甲\n乙", "", ".", "甲" * 5000]
)
def test_drafts_named_after_a_document_stay_in_their_folder(tmp_path: Path, doc_id: str) -> None:
    run = forged(tmp_path, doc_id=doc_id)
    drafts = tmp_path / "drafts"
    if "/" in doc_id or "\0" in doc_id:
        with pytest.raises(StartError, match="cannot be the name of a file"):
            Library(run)
    else:
        (entry,) = Library(run).entries
        assert (drafts / f"{entry.doc_id}.yaml").parent == drafts
        assert ".." not in (drafts / f"{entry.doc_id}.yaml").parts


@pytest.mark.parametrize(
    "sha256", ["../../secret", "/etc/passwd", "../secret", "a/../../../secret", "a\0", "."]
)
def test_a_hash_that_is_a_path_leads_to_no_file(tmp_path: Path, sha256: str) -> None:
    (tmp_path / "secret.txt").write_text("of somebody else", encoding="utf-8")
    library = Library(forged(tmp_path, sha256=sha256))
    with pytest.raises(StartError, match="needed are hexadecimal digits"):
        library.text(1)
    with pytest.raises(StartError, match="needed are hexadecimal digits"):
        read_text(library.run, sha256)


def test_a_text_that_is_a_symlink_shows_no_other_file(tmp_path: Path) -> None:
    run = forged(tmp_path)
    (tmp_path / "secret.txt").write_text("of somebody else", encoding="utf-8")
    (text,) = (run / "text").iterdir()
    assert Library(run).text(1) is not None
    text.unlink()
    text.symlink_to(tmp_path / "secret.txt")
    assert Library(run).text(1) is None


@pytest.mark.parametrize("name", ["review.jsonl", "review.lock", "review.pid", "review-sample.jsonl"])
def test_what_a_review_writes_is_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    """A file of one line without an end looks like a change that a kill has cut off."""
    run = forged(tmp_path)
    other = tmp_path / "other"
    other.write_text("of somebody else", encoding="utf-8")
    (run / name).symlink_to(other)
    with pytest.raises(StartError, match="is a symlink"):
        serve(ReviewSettings(run), print, open_browser=False)
    assert other.read_text(encoding="utf-8") == "of somebody else"


_USAGE = [0, 0, 0, 0, 0.0, None]
_ROW = ["甲", "甲.txt", "", "ok", None, None, {}, [], _USAGE]


@pytest.mark.parametrize(
    "index",
    [
        "[" * 100_000,
        "{}",
        "null",
        json.dumps(["0", "9", *_ROW]),
        json.dumps([0, 5.0, *_ROW]),
        json.dumps([-5, 10**30, *_ROW]),
        json.dumps([0, True, *_ROW]),
        '[0, 9, "\\ud800", "f", "", "ok", null, null, {}, [], [0, 0, 0, 0, 0.0, null]]',
        *(
            json.dumps([0, "LENGTH", *_ROW[:at], value, *_ROW[at + 1 :]], ensure_ascii=False)
            for at, value in ((1, ["<b>"]), (2, {}), (3, "<b>"), (4, 7), (5, []), (6, {"table": "<b>"}))
        ),
        json.dumps([0, "LENGTH", *_ROW[:7], [["rule", "<b>", 1]], _USAGE], ensure_ascii=False),
    ],
    ids=lambda index: index[:40],
)
def test_an_index_that_is_none_is_not_believed(tmp_path: Path, index: str) -> None:
    run = forged(tmp_path)
    length = (run / "records.jsonl").stat().st_size
    expected = Library(run).entries
    line = index.replace('"LENGTH"', str(length))
    (run / "records.index").write_text(f"{line}\n", encoding="utf-8")
    assert Library(run).entries == expected


def with_sources(run: Path, *sources: str) -> Path:
    """The run with a manifest that names these sources."""
    identity = dict.fromkeys(RunIdentity.__dataclass_fields__)
    content = {**identity, "sources": sources, "sessions": [], "totals": {}}
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")
    assert load_manifest(run) is not None
    return run


def test_sources_that_a_run_names_are_looked_through_for_names_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may name `/`: no file but those that its records name is opened, and the search ends."""
    home = tmp_path / "home"
    for name in ("a/secret.txt", "b/甲.txt", "c/unlike.txt"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(name, encoding="utf-8")
    opened: list[str] = []
    hashed = files.hash_file
    monkeypatch.setattr(files, "hash_file", lambda path: (opened.append(path.name), hashed(path))[1])
    sha256 = hashed(home / "b" / "甲.txt")
    run = with_sources(forged(tmp_path, sha256=sha256), str(home), "~", "\0", "x" * 5000, "http://a.example/")
    found = Library(run).source(1)
    assert found is not None
    assert found.path == home / "b" / "甲.txt"
    assert opened == ["甲.txt"]
    monkeypatch.setattr(files, "MOST_FILES", 1)
    assert Library(run).source(1) is None
    assert Library(run, home).source(1) == found, "a folder that a person names is looked through"


def test_files_without_a_size_and_monstrous_ones_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/proc` and `/sys` have files of no size that never end."""
    (tmp_path / "empty.txt").touch()
    with (tmp_path / "huge.txt").open("wb") as stream:
        stream.truncate(DEFAULT_LIMITS.file_bytes + 1)
    monkeypatch.setattr(files, "hash_file", lambda path: pytest.fail(f"{path} was read"))
    folders = SourceFolders([tmp_path])
    for name in ("empty.txt", "huge.txt", "proc/kmsg"):
        record = made_record("甲", []).model_copy(update={"file": name})
        assert folders.find(record) is None
        assert folders.find(record.model_copy(update={"sha256": ""})) is None
