"""A fake OpenAI-compatible server on loopback that answers by schema or by script, and fails on order.

For tests and benchmarks only. `fake_openai(...)` serves from a thread; `fake_server.py` serves the
same from a process. A request comes in, is counted (`Ledger`), draws a `Reply` (script, limits,
random fault or the oracle), which becomes a `Sending`: what goes over the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import random
import re
import socket
import struct
import threading
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

from aiohttp import web

JSON = dict[str, Any]

TransportFault = Literal[
    "429", "429_seconds", "429_date", "429_ms", "500", "502", "503", "504", "529", "408", "409",
    "reset", "reset_midway", "stall", "stall_midway", "truncated", "html", "html_502", "empty_body",
]  # fmt: skip
AnswerFault = Literal[
    "no_choices", "null_choices", "null_message", "length", "not_json", "wrong_label", "missing_key",
    "refusal", "content_filter", "no_usage", "usage_negative", "usage_huge", "usage_strings", "fenced",
]  # fmt: skip
FinalFault = Literal["quota", "401", "403", "404"]
Fault = Literal["", TransportFault, AnswerFault, FinalFault]

TRANSPORT_FAULTS: tuple[TransportFault, ...] = get_args(TransportFault)
ANSWER_FAULTS: tuple[AnswerFault, ...] = get_args(AnswerFault)
# What chance may draw; the final ones would rightly end a run.
RANDOM_FAULTS: tuple[Fault, ...] = (*TRANSPORT_FAULTS, *ANSWER_FAULTS)
# What a line of a batch may draw: an answer in the output file or a status in the error file.
LINE_FAULTS: tuple[Fault, ...] = (*ANSWER_FAULTS, "500", "429")
# Work that is done although its answer gets lost: a batch exists, the client does not know its name.
DONE_ANYWAY: frozenset[Fault] = frozenset({"reset_midway", "stall_midway", "truncated", "504"})

# Answers that are right and whole, whatever their usage says.
USABLE = frozenset({"ok", "no_usage", "usage_negative", "usage_huge", "usage_strings"})

Place = Literal["chat", "files", "batches"]


@dataclass(frozen=True)
class Reply:
    """What the server does with one request: a fault, a status, or a completion with `content`.

    `content` None is the oracle's answer to the request.
    """

    content: str | None = "{}"
    fault: Fault = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    code: str | None = None
    logprobs: tuple[tuple[str, float], ...] | None = None

    @property
    def kind(self) -> str:
        """Its name in statistics and log."""
        return self.fault or ("ok" if self.status == 200 else str(self.status))


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves where no script says so.

    `faults` and `batch_faults` are shares of requests and of batch lines; one question suffers at
    most `max_faults` of them (0: no cap). `expiring_batches` and `failing_batches` say how many of
    the first batches end so; of an expired one `expired_share` of the lines have an answer.
    """

    latency_ms: float = 0.0
    jitter: float = 0.0
    faults: float = 0.0
    kinds: Sequence[Fault] = RANDOM_FAULTS
    max_faults: int = 3
    fault_places: frozenset[Place] = frozenset({"chat"})
    seed: int = 0
    retry_after_seconds: float = 1.0
    stall_seconds: float = 600.0
    limit_inflight: int = 0
    rpm: float = 0.0
    batch_seconds: float = 0.5
    batch_faults: float = 0.0
    failing_batches: int = 0
    expiring_batches: int = 0
    expired_share: float = 0.5
    state: Path | None = None
    log: Path | None = None
    keep_requests: bool = True


# Questions: which requests ask the same


def question_id(text: str, schema: JSON | None) -> str:
    """The name of a question: the last user message and the schema of its answer."""
    return _digest(text, json.dumps(schema, sort_keys=True))[:16]


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
        users = [_text(message) for message in body["messages"] if message.get("role") == "user"]
        text = users[-1] if users else ""
        chain = [json.dumps(schema)]
        for message in body["messages"]:
            chain.append(_digest(chain[-1], json.dumps(message)))
        known = next((self._asked[link] for link in chain[:-1] if link in self._asked), None)
        question = known or Question(question_id(text, schema), text)
        self._asked[chain[-1]] = question
        return Asked(body, question, schema, _digest(*map(json.dumps, body["messages"][:-1])))

    def read_before(self, asked: Asked) -> bool:
        """Whether its prefix has been read; from now on it has."""
        is_known = asked.prefix in self._prefixes
        self._prefixes.add(asked.prefix)
        return is_known


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _schema(body: JSON) -> JSON | None:
    asked_form = body.get("response_format") or {}
    schema: JSON | None = (asked_form.get("json_schema") or {}).get("schema")
    return schema


def _text(message: JSON) -> str:
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
    chance = int(_digest(text, path), 16)
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


# Completions


