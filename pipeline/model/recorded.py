"""Answers recorded from a model, played back: the same run again without the model.

A recording has a line of JSON an answer, gzipped where its name ends so, and can be
published or kept beside code. `record_answers` writes one from the store of a run.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal, TextIO

from pipeline.errors import AnswerMissing, StartError
from pipeline.fact import Usage
from pipeline.model.answers import OnlyRead, StoredAnswer
from pipeline.model.question import TokenLogprob

_COLUMNS = "key, model, endpoint, prompt_sha256, content, usage, logprobs, is_cut"
_DIGITS = 4


class RecordedAnswers(OnlyRead):
    """A recording as a store that only gives. `asked` keeps the keys of all questions."""

    def __init__(self, path: Path) -> None:
        """Load a recording. Raises StartError where `path` is none."""
        self.path = path
        self.asked: list[str] = []
        try:
            with _opened(path, "rt") as text:
                lines = [json.loads(line) for line in text]
            self.prompts = frozenset(line["prompt_sha256"] for line in lines)
            self._answers = {line["key"]: _stored(line) for line in lines}
        except OSError as error:
            raise StartError(f"{path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, EOFError, zlib.error) as error:
            raise StartError(f"{path}: no recording of answers: {error!r}") from error

    def get(self, key: str) -> StoredAnswer:
        """The answer. Raises AnswerMissing for a question that was not recorded."""
        self.asked.append(key)
        if key not in self._answers:
            raise AnswerMissing(
                f"{self.path.name} holds no answer to this question: prompt, wording rules, labels or model "
                "are not those of the recording. Run with the model, or record anew"
            )
        return self._answers[key]


def recording_sha256(path: Path) -> str:
    """What names a recording in the run that plays it back. Raises StartError."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StartError(f"{path}: {error.strerror or error}") from error


def record_answers(store: Path, recording: Path) -> int:
    """Write the answers of a run's `answers.sqlite` as a recording; how many there are."""
    lines = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in _lines(store)]
    recording.parent.mkdir(parents=True, exist_ok=True)
    with _opened(recording, "wt") as text:
        text.writelines(f"{line}\n" for line in lines)
    return len(lines)


def _opened(path: Path, mode: Literal["rt", "wt"]) -> TextIO:
    """The recording as text; a gzipped one holds no time, so that the same answers are the same bytes."""
    if path.suffix != ".gz":
        return path.open(mode, encoding="utf-8")
    if mode == "rt":
        return gzip.open(path, mode, encoding="utf-8")
    return TextIOWrapper(gzip.GzipFile(path, "wb", mtime=0), encoding="utf-8")


def _lines(store: Path) -> Iterator[dict[str, Any]]:
    """In the order of their keys, without times: these differ from run to run."""
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM answers ORDER BY key").fetchall()
    for key, model, endpoint, prompt_sha256, content, usage, logprobs, is_cut in rows:
        yield {
            "key": key,
            "model": model,
            "endpoint": endpoint,
            "prompt_sha256": prompt_sha256,
            "content": content,
            "usage": json.loads(usage) | {"seconds": 0.0},
            "logprobs": [_short(token) for token in json.loads(logprobs or "[]")],
            **({"is_cut": True} if is_cut else {}),
        }


def _short(token: Mapping[str, Any]) -> list[Any]:
    alternatives = [[text, round(logprob, _DIGITS)] for text, logprob in token["alternatives"]]
    return [token["token"], round(token["logprob"], _DIGITS), alternatives]


def _stored(line: Mapping[str, Any]) -> StoredAnswer:
    tokens = tuple(
        TokenLogprob(token, logprob, tuple((text, number) for text, number in alternatives))
        for token, logprob, alternatives in line["logprobs"]
    )
    usage = Usage.model_validate(line["usage"])
    return StoredAnswer(line["content"], usage, tokens or None, "", line.get("is_cut", False))
