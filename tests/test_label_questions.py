"""Questions about several sentences, the form of their answers, and answers that were cut off."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from fake_openai import fake_openai
from fake_replies import Reply
from hypothesis import given, settings
from hypothesis import strategies as st
from prose_material import document
from pydantic import BaseModel, ConfigDict, Field, create_model
from steps_material import COST, CUT, Replying, answer, answered, asking, figures, label_with, replying

from pipeline.errors import AnswerInvalid
from pipeline.fact import Usage
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint
from pipeline.model.question import Answer, Question, TokenLogprob
from pipeline.prose.fields import OTHER
from pipeline.prose.label import (
    MAX_FIGURES_A_QUESTION,
    MAX_FIGURES_OF_A_SENTENCE,
    TOKENS_A_FIGURE,
    LabelForm,
    label_form,
)
from pipeline.prose.label_confidence import UNKNOWN_CONFIDENCE
from pipeline.read import read_document

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
Choices = tuple[tuple[str, tuple[str, ...]], ...]

# The form: what pydantic says of the same fields, said faster


def as_pydantic(choices: Choices) -> type[BaseModel]:
    """A pydantic model of one closed set a figure."""
    definitions: dict[str, Any] = {
        f"figure_{number}": (Literal[labels], Field(alias=key))
        for number, (key, labels) in enumerate(choices, 1)
    }
    return create_model("Labels", __config__=ConfigDict(extra="forbid"), **definitions)


FORMS: list[tuple[str, Choices]] = [
    ("one figure", (("1:12条", ("政府网站", OTHER)),)),
    ("several figures", (("1:12条", ("政府网站", "微博", OTHER)), ("2:3条", ("微博", OTHER)))),
    ("a single label", (("1:12条", (OTHER,)),)),
    ("one single label among others", (("1:12条", ("微博", OTHER)), ("2:7人", (OTHER,)))),
    ("commas", (("1:1,204条", ("微博", OTHER)), ("2:12，345件", ("微博", OTHER)))),
    ("latin letters", (("1:12gb", ("微博", OTHER)), ("2:3App次", ("微博", OTHER)), ("3:4_x", (OTHER,)))),
    ("quotes and strokes", (('1:"5"条', ("微博", OTHER)), ("2:5\\条", ("微博", OTHER)))),
    ("money", (("1:3.5万元", ("收取费用", OTHER)), ("2:¥8", ("收取费用", OTHER)))),
]


@pytest.mark.parametrize(("name", "choices"), FORMS, ids=[name for name, _ in FORMS])
def test_schema_is_the_text_that_pydantic_writes(name: str, choices: Choices) -> None:
    expected = json.dumps(as_pydantic(choices).model_json_schema(), ensure_ascii=False)
    assert LabelForm(choices).schema_json == expected


@pytest.mark.parametrize(
    "lines", [("通过网站公开1,204条，微博公开3条。",), ("收取费用3.5万元。", "配备专职人员3名。")]
)
def test_schema_of_printed_figures_is_the_text_that_pydantic_writes(lines: Sequence[str]) -> None:
    form = label_form(figures(*lines))
    assert form.schema_json == json.dumps(as_pydantic(form.choices).model_json_schema(), ensure_ascii=False)


labels = st.sampled_from(("政府网站", "微博", "收取费用", OTHER))
closed_sets = st.lists(labels, min_size=1, max_size=3, unique=True).map(tuple)
prints = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=6)


@st.composite
def forms(draw: st.DrawFn) -> Choices:
    sets = draw(st.lists(closed_sets, min_size=1, max_size=4))
    return tuple((f"{number}:{draw(prints)}", each) for number, each in enumerate(sets, 1))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(choices=forms())
def test_schema_of_any_print_is_the_text_that_pydantic_writes(choices: Choices) -> None:
    expected = json.dumps(as_pydantic(choices).model_json_schema(), ensure_ascii=False)
    assert LabelForm(choices).schema_json == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(choices=forms(), data=st.data())
def test_what_fits_is_what_pydantic_takes(choices: Choices, data: st.DataObject) -> None:
    keys = data.draw(st.permutations([*(key for key, _ in choices), "9:9条"]))
    left_out = data.draw(st.sets(st.sampled_from(keys), max_size=2))
    values: st.SearchStrategy[object] = labels | st.sampled_from((None, 1, True, [OTHER], {}, "没有这个标签"))
    content = json.dumps({key: data.draw(values) for key in keys if key not in left_out})
    assert fits(LabelForm(choices), content) == is_taken(as_pydantic(choices), content)


def fits(form: LabelForm, content: str) -> bool:
    try:
        form.check(content)
    except ValueError:
        return False
    return True


def is_taken(model: type[BaseModel], content: str) -> bool:
    try:
        model.model_validate_json(content)
    except ValueError:
        return False
    return True


REFUSED = [
    # case, answer, what the model is told
    ("no JSON", "好的，以下是答案", "Expecting value"),
    ("nothing", "", "Expecting value"),
    ("cut in the middle", '{"1:12条":"微', "Unterminated string"),
    ("more behind it", '{"1:12条":"微博","2:3条":"微博"}好', "Extra data"),
    ("a list", '["政府网站","微博"]', "must be a JSON object"),
    ("a label alone", '"微博"', "must be a JSON object"),
    ("null", "null", "must be a JSON object"),
    ("nothing in it", "{}", "1:12条: None is none of .*; 2:3条: None is none of "),
    ("a figure left out", '{"1:12条":"微博"}', "2:3条: None is none of 微博"),
    ("an unknown label", '{"1:12条":"微波","2:3条":"微博"}', "1:12条: '微波' is none of 政府网站、微博"),
    ("another figure's label", '{"1:12条":"微博","2:3条":"政府网站"}', "2:3条: '政府网站' is none of 微博"),
    ("several labels", '{"1:12条":["微博"],"2:3条":"微博"}', "1:12条: .* is none of"),
    ("a figure too many", '{"1:12条":"微博","2:3条":"微博","3:4条":"微博"}', "^3:4条: no such figure$"),
    ("without the number", '{"12条":"微博","3条":"微博"}', "1:12条: None is none of"),
]  # fmt: skip
FORM = LabelForm((("1:12条", ("政府网站", "微博", OTHER)), ("2:3条", ("微博", OTHER))))


@pytest.mark.parametrize(("name", "content", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_an_answer_of_another_form_is_refused(name: str, content: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FORM.check(content)


@pytest.mark.parametrize("before", ["", '{"1:12条":'], ids=["alone", "as a label"])
def test_brackets_without_end_are_refused(before: str) -> None:
    assert not fits(FORM, before + "[" * 100_000)


@pytest.mark.parametrize(
    "content",
    ['{"1:12条":"政府网站","2:3条":"微博"}', ' {"2:3条": "微博",\n "1:12条": "政府网站"}'],
    ids=["in order", "in another order, with blanks"],
)
def test_labels_are_in_the_order_of_the_figures(content: str) -> None:
    FORM.check(content)
    assert FORM.labels(content) == ["政府网站", "微博"]


IN_WORDS = [
    ((("1:12条", ("微博", OTHER)),), "只答一个JSON对象。1:12条 只选微博、无关"),
    (
        (("1:12条", ("微博", OTHER)), ("2:7人", (OTHER,)), ("3:4条", ("微博", OTHER))),
        "只答一个JSON对象。1:12条 3:4条 只选微博、无关；2:7人 只选无关",
    ),
]


@pytest.mark.parametrize(("choices", "words"), IN_WORDS)
def test_the_closed_sets_in_words(choices: Choices, words: str) -> None:
    assert LabelForm(choices).in_words == words


# Several sentences a question. `ask_all` takes wording out of what is asked.

REPORT = document(
    "# 一、概述",
    "通过网站公开12条，微博公开3条。全年公开信息15条。",
    "# 二、依申请公开情况",
    "收到申请4件。",
)
SENTENCES = [
    "【概述】通过网站公开12条，微博公开3条。\n{}:12条 {}:3条",
    "【概述】全年公开信息15条。\n{}:15条",
    "【依申请公开情况】收到申请4件。\n{}:4件",
]
TEXTS = [
    (1, [SENTENCES[0].format(1, 2), SENTENCES[1].format(1), SENTENCES[2].format(1)]),
    (2, [f"{SENTENCES[0].format(1, 2)}\n{SENTENCES[1].format(3)}", SENTENCES[2].format(1)]),
    (8, ["\n".join([SENTENCES[0].format(1, 2), SENTENCES[1].format(3), SENTENCES[2].format(4)])]),
]


def keys_of(question: Question) -> list[str]:
    """Number and print of the figures that are asked about."""
    return list(json.loads(question.form.schema_json)["properties"])


def by_print(question: Question) -> Answer:
    """A label and its probability that depend on the print alone: the same in any question."""
    assert isinstance(question.form, LabelForm)
    pieces: list[TokenLogprob] = []
    for key, allowed in question.form.choices:
        chance = int(hashlib.sha256(key.partition(":")[2].encode()).hexdigest(), 16)
        pieces += [
            TokenLogprob(f'{"," if pieces else "{"}"{key}":"', 0.0),
            TokenLogprob(allowed[chance % len(allowed)], -(chance % 90 + 1) / 100),
            TokenLogprob('"', 0.0),
        ]
    pieces.append(TokenLogprob("}", 0.0))
    return answered("".join(piece.token for piece in pieces), pieces)


@pytest.mark.parametrize(("sentences", "texts"), TEXTS, ids=[str(sentences) for sentences, _ in TEXTS])
def test_each_sentence_has_its_figures_below_and_numbers_go_on(sentences: int, texts: list[str]) -> None:
    ask = Replying(by_print)
    label_with(ask, REPORT, sentences=sentences, ask_all=True)
    assert ask.texts == texts
    assert [keys_of(question) for question in ask.asked] == [figures_in(text) for text in texts]


def figures_in(text: str) -> list[str]:
    """The keys that a question prints."""
    return [key for line in text.split("\n")[1::2] for key in line.split(" ")]


def test_all_questions_of_a_report_are_asked_at_once() -> None:
    ask = Replying(by_print)
    label_with(ask, REPORT, ask_all=True)
    assert [len(questions) for questions in ask.rounds] == [3]


@pytest.mark.parametrize("sentences", [2, 3, 8, 24])
@pytest.mark.parametrize("name", ["tinglan_2020.txt", "yanxi_2017.txt", "moling_2023.md"])
def test_the_same_answers_give_the_same_labels(name: str, sentences: int) -> None:
    report = read_document(SAMPLES / name)
    one, several = Replying(by_print), Replying(by_print)
    alone = label_with(one, report, ask_all=True)
    together = label_with(several, report, sentences=sentences, ask_all=True)
    assert together.labelled == alone.labelled
    confidences = {item.confidence for item in alone.labelled if item.method == "label"}
    assert len(confidences) > 1
    assert UNKNOWN_CONFIDENCE not in confidences
    assert len(several.asked) < len(one.asked)
    assert together.usage.requests == len(several.asked)


def sentence(figures_in_it: int) -> str:
    return "，".join(f"微博公开{number}条" for number in range(1, figures_in_it + 1)) + "。"


CAPS = [
    # figures of each sentence, sentences a question → figures of each question
    ((5, 5, 5), 1, [5, 5, 5]),
    ((5, 5, 5), 2, [10, 5]),
    ((5, 5, 5), 8, [15]),
    ((1,) * 10, 8, [8, 2]),
    ((8, 8, 8, 1), 8, [24, 1]),
    ((7, 7, 7, 7), 8, [21, 7]),
    ((8,), 1, [8]),
    ((9,), 1, [8, 1]),
    ((20, 1), 1, [8, 8, 4, 1]),
]


@pytest.mark.parametrize(("counts", "sentences", "asked"), CAPS)
def test_figures_a_question(counts: Sequence[int], sentences: int, asked: list[int]) -> None:
    ask = Replying(by_print)
    label_with(ask, document(*map(sentence, counts)), sentences=sentences, ask_all=True)
    assert [len(keys_of(question)) for question in ask.asked] == asked


@settings(max_examples=25, deadline=None, derandomize=True)
@given(counts=st.lists(st.integers(1, 26), min_size=1, max_size=4), sentences=st.integers(1, 10))
def test_every_figure_is_asked_about_once_within_the_caps(counts: list[int], sentences: int) -> None:
    ask = Replying(by_print)
    report = document(*map(sentence, counts))
    label_with(ask, report, sentences=sentences, ask_all=True)
    asked = [keys_of(question) for question in ask.asked]
    most = MAX_FIGURES_OF_A_SENTENCE if sentences == 1 else MAX_FIGURES_A_QUESTION
    assert max(map(len, asked)) <= most
    assert [key.partition(":")[2] for keys in asked for key in keys] == [
        f"{number}条" for count in counts for number in range(1, count + 1)
    ]
    for question, keys in zip(ask.asked, asked, strict=True):
        assert figures_in(question.text) == keys
        assert question.text.count("\n") <= 2 * sentences - 1
        assert [int(key.partition(":")[0]) for key in keys] == list(range(1, len(keys) + 1))


# Answers that were cut off: the question is split by its figures


def cut_above(most: int) -> Replying:
    """A model that has room for so many figures."""
    return Replying(lambda question: CUT if len(keys_of(question)) > most else by_print(question))


SPLITS = [
    # figures of each sentence, sentences a question, figures that have room → figures asked, by round
    ((8,), 1, 8, [[8]]),
    ((8,), 1, 4, [[8], [4, 4]]),
    ((8,), 1, 1, [[8], [4, 4], [2, 2, 2, 2], [1] * 8]),
    ((5,), 1, 2, [[5], [2, 3], [1, 2]]),
    ((2, 3), 1, 2, [[2, 3], [1, 2]]),
    ((4, 4, 4), 8, 6, [[12], [6, 6]]),
    ((8, 8, 8), 8, 3, [[24], [12, 12], [6] * 4, [3] * 8]),
]


@pytest.mark.parametrize(("counts", "sentences", "most", "rounds"), SPLITS)
def test_a_cut_off_answer_splits_the_question(
    counts: Sequence[int], sentences: int, most: int, rounds: list[list[int]]
) -> None:
    report, ask = document(*map(sentence, counts)), cut_above(most)
    labelling = label_with(ask, report, sentences=sentences, ask_all=True)
    assert [[len(keys_of(question)) for question in asked] for asked in ask.rounds] == rounds
    assert labelling.labelled == label_with(Replying(by_print), report, ask_all=True).labelled
    assert labelling.usage == sum([COST] * len(ask.asked), Usage())


def test_a_half_is_a_question_as_any_other() -> None:
    ask = cut_above(2)
    label_with(ask, REPORT, sentences=8, ask_all=True)
    assert ask.texts[1:] == [
        SENTENCES[0].format(1, 2),
        f"{SENTENCES[1].format(1)}\n{SENTENCES[2].format(2)}",
    ]
    assert [question.max_tokens for question in ask.asked] == [room(4), room(2), room(2)]
    assert len({question.prefix.sha256 for question in ask.asked}) == 1


def room(figures_asked: int) -> int:
    return TOKENS_A_FIGURE * figures_asked + 20


def test_one_figure_gets_more_room_once() -> None:
    ask = replying(CUT, answer(("1:12条", "政府网站")))
    labelling = label_with(ask, document("通过网站公开12条。"), ask_all=True)
    assert [question.max_tokens for question in ask.asked] == [room(1), 4 * room(1)]
    assert ask.texts[0] == ask.texts[1]
    assert [item.path for item in labelling.labelled] == ["proactive.channel.website"]
    assert labelling.usage == COST + COST


@pytest.mark.parametrize(("count", "asked"), [(1, 3), (4, 1 + 2 + 4 + 4 + 4)])  # room × 1, × 4, × 16
def test_one_figure_that_is_cut_off_with_more_room_is_an_error(count: int, asked: int) -> None:
    ask = replying(CUT)
    with pytest.raises(AnswerInvalid, match=r"finish_reason=length.*one figure needs no answer"):
        label_with(ask, document(sentence(count)), ask_all=True)
    assert len(ask.asked) == asked


def test_a_cut_off_answer_over_http_is_counted_and_not_asked_for_again(tmp_path: Path) -> None:
    report = document("通过网站公开12条，微博公开3条。")
    halves = [answer(("1:12条", "政府网站")), answer(("1:3条", "微博"))]
    with (
        fake_openai(Reply("{", fault="length"), *map(Reply, halves)) as fake,
        AnswerStore(tmp_path / "answers.sqlite") as store,
        asking(Endpoint(fake.base_url, "tiny", "fake"), store) as ask,
    ):
        labelling = label_with(ask, report, ask_all=True)
        again = label_with(ask, report, ask_all=True)
        asked = [request["max_tokens"] for request in fake.requests]
    assert again.labelled == labelling.labelled
    assert again.usage.requests == 3, "what it cost when it was made"
    assert asked == [room(2), room(1), room(1)]
    assert (labelling.usage.requests, labelling.usage.output_tokens) == (3, 27)
    assert [item.path for item in labelling.labelled] == [
        "proactive.channel.website",
        "proactive.channel.weibo",
    ]


def test_probabilities_are_those_of_the_label_in_any_sentence() -> None:
    ask = Replying(by_print)
    labelling = label_with(ask, REPORT, sentences=8, ask_all=True)
    for item in labelling.labelled:
        if item.method == "label":
            chance = int(hashlib.sha256(item.mention.raw(REPORT).encode()).hexdigest(), 16)
            assert item.confidence == pytest.approx(math.exp(-(chance % 90 + 1) / 100))
