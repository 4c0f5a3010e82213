"""Takes a model's place in an estimate: counts what a question costs, and gives an answer that fits it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from pipeline.fact import Usage
from pipeline.fill.form import FillForm, prose_paths
from pipeline.model.answers import Answers
from pipeline.model.endpoint import Message
from pipeline.model.question import Answer, Asked, Question, Reply, compact
from pipeline.model.tokens import TokenCounter

# Ends every answer; servers count it as written.
_CLOSING_TOKENS = 1
# What a model writes into the whole form, of the tokens of the same form with every group opened and every
# field null. Measured on the 142 reports of gold/dev and gold/samples: the figures that the rules read
# were filled in, groups without any were null. 131 forms of the prose alone: 0.77 with the tokens of o200k,
# 0.82 of qwen2.5; 11 with the cells of tables: 1.03 and 0.99.
_FILLED_PROSE, _FILLED_TABLES = 0.8, 1.0
# In front of messages that are counted by themselves, so that a chat template adds no system message.
_NO_SYSTEM = (Message("system", ""),)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What questions cost. `stored` of them have an answer already, which the other figures leave out.

    `read` includes `schemas`, the answers' JSON schemas, which only some servers count.
    `shared` is the beginning that a question has in common with others, word for word: a
    server may hold it in its cache. `cached` is what the server is likely to hold.
    """

    calls: int = 0
    stored: int = 0
    read: int = 0
    schemas: int = 0
    shared: int = 0
    cached: int = 0
    written: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        """The sum."""
        return Tokens(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))


class StandIn:
    """Answers questions without a model. The same question asked twice costs nothing the second time.

    `asked` gives a question its key among `answers`. `reads_schema` tells whether the
    server is sent the answer's schema (llama.cpp is sent a grammar, which is no text), `schema_first`
    whether it puts it in front of all messages: another schema is then another beginning.
    """

    def __init__(
        self,
        asked: Callable[[Question], Asked],
        answers: Answers,
        counter: TokenCounter,
        *,
        reads_schema: bool = True,
        schema_first: bool = False,
    ) -> None:
        self._asked = asked
        self._answers = answers
        self._counter = counter
        self._reads_schema = reads_schema
        self._schema_first = schema_first
        self._seen: set[str] = set()
        self._beginnings: dict[tuple[str, ...], int] = {}
        self._cached_once = 0
        self._with_schema: set[tuple[str, ...]] = set()
        self._no_system = counter.count_messages(_NO_SYSTEM)

    @property
    def once(self) -> Tokens:
        """What is counted as shared and is not: each beginning had to be read once."""
        return Tokens(shared=-sum(self._beginnings.values()), cached=-self._cached_once)

    def ask(self, question: Question) -> tuple[Reply, Tokens]:
        """An answer that fits the question's form, and what the question costs."""
        asked = self._asked(question)
        stored = self._answers.get(asked.key)
        answer = None if stored is None else stored.fitting(asked)
        is_new = asked.key not in self._seen
        self._seen.add(asked.key)
        if answer is not None:
            return answer, Tokens(stored=int(is_new))
        content = stand_in_answer(json.loads(question.form.schema_json))
        tokens = self._count(asked, content) if is_new else Tokens()
        return Answer(content, Usage(), Usage(), False), tokens

    def _count(self, asked: Asked, content: str) -> Tokens:
        question = asked.question
        has_schema = self._reads_schema and asked.parameters.get("form") != "words"
        system, own = _system_and_own(question)
        beginning = (question.prefix.sha256, *(message.content for message in system))
        is_new = beginning not in self._beginnings
        if is_new:
            self._beginnings[beginning] = self._beginning(question, system)
        begun = self._beginnings[beginning]
        read = begun + self._counter.count_messages((*_NO_SYSTEM, *own)) - self._no_system
        schema = self._counter.count(question.form.schema_json) if has_schema else 0
        is_behind = has_schema and self._schema_first
        cached = self._behind_schema(question, beginning, begun + schema) if is_behind else begun
        if is_new and not is_behind:
            self._cached_once += begun
        return Tokens(
            calls=1,
            read=read + schema,
            schemas=schema,
            shared=begun,
            cached=cached,
            written=self._written(question, content),
        )

    def _beginning(self, question: Question, system: tuple[Message, ...]) -> int:
        messages = (*question.prefix.messages, *system)
        return self._counter.count_messages(messages) if messages else self._no_system

    def _behind_schema(self, question: Question, beginning: tuple[str, ...], tokens: int) -> int:
        """What is cached where the schema stands before the messages: nothing of the first with a schema."""
        with_schema = (question.form.schema_json, *beginning)
        is_shared = with_schema in self._with_schema
        self._with_schema.add(with_schema)
        return tokens if is_shared else 0

    def _written(self, question: Question, content: str) -> int:
        tokens = self._counter.count(content) + _CLOSING_TOKENS
        if isinstance(question.form, FillForm):
            is_prose = prose_paths().issuperset(question.form.paths)
            tokens = round(tokens * (_FILLED_PROSE if is_prose else _FILLED_TABLES))
        return min(tokens, question.max_tokens)


def _system_and_own(question: Question) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """System messages at the beginning of a question's own, which others may have too, and the rest."""
    messages = question.messages
    first = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    return messages[:first], messages[first:]


def stand_in_answer(schema: Mapping[str, Any]) -> str:
    """JSON that a schema allows: of each set the first, every object with all its fields, null elsewhere."""
    return compact(_value(schema, schema))


def _value(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    if "$ref" in node:
        return _value(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    if "anyOf" in node:
        parts = [part for part in node["anyOf"] if "$ref" in part or "properties" in part]
        return _value(parts[0], schema) if parts else None
    if "properties" in node:
        return {key: _value(child, schema) for key, child in node["properties"].items()}
    return node.get("const", next(iter(node.get("enum", ())), None))
