"""Questions through the Batch API: rounds, failed lines, faults of the endpoint, limits, money, words."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asking_reports import QUESTIONS_A_DOCUMENT, command, records, write_reports
from batch_material import HASTY, QUICK, ledger_rows, questions, run, run_failing, session
from fake_openai import fake_openai
from fake_replies import TRANSPORT_FAULTS, Behaviour, Fault
from fake_service import FakeServer
from run_material import ROOT

from pipeline.cli.app import app, run_app
from pipeline.errors import (
    AnswerInvalid,
    BudgetReached,
    EndpointGone,
    ModelUnavailable,
    TransportFailed,
    WaitsForBatch,
)
from pipeline.model.batch_endpoint import BatchEndpoint
from pipeline.model.batch_file import Job
from pipeline.model.batch_lines import LineResult, batch_line, line_url, read_results, refusal
from pipeline.model.completion import TokenCounts
from pipeline.model.failure import RequestFailed
from pipeline.model.ledger import Ledger, LedgerRow
from pipeline.model.llm import Api
from pipeline.model.question import Answer, CutOff

AT_ONCE = Behaviour(batch_seconds=0.0)
ONE_LINE = 40 * 4.0 / 1e6  # dollars for the most that an answer of `questions` may write


def lines_of(fake: FakeServer) -> Counter[int]:
    """How many questions had so many lines in batches."""
    return Counter(question["received"] for question in fake.stats()["questions"].values())


# ---- rounds ------------------------------------------------------------------------------


def test_questions_are_answered_once_at_the_price_of_a_batch(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0.1)) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(30))
        assert lines_of(fake) == {1: 30}
        requests = fake.stats()["requests"]
        again, _ = run(tmp_path, fake.base_url, questions(30))
        assert fake.stats()["requests"] == requests
    assert all(isinstance(each, Answer) and not each.from_store for each in outcomes)
    assert all(isinstance(each, Answer) and each.from_store for each in again)
    assert [each.content for each in outcomes] == [each.content for each in again]
    rows = ledger_rows(tmp_path)
    assert len(rows) == 30
    assert {(outcome, status) for outcome, status, *_ in rows} == {("ok", 200)}
    assert all(cost == pytest.approx((read + 4 * written) / 1e6) for _, _, read, written, cost in rows)
    assert sum(each.usage.cost_usd for each in outcomes) == pytest.approx(sum(row[4] for row in rows))
    assert {each.usage.requests for each in outcomes} == {1}
    assert opened.said[0].startswith("batch 1 of 1: sending 30 questions, 0.0 MB, at the most 0.0")
    assert opened.said[-1] == "batch 1 of 1: completed, 30 answers"


def test_nothing_is_said_of_money_without_a_price(tmp_path: Path) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(1), price=None)
    assert opened.said == ["batch 1 of 1: sending 1 question, 0.0 MB", "batch 1 of 1: completed, 1 answer"]
    assert outcomes[0].usage.cost_usd is None
    assert ledger_rows(tmp_path)[0][4] is None


def test_an_answer_of_the_wrong_form_is_asked_again_in_the_next_batch(tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, batch_faults=1.0, kinds=("wrong_label",), max_faults=1)
    with fake_openai(behaviour=behaviour) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(6))
        assert lines_of(fake) == {2: 6}
    assert {each.usage.requests for each in outcomes} == {2}
    assert sum(each.usage.cost_usd for each in outcomes) == pytest.approx(
        sum(r[4] for r in ledger_rows(tmp_path))
    )
    assert len([line for line in opened.said if "sending" in line]) == 2


def test_answers_that_never_fit_fail_and_are_asked_again_only_when_wanted(tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, batch_faults=1.0, kinds=("not_json",), max_faults=3)
    with fake_openai(behaviour=behaviour) as fake:
        outcomes, _ = run(tmp_path, fake.base_url, questions(2))
        again, _ = run(tmp_path, fake.base_url, questions(2))
        assert lines_of(fake) == {3: 2}

        async def anew() -> list[Any]:
            async with session(tmp_path, fake.base_url) as opened:
                assert opened.file.forget_failed(lambda key: opened.client.answers.get(key) is not None) == 2
                return await opened.ask(questions(2))

        assert all(isinstance(each, Answer) for each in asyncio.run(anew()))
    assert all(isinstance(each, AnswerInvalid) for each in [*outcomes, *again])


def test_a_cut_off_answer_is_paid_once(tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, batch_faults=1.0, kinds=("length",), max_faults=0)
    with fake_openai(behaviour=behaviour) as fake:
        for _ in range(2):
            outcomes, _ = run(tmp_path, fake.base_url, questions(2))
            assert all(isinstance(each, CutOff) and each.usage.requests == 1 for each in outcomes)
        assert lines_of(fake) == {1: 2}


def test_questions_that_nobody_asks_any_more_are_not_sent(tmp_path: Path) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:

        async def leave() -> None:
            async with session(tmp_path, fake.base_url) as opened:
                assert all(isinstance(e, WaitsForBatch) for e in await opened.ask_once(questions(9)))

        asyncio.run(leave())
        run(tmp_path, fake.base_url, questions(4))
        assert lines_of(fake) == {1: 4}


# ---- lines without an answer -------------------------------------------------------------


def test_only_what_an_expired_batch_lacks_is_sent_again(tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, expiring_batches=1, expired_share=0.5)
    with fake_openai(behaviour=behaviour) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(10))
        assert lines_of(fake) == {1: 10}
    assert all(isinstance(each, Answer) for each in outcomes)
    assert "batch 1 of 1: expired, 5 answers, 5 to be sent again" in opened.said
    rows = ledger_rows(tmp_path)
    assert Counter(row[0] for row in rows) == {"ok": 10, "server": 5}
    assert all(row[1:] == (None, 0, 0, 0.0) for row in rows if row[0] == "server")


def test_what_expires_three_times_fails_with_a_reason(tmp_path: Path) -> None:
    with fake_openai(behaviour=replace(AT_ONCE, expiring_batches=9, expired_share=0.0)) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(2))
    assert all(isinstance(each, TransportFailed) for each in outcomes)
    assert "no usable answer in 3 batches; the last said: batch_expired: This request could not" in str(
        outcomes[0]
    )
    assert opened.said[-1] == "batch 3 of 3: expired, 0 answers, 2 failed for good"


@pytest.mark.parametrize("fault", ["500", "429", "null_choices", "null_message", "no_choices"])
def test_failed_lines_are_sent_again_three_times_in_all(fault: Fault, tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, batch_faults=1.0, kinds=(fault,), max_faults=0)
    with fake_openai(behaviour=behaviour) as fake:
        for _ in range(2):
            outcomes, _ = run(tmp_path, fake.base_url, questions(3))
            assert [type(each) for each in outcomes] == [TransportFailed] * 3
            assert "no usable answer in 3 batches; the last said: " in str(outcomes[0])
        assert lines_of(fake) == {3: 3}
    rows = ledger_rows(tmp_path)
    assert len(rows) == 9
    # What was answered in a form that nobody can read is paid all the same.
    is_paid = fault not in ("500", "429")
    assert all((row[2] > 0, row[4] > 0) == (is_paid, is_paid) for row in rows)


def test_lines_that_fail_once_succeed_in_the_next_batch(tmp_path: Path) -> None:
    behaviour = replace(AT_ONCE, batch_faults=0.5, max_faults=2, seed=3)
    with fake_openai(behaviour=behaviour) as fake:
        outcomes, _ = run(tmp_path, fake.base_url, questions(40))
    assert sum(isinstance(each, Answer) for each in outcomes) > 30
    assert all(isinstance(each, Answer | CutOff | AnswerInvalid) for each in outcomes)


RESULTS: list[tuple[str, Any, LineResult]] = [
    (
        "an answer",
        {"response": {"status_code": 200, "body": {"choices": [{"message": {"content": "{}"}}]}}},
        LineResult('{"choices": [{"message": {"content": "{}"}}]}', None, None, 200),
    ),
    (
        "a rejected question",
        {"response": {"status_code": 400, "body": {"error": {"message": "too  long", "code": "context"}}}},
        LineResult(None, TokenCounts(), "rejected", 400, "400: too long"),
    ),
    (
        "no quota",
        {
            "response": {
                "status_code": 429,
                "body": {"error": {"message": "none", "code": "insufficient_quota"}},
            }
        },
        LineResult(None, TokenCounts(), "quota", 429, "429: none"),
    ),
    (
        "a body that is text",
        {"response": {"status_code": 502, "body": "<html>"}},
        LineResult(None, TokenCounts(), "server", 502, "502: <html>"),
    ),
    (
        "not executed",
        {"response": None, "error": {"code": "batch_expired", "message": "late"}},
        LineResult(None, TokenCounts(), "server", None, "batch_expired: late"),
    ),
    ("nothing at all", {}, LineResult(None, TokenCounts(), "server", None, "no reason given")),
    (
        "half a character",
        {"response": None, "error": {"code": None, "message": "\ud800"}},
        LineResult(None, TokenCounts(), "server", None, "?"),
    ),
]


@pytest.mark.parametrize(("name", "row", "expected"), RESULTS, ids=[case[0] for case in RESULTS])
def test_results_are_read_tolerantly(name: str, row: Any, expected: LineResult) -> None:
    content = json.dumps({"custom_id": "q", **row}).encode()
    assert read_results(content) == ({"q": expected}, 0)


def test_lines_that_cannot_be_read_are_counted() -> None:
    whole = b'{"custom_id":"a","response":null}\n'
    assert read_results(whole, b'\n{"custom_id": 3}\n[]\n"x"\n{"custom') == (
        {"a": LineResult(None, TokenCounts(), "server", None, "no reason given")},
        3,
    )


def with_results(monkeypatch: pytest.MonkeyPatch, result: LineResult) -> None:
    async def results(self: BatchEndpoint, batch: Any) -> dict[str, LineResult]:
        return {sha256: result for job in self._file.open_jobs() for sha256, _ in self._file.bodies(job)}

    monkeypatch.setattr(BatchEndpoint, "results", results)


def test_a_rejected_question_fails_at_once_with_the_endpoints_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_results(monkeypatch, LineResult(None, TokenCounts(), "rejected", 400, "400: too long"))
    with fake_openai(behaviour=AT_ONCE) as fake:
        outcomes, _ = run(tmp_path, fake.base_url, questions(8))
        assert [str(each) for each in outcomes] == [
            f"fake ({fake.base_url}): the question was rejected: 400: too long"
        ] * 8
        assert {type(each) for each in outcomes} == {TransportFailed}
    assert [row[:2] for row in ledger_rows(tmp_path)] == [("rejected", 400)] * 8


def test_lines_refused_for_all_end_the_run_and_are_kept_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        with monkeypatch.context() as patched:
            with_results(patched, LineResult(None, TokenCounts(), "quota", 429, "429: buy more"))
            error, _ = run_failing(tmp_path, fake.base_url, questions(3))
        assert isinstance(error, ModelUnavailable)
        assert "refused 3 questions of the batch batch_" in str(error)
        assert "buy more" in str(error)
        outcomes, _ = run(tmp_path, fake.base_url, questions(3))
    assert all(isinstance(each, Answer) for each in outcomes)


# ---- files and batches -------------------------------------------------------------------


@pytest.mark.parametrize(("limits", "files"), [({"lines": 10}, [10, 10, 5]), ({"bytes": 4000}, None)])
def test_many_questions_go_out_in_several_files(
    limits: dict[str, int], files: list[int] | None, tmp_path: Path
) -> None:
    state = tmp_path / "server"
    with fake_openai(behaviour=replace(AT_ONCE, state=state)) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(25), limits=replace(QUICK, **limits))
        assert lines_of(fake) == {1: 25}
    made = [json.loads(path.read_text()) for path in (state / "files").glob("*.json")]
    inputs = [each["object"] for each in sorted(made, key=lambda each: each["order"])]
    sizes = [each["bytes"] for each in inputs if each["purpose"] == "batch"]
    if files is not None:
        said = [f"batch {n} of 3: completed, {count} answers" for n, count in enumerate(files, 1)]
        assert [line for line in opened.said if "completed" in line] == said
    else:
        assert len(sizes) > 2
        assert max(sizes) <= limits["bytes"]
    assert all(isinstance(each, Answer) for each in outcomes)


def test_a_line_is_a_line_also_for_servers_that_split_text() -> None:
    body = json.dumps({"messages": "a\u2028b\u2029c\u0085d\ne"}, ensure_ascii=False).encode()
    line = batch_line("0" * 64, "/v1/chat/completions", body)
    assert len(line.decode().splitlines()) == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "custom_id": "0" * 64,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": json.loads(body),
    }


URLS = [
    ("https://api.openai.com/v1", "/v1/chat/completions"),
    ("https://api.openai.com/v1/", "/v1/chat/completions"),
    ("https://dashscope.aliyuncs.com/compatible-mode/v1", "/v1/chat/completions"),
    ("https://open.bigmodel.cn/api/paas/v4", "/v4/chat/completions"),
    ("http://127.0.0.1:8000", "/v1/chat/completions"),
    ("https://api.deepseek.com/beta", "/v1/chat/completions"),
]


@pytest.mark.parametrize(("base_url", "url"), URLS)
def test_lines_name_the_path_of_the_api(base_url: str, url: str) -> None:
    assert line_url(base_url) == url


def test_too_many_tokens_at_the_endpoint_make_smaller_batches_one_after_the_other(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0.05, failing_batches=2)) as fake:
        outcomes, opened = run(tmp_path, fake.base_url, questions(16))
        assert lines_of(fake) == {1: 16}
    assert all(isinstance(each, Answer) for each in outcomes)
    sent = [line.split("sending ")[1].split(",")[0] for line in opened.said if "sending" in line]
    assert sent[:3] == ["16 questions", "8 questions", "4 questions"]
    assert sum("smaller batches" in line for line in opened.said) == 2
    assert len(ledger_rows(tmp_path)) == 16


def test_an_endpoint_that_takes_not_even_one_question_is_left_in_order(tmp_path: Path) -> None:
    with fake_openai(behaviour=replace(AT_ONCE, failing_batches=99)) as fake:
        error, _ = run_failing(tmp_path, fake.base_url, questions(4))
        assert isinstance(error, EndpointGone)
        assert "does not take even one question now. It said: Enqueued token limit reached" in str(error)
    assert ledger_rows(tmp_path) == []


def test_a_batch_that_fails_its_validation_says_why_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        with monkeypatch.context() as patched:
            patched.setattr("pipeline.model.batch_collect.batch_line", lambda *_: b"no json\n")
            error, _ = run_failing(tmp_path, fake.base_url, questions(5))
        assert isinstance(error, ModelUnavailable)
        assert "It said: line 1: This line is not parseable as valid JSON. (invalid_json_line)" in str(error)
        assert "and 2 more" in str(error)
        outcomes, _ = run(tmp_path, fake.base_url, questions(5))
    assert all(isinstance(each, Answer) for each in outcomes)
    assert len(ledger_rows(tmp_path)) == 5


REFUSALS = [
    (None, (False, "no reason given")),
    (
        {"data": [{"code": "token_limit_exceeded", "message": "Enqueued"}]},
        (True, "Enqueued (token_limit_exceeded)"),
    ),
    ([{"message": "bad", "line": 0}], (False, "line 0: bad")),
    ({"data": "x"}, (False, "no reason given")),
]


@pytest.mark.parametrize(("errors", "expected"), REFUSALS)
def test_reasons_of_a_failed_batch(errors: Any, expected: tuple[bool, str]) -> None:
    assert refusal({"errors": errors}) == expected


def test_a_cancelled_batch_ends_the_run_and_what_it_answered_is_kept(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=1.0)) as fake:

        async def cancelling() -> str:
            async with session(tmp_path, fake.base_url) as opened:
                await opened.ask_once(questions(20))
                collecting = asyncio.create_task(opened.transport.collect(opened.stop))
                while not any("in progress" in line and " 0 of" not in line for line in opened.said):
                    await asyncio.sleep(0.01)
                (job,) = opened.file.open_jobs()
                await opened.transport._endpoint._api.post(f"/batches/{job.batch_id}/cancel", {})
                with pytest.raises(EndpointGone, match="was cancelled at the endpoint") as caught:
                    await collecting
                return str(caught.value)

        assert "Run the same command again to send the rest" in asyncio.run(cancelling())
        kept = sum(row[0] == "ok" for row in ledger_rows(tmp_path))
        assert 0 < kept < 20
        outcomes, _ = run(tmp_path, fake.base_url, questions(20))
        assert lines_of(fake) == {1: 20}
    assert all(isinstance(each, Answer) for each in outcomes)


# ---- faults of the endpoint --------------------------------------------------------------


@pytest.mark.parametrize("fault", TRANSPORT_FAULTS)
def test_no_fault_of_files_and_batches_makes_anything_twice(fault: Fault, tmp_path: Path) -> None:
    behaviour = replace(
        AT_ONCE, faults=1.0, kinds=(fault,), max_faults=2, fault_places=frozenset({"files", "batches"})
    )
    with fake_openai(behaviour=replace(behaviour, retry_after_seconds=0.1)) as fake:
        outcomes, _ = run(
            tmp_path, fake.base_url, questions(7), timeout_seconds=0.1, limits=replace(QUICK, lines=4)
        )
        assert lines_of(fake) == {1: 7}
    assert all(isinstance(each, Answer) for each in outcomes)


def test_what_shows_up_late_in_a_list_is_not_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_upload, real_find = Api.upload, BatchEndpoint._find_file
    calls: list[str] = []

    async def upload(self: Api, name: str, content: bytes) -> bytes:
        calls.append("upload")
        if len(calls) > 1:
            raise RequestFailed("throttled", "wait", 429)
        await real_upload(self, name, content)
        raise RequestFailed("timeout", "too late")

    async def find(self: BatchEndpoint, job: Job) -> str | None:
        calls.append("find")
        return None if calls.count("find") == 1 else await real_find(self, job)

    monkeypatch.setattr(Api, "upload", upload)
    monkeypatch.setattr(BatchEndpoint, "_find_file", find)
    with fake_openai(behaviour=AT_ONCE) as fake:
        outcomes, _ = run(tmp_path, fake.base_url, questions(3))
    assert isinstance(outcomes[0], Answer)
    assert calls == ["upload", "find", "upload", "find"]


def test_answers_whose_file_does_not_come_are_waited_for_and_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_get = Api.get

    async def get(self: Api, path: str, query: Any = None) -> bytes:
        content = await real_get(self, path, query)
        return (
            content.replace(b'"output_file_id": "file', b'"other": "file') if "/batches/" in path else content
        )

    with fake_openai(behaviour=AT_ONCE) as fake:
        with monkeypatch.context() as patched:
            patched.setattr(Api, "get", get)
            error, _ = run_failing(
                tmp_path, fake.base_url, questions(3), patience=replace(HASTY, seconds=0.2)
            )
        assert isinstance(error, EndpointGone)
        assert "ended, with answers but without their file" in str(error)
        outcomes, _ = run(tmp_path, fake.base_url, questions(3))
        assert lines_of(fake) == {1: 3}
    assert all(isinstance(each, Answer) for each in outcomes)


@pytest.mark.parametrize("seed", range(3))
def test_faults_of_all_kinds_at_once(seed: int, tmp_path: Path) -> None:
    behaviour = Behaviour(
        batch_seconds=0.05, faults=0.5, kinds=TRANSPORT_FAULTS, seed=seed, retry_after_seconds=0.1,
        fault_places=frozenset({"files", "batches"}), expiring_batches=1, batch_faults=0.0,
    )  # fmt: skip
    with fake_openai(behaviour=behaviour) as fake:
        outcomes, _ = run(
            tmp_path, fake.base_url, questions(20), timeout_seconds=0.1, limits=replace(QUICK, lines=8)
        )
        assert lines_of(fake) == {1: 20}
    assert all(isinstance(each, Answer) for each in outcomes)


def test_an_endpoint_without_a_usable_response_is_given_up_in_order(tmp_path: Path) -> None:
    places = frozenset({"batches"})
    behaviour = replace(AT_ONCE, faults=1.0, kinds=("502",), max_faults=0, fault_places=places)
    with fake_openai(behaviour=behaviour) as fake:
        error, _ = run_failing(tmp_path, fake.base_url, questions(2), patience=replace(HASTY, seconds=0.2))
        assert isinstance(error, EndpointGone)
        assert "no usable response for 0 seconds; the last: " in str(error)
        assert "batches go on meanwhile" in str(error)


FINAL: list[tuple[Fault, str]] = [
    ("401", "refused the key (401; the key came from no environment variable): set GONGKAI_API_KEY"),
    ("404", "takes no batches (404): leave out --batch or check --base-url"),
    ("quota", "the account's quota is used up"),
]


@pytest.mark.parametrize(("fault", "words"), FINAL)
def test_what_no_patience_helps_against(
    fault: Fault, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The fake draws transport faults only by chance: these are put among them.
    monkeypatch.setattr("fake_service.TRANSPORT_FAULTS", (fault,))
    places = frozenset({"files"})
    behaviour = replace(AT_ONCE, faults=1.0, kinds=(fault,), max_faults=0, fault_places=places)
    with fake_openai(behaviour=behaviour) as fake:
        error, _ = run_failing(tmp_path, fake.base_url, questions(2))
    assert isinstance(error, ModelUnavailable)
    assert words in str(error)


def test_nothing_listens(tmp_path: Path) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        base_url = fake.base_url
    error, _ = run_failing(tmp_path, base_url, questions(1))
    assert str(error) == f"nothing listens at {base_url}: start the server or check --base-url"


def test_a_batch_that_the_endpoint_does_not_know_any_more(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=60)) as fake:
        stopped(tmp_path, fake.base_url, 3)
    with fake_openai(behaviour=AT_ONCE) as fake:
        error, _ = run_failing(tmp_path, fake.base_url, questions(3))
        assert lines_of(fake) == {}
    assert isinstance(error, ModelUnavailable)
    assert "does not know the batch batch_" in str(error)
    assert f"delete {tmp_path / 'batch.sqlite'}" in str(error)


# ---- Ctrl-C ------------------------------------------------------------------------------


def stopped(folder: Path, base_url: str, count: int) -> list[str]:
    """What a session says that is stopped while its batch is worked on."""

    async def stopping() -> list[str]:
        limits = replace(QUICK, first_wait_seconds=30.0, longest_wait_seconds=30.0)
        async with session(folder, base_url, limits=limits) as opened:
            asyncio.get_running_loop().call_later(0.3, opened.stop.set)
            outcomes = await opened.ask(questions(count))
            assert all(isinstance(each, WaitsForBatch) for each in outcomes)
            return opened.said

    return asyncio.run(stopping())


def test_the_first_ctrl_c_ends_the_waiting_and_the_batch_goes_on(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=0.8)) as fake:
        began = time.monotonic()
        said = stopped(tmp_path, fake.base_url, 3)
        assert time.monotonic() - began < 1.0
        assert said[-1] == (
            "Not waiting any longer: 1 batch of 3 questions goes on at the endpoint. "
            "The same command later fetches the answers and asks nothing twice."
        )
        outcomes, opened = run(tmp_path, fake.base_url, questions(5), limits=replace(QUICK, lines=3))
        assert lines_of(fake) == {1: 5}
    assert opened.said[0] == "going on with 1 batch of 3 questions"
    assert "batch 1 of 2: completed, 3 answers" in opened.said
    assert "batch 2 of 2: completed, 2 answers" in opened.said
    assert all(isinstance(each, Answer) for each in outcomes)


# ---- money -------------------------------------------------------------------------------


def test_a_budget_is_never_overrun_and_says_what_to_do(tmp_path: Path) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        run(tmp_path / "free", fake.base_url, questions(100))
        all_usd = sum(row[4] for row in ledger_rows(tmp_path / "free"))
        budget_usd = 0.6 * all_usd
        error, _ = run_failing(tmp_path, fake.base_url, questions(100), budget_usd=budget_usd)
        assert isinstance(error, BudgetReached)
        answered = len(ledger_rows(tmp_path))
        spent_usd = sum(row[4] for row in ledger_rows(tmp_path))
        assert 40 <= answered <= 60
        assert 0.75 * budget_usd < spent_usd <= budget_usd
        assert f"questions that wait for a batch: {100 - answered}, and the next may cost 0.0" in str(error)
        assert "Run the same command with a higher --budget to go on" in str(error)
        outcomes, _ = run(tmp_path, fake.base_url, questions(100), budget_usd=2 * all_usd)
        assert lines_of(fake) == {2: 100}  # once here and once in "free"
    assert all(isinstance(each, Answer) for each in outcomes)


def test_a_batch_stands_on_the_bill_once(tmp_path: Path) -> None:
    row = LedgerRow("k", "ok", 200, 10, 0, 2, 0.5, False, 1.0)
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.write("DROP TABLE batches", (), commit=True)
        ledger.write("PRAGMA user_version = 1", (), commit=True)  # as it was before batches
    for _ in range(2):
        with Ledger(path) as ledger:
            ledger.add_batch("tag", [row, row])
            assert (ledger.totals.requests, ledger.totals.cost_usd) == (2, 1.0)
    assert len(ledger_rows(tmp_path)) == 2


def test_a_budget_counts_what_is_under_way(tmp_path: Path) -> None:
    with fake_openai(behaviour=Behaviour(batch_seconds=60)) as fake:
        stopped(tmp_path, fake.base_url, 10)

        async def more() -> list[str]:
            async with session(tmp_path, fake.base_url, budget_usd=11 * ONE_LINE) as opened:
                asyncio.get_running_loop().call_later(0.3, opened.stop.set)
                await opened.ask(questions(20))
                return opened.said

        assert not any("sending" in line for line in asyncio.run(more()))


def test_a_budget_too_small_for_one_question_sends_nothing(tmp_path: Path) -> None:
    with fake_openai(behaviour=AT_ONCE) as fake:
        error, _ = run_failing(tmp_path, fake.base_url, questions(2), budget_usd=1e-6)
        assert fake.stats()["requests"] == 0
    assert isinstance(error, BudgetReached)
    assert "of 1e-06 USD is used up: 0.0000 USD are spent" in str(error)


# ---- the command -------------------------------------------------------------------------

WRONG_CALLS = [
    ("--model m --base-url http://127.0.0.1:9/v1 --batch --rpm 3", "leave out --rpm"),
    (
        "--model m --base-url http://127.0.0.1:9/v1 --batch --tpm 3 --concurrency 2",
        "leave out --concurrency, --tpm",
    ),
    ("--batch", "cost nothing: leave out --batch"),
    ("--strategy rules --batch", "asks no model: leave out --batch"),
    ("--model m --base-url http://127.0.0.1:9/v1 --batch --replay x.jsonl", "leave out --batch"),
    ("--model m --base-url http://127.0.0.1:9/v1 --batch --engine ray", "--batch needs --engine local"),
]


@pytest.mark.parametrize(("options", "words"), WRONG_CALLS)
def test_what_does_not_go_with_batches(
    options: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "run")]
    assert run_app(app, ["extract", str(ROOT / "gold" / "samples"), *out, *options.split()]) == 2
    assert words in capsys.readouterr().err


def test_a_run_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = (50, 10**6, 3, 0.05, 0.2)
    monkeypatch.setattr("pipeline.model.batch_collect.BatchLimits.__init__.__defaults__", quick)
    reports = write_reports(tmp_path / "reports", 4)
    with fake_openai(behaviour=Behaviour(batch_seconds=0.2)) as fake:
        arguments = command(reports, tmp_path / "run", fake.base_url)[3:]
        assert run_app(app, [*arguments, "--batch"]) == 0
        stats = fake.stats()
        assert lines_of(fake) == {1: 4 * QUESTIONS_A_DOCUMENT}
    printed = capsys.readouterr()
    assert fake.requests == []  # none outside batches
    assert "batch 1 of 1: completed, 8 answers" in printed.err
    assert "8 requests" in printed.out
    assert stats["answered"] == {"ok": stats["requests"]}
    usages = [record["usage"] for record in records(tmp_path / "run").values()]
    assert [usage["requests"] for usage in usages] == [QUESTIONS_A_DOCUMENT] * 4
    assert sum(usage["input_tokens"] for usage in usages) == stats["tokens"]["input"]


def test_a_run_without_batches_does_not_pay_again_what_is_in_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    with fake_openai(behaviour=Behaviour(batch_seconds=60)) as fake:
        stopped(tmp_path / "run", fake.base_url, 3)
        arguments = command(write_reports(tmp_path / "reports", 1), tmp_path / "run", fake.base_url)[3:]
        assert run_app(app, arguments) == 2
    printed = capsys.readouterr().err
    assert "questions of this run in batches, paid and not yet used: 3. Add --batch to go on" in printed
