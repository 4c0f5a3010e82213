"""The model points: it says which field each figure of a sentence is, and writes no figure.

Wording settles most figures (`rules`). The model is asked about the rest, one or several
sentences a question, with a closed set of labels for each figure: those that a word of the
sentence names and the measure word allows. The answer is an object keyed by number and print,
`{"2:78条": "政府网站"}`. Everything before the sentences is the same for all questions, so that
a server's prefix cache holds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from typing import Any, Literal

import yaml

from pipeline.config import prompts_dir
from pipeline.document import Document, DocumentBuilder
from pipeline.errors import AnswerInvalid, PromptError
from pipeline.fact import Method, Usage
from pipeline.model.endpoint import Message
from pipeline.model.prompts import Prompt, load_prompt
from pipeline.model.question import Answer, CutOff, Prefix, Question, Steps
from pipeline.prose.categories import category_of
from pipeline.prose.cue_choice import possible_paths
from pipeline.prose.facts import LabelledMention
from pipeline.prose.fields import OTHER, path_of_label, prose_fields
from pipeline.prose.label_confidence import label_confidences
from pipeline.prose.mentions import Mention, Sentence, find_mentions
from pipeline.prose.rule_label import RuleLabel
from pipeline.prose.wording import as_labelled, confidence_of, label_by_wording

MAX_FIGURES_OF_A_SENTENCE = 8
MAX_FIGURES_A_QUESTION = 24
TOKENS_A_FIGURE = 40
# An answer that was cut off although it is about one figure gets so much more room, up to the most.
_MORE_ROOM, _MOST_ROOM = 4, 16


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How a model is asked for labels, and what its labels settle (Endpoint).

    `sentences` a question; `ask_all` asks about every figure, for measuring the model alone.
    """

    settles: Literal["silent", "open"] = "open"
    sentences: int = 1
    ask_all: bool = False


USUAL_OPTIONS = LabelOptions()


@dataclass(frozen=True)
class LabelPrompt:
    """System text and worked examples: the prefix that all questions share."""

    prefix: Prefix
    sha256: str

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages of the prefix."""
        return self.prefix.messages


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
    return LabelPrompt(Prefix((system, *turns)), digest)


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
    """The sentences, each with its figures below; figures are numbered through all of them."""
    lines: list[str] = []
    number = 1
    for same in _by_sentence(mentions):
        sentence = same[0].sentence
        heading = sentence.headings[-1].lstrip("一二三四五六七八九十、（）()") if sentence.headings else ""
        lines.append(f"{f'【{heading}】' if heading else ''}{sentence.text.strip()}")
        lines.append(" ".join(_key(place, mention) for place, mention in enumerate(same, number)))
        number += len(same)
    return "\n".join(lines)


def _key(number: int, mention: Mention) -> str:
    offset = mention.sentence.span.start
    printed = mention.sentence.text[mention.span.start - offset : mention.span.end - offset]
    return f"{number}:{''.join(printed.split())}"


def allowed_labels(mention: Mention) -> tuple[str, ...]:
    """The labels that some word of the sentence names and the measure word allows, and `无关`."""
    return (*(prose_fields()[path].label for path in possible_paths(mention)), OTHER)


def label_mentions(document: Document, options: LabelOptions, year: int | None = None) -> Steps[Labelling]:
    """Label every mention: by wording where that settles it, else by the model."""
    labels = label_by_wording(find_mentions(document), year)
    asked = [label.mention for label in labels if _is_open(label, options.ask_all)]
    answers, usage = yield from _ask(_groups(asked, options.sentences))
    labelled = [
        item
        for label in labels
        for item in _combine(label, answers.get(label.mention.span.start), options.settles)
    ]
    return Labelling(tuple(labelled), usage)


def _is_open(label: RuleLabel, ask_all: bool) -> bool:
    """Whether the model is asked: wording left it open and some field is possible."""
    if label.mention.kind == "zero" or (label.strength == "strong" and not ask_all):
        return False
    return bool(possible_paths(label.mention))


def _by_sentence(mentions: Sequence[Mention]) -> Iterator[list[Mention]]:
    for _, same in groupby(mentions, key=_sentence_of):
        yield list(same)


def _sentence_of(mention: Mention) -> Sentence:
    return mention.sentence


@dataclass(frozen=True, slots=True)
class _Group:
    """Figures that are asked about at once. `room` multiplies the tokens that the answer may have."""

    mentions: tuple[Mention, ...]
    room: int = 1

    def smaller(self, cut: CutOff) -> Iterator[_Group]:
        """What is asked instead when the answer was cut off. Raises AnswerInvalid when that was tried."""
        middle = len(self.mentions) // 2
        if middle:
            yield _Group(self.mentions[:middle], self.room)
            yield _Group(self.mentions[middle:], self.room)
        elif self.room < _MOST_ROOM:
            yield _Group(self.mentions, _MORE_ROOM * self.room)
        else:
            raise AnswerInvalid(f"{cut.message}: one figure needs no answer of that length")


def _groups(mentions: Sequence[Mention], sentences: int) -> Iterator[_Group]:
    """At most so many sentences a question; a sentence with many figures is asked in parts."""
    waiting: list[list[Mention]] = []
    for same in _by_sentence(mentions):
        for start in range(0, len(same), MAX_FIGURES_OF_A_SENTENCE):
            part = same[start : start + MAX_FIGURES_OF_A_SENTENCE]
            figures = sum(map(len, waiting))
            if waiting and (len(waiting) >= sentences or figures + len(part) > MAX_FIGURES_A_QUESTION):
                yield _Group(tuple(mention for each in waiting for mention in each))
                waiting = []
            waiting.append(part)
    if waiting:
        yield _Group(tuple(mention for each in waiting for mention in each))


@dataclass(frozen=True)
class LabelForm:
    """One closed set of labels a figure, keyed by the figure's number and print."""

    choices: tuple[tuple[str, tuple[str, ...]], ...]

    @cached_property
    def schema_json(self) -> str:
        """The schema as pydantic would write it for a model of these fields."""
        schema = {
            "additionalProperties": False,
            "properties": {key: _choice(key, labels) for key, labels in self.choices},
            "required": [key for key, _ in self.choices],
            "title": "Labels",
            "type": "object",
        }
        return json.dumps(schema, ensure_ascii=False)

    @cached_property
    def in_words(self) -> str:
        """The closed sets, for servers that are sent no schema; figures with the same set together."""
        keys: dict[tuple[str, ...], list[str]] = {}
        for key, labels in self.choices:
            keys.setdefault(labels, []).append(key)
        sets = "；".join(f"{' '.join(same)} 只选{'、'.join(labels)}" for labels, same in keys.items())
        return f"只答一个JSON对象。{sets}"

    def check(self, content: str) -> None:
        """Raise ValueError where a figure has no label of its set, or where there is more."""
        answer = _decoded(content)
        if not isinstance(answer, dict):
            raise ValueError("the answer must be a JSON object")
        faults = [
            f"{key}: {answer.get(key)!r} is none of {'、'.join(labels)}"
            for key, labels in self.choices
            if answer.get(key) not in labels
        ]
        known = dict(self.choices)
        faults += [f"{key}: no such figure" for key in answer if key not in known]
        if faults:
            raise ValueError("; ".join(faults))

    def labels(self, content: str) -> list[str]:
        """The labels of an answer that was checked, in the order of the figures."""
        answer = json.loads(content)
        return [answer[key] for key, _ in self.choices]


