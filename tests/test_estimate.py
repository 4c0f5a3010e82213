"""`--dry-run`: what a run would ask and cost is counted; nobody is asked, the run folder stays as it is."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_material import PRICE, PROMPT, asked
from run_material import ROOT, record, report

from pipeline.cli.app import app, run_app
from pipeline.document import Document
from pipeline.errors import ModelUnavailable, StartError
from pipeline.extraction import extraction_steps
from pipeline.fact import Usage
from pipeline.fill.form import fill_form, prose_paths
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Message
from pipeline.model.question import Answer, Asked, Form, Prefix, Question, drive
from pipeline.model.request_body import asked_at
from pipeline.model.tokens import token_counter
from pipeline.model.weights import find_weights
from pipeline.prose.label import LabelForm
from pipeline.read import read_document
from pipeline.runs import estimate
from pipeline.runs.estimate import (
    DocumentCost,
    _money,
    _Sample,
    estimate_run,
)
from pipeline.runs.known_answers import KnownAnswers
from pipeline.runs.record import RecordFile
from pipeline.runs.scaling import Figure, scaled
from pipeline.runs.session import ModelChoice, Spending, described_endpoint, label_options
from pipeline.runs.sources import hash_file, list_inputs
from pipeline.runs.stand_in import StandIn, Tokens, stand_in_answer
from pipeline.runs.workers import InlineWorkers
from pipeline.schema import fields

ASKING = "全年共受理各类事项{count}件，其中网站答复{part}件。\n"
REMOTE = ("--model", "gpt-5-mini", "--base-url", "https://api.openai.com/v1")


# The stand-in: its answers fit, and it counts each question once

FORMS: list[Form] = [
    LabelForm((("1:12条", ("政府网站", "无关")), ("2:3条", ("政务微博",)))),
    fill_form(prose_paths()),
    fill_form(fields().keys()),
]


@pytest.mark.parametrize("form", FORMS, ids=["label", "fill, prose", "fill, tables too"])
def test_the_answer_of_the_stand_in_fits(form: Form) -> None:
    form.check(stand_in_answer(json.loads(form.schema_json)))


def test_the_answer_of_the_stand_in_opens_all_groups_and_fills_nothing() -> None:
    form = fill_form(["proactive.total", "requests.new_received.natural_person"])
    content = stand_in_answer(json.loads(form.schema_json))
    assert "natural_person" in content
    assert form.values(content) == {}


class Characters:
    """A counter by which each character is a token, a message one more, and an answer's opening two."""

    is_exact = False
    source = "characters"

    def count(self, text: str) -> int:
        return len(text)

    def count_messages(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content) + 1 for message in messages) + 2


FORM = LabelForm((("1:3条", ("无关",)),))
OTHER_FORM = LabelForm((("1:4条", ("无关",)),))
SCHEMA = len(FORM.schema_json)
WRITTEN = len('{"1:3条":"无关"}') + 1
BEGINNING = 3 + 2  # 甲乙, its message, the opening
PREFIX = Prefix((Message("system", "甲乙"),))


def ask(text: str, form: Form = FORM, **options: Any) -> Question:
    parts = {"prompt_sha256": PROMPT, "max_tokens": 100, "prefix": PREFIX, **options}
    return Question((Message("user", text),), form, **parts)


def own_system(text: str) -> Question:
    return Question((Message("system", "甲乙"), Message("user", text)), FORM, PROMPT, 100)


def tokens(read: int, cached: int, **more: int) -> Tokens:
    counted = {"calls": 1, "schemas": SCHEMA, "shared": BEGINNING, "written": WRITTEN}
    return Tokens(read=read + SCHEMA, cached=cached, **{**counted, **more})


A = BEGINNING + 2  # and a message of one character
COUNTED: list[tuple[str, list[Question], dict[str, bool], list[Tokens]]] = [
    ("one after the other", [ask("丙"), ask("丁戊")], {}, [tokens(A, 5), tokens(A + 1, 5)]),
    ("twice the same", [ask("丙"), ask("丙")], {}, [tokens(A, 5), Tokens()]),
    ("another repeat", [ask("丙"), ask("丙", repeat=1)], {}, [tokens(A, 5), tokens(A, 5)]),
    ("a shared system message", [own_system("丙")], {}, [tokens(A, 5)]),
    ("a grammar", [ask("丙")], {"reads_schema": False}, [tokens(A - SCHEMA, 5, schemas=0)]),
    ("schema first", [ask("丙"), ask("丁")], {"schema_first": True}, [tokens(A, 0), tokens(A, 5 + SCHEMA)]),
    (
        "schema first, another one",
        [ask("丙"), ask("丁", OTHER_FORM)],
        {"schema_first": True},
        [tokens(A, 0), tokens(A, 0)],
    ),
    ("little room", [ask("丙", max_tokens=4)], {}, [tokens(A, 5, written=4)]),
]


