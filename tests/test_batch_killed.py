"""A session that is killed at any commit or request loses nothing and pays nothing twice.

Before and after every commit of a store and every request there is a point at which a session
can be killed: from there on nothing of it reaches disk or server any more. Every point is tried.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from batch_material import QUICK, questions, run, session
from fake_openai import fake_openai
from fake_replies import Behaviour
from fake_service import FakeServer

from pipeline.model.answers import AnswerStore
from pipeline.model.batch_file import BatchFile
from pipeline.model.ledger import Ledger
from pipeline.model.llm import Api
from pipeline.model.question import Answer

_connect, _send = sqlite3.connect, Api.send


class Killed(BaseException):
    """Stands for SIGKILL."""


@dataclass
class Killer:
    """Kills at point number `at`, counted from 1; never with 0."""

    at: int = 0
    points: list[str] = field(default_factory=list)
    is_dead: bool = False

    def point(self, name: str) -> None:
        self.live()
        self.points.append(name)
        if len(self.points) == self.at:
            self.is_dead = True
            self.live()

    def live(self) -> None:
        if self.is_dead:
            raise Killed(self.points[-1])


def connection_of(killer: Killer, name: str) -> type[sqlite3.Connection]:
    class Connection(sqlite3.Connection):
        def commit(self) -> None:
            killer.live()
            if not self.in_transaction:
                return
            killer.point(f"before a commit of {name}")
            super().commit()
            killer.point(f"after a commit of {name}")

        def execute(self, *args: Any) -> sqlite3.Cursor:
            killer.live()
            if str(args[0]).startswith("PRAGMA synchronous"):
                args = ("PRAGMA synchronous=OFF",)  # power stays on: thousands of fsyncs less
            return super().execute(*args)

        def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
            if kind is not None:
                self.rollback()
            else:
                self.commit()
            return False

    return Connection


@contextmanager
def killing(killer: Killer) -> Iterator[None]:
    """Every store and request from here on has its points."""

    opened: list[sqlite3.Connection] = []

    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        opened.append(_connect(path, factory=connection_of(killer, path.name), **options))
        return opened[-1]

    async def send(self: Api, request: Any) -> Any:
        try:
            killer.point("before a request")
        except Killed:
            request.close()
            raise
        response = await _send(self, request)
        killer.point("after a request")
        return response

    with mock.patch("sqlite3.connect", connect), mock.patch.object(Api, "send", send):
        try:
            yield
        finally:
            # The end of a process: locks are given up, what is not committed is gone.
            for connection in opened:
                connection.close()


@dataclass(frozen=True)
class Case:
    """What the server does, and how many questions go out in how large files."""

    name: str
    behaviour: Behaviour
    count: int = 3
    lines: int = 50
    lines_a_question: int = 1


AT_ONCE = Behaviour(batch_seconds=0.0)
CASES = [
    Case("two batches", AT_ONCE, count=5, lines=3),
    Case("expired", replace(AT_ONCE, expiring_batches=1, expired_share=0.5), count=4),
    Case(
        "wrong form",
        replace(AT_ONCE, batch_faults=1.0, kinds=("wrong_label",), max_faults=1),
        lines_a_question=2,
    ),
    Case("too many tokens", replace(AT_ONCE, failing_batches=1)),
]


def session_until(killer: Killer, folder: Path, fake: FakeServer, case: Case) -> None:
    """A session that ends by itself or is killed."""

    async def asking() -> None:
        limits = replace(QUICK, lines=case.lines)
        async with session(folder, fake.base_url, limits=limits) as opened:
            await opened.ask(questions(case.count))

    with killing(killer):
        try:
            asyncio.run(asking())
        except Killed:
            assert killer.is_dead


def finish_and_check(folder: Path, fake: FakeServer, case: Case) -> None:
    """The rest in a session that is not killed: all answered, nothing paid twice, all on the bill once."""
    with killing(Killer()):
        outcomes, _ = run(folder, fake.base_url, questions(case.count))
    assert all(isinstance(each, Answer) for each in outcomes)
    stats = fake.stats()
    assert {question["ok"] for question in stats["questions"].values()} == {1}
    assert [question["received"] for question in stats["questions"].values()] == [
        case.lines_a_question
    ] * case.count
    with Ledger(folder / "ledger.sqlite") as ledger:
        rows = ledger.read_all("SELECT count(*), key FROM requests WHERE status = 200 GROUP BY key")
        assert [count for count, _ in rows] == [case.lines_a_question] * case.count
        assert ledger.totals.input_tokens == stats["tokens"]["input"]
    with BatchFile(folder / "batch.sqlite") as file, AnswerStore(folder / "answers.sqlite") as answers:
        assert file.open_jobs() == []
        assert file.paid_and_unused(lambda key: answers.get(key) is not None) == 0


def points_of(case: Case, folder: Path) -> list[str]:
    """The points of a session that is not killed."""
    killer = Killer()
    with fake_openai(behaviour=case.behaviour) as fake:
        session_until(killer, folder, fake, case)
        finish_and_check(folder, fake, case)
    return killer.points


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_kill_at_any_point_costs_nothing(case: Case, tmp_path: Path) -> None:
    points = points_of(case, tmp_path / "whole")
    assert {point.partition(" ")[2] for point in points} == {
        "a commit of answers.sqlite",
        "a commit of batch.sqlite",
        "a commit of ledger.sqlite",
        "a request",
    }
    for number, name in enumerate(points, 1):
        folder, killer = tmp_path / str(number), Killer(number)
        with fake_openai(behaviour=case.behaviour) as fake:
            session_until(killer, folder, fake, case)
            assert killer.is_dead, name
            finish_and_check(folder, fake, case)


def test_kills_one_after_the_other_cost_nothing(tmp_path: Path) -> None:
    chance, case = random.Random(1), CASES[0]
    kills = 0
    for number in range(20):
        folder = tmp_path / str(number)
        with fake_openai(behaviour=case.behaviour) as fake:
            for _ in range(8):
                killer = Killer(chance.randrange(1, 25))
                session_until(killer, folder, fake, case)
                kills += killer.is_dead
            finish_and_check(folder, fake, case)
    assert kills > 80
