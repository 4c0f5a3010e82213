"""What a run has put into batches: questions with their states and answers, batches under way.

A question is `queued`, then `sent` with a batch, then `done`, `dead` (failed for good) or queued
again. Everything that a kill must not lose is committed here before it is done at the endpoint.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pipeline.model.completion import TokenCounts
from pipeline.model.failure import FailureKind
from pipeline.model.sqlite_file import SqliteFile

State = Literal["queued", "sent", "done", "dead"]

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS questions (
    number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, key TEXT NOT NULL, session TEXT NOT NULL,
    state TEXT NOT NULL, job TEXT, attempts INTEGER NOT NULL, body BLOB, bytes INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    response BLOB, written_tokens INTEGER, is_read INTEGER NOT NULL, kind TEXT, detail TEXT
)
""",
    "CREATE INDEX IF NOT EXISTS questions_by_state ON questions (state)",
    "CREATE INDEX IF NOT EXISTS questions_by_job ON questions (job)",
    "CREATE INDEX IF NOT EXISTS questions_by_key ON questions (key)",
    """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, tag TEXT NOT NULL UNIQUE, created REAL NOT NULL, lines INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, is_open INTEGER NOT NULL, attempted REAL, file_id TEXT, batch_id TEXT
)
""",
)
_QUEUE = (
    "INSERT INTO questions VALUES (NULL, ?, ?, ?, 'queued', NULL, 0, ?, ?, ?, ?, NULL, NULL, 0, NULL, NULL) "
    "ON CONFLICT (sha256) DO UPDATE SET session = excluded.session"
)
_SETTLE = (
    "UPDATE questions SET state = ?, job = NULL, attempts = ?, body = CASE WHEN ? THEN body END, "
    "response = ?, written_tokens = ?, kind = ?, detail = ? WHERE sha256 = ?"
)
# Refused, or answered in a form that was used already; nothing of the same question is under way.
_FAILED_PERHAPS = """
SELECT key FROM questions GROUP BY key
HAVING sum(state IN ('queued', 'sent') OR (state = 'done' AND NOT is_read)) = 0
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a question; `response` where it is done, `kind` and `detail` where it is dead."""

    state: State
    response: Any
    kind: FailureKind
    detail: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A question that waits to be sent; `bytes` of its line, `tokens` as estimated."""

    number: int
    bytes: int
    tokens: TokenCounts


@dataclass(frozen=True, slots=True)
class Sent:
    """A question in a batch; `attempts` before this one."""

    sha256: str
    key: str
    attempts: int
    tokens: TokenCounts


@dataclass(slots=True)
class Job:
    """A batch from its intent to its end.

    `attempted` is when its file was sent, or then the batch made, without an answer yet (seconds
    since 1970): it may be at the endpoint. None where it cannot be.
    """

    tag: str
    created: float
    lines: int
    input_tokens: int
    attempted: float | None = None
    file_id: str | None = None
    batch_id: str | None = None

    @property
    def file_name(self) -> str:
        """The file's name at the endpoint, by which it is found again."""
        return f"{self.tag}.jsonl"


@dataclass(frozen=True, slots=True)
class Settled:
    """How a line of a batch ended; `attempts` with this one."""

    sha256: str
    state: State
    attempts: int
    response: str | None = None
    written_tokens: int | None = None
    kind: FailureKind | None = None
    detail: str | None = None