def completion(reply: Reply) -> JSON:
    """A chat completion as the API documents it: 100 tokens read, 60 of them cached, 9 written."""
    payload = _completion(reply.content or "", _usage(100, 60, 9), "fake")
    if reply.logprobs is not None:
        payload["choices"][0]["logprobs"] = {
            "content": [
                {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
                for token, value in reply.logprobs
            ]
        }
    return _spoiled_completion(payload, reply.fault)


def _completion(content: str, usage: JSON, model: str) -> JSON:
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        "id": "fake",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }


def _usage(read: Any, cached: Any, written: Any) -> JSON:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def answered(asked: Asked, fault: Fault, has_prefix: bool) -> JSON:
    """The oracle's completion, spoiled by `fault`."""
    content = oracle(asked.question.text, asked.schema)
    content = content[: len(content) // 2] if fault == "length" else _spoiled_content(content, fault)
    tokens = [math.ceil(0.7 * len(_text(message))) for message in asked.messages]
    cached = sum(tokens[:-1]) if has_prefix else 0
    usage = _usage(sum(tokens), cached, math.ceil(len(content) / 1.5))
    payload = _completion(content, usage, asked.body.get("model", "fake"))
    if asked.body.get("logprobs"):
        count = asked.body.get("top_logprobs") or 0
        payload["choices"][0]["logprobs"] = {"content": _logprobs(content, count), "refusal": None}
    return _spoiled_completion(payload, fault)


def _logprobs(content: str, count: int) -> list[JSON]:
    """Tokens that make up `content`, each with the token itself and one other on top."""
    tokens = []
    for place, token in enumerate(re.findall(r"\w{1,2}|\W", content)):
        sure = 0.7 + (int(_digest(token, str(place)), 16) % 29) / 100
        top = [_token(token, sure), _token("other", 1 - sure)]
        tokens.append({**top[0], "top_logprobs": top[:count]})
    return tokens


def _token(token: str, probability: float) -> JSON:
    return {"token": token, "logprob": math.log(probability), "bytes": list(token.encode())}


def _spoiled_content(content: str, fault: Fault) -> str:
    if fault == "not_json":
        return f"好的，以下是答案：{content[1:-1]}"
    if fault == "fenced":
        return f"```json\n{content}\n```"
    if fault not in ("wrong_label", "missing_key"):
        return content
    answer = json.loads(content)
    spoil = _put_wrong_label if fault == "wrong_label" else _drop_key
    return json.dumps(spoil(answer), ensure_ascii=False, separators=(",", ":"))


def _put_wrong_label(answer: Any) -> Any:
    """The first value deep inside becomes a label that nobody knows."""
    if isinstance(answer, dict) and answer:
        key = next(iter(answer))
        return {**answer, key: _put_wrong_label(answer[key])}
    return "没有这个标签"


def _drop_key(answer: Any) -> Any:
    return dict(list(answer.items())[1:]) if isinstance(answer, dict) else {}


def _spoiled_completion(payload: JSON, fault: Fault) -> JSON:
    choice = payload["choices"][0]
    huge = 10**15
    match fault:
        case "refusal":
            choice["message"] |= {"content": None, "refusal": "I cannot help with that."}
        case "length" | "content_filter":
            choice["finish_reason"] = fault
        case "no_choices":
            payload["choices"] = []
        case "null_choices":
            payload["choices"] = None
        case "null_message":
            choice["message"] = None
        case "no_usage":
            del payload["usage"]
        case "usage_negative":
            payload["usage"] = _usage(-100, -60, -9)
        case "usage_huge":
            payload["usage"] = _usage(huge, 2 * huge, huge)
        case "usage_strings":
            payload["usage"] = _usage("many", "some", "few")
    return payload


# What goes over the wire


@dataclass(frozen=True)
class Sending:
    """A response; `kind` tells how it is sent. `usage` is what a client can read off it."""

    kind: str
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    usage: JSON | None = None


class Refused(Exception):
    """A request that the server does not take."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    def sending(self) -> Sending:
        """As the API says it."""
        return Sending(str(self.status), _error_body(str(self), self.code), self.status)


_ERROR_CODES = {"quota": "insufficient_quota", "401": "invalid_api_key", "404": "model_not_found"}
_HTML = b"<html><body><h1>Bad gateway</h1></body></html>"


def json_sending(payload: Any, kind: str = "ok", usage: JSON | None = None) -> Sending:
    """`payload` as JSON."""
    return Sending(kind, json.dumps(payload, ensure_ascii=False).encode(), usage=usage)


def spoiled(sending: Sending, fault: Fault, retry_after_seconds: float) -> Sending:
    """What a fault of the transport makes of `sending`."""
    unread = replace(sending, kind=fault or sending.kind, usage=None)
    if fault[:3].isdigit() or fault == "quota":
        code = "rate_limit_exceeded" if fault.startswith("429") else _ERROR_CODES.get(fault)
        status = 429 if fault == "quota" else int(fault[:3])
        headers = _wait_headers(fault, retry_after_seconds)
        return Sending(fault, _error_body("the server said no", code), status, headers)
    match fault:
        case "html" | "html_502":
            return Sending(fault, _HTML, 502 if fault == "html_502" else 200, media_type="text/html")
        case "truncated":
            return replace(unread, body=sending.body[: len(sending.body) // 2])
        case "empty_body":
            return replace(unread, body=b"")
        case "reset" | "reset_midway" | "stall" | "stall_midway":
            return unread
    return sending


def _wait_headers(fault: Fault, seconds: float) -> dict[str, str]:
    match fault:
        case "429_seconds" | "503":
            return {"Retry-After": str(math.ceil(seconds))}
        case "429_date":
            return {"Retry-After": formatdate(math.ceil(time.time() + seconds), usegmt=True)}
        case "429_ms":
            return {"retry-after-ms": str(round(seconds * 1000))}
    return {}


def _error_body(message: str, code: str | None) -> bytes:
    return json.dumps({"error": {"message": message, "type": "fake", "param": None, "code": code}}).encode()


# What is counted


@dataclass
class Visit:
    """One request on its way through the server."""

    number: int
    path: str
    place: Place
    question: str | None
    started: float
    kind: str = "ok"


class Ledger:
    """Counts requests and answers, and logs each arrival and each end. Only the loop uses it."""

    def __init__(self, log: Path | None) -> None:
        self._file: TextIO | None = log.open("a", buffering=1, encoding="utf-8") if log else None
        self.requests = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.answered: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter(input=0, cached=0, output=0)
        self.received: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = {}

    def arrive(self, path: str, place: Place, question: str | None) -> Visit:
        """A request has come in whole."""
        self.requests += 1
        visit = Visit(self.requests, path, place, question, time.monotonic())
        if place == "chat":
            self.in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        if question is not None:
            self.received[question] += 1
        self._write("arrived", number=visit.number, path=path, question=question)
        return visit

    def leave(self, visit: Visit, sending: Sending | None) -> None:
        """Its answer has gone out, or (None) the client has gone before."""
        self.in_flight -= visit.place == "chat"
        (self.dropped if sending is None else self.answered)[visit.kind] += 1
        usage = sending.usage if sending else None
        if sending is not None:
            self._count(visit.question, visit.kind, usage)
        self._write(
            "dropped" if sending is None else "answered",
            number=visit.number,
            path=visit.path,
            question=visit.question,
            kind=visit.kind,
            status=sending.status if sending else None,
            seconds=round(time.monotonic() - visit.started, 4),
            usage=usage,
        )

    def line(self, question: str, kind: str, usage: JSON | None) -> None:
        """A line of a batch has its answer."""
        self.lines[kind] += 1
        self.received[question] += 1
        self._count(question, kind, usage)
        self._write("batch_line", question=question, kind=kind, usage=usage)

    def stats(self) -> JSON:
        """All counts; see the module `fake_server` for their meaning."""
        return {
            "requests": self.requests,
            "answered": dict(self.answered),
            "dropped": dict(self.dropped),
            "batch_lines": dict(self.lines),
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "tokens": dict(self.tokens),
            "questions": {
                name: {
                    "received": count,
                    "ok": sum(n for kind, n in self.kinds.get(name, {}).items() if kind in USABLE),
                    "kinds": dict(self.kinds.get(name, {})),
                }
                for name, count in self.received.items()
            },
        }

    def close(self) -> None:
        """Close the log."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _count(self, question: str | None, kind: str, usage: JSON | None) -> None:
        if question is not None:
            self.kinds.setdefault(question, Counter())[kind] += 1
        if usage is not None:
            self.tokens["input"] += usage["prompt_tokens"]
            self.tokens["cached"] += usage["prompt_tokens_details"]["cached_tokens"]
            self.tokens["output"] += usage["completion_tokens"]

    def _write(self, event: str, **details: Any) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"event": event, "time": time.time(), **details}) + "\n")


