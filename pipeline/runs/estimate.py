"""What a run would ask and cost, without asking: the documents are read, a stand-in answers.

The same steps in the same worker processes as in a run, so what is counted is what would be
asked. Nothing is written but in a temporary folder. Of many documents a random sample is read
and its sums are scaled, with intervals.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from operator import attrgetter
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.loops import run_to_end
from pipeline.model.endpoint import puts_schema_first
from pipeline.model.prices import Price
from pipeline.model.question import Question, Reply
from pipeline.model.request_body import asked_at
from pipeline.model.tokens import token_counter
from pipeline.runs.brief import brief_of
from pipeline.runs.folder import RunFolder
from pipeline.runs.known_answers import KnownAnswers
from pipeline.runs.manifest import load_manifest, refuse_other
from pipeline.runs.plan import Job, make_plan
from pipeline.runs.record import RECORDS, RecordLine, read_records
from pipeline.runs.scaling import SEED, Figure, scaled
from pipeline.runs.session import (
    ModelChoice,
    Spending,
    described_endpoint,
    identity_of,
    price_of,
    processes_of,
    stages_of,
)
from pipeline.runs.sources import Listing
from pipeline.runs.stand_in import StandIn, Tokens
from pipeline.runs.work import Asks, Stopped
from pipeline.runs.workers import ProcessWorkers, WorkerLost, Workers

# More documents than this are not read for an estimate: the interval is narrow enough.
MOST_READ = 2_000
_TRIES = 3
# Of fewer documents the time says nothing of all.
_ENOUGH_FOR_TIME = 10


@dataclass(frozen=True, slots=True)
class Money:
    """Dollars, thoughts and failed attempts left out.

    `low`: no server counts schemas, and whatever was sent before is in the cache. `high`:
    nothing ever is. `thoughts` is the most that the model's thoughts may add; nobody can
    know them before.
    """

    low: float
    expected: Figure
    high: float
    thoughts: float


@dataclass(frozen=True, slots=True)
class DocumentCost:
    """What one document asks; `error` where it could not be read."""

    doc_id: str
    tokens: Tokens
    error: str | None = None


@dataclass(frozen=True)
class Counted:
    """What all documents to read ask, from the `read` ones that were read for it.

    `reading_seconds` is what reading all of them takes here, None where too few were read.
    `counted_by` says what the counts of tokens rest on. `price` is None where nobody knows
    it, and `money` too.
    """

    read: int
    reading_seconds: float | None
    asking: Figure
    tokens: Mapping[str, Figure]
    thinking_tokens: int
    counted_by: str
    price: Price | None
    money: Money | None
    failures: tuple[DocumentCost, ...]


@dataclass(frozen=True)
class Estimate:
    """What a run would do: `to_do` documents have no record, `to_read` of them are no copies of others.

    `counted` is None where no model is asked.
    """

    to_do: int
    done: int
    to_read: int
    counted: Counted | None


def _tell_nobody(_done: int, _total: int) -> None:
    pass


def estimate_run(
    listing: Listing,
    out: Path,
    choice: ModelChoice,
    spending: Spending,
    sample: int | None = None,
    tell: Callable[[int, int], None] = _tell_nobody,
) -> Estimate:
    """Read the documents, at the most `sample` of them [MOST_READ], and count what they would ask.

    `out` is the run folder, which need not be there and is left alone. `tell` is told how many
    documents of how many were read. Raises StartError when the run could not start: the
    folder was made with something else, or is damaged.
    """
    manifest = load_manifest(out)
    if manifest is not None:
        refuse_other(out, manifest.identity, identity_of(choice))
    plan = make_plan(listing.inputs, _lines(out), retry_failed=spending.retry_failed)
    jobs = [job for job in plan.jobs if job.known is None]
    counted = None
    if asks_model(choice):
        size = min(sample or MOST_READ, len(jobs))
        chosen = sorted(random.Random(SEED).sample(range(len(jobs)), size))
        with KnownAnswers(spending.answers or RunFolder(out).answers) as known:
            drawn = run_to_end(_read([jobs[at] for at in chosen], choice, _stand_in(choice, known), tell))
        counted = _counted(drawn, len(jobs), choice, spending)
    return Estimate(plan.pending, len(plan.order) - plan.pending, len(jobs), counted)


@dataclass(frozen=True)
class _Sample:
    """Documents that were read. `once` is no document's and is not scaled (`StandIn.once`)."""

    costs: Sequence[DocumentCost]
    once: Tokens
    seconds_a_document: float | None

    def scaled(self, value: Callable[[Tokens], float], population: int) -> Figure:
        """The sum of a value over a population of documents."""
        return scaled([value(cost.tokens) for cost in self.costs], population, value(self.once))


