"""The keeper's stores as a worker sees them: what it writes is sent there (ray_keeper.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayTaskError

from pipeline.errors import GongkaiError
from pipeline.model.answers import AnswerStore
from pipeline.model.ledger import Budget, Ledger, LedgerRow, LedgerTotals
from pipeline.runs.ray_keeper import Statement


async def answered(reference: Any) -> Any:
    """What a call of the keeper gives. Raises what it raised there."""
    try:
        return await reference
    except RayTaskError as error:
        raise _cause(error) from None


def answered_now(reference: Any) -> Any:
    """The same, waiting for it."""
    try:
        return ray.get(reference)
    except RayTaskError as error:
        raise _cause(error) from None


def _cause(error: RayTaskError) -> Exception:
    return error.cause if isinstance(error.cause, GongkaiError) else error


@dataclass(frozen=True, slots=True)
class Link:
    """The keeper, and the name under which a worker is known there."""

    keeper: Any
    worker: str


class _Sent:
    """Calls of the keeper that nobody waits for; a fault is raised with the next one."""

    def __init__(self) -> None:
        self._under_way: list[Any] = []

    def add(self, reference: Any) -> None:
        """Note a call; raise what an earlier one raised."""
        self._under_way.append(reference)
        done, self._under_way = ray.wait(self._under_way, num_returns=len(self._under_way), timeout=0)
        for each in done:
            answered_now(each)

    def finish(self) -> None:
        """Wait for all."""
        under_way, self._under_way = self._under_way, []
        for each in under_way:
            answered_now(each)


class SentAnswers(AnswerStore):
    """The keeper's answer store. An answer is on its way with the commit."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._prefixes: set[str] = set()
        self._statements: list[Statement] = []
        self._sent = _Sent()

    def write(self, statement: str, values: Sequence[Any], *, commit: bool) -> None:
        """Write with the next commit."""
        self._statements.append((statement, tuple(values)))
        if commit:
            self.commit()

    def commit(self) -> None:
        """Send what was written."""
        if self._statements:
            statements, self._statements = self._statements, []
            self._sent.add(self._link.keeper.store.remote(statements))

    def read_one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """A row, or None."""
        return answered_now(self._link.keeper.stored.remote(statement, tuple(values)))

    def close(self) -> None:
        """Wait until all is stored."""
        self.commit()
        self._sent.finish()


class SentLedger(Ledger):
    """The keeper's ledger; `totals` are those of this worker."""

    def __init__(self, link: Link) -> None:
        self.totals = LedgerTotals(0, 0, 0, 0, 0, 0.0)
        self._link = link
        self._rows: list[LedgerRow] = []
        self._sent = _Sent()

    def add(self, row: LedgerRow, *, commit: bool = True) -> None:
        """Write a row down."""
        self._rows.append(row)
        self.totals = self.totals.plus(row)
        if commit:
            self.commit()

    def commit(self) -> None:
        """Send the rows."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._sent.add(self._link.keeper.add.remote(rows))

    def close(self) -> None:
        """Wait until all is written down."""
        self.commit()
        self._sent.finish()


class SentBudget(Budget):
    """The keeper's budget: one limit for all workers."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def reserve(self, most_usd: float) -> None:
        """Wait until the money is there. Raises BudgetReached."""
        await answered(self._link.keeper.reserve.remote(self._link.worker, most_usd))

    def settle(self, most_usd: float, cost_usd: float) -> None:
        """A request has ended."""
        self._link.keeper.settle.remote(self._link.worker, most_usd, cost_usd)
