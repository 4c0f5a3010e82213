"""Asking a model what figures are: the prefix, the questions, the answers, and whose word counts."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from fake_openai import fake_openai
from fake_replies import Reply
from fake_service import FakeServer
from prose_material import document
from steps_material import Ask, answer, answered, asking, figures, label_with, nobody, replying

from pipeline.config import prompts_dir
from pipeline.document import Document
from pipeline.errors import AnswerInvalid, PromptError
from pipeline.fact import Usage
from pipeline.model import prompts
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint
from pipeline.model.question import Answer, TokenLogprob
from pipeline.prose import label
from pipeline.prose.facts import LabelledMention
from pipeline.prose.fields import OTHER, path_of_label
from pipeline.prose.label import (
    AGREED_CONFIDENCE,
    DISPUTED_CONFIDENCE,
    MAX_FIGURES_OF_A_SENTENCE,
    MIN_CONFIDENCE,
    Labelling,
    allowed_labels,
    label_form,
    label_prompt,
)
from pipeline.prose.label_confidence import UNKNOWN_CONFIDENCE
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel, Strength
from pipeline.prose.wording import RULE_CONFIDENCE
from pipeline.read import read_document

TEXT = "通过网站公开12条，微博公开3条。"
WEBSITE, WEIBO, TOTAL = "proactive.channel.website", "proactive.channel.weibo", "proactive.total"
SAMPLES = Path(__file__).parents[1] / "gold" / "samples"


# The prompt: the same for every question, and its examples are whole


@pytest.fixture
def prompt_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the prompt files that a test may change."""
    folder = tmp_path / "prompts"
    shutil.copytree(prompts_dir(), folder)
    for module in (label, prompts):
        monkeypatch.setattr(module, "prompts_dir", lambda: folder)
    label_prompt.cache_clear()
    yield folder
    label_prompt.cache_clear()


def examples() -> list[dict[str, Any]]:
    path = prompts_dir() / "label_examples.yaml"
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_prompt_is_system_text_then_examples_in_turn() -> None:
    roles = [message.role for message in label_prompt().messages]
    assert roles == ["system", *["user", "assistant"] * len(examples())]


def test_prompt_names_every_label_once() -> None:
    system = label_prompt().messages[0].content
    listed = system.rpartition("标签：")[2].strip().split("、")
    assert listed == [*path_of_label(), OTHER]


def test_examples_answer_in_the_form_that_is_asked_for() -> None:
    messages = label_prompt().messages[1:]
    for example, question, reply in zip(examples(), messages[::2], messages[1::2], strict=True):
        keys = question.content.rpartition("\n")[2].split(" ")
        assert list(json.loads(reply.content)) == keys
        assert list(json.loads(reply.content).values()) == example["labels"]


def test_no_example_is_a_sentence_of_a_sample_report() -> None:
    texts = [read_document(path).text for path in SAMPLES.iterdir() if path.suffix != ".yaml"]
    assert texts
    for example in examples():
        assert not any(example["text"].rstrip("。") in text for text in texts)


BROKEN_EXAMPLES = [
    ("a label too few", {"text": "公开12条，微博3条。", "labels": ["公开总数"]}, "2 figures and 1 labels"),
    ("a label too many", {"text": "公开12条。", "labels": ["公开总数", "微博"]}, "1 figures and 2 labels"),
    ("an unknown label", {"text": "公开12条。", "labels": ["公开总量"]}, "公开总量"),
]


@pytest.mark.parametrize(
    ("name", "example", "says"), BROKEN_EXAMPLES, ids=[row[0] for row in BROKEN_EXAMPLES]
)
def test_broken_example_is_an_error(
    name: str, example: dict[str, Any], says: str, prompt_folder: Path
) -> None:
    path = prompt_folder / "label_examples.yaml"
    path.write_text(yaml.safe_dump([*examples(), example], allow_unicode=True), encoding="utf-8")
    with pytest.raises(PromptError, match=says):
        label_prompt()


def test_prompt_hash_follows_both_files(prompt_folder: Path) -> None:
    seen = {label_prompt().sha256}
    for name in ("label.md", "label_examples.yaml"):
        path = prompt_folder / name
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        label_prompt.cache_clear()
        seen.add(label_prompt().sha256)
    assert len(seen) == 3


# The question and the form of its answer


def schema_of(mentions: Sequence[Mention]) -> dict[str, Any]:
    return dict(json.loads(label_form(mentions).schema_json))


