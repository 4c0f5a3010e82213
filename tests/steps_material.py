"""Whom tests let steps ask: a script, a function, or a client of a server in an event loop of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeAlias

from prose_material import document

from pipeline.document import Document
from pipeline.fact import Usage
from pipeline.model.answers import Answers
from pipeline.model.client import ModelClient
from pipeline.model.endpoint import Endpoint
from pipeline.model.question import Answer, CutOff, Question, Reply, TokenLogprob, drive
from pipeline.prose.label import Labelling, LabelOptions, label_mentions
from pipeline.prose.mentions import Mention, find_mentions

Ask: TypeAlias = Callable[[Sequence[Question]], Sequence[Reply]]

# What each scripted reply cost, as the fake server counts.
COST = Usage(requests=1, input_tokens=100, cached_tokens=60, output_tokens=9)
CUT = CutOff(COST, "fake: the answer was cut off (finish_reason=length), it ends '{'")


def answered(content: str, logprobs: Sequence[TokenLogprob] | None = None) -> Answer:
    """An answer that was just paid."""
    return Answer(content, COST, COST, False, None if logprobs is None else tuple(logprobs))


class Replying:
    """An `ask` that replies by a function of the question; keeps what was asked, round by round.

    As with a client, an answer fits the form of its question: ValueError where the test's does not.
    """

    def __init__(self, reply: Callable[[Question], str | Reply]) -> None:
        self.rounds: list[tuple[Question, ...]] = []
        self._reply = reply

    def __call__(self, questions: Sequence[Question]) -> Sequence[Reply]:
        self.rounds.append(tuple(questions))
        return [self._fitting(question) for question in questions]

    @property
    def asked(self) -> list[Question]:
        """All questions."""
        return [question for questions in self.rounds for question in questions]

    @property
    def texts(self) -> list[str]:
        """Their own last messages."""
        return [question.messages[-1].content for question in self.asked]

    def _fitting(self, question: Question) -> Reply:
        given = self._reply(question)
        reply = answered(given) if isinstance(given, str) else given
        if isinstance(reply, Answer):
            question.form.check(reply.content)
        return reply


def replying(*replies: str | Reply) -> Replying:
    """An `ask` that gives these replies in order, the last one again and again."""
    waiting = list(replies)
    return Replying(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])


def nobody(questions: Sequence[Question]) -> Sequence[Reply]:
    """An `ask` where none is due."""
    raise AssertionError(f"nothing is to be asked: {[question.text for question in questions]}")


@contextmanager
def asking(endpoint: Endpoint, answers: Answers, max_attempts: int = 6) -> Iterator[Ask]:
    """An `ask` that puts one question after the other to a client; between attempts nobody waits."""
    with asyncio.Runner() as runner:
        # Without patience: who does not wait between attempts would make thousands of them.
        client = ModelClient(
            endpoint, answers, max_attempts=max_attempts, patience_seconds=None, sleep=_at_once
        )

        async def all_of(questions: Sequence[Question]) -> Sequence[Reply]:
            return [await client.ask(question) for question in questions]

        try:
            yield lambda questions: runner.run(all_of(questions))
        finally:
            runner.run(client.close())


async def _at_once(seconds: float) -> None:
    """Wait for nothing."""


def answer(*pairs: tuple[str, str]) -> str:
    """An answer about figures: number and print, label."""
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))


def figures(*lines: str) -> list[Mention]:
    """The figures of a report of these lines."""
    return [mention for mention in find_mentions(document(*lines)) if mention.kind == "figure"]


def label_with(
    ask: Ask,
    report: Document,
    settles: Literal["silent", "open"] = "open",
    *,
    sentences: int = 1,
    ask_all: bool = False,
    year: int | None = None,
) -> Labelling:
    """The labels of a report, with `ask` for what wording leaves open."""
    return drive(label_mentions(report, LabelOptions(settles, sentences, ask_all), year), ask)
