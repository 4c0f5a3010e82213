"""A run again from recorded answers: the same facts, and no model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_openai import fake_openai
from fake_replies import Reply
from prose_material import document
from steps_material import answer, asking, label_with

from pipeline.cli.app import app, run_app
from pipeline.errors import StartError
from pipeline.fact import Usage
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint, Message
from pipeline.model.question import Asked, Question, TokenLogprob
from pipeline.model.recorded import RecordedAnswers, record_answers
from pipeline.prose.label import LabelForm

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
REPORTS = [str(SAMPLES / name) for name in ("tinglan_2020.txt", "moling_2023.md")]
RECORDED = Path(__file__).parent / "recorded" / "label_answers.jsonl"
FORM = LabelForm((("1:1条", ("微博", "无关")),))
ASKED = Asked(Question((Message("user", "?"),), FORM, "0" * 64, 60), "tiny", "fake", {"temperature": 0})
TOKENS = (TokenLogprob("微博", -0.25, (("微博", -0.25), ("网站", -1.5))),)


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.jsonl.gz"])
def test_what_was_recorded_is_given(tmp_path: Path, name: str) -> None:
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        store.put(ASKED, '{"1:1条":"微博"}', Usage(requests=1, input_tokens=9, seconds=3.5), TOKENS)
    assert record_answers(tmp_path / "answers.sqlite", tmp_path / name) == 1
    given = RecordedAnswers(tmp_path / name).get(ASKED.key)
    assert (given.content, given.usage.input_tokens, given.logprobs) == ('{"1:1条":"微博"}', 9, TOKENS)
    once = (tmp_path / name).read_bytes()
    record_answers(tmp_path / "answers.sqlite", tmp_path / name)
    assert (tmp_path / name).read_bytes() == once


def test_a_run_is_made_again_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_CACHE", str(tmp_path / "no weights here"))
    run = tmp_path / "run"
    assert run_app(app, ["extract", *REPORTS, "--out", str(run), "--replay", str(RECORDED)]) == 0
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert manifest["model"] == "qwen2.5-coder-1.5b"
    lines = (run / "records.jsonl").read_text(encoding="utf-8").splitlines()
    asked = sum(json.loads(line)["usage"]["requests"] for line in lines)
    assert asked == len(RECORDED.read_text(encoding="utf-8").splitlines())


def test_a_question_that_was_not_recorded_fails_the_document_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    run = tmp_path / "run"
    assert run_app(app, ["extract", REPORTS[0], "--out", str(run), "--replay", str(empty)]) == 1
    record = json.loads((run / "records.jsonl").read_text(encoding="utf-8"))
    assert (record["status"], record["error_code"]) == ("failed", "model_not_recorded")
    assert "holds no answer to this question" in record["error"]


def test_a_run_with_an_answer_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    report = document("通过网站公开12条，微博公开3条。")
    halves = [Reply(answer(("1:12条", "政府网站"))), Reply(answer(("1:3条", "微博")))]
    with fake_openai(Reply("{", fault="length"), *halves) as fake:
        endpoint = Endpoint(fake.base_url, "tiny", "fake")
        with (
            AnswerStore(tmp_path / "answers.sqlite") as store,
            asking(endpoint, store) as ask,
        ):
            labelling = label_with(ask, report, ask_all=True)
    record_answers(tmp_path / "answers.sqlite", tmp_path / "answers.jsonl")
    with asking(endpoint, RecordedAnswers(tmp_path / "answers.jsonl"), max_attempts=1) as ask:
        again = label_with(ask, report, ask_all=True)
    assert again.labelled == labelling.labelled
    assert again.usage.output_tokens == labelling.usage.output_tokens


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), ("{", "no recording"), ('{"key": 1}', "no recording")]
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "a.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(StartError, match=said):
        RecordedAnswers(path)


def test_replay_is_for_strategies_with_a_model(tmp_path: Path) -> None:
    arguments = ["extract", REPORTS[0], "--out", str(tmp_path / "run"), "--strategy", "rules"]
    assert run_app(app, [*arguments, "--replay", str(RECORDED)]) == 2
