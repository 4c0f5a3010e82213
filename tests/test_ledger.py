"""The bill of a run: rows, sums that survive reopening, the limit of money."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from model_material import run_in_no_time

from pipeline.errors import BudgetReached, StartError
from pipeline.model.ledger import Budget, Ledger, LedgerRow, LedgerTotals

OK = LedgerRow("a" * 64, "ok", None, 100, 60, 9, 0.25, False, 1.5)
ROWS = [
    OK,
    LedgerRow("b" * 64, "throttled", 429, 0, 0, 0, 0.0, False, 0.1),
    LedgerRow("a" * 64, "timeout", None, 70, 0, 0, 0.5, True, 180.0),
]
UNPRICED = replace(OK, cost_usd=None)

SUMS = (
    "SELECT count(*), coalesce(sum(outcome <> 'ok'), 0), coalesce(sum(input_tokens), 0), "
    "coalesce(sum(cached_tokens), 0), coalesce(sum(output_tokens), 0), sum(cost_usd) FROM requests"
)


def rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


LEDGERS: list[tuple[str, list[LedgerRow], LedgerTotals]] = [
    ("nothing asked", [], LedgerTotals(0, 0, 0, 0, 0, 0.0)),
    ("all priced", ROWS, LedgerTotals(3, 2, 170, 60, 9, 0.75)),
    ("none priced", [UNPRICED, UNPRICED], LedgerTotals(2, 0, 200, 120, 18, None)),
    ("some priced", [UNPRICED, OK, UNPRICED], LedgerTotals(3, 0, 300, 180, 27, 0.25)),
    ("priced first", [OK, UNPRICED], LedgerTotals(2, 0, 200, 120, 18, 0.25)),
]


@pytest.mark.parametrize(("name", "added", "totals"), LEDGERS, ids=[case[0] for case in LEDGERS])
def test_totals(name: str, added: list[LedgerRow], totals: LedgerTotals, tmp_path: Path) -> None:
    path = tmp_path / "run" / "ledger.sqlite"
    with Ledger(path) as ledger:
        for row in added:
            ledger.add(row, commit=False)
        assert ledger.totals == totals
    with Ledger(path) as ledger:
        assert ledger.totals == totals
        for row in added:
            ledger.add(row)
        assert ledger.totals.since(totals) == totals
        twice = ledger.totals
    sums = rows(path, SUMS)[0]
    expected = tuple(twice.as_dict().values())
    assert sums == (expected if added else (*expected[:-1], None))


def test_rows_are_on_disk_as_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        for row in ROWS:
            ledger.add(row)
        there = rows(path, "SELECT * FROM requests ORDER BY id")
        assert [LedgerRow(*row[2:9], bool(row[9]), row[10]) for row in there] == ROWS
        assert all(row[1].endswith("+00:00") for row in there)


def test_without_commit_it_is_on_disk_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.add(OK, commit=False)
        assert rows(path, "SELECT key FROM requests") == []
        ledger.commit()
        assert len(rows(path, "SELECT key FROM requests")) == 1
        ledger.add(OK, commit=False)
    assert len(rows(path, "SELECT key FROM requests")) == 2


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger._connection.execute("PRAGMA user_version=99")
    with pytest.raises(StartError, match="format 99, this version reads"):
        Ledger(path)


def test_a_fault_on_closing_is_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.add(OK, commit=False)
    ledger._connection.close()
    with pytest.raises(StartError, match=r"ledger\.sqlite"):
        ledger.close()


# The limit of money


def spend(
    limit: float, requests: int, cost: Callable[[random.Random], float], spent: float = 0.0
) -> tuple[Budget, int, float]:
    """Ask for much at a time, each at a dollar or less; the budget, how many went out, most at risk."""

    async def main(clock: Callable[[], float]) -> tuple[Budget, int, float]:
        budget, chance = Budget(limit, spent), random.Random(1)
        done, in_flight, most = 0, 0, 0.0

        async def one() -> None:
            nonlocal done, in_flight, most
            await budget.reserve(1.0)
            in_flight += 1
            most = max(most, budget.spent_usd + in_flight)
            await asyncio.sleep(chance.random())
            in_flight -= 1
            done += 1
            budget.settle(1.0, cost(chance))

        ends = await asyncio.gather(*(one() for _ in range(requests)), return_exceptions=True)
        assert all(end is None or isinstance(end, BudgetReached) for end in ends)
        return budget, done, most

    return run_in_no_time(main)


COSTS: list[tuple[str, Callable[[random.Random], float]]] = [
    ("as much as reserved", lambda chance: 1.0),
    ("by chance", lambda chance: chance.random()),
    ("a tenth", lambda chance: 0.1),
    ("nothing", lambda chance: 0.0),
]


@pytest.mark.parametrize("limit", [0.0, 0.5, 1.0, 7.3])
@pytest.mark.parametrize(("name", "cost"), COSTS, ids=[name for name, _ in COSTS])
def test_a_budget_is_never_exceeded_and_used_as_far_as_may_be(
    name: str, cost: Callable[[random.Random], float], limit: float
) -> None:
    budget, done, most = spend(limit, 60, cost)
    assert most <= limit + 1e-9
    assert budget.spent_usd <= limit + 1e-9
    if done < 60:  # stopped only when the next one might have been too dear
        assert budget.spent_usd + 1.0 > limit


def test_what_an_earlier_session_spent_counts() -> None:
    budget, done, _ = spend(5.0, 60, lambda chance: 1.0, spent=3.0)
    assert (done, budget.spent_usd) == (2, 5.0)


def test_requests_in_flight_are_waited_for_before_the_budget_is_called_used_up() -> None:
    async def main(clock: Callable[[], float]) -> float:
        budget = Budget(1.5)
        await budget.reserve(1.0)
        asyncio.get_running_loop().call_later(3.0, budget.settle, 1.0, 0.2)
        await budget.reserve(1.0)
        return clock()

    assert run_in_no_time(main) == pytest.approx(3.0)


def test_message_of_a_budget_that_is_used_up() -> None:
    async def main(clock: Callable[[], float]) -> None:
        await Budget(5.0, 4.75).reserve(0.5)

    with pytest.raises(BudgetReached) as caught:
        run_in_no_time(main)
    assert str(caught.value) == (
        "the budget of 5 USD is used up: 4.7500 USD are spent and the next request may cost 0.5000. "
        "Run the same command with a higher --budget to go on"
    )


def test_who_is_cancelled_while_waiting_for_money_takes_none() -> None:
    async def main(clock: Callable[[], float]) -> None:
        budget = Budget(1.0)
        await budget.reserve(1.0)
        waiting = asyncio.create_task(budget.reserve(1.0))
        await asyncio.sleep(1)
        waiting.cancel()
        budget.settle(1.0, 0.0)
        await asyncio.wait([waiting])
        await asyncio.wait_for(budget.reserve(1.0), 1)

    run_in_no_time(main)
