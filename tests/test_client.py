"""The client: one request for equal questions, the bill on disk, the budget, endpoints that go away."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from fake_openai import fake_openai, serve
from fake_replies import RANDOM_FAULTS, Behaviour, Fault, FinalFault, Reply
from fake_service import FakeServer
from model_material import (
    KEY,
    PREFIX,
    PRICE,
    answer,
    ask,
    ask_all,
    client_of,
    content,
    endpoint_of,
    opened_stores,
    question,
    silent_url,
    total,
)

from pipeline.errors import (
    AnswerInvalid,
    AnswerRefused,
    BudgetReached,
    EndpointGone,
    GongkaiError,
    ModelUnavailable,
    StartError,
    TransportFailed,
)
from pipeline.fact import Usage
from pipeline.model.answers import AnswerStore
from pipeline.model.client import ModelClient
from pipeline.model.completion import Choice, Completion, Message, TokenCounts, parse_completion
from pipeline.model.endpoint import Endpoint
from pipeline.model.failure import RequestFailed
from pipeline.model.ledger import Budget, Ledger, LedgerRow
from pipeline.model.pace import Pace
from pipeline.model.profile import profile_of
from pipeline.model.question import Answer, Asked, CutOff, Question
from pipeline.model.question import Reply as Replied

USUAL = TokenCounts(100, 60, 9)
NOWHERE = Endpoint("http://127.0.0.1:9/v1", "tiny", "fake")


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[AnswerStore, Ledger]]:
    with opened_stores(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(stores: tuple[AnswerStore, Ledger]) -> Callable[..., ModelClient]:
    def make(
        at: FakeServer | Endpoint = NOWHERE, waits: list[float] | None = None, **options: Any
    ) -> ModelClient:
        return client_of(at, stores[0], waits, **{"ledger": stores[1], "price": PRICE, **options})

    return make


MakeClient = Callable[..., ModelClient]


def bill(folder: Path) -> list[dict[str, Any]]:
    """The rows of the ledger that are on disk."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM requests ORDER BY id")]


def answers_on_disk(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "answers.sqlite")) as connection:
        count: int = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
        return count


def completion(text: str, tokens: TokenCounts | None = USUAL) -> Completion:
    return Completion([Choice(Message(text), "stop")], tokens, None)


def run(client: ModelClient, main: Callable[[], Awaitable[Any]]) -> Any:
    """Run within the client."""

    async def inside() -> Any:
        async with client:
            return await main()

    return asyncio.run(inside())


def gather(client: ModelClient, questions: Sequence[Question]) -> list[Replied | BaseException]:
    """All at once."""
    return run(client, lambda: asyncio.gather(*map(client.ask, questions), return_exceptions=True))


async def arrived(fake: FakeServer, requests: int = 1) -> None:
    """Until the server has so many requests."""
    async with asyncio.timeout(20):
        while len(fake.requests) < requests:
            await asyncio.sleep(0.005)


# Equal questions at once


def test_equal_questions_at_once_are_asked_once(client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(content(3), delay_seconds=0.1)) as fake:
        replies = gather(client(fake), [question()] * 5 + [question("other")] * 2)
        assert len(fake.requests) == 2
    assert [total(reply) for reply in replies] == [3] * 7  # type: ignore[arg-type]
    paid = [reply for reply in replies if isinstance(reply, Answer) and reply.usage.requests]
    assert len(paid) == 2
    assert all(reply.from_store for reply in replies if isinstance(reply, Answer) and reply not in paid)
    assert len(bill(tmp_path)) == 2


def test_equal_questions_share_a_failure(client: MakeClient) -> None:
    with fake_openai(Reply(fault="refusal", delay_seconds=0.1)) as fake:
        replies = gather(client(fake), [question()] * 3)
        assert len(fake.requests) == 1
    assert [type(reply) for reply in replies] == [AnswerRefused] * 3


