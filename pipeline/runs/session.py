"""Which model a run asks, and having it ready for the time of the run."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.errors import UsageError
from pipeline.extraction import Strategy, extraction_steps
from pipeline.metadata.reading import require_report
from pipeline.model.answers import Answers, AnswerStore
from pipeline.model.catalog import DEFAULT_MODEL, MODELS
from pipeline.model.endpoint import DEFAULT_TIMEOUT_SECONDS, Endpoint, remote_endpoint
from pipeline.model.ledger import Budget, Ledger, LedgerTotals
from pipeline.model.local_model import LocalModel, ServerOptions, silent_endpoint
from pipeline.model.pace import Pace
from pipeline.model.prices import FREE, Price, load_prices
from pipeline.model.recorded import RecordedAnswers, recording_sha256
from pipeline.model.tokens import token_counter
from pipeline.prose.label import LabelOptions, label_prompt
from pipeline.read import read_document_with_parts
from pipeline.runs.engine import Engine
from pipeline.runs.folder import RunFolder
from pipeline.runs.local_engine import Ask, Collect, LocalEngine, nothing_spent
from pipeline.runs.manifest import RunIdentity, prompt_hashes, schema_sha256
from pipeline.runs.parts import TakesUpParts
from pipeline.runs.progress import byte_progress
from pipeline.runs.run import OpenEngine
from pipeline.runs.work import Stages
from pipeline.runs.workers import ProcessWorkers

REMOTE_IN_FLIGHT = 64
# Fewer documents than this are not worth another process, which takes a second to start.
_DOCUMENTS_A_PROCESS = 8


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What the user asked for. Without `base_url` the model is an embedded one.

    `sentences` a question at the most; None for what the model's profile says.
    """

    strategy: Strategy
    model: str | None = None
    base_url: str | None = None
    model_path: Path | None = None
    replay: Path | None = None
    sentences: int | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the model runs on this machine, in this program."""
        return self.strategy != "rules" and self.base_url is None

    @property
    def name(self) -> str:
        """The model's name; the embedded default where none was given."""
        return self.model or DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Spending:
    """How fast and how dear it may be. `answers` is a store that several runs share.

    `timeout_seconds` is how long a response of an endpoint may take. `batch`: questions go out
    in batches; `retry_failed`: also those that failed in one before.
    """

    concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    budget_usd: float | None = None
    prices: Path | None = None
    answers: Path | None = None
    timeout_seconds: float | None = None
    batch: bool = False
    retry_failed: bool = False


def check_choice(choice: ModelChoice, spending: Spending = Spending()) -> None:
    """Raise UsageError for options that do not go together or an unknown embedded model."""
    if choice.strategy == "rules":
        _refuse_for_rules(choice, spending)
    elif choice.base_url is not None:
        if choice.model is None:
            raise UsageError(f"--base-url needs --model: the name of a model at {choice.base_url}")
        if choice.model_path is not None:
            raise UsageError("--model-path is for the embedded model: leave it or --base-url out")
    elif choice.name not in MODELS:
        raise UsageError(
            f"no embedded model {choice.name!r}: there are {', '.join(MODELS)}. "
            "For another one name its endpoint with --base-url"
        )
    if choice.sentences is not None and choice.strategy == "fill":
        raise UsageError("--sentences is for --strategy label: fill asks about the whole report")
    if choice.replay is not None:
        given = {"--answers": spending.answers, "--model-path": choice.model_path}
        _refuse_given(given, "recorded answers need no store and no model")
    if choice.is_embedded or choice.replay is not None:
        _refuse_for_embedded(spending)
    if spending.batch:
        _refuse_for_batch(spending)
    if choice.base_url is not None and (spending.budget_usd is not None or spending.prices is not None):
        _check_price(choice, spending)


def _check_price(choice: ModelChoice, spending: Spending) -> None:
    """Raise UsageError for a price file that is none, and for a budget without a price."""
    price = price_of(choice, spending)
    at = f"{choice.name!r} at {choice.base_url}"
    if spending.budget_usd is not None and price is None:
        raise UsageError(f"--budget: no price is known of {at}. Give one with --prices FILE")
    if spending.budget_usd is not None and price is FREE:
        raise UsageError(
            f"--budget: {at} is on this machine and counts as free. If it passes questions on to a paid "
            "model, give its price with --prices FILE"
        )


