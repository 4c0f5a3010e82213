"""What a run has asked and paid: a row for every request, failed ones too, and the limit of money.

Lies in the run folder also where answers are shared between runs: it is this run's bill.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import BudgetReached
from pipeline.model.sqlite_file import SqliteFile

_TABLE = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL, outcome TEXT NOT NULL, status INTEGER,
    input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cost_usd REAL, is_estimated INTEGER NOT NULL, seconds REAL NOT NULL
)
"""
_BATCHES = "CREATE TABLE IF NOT EXISTS batches (tag TEXT PRIMARY KEY) WITHOUT ROWID"
_INSERT = "INSERT INTO requests VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SUMS = (
    "SELECT count(*), sum(outcome <> 'ok'), sum(input_tokens), sum(cached_tokens), sum(output_tokens), "
    "sum(cost_usd), sum(cost_usd IS NULL) FROM requests"
)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One request, or one line of a batch. `outcome` is `ok`, `cancelled` or the kind of its failure.

    `cost_usd` is None without a price. `is_estimated`: the endpoint did not say how many tokens it counted.
    """

    key: str
    outcome: str
    status: int | None
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float | None
    is_estimated: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Sums over requests. `cost_usd` is None where no request had a price."""

    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost_usd: float | None

    def as_dict(self) -> dict[str, int | float | None]:
        """As it stands in `run.json`."""
        return asdict(self)

    def plus(self, row: LedgerRow) -> LedgerTotals:
        """With one more request; one without a price leaves the sum of the others."""
        cost = self.cost_usd if self.requests else None
        if row.cost_usd is not None:
            cost = (cost or 0.0) + row.cost_usd
        return LedgerTotals(
            self.requests + 1,
            self.failed + (row.outcome != "ok"),
            self.input_tokens + row.input_tokens,
            self.cached_tokens + row.cached_tokens,
            self.output_tokens + row.output_tokens,
            cost,
        )

    def since(self, before: LedgerTotals) -> LedgerTotals:
        """What came after `before`."""
        cost = None if self.cost_usd is None else self.cost_usd - (before.cost_usd or 0.0)
        return LedgerTotals(
            self.requests - before.requests,
            self.failed - before.failed,
            self.input_tokens - before.input_tokens,
            self.cached_tokens - before.cached_tokens,
            self.output_tokens - before.output_tokens,
            cost,
        )


class Ledger(SqliteFile):
    """`ledger.sqlite` of a run; `totals` are the sums over all its sessions."""

    what = "ledger"
    format_version = 2

    def create(self, connection: sqlite3.Connection, version: int) -> None:
        """Requests, and the batches whose requests are among them; format 1 knew no batches."""
        connection.execute(_TABLE)
        connection.execute(_BATCHES)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        requests, failed, read, cached, written, cost, unpriced = self.read_one(_SUMS)
        is_priced = requests == 0 or requests > unpriced
        self.totals = LedgerTotals(
            requests, failed or 0, read or 0, cached or 0, written or 0, (cost or 0.0) if is_priced else None
        )

    def add(self, row: LedgerRow, *, commit: bool = True) -> None:
        """Write a row down; without `commit` it is on disk with the next one that has it."""
        self.write(_INSERT, _values(row), commit=commit)
        self.totals = self.totals.plus(row)

    def add_batch(self, tag: str, rows: Sequence[LedgerRow]) -> None:
        """Write the requests of a batch down, all at once and only once, however often it is called."""
        with self.guarded(), self._connection:
            if not self._connection.execute("INSERT OR IGNORE INTO batches VALUES (?)", (tag,)).rowcount:
                return
            self._connection.executemany(_INSERT, list(map(_values, rows)))
        for row in rows:
            self.totals = self.totals.plus(row)


def _values(row: LedgerRow) -> tuple[Any, ...]:
    return (
        datetime.now(UTC).isoformat(timespec="milliseconds"), row.key, row.outcome, row.status,
        row.input_tokens, row.cached_tokens, row.output_tokens, row.cost_usd, row.is_estimated, row.seconds,
    )  # fmt: skip


class Budget:
    """A limit of money. Requests are reserved at their dearest and settled at what they cost.

    `spent_usd` is what the run had spent before. Belongs to one event loop.
    """

    def __init__(self, limit_usd: float, spent_usd: float = 0.0) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._settled = asyncio.Event()

    async def reserve(self, most_usd: float) -> None:
        """Wait until the money is there for certain. Raises BudgetReached when it will not be."""
        while self.spent_usd + self._reserved_usd + most_usd > self.limit_usd:
            if self._reserved_usd <= 0:
                raise BudgetReached(
                    f"the budget of {self.limit_usd:g} USD is used up: {self.spent_usd:.4f} USD are spent "
                    f"and the next request may cost {most_usd:.4f}. "
                    "Run the same command with a higher --budget to go on"
                )
            self._settled.clear()
            await self._settled.wait()
        self._reserved_usd += most_usd

    def settle(self, most_usd: float, cost_usd: float) -> None:
        """A reserved request has ended and cost so much."""
        self._reserved_usd = max(0.0, self._reserved_usd - most_usd)
        if self._reserved_usd < 1e-9:
            self._reserved_usd = 0.0
        self.spent_usd += cost_usd
        self._settled.set()
