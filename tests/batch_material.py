"""Questions through batches against the fake server, for tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest import mock

from pydantic import BaseModel

from pipeline.errors import GongkaiError, WaitsForBatch
from pipeline.model.answers import AnswerStore
from pipeline.model.batch import BatchLimits, BatchTransport
from pipeline.model.batch_endpoint import BatchEndpoint, Patience
from pipeline.model.batch_file import BatchFile
from pipeline.model.batch_money import BatchMoney
from pipeline.model.client import ModelClient
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.estimate import TokenEstimate
from pipeline.model.ledger import Ledger
from pipeline.model.prices import Price, Rates
from pipeline.model.question import Answer, CutOff, ModelForm, Prefix, Question

PRICE = Price("tiny", Rates(2.0, 2.0, 8.0), "made up", batch=Rates(1.0, 1.0, 4.0))
PREFIX = Prefix((Message("system", "Say which it is.\u2028One word."),))
QUICK = BatchLimits(first_wait_seconds=0.01, longest_wait_seconds=0.05)
HASTY = Patience(seconds=5.0, settling_seconds=0.0, factor=0.001)

Outcome = Answer | CutOff | BaseException


class Label(BaseModel):
    """An answer."""

    label: Literal["new", "carried", "other"]


def questions(count: int) -> list[Question]:
    """So many different ones."""
    return [
        Question((Message("user", f"第{number}件：新收"),), ModelForm(Label), "p" * 64, 40, PREFIX)
        for number in range(count)
    ]


@dataclass
class Session:
    """One process's client, its stores open."""

    client: ModelClient
    transport: BatchTransport
    file: BatchFile
    ledger: Ledger
    said: list[str]
    stop: threading.Event = field(default_factory=threading.Event)

    async def ask_once(self, asked: Iterable[Question]) -> list[Outcome]:
        """One pass; errors as they come."""
        return await asyncio.gather(*map(self.client.ask, asked), return_exceptions=True)

    async def ask(self, asked: Sequence[Question]) -> list[Outcome]:
        """Passes until nothing waits for a batch, or the run is to end; what ends a run is raised."""
        while True:
            outcomes = await self.ask_once(asked)
            if self.stop.is_set() or not any(isinstance(each, WaitsForBatch) for each in outcomes):
                return outcomes
            await self.transport.collect(self.stop)


@asynccontextmanager
async def session(
    folder: Path,
    base_url: str,
    *,
    limits: BatchLimits = QUICK,
    patience: Patience = HASTY,
    price: Price | None = PRICE,
    budget_usd: float | None = None,
    timeout_seconds: float = 5.0,
) -> AsyncIterator[Session]:
    """A session on the stores in `folder`."""
    endpoint = Endpoint(base_url, "tiny", "fake", timeout_seconds=timeout_seconds)
    said: list[str] = []
    async with AsyncExitStack() as stack:
        # Certificates take longer to load than all else together, and nobody needs them here.
        stack.enter_context(mock.patch("ssl.SSLContext.load_verify_locations"))
        answers = stack.enter_context(AnswerStore(folder / "answers.sqlite"))
        ledger = stack.enter_context(Ledger(folder / "ledger.sqlite"))
        file = stack.enter_context(BatchFile(folder / "batch.sqlite"))
        at = BatchEndpoint(endpoint, file, patience)
        stack.push_async_callback(at.close)
        money = BatchMoney(file, ledger, price, budget_usd)
        transport = BatchTransport(
            at, file, money, TokenEstimate(endpoint.profile, None), said.append, limits
        )
        client = ModelClient(endpoint, answers, ledger=ledger, price=price, transport=transport)
        await stack.enter_async_context(client)
        yield Session(client, transport, file, ledger, said)


def run(
    folder: Path, base_url: str, asked: Sequence[Question], **options: Any
) -> tuple[list[Outcome], Session]:
    """All questions asked in one session of its own."""

    async def asking() -> tuple[list[Outcome], Session]:
        async with session(folder, base_url, **options) as opened:
            return await opened.ask(asked), opened

    return asyncio.run(asking())


def run_failing(
    folder: Path, base_url: str, asked: Sequence[Question], **options: Any
) -> tuple[GongkaiError, Session]:
    """The error that ends the session."""

    async def asking() -> tuple[GongkaiError, Session]:
        async with session(folder, base_url, **options) as opened:
            try:
                outcomes = await opened.ask(asked)
            except GongkaiError as error:
                return error, opened
            raise AssertionError(f"no error: {outcomes}")

    return asyncio.run(asking())


def ledger_rows(folder: Path) -> list[tuple[Any, ...]]:
    """Outcome, status, tokens read and written, cost of each request, in order."""
    with Ledger(folder / "ledger.sqlite") as ledger:
        return ledger.read_all(
            "SELECT outcome, status, input_tokens, output_tokens, cost_usd FROM requests ORDER BY id"
        )