def _refuse_for_rules(choice: ModelChoice, spending: Spending) -> None:
    given = {
        "--model": choice.model,
        "--base-url": choice.base_url,
        "--model-path": choice.model_path,
        "--replay": choice.replay,
        "--sentences": choice.sentences,
        "--rpm": spending.requests_per_minute,
        "--tpm": spending.tokens_per_minute,
        "--budget": spending.budget_usd,
        "--prices": spending.prices,
        "--answers": spending.answers,
        "--timeout": spending.timeout_seconds,
        "--batch": spending.batch or None,
    }
    _refuse_given(given, "--strategy rules asks no model")


def _refuse_for_embedded(spending: Spending) -> None:
    given = {
        "--rpm": spending.requests_per_minute,
        "--tpm": spending.tokens_per_minute,
        "--budget": spending.budget_usd,
        "--prices": spending.prices,
        "--timeout": spending.timeout_seconds,
        "--batch": spending.batch or None,
    }
    _refuse_given(given, "the embedded model and recorded answers cost nothing")


def _refuse_for_batch(spending: Spending) -> None:
    given = {
        "--concurrency": spending.concurrency,
        "--rpm": spending.requests_per_minute,
        "--tpm": spending.tokens_per_minute,
    }
    _refuse_given(given, "--batch leaves the pace to the endpoint")


def _refuse_given(options: Mapping[str, object], why: str) -> None:
    superfluous = ", ".join(option for option, value in options.items() if value is not None)
    if superfluous:
        raise UsageError(f"{why}: leave out {superfluous}")


def price_of(choice: ModelChoice, spending: Spending) -> Price | None:
    """What the chosen model costs; None where nobody knows."""
    return load_prices(spending.prices).find(choice.name, choice.base_url)


def label_options(choice: ModelChoice) -> LabelOptions:
    """How the chosen model is asked."""
    if choice.strategy == "rules":
        return LabelOptions()
    endpoint = described_endpoint(choice)
    return LabelOptions(endpoint.settles, choice.sentences or endpoint.profile.sentences)


def stages_of(choice: ModelChoice) -> Stages:
    """What is done with each document."""
    steps = partial(extraction_steps, strategy=choice.strategy, options=label_options(choice))
    return Stages(read_document_with_parts, require_report, steps)


