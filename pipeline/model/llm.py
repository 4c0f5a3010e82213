"""Ask a model for an answer of a given type. The only module that imports openai and instructor.

Two kinds of failure have their own cap: transport (no usable response: retried with
tenacity, Retry-After honoured) and form (the answer does not fit its schema: asked
again by instructor with the validation error). `Mode.JSON_SCHEMA` leaves the messages
as they are, so a server's cached prefix stays valid.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self, TypeVar, cast

import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from openai.types.chat import ChatCompletion
from pydantic import BaseModel
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from pipeline.errors import AnswerInvalid, GongkaiError, ModelUnavailable, TransportFailed
from pipeline.fact import Usage
from pipeline.model.answers import Answer, Answers, Question, TokenLogprob, answer_from_store
from pipeline.model.endpoint import SEED, Endpoint, Message, remote_endpoint
from pipeline.model.waiting import backoff_seconds, is_refused, retry_after_seconds

__all__ = ["Answer", "Endpoint", "Message", "ModelClient", "TokenLogprob", "remote_endpoint"]

T = TypeVar("T", bound=BaseModel)

TOP_LOGPROBS = 20  # the most that the API gives: enough to renormalise over the labels allowed
MAX_RETRY_AFTER_SECONDS = 120.0
_TRANSIENT_STATUS = frozenset({408, 409, 429})
_EXCERPT = 300


class _NoCompletionError(Exception):
    """HTTP 200 with something that is no chat completion: an HTML page, no choices."""


@dataclass(slots=True)
class _Call:
    """What one `ask` spends, counted as its requests go out, and its last completion."""

    started: float
    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    completion: ChatCompletion | None = None

    def count(self, completion: ChatCompletion) -> None:
        """Add the tokens of a completion."""
        self.completion = completion
        usage = completion.usage
        if usage is None:
            return
        details = usage.prompt_tokens_details
        self.input_tokens += usage.prompt_tokens
        self.cached_tokens += (details.cached_tokens or 0) if details else 0
        self.output_tokens += usage.completion_tokens

    def usage(self) -> Usage:
        """The sum so far."""
        return Usage(
            requests=self.requests,
            input_tokens=self.input_tokens,
            cached_tokens=self.cached_tokens,
            output_tokens=self.output_tokens,
            seconds=round(time.monotonic() - self.started, 3),
        )


class ModelClient:
    """Questions to one endpoint, with a store of answers. Safe for several threads.

    `max_attempts` caps the requests for one response, `max_reasks` the re-asks after an
    answer of the wrong form. `sleep` waits between attempts.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        answers: Answers,
        *,
        max_attempts: int = 5,
        max_reasks: int = 2,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.answers = answers
        self.max_attempts = max_attempts
        self.max_reasks = max_reasks
        self._sleep = sleep
        self._was_reached = False
        self._openai = openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key.get_secret_value() or "none",
            timeout=endpoint.timeout_seconds,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=not endpoint.is_loopback),
        )
        # Without a handler instructor's errors, which quote answers, would go to stderr.
        logging.getLogger("instructor").addHandler(logging.NullHandler())

    def close(self) -> None:
        """Close the connections; the store stays open."""
        self._openai.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        messages: Sequence[Message],
        answer_type: type[T],
        *,
        prompt_sha256: str,
        max_tokens: int,
        logprobs: bool = False,
        repeat: int = 0,
    ) -> Answer[T]:
        """The model's answer as an `answer_type`, from the store where it is there.

        `repeat` tells apart several answers to one question. Raises AnswerInvalid,
        TransportFailed or ModelUnavailable; each names the endpoint.
        """
        prepared = _prepared(answer_type)
        parameters = self._parameters(max_tokens, logprobs)
        question = Question(
            messages=tuple(message.as_dict() for message in messages),
            prompt_sha256=prompt_sha256,
            schema=prepared.model_json_schema(),
            model=self.endpoint.model,
            parameters={**parameters, "grammar": self.endpoint.grammar is not None},
            endpoint=self.endpoint.label,
            repeat=repeat,
        )
        stored = self.answers.get(question.key)
        answer = None if stored is None else answer_from_store(stored, answer_type)
        return answer or self._ask_endpoint(question, parameters, answer_type, prepared)

    @staticmethod
    def _parameters(max_tokens: int, logprobs: bool) -> dict[str, Any]:
        parameters: dict[str, Any] = {"temperature": 0, "seed": SEED, "max_tokens": max_tokens}
        if logprobs:
            parameters |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        return parameters

    def _ask_endpoint(
        self,
        question: Question,
        parameters: Mapping[str, Any],
        answer_type: type[T],
        prepared: type[BaseModel],
    ) -> Answer[T]:
        call = _Call(time.monotonic())
        create = instructor.patch(create=partial(self._send, call), mode=instructor.Mode.JSON_SCHEMA)
        try:
            create(
                response_model=prepared,
                max_retries=self.max_reasks,
                strict=False,
                model=self.endpoint.model,
                messages=[dict(message) for message in question.messages],
                **parameters,
            )
        except InstructorRetryException as error:
            if isinstance(error.__cause__, GongkaiError):
                raise error.__cause__ from error.__cause__.__cause__
            raise self._unfit(call, error) from error
        completion = cast(ChatCompletion, call.completion)
        content = completion.choices[0].message.content or ""
        usage, logprobs = call.usage(), _logprobs(completion)
        self.answers.put(question, content, usage, logprobs)
        value = answer_type.model_validate_json(content)
        return Answer(value, usage, usage, False, logprobs, content)

    def _send(self, call: _Call, **request: Any) -> ChatCompletion:
        """One usable completion: transport failures are retried here, form is left to instructor."""
        if self.endpoint.grammar is not None:
            schema = request.pop("response_format")["json_schema"]["schema"]
            request["extra_body"] = {"grammar": self.endpoint.grammar(schema)}
        retrying = Retrying(
            stop=stop_after_attempt(self.max_attempts),
            wait=_wait_seconds,
            retry=retry_if_exception(self._is_transient),
            before_sleep=self._before_retry,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return self._usable(retrying(self._request, call, request))
        except (openai.OpenAIError, ValueError, _NoCompletionError) as error:
            raise self._failure(error, call.requests) from error

    def _request(self, call: _Call, request: Mapping[str, Any]) -> ChatCompletion:
        call.requests += 1
        completion = self._openai.chat.completions.create(**request)
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise _NoCompletionError(str(completion)[:_EXCERPT])
        self._was_reached = True
        call.count(completion)
        return completion

    def _usable(self, completion: ChatCompletion) -> ChatCompletion:
        """The completion, unless it was cut off or refused: asking again would not help."""
        choice = completion.choices[0]
        if choice.finish_reason == "length":
            cut = (choice.message.content or "")[-80:]
            raise AnswerInvalid(
                f"{self.endpoint.label}: the answer was cut off (finish_reason=length), it ends {cut!r}: "
                "raise max_tokens or send less text"
            )
        if choice.finish_reason == "content_filter" or choice.message.refusal:
            reason = choice.message.refusal or "finish_reason=content_filter"
            raise AnswerInvalid(f"{self.endpoint.label}: the model refused to answer: {reason[:_EXCERPT]}")
        return completion

    def _is_transient(self, error: BaseException) -> bool:
        if isinstance(error, openai.APIStatusError):
            if error.code == "insufficient_quota" or _asked_wait(error) > MAX_RETRY_AFTER_SECONDS:
                return False
            return error.status_code in _TRANSIENT_STATUS or error.status_code >= 500
        if is_refused(error):
            return self._was_reached or self.endpoint.revive is not None
        return isinstance(error, (openai.APIConnectionError, openai.APIError, ValueError, _NoCompletionError))

    def _before_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if self.endpoint.revive is not None and isinstance(error, openai.APIConnectionError):
            self.endpoint.revive()

    def _failure(self, error: Exception, requests: int) -> GongkaiError:
        """The package's own error for a request that failed for good."""
        at = f"{self.endpoint.label} ({self.endpoint.base_url})"
        detail = self.endpoint.without_key(" ".join(str(error).split()))[:_EXCERPT]
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            source = self.endpoint.api_key_env or "no environment variable"
            return ModelUnavailable(
                f"{at} refused the key ({error.status_code}; the key came from {source}): "
                "set GONGKAI_API_KEY to one that may use this model"
            )
        if isinstance(error, openai.NotFoundError):
            return ModelUnavailable(
                f"{at} does not know the model {self.endpoint.model!r} or the path (404): "
                f"check --model and --base-url. It said: {detail}"
            )
        if isinstance(error, openai.APIStatusError) and error.code == "insufficient_quota":
            return ModelUnavailable(f"{at}: the account's quota is used up. It said: {detail}")
        if is_refused(error):
            return ModelUnavailable(
                f"nothing listens at {self.endpoint.base_url}: start the server or check --base-url"
            )
        kind = type(error).__name__
        return TransportFailed(f"{at}: no usable response after {requests} requests: {kind}: {detail}")

    def _unfit(self, call: _Call, error: InstructorRetryException) -> AnswerInvalid:
        content = call.completion.choices[0].message.content if call.completion else None
        return AnswerInvalid(
            f"{self.endpoint.label}: the answer did not fit its schema after {self.max_reasks} re-asks; "
            f"the last was {(content or '')[:_EXCERPT]!r}: {' '.join(str(error).split())[:_EXCERPT]}"
        )


@lru_cache(maxsize=512)
def _prepared(answer_type: type[BaseModel]) -> type[BaseModel]:
    """`answer_type` as instructor wants it, made once: it would build class and schema at each call."""
    schema = answer_type.model_json_schema()
    prepared = cast(type[BaseModel], instructor.response_schema(answer_type))
    setattr(prepared, "model_json_schema", classmethod(lambda cls, *args, **kwargs: schema))  # noqa: B010
    return prepared


def _logprobs(completion: ChatCompletion) -> tuple[TokenLogprob, ...] | None:
    logprobs = completion.choices[0].logprobs
    if logprobs is None or logprobs.content is None:
        return None
    return tuple(
        TokenLogprob(
            item.token, item.logprob, tuple((top.token, top.logprob) for top in item.top_logprobs or ())
        )
        for item in logprobs.content
    )


def _wait_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_asked_wait(error), backoff_seconds(state))


def _asked_wait(error: BaseException | None) -> float:
    """Seconds that the endpoint asked to wait, 0 if it did not."""
    if not isinstance(error, openai.APIStatusError):
        return 0.0
    return retry_after_seconds(error.response.headers.get("retry-after", ""))
