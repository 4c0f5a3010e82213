"""The model points: it says which field each figure of a sentence is, and writes no figure.

Wording settles most figures (`rules`). The model is asked about the rest, a sentence
a call, with a closed set of labels for each figure: those that a word of the sentence
names and the measure word allows. The answer is an object keyed by number and print,
`{"2:78条": "政府网站"}`. Everything before the sentence is the same for all calls, so that a server's prefix
cache holds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, create_model

from pipeline.config import prompts_dir
from pipeline.document import Document, DocumentBuilder
from pipeline.errors import PromptError
from pipeline.fact import Method, Usage
from pipeline.model.answers import Answer
from pipeline.model.endpoint import Message
from pipeline.model.prompts import Prompt, load_prompt
from pipeline.prose.categories import category_of
from pipeline.prose.cue_choice import possible_paths
from pipeline.prose.facts import LabelledMention
from pipeline.prose.fields import OTHER, path_of_label, prose_fields
from pipeline.prose.label_confidence import label_confidences
from pipeline.prose.mentions import Mention, Sentence, find_mentions
from pipeline.prose.rule_label import RuleLabel
from pipeline.prose.wording import as_labelled, confidence_of, label_by_wording

if TYPE_CHECKING:
    from pipeline.model.llm import ModelClient

MAX_FIGURES_A_CALL = 8
TOKENS_A_FIGURE = 40


@dataclass(frozen=True)
class LabelPrompt:
    """System text and worked examples: the prefix that all calls share."""

    messages: tuple[Message, ...]
    sha256: str


@dataclass(frozen=True)
class Labelling:
    """Mentions with their fields, and what asking cost."""

    labelled: tuple[LabelledMention, ...]
    usage: Usage


@cache
def label_prompt() -> LabelPrompt:
    """The prefix made of `prompts/label.md` and `prompts/label_examples.yaml`.

    Raises PromptError when an example has more or fewer labels than figures.
    """
    prompt: Prompt = load_prompt("label")
    path = prompts_dir() / "label_examples.yaml"
    raw = path.read_bytes()
    examples = yaml.safe_load(raw)
    system = Message("system", prompt.fill(labels="、".join((*path_of_label(), OTHER))))
    turns = [message for example in examples for message in _example(example, path.name)]
    digest = hashlib.sha256(prompt.sha256.encode() + hashlib.sha256(raw).digest()).hexdigest()
    return LabelPrompt((system, *turns), digest)


def _example(example: dict[str, Any], file: str) -> tuple[Message, Message]:
    mentions = [mention for mention in find_mentions(_as_document(example)) if mention.kind == "figure"]
    labels = example["labels"]
    unknown = [label for label in labels if label != OTHER and label not in path_of_label()]
    if len(mentions) != len(labels) or unknown:
        raise PromptError(
            f"{file}: {example['text']!r} has {len(mentions)} figures and {len(labels)} labels; "
            f"unknown labels: {unknown}"
        )
    answer = {
        _key(number, mention): label
        for number, (mention, label) in enumerate(zip(mentions, labels, strict=True), 1)
    }
    question = _question(mentions)
    return Message("user", question), Message(
        "assistant", json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    )


def _as_document(example: dict[str, Any]) -> Document:
    builder = DocumentBuilder()
    if example.get("heading"):
        builder.add_text("heading", f"一、{example['heading']}")
    builder.add_text("paragraph", example["text"])
    return builder.build(doc_id="example", file="", sha256="", media_type="text/plain")


def _question(mentions: Sequence[Mention]) -> str:
    sentence = mentions[0].sentence
    heading = sentence.headings[-1].lstrip("一二三四五六七八九十、（）()") if sentence.headings else ""
    figures = " ".join(_key(number, mention) for number, mention in enumerate(mentions, 1))
    return f"{f'【{heading}】' if heading else ''}{sentence.text.strip()}\n{figures}"


def _key(number: int, mention: Mention) -> str:
    offset = mention.sentence.span.start
    printed = mention.sentence.text[mention.span.start - offset : mention.span.end - offset]
    return f"{number}:{''.join(printed.split())}"


def allowed_labels(mention: Mention) -> tuple[str, ...]:
    """The labels that some word of the sentence names and the measure word allows, and `无关`."""
    return (*(prose_fields()[path].label for path in possible_paths(mention)), OTHER)


def label_mentions(
    document: Document, client: ModelClient, year: int | None = None, *, ask_all: bool = False
) -> Labelling:
    """Label every mention: by wording where that settles it, else by the model.

    `ask_all` asks the model about every figure, for measuring it alone. Raises
    ModelError when an answer cannot be had.
    """
    labels = label_by_wording(find_mentions(document), year)
    asked = [label for label in labels if _is_open(label, ask_all)]
    answers: dict[int, tuple[str | None, float]] = {}
    usage = Usage()
    for sentence_mentions in _calls([label.mention for label in asked]):
        answer = _ask(client, sentence_mentions)
        usage += answer.stored_usage
        answers.update(_read(answer, sentence_mentions))
    settles = client.endpoint.settles
    labelled = [
        item for label in labels for item in _combine(label, answers.get(label.mention.span.start), settles)
    ]
    return Labelling(tuple(labelled), usage)


def _is_open(label: RuleLabel, ask_all: bool) -> bool:
    """Whether the model is asked: wording left it open and some field is possible."""
    if label.mention.kind == "zero" or (label.strength == "strong" and not ask_all):
        return False
    return bool(possible_paths(label.mention))


def _calls(mentions: Sequence[Mention]) -> Iterator[list[Mention]]:
    for _, group in groupby(mentions, key=_sentence_of):
        same = list(group)
        for start in range(0, len(same), MAX_FIGURES_A_CALL):
            yield same[start : start + MAX_FIGURES_A_CALL]


def _sentence_of(mention: Mention) -> Sentence:
    return mention.sentence


class _Labels(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def answer_type(mentions: Sequence[Mention]) -> type[_Labels]:
    """The answer's schema for one sentence: one closed set of labels a figure, in order."""
    definitions: dict[str, Any] = {}
    for number, mention in enumerate(mentions, 1):
        choice = Literal[allowed_labels(mention)]  # type: ignore[valid-type]
        definitions[f"figure_{number}"] = (choice, Field(alias=_key(number, mention)))
    return create_model("Labels", __base__=_Labels, **definitions)


