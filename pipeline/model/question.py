"""A question to a model, and what its answer must look like.

Extraction yields questions and is sent replies; it never calls a model itself. So the same
extraction runs in child processes, on a cluster, in batches, from recorded answers, and in
an estimate that only counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel

from pipeline.fact import Usage
from pipeline.model.endpoint import Message

R = TypeVar("R")


class Form(Protocol):
    """What an answer must look like: a JSON schema, and a check that says whether one does."""

    @property
    def schema_json(self) -> str:
        """The schema as JSON text; the order of its properties counts, for it shapes the answer."""

    @property
    def in_words(self) -> str | None:
        """What the schema says, as text in a question; None where that would be too much to say."""

    def check(self, content: str) -> None:
        """Raise ValueError (pydantic's ValidationError is one) in words for the model."""


@dataclass(frozen=True)
class ModelForm:
    """The form of a pydantic model."""

    answer_type: type[BaseModel]
    in_words: str | None = None

    @property
    def schema_json(self) -> str:
        """The model's schema."""
        return _schema_json(self.answer_type)

    def check(self, content: str) -> None:
        """Whether the model takes it."""
        self.answer_type.model_validate_json(content)


@lru_cache(maxsize=64)
def _schema_json(answer_type: type[BaseModel]) -> str:
    return json.dumps(answer_type.model_json_schema(), ensure_ascii=False)


@dataclass(frozen=True)
class Prefix:
    """Messages that many questions begin with: the same bytes and first, so that servers can cache them."""

    messages: tuple[Message, ...] = ()

    @cached_property
    def as_json(self) -> str:
        """The messages as the beginning of a JSON list, without its closing bracket."""
        return compact([message.as_dict() for message in self.messages])[:-1]

    @cached_property
    def pairs_json(self) -> str:
        """Roles and contents as they begin a question's key."""
        pairs = json.dumps([[message.role, message.content] for message in self.messages], ensure_ascii=False)
        return pairs[:-1] + (", " if self.messages else "")

    @cached_property
    def sha256(self) -> str:
        """Names the prefix where only its hash is kept."""
        return hashlib.sha256(self.as_json.encode("utf-8", "surrogatepass")).hexdigest()


NO_PREFIX = Prefix()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: shared messages, its own, the form of the answer, how long it may be.

    `max_tokens` bounds what is written. `repeat` tells apart several answers to one question.
    """

    messages: tuple[Message, ...]
    form: Form
    prompt_sha256: str
    max_tokens: int
    prefix: Prefix = NO_PREFIX
    logprobs: bool = False
    repeat: int = 0

    @property
    def text(self) -> str:
        """Its own messages, as one text."""
        return "\n".join(message.content for message in self.messages)


@dataclass(frozen=True)
class Asked:
    """A question put to one model with fixed parameters: all that an answer depends on.

    `endpoint` is the label, never a URL with a key.
    """

    question: Question
    model: str
    endpoint: str
    parameters: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """SHA-256 over every part."""
        question = self.question
        own = json.dumps([[each.role, each.content] for each in question.messages], ensure_ascii=False)
        rest = json.dumps(
            [self.model, sorted(self.parameters.items()), self.endpoint, question.repeat], ensure_ascii=False
        )
        prompt = json.dumps(question.prompt_sha256, ensure_ascii=False)
        text = f"[{question.prefix.pairs_json}{own[1:]}, {prompt}, {question.form.schema_json}, {rest[1:]}"
        # Half a character, as broken PDF have them, is no reason to fail.
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A written token, its natural-log probability, and the likeliest tokens at its place."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that fits its form.

    `usage` is what this call cost (nothing when `from_store`), `stored_usage` what the
    answer cost when it was made, re-asks and failed attempts included.
    """

    content: str
    usage: Usage
    stored_usage: Usage
    from_store: bool
    logprobs: tuple[TokenLogprob, ...] | None = None


@dataclass(frozen=True, slots=True)
class CutOff:
    """The answer did not fit into its tokens (finish_reason=length): the question is to be split."""

    usage: Usage
    message: str


Reply: TypeAlias = Answer | CutOff
# Yields questions that may be asked at the same time, is sent their replies in order.
Steps: TypeAlias = Generator[tuple[Question, ...], Sequence[Reply], R]


def drive(steps: Steps[R], ask: Callable[[Sequence[Question]], Sequence[Reply]]) -> R:
    """Run steps to their result, with `ask` for what they ask."""
    try:
        questions = next(steps)
        while True:
            questions = steps.send(ask(questions))
    except StopIteration as end:
        result: R = end.value
        return result


def compact(content: Any) -> str:
    """JSON without blanks, not ASCII-escaped."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Spent:
    """Usage that is summed up while a question is asked; `cost_usd` None where there is no price."""

    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, read: int, cached: int, written: int, cost_usd: float | None) -> None:
        """Count a request."""
        self.requests += 1
        self.input_tokens += read
        self.cached_tokens += cached
        self.output_tokens += written
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd

    def usage(self, seconds: float) -> Usage:
        """The sum."""
        return Usage(
            requests=self.requests,
            input_tokens=self.input_tokens,
            cached_tokens=self.cached_tokens,
            output_tokens=self.output_tokens,
            seconds=round(seconds, 3),
            cost_usd=self.cost_usd,
        )
