"""`records.jsonl`: one line a document, on disk the moment the document is done.

A line is written at once and forced to disk; a line that a kill cut off is found and
removed at the next start. A later line with the same `doc_id` replaces the former, so a
document that is done anew needs no rewriting; `arrange` puts the lines in their final
order through a second file that takes the place of the first in one step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from pipeline.errors import StartError
from pipeline.fact import Record, RecordStatus
from pipeline.runs.sources import content_of

__all__ = ["RecordFile", "RecordLine", "read_records", "read_text", "text_path", "write_text"]

RECORDS = "records.jsonl"


@dataclass(frozen=True, slots=True)
class RecordLine:
    """Where a record stands in the file (bytes), and what a resume must know of it.

    `content` is one hash for the document and its attachments (sources.py).
    """

    doc_id: str
    file: str
    content: str
    status: RecordStatus
    start: int
    length: int


class RecordFile:
    """The records of a run, open for appending. Not safe for several threads: one writer."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file; a torn last line is cut off, `was_torn` tells so.

        Raises StartError when a line is damaged or the file cannot be written.
        """
        self.path = folder / RECORDS
        self.lines: dict[str, RecordLine] = {}
        self.was_torn = False
        try:
            self._writer = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._stream: IO[bytes] = self.path.open("rb")
        except OSError as error:
            raise StartError(f"{self.path} cannot be written: {error.strerror or error}") from error
        try:
            self._end = self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> int:
        start = 0
        for number, line in enumerate(self._stream, start=1):
            if not line.endswith(b"\n"):
                self.was_torn = True
                break
            if line.strip():
                self._remember(_parse(self.path, number, line), start, len(line))
            start += len(line)
        if self.was_torn:
            os.ftruncate(self._writer, start)
        return start

    def _remember(self, record: Record, start: int, length: int) -> None:
        # Taken out first, so that the order of the dict is the order of the lines that count.
        self.lines.pop(record.doc_id, None)
        attached = [part.sha256 for part in record.parts if part.place == "beside"]
        hint = () if record.hint is None else tuple(record.hint.model_dump().values())
        content = content_of(record.sha256, attached, hint)
        self.lines[record.doc_id] = RecordLine(
            record.doc_id, record.file, content, record.status, start, length
        )

    def append(self, record: Record) -> None:
        """Write a record and wait until it is on disk; a line that did not fit is taken back."""
        line = record.model_dump_json().encode("utf-8") + b"\n"
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._writer, rest) :]
            os.fsync(self._writer)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._writer, self._end)
            raise StartError(
                f"{self.path}: the record of {record.doc_id} cannot be written ({error.strerror or error}). "
                "Make room and run the same command again: it goes on where it stopped"
            ) from error
        self._remember(record, self._end, len(line))
        self._end += len(line)

    def read(self, doc_id: str) -> Record:
        """The record of a document that is in `lines`."""
        line = self.lines[doc_id]
        return Record.model_validate_json(self._bytes(line))

    def _bytes(self, line: RecordLine) -> bytes:
        self._stream.seek(line.start)
        return self._stream.read(line.length)

    def __iter__(self) -> Iterator[Record]:
        for doc_id in list(self.lines):
            yield self.read(doc_id)

    def arrange(self, order: Sequence[str]) -> None:
        """Keep the records of `order`, in that order, and no other line."""
        wanted = [self.lines[doc_id] for doc_id in order]
        if self._is_arranged(wanted):
            return
        temporary = self.path.with_suffix(".jsonl.new")
        arranged: dict[str, RecordLine] = {}
        try:
            with temporary.open("w+b") as stream:
                for line in wanted:
                    start = stream.tell()
                    stream.write(self._bytes(line))
                    arranged[line.doc_id] = replace(line, start=start)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            raise StartError(f"{self.path} cannot be put in order: {error.strerror or error}") from error
        self.close()
        self._writer = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._stream = self.path.open("rb")
        self._end = sum(line.length for line in wanted)
        self.lines = arranged

    def _is_arranged(self, wanted: Sequence[RecordLine]) -> bool:
        end = 0
        for line in wanted:
            if line.start != end:
                return False
            end += line.length
        return end == self._end

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        os.close(self._writer)


def _parse(path: Path, number: int, line: bytes) -> Record:
    try:
        return Record.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "line"
        raise StartError(
            f"{path}, line {number} is no record ({place}: {fault['msg']}). "
            "Delete this line: its document will be done again"
        ) from None


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a run in the order of their last lines; the run may still be going on.

    Raises StartError when the folder is no run folder or a line is damaged. A torn last
    line is passed over; nothing is written.
    """
    path = folder / RECORDS
    if not path.is_file():
        what = "no such folder" if not folder.is_dir() else f"holds no {RECORDS}"
        raise StartError(f"{folder}: {what}. Needed is a folder that `gongkai extract … --out` wrote")
    places: dict[str, tuple[int, int]] = {}
    try:
        with path.open("rb") as stream:
            start = 0
            for number, line in enumerate(stream, start=1):
                if line.endswith(b"\n") and line.strip():
                    doc_id = _parse(path, number, line).doc_id
                    places.pop(doc_id, None)
                    places[doc_id] = (start, len(line))
                start += len(line)
            for start, length in places.values():
                stream.seek(start)
                yield Record.model_validate_json(stream.read(length))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}") from error


def text_path(folder: Path, sha256: str) -> Path:
    """Where the canonical text of a document lies."""
    return folder / "text" / f"{sha256}.txt"


def write_text(folder: Path, sha256: str, text: str) -> None:
    """Keep the canonical text, whole or not at all; line ends stay as they are.

    The text of a report stands in front of those of its attachments: where the longer one is
    there, of another record, it holds the shorter one, and stays.
    """
    target = text_path(folder, sha256)
    temporary = target.with_suffix(f".{os.getpid()}.new")
    content = text.encode("utf-8", "replace")
    try:
        target.parent.mkdir(exist_ok=True)
        if target.is_file() and target.read_bytes().startswith(content):
            return
        temporary.write_bytes(content)
        os.replace(temporary, target)
    except OSError as error:
        raise StartError(f"{target} cannot be written: {error.strerror or error}") from error


def read_text(folder: Path, sha256: str) -> str | None:
    """The canonical text that evidence points into; None where the run did not keep it."""
    path = text_path(folder, sha256)
    return path.read_bytes().decode("utf-8") if path.is_file() else None
