"""`records.jsonl`: one line a document, written the moment the document is done.

A line is written at once and forced to disk with its neighbours of a fifth of a second; a
line that a kill cut off is found and removed at the next start. A later line with the same
`doc_id` replaces the former, so a document that is done anew needs no rewriting; `arrange`
puts the lines in their final order through a second file that takes the place of the first
in one step.

`records.index` beside it holds what a resume and the totals need of each line. It can be
lost: what does not stand where it says is read from the records again. Damage within a line
is noticed when the line is read.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from pipeline.errors import StartError
from pipeline.fact import Record, RecordStatus
from pipeline.runs.brief import RecordBrief, brief_from_row, brief_of, dump_row

__all__ = [
    "RecordFile",
    "RecordLine",
    "read_line",
    "read_lines",
    "read_records",
    "read_text",
    "text_path",
    "write_text",
]

RECORDS, INDEX = "records.jsonl", "records.index"
_SYNC_SECONDS = 0.2
# macOS has no fdatasync.
_force = getattr(os, "fdatasync", os.fsync)
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RecordLine:
    """Where a record stands in the file (bytes), and what a resume must know of it.

    `content` is one hash for the document and its attachments (sources.py); `indexed` where
    its line of the index begins.
    """

    doc_id: str
    file: str
    content: str
    status: RecordStatus
    start: int
    length: int
    indexed: int


class RecordFile:
    """The records of a run, open for appending. Not safe for several threads: one writer."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file; a torn last line is cut off, `was_torn` tells so.

        Raises StartError when a line is damaged or the file cannot be written.
        """
        self.path = folder / RECORDS
        self._index_path = folder / INDEX
        self.lines: dict[str, RecordLine] = {}
        self.was_torn = False
        self._end = self._index_end = 0
        self._synced = time.monotonic()
        try:
            self._open()
        except OSError as error:
            raise StartError(f"{self.path} cannot be written: {error.strerror or error}") from error
        try:
            self._load()
        except OSError as error:
            self.close()
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._writer = os.open(self.path, flags, 0o644)
        try:
            self._index = os.open(self._index_path, flags, 0o644)
            self._stream: IO[bytes] = self.path.open("rb")
        except OSError:
            os.close(self._writer)
            raise

    def _load(self) -> None:
        """What the index says, as far as it is right; the rest from the records themselves."""
        for brief, start, length, indexed in self._trusted():
            self._remember(brief, start, length, indexed)
        os.ftruncate(self._index, self._index_end)
        self._stream.seek(self._end)
        for number, line in enumerate(self._stream, start=len(self.lines) + 1):
            if not line.endswith(b"\n"):
                self.was_torn = True
                break
            if line.strip():
                self._take_up(brief_of(_parse(self.path, number, line)), len(line))
            else:
                self._end += len(line)
        if self.was_torn:
            os.ftruncate(self._writer, self._end)

    def _trusted(self) -> Iterator[tuple[RecordBrief, int, int, int]]:
        """Entries of the index that follow each other without a gap and stand where they say."""
        size = os.fstat(self._writer).st_size
        with self._index_path.open("rb") as index:
            for line in index:
                try:
                    start, length, *row = json.loads(line)
                    brief = brief_from_row(row)
                except (ValueError, TypeError):
                    return
                if not line.endswith(b"\n") or start != self._end or start + length > size:
                    return
                if not self._stands(brief.doc_id, start, length):
                    return
                indexed = self._index_end
                self._end = start + length
                self._index_end += len(line)
                yield brief, start, length, indexed

    def _stands(self, doc_id: str, start: int, length: int) -> bool:
        head = f'{{"doc_id":{json.dumps(doc_id, ensure_ascii=False)},'.encode()
        return (
            os.pread(self._writer, len(head), start) == head
            and os.pread(self._writer, 1, start + length - 1) == b"\n"
        )

    def _remember(self, brief: RecordBrief, start: int, length: int, indexed: int) -> None:
        # Taken out first, so that the order of the dict is the order of the lines that count.
        self.lines.pop(brief.doc_id, None)
        self.lines[brief.doc_id] = RecordLine(
            brief.doc_id, brief.file, brief.content, brief.status, start, length, indexed
        )

    def _take_up(self, brief: RecordBrief, length: int) -> None:
        """Put a line that stands at the end of the records into the index, and remember it."""
        entry = dump_row([self._end, length, *brief.as_row()])
        _write(self._index, entry)
        self._remember(brief, self._end, length, self._index_end)
        self._index_end += len(entry)
        self._end += length

    def append(self, record: Record) -> None:
        """Write a record."""
        self.append_line(record_line(record), brief_of(record))

    def append_line(self, line: bytes, brief: RecordBrief) -> None:
        """Write a record as its line; one that did not fit on the disk is taken back."""
        try:
            _write(self._writer, line)
            self._take_up(brief, len(line))
            self._sync()
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._writer, self._end)
                os.ftruncate(self._index, self._index_end)
            raise StartError(
                f"{self.path}: the record of {brief.doc_id} cannot be written ({error.strerror or error}). "
                "Make room and run the same command again: it goes on where it stopped"
            ) from error

    def _sync(self, seconds: float = _SYNC_SECONDS) -> None:
        """Force to disk what has come, at most so often: a crash of the machine costs no more than that."""
        if time.monotonic() - self._synced >= seconds:
            _force(self._writer)
            self._synced = time.monotonic()

    def read(self, doc_id: str) -> Record:
        """The record of a document that is in `lines`. Raises StartError where its line is damaged."""
        line = self.lines[doc_id]
        number = list(self.lines).index(doc_id) + 1
        return _parse(self.path, number, os.pread(self._writer, line.length, line.start))

    def briefs(self) -> Iterator[RecordBrief]:
        """What is known of each record, in order, without reading the records."""
        return self._briefs(list(self.lines.values()))

    def _briefs(self, lines: Sequence[RecordLine]) -> Iterator[RecordBrief]:
        with self._index_path.open("rb") as index:
            for line in lines:
                if index.tell() != line.indexed:
                    index.seek(line.indexed)
                _, _, *row = json.loads(index.readline())
                yield brief_from_row(row)

    def __iter__(self) -> Iterator[Record]:
        for doc_id in list(self.lines):
            yield self.read(doc_id)

    def arrange(self, order: Sequence[str]) -> None:
        """Keep the records of `order`, in that order, and no other line."""
        wanted = [self.lines[doc_id] for doc_id in order]
        if self._is_arranged(wanted):
            return
        temporary = self.path.with_suffix(".jsonl.new")
        try:
            with temporary.open("wb") as stream:
                for line in wanted:
                    stream.write(os.pread(self._writer, line.length, line.start))
                stream.flush()
                os.fsync(stream.fileno())
            self._arrange_index(wanted)
            os.replace(temporary, self.path)
            os.replace(self._index_path.with_suffix(".index.new"), self._index_path)
        except OSError as error:
            for left in (temporary, self._index_path.with_suffix(".index.new")):
                left.unlink(missing_ok=True)
            raise StartError(f"{self.path} cannot be put in order: {error.strerror or error}") from error
        self.close()
        self.lines = {}
        self._end = self._index_end = 0
        self._open()
        self._load()

    def _arrange_index(self, wanted: Sequence[RecordLine]) -> None:
        start = 0
        with self._index_path.with_suffix(".index.new").open("wb") as stream:
            for line, brief in zip(wanted, self._briefs(wanted), strict=True):
                stream.write(dump_row([start, line.length, *brief.as_row()]))
                start += line.length

    def _is_arranged(self, wanted: Sequence[RecordLine]) -> bool:
        end = 0
        for line in wanted:
            if line.start != end:
                return False
            end += line.length
        return end == self._end

    def close(self) -> None:
        """Force all to disk and close the file."""
        with suppress(OSError):
            self._sync(0)
        self._stream.close()
        os.close(self._index)
        os.close(self._writer)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def has_records(folder: Path) -> bool:
    """Whether any record was ever written into a run folder."""
    path = folder / RECORDS
    return path.is_file() and path.stat().st_size > 0


def record_line(record: Record) -> bytes:
    """A record as a line of the file."""
    return record.model_dump_json().encode("utf-8") + b"\n"


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
    try:
        places: dict[str, tuple[int, int]] = {}
        for start, length, record in read_lines(folder):
            places.pop(record.doc_id, None)
            places[record.doc_id] = (start, length)
        with (folder / RECORDS).open("rb") as stream:
            for start, length in places.values():
                stream.seek(start)
                yield Record.model_validate_json(stream.read(length))
    except OSError as error:
        raise StartError(f"{folder / RECORDS} cannot be read: {error.strerror or error}") from error


def read_lines(folder: Path) -> Iterator[tuple[int, int, Record]]:
    """Every whole line of a run's records with the bytes where it begins and how many it has.

    Of several lines with the same `doc_id` the last counts. Raises StartError like `read_records`.
    """
    path = folder / RECORDS
    if not path.is_file():
        what = "no such folder" if not folder.is_dir() else f"holds no {RECORDS}"
        raise StartError(f"{folder}: {what}. Needed is a folder that `gongkai extract … --out` wrote")
    try:
        with path.open("rb") as stream:
            start = 0
            for number, line in enumerate(stream, start=1):
                if line.endswith(b"\n") and line.strip():
                    yield start, len(line), _parse(path, number, line)
                start += len(line)
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}") from error


def read_line(folder: Path, start: int, length: int) -> Record:
    """The record at a place that `read_lines` gave."""
    path = folder / RECORDS
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            return Record.model_validate_json(stream.read(length))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError:
        raise StartError(
            f"{path} has changed since it was read: no record begins at byte {start}. "
            "Run the same command again once the run has ended"
        ) from None


def text_path(folder: Path, sha256: str) -> Path:
    """Where the canonical text of a document lies.

    Raises StartError where the hash, which a record of somebody else may have made up, is a path.
    """
    if sha256 and not (sha256.isascii() and sha256.isalnum()):
        raise StartError(
            f"{folder / RECORDS}: the sha256 of a record is {sha256[:80]!r}; needed are hexadecimal digits"
        )
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
