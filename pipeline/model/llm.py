"""The only module that imports openai and instructor: requests, and answers that fit their form.

`Api` sends one request and says in the package's own words why it failed; `Instructed`
asks again, with the fault, when an answer does not fit its form. `Mode.JSON_SCHEMA` leaves
the messages as they are, so a server's cached prefix stays valid.

Of openai's client the transport is used and not its types: checking ninety fields a
response and each of a hundred messages a request takes 22 ms, sending the bytes 0.7.
Instructor walks through all types below a response model four times a call; it is given a
single one without fields, whose schema and check are those of the question's form.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Self, cast

import httpx2
import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from openai.types import CompletionUsage
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from pipeline.model.completion import EXCERPT, Completion, NoCompletion, parse_completion
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.failure import RequestFailed, asked_wait_seconds, kind_of_status
from pipeline.model.question import Form
from pipeline.model.waiting import is_refused

__all__ = ["Api", "Instructed", "NotFitting"]

_JSON = {"Content-Type": "application/json"}
# Sends messages of a conversation (those after the question's prefix), gives a response.
Send = Callable[[Sequence[Mapping[str, str]]], Awaitable[Completion]]


class Api:
    """An endpoint over HTTP. Each method sends one request and raises RequestFailed; nothing is repeated.

    Belongs to the event loop in which it is used first.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key.get_secret_value() or "none",
            timeout=endpoint.timeout_seconds,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(trust_env=not endpoint.is_loopback, limits=limits),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def complete(self, body: bytes) -> Completion:
        """The chat completion for a request body."""
        response = await self.send(
            self._openai.post(
                "/chat/completions", cast_to=httpx2.Response, content=body, options={"headers": _JSON}
            )
        )
        try:
            return parse_completion(response.content)
        except NoCompletion as error:
            raise RequestFailed("unusable", f"no completion: {error}") from error

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """What lies at a path below the base URL."""
        request = self._openai.get(path, cast_to=httpx2.Response, options={"params": dict(query or {})})
        return (await self.send(request)).content

    async def post(self, path: str, content: Mapping[str, Any]) -> bytes:
        """The response to a JSON object."""
        request = self._openai.post(path, cast_to=httpx2.Response, body=dict(content))
        return (await self.send(request)).content

    async def upload(self, name: str, content: bytes) -> bytes:
        """The response to a file that a batch is to be made of."""
        request = self._openai.post(
            "/files",
            cast_to=httpx2.Response,
            body={"purpose": "batch"},
            files=[("file", (name, content))],
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
        return (await self.send(request)).content

    async def send(self, request: Awaitable[httpx2.Response]) -> httpx2.Response:
        """Await a request of the client; its errors in the package's own words."""
        try:
            return await request
        except openai.APIStatusError as error:
            raise self._refused_status(error) from error
        except openai.APIConnectionError as error:
            raise self._no_connection(error) from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            raise RequestFailed("unusable", self._said(error)) from error

    def _refused_status(self, error: openai.APIStatusError) -> RequestFailed:
        kind = kind_of_status(error.status_code, error.code)
        wait_seconds = asked_wait_seconds(error.response.headers)
        return RequestFailed(kind, self._said(error), error.status_code, wait_seconds)

    def _no_connection(self, error: openai.APIConnectionError) -> RequestFailed:
        """Without a response. The transport calls it a time-out, too, when nobody takes the connection."""
        cause = error.__cause__ or error
        if is_refused(error):
            return RequestFailed("refused", self._said(cause))
        if isinstance(error, openai.APITimeoutError) and not isinstance(cause, httpx2.ConnectTimeout):
            seconds = self.endpoint.timeout_seconds
            return RequestFailed("timeout", f"no response within {seconds:g} seconds")
        return RequestFailed("connection", self._said(cause))

    def _said(self, error: BaseException) -> str:
        """The error in one short line, without the key."""
        text = " ".join(str(error).split())[:EXCERPT]
        return self.endpoint.without_key(f"{type(error).__name__}: {text}" if text else type(error).__name__)


class NotFitting(Exception):
    """No answer fitted its form after all re-asks; `content` is the last one."""

    def __init__(self, content: str, fault: str) -> None:
        super().__init__(fault)
        self.content = content
        self.fault = fault


_form: ContextVar[Form] = ContextVar("form")


class _Answer(BaseModel):
    """Stands for every form: instructor is given this type, and the form of the question answers for it."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Nothing: requests carry the form's own schema."""
        return {}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **kwargs: Any) -> Self:
        """Check the text against the form of the question that is being asked."""
        try:
            _form.get().check(cast(str, json_data))
        except ValidationError:
            raise
        except ValueError as error:
            fault = PydanticCustomError("form", "{fault}", {"fault": str(error)})
            details = [InitErrorDetails(type=fault, loc=(), input=None)]
            raise ValidationError.from_exception_data("Answer", details) from error
        return cls.model_construct()


class Instructed:
    """Asks until an answer fits its form; `max_reasks` caps how often it is asked again."""

    def __init__(self, max_reasks: int) -> None:
        self.max_reasks = max_reasks
        # Without a handler instructor's errors, which quote answers, would go to stderr.
        logging.getLogger("instructor").addHandler(logging.NullHandler())
        self._create: Callable[..., Awaitable[Any]] = instructor.patch(
            create=_completion, mode=instructor.Mode.JSON_SCHEMA
        )
        self._answer_type = instructor.response_schema(_Answer)

    async def ask(self, messages: Sequence[Message], form: Form, send: Send) -> Completion:
        """Send the messages, and again with the fault while the answer does not fit.

        The response that fits. Raises NotFitting, and what `send` raises.
        """
        token = _form.set(form)
        try:
            answer = await self._create(
                response_model=self._answer_type,
                max_retries=self.max_reasks,
                strict=False,
                messages=[message.as_dict() for message in messages],
                send=send,
            )
            return cast(Completion, answer._raw_response)
        except InstructorRetryException as error:
            cause = error.__cause__
            if cause is not None and not isinstance(cause, ValidationError):
                raise cause from cause.__cause__
            last = error.last_completion
            content = last.content if isinstance(last, Completion) else ""
            raise NotFitting(content, " ".join(str(cause or error).split())[:EXCERPT]) from error
        finally:
            # Where it is closed instead of awaited to its end, it is in another context.
            with suppress(ValueError):
                _form.reset(token)


async def _completion(
    *, messages: Sequence[Mapping[str, str]], send: Send, response_format: object = None
) -> Completion:
    completion = await send(messages)
    # Instructor adds up usage of this type; for one that it does not know it searches other packages.
    completion.usage = CompletionUsage.model_construct(prompt_tokens=0, completion_tokens=0, total_tokens=0)
    return completion
