"""Calls to a model: what goes out, what is retried, what is asked again, what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import pytest
from fake_openai import fake_openai
from fake_replies import Reply
from fake_service import FakeServer
from model_material import (
    KEY,
    MESSAGES,
    PREFIX,
    Total,
    answer,
    ask,
    ask_all,
    client_of,
    endpoint_of,
    question,
    silent_url,
    total,
)
from pydantic import Field, create_model

from pipeline.errors import AnswerInvalid, EndpointGone, GongkaiError, ModelUnavailable, TransportFailed
from pipeline.model.answers import AnswerStore
from pipeline.model.client import ModelClient
from pipeline.model.endpoint import Endpoint, remote_endpoint
from pipeline.model.question import CutOff, ModelForm


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        yield store


MakeClient = Callable[..., ModelClient]


@pytest.fixture
def client(answers: AnswerStore) -> MakeClient:
    def make(at: FakeServer | Endpoint, waits: list[float] | None = None, **options: Any) -> ModelClient:
        return client_of(at, answers, waits, **options)

    return make


def test_answer_and_its_cost(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 78}')) as fake:
        got = answer(client(fake))
    assert total(got) == 78
    assert (got.usage.requests, got.usage.input_tokens) == (1, 100)
    assert (got.usage.cached_tokens, got.usage.output_tokens) == (60, 9)
    assert not got.from_store
    assert got.stored_usage == got.usage


def test_messages_go_out_unchanged_with_schema_and_fixed_parameters(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 1}')) as fake:
        ask(client(fake))
        request = fake.requests[0]
    assert request["messages"] == [message.as_dict() for message in MESSAGES]
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["schema"] == Total.model_json_schema()
    assert (request["temperature"], request["max_tokens"], "seed" in request) == (0, 50, True)
    assert request["model"] == "tiny"


def test_messages_of_two_schemas_share_their_bytes(client: MakeClient) -> None:
    other = create_model("Other", total=(int, ...), more=(int, 0))
    with fake_openai(Reply('{"total": 1}')) as fake:
        ask(client(fake), question(), question(answer_type=other))
        first, second = (json.dumps(request["messages"], ensure_ascii=False) for request in fake.requests)
    assert first == second


def test_shared_messages_are_first_and_the_same_bytes_in_all_requests(client: MakeClient) -> None:
    other = create_model("Other", total=(int, ...), more=(int, 0))
    asked = [
        question("1. 公开 78 条", prefix=PREFIX),
        question("2. 公开 3 条", prefix=PREFIX, max_tokens=7),
        question("3. 零", answer_type=other, prefix=PREFIX, logprobs=True),
    ]
    with fake_openai(Reply('{"total": -1}'), Reply('{"total": 1}')) as fake:  # a re-ask is among them
        ask_all(client(fake), asked)
        bodies, requests = fake.raw_bodies, fake.requests
    shared = f'{{"messages":{PREFIX.as_json},'.encode()
    assert len(bodies) == 4
    assert all(body.startswith(shared) for body in bodies)
    for request in requests:
        assert request["messages"][:3] == [message.as_dict() for message in PREFIX.messages]
    assert requests[-1]["messages"][3:] == [{"role": "user", "content": "3. 零"}]


def test_keys_with_numbers_and_figures_are_aliases_in_order(client: MakeClient) -> None:
    labels = Literal["政府网站", "other"]
    keys = ("2:78条", "10:1,204件", "1:零")
    fields: dict[str, Any] = {f"m{index}": (labels, Field(alias=key)) for index, key in enumerate(keys)}
    answer_type = create_model("Labels", **fields)
    content = json.dumps(dict.fromkeys(keys, "other") | {"2:78条": "政府网站"}, ensure_ascii=False)
    with fake_openai(Reply(content)) as fake:
        got = answer(client(fake), question(answer_type=answer_type))
        schema = fake.requests[0]["response_format"]["json_schema"]["schema"]
    assert tuple(schema["properties"]) == keys
    assert tuple(schema["required"]) == keys
    value = answer_type.model_validate_json(got.content)
    assert value.model_dump(by_alias=True)["2:78条"] == "政府网站"
    assert value.model_dump()["m1"] == "other"


TRANSIENT = [
    ("rate limit", Reply(status=429)),
    ("timeout on the server", Reply(status=408)),
    ("conflict", Reply(status=409)),
    ("server error", Reply(status=500)),
    ("bad gateway with a page", Reply(fault="html_502")),
    ("unavailable", Reply(status=503)),
    ("gateway timeout", Reply(status=504)),
    ("overloaded", Reply(status=529)),
    ("connection reset", Reply(fault="reset")),
    ("connection reset in the middle", Reply('{"total": 3}', fault="reset_midway")),
    ("HTML page instead of JSON", Reply(fault="html")),
    ("nothing", Reply(fault="empty_body")),
    ("half of the JSON", Reply(fault="truncated")),
    ("no choices", Reply(fault="no_choices")),
    ("choices null", Reply(fault="null_choices")),
    ("message null", Reply(fault="null_message")),
]
IDS = [name for name, _ in TRANSIENT]


@pytest.mark.parametrize(("name", "fault"), TRANSIENT, ids=IDS)
def test_transport_faults_are_retried_and_counted(name: str, fault: Reply, client: MakeClient) -> None:
    waits: list[float] = []
    with fake_openai(fault, fault, Reply('{"total": 3}')) as fake:
        got = answer(client(fake, waits))
    assert total(got) == 3
    assert got.usage.requests == 3
    assert len(waits) == 2
    assert all(wait > 0 for wait in waits)


@pytest.mark.parametrize(("name", "fault"), TRANSIENT, ids=IDS)
def test_transport_faults_have_a_cap(
    name: str, fault: Reply, answers: AnswerStore, client: MakeClient
) -> None:
    with fake_openai(fault) as fake, pytest.raises(TransportFailed, match="3 requests"):
        ask(client(fake, max_attempts=3))
    assert len(fake.requests) == 3
    assert len(answers) == 0


SLOW = [
    ("late", Reply(delay_seconds=30.0)),
    ("never", Reply(fault="stall")),
    ("stops in the middle", Reply('{"total": 3}', fault="stall_midway")),
]


@pytest.mark.parametrize(("name", "slow"), SLOW, ids=[name for name, _ in SLOW])
def test_timeout_is_retried(name: str, slow: Reply, client: MakeClient) -> None:
    with fake_openai(slow, Reply('{"total": 3}')) as fake:
        got = answer(client(endpoint_of(fake, timeout_seconds=0.5)))
    assert (total(got), got.usage.requests) == (3, 2)


FAR_AWAY = formatdate(4102444800, usegmt=True)


@pytest.mark.parametrize(
    ("headers", "at_least"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "119"}, 119.0),
        ({"Retry-After": "121"}, None),
        ({"Retry-After": FAR_AWAY}, None),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"retry-after-ms": "8500"}, 8.5),
    ],
)
def test_retry_after_is_honoured(headers: dict[str, str], at_least: float | None, client: MakeClient) -> None:
    waits: list[float] = []
    with fake_openai(Reply(status=429, headers=headers), Reply('{"total": 3}')) as fake:
        model = client(fake, waits)
        if at_least is None:  # longer than anybody waits
            with pytest.raises(EndpointGone, match=r"asks to wait .* seconds.*Run the same command again"):
                ask(model)
            assert (len(fake.requests), waits) == (1, [])
            return
        ask(model)
    assert waits[0] >= at_least
    assert waits[0] < max(at_least, 2.0) + 1


REFUSED = [
    ("wrong key", Reply(status=401), ModelUnavailable, "GONGKAI_API_KEY"),
    ("key may not", Reply(status=403), ModelUnavailable, "GONGKAI_API_KEY"),
    ("no such model", Reply(status=404), ModelUnavailable, "'tiny'"),
    ("nothing paid", Reply(status=402), ModelUnavailable, "quota"),
    ("quota used up", Reply(status=429, code="insufficient_quota"), ModelUnavailable, "quota"),
    ("bad request", Reply(status=400), TransportFailed, "the server said no"),
    ("refusal", Reply(fault="refusal"), AnswerInvalid, "refused to answer"),
    ("content filter", Reply('{"total": 7}', fault="content_filter"), AnswerInvalid, "content_filter"),
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


def test_key_in_an_error_of_the_endpoint_is_blotted_out(client: MakeClient) -> None:
    with (
        fake_openai(Reply(status=400, code=f"no such key {KEY}")) as fake,
        pytest.raises(TransportFailed) as caught,
    ):
        ask(client(fake))
    assert "no such key ***" in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_answer_that_is_cut_off_is_a_reply(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 7', fault="length")) as fake:
        reply, again = ask(client(fake)), ask(client(fake))
        assert len(fake.requests) == 1, "with the same room it would be cut off again"
    assert isinstance(reply, CutOff)
    assert isinstance(again, CutOff)
    assert "finish_reason=length" in reply.message
    assert '{"total": 7' in reply.message
    assert (reply.usage.requests, reply.usage.output_tokens) == (1, 9)


WRONG_FORMS = [
    ("value not allowed", Reply('{"total": -1}'), "greater than or equal to 0"),
    ("not JSON", Reply("not JSON"), "Invalid JSON"),
    ("nothing written", Reply(""), "Invalid JSON"),
    ("prose around JSON", Reply('好的，以下是答案：{"total": 3}'), "Invalid JSON"),
    ("key missing", Reply('{"total": 3}', fault="missing_key"), "Field required"),
    ("label not allowed", Reply('{"total": 3}', fault="wrong_label"), "valid integer"),
    ("half a character", Reply('{"total": "\\ud800"}'), "total"),
]


@pytest.mark.parametrize(("name", "wrong", "says"), WRONG_FORMS, ids=[case[0] for case in WRONG_FORMS])
def test_wrong_form_is_asked_again_with_the_error(
    name: str, wrong: Reply, says: str, answers: AnswerStore, client: MakeClient
) -> None:
    with fake_openai(wrong, wrong, Reply('{"total": 5}')) as fake:
        got = answer(client(fake))
        last = fake.requests[2]["messages"]
    assert total(got) == 5
    assert got.usage.requests == 3
    assert got.usage.output_tokens == 27
    assert last[: len(MESSAGES)] == [message.as_dict() for message in MESSAGES]
    assert says in last[-1]["content"]
    assert len(last) > len(MESSAGES) + 2
    assert len(answers) == 1


def test_fenced_json_is_an_answer(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 3}', fault="fenced")) as fake:
        first, again = ask_all(client(fake), [question(), question()])
        assert len(fake.requests) == 1
    assert total(first) == total(again) == 3


def test_reasks_have_their_own_cap(answers: AnswerStore, client: MakeClient) -> None:
    replies = (Reply(status=500), Reply('{"total": -1}'), Reply(status=503), Reply('{"total": -2}'))
    with fake_openai(*replies) as fake, pytest.raises(AnswerInvalid, match=r"after 1 re-asks.*-2"):
        ask(client(fake, max_attempts=2, max_reasks=1))
    assert len(fake.requests) == 4
    assert len(answers) == 0


def test_stored_answer_needs_no_request(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 8}')) as fake:
        first = answer(client(fake))
        again = answer(client(fake))
        assert len(fake.requests) == 1
    assert again.from_store
    assert again.content == first.content
    assert again.usage.requests == again.usage.input_tokens == 0
    assert again.stored_usage == first.usage


@dataclass(frozen=True)
class NoEight(ModelForm):
    """A check that is no part of the schema."""

    def check(self, content: str) -> None:
        super().check(content)
        if "8" in content:
            raise ValueError("8 is out of use")


def test_stored_answer_that_a_check_refuses_by_now_is_asked_again(client: MakeClient) -> None:
    strict = replace(question(), form=NoEight(Total))
    with fake_openai(Reply('{"total": 8}'), Reply('{"total": 8}'), Reply('{"total": 9}')) as fake:
        ask(client(fake))
        got = answer(client(fake), strict)
        assert len(fake.requests) == 3
        assert "8 is out of use" in fake.requests[2]["messages"][-1]["content"]
    assert total(got) == 9


@pytest.mark.parametrize(
    "change",
    [{"repeat": 1}, {"prompt_sha256": "1" * 64}, {"max_tokens": 51}, {"logprobs": True}],
    ids=["repeat", "prompt", "parameter", "logprobs"],
)
def test_another_question_is_asked(change: dict[str, Any], client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 8}')) as fake:
        ask(client(fake), question(), question(**change))
        assert len(fake.requests) == 2


def test_logprobs_come_back_from_the_store(client: MakeClient) -> None:
    reply = Reply('{"total": 8}', logprobs=(('{"', -0.01), ("total", -0.5)))
    with fake_openai(reply) as fake:
        first = answer(client(fake), question(logprobs=True))
        again = answer(client(fake), question(logprobs=True))
        assert (fake.requests[0]["logprobs"], fake.requests[0]["top_logprobs"]) == (True, 20)
    assert first.logprobs is not None
    assert [(item.token, item.logprob) for item in first.logprobs] == [('{"', -0.01), ("total", -0.5)]
    assert again.logprobs == first.logprobs


def test_nobody_listens(client: MakeClient) -> None:
    url, waits = silent_url(), list[float]()
    with pytest.raises(ModelUnavailable, match=url):
        ask(client(Endpoint(url, "tiny", "fake"), waits))
    assert waits == []


def test_revive_is_called_when_the_connection_fails(client: MakeClient) -> None:
    revived: list[int] = []
    with fake_openai(Reply(fault="reset"), Reply(status=500), Reply('{"total": 3}')) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake", revive=lambda: revived.append(1))
        ask(client(endpoint))
    assert revived == [1]


def test_a_revival_that_fails_ends_all(client: MakeClient) -> None:
    def revive() -> None:
        raise ModelUnavailable("the server does not come up")

    with pytest.raises(ModelUnavailable, match="does not come up"):
        ask(client(Endpoint(silent_url(), "tiny", "fake", revive=revive)))


def test_grammar_goes_out_in_place_of_the_schema(client: MakeClient) -> None:
    with fake_openai(Reply('{"total": 3}')) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake", grammar=lambda schema: f"root: {len(schema)}")
        ask(client(endpoint))
        assert "response_format" not in fake.requests[0]
        assert fake.requests[0]["grammar"].startswith("root: ")


def test_half_a_character_in_a_question_does_no_harm(answers: AnswerStore, client: MakeClient) -> None:
    broken = [question("公开\ud800 78 条"), question("公开\udfff 78 条"), question("公开? 78 条")]
    with fake_openai(*(Reply(f'{{"total": {number}}}') for number in (1, 2, 3))) as fake:
        replies = ask_all(client(fake), [*broken, *broken])
        assert len(fake.requests) == 3  # three questions, each of its own key
        assert fake.requests[0]["messages"][0]["content"] == "公开? 78 条"
    assert [total(reply) for reply in replies] == [1, 2, 3, 1, 2, 3]
    assert len(answers) == 3


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
