"""`review-sample.jsonl` of a run folder: figures that were drawn at random for the audit.

Only by this can a later reader tell the random sample from checks that were chosen by chance. The writer
is the one process that holds the review log.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pipeline.errors import StartError

SAMPLE = "review-sample.jsonl"


class SampleLog:
    """The figures that were drawn: keys by `doc_id`."""

    def __init__(self, folder: Path) -> None:
        """Raises StartError where the file cannot be read."""
        self.path = folder / SAMPLE
        self.drawn: dict[str, set[str]] = {}
        self._end = 0
        if self.path.is_file():
            self._load()

    def _load(self) -> None:
        try:
            for number, line in enumerate(self.path.read_bytes().splitlines(keepends=True), start=1):
                if not line.endswith(b"\n"):
                    return  # cut off by a kill: the figure was not shown
                self._take_up(number, line)
                self._end += len(line)
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def _take_up(self, number: int, line: bytes) -> None:
        try:
            entry = json.loads(line)
            self.drawn.setdefault(entry["doc_id"], set()).add(entry["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise StartError(
                f"{self.path}, line {number} is no drawn figure ({error}). Delete this line: "
                "its figure no longer counts as part of the random sample"
            ) from error

    def draw(self, doc_id: str, key: str) -> None:
        """Note a figure before it is shown; it is on disk when this returns. StartError if not."""
        if key in self.drawn.get(doc_id, ()):
            return
        line = json.dumps({"doc_id": doc_id, "key": key}, ensure_ascii=False).encode() + b"\n"
        try:
            with self.path.open("r+b" if self.path.exists() else "w+b") as stream:
                stream.seek(self._end)
                stream.write(line)
                stream.truncate()
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StartError(f"{self.path} cannot be written: {error.strerror or error}") from error
        self._end += len(line)
        self.drawn.setdefault(doc_id, set()).add(key)


class DrawnFigures:
    """Which figures were drawn, for pages that only show it: read again when the file has grown."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._size = -1
        self._log: SampleLog | None = None

    def of(self, doc_id: str) -> frozenset[str]:
        """The keys of a document. StartError where the file cannot be read."""
        path = self._folder / SAMPLE
        size = path.stat().st_size if path.is_file() else 0
        if self._log is None or size != self._size:
            self._log, self._size = SampleLog(self._folder), size
        return frozenset(self._log.drawn.get(doc_id, ()))