# Files and batches


class Shelf:
    """Named JSON records in order of their making, and bytes; in a folder too where there is one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.records: dict[str, JSON] = {}
        self.contents: dict[str, bytes] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            read = [json.loads(path.read_text()) for path in folder.glob("*.json")]
            self.records = {
                record["id"]: record for record in sorted(read, key=lambda record: record["order"])
            }
            self.contents = {path.stem: path.read_bytes() for path in folder.glob("*.bytes")}

    def put(self, record: JSON, content: bytes | None = None) -> None:
        """Keep a record, new or changed; its bytes are there before it is."""
        last = max((kept["order"] for kept in self.records.values()), default=0)
        record.setdefault("order", last + 1)
        self.records[record["id"]] = record
        if content is not None:
            self.contents[record["id"]] = content
            self._write(f"{record['id']}.bytes", content)
        self._write(f"{record['id']}.json", json.dumps(record).encode())

    def get(self, name: str, noun: str) -> JSON:
        """The record of this name."""
        if name not in self.records:
            raise Refused(404, f"No such {noun} object: {name}")
        return self.records[name]

    def delete(self, name: str) -> None:
        """Forget a record and its bytes."""
        del self.records[name]
        self.contents.pop(name, None)
        if self._folder is not None:
            (self._folder / f"{name}.json").unlink()
            (self._folder / f"{name}.bytes").unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        if self._folder is None:
            return
        part = self._folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(self._folder / name)


def paged(items: Sequence[JSON], query: Mapping[str, str], most: int) -> JSON:
    """One page of `items` by `after` and `limit`."""
    names = [item["id"] for item in items]
    after, limit = query.get("after"), query.get("limit", str(most))
    if not limit.isdigit() or (after is not None and after not in names):
        raise Refused(400, f"cannot page with after={after!r}, limit={limit!r}")
    start = 0 if after is None else names.index(after) + 1
    page = list(items[start : start + int(limit)])
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + len(page) < len(items),
    }


class Files:
    """The files endpoint."""

    def __init__(self, folder: Path | None) -> None:
        self._shelf = Shelf(folder)

    def create(self, filename: str, purpose: str, content: bytes) -> JSON:
        """Keep a file; its object."""
        made = {
            "id": _name("file-"),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "expires_at": None,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self._shelf.put({"id": made["id"], "object": made}, content)
        return made

    def page(self, query: Mapping[str, str]) -> JSON:
        """Newest first, or `order=asc`."""
        made = [record["object"] for record in self._shelf.records.values()]
        wanted = [item for item in made if query.get("purpose", item["purpose"]) == item["purpose"]]
        return paged(wanted if query.get("order") == "asc" else wanted[::-1], query, 10_000)

    def get(self, name: str) -> JSON:
        """The object of a file."""
        found: JSON = self._shelf.get(name, "File")["object"]
        return found

    def content(self, name: str) -> bytes:
        """Its bytes."""
        self.get(name)
        return self._shelf.contents[name]

    def delete(self, name: str) -> JSON:
        """Forget it."""
        self.get(name)
        self._shelf.delete(name)
        return {"id": name, "object": "file", "deleted": True}


def _name(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:24]}"


AnswerLine = Callable[[JSON], tuple[int, JSON]]
_VALIDATED, _WORKED = 0.1, 0.9  # shares of `batch_seconds` at which these are over
_UNFINISHED = {
    "expired": "This request could not be executed before the completion window expired.",
    "cancelled": "This request was not executed: the batch was cancelled.",
}


class Batches:
    """The batches endpoint. Time makes the states; each look at a batch brings it up to date."""

    def __init__(self, behaviour: Behaviour, files: Files, folder: Path | None, answer: AnswerLine) -> None:
        self._behaviour = behaviour
        self._files = files
        self._shelf = Shelf(folder)
        self._answer = answer

    def create(self, order: JSON) -> JSON:
        """A new batch, to be validated."""
        self._check(order)
        number, now = len(self._shelf.records), time.time()
        unset = (
            "cancelled_at", "cancelling_at", "completed_at", "error_file_id", "errors", "expired_at",
            "failed_at", "finalizing_at", "in_progress_at", "model", "output_file_id", "usage",
        )  # fmt: skip
        made = {
            **dict.fromkeys(unset),
            "id": _name("batch_"),
            "object": "batch",
            "endpoint": order["endpoint"],
            "input_file_id": order["input_file_id"],
            "completion_window": order["completion_window"],
            "status": "validating",
            "created_at": int(now),
            "expires_at": int(now) + 24 * 3600,
            "metadata": order.get("metadata"),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        self._shelf.put({"id": made["id"], "object": made, "created": now, "end": self._end(number)})
        return made

    def _check(self, order: JSON) -> None:
        missing = {"input_file_id", "endpoint", "completion_window"} - order.keys()
        if missing:
            raise Refused(400, f"Missing required parameter: {sorted(missing)[0]!r}.")
        if self._files.get(order["input_file_id"])["purpose"] != "batch":
            raise Refused(400, "The input file must have the purpose 'batch'.")
        if order["endpoint"] != "/v1/chat/completions" or order["completion_window"] != "24h":
            raise Refused(400, f"Invalid endpoint {order['endpoint']!r} or completion window.")

    def _end(self, number: int) -> str:
        if number < self._behaviour.failing_batches:
            return "failed"
        is_late = number < self._behaviour.failing_batches + self._behaviour.expiring_batches
        return "expired" if is_late else "completed"

    def page(self, query: Mapping[str, str]) -> JSON:
        """Newest first."""
        return paged([self.get(name) for name in reversed(self._shelf.records)], query, 20)

    def get(self, name: str) -> JSON:
        """A batch as it is by now."""
        record = self._shelf.get(name, "Batch")
        before = record["object"]["status"]
        self._advance(record)
        if record["object"]["status"] != before:
            self._shelf.put(record)
        found: JSON = record["object"]
        return found

    def cancel(self, name: str) -> JSON:
        """Stop a batch that still runs."""
        batch, record = self.get(name), self._shelf.get(name, "Batch")
        if batch["status"] not in ("validating", "in_progress", "finalizing"):
            raise Refused(409, f"Cannot cancel a batch with status '{batch['status']}'.")
        record["done"] = self._progress(record)
        record["cancelling"] = time.time()
        record["end"] = "cancelled"
        _set_status(batch, "cancelling", time.time())
        self._shelf.put(record)
        return batch

    def _progress(self, record: JSON) -> float:
        """The share of lines answered by now."""
        age: float = (time.time() - record["created"]) / max(self._behaviour.batch_seconds, 1e-9)
        done = min(max((age - _VALIDATED) / (_WORKED - _VALIDATED), 0.0), 1.0)
        return done * self._share(record)

    def _share(self, record: JSON) -> float:
        return self._behaviour.expired_share if record["end"] == "expired" else 1.0

    def _advance(self, record: JSON) -> None:
        batch, created, span = record["object"], record["created"], self._behaviour.batch_seconds
        age = time.time() - created
        if batch["status"] == "validating" and age >= _VALIDATED * span:
            self._validate(record, created + _VALIDATED * span)
        if batch["status"] == "in_progress":
            counts = batch["request_counts"]
            counts["completed"] = int(counts["total"] * self._progress(record))
            if age >= _WORKED * span:
                _set_status(batch, "finalizing", created + _WORKED * span)
        if batch["status"] == "finalizing" and age >= span:
            self._finish(record, self._share(record), created + span)
        if batch["status"] == "cancelling":
            end = record["cancelling"] + _VALIDATED * span
            if time.time() >= end:
                self._finish(record, record["done"], end)

    def _checked_lines(self, batch: JSON) -> tuple[list[JSON], list[JSON]]:
        try:
            content = self._files.content(batch["input_file_id"])
        except Refused:  # deleted in the meantime
            content = b""
        return checked_lines(content, batch["endpoint"])

    def _validate(self, record: JSON, now: float) -> None:
        batch = record["object"]
        errors, lines = self._checked_lines(batch)
        if record["end"] == "failed":
            limit = "Enqueued token limit reached for this model. Try again once some batches have completed."
            errors.append(_line_error("token_limit_exceeded", limit, None))
        if errors:
            batch["errors"] = {"object": "list", "data": errors}
            _set_status(batch, "failed", now)
            return
        batch["model"] = lines[0]["body"].get("model")
        batch["request_counts"]["total"] = len(lines)
        _set_status(batch, "in_progress", now)

    def _finish(self, record: JSON, share: float, now: float) -> None:
        """Write both files: answered lines in no order, and those without an answer."""
        batch, end = record["object"], record["end"]
        _, lines = self._checked_lines(batch)
        random.Random(batch["id"]).shuffle(lines)
        done = lines[: int(len(lines) * share)]
        rows = [self._row(line) for line in done]
        rows += [_unfinished_row(line, end) for line in lines[len(done) :]]
        good = [row for row in rows if _is_good(row)]
        bad = [row for row in rows if not _is_good(row)]
        batch["output_file_id"] = self._written(batch["id"], "output", good)
        batch["error_file_id"] = self._written(batch["id"], "error", bad)
        batch["request_counts"] = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        batch["usage"] = _batch_usage(good)
        _set_status(batch, end, now)

    def _row(self, line: JSON) -> JSON:
        status, body = self._answer(line["body"])
        response = {"status_code": status, "request_id": _name("req_"), "body": body}
        return {
            "id": _name("batch_req_"),
            "custom_id": line["custom_id"],
            "response": response,
            "error": None,
        }

    def _written(self, batch: str, noun: str, rows: Sequence[JSON]) -> str | None:
        if not rows:
            return None
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        made: str = self._files.create(f"{batch}_{noun}.jsonl", "batch_output", content)["id"]
        return made


def _set_status(batch: JSON, status: str, now: float) -> None:
    batch["status"] = status
    batch[f"{status}_at"] = int(now)


def _is_good(row: JSON) -> bool:
    return row["response"] is not None and row["response"]["status_code"] == 200


def _unfinished_row(line: JSON, end: str) -> JSON:
    error = {"code": f"batch_{end}", "message": _UNFINISHED[end]}
    return {"id": _name("batch_req_"), "custom_id": line["custom_id"], "response": None, "error": error}


def _batch_usage(rows: Sequence[JSON]) -> JSON:
    """The sum of what the answers say, of those that say something sensible."""
    total: Counter[str] = Counter()
    for row in rows:
        usage = row["response"]["body"].get("usage") or {}
        if isinstance(usage.get("prompt_tokens"), int):
            cached = usage["prompt_tokens_details"]["cached_tokens"]
            total.update(input=usage["prompt_tokens"], cached=cached, output=usage["completion_tokens"])
    return {
        "input_tokens": total["input"],
        "input_tokens_details": {"cached_tokens": total["cached"]},
        "output_tokens": total["output"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": total["input"] + total["output"],
    }


def checked_lines(content: bytes, endpoint: str) -> tuple[list[JSON], list[JSON]]:
    """Errors and lines of a batch's input."""
    errors: list[JSON] = []
    lines: list[JSON] = []
    seen: set[str] = set()
    for number, text in enumerate(content.decode().splitlines(), 1):
        wrong, line = _checked_line(text, endpoint, seen)
        if wrong is not None:
            errors.append(_line_error(*wrong, number))
        else:
            lines.append(line)
    if not lines and not errors:
        errors.append(_line_error("empty_file", "The input file is empty.", None))
    if len({line["body"].get("model") for line in lines}) > 1:
        errors.append(_line_error("mismatched_model", "All lines must ask the same model.", None))
    return errors, lines


