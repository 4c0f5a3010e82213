"""A worker of a cluster: what the local engine is made of, in an actor of Ray.

It reads and extracts in a child process, so that no file can hang or crash it, asks with a
client of its own, and hands what is done to the keeper (ray_keeper.py). Shards come to it in
several threads; one event loop, in a thread of its own, works on all of them.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import ray
from rich.console import Console

from pipeline import __version__
from pipeline.errors import GongkaiError, StartError
from pipeline.model.endpoint import Endpoint
from pipeline.model.pace import Pace
from pipeline.model.prices import Price
from pipeline.model.recorded import RecordedAnswers
from pipeline.model.tokens import token_counter
from pipeline.runs.engine import Finished
from pipeline.runs.folder import RunFolder
from pipeline.runs.local_engine import Ask, LocalEngine
from pipeline.runs.plan import Job
from pipeline.runs.ray_keeper import Begun, Kept
from pipeline.runs.ray_sent import Link, SentAnswers, SentBudget, SentLedger, answered
from pipeline.runs.ray_sources import FetchingWorkers, Sources
from pipeline.runs.session import ModelChoice, described_endpoint, embedded_endpoint, stages_of
from pipeline.runs.temporary import temporary_folder
from pipeline.runs.workers import ProcessWorkers


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom a worker asks, and its share of how fast. `endpoint` None: the embedded model.

    `replay` is the recording's name and content where answers are played back.
    """

    endpoint: Endpoint | None
    price: Price | None
    in_flight: int
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    has_budget: bool = False
    replay: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """All that a worker must know. `at_a_time` documents are worked on in it."""

    choice: ModelChoice
    at_a_time: int
    asking: Asking | None
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Shard:
    """Documents that one worker does, and where those come from that lie in an object store."""

    name: str
    jobs: tuple[Job, ...]
    urls: Mapping[Path, str]


class ShardWorker:
    """Called by Ray Data with a batch of one shard; gives its name and what stopped it, pickled."""

    def __init__(self, spec: WorkerSpec, keeper: Any) -> None:
        self._spec = spec
        self._keeper = keeper
        self._loop = asyncio.new_event_loop()
        self._work: _Work | None = None
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()
        threading.Thread(target=self._loop.run_forever, name="gongkai", daemon=True).start()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Work a shard off."""
        shard: Shard = pickle.loads(batch["shard"][0])
        error = asyncio.run_coroutine_threadsafe(self._done(shard), self._loop).result()
        return {"name": [shard.name], "error": [pickle.dumps(error)]}

    async def _done(self, shard: Shard) -> GongkaiError | None:
        try:
            work = await self._opened()
            return await work.do(shard)
        except GongkaiError as error:
            return error

    async def _opened(self) -> _Work:
        """Start what is needed with the first shard: a fault then is an answer, not a dead actor."""
        async with self._opening:
            if self._work is None:
                self._work = await self._stack.enter_async_context(_opened_work(self._spec, self._keeper))
            return self._work


@asynccontextmanager
async def _opened_work(spec: WorkerSpec, keeper: Any) -> AsyncIterator[_Work]:
    if spec.version != __version__:
        raise StartError(
            f"a machine of the cluster has gongkai {__version__}, the command is of {spec.version}: "
            "install the same version on all"
        )
    name = ray.get_runtime_context().get_actor_id() or "worker"
    await answered(keeper.join.remote(name))
    _make_children_quick()
    async with AsyncExitStack() as stack:
        place = stack.enter_context(temporary_folder("gongkai-ray-"))
        folder = RunFolder(place / "run")
        folder.path.mkdir()
        client = _Client(None, _nothing)
        if spec.asking is not None:
            client = await _opened_client(spec, spec.asking, Link(keeper, name), place, stack)
        inner = ProcessWorkers(stages_of(spec.choice), folder, processes=1)
        stack.push_async_callback(inner.close)
        sources = Sources(keeper, place / "sources")
        engine = LocalEngine(FetchingWorkers(inner, sources), client.ask, spec.at_a_time)
        yield _Work(engine, client, keeper, folder, sources)


def _make_children_quick() -> None:
    """Keep child processes from loading Ray's own main program, which they do not need."""
    main = sys.modules["__main__"]
    if getattr(main, "__file__", None) is not None and getattr(main, "__spec__", None) is None:
        main.__file__ = None


class _Work:
    """Shards worked off by one engine."""

    def __init__(
        self, engine: LocalEngine, client: _Client, keeper: Any, folder: RunFolder, sources: Sources
    ) -> None:
        self._engine = engine
        self._client = client
        self._keeper = keeper
        self._folder = folder
        self._sources = sources
        self._stop = threading.Event()
        self._sending = asyncio.Lock()

    async def do(self, shard: Shard) -> GongkaiError | None:
        """Do what of a shard is not done; what stopped it."""
        begun: Begun = await answered(self._keeper.begin.remote(shard.name))
        if begun.is_stopped:
            self._stop.set()
        jobs = [job for job in shard.jobs if job.items[0].doc_id not in begun.done]
        self._sources.urls.update(shard.urls)
        try:
            if jobs and not self._stop.is_set():
                async for finished in self._engine.work_off(jobs, self._stop):
                    await self._keep(shard, finished)
        finally:
            self._client.flush()
            await answered(self._keeper.end.remote(shard.name))
        return self._engine.error

    async def _keep(self, shard: Shard, finished: Finished) -> None:
        # One after the other: a text may travel with a record that was done before its own.
        async with self._sending:
            texts, crashes = _taken(self._folder.path / "text"), _taken(self._folder.crashes)
            named = {name.removesuffix(".txt"): text for name, text in texts.items()}
            kept = Kept(finished.record, named, crashes)
            if await answered(self._keeper.keep.remote(shard.name, kept)):
                self._stop.set()


def _taken(folder: Path) -> dict[str, bytes]:
    """Files that were written into a folder, by name; they are gone from there."""
    if not folder.is_dir():
        return {}
    taken = {}
    for path in folder.glob("*.txt"):
        mine = path.with_suffix(".taken")
        os.replace(path, mine)  # in one step: the child may be writing it anew
        taken[path.name] = mine.read_bytes()
        mine.unlink()
    return taken


@dataclass(frozen=True, slots=True)
class _Client:
    """Whom documents ask; `flush` waits until all that was paid is stored."""

    ask: Ask | None
    flush: Callable[[], None]


def _nothing() -> None:
    """There is nothing to wait for."""


async def _opened_client(
    spec: WorkerSpec, asking: Asking, link: Link, place: Path, stack: AsyncExitStack
) -> _Client:
    # Loading the client takes seconds, which a run by rules need not spend.
    from pipeline.model.client import ModelClient

    if asking.replay is not None:
        name, content = asking.replay
        recording = place / name
        recording.write_bytes(content)
        played = ModelClient(described_endpoint(spec.choice), RecordedAnswers(recording))
        return _Client((await stack.enter_async_context(played)).ask, _nothing)
    answers, ledger = SentAnswers(link), SentLedger(link)
    client = ModelClient(
        asking.endpoint or embedded_endpoint(spec.choice, Console(file=StringIO()), stack),
        answers,
        ledger=ledger,
        pace=Pace(
            asking.in_flight,
            requests_per_minute=asking.requests_per_minute,
            tokens_per_minute=asking.tokens_per_minute,
        ),
        price=asking.price,
        budget=SentBudget(link) if asking.has_budget else None,
        counter=token_counter(spec.choice.name),
    )
    await stack.enter_async_context(client)

    def flush() -> None:
        ledger.close()
        answers.close()

    return _Client(client.ask, flush)
