"""Worker processes for tests that are no coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pipeline.fact import Record
from pipeline.read.limits import Limits
from pipeline.runs.folder import RunFolder
from pipeline.runs.sources import Input, hash_file
from pipeline.runs.work import Asks, Done, Stages, Stopped
from pipeline.runs.workers import ProcessWorkers

R = TypeVar("R")


class WorkersHere:
    """Workers of a run in `folder`, in an event loop of their own."""

    def __init__(self, folder: Path, stages: Stages, limits: Limits, processes: int = 1) -> None:
        self._runner = asyncio.Runner()
        self._workers = ProcessWorkers(stages, RunFolder(folder), processes, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._workers.close())
        self._runner.close()

    def use(self, use: Callable[[ProcessWorkers], Awaitable[R]]) -> R:
        """The result of `use`."""

        async def used() -> R:
            return await use(self._workers)

        return self._runner.run(used())

    def record(self, path: Path) -> Record:
        """The record of a file that asks nothing."""
        return self.use(lambda workers: record_of(workers, Input(path, path.name, hash_file(path))))


async def record_of(workers: ProcessWorkers, document: Input, ticket: int = 0) -> Record:
    """The record of a document that asks nothing."""
    return as_record(await workers.begin(ticket, document, document.stem))


def as_record(step: Asks | Done | Stopped) -> Record:
    """The record of a document that is done; its brief says the same."""
    assert isinstance(step, Done)
    record = Record.model_validate_json(step.line)
    assert step.brief.doc_id == record.doc_id
    assert step.brief.status == record.status
    assert step.brief.fact_count == len(record.facts)
    return record
