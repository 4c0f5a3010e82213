"""How sure a model was: probabilities from before the grammar's mask, made whole over the labels."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from pipeline.model.question import TokenLogprob
from pipeline.prose.label_confidence import UNKNOWN_CONFIDENCE, label_confidences

RECORDED = Path(__file__).parent / "recorded" / "label_answers.jsonl"
OPEN, CLOSE = '{"1:12条":"', '"}'


def token(written: str, **likely: float) -> TokenLogprob:
    """A written token and what the model would have liked at its place, as probabilities."""
    chances = {text.replace("QUOTE", '"'): chance for text, chance in likely.items()}
    alternatives = tuple((text, math.log(chance)) for text, chance in chances.items())
    return TokenLogprob(written, math.log(chances[written]), alternatives)


CLOSED = token(CLOSE, **{CLOSE: 1.0})

# (case, tokens of the label and the closing quote, allowed labels, probability of the label)
CASES = [
    (
        "what the grammar forbids is taken off",
        (token("微博", 微博=0.2, 网站=0.2, 新闻=0.4, 其他=0.2), CLOSED),
        ("微博", "网站"),
        0.5,
    ),
    (
        "all labels allowed: nothing changes",
        (token("微博", 微博=0.7, 网站=0.3), CLOSED),
        ("微博", "网站"),
        0.7,
    ),
    (
        "a label in two tokens: the second may only go on to a label that is still open",
        (token("政务", 政务=0.9, 网站=0.1), token("微博", 微博=0.3, 微信=0.1, 公开=0.6), CLOSED),
        ("政务微博", "政务微信", "网站"),
        0.9 * 0.75,
    ),
    (
        "the closing quote tells a label from a longer one",
        (token("培训", 培训=1.0), token(CLOSE, **{CLOSE: 0.6, "人次": 0.2, "班": 0.2})),
        ("培训", "培训人次"),
        0.75,
    ),
    (
        "another cut of the same label is the same label",
        (token("微", 微=0.5, 微博=0.3, 网站=0.2), token("博", 博=1.0), CLOSED),
        ("微博", "网站"),
        0.8,
    ),
    (
        "a label that is not among the likeliest may have had as much as the last of them",
        (token("微博", 微博=0.6, 新闻=0.1), CLOSED),
        ("微博", "网站", "公报"),
        0.6 / 0.8,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "labels", "probability"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_probability_among_the_labels(
    tokens: tuple[TokenLogprob, ...], labels: tuple[str, ...], probability: float
) -> None:
    label = "".join(one.token for one in tokens).removesuffix(CLOSE)
    written = (TokenLogprob(OPEN, -2.0, (("{", -0.5),)), *tokens)
    content = f"{OPEN}{label}{CLOSE}"
    assert label_confidences(content, written, [label], [labels]) == [pytest.approx(probability)]


def test_each_figure_has_its_own_labels() -> None:
    written = (
        TokenLogprob('{"1:5次":"', 0.0),
        token("培训", 培训=0.8, 会议=0.2),
        TokenLogprob('","2:9条":"', 0.0),
        token("微博", 微博=0.5, 培训=0.5),
        TokenLogprob(CLOSE, 0.0),
    )
    content = "".join(one.token for one in written)
    found = label_confidences(content, written, ["培训", "微博"], [("培训", "会议"), ("微博",)])
    assert found == pytest.approx([0.8, 1.0])


@pytest.mark.parametrize(
    "tokens",
    [None, (), (TokenLogprob('{"1:12条":"', 0.0), TokenLogprob("�", -0.1), TokenLogprob(CLOSE, 0.0))],
    ids=["none given", "empty", "pieces of characters"],
)
def test_unknown_without_the_tokens_of_the_answer(tokens: tuple[TokenLogprob, ...] | None) -> None:
    assert label_confidences(f"{OPEN}微博{CLOSE}", tokens, ["微博"], [("微博",)]) == [UNKNOWN_CONFIDENCE]


def test_a_forced_label_of_the_real_model_is_certain() -> None:
    """Where a single label is allowed the grammar leaves no choice, whatever the model liked."""
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)
        tokens = tuple(TokenLogprob(t, p, tuple(map(tuple, more))) for t, p, more in answer["logprobs"])
        (label,) = json.loads(answer["content"]).values()
        (alone,) = label_confidences(answer["content"], tokens, [label], [(label,)])
        (among,) = label_confidences(answer["content"], tokens, [label], [(label, "网站", "会议", "微信")])
        assert alone == pytest.approx(1.0)
        assert 0 < among < alone
