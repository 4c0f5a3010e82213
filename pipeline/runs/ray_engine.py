"""Documents worked off on a Ray cluster, on one machine or many: `--engine ray`.

Ray Data spreads shards of documents over actors (ray_worker.py), begins dead ones anew and
gives them their shards again. What is done is in the run folder at once (ray_keeper.py); the
run is told of a shard when all of it is done, and takes its records from there.
"""

from __future__ import annotations

import asyncio
import pickle
import secrets
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.errors import GongkaiError, StartError
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import DEFAULT_TIMEOUT_SECONDS, remote_endpoint
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.engine import Engine, Finished
from pipeline.runs.folder import RunFolder
from pipeline.runs.parts import Part, TakesUpParts, remove_folder
from pipeline.runs.plan import Job
from pipeline.runs.ray_cluster import cluster
from pipeline.runs.run import OpenEngine
from pipeline.runs.session import ModelChoice, Spending, in_flight_of, price_of

_POLL_SECONDS = 0.3
_END_SECONDS = 10.0
# Records are taken over a shard at a time: few documents, so that progress is seen, but not one
# alone, for each shard costs about 15 ms.
_MOST_DOCUMENTS_A_SHARD = 8
_LEAST_SHARDS_A_WORKER = 16


def ray_engine_opener(
    choice: ModelChoice, spending: Spending, urls: Mapping[Path, str] | None = None
) -> OpenEngine:
    """For `run_documents`: joins or starts a cluster when the first document has to be read.

    `urls` says where documents lie that are not in the file system (remote_files.py).
    """
    return partial(_open_engine, choice, spending, urls or {})


@asynccontextmanager
async def _open_engine(
    choice: ModelChoice, spending: Spending, urls: Mapping[Path, str], folder: RunFolder, pending: int
) -> AsyncIterator[Engine]:
    if choice.strategy != "rules" and choice.replay is None:
        from pipeline.runs.batching import refuse_to_ask_twice

        with AnswerStore(spending.answers or folder.answers) as answers:
            refuse_to_ask_twice(folder, answers)
    async with AsyncExitStack() as stack:
        wanted = spending.concurrency if choice.strategy == "rules" else None
        cpus = stack.enter_context(cluster(wanted))
        size = pool_of(choice, spending, pending, cpus)
        keeper = _keeper(choice, spending, folder)
        engine = RayEngine(keeper, folder, size, _spec(choice, spending, size), urls)
        await engine.begin()
        stack.push_async_callback(engine.close)
        yield TakesUpParts(engine, folder)


@dataclass(frozen=True, slots=True)
class Pool:
    """How many actors work, how many shards at a time each, and documents a shard at the most."""

    workers: int
    shards_at_a_time: int
    documents: int


