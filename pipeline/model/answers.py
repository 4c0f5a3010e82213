"""Model answers and their store: one SQLite file, written the moment an answer arrives.

Stored are answers that fit their form, and that one was cut off; errors never are, nor keys.
Texts that were asked about are kept once, by their hash.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import StartError
from pipeline.fact import Usage
from pipeline.model.question import Answer, Asked, CutOff, Reply, TokenLogprob
from pipeline.model.sqlite_file import SqliteFile

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, content TEXT NOT NULL, usage TEXT NOT NULL, logprobs TEXT,
    model TEXT NOT NULL, endpoint TEXT NOT NULL, prompt_sha256 TEXT NOT NULL, created TEXT NOT NULL,
    prefix_sha256 TEXT, text_sha256 TEXT, is_cut INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID
""",
    "CREATE TABLE IF NOT EXISTS texts (sha256 TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
)
_SINCE_2 = (
    "ALTER TABLE answers ADD COLUMN prefix_sha256 TEXT",
    "ALTER TABLE answers ADD COLUMN text_sha256 TEXT",
    "ALTER TABLE answers ADD COLUMN is_cut INTEGER NOT NULL DEFAULT 0",
)
_INSERT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT content, usage, logprobs, created, is_cut FROM answers"
_INSERT_TEXT = "INSERT OR IGNORE INTO texts VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it came: raw content, what it cost, log-probabilities where asked for.

    `is_cut`: it did not fit into its tokens; with the same room it never will.
    """

    content: str
    usage: Usage
    logprobs: tuple[TokenLogprob, ...] | None
    created: str
    is_cut: bool = False

    def fitting(self, asked: Asked) -> Reply | None:
        """The reply, or None when a check that is no part of the schema refuses it now."""
        if self.is_cut:
            return CutOff(self.usage, f"{asked.endpoint}: the answer was cut off (finish_reason=length)")
        try:
            asked.question.form.check(self.content)
        except ValueError:
            return None
        return Answer(self.content, Usage(), self.usage, True, self.logprobs)


class Answers(Protocol):
    """Where answers are looked up before a model is asked, and kept afterwards."""

    def get(self, key: str) -> StoredAnswer | None:
        """The answer stored under `key`, or None."""

    def put(
        self,
        asked: Asked,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
        *,
        is_cut: bool = False,
        commit: bool = True,
    ) -> None:
        """Keep an answer, or that it was cut off."""

    def commit(self) -> None:
        """Bring to disk what was put without."""


class OnlyRead:
    """A store of answers at `path` that takes none."""

    path: Path

    def put(
        self,
        asked: Asked,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
        *,
        is_cut: bool = False,
        commit: bool = True,
    ) -> None:
        """Never called: no model is asked."""
        raise StartError(f"{self.path}: takes no answers, it is only read")

    def commit(self) -> None:
        """Nothing is written."""


class AnswerStore(SqliteFile):
    """Answers by the key of their question. Safe for several threads and processes."""

    what = "answer store"
    format_version = 2

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._prefixes: set[str] = set()
        with self.guarded():
            self._connection.execute(f"{_SELECT} LIMIT 1").fetchall()

    def create(self, connection: sqlite3.Connection, version: int) -> None:
        """Tables; a store of format 1 had no texts."""
        for statement in _TABLES:
            connection.execute(statement)
        for statement in _SINCE_2 if version == 1 else ():
            connection.execute(statement)

    def get(self, key: str) -> StoredAnswer | None:
        """The answer stored under `key`, or None."""
        row = self.read_one(f"{_SELECT} WHERE key = ?", (key,))
        if row is None:
            return None
        content, usage, logprobs, created, is_cut = row
        spent = Usage.model_validate_json(usage)
        return StoredAnswer(content, spent, _load_logprobs(logprobs), created, bool(is_cut))

    def put(
        self,
        asked: Asked,
        content: str,
        usage: Usage,
        logprobs: Sequence[TokenLogprob] | None = None,
        *,
        is_cut: bool = False,
        commit: bool = True,
    ) -> None:
        """Store an answer; an earlier one to the same question is replaced."""
        question = asked.question
        row = (
            asked.key,
            content,
            usage.model_dump_json(),
            None if logprobs is None else json.dumps([asdict(item) for item in logprobs], ensure_ascii=False),
            asked.model,
            asked.endpoint,
            question.prompt_sha256,
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            question.prefix.sha256 if question.prefix.messages else None,
            self._keep_text(question.text),
            is_cut,
        )
        if question.prefix.messages and question.prefix.sha256 not in self._prefixes:
            content_json = question.prefix.as_json + "]"
            self.write(_INSERT_TEXT, (question.prefix.sha256, content_json), commit=False)
            self._prefixes.add(question.prefix.sha256)
        self.write(_INSERT, row, commit=commit)

    def _keep_text(self, text: str) -> str:
        sha256 = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        self.write(_INSERT_TEXT, (sha256, text), commit=False)
        return sha256

    def __len__(self) -> int:
        return int(self.read_one("SELECT count(*) FROM answers")[0])


def _load_logprobs(stored: str | None) -> tuple[TokenLogprob, ...] | None:
    if stored is None:
        return None
    return tuple(
        TokenLogprob(item["token"], item["logprob"], _pairs(item["alternatives"]))
        for item in json.loads(stored)
    )


def _pairs(stored: list[list[Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((str(token), float(logprob)) for token, logprob in stored)