def _ask(client: ModelClient, mentions: Sequence[Mention]) -> Answer[_Labels]:
    prompt = label_prompt()
    return client.ask(
        [*prompt.messages, Message("user", _question(mentions))],
        answer_type(mentions),
        prompt_sha256=prompt.sha256,
        max_tokens=TOKENS_A_FIGURE * len(mentions) + 20,
        logprobs=True,
    )


def _read(answer: Answer[_Labels], mentions: Sequence[Mention]) -> dict[int, tuple[str | None, float]]:
    chosen = list(answer.value.model_dump().values())
    allowed = [allowed_labels(mention) for mention in mentions]
    confidences = label_confidences(answer.content, answer.logprobs, chosen, allowed)
    return {
        mention.span.start: (path_of_label().get(label), confidence)
        for mention, label, confidence in zip(mentions, chosen, confidences, strict=True)
    }


# Below this a label of a figure of which wording says nothing was wrong more often than right.
MIN_CONFIDENCE = 0.8
# On development reports wording was right in 97 of 100 figures where the small model agreed, and where
# it did not, seven times as often as the model.
AGREED_CONFIDENCE, DISPUTED_CONFIDENCE = 0.95, 0.8


def _combine(
    label: RuleLabel, answer: tuple[str | None, float] | None, settles: Literal["silent", "open"]
) -> Iterator[LabelledMention]:
    """The field of a mention from what wording and model say; the reading not taken is kept beside it."""
    if answer is None:
        if label.path is not None:
            yield as_labelled(label, label.path, confidence_of(label))
        return
    path, confidence = answer
    if path == label.path:
        if path is not None:
            yield as_labelled(label, path, max(AGREED_CONFIDENCE, confidence_of(label)))
    elif settles == "open":
        if path is not None:
            yield _by_model(label, path, confidence)
    elif label.path is not None:
        yield as_labelled(label, label.path, min(DISPUTED_CONFIDENCE, confidence_of(label)), path)
    elif label.strength == "none" and path is not None and confidence >= MIN_CONFIDENCE:
        yield _by_model(label, path, confidence)


def _by_model(label: RuleLabel, path: str, confidence: float) -> LabelledMention:
    subject = (label.label or category_of(label.mention)) if path == "proactive.category" else None
    alternatives: tuple[tuple[str, Method], ...] = () if label.path is None else ((label.path, "rule"),)
    return LabelledMention(label.mention, path, "label", confidence, subject, alternatives)
