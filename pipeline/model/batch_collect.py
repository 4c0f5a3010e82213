"""A round of batches: send what is queued, look until all have ended, keep what they have brought.

The order on disk is what makes it safe against a kill: the intent before the file is sent, the
file's name before the batch is made, the bill (once per batch) before the answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import EndpointGone, ModelUnavailable
from pipeline.model.batch_endpoint import ENDED, BatchEndpoint, StopWaiting, TokenLimit, lines_done
from pipeline.model.batch_file import BatchFile, Job, Queued, Sent, Settled
from pipeline.model.batch_lines import LineResult, batch_line, refusal
from pipeline.model.batch_money import BatchMoney
from pipeline.model.completion import TokenCounts
from pipeline.model.failure import FailureKind

# The API's limits are 50,000 lines and 200 MB.
MOST_LINES = 50_000
MOST_BYTES = 190_000_000
MOST_ATTEMPTS = 3
# Of no question's doing: all others would fare the same.
_EVERYBODY: frozenset[FailureKind] = frozenset({"key", "unknown", "quota"})
_GROWTH = 1.5
_NOT_EXECUTED = LineResult(None, TokenCounts(), "server", None, "the batch came back without it")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Lines and bytes of a file at the most, batches that one question is in, seconds between looks."""

    lines: int = MOST_LINES
    bytes: int = MOST_BYTES
    attempts: int = MOST_ATTEMPTS
    first_wait_seconds: float = 5.0
    longest_wait_seconds: float = 60.0