def processes_of(choice: ModelChoice, spending: Spending, pending: int) -> int:
    """Worker processes: as many as cores where nothing else works here, and no more than are worth it."""
    cores = os.cpu_count() or 1
    most = 1 if choice.is_embedded and choice.replay is None else cores
    if choice.strategy == "rules" and spending.concurrency is not None:
        most = spending.concurrency
    return max(1, min(most, -(-pending // _DOCUMENTS_A_PROCESS)))


def in_flight_of(choice: ModelChoice, spending: Spending) -> int:
    """Requests at a time at the most. The embedded model answers one after the other."""
    return (spending.concurrency or REMOTE_IN_FLIGHT) if choice.base_url is not None else 1


def identity_of(choice: ModelChoice) -> RunIdentity:
    """What the records will depend on."""
    if choice.strategy == "rules":
        return RunIdentity(strategy=choice.strategy, schema_sha256=schema_sha256())
    endpoint = described_endpoint(choice)
    parameters = _parameters(choice, endpoint)
    if choice.base_url is None:
        weights = MODELS[choice.name]
        resolved = f"{weights.file_name} sha256:{weights.sha256}"
        parameters["context_tokens"] = ServerOptions().context_tokens
    else:
        resolved = choice.name
    return RunIdentity(
        strategy=choice.strategy,
        model=choice.name,
        model_resolved=resolved,
        endpoint=endpoint.label,
        parameters=parameters,
        prompts=prompt_hashes(choice.strategy),
        schema_sha256=schema_sha256(),
    )


def _parameters(choice: ModelChoice, endpoint: Endpoint) -> dict[str, Any]:
    """Those that are the same for all questions."""
    sent = endpoint.profile.parameters(0, logprobs=False)
    parameters = {name: value for name, value in sent.items() if not name.startswith("max_")}
    if choice.strategy == "label" and label_options(choice).sentences != 1:
        parameters["sentences"] = label_options(choice).sentences
    if choice.replay is not None:
        parameters["replay"] = recording_sha256(choice.replay)
    return parameters


def described_endpoint(choice: ModelChoice) -> Endpoint:
    """The endpoint as keys and records know it; nobody is asked there."""
    if choice.base_url is not None:
        return remote_endpoint(choice.name, choice.base_url, needs_key=False)
    return silent_endpoint(choice.name)


def engine_opener(choice: ModelChoice, spending: Spending, console: Console) -> OpenEngine:
    """For `run_documents`: starts the model when the first document has to be read."""
    return partial(_open_engine, choice, spending, console)


@asynccontextmanager
async def _open_engine(
    choice: ModelChoice, spending: Spending, console: Console, folder: RunFolder, pending: int
) -> AsyncIterator[Engine]:
    processes = processes_of(choice, spending, pending)
    async with AsyncExitStack() as stack:
        asking = _Asking()
        if choice.strategy != "rules":
            asking = await _open_client(choice, spending, console, folder, stack)
        workers = ProcessWorkers(stages_of(choice), folder, processes)
        stack.push_async_callback(workers.close)
        # Two a process, so that none waits for its next document, and those that wait for replies.
        at_a_time = 2 * processes + (in_flight_of(choice, spending) if choice.base_url is not None else 0)
        engine = LocalEngine(workers, asking.ask, at_a_time, asking.spent, asking.collect, halt=asking.halt)
        yield TakesUpParts(engine, folder)


@dataclass(frozen=True)
class _Asking:
    """Whom documents ask, what that has cost in this session, who brings answers that they wait for."""

    ask: Ask | None = None
    spent: Callable[[], LedgerTotals | None] = nothing_spent
    collect: Collect | None = None
    halt: Callable[[], None] | None = None


async def _open_client(
    choice: ModelChoice, spending: Spending, console: Console, folder: RunFolder, stack: AsyncExitStack
) -> _Asking:
    """A client of the chosen model, its stores open for the time of `stack`."""
    # Loading the client takes seconds, which a run by rules need not spend.
    from pipeline.model.client import ModelClient
    from pipeline.runs.batching import BatchRun, open_batches, refuse_to_ask_twice

    if choice.replay is not None:
        answers: Answers = RecordedAnswers(choice.replay)
        client = await stack.enter_async_context(ModelClient(described_endpoint(choice), answers))
        return _Asking(client.ask)
    answers = stack.enter_context(AnswerStore(spending.answers or folder.answers))
    ledger = stack.enter_context(Ledger(folder.ledger))
    before = ledger.totals
    price, counter = price_of(choice, spending), token_counter(choice.name)
    batches = None
    if not spending.batch:
        refuse_to_ask_twice(folder, answers)
    endpoint = _endpoint(choice, spending, console, stack)
    if spending.batch:
        run = BatchRun(endpoint, answers, ledger, counter, price, spending.budget_usd, spending.retry_failed)
        batches = await open_batches(run, console, folder, stack)
    client = ModelClient(
        endpoint,
        answers,
        ledger=ledger,
        pace=Pace(
            in_flight_of(choice, spending),
            requests_per_minute=spending.requests_per_minute,
            tokens_per_minute=spending.tokens_per_minute,
        ),
        price=price,
        # What a batch may cost is checked before it is sent.
        budget=None if spending.batch else _budget(spending, before),
        counter=counter,
        transport=batches,
    )
    await stack.enter_async_context(client)
    collect = None if batches is None else batches.collect
    return _Asking(client.ask, lambda: ledger.totals.since(before), collect, client.halt)


@asynccontextmanager
async def opened_client(choice: ModelChoice, console: Console, folder: RunFolder) -> AsyncIterator[Ask]:
    """For one document outside of a run: what asks the chosen model; its stores are in `folder`."""
    async with AsyncExitStack() as stack:
        asking = await _open_client(choice, Spending(), console, folder, stack)
        if asking.ask is None:
            raise UsageError(f"strategy {choice.strategy!r} asks no model")
        yield asking.ask


def _budget(spending: Spending, before: LedgerTotals) -> Budget | None:
    if spending.budget_usd is None:
        return None
    return Budget(spending.budget_usd, before.cost_usd or 0.0)


def _endpoint(choice: ModelChoice, spending: Spending, console: Console, stack: AsyncExitStack) -> Endpoint:
    if choice.base_url is None:
        return embedded_endpoint(choice, console, stack)
    seconds = spending.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    return remote_endpoint(choice.name, choice.base_url, timeout_seconds=seconds)


def embedded_endpoint(choice: ModelChoice, console: Console, stack: AsyncExitStack) -> Endpoint:
    """The embedded model, running for the time of `stack`."""
    with byte_progress(console) as show:
        model = stack.enter_context(LocalModel(choice.name, path=choice.model_path, progress=show))
        if choice.strategy == "label":
            model.warm_prefix(label_prompt().messages)
    return model.endpoint