def choices(mention: Mention, schema: dict[str, Any], key: str) -> list[str]:
    """The closed set of one figure in a JSON schema."""
    field = schema["properties"][key]
    return list(field.get("enum", [field.get("const")]))


def test_schema_has_a_closed_set_for_each_figure_in_order_of_print() -> None:
    mentions = figures(TEXT)
    schema = schema_of(mentions)
    assert list(schema["properties"]) == ["1:12条", "2:3条"]
    assert schema["required"] == ["1:12条", "2:3条"]
    assert schema["additionalProperties"] is False
    for mention, key in zip(mentions, schema["properties"], strict=True):
        assert choices(mention, schema, key) == list(allowed_labels(mention))


def test_key_is_the_print_without_white_space() -> None:
    schema = schema_of(figures("全年公开政府信息 1 136 余条。"))
    assert list(schema["properties"]) == ["1:1136余条"]


def test_none_of_the_fields_can_always_be_answered() -> None:
    for mention in figures(TEXT, "收取费用12元。", "配备专职人员3名。"):
        assert allowed_labels(mention)[-1] == OTHER


@pytest.mark.parametrize(
    "content",
    [
        '{"1:12条":"微波","2:3条":"微博"}',
        '{"1:12条":"微博"}',
        '{"1:12条":"微博","2:3条":"微博","3:4条":"微博"}',
    ],
    ids=["label outside of the set", "figure left out", "figure too many"],
)
def test_answers_that_do_not_fit(content: str) -> None:
    with pytest.raises(ValueError, match=r"is none of|no such figure"):
        label_form(figures(TEXT)).check(content)


# Questions. What wording says is set by hand, so that each case is about the model's part.

Wording = Callable[..., None]
AskAt = Callable[[FakeServer], Ask]


@pytest.fixture
def wording(monkeypatch: pytest.MonkeyPatch) -> Wording:
    """Sets what wording says of the mentions in order: (path, strength)."""

    def set_to(*said: tuple[str | None, Strength]) -> None:
        def by_hand(mentions: Sequence[Mention], year: int | None = None) -> tuple[RuleLabel, ...]:
            return tuple(
                RuleLabel(mention, path, strength)
                for mention, (path, strength) in zip(mentions, said, strict=True)
            )

        monkeypatch.setattr(label, "label_by_wording", by_hand)

    return set_to


@pytest.fixture
def ask_at(tmp_path: Path) -> Iterator[AskAt]:
    """Makes clients of a fake server."""
    with ExitStack() as opened:
        store = opened.enter_context(AnswerStore(tmp_path / "answers.sqlite"))
        yield lambda fake: opened.enter_context(
            asking(Endpoint(fake.base_url, "tiny", "fake", timeout_seconds=5.0), store)
        )


def told(labelling: Labelling, report: Document) -> list[tuple[str, str, str]]:
    """Print, path and method of everything labelled."""
    return [(item.mention.raw(report), item.path, item.method) for item in labelling.labelled]


OPEN: tuple[tuple[str | None, Strength], ...] = ((None, "none"), (None, "none"))


BOTH = answer(("1:12条", "政府网站"), ("2:3条", "微博"))


def test_answer_becomes_labels(wording: Wording, ask_at: AskAt) -> None:
    wording(*OPEN)
    report = document(TEXT)
    with fake_openai(Reply(BOTH)) as fake:
        labelling = label_with(ask_at(fake), report)
    assert told(labelling, report) == [("12条", WEBSITE, "label"), ("3条", WEIBO, "label")]
    assert labelling.usage.requests == 1
    assert labelling.usage.input_tokens == 100


def test_question_is_heading_sentence_and_figures(wording: Wording) -> None:
    wording(*OPEN)
    ask = replying(BOTH)
    label_with(ask, document("# 二、主动公开情况", f"前一句。{TEXT}后一句。"))
    (question,) = ask.asked
    (message,) = question.messages
    assert message.as_dict() == {"role": "user", "content": f"【主动公开情况】{TEXT}\n1:12条 2:3条"}


def test_prefix_is_the_same_bytes_in_every_call(wording: Wording, ask_at: AskAt) -> None:
    wording((None, "none"), (None, "none"), (None, "none"))
    report = document("# 一、概述", TEXT, "# 二、主动公开情况", "全年公开信息15条。")
    with fake_openai(Reply(BOTH), Reply(answer(("1:15条", "公开总数")))) as fake:
        label_with(ask_at(fake), report)
        first, second = fake.raw_bodies
        prefixes = [request["messages"][:-1] for request in fake.requests]
    assert prefixes == [[message.as_dict() for message in label_prompt().messages]] * 2
    marks = [raw.rindex("【".encode()) for raw in (first, second)]
    assert marks[0] == marks[1]
    assert first[: marks[0]] == second[: marks[1]]