class Collector:
    """Sends and fetches batches. `say` tells the user how it goes."""

    def __init__(
        self,
        endpoint: BatchEndpoint,
        file: BatchFile,
        money: BatchMoney,
        say: Callable[[str], None],
        limits: BatchLimits,
    ) -> None:
        self._endpoint = endpoint
        self._file = file
        self._money = money
        self._say = say
        self._limits = limits
        # Once the endpoint has said that too many tokens wait there: a batch at a time, no larger than this.
        self._most_tokens: int | None = None
        self._jobs: list[Job] = []
        self._numbers: dict[str, int] = {}
        self._said: dict[str, str] = {}

    async def collect(self, stop: threading.Event) -> None:
        """As BatchTransport.collect says."""
        self._endpoint.stop = stop
        self._file.commit()
        self._jobs, self._numbers, self._said = [], {}, {}
        for job in self._file.open_jobs():
            self._add(job)
        if self._jobs:
            self._say(f"going on with {_batches(self._jobs)}")
        try:
            await self._until_done()
        except StopWaiting:
            self._say_goodbye()

    async def _until_done(self) -> None:
        """Until nothing is under way and nothing more can be sent."""
        has_taken = False
        wait_seconds = self._limits.first_wait_seconds
        while True:
            self._cut()
            if not self._jobs:
                break
            await self._send()
            if await self._look():
                has_taken, wait_seconds = True, self._limits.first_wait_seconds
            elif self._jobs:
                await self._endpoint.pause(wait_seconds)
                wait_seconds = min(self._limits.longest_wait_seconds, _GROWTH * wait_seconds)
        queued = list(self._file.queued())
        # After some answers, documents are done first; the budget ends the run in the round after.
        if queued and not has_taken:
            self._money.require_room(len(queued), queued[0])

    def _add(self, job: Job) -> None:
        self._jobs.append(job)
        self._numbers[job.tag] = len(self._numbers) + 1

    def _name(self, job: Job) -> str:
        return f"batch {self._numbers[job.tag]} of {len(self._numbers)}"

    def _say_goodbye(self) -> None:
        under_way = [job for job in self._jobs if job.batch_id is not None]
        if under_way:
            self._say(
                f"Not waiting any longer: {_batches(under_way)} {'goes' if len(under_way) == 1 else 'go'} on "
                "at the endpoint. The same command later fetches the answers and asks nothing twice."
            )

    # Sending

    def _cut(self) -> None:
        """Make batches of all that is queued, or only one while the endpoint takes no more."""
        while not (self._most_tokens is not None and self._jobs):
            chosen = self._next_lines()
            if not chosen:
                return
            self._add(self._file.begin_job(chosen))

    def _next_lines(self) -> list[Queued]:
        """The next questions that go into one batch."""
        chosen: list[Queued] = []
        size = tokens = 0
        for question in self._money.affordable(self._file.queued()):
            size += question.bytes
            tokens += question.tokens.input
            is_full = len(chosen) >= self._limits.lines or size > self._limits.bytes
            if chosen and (is_full or (self._most_tokens is not None and tokens > self._most_tokens)):
                break
            chosen.append(question)
        return chosen

    async def _send(self) -> None:
        """Have all batches at the endpoint, wherever their sending was broken off."""
        for job in [job for job in self._jobs if job.batch_id is None]:
            await self._endpoint.pause(0.0)
            try:
                if job.file_id is None:
                    await self._send_file(job)
                await self._endpoint.make_batch(job)
            except TokenLimit as limit:
                self._send_less(job, str(limit))

    async def _send_file(self, job: Job) -> None:
        url = self._endpoint.url
        content = b"".join(batch_line(sha256, url, body) for sha256, body in self._file.bodies(job))
        tokens = [sent.tokens for sent in self._file.sent(job)]
        most = TokenCounts(sum(each.input for each in tokens), 0, sum(each.output for each in tokens))
        most_usd = self._money.cost_usd(most)
        money = f", at the most {most_usd:.4f} USD" if most_usd else ""
        questions = _count(job.lines, "question")
        self._say(f"{self._name(job)}: sending {questions}, {len(content) / 1e6:.1f} MB{money}")
        await self._endpoint.send_file(job, content)

    def _send_less(self, job: Job, reason: str) -> None:
        """Take a batch back that was too much. Raises EndpointGone when it could not be less."""
        self._file.take_back(job)
        if job in self._jobs:
            self._jobs.remove(job)
        if job.lines <= 1:
            raise EndpointGone(
                f"{self._endpoint.at} does not take even one question now. It said: {reason}. "
                "Run the same command again when other batches of the account have ended"
            )
        self._most_tokens = max(1, job.input_tokens // 2)
        self._say(
            f"{self._name(job)}: too many tokens wait at the endpoint; its questions go out "
            "in smaller batches, one after the other"
        )

    # Fetching

    async def _look(self) -> bool:
        """Look at each batch and take what has ended; whether any has brought something."""
        has_taken = False
        for job in list(self._jobs):
            await self._endpoint.pause(0.0)
            batch = await self._endpoint.batch(job)
            if batch["status"] in ENDED:
                self._jobs.remove(job)
                has_taken |= await self._take(job, batch)
            else:
                self._say_state(job, batch)
        return has_taken

    def _say_state(self, job: Job, batch: Mapping[str, Any]) -> None:
        state = str(batch["status"]).replace("_", " ")
        line = f"{self._name(job)}: {lines_done(batch):,} of {job.lines:,} done, {state}"
        if self._said.get(job.tag) != line:
            self._said[job.tag] = line
            self._say(line)

    async def _take(self, job: Job, batch: Mapping[str, Any]) -> bool:
        """Keep what a batch that has ended has brought; whether it was worked on at all."""
        results = await self._endpoint.results(batch)
        if batch["status"] == "failed" and not results:
            self._refused(job, batch)
            return False
        outcomes = [(sent, results.get(sent.sha256, _NOT_EXECUTED)) for sent in self._file.sent(job)]
        seconds = round(max(0.0, time.time() - job.created), 3)
        self._money.bill(job, outcomes, seconds)
        settled = [self._settled(*outcome) for outcome in outcomes]
        self._file.settle(job, settled)
        self._say(f"{self._name(job)}: {batch['status']}, {_summary(settled)}")
        self._require_use(job, batch, [result for _, result in outcomes])
        return True

    def _refused(self, job: Job, batch: Mapping[str, Any]) -> None:
        """A batch that did not get through its validation, which costs nothing."""
        is_limit, reason = refusal(batch)
        if is_limit:
            self._send_less(job, reason)
            return
        self._file.take_back(job)
        raise ModelUnavailable(f"{self._endpoint.at} refused the batch {job.batch_id}. It said: {reason}")

    def _settled(self, sent: Sent, result: LineResult) -> Settled:
        """What becomes of a question: done, sent again, or failed for good with the endpoint's words."""
        attempts = sent.attempts + 1
        if result.kind is None:
            written = None if result.tokens is None else result.tokens.output
            return Settled(sent.sha256, "done", attempts, result.response, written)
        if result.kind in _EVERYBODY:
            return Settled(sent.sha256, "queued", sent.attempts)
        if result.kind == "rejected":
            detail = f"the question was rejected: {result.detail}"
            return Settled(sent.sha256, "dead", attempts, kind="rejected", detail=detail)
        if attempts < self._limits.attempts:
            return Settled(sent.sha256, "queued", attempts)
        detail = f"no usable answer in {attempts} batches; the last said: {result.detail}"
        return Settled(sent.sha256, "dead", attempts, kind="server", detail=detail)

    def _require_use(self, job: Job, batch: Mapping[str, Any], results: Sequence[LineResult]) -> None:
        """Raise ModelUnavailable where sending the rest again would be no use or is not wanted."""
        refused = [result for result in results if result.kind in _EVERYBODY]
        if refused:
            raise ModelUnavailable(
                f"{self._endpoint.at} refused {_count(len(refused), 'question')} of the batch "
                f"{job.batch_id}. It said: {refused[0].detail}"
            )
        if batch["status"] == "cancelled" and any(result.kind is not None for result in results):
            raise EndpointGone(
                f"the batch {job.batch_id} was cancelled at the endpoint; what it had answered is kept. "
                "Run the same command again to send the rest"
            )


def _summary(settled: Sequence[Settled]) -> str:
    answered, again, failed = (sum(s.state == state for s in settled) for state in ("done", "queued", "dead"))
    parts = [_count(answered, "answer")]
    if again:
        parts.append(f"{again:,} to be sent again")
    if failed:
        parts.append(f"{failed:,} failed for good")
    return ", ".join(parts)


def _count(number: int, one: str) -> str:
    """`1 question`, `1,200 questions`."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _batches(jobs: Sequence[Job]) -> str:
    """`1 batch of 3 questions`, `2 batches of 1,200 questions`."""
    questions = _count(sum(job.lines for job in jobs), "question")
    return f"1 batch of {questions}" if len(jobs) == 1 else f"{len(jobs):,} batches of {questions}"
