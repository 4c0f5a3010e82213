"""What tests of questions to a model share: a form, questions, clients, and a loop whose time is not real."""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from fake_service import FakeServer
from pydantic import BaseModel, Field, SecretStr

from pipeline.model.answers import Answers, AnswerStore
from pipeline.model.client import ModelClient
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.ledger import Ledger
from pipeline.model.pace import Pace
from pipeline.model.prices import Price, Rates
from pipeline.model.question import Answer, Asked, ModelForm, Prefix, Question, Reply

T = TypeVar("T")

KEY = "sk-test-0123456789"
PROMPT = "0" * 64
MESSAGES = (Message("system", '只答\u3000JSON。\n例： {"1:3件": "x"}'), Message("user", "1. 公开 78 条"))
PREFIX = Prefix(
    (Message("system", "只答 JSON。“例”"), Message("user", "公开 1 条"), Message("assistant", "{}"))
)
# A dollar for a million tokens read, half of it from a cache, three written.
PRICE = Price("tiny", Rates(1.0, 0.5, 3.0), "made for tests")


class Total(BaseModel):
    """The answer in most tests."""

    total: int = Field(ge=0)


def question(
    text: str | None = None, answer_type: type[BaseModel] = Total, max_tokens: int = 50, **options: Any
) -> Question:
    """MESSAGES, or one message with `text`, to be answered as `answer_type`."""
    messages = MESSAGES if text is None else (Message("user", text),)
    return Question(
        messages, ModelForm(answer_type), **{"prompt_sha256": PROMPT, **options}, max_tokens=max_tokens
    )


def asked(question: Question, model: str = "tiny", endpoint: str = "fake", **parameters: Any) -> Asked:
    """The question as a store gets it."""
    return Asked(question, model, endpoint, {"temperature": 0, "max_tokens": 50, **parameters})


def endpoint_of(fake: FakeServer, **options: Any) -> Endpoint:
    """The fake server with a key, found quickly to be silent."""
    named: dict[str, Any] = {
        "api_key_env": "GONGKAI_API_KEY",
        "api_key": SecretStr(KEY),
        "timeout_seconds": 5.0,
    }
    return Endpoint(fake.base_url, "tiny", "fake", **{**named, **options})


def client_of(
    at: FakeServer | Endpoint, answers: Answers, waits: list[float] | None = None, **options: Any
) -> ModelClient:
    """A client whose caps are 5 attempts and no patience; its waits go into a list, nobody waits."""
    endpoint = endpoint_of(at) if isinstance(at, FakeServer) else at

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)
        await asyncio.sleep(0)

    usual: dict[str, Any] = {"max_attempts": 5, "patience_seconds": None, "sleep": sleep, "pace": Pace(64)}
    return ModelClient(endpoint, answers, **{**usual, **options})


def ask(client: ModelClient, *questions: Question) -> Reply:
    """Ask one after the other in a loop of their own, then close the client; the last reply."""
    return ask_all(client, questions or (question(),))[-1]


def ask_all(client: ModelClient, questions: Sequence[Question]) -> list[Reply]:
    """All replies of questions asked one after the other."""

    async def run() -> list[Reply]:
        async with client:
            return [await client.ask(each) for each in questions]

    return asyncio.run(run())


def answer(client: ModelClient, *questions: Question) -> Answer:
    """The last reply, which is an answer."""
    reply = ask(client, *questions)
    assert isinstance(reply, Answer), reply
    return reply


def total(answer: Reply) -> int:
    """What was answered."""
    assert isinstance(answer, Answer), answer
    return Total.model_validate_json(answer.content).total


def content(number: int) -> str:
    """An answer that fits."""
    return json.dumps({"total": number})


@contextmanager
def opened_stores(folder: Path) -> Iterator[tuple[AnswerStore, Ledger]]:
    """Answers and ledger of a run."""
    with AnswerStore(folder / "answers.sqlite") as answers, Ledger(folder / "ledger.sqlite") as ledger:
        yield answers, ledger


def silent_url() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


class _Jump(selectors.SelectSelector):
    """Does not wait: time goes on at once to when the next timer is due."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("somebody waits for what will never come")
        self.now += timeout
        return super().select(0)


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run_in_no_time(main: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run `main(clock)` on a loop whose sleeps take no real time. For what does no input or output."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main(runner.get_loop().time))
