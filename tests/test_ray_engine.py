"""`--engine ray`: the same records as the local engine, also when workers and runs are killed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from asking_reports import answers_on_disk, command, environment, facts, records, write_reports
from fake_server import fake_server_process
from many_reports import make_reports
from ray_processes import actors_below

from evals.cli import app
from pipeline.cli.app import run_app
from pipeline.errors import BudgetReached, GongkaiError, StartError
from pipeline.fact import Record
from pipeline.model.ledger import LedgerRow, LedgerTotals
from pipeline.runs import ray_cluster
from pipeline.runs.engine import Finished
from pipeline.runs.folder import RunFolder
from pipeline.runs.parts import Part, TakesUpParts, parts_left
from pipeline.runs.plan import Job, make_plan
from pipeline.runs.ray_cluster import cluster
from pipeline.runs.ray_engine import pool_of
from pipeline.runs.ray_keeper import Keeper, Kept
from pipeline.runs.remote_files import REMEMBERED, fetch, is_remote, list_sources
from pipeline.runs.session import ModelChoice, Spending
from pipeline.runs.sources import list_inputs
from pipeline.runs.work import Done, done

RULES = ModelChoice("rules")
with_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed: pip install 'gongkai[ray]'"
)


GONGKAI = (sys.executable, "-c", "from evals.cli import main; main()")


def gongkai(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GONGKAI, *map(str, arguments)],
        check=False, capture_output=True, text=True, env={**environment(), **variables}, timeout=120,
    )  # fmt: skip


def content(run: Path) -> list[dict[str, Any]]:
    """The records in their order, without the time that they took."""
    found = list(records(run).values())
    for record in found:
        record["usage"].pop("seconds")
    return found


def texts(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "text").iterdir()}


@contextmanager
def started(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A command under way, ended with the test."""
    process = subprocess.Popen(
        [str(each) for each in arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """What a function gives, as soon as it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


# Whole runs.


@with_ray
def test_the_same_records_though_a_worker_is_killed_and_not_a_word_of_ray(tmp_path: Path) -> None:
    """Sources in an object store; a run that the local engine has begun."""
    reports, run = tmp_path / "in", tmp_path / "run"
    rules = ("--strategy", "rules", "--out")
    make_reports(reports, 5, seed=5)
    assert gongkai("extract", reports, *rules, run).returncode == 0
    paths = make_reports(reports, 60, seed=5)
    (reports / "copy.txt").write_bytes(paths[30].read_bytes())
    (reports / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    assert gongkai("extract", reports, *rules, tmp_path / "local").returncode == 1
    on_ray = ("--engine", "ray", "--concurrency", "2")
    with started(*GONGKAI, "extract", f"file://{reports}", *rules, run, *on_ray) as process:
        wait_for(lambda: lines(run / "records.jsonl") > 10)
        os.kill(wait_for(lambda: actors_below(process.pid, "ShardWorker"))[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1, errors
    assert content(run) == content(tmp_path / "local")
    assert texts(run) == texts(tmp_path / "local")
    assert not (run / "parts").exists()
    assert not any(word in errors.lower() for word in ("ray", "warn", "error:", "token")), errors


@with_ray
def test_a_killed_run_is_gone_on_with_by_the_local_engine_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    reports, run = write_reports(tmp_path / "in", 60), tmp_path / "run"
    log = tmp_path / "log.jsonl"
    with fake_server_process(latency_ms=150, log=log) as server:
        ask = command(reports, run, server.base_url, "--concurrency", "8")
        with started(*ask, "--engine", "ray") as process:
            wait_for(lambda: answers_on_disk(run) > 10)
            os.kill(wait_for(lambda: actors_below(process.pid, "ShardWorker"))[0], signal.SIGKILL)
            before = answers_on_disk(run)
            wait_for(lambda: answers_on_disk(run) > before + 20)
            actors = actors_below(process.pid, "ShardWorker")
            process.kill()
            wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in actors))
        stored, stats = answers_on_disk(run), server.stats()
        in_flight = len(stats["questions"]) - stored
        ended = subprocess.run(ask, check=False, capture_output=True, text=True, env=environment())
        assert ended.returncode == 0, ended.stderr
        repeated = server.stats()["requests"] - len(server.stats()["questions"])
    # Twice is asked only what was in flight when the worker, then the run was killed.
    assert repeated <= in_flight + 8
    assert len(facts(run)) == 60
    assert {record["status"] for record in records(run).values()} <= {"ok", "flagged"}
    assert not (run / "parts").exists()


@with_ray
@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:10001"])
def test_a_cluster_that_is_not_there(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(StartError, match=address), cluster(None):
        pass


def test_ray_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_reports(tmp_path / "in", 1)
    monkeypatch.setattr(ray_cluster, "find_spec", lambda _name: None)
    run = ["extract", str(tmp_path / "in"), "--out", str(tmp_path / "run"), "--strategy", "rules"]
    assert run_app(app, [*run, "--engine", "ray"]) == 3
    assert "pip install 'gongkai[ray]'" in capsys.readouterr().err


POOLS = [
    # choice, --concurrency, documents, CPUs → workers, documents a shard
    (RULES, None, 100_000, 16, 16, 8),
    (RULES, 4, 100_000, 16, 4, 8),
    (RULES, None, 20, 2, 2, 1),
    (RULES, None, 3, 16, 3, 1),
    (ModelChoice("label", "m", "http://h/v1"), 4, 100_000, 16, 4, 8),
    (ModelChoice("label", "m", "http://h/v1"), None, 100_000, 16, 16, 8),
]


@pytest.mark.parametrize(("choice", "concurrency", "documents", "cpus", "workers", "a_shard"), POOLS)
def test_workers_for_documents(
    choice: ModelChoice, concurrency: int | None, documents: int, cpus: int, workers: int, a_shard: int
) -> None:
    pool = pool_of(choice, Spending(concurrency), documents, cpus)
    assert (pool.workers, pool.documents) == (workers, a_shard)


def test_as_many_documents_are_worked_on_as_requests_may_be_in_flight() -> None:
    pool = pool_of(ModelChoice("label", "m", "http://h/v1"), Spending(64), 100_000, 2)
    assert pool.workers * pool.shards_at_a_time * pool.documents >= 64


# Parts.


def record(doc_id: str, text: str = "a", **parts: Any) -> Done:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    usual = {"doc_id": doc_id, "file": f"{doc_id}.txt", "sha256": sha256, "media_type": "text/plain"}
    return done(Record.model_validate({**usual, "status": "ok", **parts}))


def jobs_in(folder: Path, *names: str) -> tuple[Job, ...]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.txt").write_text(name, encoding="utf-8")
    return make_plan(list_inputs([folder]).inputs, {}, retry_failed=False).jobs


class Scripted:
    """An engine that makes records of what it is given, and remembers it."""

    error: GongkaiError | None = None

    def __init__(self) -> None:
        self.given: list[str] = []

    def spent(self) -> LedgerTotals | None:
        return None

    async def work_off(self, jobs: Iterable[Job], stop: threading.Event) -> AsyncIterator[Finished]:
        for job in jobs:
            self.given.append(job.items[0].doc_id)
            yield Finished(job, record(job.items[0].doc_id))


def worked_off(engine: TakesUpParts, jobs: Sequence[Job]) -> list[str]:
    async def run() -> list[str]:
        return [each.record.brief.doc_id async for each in engine.work_off(jobs, threading.Event())]

    return asyncio.run(run())


def test_what_a_killed_run_left_is_taken_up_first(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    part = Part(folder, "s-000000")
    part.append(record("b", "b"))
    part.append(record("a", "another content"))  # changed since
    part.append(record("c", "c", status="failed", error="x", error_code="internal", media_type=None))
    engine = Scripted()
    taking = TakesUpParts(engine, folder)
    assert worked_off(taking, jobs_in(tmp_path / "in", "a", "b", "c", "d")) == ["b", "a", "c", "d"]
    assert engine.given == ["a", "c", "d"]
    assert parts_left(folder) == []
    assert not part.path.parent.exists()


def test_a_torn_line_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    part = Part(RunFolder(tmp_path), "s-000000")
    part.append(record("a"))
    part.append(record("b"))
    whole = part.path.read_bytes()
    for end in range(0, len(whole), 13):
        part.path.write_bytes(whole[:end])
        found = [each.brief.doc_id for each in part.records()]
        assert found == (["a"] if b"\n" in whole[:end] else [])
    part.mend()
    part.append(record("c"))
    assert [each.brief.doc_id for each in part.records()] == ["a", "c"]


# The keeper.


def keeper(folder: Path, **options: Any) -> Keeper:
    usual: dict[str, Any] = {"answers": None, "asks": True, "budget_usd": None}
    return Keeper(folder, **{**usual, **options})


def test_a_record_is_kept_once_with_its_text(tmp_path: Path) -> None:
    async def run() -> None:
        first = keeper(tmp_path)
        assert (await first.begin("s")).done == frozenset()
        kept = Kept(record("a"), {"0" * 64: "文".encode()}, {"x.txt": b"trace"})
        assert await first.keep("s", kept) is False
        assert await first.keep("s", kept) is False
        again = keeper(tmp_path)  # the process was killed
        assert await again.keep("s", kept) is False
        assert (await again.begin("s")).done == {"a"}
        assert (await again.state()).shards == 1
        assert (await again.state(True)).shards == 1
        assert await again.keep("s", Kept(record("b"), {}, {})) is True
        await again.end("s")
        assert (await again.begin("t")).is_stopped
        assert (await again.state()).shards == 0

    asyncio.run(run())
    found = Part(RunFolder(tmp_path), "s").records()
    assert [each.brief.doc_id for each in found] == ["a", "b"]
    assert (tmp_path / "text" / f"{'0' * 64}.txt").read_text(encoding="utf-8") == "文"
    assert (tmp_path / "crashes" / "x.txt").read_bytes() == b"trace"


def test_one_budget_for_all_workers_and_what_a_dead_one_reserved_is_spent(tmp_path: Path) -> None:
    async def run() -> None:
        keeps = keeper(tmp_path, budget_usd=1.0)
        await keeps.join("a")
        await keeps.reserve("a", 0.4)
        await keeps.reserve("b", 0.4)
        waiting = asyncio.create_task(keeps.reserve("b", 0.4))
        await asyncio.sleep(0)
        assert not waiting.done()
        await keeps.settle("b", 0.4, 0.1)
        await waiting
        await keeps.settle("b", 0.4, 0.2)
        await keeps.join("a")  # died: its request may have been paid
        await keeps.reserve("b", 0.3)
        await keeps.settle("b", 0.3, 0.3)
        with pytest.raises(BudgetReached, match=r"1\.0000 USD are spent"):
            await keeps.reserve("b", 0.1)
        row = LedgerRow("k", "ok", 200, 10, 0, 2, 0.5, False, 0.1)
        await keeps.add([row, row])
        totals = (await keeps.state()).totals
        assert totals is not None
        assert (totals.requests, totals.cost_usd) == (2, 1.0)

    asyncio.run(run())


def test_a_folder_goes_with_its_process_though_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from pipeline.runs.temporary import temporary_folder\n"
        "with temporary_folder('x-', Path(sys.argv[1])) as place:\n"
        "    (place / 'a').write_text('a'); time.sleep(60)"
    )
    with started(sys.executable, "-c", script, tmp_path) as process:
        wait_for(lambda: list(tmp_path.glob("x-*/a")))
        process.kill()
        wait_for(lambda: not list(tmp_path.iterdir()))


# Sources in an object store.


@pytest.fixture
def store() -> Iterator[Any]:
    """fsspec's store in memory."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    yield memory
    memory.store.clear()


FILES = {
    "a/county_2021.html": b"<html>county</html>",
    "a/county_2021_\xe9\x99\x84\xe4\xbb\xb61.xls".encode("latin-1").decode(): b"sheet",
    "b/county_2021.html": b"<html>county</html>",
    "b/other.txt": b"other",
    "b/notes.csv": b"1,2",
    "b/.hidden.txt": b"hidden",
}


def test_a_store_is_listed_as_a_folder_is(store: Any, tmp_path: Path) -> None:
    for name, data in FILES.items():
        store.pipe_file(f"/bucket/in/{name}", data)
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(data)
    remote = list_sources(["memory://bucket/in"], tmp_path / "run")
    local = list_inputs([tmp_path / "in"])
    shown = [(each.file, each.sha256, each.content, each.named) for each in local.inputs]
    assert [(each.file, each.sha256, each.content, each.named) for each in remote.listing.inputs] == shown
    assert remote.listing.skipped == local.skipped
    for document in remote.listing.inputs:
        for each in (document, *document.attachments):
            fetch(remote.urls[each.path], tmp_path / "fetched")
            assert hashlib.sha256((tmp_path / "fetched").read_bytes()).hexdigest() == each.sha256


def test_one_object_is_named_outright(store: Any, tmp_path: Path) -> None:
    store.pipe_file("/bucket/in/a.txt", b"a")
    [document] = list_sources(["memory://bucket/in/a.txt"], tmp_path / "run").listing.inputs
    assert (document.file, document.named, document.sha256) == (
        "a.txt",
        True,
        hashlib.sha256(b"a").hexdigest(),
    )


def test_hashes_are_remembered_while_an_object_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fsspec")
    write_reports(tmp_path / "in", 3)
    read: Counter[str] = Counter()
    from pipeline.runs import remote_files

    hash_of = remote_files._hash

    def counting(each: Any) -> str:
        read[Path(each.url).name] += 1
        return hash_of(each)

    monkeypatch.setattr(remote_files, "_hash", counting)
    first = list_sources([f"file://{tmp_path}/in"], tmp_path / "run").listing
    (tmp_path / "in" / "r00001.txt").write_text("changed", encoding="utf-8")
    second = list_sources([f"file://{tmp_path}/in"], tmp_path / "run").listing
    assert read == {"r00000.txt": 1, "r00001.txt": 2, "r00002.txt": 1}
    same = [one.sha256 == other.sha256 for one, other in zip(first.inputs, second.inputs, strict=True)]
    assert same == [True, False, True]
    assert len(json.loads((tmp_path / "run" / REMEMBERED).read_text(encoding="utf-8"))) == 3


def test_what_is_no_store_or_not_there(store: Any, tmp_path: Path) -> None:
    for url in ("memory://nothing/here", "nosuch://bucket/in"):
        with pytest.raises(StartError, match=url.split(":")[0]):
            list_sources([url], tmp_path / "run")
    fetch("memory://bucket/gone.txt", tmp_path / "gone.txt")
    assert not (tmp_path / "gone.txt").exists()


@pytest.mark.parametrize(
    ("source", "expected"),
    [("s3://b/in", True), ("file:///in", True), ("in/a.txt", False), ("C:\\in", False)],
)
def test_urls_are_told_from_paths(source: str, expected: bool) -> None:
    assert is_remote(source) is expected