def test_what_wording_says_plainly_is_never_asked(wording: Wording) -> None:
    wording((TOTAL, "strong"), (None, "none"))
    report = document(TEXT)
    ask = replying(answer(("1:3条", "微博")))
    labelling = label_with(ask, report)
    assert ask.texts == [f"{TEXT}\n1:3条"]
    assert told(labelling, report) == [("12条", TOTAL, "rule"), ("3条", WEIBO, "label")]
    assert labelling.labelled[0].confidence == RULE_CONFIDENCE["strong"]


def test_nothing_is_asked_where_wording_settles_all() -> None:
    report = document("全年主动公开政府信息873条。", "收到政府信息公开申请54件。", "未收取费用。")
    labelling = label_with(nobody, report, year=2021)
    assert [item.path for item in labelling.labelled] == [
        TOTAL,
        "requests.new_received.total",
        "fees.charged_yuan",
    ]
    assert labelling.usage == Usage()


def test_zeros_and_figures_without_a_possible_field_are_never_asked(wording: Wording) -> None:
    wording((None, "none"), (None, "none"))
    labelling = label_with(nobody, document("未收到锦旗，栽种树木300段。"))
    assert labelling.labelled == ()


def test_model_may_say_that_a_figure_is_of_no_field(wording: Wording) -> None:
    wording(*OPEN)
    report = document(TEXT)
    labelling = label_with(replying(answer(("1:12条", "政府网站"), ("2:3条", OTHER))), report)
    assert told(labelling, report) == [("12条", WEBSITE, "label")]


def test_label_outside_of_the_set_is_asked_again(wording: Wording, ask_at: AskAt) -> None:
    wording(*OPEN)
    report = document(TEXT)
    with fake_openai(Reply(answer(("1:12条", "政府网站"), ("2:3条", "收取费用"))), Reply(BOTH)) as fake:
        labelling = label_with(ask_at(fake), report)
        first, second = [request["messages"] for request in fake.requests]
    assert second[: len(first)] == first
    assert "收取费用" in json.dumps(second[len(first) :], ensure_ascii=False)
    assert told(labelling, report) == [("12条", WEBSITE, "label"), ("3条", WEIBO, "label")]
    assert labelling.usage.requests == 2


def test_labels_that_never_fit_are_an_error(wording: Wording, ask_at: AskAt) -> None:
    wording(*OPEN)
    with (
        fake_openai(Reply(answer(("1:12条", "收取费用"), ("2:3条", "微博")))) as fake,
        pytest.raises(AnswerInvalid, match="fake"),
    ):
        label_with(ask_at(fake), document(TEXT))


def test_a_long_sentence_is_asked_in_parts(wording: Wording) -> None:
    count = MAX_FIGURES_OF_A_SENTENCE + 2
    wording(*[(None, "none")] * count)
    text = "公开信息" + "，".join(f"微博{number}0条" for number in range(1, count + 1)) + "。"
    parts = (
        range(1, MAX_FIGURES_OF_A_SENTENCE + 1),
        range(MAX_FIGURES_OF_A_SENTENCE + 1, count + 1),
    )
    ask = replying(
        *(
            answer(*((f"{place}:{number}0条", "微博") for place, number in enumerate(part, 1)))
            for part in parts
        )
    )
    labelling = label_with(ask, document(text))
    assert len(ask.asked) == 2
    assert [item.path for item in labelling.labelled] == [WEIBO] * count


def test_the_same_question_is_asked_once(wording: Wording, ask_at: AskAt) -> None:
    wording(*OPEN)
    with fake_openai(Reply(BOTH)) as fake:
        ask = ask_at(fake)
        first = label_with(ask, document(TEXT))
        second = label_with(ask, document(TEXT))
        assert len(fake.requests) == 1
    assert told(first, document(TEXT)) == told(second, document(TEXT))
    assert first.usage == second.usage


# Confidence


def labelled_with(reply: Answer, settles: Literal["silent", "open"] = "open") -> tuple[LabelledMention, ...]:
    """What comes of `网站公开12条` when the model replies so."""
    return label_with(replying(reply), document("通过网站公开12条。"), settles).labelled


def tokens(*logprobs: float) -> Answer:
    """`政府网站` in two tokens with these log-probabilities."""
    pieces = ('{"1:12条":"', "政府", "网站", '"}')
    return answered("".join(pieces), [*map(TokenLogprob, pieces, (0.0, *logprobs, -9.0))])