def _checked_line(text: str, endpoint: str, seen: set[str]) -> tuple[tuple[str, str] | None, JSON]:
    try:
        line = json.loads(text)
        name, method, url, body = (line[key] for key in ("custom_id", "method", "url", "body"))
        messages = body["messages"]
    except json.JSONDecodeError:
        return ("invalid_json_line", "This line is not parseable as valid JSON."), {}
    except (KeyError, TypeError) as error:
        return ("missing_required_parameter", f"This line lacks {error}."), {}
    if name in seen:
        return ("duplicate_custom_id", f"The custom_id {name!r} is used twice."), {}
    seen.add(name)
    if (method, url) != ("POST", endpoint) or not messages:
        return ("invalid_request", f"This line must POST messages to {endpoint}, not {method} to {url}."), {}
    return None, line


def _line_error(code: str, message: str, number: int | None) -> JSON:
    return {"code": code, "line": number, "message": message, "param": None}


# The server


@dataclass
class FakeServer:
    """Replies are used up in order; the last one is repeated. `requests` keeps the bodies."""

    base_url: str
    replies: list[Reply]
    requests: list[JSON] = field(default_factory=list)
    raw_bodies: list[bytes] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ledger: Ledger = field(default_factory=lambda: Ledger(None))
    loop: asyncio.AbstractEventLoop | None = None

    def next_reply(self) -> Reply:
        """The reply for the request that has just come in."""
        with self.lock:
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def stats(self) -> JSON:
        """What /__stats says, with every answer that a client has had by now."""
        if self.loop is None:
            return self.ledger.stats()
        # An answer is sent and counted in one step of the loop: in there nothing is half done.
        return asyncio.run_coroutine_threadsafe(self._stats(), self.loop).result(timeout=10)

    async def _stats(self) -> JSON:
        return self.ledger.stats()


