"""Where documents are read and extracted: in child processes, or in this one.

A child holds the documents that wait for a model's replies; when it dies they are begun
anew elsewhere (their answers are stored, so nothing is paid again). A document that brings a
child down is tried once more alone in a fresh one, for others may have filled its memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from pipeline.errors import BrokenFile, GongkaiError, RunStopped, StartError, TookTooLong
from pipeline.model.question import NO_PREFIX, Prefix, Reply
from pipeline.read.limits import DEFAULT_LIMITS, Limits
from pipeline.runs.child import Child, ChildDied, ChildTookTooLong, Serve
from pipeline.runs.folder import RunFolder
from pipeline.runs.sources import Input
from pipeline.runs.work import Asks, Bench, Done, OutOfMemory, Stages, Step, Stopped, done, failed

# A process may be killed while it starts; so many in a row, it cannot start at all.
_MOST_FAILED_STARTS = 3


class WorkerLost(Exception):
    """The process that held a document is gone: begin the document anew.

    `in_own_step`: while it worked on that very document, which may be what brought it down.
    """

    def __init__(self, in_own_step: bool = False) -> None:
        super().__init__()
        self.in_own_step = in_own_step


class Workers(Protocol):
    """Begin a document, and go on with it under the ticket that it was begun with."""

    async def begin(self, ticket: int, document: Input, doc_id: str) -> Asks | Done | Stopped:
        """Read a document; `ticket` is the caller's name for it."""

    async def go_on(self, ticket: int, replies: Sequence[Reply] | GongkaiError) -> Asks | Done | Stopped:
        """Go on with replies, or with why there are none. Raises WorkerLost."""

    async def drop(self, ticket: int) -> None:
        """Forget a document that was begun."""

    async def close(self) -> None:
        """End the processes."""


class InlineWorkers:
    """Works in this process and thread: nothing can be stopped, nothing runs beside it."""

    def __init__(self, stages: Stages, folder: RunFolder) -> None:
        self._bench = Bench(stages, folder)

    async def begin(self, ticket: int, document: Input, doc_id: str) -> Asks | Done | Stopped:
        """Read a document."""
        return _final(self._bench.begin(ticket, document, doc_id))

    async def go_on(self, ticket: int, replies: Sequence[Reply] | GongkaiError) -> Asks | Done | Stopped:
        """Go on with it."""
        return _final(self._bench.go_on(ticket, replies))

    async def drop(self, ticket: int) -> None:
        """Forget it."""
        self._bench.drop(ticket)

    async def close(self) -> None:
        """Nothing to end."""


def _final(step: Step) -> Asks | Done | Stopped:
    if isinstance(step, OutOfMemory):
        raise MemoryError
    return step


# What a child is asked: to begin a document, to go on with one, to forget one.
@dataclass(frozen=True, slots=True)
class _Begin:
    ticket: int
    document: Input
    doc_id: str


@dataclass(frozen=True, slots=True)
class _GoOn:
    ticket: int
    replies: Sequence[Reply] | GongkaiError


@dataclass(frozen=True, slots=True)
class _Drop:
    ticket: int


_Request: TypeAlias = _Begin | _GoOn | _Drop


@dataclass(frozen=True, slots=True)
class _Slim:
    """`Asks` on its way between processes: a prefix of a hundred messages travels once."""

    asks: Asks
    prefixes: tuple[str, ...]
    new: tuple[Prefix, ...]


