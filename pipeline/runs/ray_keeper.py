"""What the workers of a cluster share: one process on the machine of the run folder, and its only writer.

Workers need no file system in common with it. An answer is stored here the moment it arrives,
a record the moment it is done: a worker or a run that is killed loses neither. Nothing here
knows Ray: the engine makes an actor of `Keeper`, and the workers call it through `Handle`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.errors import StartError
from pipeline.model.answers import AnswerStore
from pipeline.model.ledger import Budget, Ledger, LedgerRow, LedgerTotals
from pipeline.runs.folder import RunFolder
from pipeline.runs.parts import Part
from pipeline.runs.record import write_text
from pipeline.runs.work import Done

# A statement for a store and its values.
Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A record with the files that it needs in the run folder: texts by SHA-256, tracebacks by name."""

    record: Done
    texts: Mapping[str, bytes]
    crashes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a worker is told of a shard: documents that are done, and whether to begin no more."""

    done: frozenset[str]
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class State:
    """How the workers stand: shards being worked on, the ledger's sums over all sessions."""

    shards: int
    totals: LedgerTotals | None


class Keeper:
    """Keeps what workers send. Methods are called by one event loop, one step at a time.

    Stores are opened when first needed, so that what is wrong with them meets a caller, also
    after the process was killed and begun anew. `budget_usd` limits what the run costs in all.
    """

    def __init__(self, folder: Path, answers: Path | None, asks: bool, budget_usd: float | None) -> None:
        self._folder = RunFolder(folder)
        self._answers_path = answers or self._folder.answers
        self._asks = asks
        self._budget_usd = budget_usd
        self._is_stopped = False
        self._shards: dict[str, set[str]] = {}  # those being worked on, with their documents that are done
        self._reserved_usd: dict[str, float] = {}
        self._lives: Counter[str] = Counter()

    @cached_property
    def _answers(self) -> AnswerStore:
        return AnswerStore(self._answers_path)

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self._folder.ledger)

    @cached_property
    def _budget(self) -> Budget | None:
        if self._budget_usd is None:
            return None
        return Budget(self._budget_usd, self._ledger.totals.cost_usd or 0.0)

    async def state(self, is_stopped: bool = False) -> State:
        """How things stand; with `is_stopped`, no document is begun from now on.

        Raises StartError where the stores cannot be used.
        """
        self._is_stopped = self._is_stopped or is_stopped
        if self._asks:
            return State(len(self._shards), self._ledger.totals)
        return State(len(self._shards), None)

    async def join(self, worker: str) -> None:
        """A worker begins, or begins anew: requests that died with it may have been paid."""
        self._lives[worker] += 1
        reserved = self._reserved_usd.pop(worker, 0.0)
        if self._budget is not None and reserved:
            self._budget.settle(reserved, reserved)

    async def begin(self, shard: str) -> Begun:
        """A worker takes up a shard; another one may have had it before."""
        part = Part(self._folder, shard)
        part.mend()
        done = {record.brief.doc_id for record in part.records()}
        if self._is_stopped:
            self._shards.pop(shard, None)
        else:
            self._shards[shard] = done
        return Begun(frozenset(done), self._is_stopped)

    async def keep(self, shard: str, kept: Kept) -> bool:
        """Write a record and what belongs to it, once; whether to begin no more documents."""
        part = Part(self._folder, shard)
        if shard not in self._shards:  # this process was begun anew, or the shard given to another worker
            self._shards[shard] = {record.brief.doc_id for record in part.records()}
        done = self._shards[shard]
        if kept.record.brief.doc_id not in done:
            for sha256, text in kept.texts.items():
                write_text(self._folder.path, sha256, text.decode("utf-8"))
            self._keep_crashes(kept.crashes)
            part.append(kept.record)
            done.add(kept.record.brief.doc_id)
        return self._is_stopped

    async def end(self, shard: str) -> None:
        """Nobody works on a shard any more."""
        self._shards.pop(shard, None)

    async def file(self, path: Path) -> bytes | None:
        """A source file for a worker on a machine that does not have it; None where it is gone."""
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError:
            return None

    async def stored(self, statement: str, values: Sequence[Any]) -> Any:
        """A row of the answer store, or None."""
        return self._answers.read_one(statement, values)

    async def store(self, statements: Sequence[Statement]) -> None:
        """Write to the answer store."""
        for statement, values in statements:
            self._answers.write(statement, values, commit=False)
        self._answers.commit()

    async def add(self, rows: Sequence[LedgerRow]) -> None:
        """Write requests down."""
        for row in rows:
            self._ledger.add(row, commit=False)
        self._ledger.commit()

    async def reserve(self, worker: str, most_usd: float) -> None:
        """Money for a request (ledger.py). Raises BudgetReached."""
        if self._budget is None:
            return
        life = self._lives[worker]
        await self._budget.reserve(most_usd)
        if life == self._lives[worker]:
            self._reserved_usd[worker] = self._reserved_usd.get(worker, 0.0) + most_usd
        else:  # whoever waited for it is dead
            self._budget.settle(most_usd, 0.0)

    async def settle(self, worker: str, most_usd: float, cost_usd: float) -> None:
        """A request has ended."""
        if self._budget is not None:
            self._budget.settle(most_usd, cost_usd)
            self._reserved_usd[worker] = max(0.0, self._reserved_usd.get(worker, 0.0) - most_usd)

    async def close(self) -> None:
        """Close the stores, so that each is one whole file."""
        for name in ("_answers", "_ledger"):
            store = self.__dict__.pop(name, None)
            if store is not None:
                store.close()

    def _keep_crashes(self, crashes: Mapping[str, bytes]) -> None:
        try:
            for name, content in crashes.items():
                self._folder.crashes.mkdir(exist_ok=True)
                (self._folder.crashes / name).write_bytes(content)
        except OSError as error:
            raise StartError(
                f"{self._folder.crashes} cannot be written: {error.strerror or error}"
            ) from error