@pytest.mark.parametrize(
    ("questions", "options", "counted"), [row[1:] for row in COUNTED], ids=[row[0] for row in COUNTED]
)
def test_what_questions_cost(
    tmp_path: Path, questions: list[Question], options: dict[str, bool], counted: list[Tokens]
) -> None:
    stand_in = StandIn(asked, KnownAnswers(tmp_path / "none"), Characters(), **options)
    assert [stand_in.ask(question)[1] for question in questions] == counted
    assert stand_in.once.shared == -BEGINNING
    assert stand_in.once.cached == (0 if options.get("schema_first") else -BEGINNING)


def test_a_stored_answer_costs_nothing_and_one_that_no_longer_fits_is_asked(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        store.put(asked(ask("丙")), '{"1:3条":"无关"}', Usage())
        store.put(asked(ask("丁")), '{"1:3条":"网站"}', Usage())
        store.commit()
        before = snapshot(tmp_path)
        with KnownAnswers(store.path) as known:  # while a run has it open
            stand_in = StandIn(asked, known, Characters())
            replies = [stand_in.ask(question) for question in (ask("丙"), ask("丙"), ask("丁"))]
        assert snapshot(tmp_path) == before
    assert [reply[1] for reply in replies] == [Tokens(stored=1), Tokens(), tokens(A, 5)]
    assert replies[0][0].from_store


def test_a_closed_store_is_read_without_a_file_beside_it(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        store.put(asked(ask("丙")), "{}", Usage())
    before = snapshot(tmp_path)
    with KnownAnswers(store.path) as known:
        assert known.get(asked(ask("丙")).key) is not None
        assert snapshot(tmp_path) == before
    assert list(before) == ["answers.sqlite"]


def test_what_is_no_store_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("no store" * 100, encoding="utf-8")
    with pytest.raises(StartError, match=r"answers\.sqlite cannot be read"):
        KnownAnswers(tmp_path / "answers.sqlite")


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with bytes and time of change, but what SQLite's readers and writers share in memory."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-shm")
    }


# Scaling a sample

SCALED = [
    # values, population, once, total, whether there is an interval
    ([], 0, 0.0, 0.0, False),
    ([3, 5], 2, 0.0, 8.0, False),
    ([3, 5], 2, -1.0, 7.0, False),
    ([4], 10, 0.0, 40.0, False),
    ([3, 5], 10, 0.0, 40.0, True),
    ([3, 5], 10, -1.0, 39.0, True),
    ([7, 7, 7], 9, 0.0, 63.0, True),
]


@pytest.mark.parametrize(("values", "population", "once", "total", "has_interval"), SCALED)
def test_a_sample_isscaled(
    values: list[float], population: int, once: float, total: float, has_interval: bool
) -> None:
    figure = scaled(values, population, once)
    assert figure.total == pytest.approx(total)
    assert (figure.low is not None) == has_interval
    if figure.low is not None and figure.high is not None:
        assert figure.low <= figure.total <= figure.high


def test_nineteen_of_twenty_intervals_hold_the_sum() -> None:
    numbers = np.random.default_rng(7)
    hits = 0
    for _ in range(60):
        population = numbers.poisson(4, 300).astype(float)
        figure = scaled(list(numbers.choice(population, 100, replace=False)), 300, 0.0)
        assert figure.low is not None
        assert figure.high is not None
        hits += figure.low <= population.sum() <= figure.high
    assert hits >= 52


def test_money_counts_the_cache_as_little_and_as_much_as_may_be() -> None:
    cost = Tokens(calls=1, read=1000, schemas=100, shared=800, cached=400, written=10)
    sample = _Sample([DocumentCost("a", cost)], Tokens(shared=-200, cached=-200), None)
    money = _money(PRICE, sample, 1, thinking_tokens=50, batch=False)
    # A dollar for a million tokens read, half of it from a cache, three written.
    assert money.low == pytest.approx((900 - (800 - 200) / 2 + 30) / 1e6)
    assert money.expected == Figure(pytest.approx((1000 - (400 - 200) / 2 + 30) / 1e6))  # type: ignore[arg-type]
    assert money.high == pytest.approx((1000 + 30) / 1e6)
    assert money.thoughts == pytest.approx(150 / 1e6)


# Whole estimates


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Six reports of which three ask one question each, two of these the same; and a file that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(6):
        text = report(count=100 + number)
        if number < 3:
            text += ASKING.format(count=90 + min(number, 1), part=31)
        (folder / f"r{number}.txt").write_text(text, encoding="utf-8")
    (folder / "x.txt").write_text("今天下午食堂供应饺子，欢迎品尝。\n" * 5, encoding="utf-8")
    return folder


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without processes, which take a second to start."""
    monkeypatch.setattr(
        estimate, "ProcessWorkers", lambda stages, folder, _processes: InlineWorkers(stages, folder)
    )


def dry_run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, str], str]:
    """Exit code, rows of the table by their name, standard error."""
    code = run_app(app, ["extract", *map(str, arguments), "--dry-run"])
    printed = capsys.readouterr()
    rows: dict[str, str] = {}
    for line in printed.out.splitlines():
        name, _, says = line.strip().partition("  ")
        rows.setdefault(name, says.strip())
    return code, rows, printed.out + printed.err


def test_a_dry_run_in_processes_counts_and_makes_nothing(
    tmp_path: Path, reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows, printed = dry_run(capsys, reports, "--out", tmp_path / "run", *REMOTE, "--rpm", "2")
    assert code == 0
    assert rows["documents"] == "7 to do, 0 done already"
    assert rows["unreadable"].startswith("1: ")
    assert rows["ask a model"].startswith("2 documents, gpt-5-mini")
    assert rows["calls"] == "2"
    assert rows["thoughts"].startswith("cannot be known before")
    assert "USD" in rows["money"]
    assert "as of 2026" in rows["prices"]
    assert rows["tokens by"].startswith("measured ratio for o200k")
    assert "at least 1 min 00 s by --rpm" in rows["time"]
    assert "cannot be read: x.txt" in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


OTHER_CALLS = [
    # options, row of the table, what it says
    (["--strategy", "rules"], "model", "no model is asked: 0 USD"),
    ([*REMOTE, "--strategy", "fill"], "calls", "6"),
    (["--model", "m", "--base-url", "https://x.example/v1"], "money", "--prices FILE"),
    (["--model", "m", "--base-url", "http://127.0.0.1:1/v1"], "money", "0 USD: it runs on this machine"),
    ([*REMOTE, "--budget", "20usd"], "budget", "20 USD is enough in any case"),
    ([*REMOTE, "--budget", "0.004usd"], "budget", "not for the most"),
    ([*REMOTE, "--budget", "0.0001usd"], "budget", "not enough for what is expected"),
    ([*REMOTE, "--sample", "4"], "sample", "4 of 7 were read"),
    ([*REMOTE, "--batch"], "prices", "gpt-5-mini, batch: 0.125 read, 0.0125 from the cache, 1 written"),
    ([*REMOTE, "--batch"], "time", "within a day"),
    ([*REMOTE, "--concurrency", "2"], "time", "1 s for every second that an answer takes (2 at a time)"),
]


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(
    ("options", "row", "says"), OTHER_CALLS, ids=[" ".join(row[0]) for row in OTHER_CALLS]
)
def test_what_a_dry_run_says(
    tmp_path: Path,
    reports: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    row: str,
    says: str,
) -> None:
    code, rows, _ = dry_run(capsys, reports, "--out", tmp_path / "run", *options)
    assert code == 0
    assert says in rows[row]


WRONG = [
    (["--base-url", "http://h/v1", "--dry-run"], "--model"),
    (["--strategy", "rules", "--model", "m", "--dry-run"], "leave out --model"),
    (["--model", "m", "--base-url", "http://h/v1", "--sample", "3"], "--sample is for --dry-run"),
    (["--model", "m", "--base-url", "https://h/v1", "--budget", "1usd", "--dry-run"], "no price is known"),
]


@pytest.mark.parametrize(("options", "says"), WRONG)
def test_wrong_calls(
    tmp_path: Path, reports: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert run_app(app, ["extract", str(reports), "--out", str(tmp_path / "run"), *options]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.usefixtures("inline")
def test_what_is_done_and_what_is_answered_costs_nothing_and_stays_as_it_is(
    tmp_path: Path, reports: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    choice = ModelChoice("label", "gpt-5-mini", REMOTE[3])
    records = RecordFile(out)
    records.append(record("r0", file="r0.txt", sha256=hash_file(reports / "r0.txt")))
    records.append(
        record("x", file="x.txt", sha256=hash_file(reports / "x.txt"), status="failed", error="no")
    )
    records.close()
    with AnswerStore(out / "answers.sqlite") as store:
        store.put(put_to(choice, questions_of(reports / "r1.txt", choice)[0]), '{"1:31件":"无关"}', Usage())
    before = snapshot(tmp_path)
    listing = list_inputs([reports], out)
    again = estimate_run(listing, out, choice, Spending(retry_failed=True))
    made = estimate_run(listing, out, choice, Spending())
    assert snapshot(tmp_path) == before
    assert (again.to_do, again.done, made.to_do, made.done) == (6, 1, 5, 2)
    assert made.counted is not None
    assert made.counted.failures == ()
    assert made.counted.tokens["stored"].total == 1
    assert made.counted.tokens["calls"].total == 0  # r2 asks the same as r1, which is answered


@pytest.mark.usefixtures("inline")
def test_a_sample_is_drawn_the_same_way_each_time(tmp_path: Path, reports: Path) -> None:
    choice = ModelChoice("fill", "gpt-5-mini", REMOTE[3])
    listing = list_inputs([reports])
    one, two = (estimate_run(listing, tmp_path / "run", choice, Spending(), 3).counted for _ in range(2))
    assert one is not None
    assert two is not None
    assert one.read == 3
    assert one.tokens == two.tokens


@pytest.mark.usefixtures("inline")
def test_copies_are_read_once(tmp_path: Path, reports: Path) -> None:
    (reports / "copy.txt").write_bytes((reports / "r0.txt").read_bytes())
    choice = ModelChoice("fill", "gpt-5-mini", REMOTE[3])
    made = estimate_run(list_inputs([reports]), tmp_path / "run", choice, Spending())
    assert (made.to_do, made.to_read) == (8, 7)


# The truth: what the embedded model's server counted for the same questions


def put_to(choice: ModelChoice, question: Question) -> Asked:
    return asked_at(described_endpoint(choice), question)


def questions_of(path: Path, choice: ModelChoice) -> list[Question]:
    """All that the report asks."""
    found: list[Question] = []

    def collect(questions: Sequence[Question]) -> list[Answer]:
        found.extend(questions)
        contents = [stand_in_answer(json.loads(question.form.schema_json)) for question in questions]
        return [Answer(content, Usage(), Usage(), False) for content in contents]

    document: Document = replace(read_document(path), file=path.name)
    drive(extraction_steps(document, choice.strategy, label_options(choice)), collect)
    return found


def test_tokens_read_are_those_that_the_embedded_models_server_counted() -> None:
    choice = ModelChoice("label")
    try:
        find_weights(choice.name)
    except ModelUnavailable:
        pytest.skip("the tokenizer is in the weights, which are not here")
    with gzip.open(ROOT / "evals" / "accepted" / "answers.jsonl.gz", "rt", encoding="utf-8") as lines:
        usages = {line["key"]: line["usage"] for line in map(json.loads, lines)}
    stand_in = StandIn(
        partial(put_to, choice), KnownAnswers(Path("none")), token_counter(choice.name), reads_schema=False
    )
    compared = written = counted = 0
    for path in random.Random(1).sample(sorted((ROOT / "gold" / "dev").glob("*.txt")), 30):
        for question in questions_of(path, choice):
            usage = usages.get(put_to(choice, question).key)
            if usage is None or usage["requests"] != 1:
                continue
            estimated = stand_in.ask(question)[1]
            if not estimated.calls:
                continue
            assert estimated.read == usage["input_tokens"], question.text
            compared += 1
            written += estimated.written
            counted += usage["output_tokens"]
    assert compared > 50
    assert written == pytest.approx(counted, rel=0.1)
