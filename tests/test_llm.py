"""Calls to a model: what is retried, what is asked again, what is stored, what it costs."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import pytest
from fake_openai import FakeServer, Reply, fake_openai
from pydantic import BaseModel, Field, SecretStr, create_model

from pipeline.errors import AnswerInvalid, GongkaiError, ModelUnavailable, TransportFailed
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint, Message, remote_endpoint
from pipeline.model.llm import Answer, ModelClient

KEY = "sk-test-0123456789"
PROMPT = "0" * 64
MESSAGES = (Message("system", '只答\u3000JSON。\n例： {"1:3件": "x"}'), Message("user", "1. 公开 78 条"))


class Total(BaseModel):
    """The answer in most tests."""

    total: int = Field(ge=0)


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        yield store


MakeClient = Callable[..., ModelClient]


@pytest.fixture
def client(answers: AnswerStore) -> Iterator[MakeClient]:
    """Makes clients of a fake server or an endpoint; their waits go into a list, nobody waits."""
    with ExitStack() as opened:

        def make(at: FakeServer | Endpoint, waits: list[float] | None = None, **options: Any) -> ModelClient:
            if isinstance(at, FakeServer):
                key = SecretStr(KEY)
                at = Endpoint(at.base_url, "tiny", "fake", "GONGKAI_API_KEY", key, timeout_seconds=5.0)
            sleep = (waits if waits is not None else []).append
            return opened.enter_context(ModelClient(at, answers, sleep=sleep, **options))

        yield make


def ask(model: ModelClient, **options: Any) -> Answer[Total]:
    return model.ask(MESSAGES, Total, **{"prompt_sha256": PROMPT, "max_tokens": 50, **options})


def test_answer_and_its_cost(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 78}')) as fake:
        answer = ask(client(fake))
    assert answer.value == Total(total=78)
    assert (answer.usage.requests, answer.usage.input_tokens) == (1, 100)
    assert (answer.usage.cached_tokens, answer.usage.output_tokens) == (60, 9)
    assert not answer.from_store
    assert answer.stored_usage == answer.usage


def test_messages_go_out_unchanged_with_schema_and_fixed_parameters(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 1}')) as fake:
        ask(client(fake))
        request = fake.requests[0]
    assert request["messages"] == [message.as_dict() for message in MESSAGES]
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["schema"] == Total.model_json_schema()
    assert (request["temperature"], request["max_tokens"], "seed" in request) == (0, 50, True)


def test_messages_of_two_schemas_share_their_bytes(client: MakeClient) -> None:
    other = create_model("Other", total=(int, ...), more=(int, 0))
    with fake_openai(Reply('{"total": 1}')) as fake:
        model = client(fake)
        ask(model)
        model.ask(MESSAGES, other, prompt_sha256=PROMPT, max_tokens=50)
        first, second = (json.dumps(request["messages"], ensure_ascii=False) for request in fake.requests)
    assert first == second


def test_keys_with_numbers_and_figures_are_aliases_in_order(client: MakeClient) -> None:
    labels = Literal["政府网站", "other"]
    keys = ("2:78条", "10:1,204件", "1:零")
    fields: dict[str, Any] = {f"m{index}": (labels, Field(alias=key)) for index, key in enumerate(keys)}
    answer_type = create_model("Labels", **fields)
    content = json.dumps(dict.fromkeys(keys, "other") | {"2:78条": "政府网站"}, ensure_ascii=False)
    with fake_openai(Reply(content)) as fake:
        answer = client(fake).ask(MESSAGES, answer_type, prompt_sha256=PROMPT, max_tokens=50)
        schema = fake.requests[0]["response_format"]["json_schema"]["schema"]
    assert tuple(schema["properties"]) == keys
    assert tuple(schema["required"]) == keys
    assert answer.value.model_dump(by_alias=True)["2:78条"] == "政府网站"
    assert answer.value.model_dump()["m1"] == "other"


TRANSIENT = [
    ("rate limit", Reply(status=429)),
    ("timeout on the server", Reply(status=408)),
    ("conflict", Reply(status=409)),
    ("server error", Reply(status=500)),
    ("unavailable", Reply(status=503)),
    ("connection reset", Reply(fault="reset")),
    ("HTML page instead of JSON", Reply(fault="html")),
    ("half of the JSON", Reply(fault="truncated")),
    ("no choices", Reply(fault="no_choices")),
]


@pytest.mark.parametrize(("name", "fault"), TRANSIENT, ids=[name for name, _ in TRANSIENT])
def test_transport_faults_are_retried_and_counted(name: str, fault: Reply, client: MakeClient) -> None:
    waits: list[float] = []
    with fake_openai(fault, fault, Reply('{"total": 3}')) as fake:
        answer = ask(client(fake, waits))
    assert answer.value.total == 3
    assert answer.usage.requests == 3
    assert len(waits) == 2
    assert all(wait > 0 for wait in waits)


@pytest.mark.parametrize(("name", "fault"), TRANSIENT, ids=[name for name, _ in TRANSIENT])
def test_transport_faults_have_a_cap(
    name: str, fault: Reply, answers: AnswerStore, client: MakeClient
) -> None:
    with fake_openai(fault) as fake, pytest.raises(TransportFailed, match="3 requests"):
        ask(client(fake, max_attempts=3))
    assert len(fake.requests) == 3
    assert len(answers) == 0


def test_timeout_is_retried(client: MakeClient) -> None:
    with fake_openai(Reply(delay_seconds=1.0), Reply('{"total": 3}')) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake", timeout_seconds=0.2)
        answer = ask(client(endpoint))
    assert answer.usage.requests == 2


FAR_AWAY = formatdate(4102444800, usegmt=True)


@pytest.mark.parametrize(("header", "at_least"), [("7", 7.0), ("0", 0.0), (FAR_AWAY, None), ("soon", 0.0)])
def test_retry_after_is_honoured(header: str, at_least: float | None, client: MakeClient) -> None:
    waits: list[float] = []
    with fake_openai(Reply(status=429, headers={"Retry-After": header}), Reply('{"total": 3}')) as fake:
        model = client(fake, waits)
        if at_least is None:  # a date far in the future: longer than anybody waits
            with pytest.raises(TransportFailed):
                ask(model)
            return
        ask(model)
    assert waits[0] >= at_least
    assert waits[0] < max(at_least, 2.0) + 1


REFUSED = [
    ("wrong key", Reply(status=401), ModelUnavailable, "GONGKAI_API_KEY"),
    ("key may not", Reply(status=403), ModelUnavailable, "GONGKAI_API_KEY"),
    ("no such model", Reply(status=404), ModelUnavailable, "'tiny'"),
    ("quota used up", Reply(status=429, code="insufficient_quota"), ModelUnavailable, "quota"),
    ("bad request", Reply(status=400), TransportFailed, "the server said no"),
    ("cut off", Reply('{"total": 7', fault="length"), AnswerInvalid, "finish_reason=length"),
    ("refusal", Reply(fault="refusal"), AnswerInvalid, "refused to answer"),
]


@pytest.mark.parametrize(("name", "reply", "error", "says"), REFUSED, ids=[case[0] for case in REFUSED])
def test_final_faults_are_not_retried(
    name: str, reply: Reply, error: type[GongkaiError], says: str, answers: AnswerStore, client: MakeClient
) -> None:
    with fake_openai(reply) as fake, pytest.raises(error, match=says) as caught:
        ask(client(fake))
    assert len(fake.requests) == 1
    assert KEY not in str(caught.value)
    assert len(answers) == 0


def test_wrong_form_is_asked_again_with_the_error(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": -1}'), Reply("not JSON"), Reply('{"total": 5}')) as fake:
        answer = ask(client(fake))
        last = fake.requests[2]["messages"]
    assert answer.value.total == 5
    assert answer.usage.requests == 3
    assert answer.usage.output_tokens == 27
    assert last[: len(MESSAGES)] == [message.as_dict() for message in MESSAGES]
    assert "greater than or equal to 0" in last[3]["content"]


def test_reasks_have_their_own_cap(answers: AnswerStore, client: MakeClient) -> None:
    replies = (Reply(status=500), Reply('{"total": -1}'), Reply(status=503), Reply('{"total": -2}'))
    with fake_openai(*replies) as fake, pytest.raises(AnswerInvalid, match=r"after 1 re-asks.*-2"):
        ask(client(fake, max_attempts=2, max_reasks=1))
    assert len(fake.requests) == 4
    assert len(answers) == 0


def test_stored_answer_needs_no_request(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 8}')) as fake:
        first = ask(client(fake))
        again = ask(client(fake))
        assert len(fake.requests) == 1
    assert again.from_store
    assert again.value == first.value
    assert again.usage.requests == again.usage.input_tokens == 0
    assert again.stored_usage == first.usage


@pytest.mark.parametrize(
    "change",
    [{"repeat": 1}, {"prompt_sha256": "1" * 64}, {"max_tokens": 51}, {"logprobs": True}],
    ids=["repeat", "prompt", "parameter", "logprobs"],
)
def test_another_question_is_asked(change: dict[str, Any], client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 8}')) as fake:
        ask(client(fake))
        ask(client(fake), **change)
        assert len(fake.requests) == 2


def test_logprobs_come_back_from_the_store(client: MakeClient) -> None:
    reply = Reply('{"total": 8}', logprobs=(('{"', -0.01), ("total", -0.5)))
    with fake_openai(reply) as fake:
        first = ask(client(fake), logprobs=True)
        again = ask(client(fake), logprobs=True)
    assert first.logprobs is not None
    assert [(item.token, item.logprob) for item in first.logprobs] == [('{"', -0.01), ("total", -0.5)]
    assert again.logprobs == first.logprobs


def test_nobody_listens(client: MakeClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(ModelUnavailable, match=url):
        ask(client(Endpoint(url, "tiny", "fake")))


def test_revive_is_called_when_the_connection_fails(client: MakeClient) -> None:
    revived: list[int] = []
    with fake_openai(Reply(fault="reset"), Reply('{"total": 3}')) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake", revive=lambda: revived.append(1))
        ask(client(endpoint))
    assert revived == [1]


def test_grammar_goes_out_in_place_of_the_schema(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 3}')) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake", grammar=lambda schema: f"root: {len(schema)}")
        ask(client(endpoint))
        assert "response_format" not in fake.requests[0]
        assert fake.requests[0]["grammar"].startswith("root: ")


def test_key_is_sent_but_never_shown_or_stored(
    answers: AnswerStore,
    client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("GONGKAI_API_KEY", KEY)
    with fake_openai(Reply(status=500), Reply('{"total": -1}'), Reply('{"total": 3}')) as fake:
        endpoint = remote_endpoint("tiny", fake.base_url)
        ask(client(endpoint))
        assert set(fake.authorizations) == {f"Bearer {KEY}"}
    files = b"".join(path.read_bytes() for path in answers.path.parent.iterdir())
    assert KEY.encode() not in files
    assert KEY not in caplog.text
    assert KEY not in repr(endpoint)


ENDPOINTS = [
    ("no key for a far host", "https://api.example.org/v1", {}, "set GONGKAI_API_KEY or OPENAI_API_KEY"),
    ("no URL", "api.example.org", {"GONGKAI_API_KEY": KEY}, "no base URL"),
    ("key in the URL", f"https://me:{KEY}@api.example.org/v1", {}, "take the key out"),
]


@pytest.mark.parametrize(("name", "url", "keys", "says"), ENDPOINTS, ids=[case[0] for case in ENDPOINTS])
def test_endpoint_is_refused(
    name: str, url: str, keys: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("GONGKAI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in keys.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ModelUnavailable, match=says) as caught:
        remote_endpoint("tiny", url)
    assert KEY not in str(caught.value)


def test_own_key_comes_before_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "common")
    assert remote_endpoint("m", "https://api.example.org/v1").api_key_env == "OPENAI_API_KEY"
    monkeypatch.setenv("GONGKAI_API_KEY", KEY)
    endpoint = remote_endpoint("m", "https://api.example.org/v1/")
    assert (endpoint.api_key_env, endpoint.label) == ("GONGKAI_API_KEY", "api.example.org/v1")
