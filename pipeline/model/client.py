"""Questions to one endpoint: from the store where the answer is there, else asked, paid and stored once.

Two kinds of failure have their own cap: transport (no usable response: repeated with
tenacity, the endpoint's own wish to wait honoured) and form (instructor asks again). An
endpoint that answers nobody is given up for the whole run (health.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from pipeline.errors import ModelError, RunStopped
from pipeline.model.answers import Answers
from pipeline.model.bill import Bill, Call
from pipeline.model.completion import Completion, TokenCounts
from pipeline.model.endpoint import Endpoint
from pipeline.model.estimate import TokenEstimate
from pipeline.model.failure import RequestFailed
from pipeline.model.health import Health
from pipeline.model.ledger import Budget, Ledger
from pipeline.model.llm import Api, Instructed, NotFitting
from pipeline.model.outcomes import CutOffError, paid_already, unfit, usable
from pipeline.model.pace import Ending, Pace
from pipeline.model.prices import Price
from pipeline.model.question import Answer, Asked, CutOff, Question, Reply, compact
from pipeline.model.request_body import asked_at, request_body
from pipeline.model.stores import Stores
from pipeline.model.tokens import TokenCounter
from pipeline.model.waiting import PATIENCE_SECONDS, wait_seconds, whole_within

_PERHAPS_PAID = frozenset({"timeout", "unusable"})
# An endpoint that does not keep up says so, or says nothing.
_OVERLOADED = frozenset({"throttled", "timeout"})

Transport = Callable[[Asked, bytes], Awaitable[Completion]]


class ModelClient:
    """Asks one endpoint. Belongs to the event loop in which it is used first.

    `max_attempts` caps the requests for one response while others succeed, `max_reasks` the
    re-asks after an answer of the wrong form; without any success for `patience_seconds` the
    endpoint is taken to be gone (None: the caps alone count). `counter` counts tokens before
    the endpoint does. `transport` takes the place of a request over HTTP. `sleep` waits
    between attempts.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        answers: Answers,
        *,
        ledger: Ledger | None = None,
        pace: Pace | None = None,
        price: Price | None = None,
        budget: Budget | None = None,
        max_attempts: int = 6,
        max_reasks: int = 2,
        patience_seconds: float | None = PATIENCE_SECONDS,
        counter: TokenCounter | None = None,
        transport: Transport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.answers = answers
        self.ledger = ledger
        self.pace = pace or Pace(1)
        self.budget = budget
        self._stores = Stores(answers, ledger)
        self._bill = Bill(price, self._stores)
        self._health = Health(endpoint, max_attempts, patience_seconds)
        self._estimate = TokenEstimate(endpoint.profile, counter)
        self._sleep = sleep
        self._api: Api | None = None
        self._transport = transport or self._over_http
        self._is_over_http = transport is None
        self._instructed = Instructed(max_reasks)
        self._running: dict[str, asyncio.Future[Reply]] = {}
        self._halted = asyncio.Event()

    def halt(self) -> None:
        """Ask nothing more: requests that are out are finished, what waits for its turn raises RunStopped."""
        self._halted.set()
        self.pace.halt()

    async def close(self) -> None:
        """Bring everything to disk and close the connections; the stores stay open."""
        self._stores.flush()
        if self._api is not None:
            await self._api.close()
        self._stores.check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ask(self, question: Question) -> Reply:
        """The answer, from the store where it is there, or that it was cut off.

        The same question that is being asked already is waited for, not asked twice. Raises
        AnswerInvalid or TransportFailed for this question; ModelUnavailable (EndpointGone
        is one), BudgetReached and StartError where no other question would fare better.
        """
        asked = asked_at(self.endpoint, question)
        while True:
            self._stores.check()
            stored = self.answers.get(asked.key)
            answer = None if stored is None else stored.fitting(asked)
            if answer is not None:
                return answer
            running = self._running.get(asked.key)
            if running is None:
                return await self._ask_alone(asked)
            await asyncio.wait([running])
            if not running.cancelled():
                return paid_already(running.result())

    async def _ask_alone(self, asked: Asked) -> Reply:
        """Ask, while all who ask the same wait; when this is cancelled one of them asks."""
        future = self._running[asked.key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._ask_endpoint(asked)
        except Exception as error:
            future.set_exception(error)
            future.exception()  # seen: nobody else need be waiting for it
            raise
        else:
            future.set_result(reply)
            return reply
        finally:
            future.cancel()
            del self._running[asked.key]

    async def _ask_endpoint(self, asked: Asked) -> Reply:
        question, label = asked.question, self.endpoint.label
        call = self._bill.open(asked)

        async def send(messages: Sequence[Mapping[str, str]]) -> Completion:
            call.added_characters = sum(len(compact(each)) for each in messages[len(question.messages) :])
            body = request_body(self.endpoint, asked, messages)
            return usable(await self._send(call, body), label)

        try:
            completion = await self._instructed.ask(question.messages, question.form, send)
        except CutOffError as error:
            usage = call.usage()
            self._stores.keep(asked, error.content, usage, is_cut=True)
            return CutOff(usage, str(error))
        except NotFitting as error:
            failure = unfit(error, label, self._instructed.max_reasks)
            failure.spent = call.usage()
            raise failure from error
        except ModelError as error:
            error.spent = call.usage()
            raise
        usage = call.usage()
        self._stores.keep(asked, completion.content, usage, completion.logprobs)
        return Answer(completion.content, usage, usage, False, completion.logprobs)

    async def _send(self, call: Call, body: bytes) -> Completion:
        """One response: transport failures are repeated here, form is left to instructor."""
        try:
            try:
                return await self._attempt(call, body)
            except RequestFailed as error:
                return await self._repeat(call, body, error)
        except RequestFailed as error:
            raise self._health.failure(error, call.spent.requests) from error

    async def _repeat(self, call: Call, body: bytes, failed: RequestFailed) -> Completion:
        """Go on after a first failure. Tenacity comes in only here: it takes longer than a request."""
        first = [failed]

        async def attempt() -> Completion:
            if first:
                raise first.pop()
            return await self._attempt(call, body)

        retrying = AsyncRetrying(
            stop=lambda state: self._health.is_enough(call.began, state.attempt_number),
            wait=wait_seconds,
            retry=retry_if_exception(self._health.may_help),
            before_sleep=self._before_retry,
            sleep=self._wait,
            reraise=True,
        )
        return await retrying(attempt)

    async def _wait(self, seconds: float) -> None:
        """Wait before the next attempt; raises RunStopped when it will not come."""
        waiting = asyncio.ensure_future(self._sleep(seconds))
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait((waiting, halted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            halted.cancel()
        if self._halted.is_set():
            raise RunStopped("nothing more is asked")

    async def _before_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        is_lost = isinstance(error, RequestFailed) and error.kind in ("connection", "refused", "timeout")
        if self.endpoint.revive is not None and is_lost:
            await asyncio.to_thread(self.endpoint.revive)

    async def _attempt(self, call: Call, body: bytes) -> Completion:
        """One request within pace and budget, written down with its cost however it ends."""
        estimated = self._estimate(call.asked.question)
        estimated = replace(estimated, input=estimated.input + call.added_characters)
        most_usd = self._bill.cost_usd(estimated) or 0.0
        if self.budget is not None:
            await self.budget.reserve(most_usd)
        cost_usd = 0.0
        try:
            turn = await self.pace.turn(estimated.input + estimated.output)
            began = time.monotonic()
            ending: Ending = "failed"
            tokens: TokenCounts | None = TokenCounts()
            pause_seconds = 0.0
            try:
                completion = await self._transport(call.asked, body)
                ending, tokens = "ok", completion.tokens
                self._health.succeeded()
                if completion.is_counted:
                    self._bill.spend(call, tokens or estimated, batch=True)
                else:
                    cost_usd = self._bill.count(call, "ok", None, tokens or estimated, tokens is None, began)
                return completion
            except RequestFailed as error:
                ending = "throttled" if error.kind in _OVERLOADED else "failed"
                pause_seconds = error.wait_seconds
                if error.is_counted:
                    raise
                self._health.failed(error)
                # Nobody knows what a request without a response cost: its text may have been read.
                tokens = TokenCounts(estimated.input) if error.kind in _PERHAPS_PAID else TokenCounts()
                cost_usd = self._bill.count(call, error.kind, error.status, tokens, bool(tokens.input), began)
                raise
            except asyncio.CancelledError:
                if self._is_over_http:
                    tokens = TokenCounts(estimated.input)
                    cost_usd = self._bill.count_cancelled(call, tokens, began)
                raise
            finally:
                total = None if tokens is None else tokens.input + tokens.output
                turn.end(ending, total, pause_seconds)
        finally:
            if self.budget is not None:
                self.budget.settle(most_usd, cost_usd)

    async def _over_http(self, asked: Asked, body: bytes) -> Completion:
        if self._api is None:
            self._api = Api(self.endpoint)
        return await whole_within(self.endpoint.timeout_seconds, self._api.complete(body))
