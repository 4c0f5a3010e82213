"""Which requests ask the same question, and a sensible answer to it: the same one each time."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fake_replies import JSON

# Questions: which requests ask the same


def question_id(text: str, schema: JSON | None) -> str:
    """The name of a question: the last user message and the schema of its answer."""
    return digest(text, json.dumps(schema, sort_keys=True))[:16]


@dataclass(frozen=True)
class Question:
    """What is asked; a re-ask with the model's own answer and an error appended is the same question."""

    id: str
    text: str


@dataclass(frozen=True)
class Asked:
    """One request for a completion."""

    body: JSON
    question: Question
    schema: JSON | None
    prefix: str

    @property
    def messages(self) -> list[JSON]:
        """As they came."""
        return list(self.body["messages"])


class Questions:
    """The questions and prefixes seen so far."""

    def __init__(self) -> None:
        self._asked: dict[str, Question] = {}
        self._prefixes: set[str] = set()

    def of(self, body: JSON) -> Asked:
        """The request with its question."""
        schema = _schema(body)
        users = [text_of(message) for message in body["messages"] if message.get("role") == "user"]
        text = users[-1] if users else ""
        chain = [json.dumps(schema)]
        for message in body["messages"]:
            chain.append(digest(chain[-1], json.dumps(message)))
        known = next((self._asked[link] for link in chain[:-1] if link in self._asked), None)
        question = known or Question(question_id(text, schema), text)
        self._asked[chain[-1]] = question
        return Asked(body, question, schema, digest(*map(json.dumps, body["messages"][:-1])))

    def read_before(self, asked: Asked) -> bool:
        """Whether its prefix has been read; from now on it has."""
        is_known = asked.prefix in self._prefixes
        self._prefixes.add(asked.prefix)
        return is_known


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _schema(body: JSON) -> JSON | None:
    asked_form = body.get("response_format") or {}
    schema: JSON | None = (asked_form.get("json_schema") or {}).get("schema")
    return schema


def text_of(message: JSON) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


# The oracle: a sensible answer, the same one each time


def oracle(text: str, schema: JSON | None) -> str:
    """An answer to the question `text` that fits `schema`; `{}` without one."""
    answer = {} if schema is None else _value(schema, schema, text, "", 0)
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _value(schema: JSON, root: JSON, text: str, path: str, depth: int) -> Any:
    schema = _resolved(schema, root)
    chance = int(digest(text, path), 16)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][chance % len(schema["enum"])]
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        return _value(_option(options, root, chance), root, text, path, depth)
    if isinstance(schema.get("type"), list):
        kinds = [{**schema, "type": kind} for kind in schema["type"]]
        return _value(_option(kinds, root, chance), root, text, path, depth)
    if schema.get("type") == "object" or "properties" in schema:
        inner = schema.get("properties", {}) if depth < 12 else {}  # a schema may contain itself
        return {key: _value(part, root, text, _below(path, key), depth + 1) for key, part in inner.items()}
    if schema.get("type") == "array":
        item = partial(_value, schema.get("items", {}), root, text)
        return [item(_below(path, str(place)), depth + 1) for place in range(schema.get("minItems", 0))]
    return _scalar(schema)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _resolved(schema: JSON, root: JSON) -> JSON:
    while "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")] if step else target
        schema = target
    return schema


def _option(options: Sequence[JSON], root: JSON, chance: int) -> JSON:
    """A closed set before all else; of a nullable value, null or the value by chance."""
    resolved = [_resolved(option, root) for option in options]
    closed = [option for option in resolved if "enum" in option or "const" in option]
    return closed[chance % len(closed)] if closed else resolved[chance % len(resolved)]


def _scalar(schema: JSON) -> Any:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        lowest = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return min(max(0, lowest), schema.get("maximum", math.inf))
    return {"boolean": False, "string": "无" * schema.get("minLength", 0)}.get(str(kind))
