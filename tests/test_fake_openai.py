"""The fake server: every fault as a client meets it, the oracle, limits, batches, kill and restart."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

import aiohttp
import httpx2
import openai
import pytest
from fake_openai import fake_openai
from fake_oracle import oracle, question_id
from fake_replies import ANSWER_FAULTS, RANDOM_FAULTS, TRANSPORT_FAULTS, Behaviour, Fault, Reply
from fake_server import ServerProcess, behaviour_of, fake_server_process
from fake_service import FakeServer
from pydantic import BaseModel, Field

JSON = dict[str, Any]


class Labels(BaseModel):
    """Two figures to be labelled."""

    first: Literal["政府网站", "微博", "无关"] = Field(alias="1:78条")
    second: Literal["政府网站", "微博", "无关"] = Field(alias="2:3条")


SCHEMA = Labels.model_json_schema()


def asking(text: str = "公开78条。", **more: Any) -> JSON:
    schema = {"type": "json_schema", "json_schema": {"name": "Labels", "schema": SCHEMA}}
    messages = [{"role": "system", "content": "只答JSON。"}, {"role": "user", "content": text}]
    return {"model": "tiny", "messages": messages, "response_format": schema, **more}


@contextmanager
def client(base_url: str, seconds: float = 5.0) -> Iterator[httpx2.Client]:
    # verify=False: no TLS here, and loading the certificates takes longer than a test.
    with httpx2.Client(base_url=base_url, timeout=seconds, trust_env=False, verify=False) as opened:
        yield opened


def post(server: FakeServer | ServerProcess, body: JSON, seconds: float = 5.0) -> httpx2.Response:
    with client(server.base_url, seconds) as opened:
        return opened.post("/chat/completions", json=body)


def content_of(response: httpx2.Response) -> str:
    content: str = response.json()["choices"][0]["message"]["content"]
    return content


# Faults: what a client meets


def seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


ERRORS: list[tuple[Fault, int, Callable[[httpx2.Response], object]]] = [
    ("429", 429, lambda got: "retry-after" not in got.headers),
    ("429_seconds", 429, lambda got: got.headers["retry-after"] == "1"),
    ("429_date", 429, lambda got: 0 <= seconds_until(got.headers["retry-after"]) <= 2),
    ("429_ms", 429, lambda got: got.headers["retry-after-ms"] == "1000"),
    ("quota", 429, lambda got: got.json()["error"]["code"] == "insufficient_quota"),
    ("500", 500, lambda got: got.json()["error"]["message"]),
    ("502", 502, lambda got: "retry-after" not in got.headers),
    ("503", 503, lambda got: got.headers["retry-after"] == "1"),
    ("504", 504, lambda got: got.json()["error"]),
    ("529", 529, lambda got: got.json()["error"]),
    ("408", 408, lambda got: got.json()["error"]),
    ("409", 409, lambda got: got.json()["error"]),
    ("401", 401, lambda got: got.json()["error"]["code"] == "invalid_api_key"),
    ("403", 403, lambda got: got.json()["error"]),
    ("404", 404, lambda got: got.json()["error"]["code"] == "model_not_found"),
    ("html", 200, lambda got: got.text.startswith("<html>") and got.headers["content-type"] == "text/html"),
    ("html_502", 502, lambda got: got.text.startswith("<html>")),
    ("empty_body", 200, lambda got: got.content == b""),
    ("truncated", 200, lambda got: got.content.startswith(b"{") and not got.content.endswith(b"}")),
]

CUTS: list[tuple[Fault, type[Exception]]] = [
    ("reset", httpx2.NetworkError),
    ("reset_midway", httpx2.NetworkError),
    ("stall", httpx2.ReadTimeout),
    ("stall_midway", httpx2.ReadTimeout),
]


def choice(got: JSON) -> JSON:
    first: JSON = got["choices"][0]
    return first


def labels(got: JSON) -> Any:
    return json.loads(choice(got)["message"]["content"])


def half_of_the_oracles(got: JSON) -> bool:
    content = choice(got)["message"]["content"]
    whole = oracle("公开78条。", SCHEMA)
    return bool(content) and whole.startswith(content) and len(content) == len(whole) // 2


ANSWERS: list[tuple[Fault, Callable[[JSON], object]]] = [
    ("no_choices", lambda got: got["choices"] == []),
    ("null_choices", lambda got: got["choices"] is None),
    ("null_message", lambda got: choice(got)["message"] is None),
    ("length", lambda got: choice(got)["finish_reason"] == "length" and half_of_the_oracles(got)),
    ("not_json", lambda got: choice(got)["message"]["content"].startswith("好的")),
    ("wrong_label", lambda got: labels(got)["1:78条"] == "没有这个标签" and len(labels(got)) == 2),
    ("missing_key", lambda got: list(labels(got)) == ["2:3条"]),
    ("refusal", lambda got: choice(got)["message"]["refusal"] and choice(got)["message"]["content"] is None),
    ("content_filter", lambda got: choice(got)["finish_reason"] == "content_filter"),
    ("no_usage", lambda got: "usage" not in got and labels(got)),
    ("usage_negative", lambda got: got["usage"]["prompt_tokens"] < 0 and labels(got)),
    ("usage_huge", lambda got: got["usage"]["prompt_tokens"] >= 10**15),
    ("usage_strings", lambda got: got["usage"]["prompt_tokens"] == "many"),
    ("fenced", lambda got: re.fullmatch(r"```json\n\{.*\}\n```", choice(got)["message"]["content"])),
]


def test_every_fault_is_in_a_table() -> None:
    tested = {row[0] for row in (*ERRORS, *CUTS, *ANSWERS)}
    assert tested == {*RANDOM_FAULTS, "quota", "401", "403", "404"}
    assert {row[0] for row in ANSWERS} == set(ANSWER_FAULTS)


@pytest.mark.parametrize(("fault", "status", "holds"), ERRORS, ids=[row[0] for row in ERRORS])
def test_errors(fault: Fault, status: int, holds: Callable[[httpx2.Response], object]) -> None:
    with fake_openai(Reply(None, fault)) as fake:
        got = post(fake, asking())
        assert got.status_code == status
        assert int(got.headers["content-length"]) == len(got.content)
        assert holds(got)
        assert fake.stats()["answered"] == {fault: 1}


@pytest.mark.parametrize(("fault", "error"), CUTS, ids=[row[0] for row in CUTS])
def test_cut_connections(fault: Fault, error: type[Exception]) -> None:
    with fake_openai(Reply(None, fault)) as fake:
        with pytest.raises(error):
            post(fake, asking(), seconds=0.2)
        settled(fake)
        ended = fake.stats()
        assert ended["dropped" if fault.startswith("stall") else "answered"] == {fault: 1}
        assert ended["tokens"] == {"input": 0, "cached": 0, "output": 0}


def settled(fake: FakeServer) -> None:
    """Wait until nothing is in flight: the server learns a little later that a client has gone."""
    end = time.monotonic() + 2
    while fake.stats()["in_flight"] and time.monotonic() < end:
        time.sleep(0.005)
    assert fake.stats()["in_flight"] == 0


def test_half_a_body_comes_before_the_stall() -> None:
    with fake_openai(Reply(None, "stall_midway")) as fake, client(fake.base_url, 0.2) as opened:
        with opened.stream("POST", "/chat/completions", json=asking()) as got:
            pieces = got.iter_raw()
            first = next(pieces)
            with pytest.raises(httpx2.ReadTimeout):
                next(pieces)
        assert 0 < len(first) < int(got.headers["content-length"])


def test_a_stall_has_an_end() -> None:
    with (
        fake_openai(Reply(None, "stall"), behaviour=Behaviour(stall_seconds=0.05)) as fake,
        pytest.raises(httpx2.NetworkError),
    ):
        post(fake, asking())


@pytest.mark.parametrize(("fault", "holds"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_bad_answers(fault: Fault, holds: Callable[[JSON], object]) -> None:
    with fake_openai(Reply(None, fault)) as fake:
        got = post(fake, asking())
        assert (got.status_code, got.headers["content-type"]) == (200, "application/json")
        assert holds(got.json())


def test_script_first_then_the_oracle() -> None:
    with fake_openai(Reply('{"a":1}'), Reply(status=500, headers={"X-Why": "test"}), Reply(None)) as fake:
        got = [post(fake, asking()) for _ in range(4)]
        assert [item.status_code for item in got] == [200, 500, 200, 200]
        assert (content_of(got[0]), got[1].headers["x-why"]) == ('{"a":1}', "test")
        assert got[0].json()["usage"]["total_tokens"] == 109
        assert content_of(got[2]) == content_of(got[3]) == oracle("公开78条。", SCHEMA)
        assert len(fake.requests) == len(fake.raw_bodies) == len(fake.authorizations) == 4


REFUSED = [
    ("no JSON", b"{", "parse"),
    ("no object", b"[]", "object"),
    ("no messages", b"{}", "messages"),
    ("stream", json.dumps(asking(stream=True)).encode(), "stream"),
]


@pytest.mark.parametrize(("name", "body", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_requests_that_are_refused(name: str, body: bytes, says: str) -> None:
    with fake_openai() as fake, client(fake.base_url) as opened:
        got = opened.post("/chat/completions", content=body)
        assert got.status_code == 400
        assert says in got.json()["error"]["message"]


# The oracle


class Deep(BaseModel):
    """All that a schema may hold."""

    label: Literal["a", "b"] | None
    count: int | None
    least: float = Field(ge=2)
    flag: bool
    name: str = Field(min_length=2)
    const: Literal["k"]
    items: list[int] = Field(min_length=2)
    below: Deep | None


@pytest.mark.parametrize("text", ["一", "二", "三", "四", "五"])
def test_oracle_fits_its_schema(text: str) -> None:
    answer = Deep.model_validate_json(oracle(text, Deep.model_json_schema()))
    assert answer.label in ("a", "b")
    assert answer.count in (0, None)
    assert oracle(text, Deep.model_json_schema()) == oracle(text, Deep.model_json_schema())


def test_oracle_uses_all_labels_and_tells_properties_apart() -> None:
    answers = [json.loads(oracle(f"第{number}句。", SCHEMA)) for number in range(30)]
    assert {answer["1:78条"] for answer in answers} == {"政府网站", "微博", "无关"}
    assert any(answer["1:78条"] != answer["2:3条"] for answer in answers)


ODD_SCHEMAS: list[tuple[str, JSON | None, str]] = [
    ("none", None, "{}"),
    ("list of types", {"properties": {"n": {"type": ["null", "null"]}}}, '{"n":null}'),
    ("reference", {"$defs": {"a/b": {"const": 1}}, "properties": {"n": {"$ref": "#/$defs/a~1b"}}}, '{"n":1}'),
    ("all of", {"allOf": [{"type": "integer", "exclusiveMinimum": 3}]}, "4"),
    ("nullable label", {"anyOf": [{"type": "null"}, {"enum": ["x"]}]}, '"x"'),
    ("anything", {}, "null"),
]


@pytest.mark.parametrize(("name", "schema", "answer"), ODD_SCHEMAS, ids=[row[0] for row in ODD_SCHEMAS])
def test_oracle_on_odd_schemas(name: str, schema: JSON | None, answer: str) -> None:
    assert oracle("问", schema) == answer


def test_logprobs_make_up_the_content() -> None:
    with fake_openai() as fake:
        got = post(fake, asking(logprobs=True, top_logprobs=2)).json()
    tokens = choice(got)["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == choice(got)["message"]["content"]
    assert all(token["logprob"] < 0 and len(token["top_logprobs"]) == 2 for token in tokens)
    assert all(bytes(token["bytes"]).decode() == token["token"] for token in tokens)


def test_usage_is_of_the_text_and_the_prefix_is_cached_once_seen() -> None:
    with fake_openai() as fake:
        first, second = (post(fake, asking(text)).json()["usage"] for text in ("公开78条。", "公开3条。"))
        tokens = fake.stats()["tokens"]
    assert first["prompt_tokens"] == 10  # 0.7 × (7 + 6), each message rounded up
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert second["prompt_tokens_details"]["cached_tokens"] == 5
    written = first["completion_tokens"] + second["completion_tokens"]
    assert tokens == {
        "input": first["prompt_tokens"] + second["prompt_tokens"],
        "cached": 5,
        "output": written,
    }


def test_a_reask_is_the_same_question_with_the_same_answer() -> None:
    body = asking()
    with fake_openai(Reply(None, "wrong_label"), Reply(None)) as fake:
        wrong = content_of(post(fake, body))
        again = [
            {"role": "assistant", "content": wrong},
            {"role": "user", "content": "1:78条: no such label"},
        ]
        right = content_of(post(fake, body | {"messages": body["messages"] + again}))
        assert right == oracle("公开78条。", SCHEMA)
        name = question_id("公开78条。", SCHEMA)
        assert fake.stats()["questions"] == {
            name: {"received": 2, "ok": 1, "kinds": {"wrong_label": 1, "ok": 1}}
        }


# Chance, limits, latency


def test_a_question_suffers_at_most_so_many_faults() -> None:
    behaviour = Behaviour(faults=1.0, kinds=("500", "length", "refusal"), max_faults=3)
    with fake_openai(behaviour=behaviour) as fake:
        for text in ("一", "二"):
            for _ in range(5):
                post(fake, asking(text))
        counts = fake.stats()["questions"].values()
    assert [(count["received"], count["ok"]) for count in counts] == [(5, 2), (5, 2)]


def test_faults_come_in_their_share_and_of_all_kinds() -> None:
    kinds: tuple[Fault, ...] = ("429", "500", "fenced")
    behaviour = Behaviour(faults=0.5, kinds=kinds, max_faults=0, seed=3)
    with fake_openai(behaviour=behaviour) as fake, client(fake.base_url) as opened:
        for _ in range(100):
            opened.post("/chat/completions", json=asking())
        answered = fake.stats()["answered"]
    assert set(answered) == {"ok", *kinds}
    assert 35 <= answered["ok"] <= 65


async def post_together(base_url: str, count: int) -> list[int]:
    async with aiohttp.ClientSession(trust_env=False) as session:

        async def one(number: int) -> int:
            async with session.post(f"{base_url}/chat/completions", json=asking(str(number))) as got:
                await got.read()
                return got.status

        return await asyncio.gather(*(one(number) for number in range(count)))


def test_limit_of_requests_at_a_time() -> None:
    with fake_openai(behaviour=Behaviour(limit_inflight=3, latency_ms=150)) as fake:
        statuses = asyncio.run(post_together(fake.base_url, 8))
        stats = fake.stats()
    assert (statuses.count(200), statuses.count(429)) == (3, 5)
    assert stats["answered"] == {"ok": 3, "limit_inflight": 5}
    assert 3 < stats["peak_in_flight"] <= 8


def test_limit_of_requests_a_minute() -> None:
    with fake_openai(behaviour=Behaviour(rpm=120)) as fake, client(fake.base_url) as opened:
        got = [opened.post("/chat/completions", json=asking()) for _ in range(4)]
    assert [item.status_code for item in got] == [200, 200, 429, 429]
    assert got[2].headers["retry-after"] == "1"


def test_latency_and_its_jitter() -> None:
    with fake_openai(behaviour=Behaviour(latency_ms=40, jitter=0.5)) as fake:
        started = time.monotonic()
        post(fake, asking())
    assert 0.02 <= time.monotonic() - started < 1


# Files and batches, through the real client


@contextmanager
def batch_client(base_url: str) -> Iterator[openai.OpenAI]:
    http = openai.DefaultHttpxClient(trust_env=False, verify=False)
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, http_client=http) as opened:
        yield opened


def line(number: int, **changes: Any) -> JSON:
    body = asking(f"第{number}句。")
    return {
        "custom_id": f"q{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
        **changes,
    }


def jsonl(*lines: JSON) -> bytes:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in lines).encode()


def start(api: openai.OpenAI, content: bytes, **more: Any) -> Any:
    file = api.files.create(file=("in.jsonl", content), purpose="batch")
    return api.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", **more
    )


def ended(api: openai.OpenAI, name: str) -> Any:
    """The batch at its end, and the states seen on the way."""
    seen: list[str] = []
    while True:
        batch = api.batches.retrieve(name)
        if batch.status not in seen:
            seen.append(batch.status)
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            return batch, seen
        time.sleep(0.01)


def rows(api: openai.OpenAI, name: str | None) -> list[JSON]:
    if name is None:
        return []
    return [json.loads(text) for text in api.files.content(name).text.splitlines()]


def test_files() -> None:
    with fake_openai() as fake, batch_client(fake.base_url) as api:
        made = [api.files.create(file=(f"{n}.jsonl", b"x" * n), purpose="batch") for n in range(5)]
        assert [item.id for item in api.files.list(limit=2)] == [item.id for item in reversed(made)]
        assert [item.id for item in api.files.list(order="asc", limit=2)] == [item.id for item in made]
        page = api.files.list(limit=2, after=made[2].id)
        assert ([item.id for item in page.data], page.has_more) == ([made[1].id, made[0].id], False)
        assert api.files.list(purpose="batch_output").data == []
        found = api.files.retrieve(made[3].id)
        assert (found, found.filename, found.bytes) == (made[3], "3.jsonl", 3)
        assert api.files.content(found.id).read() == b"xxx"
        assert api.files.delete(found.id).deleted
        for call in (api.files.retrieve, api.files.content, api.files.delete):
            with pytest.raises(openai.NotFoundError, match="No such File"):
                call(found.id)
        with pytest.raises(openai.BadRequestError, match="page"):
            api.files.list(after=found.id)
        with pytest.raises(openai.BadRequestError, match="purpose"):
            api.files.create(file=("a", b""), purpose="vision")


def test_a_batch_runs_to_its_end() -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0.3)) as fake, batch_client(fake.base_url) as api:
        made = start(api, jsonl(*map(line, range(20))), metadata={"run": "r1"})
        batch, seen = ended(api, made.id)
        assert seen == ["validating", "in_progress", "finalizing", "completed"]
        assert (batch.model, batch.metadata, batch.error_file_id) == ("tiny", {"run": "r1"}, None)
        assert batch.request_counts.model_dump() == {"total": 20, "completed": 20, "failed": 0}
        assert batch.created_at <= batch.in_progress_at <= batch.finalizing_at <= batch.completed_at
        got = rows(api, batch.output_file_id)
        assert api.files.retrieve(batch.output_file_id).purpose == "batch_output"
        names = [row["custom_id"] for row in got]
        assert sorted(names) == sorted(f"q{n}" for n in range(20))
        assert names != sorted(names, key=lambda name: int(name[1:]))
        for row in got:
            answer = choice(row["response"]["body"])["message"]["content"]
            assert answer == oracle(f"第{row['custom_id'][1:]}句。", SCHEMA)
        assert batch.usage.input_tokens == fake.stats()["tokens"]["input"] > 0
        assert fake.stats()["batch_lines"] == {"ok": 20}


BAD_INPUT = [
    ("no JSON", b"{\n", "invalid_json_line"),
    ("nothing", b"", "empty_file"),
    ("no custom_id", jsonl({"method": "POST", "url": "x", "body": asking()}), "missing_required_parameter"),
    ("no messages", jsonl(line(1, body={})), "missing_required_parameter"),
    ("name used twice", jsonl(line(1), line(1)), "duplicate_custom_id"),
    ("another URL", jsonl(line(1, url="/v1/embeddings")), "invalid_request"),
    ("two models", jsonl(line(1), line(2, body=asking() | {"model": "large"})), "mismatched_model"),
]


@pytest.mark.parametrize(("name", "content", "code"), BAD_INPUT, ids=[row[0] for row in BAD_INPUT])
def test_batches_that_fail_in_validation(name: str, content: bytes, code: str) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0)) as fake, batch_client(fake.base_url) as api:
        batch, _ = ended(api, start(api, content).id)
        assert (batch.status, batch.output_file_id) == ("failed", None)
        assert batch.errors.data[0].code == code


def test_first_batches_fail_and_expire() -> None:
    behaviour = Behaviour(batch_seconds=0, failing_batches=1, expiring_batches=1, expired_share=0.7)
    with fake_openai(behaviour=behaviour) as fake, batch_client(fake.base_url) as api:
        content = jsonl(*map(line, range(10)))
        failed, expired, good = (ended(api, start(api, content).id)[0] for _ in range(3))
        assert (failed.status, failed.errors.data[0].code) == ("failed", "token_limit_exceeded")
        assert (expired.status, expired.request_counts.completed) == ("expired", 7)
        assert len(rows(api, expired.output_file_id)) == 7
        left = rows(api, expired.error_file_id)
        assert {(row["response"], row["error"]["code"]) for row in left} == {(None, "batch_expired")}
        assert (good.status, good.request_counts.completed) == ("completed", 10)


def test_lines_of_a_batch_fail_by_chance() -> None:
    behaviour = Behaviour(batch_seconds=0, batch_faults=1.0, kinds=("500", "refusal", "reset"), max_faults=1)
    with fake_openai(behaviour=behaviour) as fake, batch_client(fake.base_url) as api:
        content = jsonl(*map(line, range(20)))
        first, second = (ended(api, start(api, content).id)[0] for _ in range(2))
        assert first.request_counts.failed > 0
        bad, odd = rows(api, first.error_file_id), rows(api, first.output_file_id)
        assert len(bad) + len(odd) == 20
        assert {row["response"]["status_code"] for row in bad} == {500}
        assert all(choice(row["response"]["body"])["message"]["refusal"] for row in odd)
        assert second.request_counts.completed == 20
        assert set(fake.stats()["batch_lines"]) == {"500", "refusal", "ok"}


def test_a_batch_is_cancelled() -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0.4)) as fake, batch_client(fake.base_url) as api:
        made = start(api, jsonl(*map(line, range(10))))
        time.sleep(0.2)
        assert api.batches.cancel(made.id).status == "cancelling"
        batch, _ = ended(api, made.id)
        assert batch.status == "cancelled"
        assert 0 < batch.request_counts.completed < 10
        left = rows(api, batch.error_file_id)
        assert len(left) + len(rows(api, batch.output_file_id)) == 10
        assert left[0]["error"]["code"] == "batch_cancelled"
        with pytest.raises(openai.ConflictError, match="cancelled"):
            api.batches.cancel(made.id)


def test_batches_are_listed_newest_first() -> None:
    with fake_openai() as fake, batch_client(fake.base_url) as api:
        made = [start(api, jsonl(line(1))).id for _ in range(5)]
        assert [item.id for item in api.batches.list(limit=2)] == made[::-1]
        assert [item.id for item in api.batches.list(limit=1, after=made[1]).data] == [made[0]]
        with pytest.raises(openai.NotFoundError):
            api.batches.retrieve("batch_none")
        with pytest.raises(openai.NotFoundError):
            api.batches.create(
                input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h"
            )


@pytest.mark.parametrize("fault", TRANSPORT_FAULTS)
def test_faults_of_files_and_batches_do_not_last(fault: Fault) -> None:
    behaviour = Behaviour(
        faults=1.0, kinds=(fault,), max_faults=1, fault_places=frozenset({"files"}), stall_seconds=0.02
    )
    with fake_openai(behaviour=behaviour) as fake, client(fake.base_url) as opened:

        def upload() -> httpx2.Response:
            return opened.post("/files", files={"file": ("a.jsonl", b"x")}, data={"purpose": "batch"})

        try:
            first: httpx2.Response | None = upload()
        except httpx2.TransportError:
            first = None
        assert first is None or not (first.status_code == 200 and first.content.endswith(b"}"))
        assert upload().json()["object"] == "file"
        assert post(fake, asking()).status_code == 200


def test_a_batch_whose_answer_was_lost_exists() -> None:
    behaviour = Behaviour(
        faults=1.0, kinds=("reset_midway",), max_faults=1, fault_places=frozenset({"batches"})
    )
    with fake_openai(behaviour=behaviour) as fake, batch_client(fake.base_url) as api:
        with pytest.raises(openai.APIConnectionError):
            start(api, jsonl(line(1)))
        with pytest.raises(openai.APIConnectionError):
            api.batches.list()
        assert len(api.batches.list().data) == 1


# The process


def test_process_counts_logs_and_outlives_a_kill(tmp_path: Path) -> None:
    options = {"state": tmp_path / "state", "log": tmp_path / "log.jsonl", "batch_seconds": 0.1}
    with fake_server_process(**options, latency_ms=30) as server, batch_client(server.base_url) as api:
        post(server, asking())
        with pytest.raises(httpx2.ReadTimeout):
            post(server, asking("又一句。"), seconds=0.01)
        made = start(api, jsonl(*map(line, range(3))))
        stats = server.stats()
        assert (stats["requests"], stats["answered"], stats["dropped"]) == (4, {"ok": 3}, {"ok": 1})
        events = [(event["event"], event["number"]) for event in server.events()]
        assert events[:4] == [("arrived", 1), ("answered", 1), ("arrived", 2), ("dropped", 2)]
        assert server.events()[0]["question"] == question_id("公开78条。", SCHEMA)
        server.kill()
        with pytest.raises(httpx2.ConnectError):
            post(server, asking())
        url = server.base_url
        server.restart()
        assert server.base_url == url
        batch, _ = ended(api, made.id)
        assert len(rows(api, batch.output_file_id)) == 3
        assert len([event for event in server.events() if event["event"] == "batch_line"]) == 3


def test_process_ends_when_its_parent_lets_go() -> None:
    with fake_server_process() as server:
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(timeout=5) == 0


def test_command_line() -> None:
    behaviour, asked = behaviour_of(
        ["--faults", "0.3", "--kinds", "500,reset", "--fault-places", "chat,files"]
    )
    assert (behaviour.faults, tuple(behaviour.kinds)) == (0.3, ("500", "reset"))
    assert behaviour.fault_places == {"chat", "files"}
    assert (asked.port, behaviour.log, behaviour.keep_requests) == (0, None, False)


def test_command_line_knows_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        behaviour_of(["--kinds", "500,quota"])
    assert "unknown ['quota']" in capsys.readouterr().err


def test_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RuntimeError, match="did not start"):
        fake_server_process(port=taken.getsockname()[1]).__enter__()
