"""Runs over many documents: order, resume, duplicates, kills, the lock."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from run_material import (
    ASKING_STAGES,
    IDENTITY,
    ROOT,
    STAGES,
    AskingNobody,
    Extraction,
    Watcher,
    asking,
    never,
    opener,
    report,
    run,
    stub_extract,
    write_reports,
)

from pipeline.document import Document
from pipeline.errors import (
    AnswerInvalid,
    AnswerRefused,
    EndpointGone,
    ModelError,
    ModelUnavailable,
    RunLocked,
    RunStopped,
    StartError,
    TransportFailed,
    UsageError,
    WaitsForBatch,
)
from pipeline.fact import Usage
from pipeline.model.question import Answer, Question, Reply, Steps
from pipeline.runs.engine import Engine
from pipeline.runs.folder import RunFolder, locked
from pipeline.runs.local_engine import Ask, LocalEngine
from pipeline.runs.manifest import RunIdentity, prompt_hashes, refuse_other, source_tree
from pipeline.runs.record import read_records, read_text
from pipeline.runs.sources import Skipped, list_inputs
from pipeline.runs.work import Stages
from pipeline.runs.workers import InlineWorkers


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "records.jsonl").read_text(encoding="utf-8").splitlines()]


def doc_ids(out: Path) -> list[str]:
    return [line["doc_id"] for line in lines(out)]


def manifest(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return content


def failing(error: Exception, *files: str) -> Stages:
    """Stages that raise on some files."""

    def extract(document: Document) -> Extraction:
        if document.file in files:
            raise error
        return stub_extract(document)

    return doing(extract)


def doing(extract: Callable[[Document], Extraction]) -> Stages:
    """Stages with another extraction, which asks nobody."""
    return replace(STAGES, extract=AskingNobody(extract))


def replying(reply: Callable[[str], Awaitable[None]], asked: list[str]) -> Ask:
    """Whom documents ask: `asked` gets the names of the documents, `reply` may wait or raise."""

    async def ask(question: Question) -> Reply:
        asked.append(question.text)
        await reply(question.text)
        return Answer("{}", Usage(), Usage(), from_store=False)

    return ask


# ---- a whole run -------------------------------------------------------------------------


def test_the_manifest_names_the_commit_of_the_program(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        pytest.skip("the tests run outside a checkout")
    git = ["git", "-C", str(root), "rev-parse", "HEAD"]
    head = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    commit, dirty = source_tree()
    assert commit == head
    assert isinstance(dirty, bool)


def test_a_run_leaves_records_texts_and_manifest(tmp_path: Path) -> None:
    out = tmp_path / "run"
    outcome = run(write_reports(tmp_path / "in", 5), out=out, engine=opener(at_a_time=3))
    assert doc_ids(out) == ["r000", "r001", "r002", "r003", "r004"]
    assert outcome.summary.statuses == {"ok": 5}
    assert outcome.stopped is None
    for record in read_records(out):
        text = read_text(out, record.sha256)
        assert text is not None
        evidence = record.facts[0].evidence
        assert text[evidence.start : evidence.end] == record.facts[0].raw
    content = manifest(out)
    assert content["strategy"] == "rules"
    assert content["totals"]["facts"] == 5
    assert content["start"] <= content["end"]
    assert len(content["sessions"]) == 1
    assert not (out / "run.pid").exists()


def test_records_are_in_input_order_whoever_is_done_first(tmp_path: Path) -> None:
    async def slow_first(doc_id: str) -> None:
        await asyncio.sleep(0.2 if doc_id == "r000" else 0)

    out, watcher = tmp_path / "run", Watcher()
    engine = opener(ASKING_STAGES, replying(slow_first, []), at_a_time=4)
    run(write_reports(tmp_path / "in", 4), out=out, engine=engine, watcher=watcher)
    assert watcher.records[-1].doc_id == "r000"
    assert doc_ids(out) == ["r000", "r001", "r002", "r003"]


# ---- what is listed ----------------------------------------------------------------------

LISTING = [
    # files below the folder, inputs in order, skipped
    (["b.txt", "a.pdf"], ["a.pdf", "b.txt"], []),
    (["a.txt", "manifest.csv", "a.yaml"], ["a.txt"], ["a.yaml", "manifest.csv"]),
    (["x/a.txt", "y/a.txt"], ["x/a.txt", "y/a.txt"], []),
    (["report.docx", "noending", "page.shtml"], ["noending", "page.shtml", "report.docx"], []),
    (["a.txt", ".hidden.txt", "~$a.docx"], ["a.txt"], [".hidden.txt", "~$a.docx"]),
    (["A.TXT", "a.HTML"], ["A.TXT", "a.HTML"], []),
    (["a.txt", "old/records.jsonl", "old/run.json", "old/text/1.txt"], ["a.txt"], ["old/"]),
]


@pytest.mark.parametrize(("files", "inputs", "skipped"), LISTING, ids=lambda value: " ".join(value))
def test_what_of_a_folder_is_read(
    tmp_path: Path, files: list[str], inputs: list[str], skipped: list[str]
) -> None:
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file, encoding="utf-8")
    listing = list_inputs([tmp_path])
    assert [item.file for item in listing.inputs] == inputs
    assert [item.file for item in listing.skipped] == skipped


def test_skipped_files_say_why(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    (tmp_path / "m.csv").write_text("a", encoding="utf-8")
    assert list_inputs([tmp_path]).skipped == (Skipped("m.csv", "no report format (.csv)"),)


@pytest.mark.parametrize(
    ("named", "files"),
    [
        (["in", "in/r000.txt"], ["r000.txt"]),
        (["x", "y"], ["x/a.txt", "y/a.txt"]),
        (["x/a.txt", "y/a.txt"], ["x/a.txt", "y/a.txt"]),
        (["x/a.txt"], ["a.txt"]),
    ],
)
def test_a_file_is_taken_once_and_names_differ(tmp_path: Path, named: list[str], files: list[str]) -> None:
    write_reports(tmp_path / "in", 1)
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder, encoding="utf-8")
    listing = list_inputs([tmp_path / name for name in named])
    assert [item.file for item in listing.inputs] == files


def test_one_stem_twice_gets_two_doc_ids(tmp_path: Path) -> None:
    for folder, count in (("x", 1), ("y", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(report(count=count), encoding="utf-8")
    out = tmp_path / "run"
    run(tmp_path / "x", tmp_path / "y", out=out)
    first, second = lines(out)
    assert first["doc_id"] == "a"
    assert second["doc_id"] == f"a~{second['sha256'][:8]}"
    assert [first["file"], second["file"]] == ["x/a.txt", "y/a.txt"]


def test_sources_and_run_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_reports(tmp_path, 1)
    with pytest.raises(UsageError, match="--out"):
        list_inputs([tmp_path], tmp_path)


# ---- the same document twice -------------------------------------------------------------


def test_the_same_bytes_are_read_once(tmp_path: Path) -> None:
    source = write_reports(tmp_path / "in", 2)
    (source / "copy.txt").write_bytes((source / "r001.txt").read_bytes())
    read: list[str] = []

    def extract(document: Document) -> Extraction:
        read.append(document.doc_id)
        return stub_extract(document)

    out = tmp_path / "run"
    run(source, out=out, engine=opener(doing(extract)))
    copy, _, r001 = lines(out)
    assert read == ["copy", "r000"]
    assert r001["facts"] == copy["facts"]
    assert r001["usage"]["input_tokens"] == 0
    assert [(item["rule"], item["severity"], item["at"]) for item in r001["findings"]] == [
        ("run.duplicate", "note", "copy")
    ]
    assert r001["status"] == "ok"


def test_a_copy_added_later_needs_no_model(tmp_path: Path) -> None:
    source, out = write_reports(tmp_path / "in", 1), tmp_path / "run"
    run(source, out=out)
    (source / "z.txt").write_bytes((source / "r000.txt").read_bytes())
    run(source, out=out, engine=never)
    assert doc_ids(out) == ["r000", "z"]
    assert lines(out)[1]["findings"][0]["at"] == "r000"


# ---- resume ------------------------------------------------------------------------------


def test_a_finished_run_asks_for_no_model_and_changes_nothing(tmp_path: Path) -> None:
    source, out = write_reports(tmp_path / "in", 3), tmp_path / "run"
    run(source, out=out)
    before = (out / "records.jsonl").read_bytes()
    outcome = run(source, out=out, engine=never)
    assert (out / "records.jsonl").read_bytes() == before
    assert outcome.written == 0
    assert len(manifest(out)["sessions"]) == 2


def test_only_what_is_new_is_done(tmp_path: Path) -> None:
    source, out, watcher = write_reports(tmp_path / "in", 2), tmp_path / "run", Watcher()
    run(source, out=out)
    (source / "a_first.txt").write_text(report(count=7), encoding="utf-8")
    run(source, out=out, watcher=watcher)
    assert [item.doc_id for item in watcher.records] == ["a_first"]
    assert doc_ids(out) == ["a_first", "r000", "r001"]


def test_a_changed_file_replaces_its_record(tmp_path: Path) -> None:
    source, out, watcher = write_reports(tmp_path / "in", 2), tmp_path / "run", Watcher()
    run(source, out=out)
    (source / "r000.txt").write_text(report(count=7777), encoding="utf-8")
    run(source, out=out, watcher=watcher)
    assert doc_ids(out) == ["r000", "r001"]
    assert lines(out)[0]["facts"][0]["value"] == 7777
    assert any("changed" in message for message in watcher.messages)


def test_a_second_folder_is_added_and_nothing_lost(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(write_reports(tmp_path / "x", 2), out=out)
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "other.txt").write_text(report(count=9), encoding="utf-8")
    run(tmp_path / "y", out=out)
    assert doc_ids(out) == ["r000", "r001", "other"]


def test_failed_documents_are_done_again_only_when_asked(tmp_path: Path) -> None:
    source, out = write_reports(tmp_path / "in", 3), tmp_path / "run"
    bad = opener(failing(AnswerInvalid("the answer made no sense"), "r001.txt"))
    outcome = run(source, out=out, engine=bad)
    assert [(item.doc_id, item.code) for item in outcome.summary.failures] == [("r001", "model_answer")]
    assert run(source, out=out, engine=never).written == 0
    outcome = run(source, out=out, retry_failed=True)
    assert outcome.written == 1
    assert outcome.summary.statuses == {"ok": 3}
    assert doc_ids(out) == ["r000", "r001", "r002"]


def test_a_torn_last_record_is_done_again(tmp_path: Path) -> None:
    source, out, watcher = write_reports(tmp_path / "in", 3), tmp_path / "run", Watcher()
    run(source, out=out)
    whole = (out / "records.jsonl").read_bytes()
    (out / "records.jsonl").write_bytes(whole[:-40])
    run(source, out=out, watcher=watcher)
    assert [item.doc_id for item in watcher.records] == ["r002"]
    assert doc_ids(out) == ["r000", "r001", "r002"]


OTHER_SETTINGS = [
    ({"strategy": "label"}, "strategy: was rules, now label"),
    ({"model": "m2"}, "model: was nothing, now m2"),
    ({"endpoint": "host/v1"}, "endpoint: was nothing, now host/v1"),
    ({"schema_sha256": "1" * 64}, "schema_sha256: was 000000000000…, now 111111111111…"),
    ({"prompts": {"label.md": "a"}}, "prompts.label.md: was nothing, now a"),
    ({"parameters": {"seed": 2}}, "parameters.seed: was nothing, now 2"),
]


@pytest.mark.parametrize(("changes", "message"), OTHER_SETTINGS)
def test_a_run_is_not_gone_on_with_other_settings(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    source, out = write_reports(tmp_path / "in", 1), tmp_path / "run"
    run(source, out=out)
    before = (out / "records.jsonl").read_bytes()
    with pytest.raises(StartError) as raised:
        run(source, out=out, identity=replace(IDENTITY, **changes))
    assert message in str(raised.value)
    assert "new folder with --out" in str(raised.value)
    assert (out / "records.jsonl").read_bytes() == before


def test_equal_settings_are_not_refused() -> None:
    refuse_other(Path("run"), IDENTITY, RunIdentity(strategy="rules", schema_sha256="0" * 64))


def test_prompts_of_the_strategy_are_hashed(tmp_path: Path) -> None:
    for name in ("label.md", "label_examples.yaml", "fill.md"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert sorted(prompt_hashes("label", tmp_path)) == ["label.md", "label_examples.yaml"]
    assert prompt_hashes("rules", tmp_path) == {}


# ---- faults while it runs ----------------------------------------------------------------


def test_no_model_before_the_first_record(tmp_path: Path) -> None:
    gone = opener(failing(ModelUnavailable("nothing listens"), "r000.txt"))
    with pytest.raises(ModelUnavailable):
        run(write_reports(tmp_path / "in", 2), out=tmp_path / "run", engine=gone)


def test_the_server_dies_and_the_run_goes_on_later(tmp_path: Path) -> None:
    source, out = write_reports(tmp_path / "in", 5), tmp_path / "run"
    dies = opener(failing(ModelUnavailable("the server died again"), "r002.txt"))
    outcome = run(source, out=out, engine=dies)
    assert outcome.stopped == "the server died again"
    assert outcome.remaining == 3
    assert doc_ids(out) == ["r000", "r001"]
    assert manifest(out)["sessions"][0]["stopped"] == "the server died again"
    outcome = run(source, out=out)
    assert outcome.written == 3
    assert doc_ids(out) == ["r000", "r001", "r002", "r003", "r004"]


def test_an_endpoint_that_is_gone_ends_the_run_and_fails_no_document(tmp_path: Path) -> None:
    async def gone_at_last(doc_id: str) -> None:
        if doc_id >= "r003":
            raise EndpointGone("no usable response for 120 seconds")

    source, out, asked = write_reports(tmp_path / "in", 9), tmp_path / "run", list[str]()
    outcome = run(source, out=out, engine=opener(ASKING_STAGES, replying(gone_at_last, asked)))
    assert outcome.stopped == "no usable response for 120 seconds"
    assert outcome.summary.statuses == {"ok": 3}
    assert outcome.remaining == 6
    assert asked == ["r000", "r001", "r002", "r003"]
    assert run(source, out=out).summary.statuses == {"ok": 9}


def test_a_document_without_an_answer_is_tried_again_after_all_others(tmp_path: Path) -> None:
    asked: list[str] = []

    async def busy_at_first(doc_id: str) -> None:
        if doc_id == "r001" and asked.count("r001") < 3:
            raise TransportFailed("no usable response after 6 requests")

    source, out = write_reports(tmp_path / "in", 4), tmp_path / "run"
    outcome = run(source, out=out, engine=opener(ASKING_STAGES, replying(busy_at_first, asked)))
    assert outcome.summary.statuses == {"ok": 4}
    assert asked == ["r000", "r001", "r002", "r003", "r001", "r001"]
    assert doc_ids(out) == ["r000", "r001", "r002", "r003"]


@pytest.mark.parametrize(
    ("error", "rounds"),
    [
        (TransportFailed("no usable response after 6 requests"), 3),
        (AnswerRefused("the model refused to answer"), 3),
        (AnswerInvalid("the answer did not fit its schema after 2 re-asks"), 2),  # each costs three requests
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_document_that_never_has_an_answer_fails_with_the_reason(
    tmp_path: Path, error: ModelError, rounds: int
) -> None:
    async def fail(doc_id: str) -> None:
        if doc_id == "r001":
            raise error

    source, out, asked = write_reports(tmp_path / "in", 3), tmp_path / "run", list[str]()
    outcome = run(source, out=out, engine=opener(ASKING_STAGES, replying(fail, asked)))
    (failure,) = outcome.summary.failures
    assert (failure.doc_id, failure.code) == ("r001", error.code)
    assert failure.reason == str(error)
    assert asked.count("r001") == rounds
    assert outcome.summary.statuses == {"ok": 2, "failed": 1}


def test_what_waits_for_a_batch_is_begun_again_when_it_has_come(tmp_path: Path) -> None:
    asked: list[str] = []
    collected: list[int] = []

    async def wait(doc_id: str) -> None:
        if not collected:
            raise WaitsForBatch(doc_id)

    async def collect(stop: threading.Event) -> None:
        collected.append(len(asked))

    @asynccontextmanager
    async def engine(folder: RunFolder, pending: int) -> AsyncIterator[Engine]:
        workers = InlineWorkers(ASKING_STAGES, folder)
        yield LocalEngine(workers, replying(wait, asked), 2, collect=collect)

    outcome = run(write_reports(tmp_path / "in", 3), out=tmp_path / "run", engine=engine)
    assert collected == [3], "all questions go out together"
    assert outcome.summary.statuses == {"ok": 3}


def test_a_fault_of_the_program_is_kept_whole(tmp_path: Path) -> None:
    out = tmp_path / "run"
    bug = opener(failing(ZeroDivisionError("division by zero"), "r000.txt"))
    outcome = run(write_reports(tmp_path / "in", 2), out=out, engine=bug)
    failed = outcome.summary.failures[0]
    assert (failed.doc_id, failed.code) == ("r000", "internal")
    assert "ZeroDivisionError: division by zero" in failed.reason
    crash = next((out / "crashes").iterdir()).read_text(encoding="utf-8")
    assert "Traceback" in crash
    assert doc_ids(out) == ["r000", "r001"]


def test_the_first_interrupt_finishes_what_is_in_flight(tmp_path: Path) -> None:
    def extract(document: Document) -> Extraction:
        if document.doc_id == "r002":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return stub_extract(document)

    source, out, watcher = write_reports(tmp_path / "in", 6), tmp_path / "run", Watcher()
    outcome = run(source, out=out, engine=opener(doing(extract)), watcher=watcher)
    assert outcome.was_interrupted
    assert doc_ids(out) == ["r000", "r001", "r002"]
    assert outcome.remaining == 3
    assert any("Ctrl-C again" in message for message in watcher.messages)
    assert run(source, out=out).summary.documents == 6


def test_the_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    held = threading.Event()

    def extract(document: Document) -> Extraction:
        if document.doc_id == "r001":
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.3)
            held.wait(20)
        return stub_extract(document)

    source, out = write_reports(tmp_path / "in", 3), tmp_path / "run"
    begin = time.monotonic()
    try:
        outcome = run(source, out=out, engine=opener(doing(extract)))
        assert time.monotonic() - begin < 10
    finally:
        held.set()
    assert outcome.was_interrupted
    assert (outcome.written, outcome.remaining) == (1, 2)
    assert doc_ids(out) == ["r000"]
    session = manifest(out)["sessions"][0]
    assert session["stopped"] == "interrupted"
    assert session["end"] is not None
    assert run(source, out=out).summary.documents == 3


ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}

KILLED_RUN = """
import sys, time
from dataclasses import replace
from pathlib import Path
from run_material import STAGES, AskingNobody, opener, run, stub_extract