Upload = tuple[str, str, bytes]  # filename, purpose, content
Work = Callable[[web.Request, bytes], Sending]


class Service:
    """The endpoints."""

    def __init__(self, fake: FakeServer, behaviour: Behaviour) -> None:
        self.fake = fake
        self.behaviour = behaviour
        self.ledger = fake.ledger = Ledger(behaviour.log)
        self._random = random.Random(behaviour.seed)
        self._questions = Questions()
        self._faults: Counter[str] = Counter()
        self._tokens, self._filled = max(behaviour.rpm / 60, 1.0), time.monotonic()
        folder = behaviour.state
        self._files = Files(folder / "files" if folder else None)
        self._batches = Batches(behaviour, self._files, folder / "batches" if folder else None, self._line)

    def app(self) -> web.Application:
        """The application with its routes."""
        app = web.Application(client_max_size=2**31)
        app.router.add_get("/__stats", self._stats)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/files", self._upload)
        named: tuple[tuple[str, str, Place, Work], ...] = (
            ("GET", "/v1/files", "files", lambda request, _: json_sending(self._files.page(request.query))),
            ("GET", "/v1/files/{id}", "files", _by_name(self._files.get)),
            ("GET", "/v1/files/{id}/content", "files", self._file_content),
            ("DELETE", "/v1/files/{id}", "files", _by_name(self._files.delete)),
            (
                "POST",
                "/v1/batches",
                "batches",
                lambda _, body: json_sending(self._batches.create(_parsed(body))),
            ),
            (
                "GET",
                "/v1/batches",
                "batches",
                lambda request, _: json_sending(self._batches.page(request.query)),
            ),
            ("GET", "/v1/batches/{id}", "batches", _by_name(self._batches.get)),
            ("POST", "/v1/batches/{id}/cancel", "batches", _by_name(self._batches.cancel)),
        )
        for method, path, place, work in named:
            app.router.add_route(method, path, partial(self._plain, place, work))
        return app

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(self.ledger.stats())

    # Completions

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._keep(request, body)
        try:
            asked = self._questions.of(_chat_body(body))
        except Refused as refused:
            visit = self.ledger.arrive(request.path, "chat", None)
            return await self._finish(request, visit, refused.sending())
        visit = self.ledger.arrive(request.path, "chat", asked.question.id)
        limit = self._over_limit()
        if limit is not None:
            return await self._finish(request, visit, limit)
        reply = self.fake.next_reply() if self.fake.replies else self._drawn(asked)
        visit.kind = reply.kind
        seconds = self._latency() + reply.delay_seconds
        return await self._finish(request, visit, lambda: self._sending(reply, asked), seconds)

    def _keep(self, request: web.Request, body: bytes) -> None:
        if not self.behaviour.keep_requests:
            return
        with self.fake.lock:
            self.fake.raw_bodies.append(body)
            self.fake.authorizations.append(request.headers.get("Authorization", ""))
            self.fake.requests.append(_parsed_or_empty(body))

    def _drawn(self, asked: Asked) -> Reply:
        share = self.behaviour.faults if "chat" in self.behaviour.fault_places else 0.0
        return Reply(None, self._draw(asked.question.id, share, self.behaviour.kinds))

    def _draw(self, key: str, share: float, kinds: Sequence[Fault]) -> Fault:
        """A fault by chance, unless `key` has had its share of them."""
        is_spared = self.behaviour.max_faults and self._faults[key] >= self.behaviour.max_faults
        if not kinds or is_spared or self._random.random() >= share:
            return ""
        self._faults[key] += 1
        return self._random.choice(kinds)

    def _sending(self, reply: Reply, asked: Asked) -> Sending:
        if reply.status != 200:
            body = _error_body("the server said no", reply.code)
            return Sending(reply.kind, body, reply.status, reply.headers)
        payload = self._payload(reply, asked)
        sane = _usage_read(payload, reply.fault)
        whole = json_sending(payload, reply.kind, sane)
        sending = spoiled(whole, reply.fault, self.behaviour.retry_after_seconds)
        return replace(sending, headers={**sending.headers, **reply.headers})

    def _payload(self, reply: Reply, asked: Asked) -> JSON:
        if reply.content is None:
            return answered(asked, reply.fault, self._questions.read_before(asked))
        return completion(replace(reply, content=_spoiled_content(reply.content, reply.fault)))

    def _line(self, body: JSON) -> tuple[int, JSON]:
        """Status and body for a line of a batch."""
        asked = self._questions.of(body)
        kinds = [kind for kind in self.behaviour.kinds if kind in LINE_FAULTS]
        fault = self._draw(asked.question.id, self.behaviour.batch_faults, kinds)
        sending = self._sending(Reply(None, fault), asked)
        self.ledger.line(asked.question.id, sending.kind, sending.usage)
        return sending.status, json.loads(sending.body)

    def _over_limit(self) -> Sending | None:
        behaviour = self.behaviour
        if behaviour.limit_inflight and self.ledger.in_flight > behaviour.limit_inflight:
            body = _error_body("too many requests at a time", "rate_limit_exceeded")
            return Sending("limit_inflight", body, 429)
        seconds = self._seconds_to_wait()
        if seconds <= 0:
            return None
        body = _error_body("too many requests per minute", "rate_limit_exceeded")
        return Sending("rpm", body, 429, {"Retry-After": str(math.ceil(seconds))})

    def _seconds_to_wait(self) -> float:
        """Until the rate allows a request: a bucket of a second's worth, refilled all the time."""
        rate = self.behaviour.rpm / 60
        if not rate:
            return 0.0
        now = time.monotonic()
        self._tokens = min(max(rate, 1.0), self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / rate
        self._tokens -= 1
        return 0.0

    # Files and batches

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        name, purpose, content = await _uploaded(request)

        def work(_: web.Request, body: bytes) -> Sending:
            if not name:
                raise Refused(400, "'file' is a required property")
            if purpose != "batch":
                raise Refused(400, f"'{purpose}' is not one of ['batch'] - 'purpose'")
            return json_sending(self._files.create(name, purpose, body))

        return await self._plain("files", work, request, content)

    async def _plain(
        self, place: Place, work: Work, request: web.Request, body: bytes | None = None
    ) -> web.StreamResponse:
        body = await request.read() if body is None else body
        visit = self.ledger.arrive(f"{request.method} {request.path}", place, None)
        fault = self._fault_at(visit)
        visit.kind = fault or "ok"
        made = partial(self._done, work, request, body, fault)
        return await self._finish(request, visit, made, self._latency())

    def _fault_at(self, visit: Visit) -> Fault:
        """A fault of the transport; the cap counts those in a row, for a batch is looked at often."""
        if visit.place not in self.behaviour.fault_places:
            return ""
        kinds = [kind for kind in self.behaviour.kinds if kind in TRANSPORT_FAULTS]
        fault = self._draw(visit.path, self.behaviour.faults, kinds)
        if not fault:
            self._faults.pop(visit.path, None)
        return fault

    def _done(self, work: Work, request: web.Request, body: bytes, fault: Fault) -> Sending:
        if fault and fault not in DONE_ANYWAY:
            return spoiled(Sending("ok", b"{}"), fault, self.behaviour.retry_after_seconds)
        try:
            return spoiled(work(request, body), fault, self.behaviour.retry_after_seconds)
        except Refused as refused:
            return refused.sending()

    def _file_content(self, request: web.Request, _: bytes) -> Sending:
        content = self._files.content(request.match_info["id"])
        return Sending("ok", content, media_type="application/octet-stream")

    # Sending

    def _latency(self) -> float:
        jitter = 1 + self.behaviour.jitter * self._random.uniform(-1, 1)
        return self.behaviour.latency_ms / 1000 * jitter

    async def _finish(
        self,
        request: web.Request,
        visit: Visit,
        made: Sending | Callable[[], Sending],
        seconds: float = 0.0,
    ) -> web.StreamResponse:
        """Wait, make the answer, send it, and say how it went."""
        sending: Sending | None = None
        try:
            if seconds:
                await asyncio.sleep(seconds)
            made = made if isinstance(made, Sending) else made()
            visit.kind = made.kind
            response = await _send(request, made, self.behaviour.stall_seconds)
            sending = made
        finally:
            # Without an answer sent: the client hung up, which cancels this.
            self.ledger.leave(visit, sending)
        return response


def _by_name(get: Callable[[str], JSON]) -> Work:
    return lambda request, _: json_sending(get(request.match_info["id"]))


def _parsed(body: bytes) -> JSON:
    try:
        parsed = json.loads(body)
    except ValueError as error:
        raise Refused(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(parsed, dict):
        raise Refused(400, "The body must be a JSON object.")
    return parsed


def _parsed_or_empty(body: bytes) -> JSON:
    try:
        return _parsed(body)
    except Refused:
        return {}


def _chat_body(body: bytes) -> JSON:
    parsed = _parsed(body)
    if not parsed.get("messages"):
        raise Refused(400, "Missing required parameter: 'messages'.")
    if parsed.get("stream"):
        raise Refused(400, "This fake does not stream.")
    return parsed


def _usage_read(payload: JSON, fault: Fault) -> JSON | None:
    usage: JSON | None = None if fault.startswith("usage_") else payload.get("usage")
    return usage


async def _uploaded(request: web.Request) -> Upload:
    form = await request.post()
    file = form.get("file")
    if not isinstance(file, web.FileField):
        return "", str(form.get("purpose", "")), b""
    with file.file:
        return file.filename, str(form.get("purpose", "")), file.file.read()


async def _send(request: web.Request, sending: Sending, stall_seconds: float) -> web.StreamResponse:
    if sending.kind in ("reset", "stall"):
        await asyncio.sleep(stall_seconds if sending.kind == "stall" else 0)
        return _reset(request, web.Response())
    headers = {**sending.headers, "Content-Type": sending.media_type}
    if sending.kind in ("reset_midway", "stall_midway"):
        return await _send_half(request, replace(sending, headers=headers), stall_seconds)
    response = web.Response(body=sending.body, status=sending.status, headers=headers)
    await response.prepare(request)
    await response.write_eof()
    return response


async def _send_half(request: web.Request, sending: Sending, stall_seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(status=sending.status, headers=sending.headers)
    response.content_length = len(sending.body)
    await response.prepare(request)
    await response.write(sending.body[: len(sending.body) // 2])
    # A reset throws away what the client has not read yet: give it a moment.
    await asyncio.sleep(stall_seconds if sending.kind == "stall_midway" else 0.02)
    return _reset(request, response)


def _reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Hang up with RST: SO_LINGER with 0 seconds makes close() send that instead of FIN."""
    transport = request.transport
    if transport is not None:
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return response


async def serve(
    fake: FakeServer,
    behaviour: Behaviour,
    *,
    ready: Callable[[], None],
    until: Callable[[], Awaitable[object]],
    port: int = 0,
) -> None:
    """Serve on loopback until `until()` is over; `ready` is called once `fake.base_url` is set."""
    service = Service(fake, behaviour)
    fake.loop = asyncio.get_running_loop()
    # Handlers end with their client: a stall must not outlive it.
    runner = web.AppRunner(service.app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready()
        await until()
    finally:
        await runner.cleanup()
        service.ledger.close()
        fake.loop = None


@contextmanager
def fake_openai(*replies: Reply, behaviour: Behaviour | None = None) -> Iterator[FakeServer]:
    """Serve `replies` in order on a free loopback port; without any, as `behaviour` says."""
    fake = FakeServer("", list(replies))
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        here = asyncio.get_running_loop(), (stop := asyncio.Event())
        await serve(fake, behaviour or Behaviour(), ready=lambda: started.set_result(here), until=stop.wait)

    def run_in_thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run_in_thread, daemon=True)
    thread.start()
    loop, stop = started.result(timeout=30)
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
