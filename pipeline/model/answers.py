"""Model answers and their store: one SQLite file, written the moment an answer arrives."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import StartError
from pipeline.fact import Usage

T = TypeVar("T", bound=BaseModel)

_FORMAT = 1
_BUSY_SECONDS = 60.0
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, content TEXT NOT NULL, usage TEXT NOT NULL, logprobs TEXT,
    model TEXT NOT NULL, endpoint TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, created TEXT NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Question:
    """All that an answer depends on. `endpoint` is the label, never a URL with a key."""

    messages: Sequence[Mapping[str, str]]
    prompt_sha256: str
    schema: Mapping[str, Any]
    model: str
    parameters: Mapping[str, Any]
    endpoint: str
    repeat: int = 0

    @property
    def key(self) -> str:
        """SHA-256 over every part; the order of schema properties counts, for it shapes the answer."""
        parts = [
            [[message["role"], message["content"]] for message in self.messages],
            self.prompt_sha256,
            self.schema,
            self.model,
            sorted(self.parameters.items()),
            self.endpoint,
            self.repeat,
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A written token, its natural-log probability, and the likeliest tokens at its place."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it came: raw content, what it cost, log-probabilities where asked for."""

    content: str
    usage: Usage
    logprobs: tuple[TokenLogprob, ...] | None
    created: str


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A validated answer.

    `usage` is what this call cost (nothing when `from_store`), `stored_usage` what the
    answer cost when it was made, re-asks and failed attempts included.
    """

    value: T
    usage: Usage
    stored_usage: Usage
    from_store: bool
    logprobs: tuple[TokenLogprob, ...] | None
    content: str


def answer_from_store(stored: StoredAnswer, answer_type: type[T]) -> Answer[T] | None:
    """The stored answer, or None when a validator that is no part of the schema refuses it now."""
    try:
        value = answer_type.model_validate_json(stored.content)
    except ValidationError:
        return None
    return Answer(value, Usage(), stored.usage, True, stored.logprobs, stored.content)


class Answers(Protocol):
    """Where answers are looked up before a model is asked, and kept afterwards."""

    def get(self, key: str) -> StoredAnswer | None:
        """The answer stored under `key`, or None."""

    def put(
        self,
        question: Question,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
    ) -> None:
        """Keep an answer."""


class AnswerStore:
    """Answers by the key of their question. Safe for several threads and processes.

    Only answers that fitted their schema are stored; errors never are.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file; StartError when it is damaged, foreign or cannot be written."""
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f"cannot make the folder of the answer store {path}: {error}") from error
        with self._guarded():
            self._connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
            self._prepare()

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _FORMAT):
            raise StartError(
                f"{self.path} has format {version}, this version reads {_FORMAT}: move it away and run again"
            )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        with self._connection:
            self._connection.execute(_TABLE)
            self._connection.execute(f"PRAGMA user_version={_FORMAT}")
        self._connection.execute("SELECT content, usage, logprobs, created FROM answers LIMIT 1").fetchall()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.OperationalError as error:
            raise StartError(f"the answer store {self.path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StartError(
                f"the answer store {self.path} is damaged or no answer store ({error}): "
                "move it away and run again; its answers will be asked for anew"
            ) from error

    def get(self, key: str) -> StoredAnswer | None:
        """The answer stored under `key`, or None."""
        with self._guarded():
            row = self._connection.execute(
                "SELECT content, usage, logprobs, created FROM answers WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        content, usage, logprobs, created = row
        return StoredAnswer(content, Usage.model_validate_json(usage), _load_logprobs(logprobs), created)

    def put(
        self,
        question: Question,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
    ) -> None:
        """Store an answer; an earlier one to the same question is replaced."""
        row = (
            question.key,
            content,
            usage.model_dump_json(),
            None if logprobs is None else json.dumps([asdict(item) for item in logprobs], ensure_ascii=False),
            question.model,
            question.endpoint,
            question.prompt_sha256,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        with self._guarded(), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def __len__(self) -> int:
        with self._guarded():
            return int(self._connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _load_logprobs(stored: str | None) -> tuple[TokenLogprob, ...] | None:
    if stored is None:
        return None
    return tuple(
        TokenLogprob(item["token"], item["logprob"], _pairs(item["alternatives"]))
        for item in json.loads(stored)
    )


def _pairs(stored: list[list[Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((str(token), float(logprob)) for token, logprob in stored)
