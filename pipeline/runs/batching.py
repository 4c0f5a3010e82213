"""Having batches ready for the time of a run, and keeping a run without them from paying twice."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from pipeline.errors import UsageError
from pipeline.model.answers import AnswerStore
from pipeline.model.batch import BatchTransport
from pipeline.model.batch_endpoint import BatchEndpoint
from pipeline.model.batch_file import BatchFile
from pipeline.model.batch_money import BatchMoney
from pipeline.model.endpoint import Endpoint
from pipeline.model.estimate import TokenEstimate
from pipeline.model.ledger import Ledger
from pipeline.model.prices import Price
from pipeline.model.tokens import TokenCounter
from pipeline.runs.folder import RunFolder
from pipeline.terminal import say


@dataclass(frozen=True, slots=True)
class BatchRun:
    """What a run's batches need. `retry_failed` asks again what failed in one for good."""

    endpoint: Endpoint
    answers: AnswerStore
    ledger: Ledger
    counter: TokenCounter
    price: Price | None = None
    budget_usd: float | None = None
    retry_failed: bool = False


async def open_batches(
    run: BatchRun, console: Console, folder: RunFolder, stack: AsyncExitStack
) -> BatchTransport:
    """The transport of a client, open for the time of `stack`."""
    file = stack.enter_context(BatchFile(folder.batches))
    if run.retry_failed:
        file.forget_failed(lambda key: run.answers.get(key) is not None)
    endpoint = BatchEndpoint(run.endpoint, file)
    stack.push_async_callback(endpoint.close)
    money = BatchMoney(file, run.ledger, run.price, run.budget_usd)
    estimate = TokenEstimate(run.endpoint.profile, run.counter)
    return BatchTransport(endpoint, file, money, estimate, partial(say, console))


def refuse_to_ask_twice(folder: RunFolder, answers: AnswerStore) -> None:
    """Raise UsageError for a run without batches that has some under way, or answers not yet used."""
    if not folder.batches.exists():
        return
    with BatchFile(folder.batches) as file:
        questions = file.paid_and_unused(lambda key: answers.get(key) is not None)
    if questions:
        raise UsageError(
            f"{folder.path}: questions of this run in batches, paid and not yet used: {questions:,}. Add "
            f"--batch to go on with them. To ask and pay again, delete {folder.batches}"
        )