def extract(document):
    time.sleep(0.02)
    return stub_extract(document)

stages = replace(STAGES, extract=AskingNobody(extract))
run(Path(sys.argv[1]), out=Path(sys.argv[2]), engine=opener(stages, at_a_time=2))
"""


@pytest.mark.parametrize("records_before", [1, 7, 19])
def test_kill_and_resume(tmp_path: Path, records_before: int) -> None:
    source, out, watcher = write_reports(tmp_path / "in", 40), tmp_path / "run", Watcher()
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(source), str(out)], cwd=ROOT, env=ENVIRONMENT
    )
    path = out / "records.jsonl"
    while not path.is_file() or path.read_bytes().count(b"\n") < records_before:
        assert child.poll() is None
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.wait()
    survived = path.read_bytes().count(b"\n")
    outcome = run(source, out=out, watcher=watcher)
    assert survived >= records_before
    assert outcome.written == 40 - survived, "none is done twice"
    assert doc_ids(out) == [f"r{number:03d}" for number in range(40)]
    assert manifest(out)["sessions"][0]["end"] is None


# ---- the lock ----------------------------------------------------------------------------

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.runs.folder import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_with_the_pid_and_a_dead_one_is_not(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(RunLocked, match=f"process {holder.pid}"):
            run(write_reports(tmp_path / "in", 1), out=tmp_path / "run")
    finally:
        holder.kill()
        holder.communicate()
    assert (tmp_path / "run" / "run.pid").exists(), "it was killed"
    run(write_reports(tmp_path / "in", 1), out=tmp_path / "run")


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with locked(tmp_path / "run"):
            raise StartError("no model")

    with pytest.raises(StartError):
        fail()
    with locked(tmp_path / "run") as folder:
        assert folder.pid.read_text(encoding="ascii").strip() == str(os.getpid())


def test_what_only_waits_is_not_waited_for_after_an_interrupt(tmp_path: Path) -> None:
    halted = asyncio.Event()

    async def endless(doc_id: str) -> None:
        if doc_id == "r001":
            os.kill(os.getpid(), signal.SIGINT)
        if doc_id != "r000":
            await halted.wait()
            raise RunStopped("nothing more is asked")

    @asynccontextmanager
    async def engine(folder: RunFolder, pending: int) -> AsyncIterator[Engine]:
        workers = InlineWorkers(ASKING_STAGES, folder)
        yield LocalEngine(workers, replying(endless, []), 1, halt=halted.set)

    source, out = write_reports(tmp_path / "in", 4), tmp_path / "run"
    begin = time.monotonic()
    outcome = run(source, out=out, engine=engine)
    assert time.monotonic() - begin < 10
    assert outcome.was_interrupted
    assert outcome.stopped == "interrupted"
    assert doc_ids(out) == ["r000"]


def test_a_slip_in_the_settings_does_not_bind_a_folder_without_records(tmp_path: Path) -> None:
    source, out = write_reports(tmp_path / "in", 1), tmp_path / "run"

    async def gone(doc_id: str) -> None:
        raise ModelUnavailable("nothing listens at http://127.0.0.1:1/v1")

    slip = replace(IDENTITY, endpoint="127.0.0.1:1/v1")
    with pytest.raises(ModelUnavailable):
        run(source, out=out, identity=slip, engine=opener(ASKING_STAGES, replying(gone, [])))
    assert run(source, out=out).summary.statuses == {"ok": 1}
    assert manifest(out)["endpoint"] is None


def test_no_model_at_all_is_told_apart_from_one_that_went(tmp_path: Path) -> None:
    async def gone(doc_id: str) -> None:
        raise ModelUnavailable("nothing listens")

    def some_ask(document: Document) -> Steps[Extraction]:
        if document.doc_id != "r000":
            yield from asking(document)
        return stub_extract(document)

    stages = replace(STAGES, extract=some_ask)
    source = write_reports(tmp_path / "in", 2)
    outcome = run(source, out=tmp_path / "run", engine=opener(stages, replying(gone, [])))
    assert outcome.could_not_start
    assert outcome.summary.statuses == {"ok": 1}


# ---- below a loop that is running ----------------------------------------------------------


def test_a_run_may_be_called_from_a_notebook(tmp_path: Path) -> None:
    async def cell() -> int:
        return run(write_reports(tmp_path / "in", 2), out=tmp_path / "run").summary.documents

    assert asyncio.run(cell()) == 2