def test_confidence_is_the_product_of_the_labels_tokens(wording: Wording) -> None:
    wording((None, "none"))
    (item,) = labelled_with(tokens(-0.1, -0.02))
    assert item.confidence == pytest.approx(math.exp(-0.12))


@pytest.mark.parametrize(
    "reply",
    [
        answered('{"1:12条":"政府网站"}'),
        answered('{"1:12条":"政府网站"}', [TokenLogprob("{", 0.0), TokenLogprob("\ufffd", -0.1)]),
    ],
    ids=["none given", "pieces of characters"],
)
def test_confidence_unknown(reply: Answer, wording: Wording) -> None:
    wording((None, "none"))
    (item,) = labelled_with(reply)
    assert item.confidence == UNKNOWN_CONFIDENCE


# Whose word counts: wording said (path, strength), the model answers 政府网站 with this
# log-probability, and its labels settle the silent figures or all open ones.

# A weak wording that the model denies is trusted no more than it was without it.
DISPUTED = min(DISPUTED_CONFIDENCE, RULE_CONFIDENCE["weak"])
SURE, UNSURE = math.log(MIN_CONFIDENCE + 0.1), math.log(MIN_CONFIDENCE - 0.1)
Outcome = tuple[str, str, float, tuple[tuple[str, str], ...]]
DECISIONS: list[tuple[str, str | None, Strength, Literal["silent", "open"], float, Outcome | None]] = [
    ("both agree", WEBSITE, "weak", "silent", SURE, (WEBSITE, "rule", AGREED_CONFIDENCE, ())),
    ("both agree, remote", WEBSITE, "weak", "open", UNSURE, (WEBSITE, "rule", AGREED_CONFIDENCE, ())),
    (
        "small model against weak wording", TOTAL, "weak", "silent", SURE,
        (TOTAL, "rule", DISPUTED, ((WEBSITE, "label"),)),
    ),
    (
        "large model against weak wording", TOTAL, "weak", "open", SURE,
        (WEBSITE, "label", math.exp(SURE), ((TOTAL, "rule"),)),
    ),
    ("nothing said, small model sure", None, "none", "silent", SURE, (WEBSITE, "label", math.exp(SURE), ())),
    ("nothing said, small model unsure", None, "none", "silent", UNSURE, None),
    ("nothing said, large model", None, "none", "open", UNSURE, (WEBSITE, "label", math.exp(UNSURE), ())),
    ("no field said, small model", None, "weak", "silent", SURE, None),
    ("no field said, large model", None, "weak", "open", SURE, (WEBSITE, "label", math.exp(SURE), ())),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "strength", "settles", "logprob", "outcome"),
    DECISIONS,
    ids=[row[0] for row in DECISIONS],
)
def test_whose_word_counts(
    name: str,
    path: str | None,
    strength: Strength,
    settles: Literal["silent", "open"],
    logprob: float,
    outcome: Outcome | None,
    wording: Wording,
) -> None:
    wording((path, strength))
    found = labelled_with(tokens(logprob, 0.0), settles)
    told = [(item.path, item.method, round(item.confidence, 9), item.alternatives) for item in found]
    expected = [] if outcome is None else [(outcome[0], outcome[1], round(outcome[2], 9), outcome[3])]
    assert told == expected


def test_both_against_it_a_weak_field_is_kept_and_the_doubt_shown(wording: Wording) -> None:
    """The model says 无关: a small one does not settle it, a large one does."""
    wording((WEBSITE, "weak"))
    reply = answered(answer(("1:12条", OTHER)))
    (kept,) = labelled_with(reply, "silent")
    assert (kept.path, kept.confidence) == (WEBSITE, DISPUTED)
    assert labelled_with(reply, "open") == ()


def test_a_category_from_the_model_has_its_subject(wording: Wording) -> None:
    wording((None, "none"))
    found = label_with(
        replying(answer(("1:32条", "分类信息"))), document("公开政策法规类信息32条。")
    ).labelled
    assert [(item.path, item.label) for item in found] == [("proactive.category", "政策法规类信息")]


def test_ask_all_asks_about_plain_figures_too() -> None:
    report = document("全年主动公开政府信息873条。")
    ask = replying(answer(("1:873条", "公开总数")))
    labelling = label_with(ask, report, ask_all=True)
    assert len(ask.asked) == 1
    assert told(labelling, report) == [("873条", TOTAL, "rule")]
