"""Questions to one endpoint: from the store where the answer is there, else asked, paid and stored once.

Two kinds of failure have their own cap: transport (no usable response: repeated with
tenacity, the endpoint's own wish to wait honoured) and form (instructor asks again). An
endpoint that gives no usable response to anybody is waited for, then given up for the whole
run: no document is called failed because a server was down.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from pipeline.errors import AnswerInvalid, EndpointGone, GongkaiError, ModelUnavailable, TransportFailed
from pipeline.fact import Usage
from pipeline.model.answers import Answers
from pipeline.model.completion import EXCERPT, Completion, TokenCounts
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.estimate import TokenEstimate
from pipeline.model.failure import RequestFailed
from pipeline.model.ledger import Budget, Ledger, LedgerRow
from pipeline.model.llm import Api, Instructed, NotFitting
from pipeline.model.pace import Ending, Pace
from pipeline.model.prices import Price
from pipeline.model.question import Answer, Asked, CutOff, Question, Reply, Spent, compact
from pipeline.model.tokens import TokenCounter
from pipeline.model.waiting import backoff_seconds

# Longer than this nobody is made to wait: the run stops and says so.
MAX_RETRY_AFTER_SECONDS = 120.0
PATIENCE_SECONDS = 120.0
# What arrives within so many seconds is brought to disk together.
_COMMIT_SECONDS = 0.005
# An endpoint is not called gone before it was asked so often: one request may take longer than patience.
_LEAST_ATTEMPTS = 3
# Refused so often without one success, the request itself is wrong and so will be all others.
_MAX_REJECTED = 3

_PERHAPS_PAID = frozenset({"timeout", "unusable"})
# An endpoint that does not keep up says so, or says nothing.
_OVERLOADED = frozenset({"throttled", "timeout"})

Transport = Callable[[Asked, bytes], Awaitable[Completion]]


@dataclass(slots=True)
class _Call:
    """What one question spends; `added_characters` stand behind its messages when it is asked again."""

    asked: Asked
    began: float
    spent: Spent
    added_characters: int = 0

    def usage(self) -> Usage:
        """The sum so far, and the time."""
        return self.spent.usage(time.monotonic() - self.began)


class _Health:
    """Whether the endpoint answers anybody."""

    def __init__(self) -> None:
        self.last_success: float | None = None
        self.failing_since: float | None = None
        self.rejected = 0

    def succeeded(self, now: float) -> None:
        self.last_success, self.failing_since, self.rejected = now, None, 0

    def failed(self, now: float) -> None:
        if self.failing_since is None:
            self.failing_since = now


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
        self.price = price
        self.budget = budget
        self.max_attempts = max_attempts
        self.patience_seconds = patience_seconds
        self._estimate = TokenEstimate(endpoint.profile, counter)
        self._sleep = sleep
        self._api: Api | None = None
        self._transport = transport or self._over_http
        self._is_over_http = transport is None
        self._instructed = Instructed(max_reasks)
        self._health = _Health()
        self._running: dict[str, asyncio.Future[Reply]] = {}
        self._commit_timer: asyncio.TimerHandle | None = None
        self._store_error: GongkaiError | None = None

    async def close(self) -> None:
        """Bring everything to disk and close the connections; the stores stay open."""
        if self._commit_timer is not None:
            self._commit_timer.cancel()
            self._commit()
        if self._api is not None:
            await self._api.close()
        if self._store_error is not None:
            raise self._store_error

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
        asked = self.asked(question)
        while True:
            if self._store_error is not None:
                raise self._store_error
            stored = self.answers.get(asked.key)
            answer = None if stored is None else stored.fitting(asked)
            if answer is not None:
                return answer
            running = self._running.get(asked.key)
            if running is None:
                return await self._ask_alone(asked)
            await asyncio.wait([running])
            if not running.cancelled():
                return _again(running.result())

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

    def asked(self, question: Question) -> Asked:
        """The question as it is put to this endpoint."""
        endpoint = self.endpoint
        parameters = endpoint.profile.parameters(question.max_tokens, question.logprobs)
        parameters["grammar"] = endpoint.grammar is not None
        words = question.form.in_words if endpoint.form_in_words else None
        if words is not None:
            *first, last = question.messages
            question = replace(question, messages=(*first, Message(last.role, f"{last.content}\n{words}")))
            parameters["form"] = "words"
        return Asked(question, endpoint.model, endpoint.label, parameters)

    def body(self, asked: Asked, messages: Sequence[Mapping[str, str]]) -> bytes:
        """The request: the shared messages first, byte for byte the same in all of them."""
        prefix = asked.question.prefix
        own = {name: value for name, value in asked.parameters.items() if name not in ("grammar", "form")}
        first = prefix.as_json + ("," if prefix.messages else "")
        settings = compact({"model": self.endpoint.model, **own})
        text = f'{{"messages":{first}{compact(list(messages))[1:]},{self._form(asked)},{settings[1:]}'
        return text.encode("utf-8", "replace")

    def _form(self, asked: Asked) -> str:
        """What binds the server to the form, as it stands in the request."""
        schema = asked.question.form.schema_json
        if self.endpoint.grammar is not None:
            return f'"grammar":{json.dumps(self.endpoint.grammar(json.loads(schema)), ensure_ascii=False)}'
        if asked.parameters.get("form") == "words":
            return '"response_format":{"type":"json_object"}'
        named = f'{{"name":"answer","schema":{schema}}}'
        return f'"response_format":{{"type":"json_schema","json_schema":{named}}}'

    async def _ask_endpoint(self, asked: Asked) -> Reply:
        question = asked.question
        call = _Call(asked, time.monotonic(), Spent(cost_usd=None if self.price is None else 0.0))

        async def send(messages: Sequence[Mapping[str, str]]) -> Completion:
            call.added_characters = sum(len(compact(each)) for each in messages[len(question.messages) :])
            return self._usable(await self._send(call, self.body(asked, messages)))

        try:
            completion = await self._instructed.ask(question.messages, question.form, send)
        except _CutOffError as error:
            return self._keep_cut(asked, call.usage(), error)
        except NotFitting as error:
            raise self._unfit(error) from error
        usage = call.usage()
        self.answers.put(asked, completion.content, usage, completion.logprobs, commit=False)
        self._commit_soon()
        return Answer(completion.content, usage, usage, False, completion.logprobs)

    def _keep_cut(self, asked: Asked, usage: Usage, error: _CutOffError) -> CutOff:
        """Remember that there is no answer of this length, so that nobody pays for it again."""
        self.answers.put(asked, error.content, usage, is_cut=True, commit=False)
        self._commit_soon()
        return CutOff(usage, str(error))

    async def _send(self, call: _Call, body: bytes) -> Completion:
        """One response: transport failures are repeated here, form is left to instructor."""
        try:
            try:
                return await self._attempt(call, body)
            except RequestFailed as error:
                return await self._repeat(call, body, error)
        except RequestFailed as error:
            raise self._failure(error, call.spent.requests) from error

    async def _repeat(self, call: _Call, body: bytes, failed: RequestFailed) -> Completion:
        """Go on after a first failure. Tenacity comes in only here: it takes longer than a request."""
        first = [failed]

        async def attempt() -> Completion:
            if first:
                raise first.pop()
            return await self._attempt(call, body)

        retrying = AsyncRetrying(
            stop=lambda state: self._is_enough(call, state.attempt_number),
            wait=_wait_seconds,
            retry=retry_if_exception(self._may_help),
            before_sleep=self._before_retry,
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(attempt)

    def _is_enough(self, call: _Call, attempts: int) -> bool:
        """Whether to give up: others had answers meanwhile, or nobody has had one for too long."""
        health, is_often_enough = self._health, attempts >= self.max_attempts
        if self.patience_seconds is None or health.failing_since is None:
            return is_often_enough
        if health.last_success is not None and health.last_success > call.began:
            return is_often_enough
        is_gone = time.monotonic() - health.failing_since >= self.patience_seconds
        return is_gone and attempts >= min(_LEAST_ATTEMPTS, self.max_attempts)

    def _may_help(self, error: BaseException) -> bool:
        if not isinstance(error, RequestFailed) or error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
            return False
        if error.kind == "refused":
            return self._health.last_success is not None or self.endpoint.revive is not None
        return error.is_transient

    async def _before_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        is_lost = isinstance(error, RequestFailed) and error.kind in ("connection", "refused", "timeout")
        if self.endpoint.revive is not None and is_lost:
            await asyncio.to_thread(self.endpoint.revive)

    async def _attempt(self, call: _Call, body: bytes) -> Completion:
        """One request within pace and budget, written down with its cost however it ends."""
        estimated = self._estimate(call.asked.question)
        estimated = replace(estimated, input=estimated.input + call.added_characters)
        most_usd = self._cost_usd(estimated) or 0.0
        if self.budget is not None:
            await self.budget.reserve(most_usd)
        cost_usd = 0.0
        try:
            turn = await self.pace.turn(estimated.input + estimated.output)
            began = time.monotonic()
            ending: Ending = "failed"
            tokens: TokenCounts | None = TokenCounts()
            wait_seconds = 0.0
            try:
                completion = await self._transport(call.asked, body)
                ending, tokens = "ok", completion.tokens
                self._health.succeeded(time.monotonic())
                if completion.is_counted:
                    self._spend(call, tokens or estimated, batch=True)
                else:
                    cost_usd = self._count(call, "ok", None, tokens or estimated, tokens is None, began)
                return completion
            except RequestFailed as error:
                ending = "throttled" if error.kind in _OVERLOADED else "failed"
                wait_seconds = error.wait_seconds
                if error.is_counted:
                    raise
                if error.is_transient:
                    self._health.failed(time.monotonic())
                # Nobody knows what a request without a response cost: its text may have been read.
                tokens = TokenCounts(estimated.input) if error.kind in _PERHAPS_PAID else TokenCounts()
                cost_usd = self._count(call, error.kind, error.status, tokens, bool(tokens.input), began)
                raise
            except asyncio.CancelledError:
                if self._is_over_http:
                    tokens = TokenCounts(estimated.input)
                    cost_usd = self._count_cancelled(call, tokens, began)
                raise
            finally:
                total = None if tokens is None else tokens.input + tokens.output
                turn.end(ending, total, wait_seconds)
        finally:
            if self.budget is not None:
                self.budget.settle(most_usd, cost_usd)

    async def _over_http(self, asked: Asked, body: bytes) -> Completion:
        if self._api is None:
            self._api = Api(self.endpoint)
        seconds = self.endpoint.timeout_seconds
        try:
            # Over the whole of a response: one that trickles in would never end.
            async with asyncio.timeout(seconds):
                return await self._api.complete(body)
        except TimeoutError as error:
            raise RequestFailed("timeout", f"no whole response within {seconds:g} seconds") from error

    def _cost_usd(self, tokens: TokenCounts, *, batch: bool = False) -> float | None:
        price = self.price
        if price is None:
            return None
        return price.cost_usd(tokens.input, tokens.cached, tokens.output, batch=batch)

    def _spend(self, call: _Call, tokens: TokenCounts, *, batch: bool = False) -> float | None:
        """Add a request to what its question has cost; its cost."""
        cost_usd = self._cost_usd(tokens, batch=batch)
        call.spent.add(tokens.input, tokens.cached, tokens.output, cost_usd)
        return cost_usd

    def _count(
        self,
        call: _Call,
        outcome: str,
        status: int | None,
        tokens: TokenCounts,
        is_estimated: bool,
        began: float,
    ) -> float:
        """Write a request down; its cost, 0 where there is no price."""
        cost_usd = self._spend(call, tokens)
        if self.ledger is not None:
            seconds = round(time.monotonic() - began, 3)
            row = LedgerRow(
                call.asked.key, outcome, status, tokens.input, tokens.cached, tokens.output,
                cost_usd, is_estimated, seconds,
            )  # fmt: skip
            self.ledger.add(row, commit=False)
            self._commit_soon()
        return cost_usd or 0.0

    def _count_cancelled(self, call: _Call, tokens: TokenCounts, began: float) -> float:
        """Write down a request that nobody waits for; it ends whatever the disk says."""
        try:
            return self._count(call, "cancelled", None, tokens, True, began)
        except GongkaiError as error:
            self._store_error = error
            return self._cost_usd(tokens) or 0.0

    def _commit_soon(self) -> None:
        if self._commit_timer is None:
            self._commit_timer = asyncio.get_running_loop().call_later(_COMMIT_SECONDS, self._commit)

    def _commit(self) -> None:
        """Bring to disk what has come; a fault of the disk meets the next question."""
        self._commit_timer = None
        for store in (self.ledger, self.answers):  # the bill first: it must not be too low
            try:
                if store is not None:
                    store.commit()
            except GongkaiError as error:
                self._store_error = error

    def _usable(self, completion: Completion) -> Completion:
        """The completion, unless it was cut off or refused: the same request again would not help."""
        choice = completion.choices[0]
        if choice.finish_reason == "length":
            raise _CutOffError(self.endpoint.label, completion.content)
        if choice.finish_reason == "content_filter" or choice.message.refusal:
            reason = choice.message.refusal or "finish_reason=content_filter"
            raise AnswerInvalid(f"{self.endpoint.label}: the model refused to answer: {reason[:EXCERPT]}")
        return completion

    def _failure(self, error: RequestFailed, requests: int) -> GongkaiError:
        """The package's own error for a question without a response."""
        at = f"{self.endpoint.label} ({self.endpoint.base_url})"
        if error.is_counted:
            return TransportFailed(f"{at}: {error.detail}")
        if error.kind == "key":
            source = self.endpoint.api_key_env or "no environment variable"
            return ModelUnavailable(
                f"{at} refused the key ({error.status}; the key came from {source}): "
                "set GONGKAI_API_KEY to one that may use this model"
            )
        if error.kind == "unknown":
            return ModelUnavailable(
                f"{at} does not know the model {self.endpoint.model!r} or the path (404): "
                f"check --model and --base-url. It said: {error.detail}"
            )
        if error.kind == "quota":
            return ModelUnavailable(f"{at}: the account's quota is used up. It said: {error.detail}")
        if error.kind == "refused" and self._health.last_success is None:
            return ModelUnavailable(
                f"nothing listens at {self.endpoint.base_url}: start the server or check --base-url"
            )
        return self._no_response(error, at, requests)

    def _no_response(self, error: RequestFailed, at: str, requests: int) -> GongkaiError:
        """This question's failure, or the endpoint's own where it answers nobody."""
        if error.wait_seconds > MAX_RETRY_AFTER_SECONDS:
            return EndpointGone(
                f"{at} asks to wait {error.wait_seconds:.0f} seconds ({error.detail}). "
                "Run the same command again then"
            )
        if error.kind == "rejected":
            self._health.rejected += 1
            if self._health.rejected >= _MAX_REJECTED and self._health.last_success is None:
                return EndpointGone(f"{at} rejects every request. It said: {error.detail}")
        since = self._health.failing_since
        seconds = 0.0 if since is None else time.monotonic() - since
        if self.patience_seconds is not None and error.is_transient and seconds >= self.patience_seconds:
            return EndpointGone(
                f"{at} has given no usable response for {seconds:.0f} seconds; the last: {error.detail}. "
                "Run the same command again when it answers"
            )
        return TransportFailed(f"{at}: no usable response after {requests} requests: {error.detail}")

    def _unfit(self, error: NotFitting) -> AnswerInvalid:
        return AnswerInvalid(
            f"{self.endpoint.label}: the answer did not fit its schema after {self._instructed.max_reasks} "
            f"re-asks; the last was {error.content[:EXCERPT]!r}: {error.fault}"
        )


class _CutOffError(Exception):
    """finish_reason=length; `content` is what was written."""

    def __init__(self, label: str, content: str) -> None:
        super().__init__(f"{label}: the answer was cut off (finish_reason=length), it ends {content[-80:]!r}")
        self.content = content


def _again(reply: Reply) -> Reply:
    """A reply that was paid with another one's question."""
    if isinstance(reply, CutOff):
        return CutOff(Usage(), reply.message)
    return Answer(reply.content, Usage(), reply.stored_usage, True, reply.logprobs)


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, RequestFailed) else 0.0
    return max(asked, backoff_seconds(state))
