"""Worker processes that can be stopped: hangs, crashes and memory end one document, not the run."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from run_material import STAGES, AnyForm, Extraction, stub_extract
from worker_material import WorkersHere, as_record, record_of

from pipeline.document import Document
from pipeline.errors import AnswerInvalid, BrokenFile, EmptyFile, TookTooLong, TooLarge
from pipeline.fact import Record, Usage
from pipeline.model.endpoint import Message
from pipeline.model.question import Answer, Prefix, Question, Reply, Steps
from pipeline.read import DEFAULT_LIMITS, read_document_with_parts
from pipeline.runs.record import read_text
from pipeline.runs.sources import Input, hash_file
from pipeline.runs.work import Asks, Stages
from pipeline.runs.workers import ProcessWorkers, WorkerLost

R = TypeVar("R")
TEXT = "示例县人民政府2018年政府信息公开工作年度报告\n一、概述\n本年度主动公开信息12条。\n"
LIMITS = replace(DEFAULT_LIMITS, seconds=2)
PREFIX = Prefix(tuple(Message("user", f"例{number}") for number in range(100)))


def read_or_misbehave(path: Path, parts: Sequence[Path]) -> Document:
    """Stands in for the reader in the child: what the file is called is what happens."""
    match path.stem:
        case "hang":
            time.sleep(600)
        case "killed":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "greedy":
            bytearray(2 * LIMITS.memory_bytes)
        case "converts":
            home = Path(tempfile.gettempdir()) / "gongkai-conversion"
            home.mkdir()
            office = subprocess.Popen(["sleep", "600"], start_new_session=True)
            (home / "group").write_text(str(office.pid))
            (path.parent / "office").write_text(f"{office.pid} {home}")
            time.sleep(600)
        case "fault":
            raise ZeroDivisionError("a fault of the program")
        case "once":  # brings down the first process that reads it, as one whose memory others have filled
            mark = path.with_suffix(".mark")
            if not mark.exists():
                mark.write_text("")
                os.kill(os.getpid(), signal.SIGKILL)
    return read_document_with_parts(path, parts)


def ask_if_named_so(document: Document) -> Steps[Extraction]:
    """A document whose name begins with `asks` has two questions with one prefix."""
    if document.doc_id.startswith("asks"):
        texts = (document.doc_id, "second")
        replies = yield tuple(
            Question((Message("user", text),), AnyForm(), "0" * 64, 10, PREFIX) for text in texts
        )
        assert [reply.content for reply in replies if isinstance(reply, Answer)] == ["{}", "{}"]
    return stub_extract(document)


STAGES_HERE = Stages(read_or_misbehave, STAGES.require_report, ask_if_named_so)
REPLY = Answer("{}", Usage(), Usage(), from_store=False)


def named(folder: Path, stem: str) -> Input:
    path = folder / f"{stem}.txt"
    path.write_text(TEXT, encoding="utf-8")
    return Input(path, path.name, hash_file(path))


def with_workers(folder: Path, use: Callable[[ProcessWorkers], Awaitable[R]], processes: int = 1) -> R:
    """The result of `use` with worker processes of a run in `folder`."""
    (folder / "run").mkdir(exist_ok=True)
    with WorkersHere(folder / "run", STAGES_HERE, LIMITS, processes) as workers:
        return workers.use(use)


@pytest.mark.parametrize(
    ("stem", "code", "says"),
    [
        ("hang", TookTooLong.code, "hang.txt: reading took more than 2 seconds"),
        ("killed", BrokenFile.code, "killed.txt: the file brought its worker process down (SIGSEGV)"),
        ("greedy", TooLarge.code, "greedy.txt: reading needs more than 1,024 MiB of memory"),
        ("fault", "internal", "ZeroDivisionError: a fault of the program"),
    ],
)
def test_a_file_that_misbehaves_fails_and_the_next_is_read(
    tmp_path: Path, stem: str, code: str, says: str
) -> None:
    async def use(workers: ProcessWorkers) -> tuple[Record, Record]:
        bad = await record_of(workers, named(tmp_path, stem))
        return bad, await record_of(workers, named(tmp_path, "good"))

    bad, good = with_workers(tmp_path, use)
    assert (bad.status, bad.error_code) == ("failed", code)
    assert says in str(bad.error)
    assert bad.sha256 == good.sha256
    assert good.facts[0].value == 12
    if stem == "fault":
        (crash,) = (tmp_path / "run" / "crashes").iterdir()
        assert "read_or_misbehave" in crash.read_text()


def test_documents_without_end_leave_no_more_processes(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> int:
        for ticket in range(3):
            await record_of(workers, named(tmp_path, "greedy"), ticket)
            await record_of(workers, named(tmp_path, "good"), 10 + ticket)
        return len(workers.pids())

    assert with_workers(tmp_path, use) == 1


def test_a_process_that_is_killed_while_it_starts_is_no_documents_fault(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> tuple[Record, Record]:
        first = asyncio.create_task(record_of(workers, named(tmp_path, "good"), 1))
        second = asyncio.create_task(record_of(workers, named(tmp_path, "fine"), 2))
        await asyncio.sleep(0.05)
        (pid,) = workers.pids()
        os.kill(pid, signal.SIGKILL)
        return await first, await second

    assert [record.status for record in with_workers(tmp_path, use)] == ["ok", "ok"]


def test_the_record_and_text_are_those_made_here(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> Record:
        return await record_of(workers, named(tmp_path, "good"))

    record = with_workers(tmp_path, use)
    document = read_document_with_parts(tmp_path / "good.txt", ())
    assert read_text(tmp_path / "run", record.sha256) == document.text
    assert record.facts == stub_extract(document).facts


def test_errors_of_a_document_keep_their_kind(tmp_path: Path) -> None:
    path = tmp_path / "nothing.txt"
    path.write_bytes(b"")

    async def use(workers: ProcessWorkers) -> Record:
        return await record_of(workers, Input(path, path.name, hash_file(path)))

    record = with_workers(tmp_path, use)
    assert record.error_code == EmptyFile.code
    assert "nothing.txt" in str(record.error)


def test_a_file_that_hangs_does_not_hold_up_others(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> tuple[Record, bool, Record]:
        hanging = asyncio.create_task(record_of(workers, named(tmp_path, "hang"), 1))
        await asyncio.sleep(0)
        good = await record_of(workers, named(tmp_path, "good"), 2)
        return good, hanging.done(), await hanging

    good, was_done, hung = with_workers(tmp_path, use, processes=2)
    assert good.status == "ok"
    assert not was_done
    assert hung.error_code == TookTooLong.code


def test_a_file_is_tried_alone_when_it_brought_down_a_process_that_held_others(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> tuple[Record, bool]:
        waiting = await workers.begin(1, named(tmp_path, "asks"), "asks")
        assert isinstance(waiting, Asks)
        once = await record_of(workers, named(tmp_path, "once"), 2)
        try:
            await workers.go_on(1, [REPLY, REPLY])
        except WorkerLost:
            return once, True
        return once, False

    once, was_lost = with_workers(tmp_path, use)
    assert once.status == "ok"
    assert was_lost, "whoever holds a document that is lost is told, and begins it anew"


def test_questions_come_out_whole_and_replies_go_in(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> tuple[list[Asks], list[Record]]:
        asks = []
        for ticket in (1, 2):
            step = await workers.begin(ticket, named(tmp_path, f"asks{ticket}"), f"asks{ticket}")
            assert isinstance(step, Asks)
            asks.append(step)
        return asks, [as_record(await workers.go_on(ticket, [REPLY, REPLY])) for ticket in (2, 1)]

    asks, records = with_workers(tmp_path, use)
    assert [[question.text for question in each.questions] for each in asks] == [
        ["asks1", "second"],
        ["asks2", "second"],
    ]
    assert all(question.prefix == PREFIX for each in asks for question in each.questions)
    first, second = asks[0].questions[0].prefix, asks[1].questions[0].prefix
    assert first is second, "a prefix is kept once, with what was made of it"
    assert [record.doc_id for record in records] == ["asks2", "asks1"]


def test_a_document_without_an_answer_fails_with_the_reason(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> Record:
        await workers.begin(1, named(tmp_path, "asks"), "asks")
        return as_record(await workers.go_on(1, AnswerInvalid("no sense in it")))

    record = with_workers(tmp_path, use)
    assert (record.error, record.error_code) == ("no sense in it", "model_answer")


def test_a_dropped_document_is_forgotten(tmp_path: Path) -> None:
    replies: Sequence[Reply] = [REPLY, REPLY]

    async def use(workers: ProcessWorkers) -> None:
        await workers.begin(1, named(tmp_path, "asks"), "asks")
        await workers.drop(1)
        with pytest.raises(WorkerLost):
            await workers.go_on(1, replies)
        assert (await record_of(workers, named(tmp_path, "good"), 2)).status == "ok"

    with_workers(tmp_path, use)


def test_an_idle_process_that_died_is_no_fault_of_the_next_file(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> Record:
        await record_of(workers, named(tmp_path, "good"))
        (pid,) = workers.pids()
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        return await record_of(workers, named(tmp_path, "good"))

    assert with_workers(tmp_path, use).status == "ok"


def is_running(pid: int) -> bool:
    """Whether a process lives: it is there, and no zombie that nobody has asked after."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], bool]) -> bool:
    """Whether something comes true within some seconds."""
    return any(what() or time.sleep(0.1) for _ in range(100))


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")


@needs_proc
def test_what_a_stopped_process_began_is_ended_and_removed(tmp_path: Path) -> None:
    async def use(workers: ProcessWorkers) -> Record:
        return await record_of(workers, named(tmp_path, "converts"))

    assert with_workers(tmp_path, use).error_code == TookTooLong.code
    pid, home = (tmp_path / "office").read_text().split(" ", 1)
    assert wait_for(lambda: not is_running(int(pid)))
    assert not Path(home).exists()


PARENT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import test_workers
if __name__ == "__main__":
    folder = Path({folder!r})
    converts = test_workers.named(folder, "converts")
    test_workers.with_workers(folder, lambda workers: test_workers.record_of(workers, converts))
"""


@needs_proc
def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    parent = subprocess.Popen([sys.executable, str(script)])
    assert wait_for(lambda: (tmp_path / "office").exists() and (tmp_path / "office").read_text() != "")
    parent.kill()
    parent.wait()
    pid, home = (tmp_path / "office").read_text().split(" ", 1)
    assert wait_for(lambda: not is_running(int(pid)))
    assert wait_for(lambda: not Path(home).exists())
