"""Documents worked off on this machine: workers read and extract, one client asks for all of them.

Documents without an answer are tried again after all others, for what troubled the endpoint
may be over by then; only what fails again gets a failed record.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count

from pipeline.errors import (
    AnswerInvalid,
    AnswerMissing,
    AnswerRefused,
    BrokenFile,
    GongkaiError,
    ModelError,
    WaitsForBatch,
)
from pipeline.model.ledger import LedgerTotals
from pipeline.model.question import Question, Reply
from pipeline.runs.engine import Finished
from pipeline.runs.plan import Job
from pipeline.runs.work import Asks, Done, Stopped, done, failed
from pipeline.runs.workers import WorkerLost, Workers

_ROUNDS = 3
# An answer that fitted its form in none of these is not asked for once more: each time costs three requests.
_ROUNDS_FOR_FORM = 2
_LOOK_SECONDS = 0.1
# A process may be lost through no fault of a document that it holds, but not so often.
_MOST_LOST = 3

Ask = Callable[[Question], Awaitable[Reply]]
Collect = Callable[[threading.Event], Awaitable[None]]


def nothing_spent() -> LedgerTotals | None:
    """What is spent where nobody is asked."""
    return None


class LocalEngine:
    """An engine (engine.py) of `workers`, and `ask` for what the documents ask.

    `at_a_time` documents are worked on; more than there are workers, for most wait for replies.
    `collect` is called when documents wait for a batch: it sends and fetches, and they are
    begun again. `halt` is called when the run is to stop: what waits to be asked is given up.
    """

    def __init__(
        self,
        workers: Workers,
        ask: Ask | None,
        at_a_time: int,
        spent: Callable[[], LedgerTotals | None] = nothing_spent,
        collect: Collect | None = None,
        halt: Callable[[], None] | None = None,
    ) -> None:
        self.error: GongkaiError | None = None
        self.spent = spent
        self._workers = workers
        self._ask = ask
        self._at_a_time = at_a_time
        self._collect = collect
        self._halt = halt
        self._tickets = count()

    async def work_off(self, jobs: Iterable[Job], stop: threading.Event) -> AsyncGenerator[Finished, None]:
        """The jobs as they are done; those without an answer again, after all others."""
        waiting: Iterable[Job] = jobs
        rounds_left = _ROUNDS
        while waiting and not stop.is_set():
            rounds_left -= 1
            is_enough_for_form = rounds_left <= _ROUNDS - _ROUNDS_FOR_FORM
            round_ = _Round(iter(waiting), stop, rounds_left <= 0, is_enough_for_form)
            async with aclosing(self._round(round_)) as results:
                async for finished in results:
                    yield finished
            if round_.deferred and self._collect is not None and not stop.is_set():
                await self._collect(stop)
                rounds_left += 1  # waiting for a batch is no failure
            waiting = [*round_.deferred, *round_.unanswered]

    async def _round(self, round_: _Round) -> AsyncGenerator[Finished, None]:
        results: asyncio.Queue[Finished | BaseException | None] = asyncio.Queue(2 * self._at_a_time)
        tasks = [asyncio.create_task(self._serve(round_, results)) for _ in range(self._at_a_time)]
        running = len(tasks)
        if self._halt is not None:
            tasks.append(asyncio.create_task(_call_when(round_.stop, self._halt)))
        try:
            while running:
                result = await results.get()
                if result is None:
                    running -= 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    yield result
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, round_: _Round, results: asyncio.Queue[Finished | BaseException | None]) -> None:
        """One document after the other."""
        try:
            for job in round_.jobs:
                record = await self._record_of(job, round_)
                if record is not None:
                    await results.put(Finished(job, record))
                    await asyncio.sleep(0)  # it is written before the next document is begun
                if round_.stop.is_set():
                    break
        except GongkaiError as error:
            self.error = self.error or error
            round_.stop.set()
        except Exception as error:  # noqa: BLE001 - handed to the run, which raises it
            round_.stop.set()
            await results.put(error)
        await results.put(None)

    async def _record_of(self, job: Job, round_: _Round) -> Done | None:
        """The record of a job's first document; None where it will be tried again."""
        first = job.items[0]
        lost = 0
        while lost < _MOST_LOST:
            try:
                return await self._worked_off(job, round_)
            except WorkerLost as error:
                lost += error.in_own_step
        reason = (
            f"{first.document.file}: its worker process was lost {_MOST_LOST} times while it was extracted. "
            "Open the file in its program and save it again, or get it again from its source."
        )
        return done(failed(first.document, first.doc_id, reason, BrokenFile.code))

    async def _worked_off(self, job: Job, round_: _Round) -> Done | None:
        first, ticket = job.items[0], next(self._tickets)
        step = await self._workers.begin(ticket, first.document, first.doc_id)
        while isinstance(step, Asks):
            replies = await self._replies(step.questions)
            if isinstance(replies, GongkaiError) and not round_.is_final(replies):
                await self._workers.drop(ticket)
                round_.put_off(job, replies)
                return None
            step = await self._workers.go_on(ticket, replies)
        if isinstance(step, Stopped):
            raise step.error
        return step

    async def _replies(self, questions: Sequence[Question]) -> list[Reply] | GongkaiError:
        """Replies to all, or why there are none; of several reasons that which weighs most.

        All are waited for: what is paid is kept.
        """
        if self._ask is None:
            raise RuntimeError("a document asks a model in a run without one")
        replies = await asyncio.gather(*map(self._ask, questions), return_exceptions=True)
        faults = [reply for reply in replies if isinstance(reply, BaseException)]
        for fault in sorted(faults, key=_weight):
            if isinstance(fault, GongkaiError):
                return fault
            raise fault
        return [reply for reply in replies if not isinstance(reply, BaseException)]


async def _call_when(stop: threading.Event, halt: Callable[[], None]) -> None:
    """Call `halt` soon after `stop` is set, from the loop's own thread."""
    while not stop.is_set():
        await asyncio.sleep(_LOOK_SECONDS)
    halt()


def _weight(fault: BaseException) -> int:
    """What ends the run comes before what puts a document off, and that before what fails it."""
    return 2 if isinstance(fault, ModelError) else int(isinstance(fault, WaitsForBatch))


@dataclass
class _Round:
    """One pass over the documents. Those that are `unanswered` or `deferred` are begun again in the next."""

    jobs: Iterator[Job]
    stop: threading.Event
    is_last: bool
    is_enough_for_form: bool = False
    unanswered: list[Job] = field(default_factory=list)
    deferred: list[Job] = field(default_factory=list)

    def is_final(self, error: GongkaiError) -> bool:
        """Whether the document fails by it now."""
        if isinstance(error, AnswerMissing):
            return True
        if isinstance(error, AnswerInvalid) and not isinstance(error, AnswerRefused):
            return self.is_enough_for_form
        return isinstance(error, ModelError) and self.is_last

    def put_off(self, job: Job, error: GongkaiError) -> None:
        """Keep a document for the next pass. Raises what ends the run."""
        if isinstance(error, WaitsForBatch):
            self.deferred.append(job)
        elif isinstance(error, ModelError):
            self.unanswered.append(job)
        else:
            raise error