def pool_of(choice: ModelChoice, spending: Spending, pending: int, cpus: int) -> Pool:
    """A worker for each CPU, no more than there are shards, nor than requests may be in flight.

    Raises StartError for a cluster without CPUs.
    """
    if cpus < 1:
        raise StartError("the Ray cluster has no CPU for workers")
    is_asking = choice.strategy != "rules" and choice.replay is None
    wanted = cpus
    if choice.strategy == "rules":
        wanted = spending.concurrency or cpus
    elif is_asking:
        wanted = min(cpus, in_flight_of(choice, spending))
    documents = max(1, min(_MOST_DOCUMENTS_A_SHARD, pending // (wanted * _LEAST_SHARDS_A_WORKER)))
    workers = max(1, min(wanted, -(-pending // documents)))
    shards_at_a_time = 2
    if is_asking and choice.base_url is not None:
        shards_at_a_time += -(-in_flight_of(choice, spending) // (workers * documents))
    return Pool(workers, shards_at_a_time, documents)


def _keeper(choice: ModelChoice, spending: Spending, folder: RunFolder) -> Any:
    """The keeper, on this machine whatever the others do; begun anew when it is killed."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from pipeline.runs.ray_keeper import Keeper

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    actor = ray.remote(Keeper).options(
        num_cpus=0, max_restarts=-1, max_task_retries=-1, max_concurrency=1000, scheduling_strategy=here
    )
    answers = None if spending.answers is None else spending.answers.absolute()
    asks = choice.strategy != "rules" and choice.replay is None
    return actor.remote(folder.path.absolute(), answers, asks, spending.budget_usd)


def _spec(choice: ModelChoice, spending: Spending, pool: Pool) -> Any:
    from pipeline.runs.ray_worker import Asking, WorkerSpec

    if choice.strategy == "rules":
        return WorkerSpec(choice, 1, None)
    replay = None
    if choice.replay is not None:
        replay = (choice.replay.name, choice.replay.read_bytes())
    endpoint = None
    if choice.base_url is not None and replay is None:
        seconds = spending.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
        endpoint = remote_endpoint(choice.name, choice.base_url, timeout_seconds=seconds)
    asking = Asking(
        endpoint=endpoint,
        price=price_of(choice, spending),
        in_flight=max(1, in_flight_of(choice, spending) // pool.workers),
        requests_per_minute=_share(spending.requests_per_minute, pool),
        tokens_per_minute=_share(spending.tokens_per_minute, pool),
        has_budget=spending.budget_usd is not None,
        replay=replay,
    )
    return WorkerSpec(choice, pool.documents, asking)


def _share(per_minute: float | None, pool: Pool) -> float | None:
    return None if per_minute is None else per_minute / pool.workers


class RayEngine:
    """An engine (engine.py) of actors on the cluster that this process has joined."""

    def __init__(
        self, keeper: Any, folder: RunFolder, pool: Pool, spec: Any, urls: Mapping[Path, str]
    ) -> None:
        self.error: GongkaiError | None = None
        self._keeper = keeper
        self._folder = folder
        self._pool = pool
        self._spec = spec
        self._urls = urls
        self._session = secrets.token_hex(4)
        self._before: LedgerTotals | None = None
        self._totals: LedgerTotals | None = None

    async def begin(self) -> None:
        """See that the run folder can be used. Raises StartError."""
        state = await self._state()
        self._before = state.totals

    async def close(self) -> None:
        """Bring the stores to disk. The workers are gone."""
        from ray.exceptions import RayError

        from pipeline.runs.ray_sent import answered

        with suppress(RayError):  # else they are opened as they are
            await answered(self._keeper.close.remote())

    def spent(self) -> LedgerTotals | None:
        """What this session has asked and paid, as of a moment ago; None where no model is asked."""
        if self._totals is None or self._before is None:
            return None
        return self._totals.since(self._before)

    async def work_off(self, jobs: Iterable[Job], stop: threading.Event) -> AsyncGenerator[Finished, None]:
        """The jobs as the shards that they are in are done."""
        from ray.exceptions import RayError

        shards = {shard.name: shard for shard in self._shards(list(jobs))}
        rows: asyncio.Queue[Any] = asyncio.Queue()
        is_over = threading.Event()
        going = self._start(list(shards.values()), rows, is_over)
        watch = asyncio.create_task(self._watch(stop, rows))
        try:
            while shards:
                row = await rows.get()
                if row is None:
                    break
                if isinstance(row, BaseException):
                    raise _broken(row) from row
                self._note(row, stop)
                for finished in self._taken(shards.pop(row["name"])):
                    yield finished
            for shard in shards.values():
                for finished in self._taken(shard):
                    yield finished
        finally:
            watch.cancel()
            is_over.set()
            await asyncio.gather(watch, return_exceptions=True)
            await asyncio.to_thread(going.join, _END_SECONDS)
            with suppress(RayError):  # of a cluster that is gone, the run knows
                await self._state()
            remove_folder(self._folder)

    def _shards(self, jobs: Sequence[Job]) -> Iterator[Any]:
        from pipeline.runs.ray_worker import Shard

        size = self._pool.documents
        for number, start in enumerate(range(0, len(jobs), size)):
            part = tuple(jobs[start : start + size])
            paths = [path for job in part for path in _paths(job)]
            urls = {path: self._urls[path] for path in paths if path in self._urls}
            yield Shard(f"{self._session}-{number:06}", part, urls)

    def _start(
        self, shards: Sequence[Any], rows: asyncio.Queue[Any], is_over: threading.Event
    ) -> threading.Thread:
        """Have Ray Data go through the shards, in a thread for its iterator waits."""
        loop = asyncio.get_running_loop()

        def go_through() -> None:
            try:
                for row in self._dataset(shards).iter_rows():
                    loop.call_soon_threadsafe(rows.put_nowait, row)
                    if is_over.is_set():
                        return
                loop.call_soon_threadsafe(rows.put_nowait, None)
            except BaseException as error:  # noqa: BLE001 - handed to the run, which raises it
                with suppress(RuntimeError):  # the run has ended
                    loop.call_soon_threadsafe(rows.put_nowait, error)

        thread = threading.Thread(target=go_through, name="ray-data", daemon=True)
        thread.start()
        return thread

    def _dataset(self, shards: Sequence[Any]) -> Any:
        import ray.data

        from pipeline.runs.ray_worker import ShardWorker

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        pool = ray.data.ActorPoolStrategy(
            size=self._pool.workers,
            max_tasks_in_flight_per_actor=self._pool.shards_at_a_time + 1,
            max_concurrent_calls_per_actor=self._pool.shards_at_a_time,
            enable_true_multi_threading=True,
        )
        rows = [{"shard": pickle.dumps(shard)} for shard in shards]
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
        return dataset.map_batches(
            ShardWorker,
            fn_constructor_args=(self._spec, self._keeper),
            batch_size=None,
            compute=pool,
            num_cpus=1,
        )

    def _note(self, row: Mapping[str, Any], stop: threading.Event) -> None:
        error = pickle.loads(row["error"])
        if error is not None:
            self.error = self.error or error
            stop.set()

    def _taken(self, shard: Any) -> Iterator[Finished]:
        """What is done of a shard; its part is removed when the run has written all of it."""
        part = Part(self._folder, shard.name)
        jobs = {job.items[0].doc_id: job for job in shard.jobs}
        for record in part.records():
            yield Finished(jobs[record.brief.doc_id], record)
        part.remove()

    async def _watch(self, stop: threading.Event, rows: asyncio.Queue[Any]) -> None:
        """Ask how things stand; after `stop`, end when the documents in flight are done."""
        from ray.exceptions import RayError

        try:
            while not stop.is_set() or (await self._state(True)).shards:
                await asyncio.sleep(_POLL_SECONDS)
                await self._state()
        except (GongkaiError, RayError) as error:
            rows.put_nowait(error)
        else:
            rows.put_nowait(None)

    async def _state(self, is_stopped: bool = False) -> Any:
        from pipeline.runs.ray_sent import answered

        state = await answered(self._keeper.state.remote(is_stopped))
        self._totals = state.totals
        return state


def _broken(error: BaseException) -> GongkaiError:
    """What ends the run when the cluster fails."""
    if isinstance(error, GongkaiError):
        return error
    reason = (str(error).strip() or type(error).__name__).splitlines()
    return StartError(
        f"the Ray cluster could not go on: {reason[0]} … {reason[-1]}. "
        "Run the same command again: it goes on where it stopped"
    )


def _paths(job: Job) -> list[Path]:
    document = job.items[0].document
    return [document.path, *(each.path for each in document.attachments)]