def test_equal_questions_that_are_cut_off_are_paid_once(client: MakeClient) -> None:
    with fake_openai(Reply("{", fault="length", delay_seconds=0.1)) as fake:
        replies = gather(client(fake), [question()] * 3)
        assert len(fake.requests) == 1
    assert [reply.usage.requests for reply in replies if isinstance(reply, CutOff)] == [1, 0, 0]


def ask_and_cancel(model: ModelClient, fake: FakeServer, times: int, cancelled: int) -> list[Any]:
    """What comes of the same question, asked several times at once, when one who asks gives up."""

    async def main() -> list[Any]:
        tasks = [asyncio.create_task(model.ask(question())) for _ in range(times)]
        await arrived(fake)
        tasks[cancelled].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return run(model, main)


def test_when_the_first_is_cancelled_the_next_one_asks(client: MakeClient) -> None:
    with fake_openai(Reply(fault="stall"), Reply(content(3))) as fake:
        first, second, third = ask_and_cancel(client(fake), fake, times=3, cancelled=0)
        assert len(fake.requests) == 2
    assert isinstance(first, asyncio.CancelledError)
    assert (total(second), total(third)) == (3, 3)
    assert (second.from_store, third.from_store) == (False, True)


def test_when_a_waiting_one_is_cancelled_the_first_goes_on(client: MakeClient) -> None:
    with fake_openai(Reply(content(3), delay_seconds=0.2)) as fake:
        first, second = ask_and_cancel(client(fake), fake, times=2, cancelled=1)
    assert total(first) == 3
    assert isinstance(second, asyncio.CancelledError)


def test_a_failure_is_not_kept(client: MakeClient) -> None:
    with fake_openai(Reply(status=400), Reply(content(3))) as fake:
        model = client(fake)

        async def main() -> Replied:
            with pytest.raises(TransportFailed):
                await model.ask(question())
            return await model.ask(question())

        assert total(run(model, main)) == 3


# The bill and the answers, on disk


def test_what_was_paid_is_on_disk_at_once(client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(content(3))) as fake:
        model = client(fake)

        async def main() -> tuple[int, int]:
            await model.ask(question())
            await asyncio.sleep(0.05)
            return len(bill(tmp_path)), answers_on_disk(tmp_path)

        assert run(model, main) == (1, 1)


def test_closing_brings_all_to_disk(client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(content(3))) as fake:
        gather(client(fake), [question(f"{number}") for number in range(20)])
    assert (len(bill(tmp_path)), answers_on_disk(tmp_path)) == (20, 20)


# The reply, its row: outcome, status, tokens read, from the cache, written, whether estimated.
ESTIMATED_INPUT = len(question().text) + len(question().form.schema_json) + len("[")
ROWS: list[tuple[str, Reply, tuple[Any, ...]]] = [
    ("answered", Reply(content(3)), ("ok", None, 100, 60, 9, 0)),
    ("no usage", Reply(content(3), fault="no_usage"), ("ok", None, ESTIMATED_INPUT, 0, 50, 1)),
    ("usage negative", Reply(content(3), fault="usage_negative"), ("ok", None, ESTIMATED_INPUT, 0, 50, 1)),
    ("usage huge", Reply(content(3), fault="usage_huge"), ("ok", None, ESTIMATED_INPUT, 0, 50, 1)),
    ("usage in words", Reply(content(3), fault="usage_strings"), ("ok", None, ESTIMATED_INPUT, 0, 50, 1)),
    ("cut off", Reply("{", fault="length"), ("ok", None, 100, 60, 9, 0)),
    ("refused", Reply(fault="refusal"), ("ok", None, 100, 60, 9, 0)),
    ("throttled", Reply(status=429), ("throttled", 429, 0, 0, 0, 0)),
    ("server error", Reply(status=500), ("server", 500, 0, 0, 0, 0)),
    ("bad request", Reply(status=400), ("rejected", 400, 0, 0, 0, 0)),
    ("wrong key", Reply(status=401), ("key", 401, 0, 0, 0, 0)),
    ("no such model", Reply(status=404), ("unknown", 404, 0, 0, 0, 0)),
    ("quota", Reply(fault="quota"), ("quota", 429, 0, 0, 0, 0)),
    ("reset", Reply(fault="reset"), ("connection", None, 0, 0, 0, 0)),
    ("a page", Reply(fault="html"), ("unusable", None, ESTIMATED_INPUT, 0, 0, 1)),
    ("null choices", Reply(fault="null_choices"), ("unusable", None, ESTIMATED_INPUT, 0, 0, 1)),
    ("too late", Reply(fault="stall"), ("timeout", None, ESTIMATED_INPUT, 0, 0, 1)),
]