class _Served:
    """A bench in a child."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sent: set[str] = set()

    def __call__(self, request: _Request) -> object:
        match request:
            case _Begin(ticket, document, doc_id):
                step = self._bench.begin(ticket, document, doc_id)
            case _GoOn(ticket, replies):
                step = self._bench.go_on(ticket, replies)
            case _Drop(ticket):
                self._bench.drop(ticket)
                return None
        return self._slim(step) if isinstance(step, Asks) else step

    def _slim(self, asks: Asks) -> _Slim:
        prefixes = {question.prefix.sha256: question.prefix for question in asks.questions}
        new = tuple(prefix for sha256, prefix in prefixes.items() if sha256 not in self._sent)
        self._sent.update(prefixes)
        names = tuple(question.prefix.sha256 for question in asks.questions)
        return _Slim(
            Asks(tuple(replace(question, prefix=NO_PREFIX) for question in asks.questions)), names, new
        )


def _serve(stages: Stages, folder: RunFolder, limits: Limits) -> Serve:
    return _Served(Bench(stages, folder, limits.memory_bytes))


class _Worker:
    """One child, asked one thing at a time, in the order in which it is asked."""

    def __init__(self, stages: Stages, folder: RunFolder, limits: Limits, *, is_extra: bool = False) -> None:
        self.child = Child(_serve, stages, folder, limits, memory_bytes=limits.memory_bytes)
        self.is_extra = is_extra
        self.tickets: set[int] = set()
        self.waiting = 0
        self._seconds = limits.seconds
        self._prefixes: dict[str, Prefix] = {}
        self._turn = asyncio.Lock()
        self._is_started = False

    async def ask(self, request: _Request) -> Step:
        """The child's answer. Raises what the child's end raises, and WorkerLost if it had ended before."""
        self.waiting += 1
        try:
            async with self._turn:
                if not self.child.is_alive:
                    raise WorkerLost
                if not self._is_started:
                    await self.child.started()
                    self._is_started = True
                if not self.child.is_running:
                    self.child.end()
                    raise WorkerLost
                step = await self.child.ask(request, self._seconds)
        finally:
            self.waiting -= 1
        return self._whole(step) if isinstance(step, _Slim) else step

    def _whole(self, slim: _Slim) -> Asks:
        for prefix in slim.new:
            self._prefixes[prefix.sha256] = prefix
        questions = zip(slim.asks.questions, slim.prefixes, strict=True)
        return Asks(tuple(replace(question, prefix=self._prefixes[name]) for question, name in questions))


class ProcessWorkers:
    """Up to `processes` children, started as they are needed. Belongs to one event loop."""

    def __init__(
        self, stages: Stages, folder: RunFolder, processes: int, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._stages = stages
        self._folder = folder
        self._processes = processes
        self._limits = limits
        self._workers: list[_Worker] = []
        self._holding: dict[int, _Worker] = {}
        self._extra: set[_Worker] = set()  # each for one document that is tried alone
        self._failed_starts = 0
        self._is_closed = False

    async def begin(self, ticket: int, document: Input, doc_id: str) -> Asks | Done | Stopped:
        """Read a document in the child that has least to do."""
        request = _Begin(ticket, document, doc_id)
        while True:
            worker = self._least_busy()
            try:
                step = await self._ask(worker, request)
            except WorkerLost:
                continue  # ended from outside while nobody looked: no document's fault
            except ChildTookTooLong:
                return self._too_long(document, doc_id)
            except ChildDied:
                return await self._alone(request)
            return await self._alone(request) if isinstance(step, OutOfMemory) else step

    async def go_on(self, ticket: int, replies: Sequence[Reply] | GongkaiError) -> Asks | Done | Stopped:
        """Go on in the child that holds the document. Raises WorkerLost when it is gone."""
        worker = self._holding.get(ticket)
        if worker is None:
            raise WorkerLost
        try:
            step = await self._ask(worker, _GoOn(ticket, replies))
        except (ChildDied, ChildTookTooLong):
            raise WorkerLost(in_own_step=True) from None
        if isinstance(step, OutOfMemory):
            raise WorkerLost(in_own_step=True)
        return step

    async def drop(self, ticket: int) -> None:
        """Forget a document."""
        worker = self._holding.pop(ticket, None)
        if worker is None:
            return
        worker.tickets.discard(ticket)
        try:
            await worker.ask(_Drop(ticket))
        except (WorkerLost, ChildDied, ChildTookTooLong):
            self._forget(worker)

    async def close(self) -> None:
        """End the children, all at once; none is started afterwards."""
        self._is_closed = True
        workers, self._workers = [*self._workers, *self._extra], []
        await asyncio.gather(*(asyncio.to_thread(worker.child.end) for worker in workers))

    def pids(self) -> list[int]:
        """Process numbers of the children."""
        return [worker.child.pid for worker in self._workers if worker.child.pid is not None]

    def _least_busy(self) -> _Worker:
        if self._is_closed:
            raise RunStopped("the worker processes are ended")
        self._workers = [worker for worker in self._workers if worker.child.is_alive]
        idle = [worker for worker in self._workers if not worker.waiting]
        if not idle and len(self._workers) < self._processes:
            self._workers.append(_Worker(self._stages, self._folder, self._limits))
            return self._workers[-1]
        return min(self._workers, key=lambda worker: (worker.waiting, len(worker.tickets)))

    async def _ask(self, worker: _Worker, request: _Begin | _GoOn) -> Step:
        """Ask, and keep account of which documents the child holds."""
        try:
            step = await worker.ask(request)
        except StartError:
            self._forget(worker)
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise
            raise WorkerLost from None
        except BaseException:
            self._forget(worker)
            raise
        self._failed_starts = 0
        if isinstance(step, Asks):
            worker.tickets.add(request.ticket)
            self._holding[request.ticket] = worker
        else:
            worker.tickets.discard(request.ticket)
            self._holding.pop(request.ticket, None)
            self._end_extra(worker)
        return step

    def _end_extra(self, worker: _Worker) -> None:
        """A child that was started for one document is ended with it."""
        if worker.is_extra and not worker.tickets:
            self._forget(worker)

    def _forget(self, worker: _Worker) -> None:
        """A child has ended: nobody holds its documents."""
        worker.child.end()
        for ticket in worker.tickets:
            self._holding.pop(ticket, None)
        worker.tickets.clear()
        self._extra.discard(worker)
        if worker in self._workers:
            self._workers.remove(worker)

    async def _alone(self, request: _Begin) -> Asks | Done | Stopped:
        """Once more in a child of its own. One that asks a model stays there with its questions."""
        worker = _Worker(self._stages, self._folder, self._limits, is_extra=True)
        self._extra.add(worker)
        try:
            step = await self._ask(worker, request)
        except WorkerLost:
            return self._brought_down(request, "it was ended from outside")
        except ChildTookTooLong:
            return self._too_long(request.document, request.doc_id)
        except ChildDied as died:
            return self._brought_down(request, died.how)
        return self._brought_down(request, "out of memory") if isinstance(step, OutOfMemory) else step

    def _brought_down(self, request: _Begin, how: str) -> Done:
        reason = (
            f"{request.document.file}: the file brought its worker process down ({how}). "
            "Open it in its program and save it again, or get it again from its source."
        )
        return done(failed(request.document, request.doc_id, reason, BrokenFile.code))

    def _too_long(self, document: Input, doc_id: str) -> Done:
        reason = (
            f"{document.file}: reading took more than {self._limits.seconds:g} seconds and was "
            "stopped. Cut the report out of the file, or save it in another format."
        )
        return done(failed(document, doc_id, reason, TookTooLong.code))