def _counted(sample: _Sample, population: int, choice: ModelChoice, spending: Spending) -> Counted:
    price = price_of(choice, spending)
    thinking_tokens = described_endpoint(choice).profile.thinking_tokens
    money = None
    if price is not None:
        money = _money(price, sample, population, thinking_tokens, batch=spending.batch)
    seconds = sample.seconds_a_document
    return Counted(
        read=len(sample.costs),
        reading_seconds=None if seconds is None else seconds * population,
        asking=sample.scaled(lambda tokens: tokens.calls > 0, population),
        tokens={name: sample.scaled(attrgetter(name), population) for name in Tokens.__dataclass_fields__},
        thinking_tokens=thinking_tokens,
        counted_by=token_counter(choice.name, choice.model_path).source,
        price=price,
        money=money,
        failures=tuple(cost for cost in sample.costs if cost.error is not None),
    )


def asks_model(choice: ModelChoice) -> bool:
    """Whether a run so chosen asks any model: rules and recorded answers do not."""
    return choice.strategy != "rules" and choice.replay is None


def _lines(out: Path) -> dict[str, RecordLine]:
    """The records of a run without opening them for writing; what a resume does not ask is left at 0."""
    if not (out / RECORDS).is_file():
        return {}
    briefs = (brief_of(record) for record in read_records(out))
    return {
        brief.doc_id: RecordLine(brief.doc_id, brief.file, brief.content, brief.status, 0, 0, 0)
        for brief in briefs
    }


def _stand_in(choice: ModelChoice, known: KnownAnswers) -> StandIn:
    endpoint = described_endpoint(choice)
    host = urlsplit(choice.base_url or "").hostname or ""
    return StandIn(
        partial(asked_at, endpoint),
        known,
        token_counter(choice.name, choice.model_path),
        reads_schema=endpoint.grammar is None,
        schema_first=puts_schema_first(host),
    )


async def _read(
    jobs: Sequence[Job], choice: ModelChoice, stand_in: StandIn, tell: Callable[[int, int], None]
) -> _Sample:
    # No model works beside them: as many processes as for rules.
    processes = processes_of(ModelChoice("rules"), Spending(), len(jobs))
    costs: list[DocumentCost] = []
    ends: list[float] = []
    async with _workers(choice, processes) as workers:
        waiting, tickets = iter(jobs), count()

        async def serve() -> None:
            for job in waiting:
                costs.append(await _cost(job, workers, tickets, stand_in))
                ends.append(time.monotonic())
                tell(len(costs), len(jobs))

        # Two a process, so that none waits for its next document.
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(2 * processes):
                    group.create_task(serve())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
    # From the first end to the last: processes take a second to start.
    seconds = None if len(ends) < _ENOUGH_FOR_TIME else (ends[-1] - ends[0]) / (len(ends) - 1)
    return _Sample(costs, stand_in.once, seconds)


@asynccontextmanager
async def _workers(choice: ModelChoice, processes: int) -> AsyncIterator[Workers]:
    """Workers that write their texts into a folder which goes away with them."""
    with tempfile.TemporaryDirectory(prefix="gongkai-") as folder:
        workers = ProcessWorkers(stages_of(choice), RunFolder(Path(folder)), processes)
        try:
            yield workers
        finally:
            await workers.close()


async def _cost(job: Job, workers: Workers, tickets: Iterator[int], stand_in: StandIn) -> DocumentCost:
    """What a job's first document asks; a copy asks nothing."""
    first = job.items[0]
    tokens = Tokens()
    for ticket, _ in zip(tickets, range(_TRIES), strict=False):
        try:
            step = await workers.begin(ticket, first.document, first.doc_id)
            while isinstance(step, Asks):
                replies, asked = _replies(step.questions, stand_in)
                tokens += asked
                step = await workers.go_on(ticket, replies)
        except WorkerLost:
            continue
        if isinstance(step, Stopped):
            raise step.error
        return DocumentCost(first.doc_id, tokens, step.brief.error)
    return DocumentCost(
        first.doc_id, tokens, f"{first.document.file}: its worker process ended {_TRIES} times"
    )


def _replies(questions: Sequence[Question], stand_in: StandIn) -> tuple[list[Reply], Tokens]:
    replies: list[Reply] = []
    tokens = Tokens()
    for question in questions:
        reply, asked = stand_in.ask(question)
        replies.append(reply)
        tokens += asked
    return replies, tokens


def _money(price: Price, sample: _Sample, population: int, thinking_tokens: int, *, batch: bool) -> Money:
    def dollars(read: int, cached: int, written: int) -> float:
        return price.cost_usd(read, cached, written, batch=batch)

    def sum_of(value: Callable[[Tokens], float]) -> Figure:
        return sample.scaled(value, population)

    return Money(
        low=sum_of(lambda each: dollars(each.read - each.schemas, each.shared, each.written)).total,
        expected=sum_of(lambda each: dollars(each.read, each.cached, each.written)),
        high=sum_of(lambda each: dollars(each.read, 0, each.written)).total,
        thoughts=sum_of(lambda each: dollars(0, 0, each.calls * thinking_tokens)).total,
    )