@pytest.mark.parametrize(("name", "reply", "row"), ROWS, ids=[case[0] for case in ROWS])
def test_each_request_has_its_row(
    name: str, reply: Reply, row: tuple[Any, ...], client: MakeClient, tmp_path: Path
) -> None:
    with fake_openai(reply) as fake, suppress(GongkaiError):
        ask(client(endpoint_of(fake, timeout_seconds=0.2 if name == "too late" else 5.0), max_attempts=1))
    (got,) = bill(tmp_path)
    columns = ("outcome", "status", "input_tokens", "cached_tokens", "output_tokens", "is_estimated")
    assert tuple(got[column] for column in columns) == row
    read, cached, written = row[2:5]
    assert got["cost_usd"] == pytest.approx(((read - cached) * 1.0 + cached * 0.5 + written * 3.0) / 1e6)
    assert got["seconds"] >= (0.2 if name == "too late" else 0)


def test_nobody_listening_has_its_row_too(client: MakeClient, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        ask(client(Endpoint(silent_url(), "tiny", "fake")))
    assert [(row["outcome"], row["cost_usd"]) for row in bill(tmp_path)] == [("refused", 0.0)]


def test_an_answers_usage_is_the_sum_of_its_rows(client: MakeClient, tmp_path: Path) -> None:
    replies = (Reply(status=503), Reply(fault="html"), Reply('{"total": -1}'), Reply(content(3)))
    with fake_openai(*replies) as fake:
        got = answer(client(fake))
    rows = bill(tmp_path)
    assert [row["outcome"] for row in rows] == ["throttled", "unusable", "ok", "ok"]
    assert len({row["key"] for row in rows}) == 1
    assert got.usage.requests == 4
    assert got.usage.input_tokens == sum(row["input_tokens"] for row in rows) == 200 + ESTIMATED_INPUT
    assert got.usage.cost_usd == pytest.approx(sum(row["cost_usd"] for row in rows))


def test_without_a_price_a_cost_is_unknown_not_zero(client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(content(3))) as fake:
        got = answer(client(fake, price=None))
    assert got.usage.cost_usd is None
    assert bill(tmp_path)[0]["cost_usd"] is None


def test_random_faults_leave_every_answer_and_a_true_bill(
    client: MakeClient, stores: tuple[AnswerStore, Ledger], tmp_path: Path
) -> None:
    final = {"refusal", "content_filter", "length"}
    # Their usage could be read, but what is no completion is not read any further.
    unread = {"no_choices", "null_choices", "null_message"}
    kinds: list[Fault] = [kind for kind in RANDOM_FAULTS if kind not in final | unread]
    behaviour = Behaviour(faults=0.3, kinds=kinds, max_faults=3, seed=3, retry_after_seconds=0.01)
    with fake_openai(behaviour=behaviour) as fake:
        endpoint = endpoint_of(fake, timeout_seconds=1.0)
        asked = [question(f"{number}. 公开", prefix=PREFIX) for number in range(60)]
        replies = gather(client(endpoint, max_reasks=3), asked)
        seen = fake.stats()
    assert all(isinstance(reply, Answer) for reply in replies)
    rows = bill(tmp_path)
    assert len(rows) == seen["requests"] == sum(r.usage.requests for r in replies if isinstance(r, Answer))
    known = [row for row in rows if row["outcome"] == "ok" and not row["is_estimated"]]
    assert sum(row["output_tokens"] for row in known) == seen["tokens"]["output"]
    assert stores[1].totals.requests == len(rows)
    assert stores[1].totals.cost_usd == pytest.approx(sum(row["cost_usd"] for row in rows))
    assert answers_on_disk(tmp_path) == 60


# Faults of the disk


def fails_to_commit(monkeypatch: pytest.MonkeyPatch, store: AnswerStore | Ledger) -> None:
    def commit() -> None:
        raise StartError(f"the {store.what} {store.path} cannot be used: database or disk is full")

    monkeypatch.setattr(store, "commit", commit)


@pytest.mark.parametrize("which", [0, 1], ids=["answers", "ledger"])
def test_a_full_disk_meets_the_next_question(
    which: int, client: MakeClient, stores: tuple[AnswerStore, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_to_commit(monkeypatch, stores[which])
    with fake_openai(Reply(content(3))) as fake:
        model = client(fake)

        async def main() -> None:
            await model.ask(question())
            await asyncio.sleep(0.05)
            with pytest.raises(StartError, match="disk is full"):
                await model.ask(question("next"))

        with pytest.raises(StartError, match="disk is full"):  # and closing says so again
            run(model, main)
        assert len(fake.requests) == 1


@pytest.mark.parametrize("which", [0, 1], ids=["answers", "ledger"])
def test_one_store_that_fails_does_not_keep_the_other_from_the_disk(
    which: int,
    client: MakeClient,
    stores: tuple[AnswerStore, Ledger],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    fails_to_commit(monkeypatch, stores[which])
    with fake_openai(Reply(content(3))) as fake, pytest.raises(StartError, match="disk is full"):
        ask(client(fake))
    assert (answers_on_disk(tmp_path), len(bill(tmp_path))) == ((0, 1) if which == 0 else (1, 0))


@pytest.mark.parametrize("which", [0, 1], ids=["answers", "ledger"])
@pytest.mark.parametrize(
    "fault", ["PRAGMA max_page_count=1", "PRAGMA query_only=1"], ids=["full", "read-only"]
)
def test_what_cannot_be_written_is_said(
    which: int, fault: str, client: MakeClient, stores: tuple[AnswerStore, Ledger]
) -> None:
    stores[which]._connection.execute(fault)
    with suppress(StartError):  # the last page may have room for some rows
        for _ in range(20):
            stores[1].add(LedgerRow("k" * 500, "ok", None, 0, 0, 0, 0.0, False, 0.0))
    asked = [question("很" * 9000 + str(number)) for number in range(9)]
    with fake_openai(Reply(content(3))) as fake:
        with pytest.raises(StartError, match=r"\.sqlite cannot be used"):
            ask_all(client(fake), asked)
        assert len(fake.requests) < 9


# The budget


def priced(tokens: TokenCounts) -> float:
    return PRICE.cost_usd(tokens.input, tokens.cached, tokens.output)


def most_usd(asked: Question) -> float:
    return priced(TokenCounts(len(asked.text) + len(asked.form.schema_json) + 1, 0, asked.max_tokens))


def test_a_budget_holds_with_many_at_once(client: MakeClient, stores: tuple[AnswerStore, Ledger]) -> None:
    asked = [question(f"{number:03}") for number in range(100)]
    budget = Budget(10.5 * most_usd(asked[0]))
    asked_for: list[float] = []

    async def transport(asked: Asked, body: bytes) -> Completion:
        asked_for.append(budget.spent_usd + budget._reserved_usd)
        await asyncio.sleep(0.001)
        return completion(content(3), None)  # no usage: the dearest is taken to be true

    replies = gather(client(transport=transport, budget=budget), asked)
    stopped = [reply for reply in replies if isinstance(reply, BudgetReached)]
    assert len(replies) - len(stopped) == 10
    assert max(asked_for) <= budget.limit_usd
    assert stores[1].totals.cost_usd == pytest.approx(budget.spent_usd)
    assert budget.spent_usd <= budget.limit_usd


def test_what_is_not_spent_is_asked_for(client: MakeClient) -> None:
    """Only one fits into the budget at its dearest, but each costs a tenth of that."""
    asked = [question(f"{number:03}", max_tokens=500) for number in range(8)]
    budget = Budget(1.5 * most_usd(asked[0]))

    async def transport(asked: Asked, body: bytes) -> Completion:
        return completion(content(3), TokenCounts(9, 0, 30))

    replies = gather(client(transport=transport, budget=budget), asked)
    assert all(isinstance(reply, Answer) for reply in replies)


def test_time_outs_cost_what_they_may_have_cost(client: MakeClient, tmp_path: Path) -> None:
    budget = Budget(1.0)

    async def transport(asked: Asked, body: bytes) -> Completion:
        raise RequestFailed("timeout", "no response")

    with pytest.raises(TransportFailed):
        ask(client(transport=transport, budget=budget, max_attempts=3))
    assert budget.spent_usd == pytest.approx(3 * ESTIMATED_INPUT * 1e-6)
    assert sum(row["cost_usd"] for row in bill(tmp_path)) == pytest.approx(budget.spent_usd)


def test_what_stands_behind_a_question_when_it_is_asked_again_counts(client: MakeClient) -> None:
    reserved: list[float] = []

    class Watched(Budget):
        async def reserve(self, most_usd: float) -> None:
            reserved.append(most_usd)
            await super().reserve(most_usd)

    with fake_openai(Reply('{"total": -1}' + " " * 500), Reply(content(3))) as fake:
        ask(client(fake, budget=Watched(1.0)))
        added = fake.requests[1]["messages"][2:]
    assert reserved[1] - reserved[0] >= sum(len(message["content"]) for message in added) * 1e-6


def test_a_budget_spent_by_an_earlier_session_stops_before_the_first_request(client: MakeClient) -> None:
    with fake_openai(Reply(content(3))) as fake:
        with pytest.raises(BudgetReached, match=r"the budget of 2 USD is used up: 2\.0000 USD are spent"):
            ask(client(fake, budget=Budget(2.0, spent_usd=2.0)))
        assert fake.requests == []


# Faults

NAMED: dict[Fault, type] = {
    "length": CutOff,
    "refusal": AnswerInvalid,
    "content_filter": AnswerInvalid,
    "quota": ModelUnavailable,
    "401": ModelUnavailable,
    "403": ModelUnavailable,
    "404": ModelUnavailable,
}


@pytest.mark.parametrize("fault", [*RANDOM_FAULTS, *get_args(FinalFault)])
def test_every_fault_is_got_over_or_named(fault: Fault, client: MakeClient) -> None:
    waits: list[float] = []
    with fake_openai(Reply(content(3), fault=fault), Reply(content(3))) as fake:
        (reply,) = gather(client(endpoint_of(fake, timeout_seconds=0.3), waits), [question()])
    if fault in NAMED:
        assert isinstance(reply, NAMED[fault])
    else:
        assert isinstance(reply, Answer)
        assert total(reply) == 3
    assert sum(waits) < 5


# Endpoints that go away


def patient(client: Callable[..., ModelClient], at: Any, seconds: float = 0.4, **options: Any) -> ModelClient:
    """Waits in earnest, but little, between attempts."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.05))

    return client(at, **{"patience_seconds": seconds, "max_attempts": 3, "sleep": sleep, **options})


GONE: list[tuple[str, Fault]] = [
    ("errors", "500"),
    ("resets", "reset"),
    ("pages", "html"),
    ("throttles", "429"),
]


@pytest.mark.parametrize(("name", "fault"), GONE, ids=[name for name, _ in GONE])
def test_an_endpoint_that_answers_nobody_is_gone(name: str, fault: Fault, client: MakeClient) -> None:
    with fake_openai(Reply(fault=fault)) as fake:
        began = time.monotonic()
        replies = gather(patient(client, fake), [question("1"), question("2")])
        seconds = time.monotonic() - began
    assert [type(reply) for reply in replies] == [EndpointGone] * 2
    assert "no usable response for" in str(replies[0])
    assert "Run the same command again" in str(replies[0])
    assert 0.4 <= seconds < 10


def test_an_endpoint_that_is_silent_is_gone_before_all_attempts_were_made(client: MakeClient) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        await asyncio.sleep(0.2)
        raise RequestFailed("timeout", "silence")

    model = patient(client, NOWHERE, seconds=0.3, transport=transport, max_attempts=50)
    with pytest.raises(EndpointGone, match="the last: silence"):
        ask(model)
    assert model.ledger is not None
    assert 3 <= model.ledger.totals.requests < 10


def test_an_endpoint_that_comes_back_is_waited_for(client: MakeClient) -> None:
    with fake_openai(*[Reply(status=502)] * 7, Reply(content(3))) as fake:
        assert total(ask(patient(client, fake, seconds=20.0))) == 3
        assert len(fake.requests) == 8  # more than max_attempts


def test_what_fails_while_others_are_answered_fails_alone(client: MakeClient) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        await asyncio.sleep(0.01)
        if asked.question.text == "bad":
            raise RequestFailed("server", "always", 500)
        return completion(content(3))

    asked = [question("bad"), *(question(f"{number}") for number in range(30))]
    model = patient(client, NOWHERE, seconds=60.0, transport=transport, pace=Pace(2))
    bad, *others = gather(model, asked)
    assert isinstance(bad, TransportFailed)
    assert all(isinstance(reply, Answer) for reply in others)


def test_a_server_that_stops_listening_is_asked_again_if_it_has_answered(client: MakeClient) -> None:
    failures = iter([None, "refused", "refused", None])

    async def transport(asked: Asked, body: bytes) -> Completion:
        if next(failures):
            raise RequestFailed("refused", "nothing listens")
        return completion(content(3))

    assert total(ask(client(transport=transport), question("1"), question("2"))) == 3


def test_a_server_that_stops_listening_for_good_is_gone(client: MakeClient) -> None:
    failures = iter([None])

    async def transport(asked: Asked, body: bytes) -> Completion:
        if next(failures, "refused"):
            raise RequestFailed("refused", "nothing listens")
        return completion(content(3))

    with pytest.raises(EndpointGone, match=r"no usable response for .* seconds; the last: nothing listens"):
        ask(patient(client, NOWHERE, transport=transport), question("1"), question("2"))


def test_a_server_that_is_started_again_is_found_again(stores: tuple[AnswerStore, Ledger]) -> None:
    """Really: the connections of before are dead, and for a while nothing listens."""
    fake = FakeServer("", [Reply(content(3))])

    @asynccontextmanager
    async def served(port: int = 0) -> AsyncIterator[int]:
        ready, stop = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(serve(fake, Behaviour(), ready=ready.set, until=stop.wait, port=port))
        await ready.wait()
        yield int(fake.base_url.split(":")[2].split("/")[0])
        stop.set()
        await serving

    async def main() -> list[str]:
        async with served() as port:
            model = patient(client_of, endpoint_of(fake), 20.0, answers=stores[0], ledger=stores[1])
            await model.ask(question("1"))
        async with model:
            asking = asyncio.create_task(model.ask(question("2")))
            await asyncio.sleep(0.2)
            assert not asking.done()
            async with served(port):
                assert total(await asking) == 3
        return [row["outcome"] for row in bill(stores[1].path.parent)]

    outcomes = asyncio.run(main())
    assert (outcomes[0], outcomes[-1]) == ("ok", "ok")
    assert "refused" in outcomes


def test_requests_that_are_all_rejected_end_the_run(client: MakeClient) -> None:
    with fake_openai(Reply(status=400)) as fake:
        model = client(fake)

        async def main() -> list[type]:
            errors = []
            for number in range(3):
                with pytest.raises(GongkaiError) as caught:
                    await model.ask(question(f"{number}"))
                errors.append(caught.type)
            return errors

        assert run(model, main) == [TransportFailed, TransportFailed, EndpointGone]


def test_a_rejected_request_is_no_sign_that_the_endpoint_is_gone(client: MakeClient) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        raise RequestFailed("rejected", "too long", 400)

    model = client(transport=transport)
    with pytest.raises(TransportFailed):
        ask(model)
    assert model._health.failing_since is None


FINAL: list[tuple[Fault, str]] = [
    ("401", "refused the key"),
    ("403", "refused the key"),
    ("404", "404"),
    ("quota", "quota"),
]


@pytest.mark.parametrize(("fault", "says"), FINAL)
def test_what_ends_the_run_shows_no_key(fault: Fault, says: str, client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(fault=fault)) as fake, pytest.raises(ModelUnavailable, match=says) as caught:
        ask(patient(client, fake))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in str(error)
        error = error.__cause__
    assert len(bill(tmp_path)) == 1


def test_the_servers_own_clock_counts_for_its_dates(client: MakeClient) -> None:
    headers = {"Retry-After": "Sun, 06 Nov 1994 08:49:44 GMT", "Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    waits: list[float] = []
    with fake_openai(Reply(status=429, headers=headers), Reply(content(3))) as fake:
        ask(client(fake, waits))
    assert waits[0] == pytest.approx(7.0, abs=1e-6)


# What is asked for, and cancelling


def test_a_model_that_thinks_gets_room_and_no_temperature(client: MakeClient, tmp_path: Path) -> None:
    with fake_openai(Reply(content(3), fault="no_usage")) as fake:
        ask(client(endpoint_of(fake, profile=profile_of("gpt-5"))), question(logprobs=True))
        request = fake.requests[0]
    assert (request["max_completion_tokens"], request["reasoning_effort"]) == (4050, "low")
    assert not {"temperature", "seed", "max_tokens", "logprobs", "top_logprobs"} & request.keys()
    assert bill(tmp_path)[0]["output_tokens"] == 4050  # nobody says how long it thought


def test_cancelling_gives_back_turn_and_money(client: MakeClient, tmp_path: Path) -> None:
    pace, budget = Pace(1), Budget(1.0)
    with fake_openai(Reply(fault="stall"), Reply(content(3))) as fake:
        model = client(fake, pace=pace, budget=budget)

        async def main() -> Replied:
            in_flight = asyncio.create_task(model.ask(question("1")))
            waiting = asyncio.create_task(model.ask(question("2")))
            await arrived(fake)
            assert (pace.in_flight, budget._reserved_usd > 0) == (1, True)
            for task in (waiting, in_flight):
                task.cancel()
            await asyncio.wait([in_flight, waiting])
            assert (pace.in_flight, budget._reserved_usd) == (0, 0.0)
            return await model.ask(question("3"))

        assert total(run(model, main)) == 3
    # What was under way may have been read, and paid.
    assert [(row["outcome"], row["is_estimated"]) for row in bill(tmp_path)] == [("cancelled", 1), ("ok", 0)]
    assert budget.spent_usd == pytest.approx(sum(row["cost_usd"] for row in bill(tmp_path)))


def test_late_answers_lower_the_pace(client: MakeClient) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        raise RequestFailed("timeout", "late")

    pace = Pace(8)
    with pytest.raises(TransportFailed):
        ask(client(transport=transport, pace=pace, max_attempts=6))
    assert pace.limit < 8


def test_an_error_of_the_transport_comes_through_as_it_is(client: MakeClient) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        raise BudgetReached("no")

    with pytest.raises(BudgetReached, match=r"^no$"):
        ask(client(transport=transport))


def test_half_a_character_in_an_answer_does_no_harm(client: MakeClient, tmp_path: Path) -> None:
    async def transport(asked: Asked, body: bytes) -> Completion:
        return parse_completion(
            rb'{"choices": [{"message": {"content": "{\"total\": 3, \"why\": \"\ud800\"}"}}]}'
        )

    assert total(ask(client(transport=transport))) == 3
    assert answers_on_disk(tmp_path) == 1


def test_usage_of_a_stored_answer_is_what_it_cost_then(client: MakeClient) -> None:
    with fake_openai(Reply(content(3))) as fake:
        first, again = answer(client(fake)), answer(client(fake))
    assert again.usage == Usage()
    assert again.stored_usage == first.usage
    assert first.usage.cost_usd == pytest.approx(priced(TokenCounts(100, 60, 9)))