class BatchFile(SqliteFile):
    """`batch.sqlite` of a run. Only questions that this session has asked are sent."""

    what = "batch file"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._session = uuid.uuid4().hex
        with self.guarded():
            # An intent must outlive also a loss of power: what follows it costs money.
            self._connection.execute("PRAGMA synchronous=FULL")

    def create(self, connection: sqlite3.Connection, version: int) -> None:
        """Questions and batches."""
        for statement in _TABLES:
            connection.execute(statement)

    def find(self, sha256: str) -> Found | None:
        """What is known of the question with this body; from now on its answer has been read."""
        row = self.read_one(
            "SELECT state, response, kind, detail, is_read FROM questions WHERE sha256 = ?", (sha256,)
        )
        if row is None:
            return None
        state, response, kind, detail, is_read = row
        if state == "done" and not is_read:
            self.write("UPDATE questions SET is_read = 1 WHERE sha256 = ?", (sha256,), commit=False)
        decoded = None if response is None else json.loads(zlib.decompress(response))
        return Found(cast(State, state), decoded, cast(FailureKind, kind or "server"), detail or "")

    def queue(self, sha256: str, key: str, body: bytes, line_bytes: int, tokens: TokenCounts) -> None:
        """Keep a question to be sent; one that is there already belongs to this session from now on."""
        packed = zlib.compress(body, 1)
        values = (sha256, key, self._session, packed, line_bytes, tokens.input, tokens.output)
        self.write(_QUEUE, values, commit=False)

    def queued(self) -> Iterator[Queued]:
        """What this session waits for and is in no batch, in the order in which it was first asked."""
        rows = self.read_all(
            "SELECT number, bytes, input_tokens, output_tokens FROM questions "
            "WHERE state = 'queued' AND session = ? ORDER BY number",
            (self._session,),
        )
        return (Queued(number, size, TokenCounts(read, 0, written)) for number, size, read, written in rows)

    def begin_job(self, questions: Sequence[Queued]) -> Job:
        """The intent to send these questions as one batch."""
        job = Job(
            f"gongkai-{uuid.uuid4().hex}", time.time(), len(questions), sum(q.tokens.input for q in questions)
        )
        with self.guarded(), self._connection:
            self._connection.execute(
                "INSERT INTO jobs VALUES (NULL, ?, ?, ?, ?, 1, NULL, NULL, NULL)",
                (job.tag, job.created, job.lines, job.input_tokens),
            )
            self._connection.executemany(
                "UPDATE questions SET state = 'sent', job = ? WHERE number = ?",
                [(job.tag, question.number) for question in questions],
            )
        return job

    def open_jobs(self) -> list[Job]:
        """Batches that are not settled, oldest first."""
        rows = self.read_all(
            "SELECT tag, created, lines, input_tokens, attempted, file_id, batch_id FROM jobs "
            "WHERE is_open ORDER BY number"
        )
        return [Job(*row) for row in rows]

    def keep_job(self, job: Job) -> None:
        """Bring to disk how far a batch is."""
        values = (job.attempted, job.file_id, job.batch_id, job.tag)
        self.write(
            "UPDATE jobs SET attempted = ?, file_id = ?, batch_id = ? WHERE tag = ?", values, commit=True
        )

    def bodies(self, job: Job) -> Iterator[tuple[str, bytes]]:
        """SHA-256 and body of a batch's questions, always in the same order."""
        with self.guarded():
            rows = self._connection.execute(
                "SELECT sha256, body FROM questions WHERE job = ? ORDER BY number", (job.tag,)
            )
            for sha256, packed in rows:
                yield sha256, zlib.decompress(packed)

    def sent(self, job: Job) -> list[Sent]:
        """The questions of a batch."""
        rows = self.read_all(
            "SELECT sha256, key, attempts, input_tokens, output_tokens FROM questions "
            "WHERE job = ? ORDER BY number",
            (job.tag,),
        )
        return [
            Sent(sha256, key, attempts, TokenCounts(read, 0, written))
            for sha256, key, attempts, read, written in rows
        ]

    def settle(self, job: Job, lines: Sequence[Settled]) -> None:
        """Keep what a batch has brought and close it, all at once. What may be sent again keeps its body."""
        rows = [
            (
                line.state, line.attempts, line.state == "queued",
                None if line.response is None else zlib.compress(line.response.encode(), 1),
                line.written_tokens, line.kind, line.detail, line.sha256,
            )
            for line in lines
        ]  # fmt: skip
        with self.guarded(), self._connection:
            self._connection.executemany(_SETTLE, rows)
            self._connection.execute("UPDATE jobs SET is_open = 0 WHERE tag = ?", (job.tag,))

    def take_back(self, job: Job) -> None:
        """Queue the questions of a batch that the endpoint has not begun."""
        with self.guarded(), self._connection:
            self._connection.execute(
                "UPDATE questions SET state = 'queued', job = NULL WHERE job = ?", (job.tag,)
            )
            self._connection.execute("UPDATE jobs SET is_open = 0 WHERE tag = ?", (job.tag,))

    def under_way(self) -> TokenCounts:
        """Estimated tokens of all that is in batches."""
        row = self.read_one(
            "SELECT sum(input_tokens), sum(output_tokens) FROM questions WHERE state = 'sent'"
        )
        return TokenCounts(row[0] or 0, 0, row[1] or 0)

    def written_shares(self) -> list[float]:
        """How much of what they might have written the answers so far have, least first."""
        rows = self.read_all(
            "SELECT 1.0 * written_tokens / output_tokens FROM questions "
            "WHERE written_tokens IS NOT NULL AND output_tokens > 0 ORDER BY 1"
        )
        return [share for (share,) in rows]

    def paid_and_unused(self, has_answer: Callable[[str], bool]) -> int:
        """Questions in batches under way, and answers that have come without being used.

        `has_answer` says whether an answer to a question's key is stored.
        """
        rows = self.read_all(
            "SELECT state, key FROM questions WHERE state = 'sent' OR (state = 'done' AND NOT is_read)"
        )
        return sum(state == "sent" or not has_answer(key) for state, key in rows)

    def forget_failed(self, has_answer: Callable[[str], bool]) -> int:
        """Forget, so that they are asked again, questions that failed for good; how many.

        Those are the ones without a stored answer (`has_answer` of the question's key) of which
        nothing is queued, under way or unread.
        """
        failed = [key for (key,) in self.read_all(_FAILED_PERHAPS) if not has_answer(key)]
        with self.guarded(), self._connection:
            self._connection.executemany("DELETE FROM questions WHERE key = ?", [(key,) for key in failed])
        return len(failed)
