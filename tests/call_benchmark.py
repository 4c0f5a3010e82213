"""CPU and memory of a call to a model, beside a bare aiohttp client in the same run.

    python tests/call_benchmark.py [--documents 2000] [--rounds 3] [--in-flight 64]
    python tests/call_benchmark.py --memory 2000 100000

A fake server in a process of its own answers after 30 ms. "bare" builds the same request with
json.dumps, sends it with aiohttp and decodes the response; "ours" is `ModelClient.ask`: key,
store, pace, request through openai, form through instructor, answer and ledger on disk. Both
stand behind the real prompt (98 messages), or fill the whole form. CPU is the process's own,
a call; the ratio is what counts, machines differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from fake_server import fake_server_process

from pipeline.fill.form import FillForm, fill_form, prose_paths
from pipeline.model.answers import AnswerStore
from pipeline.model.client import ModelClient
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.ledger import Ledger
from pipeline.model.pace import Pace
from pipeline.model.question import Answer, Question
from pipeline.prose.label import LabelForm, label_prompt
from pipeline.schema import fields

LABELS = ("政府网站", "政务微博", "政务微信", "其他", "无关")
MIB = 2**20


@dataclass(frozen=True)
class Kind:
    """A kind of question, number by number."""

    name: str
    question: Callable[[int], Question]


def small(number: int) -> Question:
    """One figure of a sentence, the same form each time."""
    return _labels(number, LabelForm((("1:78条", LABELS),)))


def labels(number: int) -> Question:
    """Three figures of a sentence: a form of its own each."""
    keys = (f"1:{number}条", f"2:{number + 7}件", "3:12篇")
    return _labels(number, LabelForm(tuple((key, LABELS) for key in keys)))


def _labels(number: int, form: LabelForm) -> Question:
    prompt = label_prompt()
    text = f"【主动公开情况】第{number}句：通过网站公开信息78条。\n1:78条"
    return Question((Message("user", text),), form, prompt.sha256, 60, prompt.prefix, logprobs=False)


def full(number: int) -> Question:
    """The whole form, about a text of its own."""
    return Question((Message("user", f"第{number}份报告。"),), _whole_form(), "0" * 64, 3000)


def _whole_form() -> FillForm:
    return fill_form({*prose_paths(), *(path for path in fields() if path.startswith("requests."))})


KINDS = (Kind("small", small), Kind("labels", labels), Kind("full", full))
Calls = Callable[[int], Awaitable[None]]


async def in_flight(call: Calls, documents: int, at_a_time: int) -> tuple[float, float]:
    """CPU milliseconds a call, and calls a second."""
    numbers: Iterator[int] = iter(range(documents))

    async def serve() -> None:
        for number in numbers:
            await call(number)

    cpu, clock = time.process_time(), time.monotonic()
    await asyncio.gather(*(serve() for _ in range(at_a_time)))
    return 1000 * (time.process_time() - cpu) / documents, documents / (time.monotonic() - clock)


async def bare(base_url: str, kind: Kind, documents: int, at_a_time: int) -> tuple[float, float]:
    """A client that does nothing but ask."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(number: int) -> None:
            question = kind.question(number)
            messages = [message.as_dict() for message in (*question.prefix.messages, *question.messages)]
            schema = _schema(question.form.schema_json)
            body: dict[str, Any] = {
                "model": "m",
                "messages": messages,
                "temperature": 0,
                "seed": 1,
                "max_tokens": question.max_tokens,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": schema},
                },
            }
            async with session.post(f"{base_url}/chat/completions", json=body) as response:
                json.loads(await response.read())["choices"][0]["message"]["content"]

        return await in_flight(call, documents, at_a_time)


async def ours(base_url: str, kind: Kind, documents: int, at_a_time: int) -> tuple[float, float]:
    """The client of the product, its stores on disk."""
    with tempfile.TemporaryDirectory() as name, AnswerStore(Path(name) / "a.sqlite") as answers:
        pace = Pace(at_a_time)
        pace.limit = float(at_a_time)
        with Ledger(Path(name) / "l.sqlite") as ledger:
            endpoint = Endpoint(base_url, "m", "fake")
            async with ModelClient(endpoint, answers, ledger=ledger, pace=pace) as client:

                async def call(number: int) -> None:
                    reply = await client.ask(kind.question(number))
                    assert isinstance(reply, Answer)

                return await in_flight(call, documents, at_a_time)


@cache
def _schema(text: str) -> Any:
    """A bare client has its schema at hand."""
    return json.loads(text)


@contextmanager
def server() -> Iterator[str]:
    """The address of a fake server that answers after 30 ms."""
    with fake_server_process(latency_ms=30) as process:
        yield process.base_url


def compare(documents: int, rounds: int, at_a_time: int) -> None:
    """Print a line a kind."""
    print(f"{documents} calls, {at_a_time} in flight, median of {rounds} rounds")
    for kind in KINDS:
        taken: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
        for _ in range(rounds):
            with server() as base_url:
                taken["bare"].append(asyncio.run(bare(base_url, kind, documents, at_a_time)))
                taken["ours"].append(asyncio.run(ours(base_url, kind, documents, at_a_time)))
        cpu = {name: statistics.median(value for value, _ in values) for name, values in taken.items()}
        rate = {name: statistics.median(value for _, value in values) for name, values in taken.items()}
        print(
            f"{kind.name:7} bare {cpu['bare']:.2f} ms CPU, {rate['bare']:,.0f}/s   "
            f"ours {cpu['ours']:.2f} ms CPU, {rate['ours']:,.0f}/s   {cpu['ours'] / cpu['bare']:.1f}×"
        )


def memory(documents: int, at_a_time: int) -> None:
    """Print the most memory that this process has held."""
    with server() as base_url:
        asyncio.run(ours(base_url, KINDS[1], documents, at_a_time))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB
    print(f"{documents:,} calls: {peak:.0f} MiB at the most", flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument(
        "--memory", type=int, nargs="+", metavar="DOCUMENTS", help="most memory at so many calls"
    )
    given = parser.parse_args()
    if given.memory is None:
        compare(given.documents, given.rounds, given.in_flight)
    elif len(given.memory) == 1:
        memory(given.memory[0], given.in_flight)
    else:  # each in a process of its own: the most is that of a process's life
        import subprocess

        for documents in given.memory:
            subprocess.run([sys.executable, __file__, "--memory", str(documents)], check=True)


if __name__ == "__main__":
    main()