def _decoded(content: str) -> Any:
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("the answer must be a JSON object, and not nested") from error


def _choice(key: str, labels: tuple[str, ...]) -> dict[str, Any]:
    values = {"const": labels[0]} if len(labels) == 1 else {"enum": list(labels)}
    return {**values, "title": key.title().replace("_", " ").strip(), "type": "string"}


def label_form(mentions: Sequence[Mention]) -> LabelForm:
    """The form of the answer about some figures."""
    return LabelForm(
        tuple((_key(number, mention), allowed_labels(mention)) for number, mention in enumerate(mentions, 1))
    )


_Answers = dict[int, tuple[str | None, float]]


def _ask(groups: Iterator[_Group]) -> Steps[tuple[_Answers, Usage]]:
    """Path and confidence of each figure by the start of its print, and what asking cost."""
    answers: _Answers = {}
    usage = Usage()
    pending = list(groups)
    while pending:
        forms = [label_form(group.mentions) for group in pending]
        replies = yield tuple(_asked(group, form) for group, form in zip(pending, forms, strict=True))
        smaller: list[_Group] = []
        for group, form, reply in zip(pending, forms, replies, strict=True):
            if isinstance(reply, CutOff):
                usage += reply.usage
                smaller += group.smaller(reply)
            else:
                usage += reply.stored_usage
                answers.update(_read(reply, form, group.mentions))
        pending = smaller
    return answers, usage


def _asked(group: _Group, form: LabelForm) -> Question:
    prompt = label_prompt()
    return Question(
        messages=(Message("user", _question(group.mentions)),),
        form=form,
        prompt_sha256=prompt.sha256,
        max_tokens=group.room * (TOKENS_A_FIGURE * len(group.mentions) + 20),
        prefix=prompt.prefix,
        logprobs=True,
    )


def _read(answer: Answer, form: LabelForm, mentions: Sequence[Mention]) -> _Answers:
    chosen = form.labels(answer.content)
    allowed = [labels for _, labels in form.choices]
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
