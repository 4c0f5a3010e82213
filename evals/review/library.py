"""The documents of a run by number: what is known of each, its record and its text when asked for.

Nothing is written into the run folder, and the run may still be going on. Numbers count from 1
in the order in which documents were first seen; they stay while the server lives, also when a
document is done again or the records are put in another order.

A run folder may be made by somebody else: no name in it leads out of it, nor out of the folders
in which drafts are written under the names of its documents.
"""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from evals.review.source.files import SourceFiles, SourceFolders, folders_of_run
from pipeline.errors import StartError
from pipeline.fact import Record, RecordStatus, Severity
from pipeline.runs.brief import RecordBrief, brief_from_row, brief_of
from pipeline.runs.record import INDEX, RECORDS, has_records, read_line, read_text, text_path

_MOST_RECORDS = 16
_STATUSES, _SEVERITIES = frozenset(get_args(RecordStatus)), frozenset(get_args(Severity))


class NoSuchDocument(LookupError):
    """The run has no document of this number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the run: its number, what is known of its record, and where that stands (bytes)."""

    number: int
    brief: RecordBrief
    start: int
    length: int

    @property
    def doc_id(self) -> str:
        """Its name within the run."""
        return self.brief.doc_id


class Library:
    """The documents of a run folder. Safe for several threads."""

    def __init__(self, run: Path, documents: Path | None = None) -> None:
        """Raises StartError where `run` is no run folder, holds no record, or one with a name that is a path.

        Without `documents` the files are looked for where the run's manifest says that they lay.
        """
        if not run.is_dir():
            raise StartError(f"{run}: no such folder. Needed is one that `gongkai extract … --out` wrote")
        if not has_records(run):
            raise StartError(f"{run}: holds no records. Run `gongkai extract … --out {run}` first")
        self.run = run
        self._folders = (
            SourceFolders([documents])
            if documents is not None
            else SourceFolders(folders_of_run(run), is_trusted=False)
        )
        self._lock = threading.RLock()
        self._numbers: dict[str, int] = {}
        self._entries: list[Entry] = []
        self._records: OrderedDict[tuple[str, int], Record] = OrderedDict()
        self._file, self._end, self._index_end = -1, 0, 0
        self.refresh()

    def refresh(self) -> None:
        """Take up what the run has written since."""
        with self._lock:
            self._refresh()

    def _refresh(self) -> None:
        status = os.stat(self.run / RECORDS)
        if status.st_ino == self._file and status.st_size == self._end:
            return
        if status.st_ino != self._file or status.st_size < self._end:
            self._file, self._end, self._index_end = status.st_ino, 0, 0
        self._take_up(status.st_size)

    def _take_up(self, size: int) -> None:
        """Go on behind what is known: by the index as far as it is right, else by the records themselves."""
        with (self.run / RECORDS).open("rb") as records:
            for brief, start, length, index_end in _indexed(self.run / INDEX, self._index_end):
                if start + length > self._end:
                    is_next = start == self._end and start + length <= size
                    if not is_next or not _stands(records.fileno(), brief, start, length):
                        break
                    self._put(brief, start, length)
                self._index_end = index_end
            records.seek(self._end)
            for line in records:
                if not line.endswith(b"\n"):
                    return  # a run is writing it
                if line.strip():
                    self._put(brief_of(self._parsed(line)), self._end, len(line))
                else:
                    self._end += len(line)

    def _parsed(self, line: bytes) -> Record:
        try:
            return Record.model_validate_json(line)
        except ValidationError:
            raise StartError(
                f"{self.run / RECORDS}: no record begins at byte {self._end}. "
                "Run `gongkai extract` into this folder again: it says what is to be done"
            ) from None

    def _put(self, brief: RecordBrief, start: int, length: int) -> None:
        """A later line of a document takes the place of the former."""
        if not _is_name(brief.doc_id):
            raise StartError(
                f"{self.run / RECORDS}: the doc_id at byte {start} is {brief.doc_id[:80]!r}, which cannot be "
                "the name of a file. `gongkai extract` writes no such record; delete this line"
            )
        self._end = start + length
        number = self._numbers.setdefault(brief.doc_id, len(self._entries) + 1)
        entry = Entry(number, brief, start, length)
        if number > len(self._entries):
            self._entries.append(entry)
        else:
            self._entries[number - 1] = entry

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All documents by number, those of a run that goes on included."""
        self.refresh()
        return tuple(self._entries)

    def entry(self, number: int) -> Entry:
        """One document. Raises NoSuchDocument."""
        if not 1 <= number <= len(self._entries):
            self.refresh()
        if not 1 <= number <= len(self._entries):
            raise NoSuchDocument(number)
        return self._entries[number - 1]

    def number_of(self, doc_id: str) -> int | None:
        """The number of a document; None where the run lacks it."""
        if doc_id not in self._numbers:
            self.refresh()
        return self._numbers.get(doc_id)

    def record(self, number: int) -> Record:
        """The record of a document. Raises NoSuchDocument, and StartError where its line is damaged."""
        with self._lock:
            self._refresh()
            return self._record(self.entry(number))

    def _record(self, entry: Entry) -> Record:
        key = (entry.doc_id, entry.start)
        if key in self._records:
            self._records.move_to_end(key)
            return self._records[key]
        record = read_line(self.run, entry.start, entry.length)
        if record.doc_id != entry.doc_id:
            raise StartError(f"{self.run / RECORDS} has changed while it was read. Load the page again")
        self._records[key] = record
        if len(self._records) > _MOST_RECORDS:
            self._records.popitem(last=False)
        return record

    def text(self, number: int) -> str | None:
        """The canonical text that evidence points into; None where the run did not keep it."""
        sha256 = self.record(number).sha256
        path = text_path(self.run, sha256)
        if path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve()):
            return None  # it would show a file of somebody else
        return read_text(self.run, sha256)

    def source(self, number: int) -> SourceFiles | None:
        """The very file that was extracted, and those attached to it; None where they are not at hand.

        May hash many files: call it in a thread.
        """
        return self._folders.find(self.record(number))


def _indexed(path: Path, start: int) -> Iterator[tuple[RecordBrief, int, int, int]]:
    """What the index says from a byte on, and where each line of it ends."""
    try:
        with path.open("rb") as index:
            index.seek(start)
            for line in index:
                place, length, *row = json.loads(line)
                json.dumps(row, ensure_ascii=False).encode()  # ValueError where it is no text
                brief = brief_from_row(row)
                if type(place) is not int or type(length) is not int or not _is_sound(brief):
                    return
                start += len(line)
                yield brief, place, length, start
    except (OSError, ValueError, TypeError, RecursionError):
        return


def _is_sound(brief: RecordBrief) -> bool:
    """Whether all that an index says is of the kind that pages rely on."""
    said = (brief.error, brief.error_code)
    return (
        all(isinstance(text, str) for text in (brief.doc_id, brief.file, brief.content))
        and all(text is None or isinstance(text, str) for text in said)
        and brief.status in _STATUSES
        and all(isinstance(count, int) for count in brief.facts.values())
        and all(isinstance(rule, str) and severity in _SEVERITIES for rule, severity in brief.rules)
    )


def _is_name(doc_id: str) -> bool:
    """Whether files can be called after a document: the name stays in the folder in which it is used."""
    return "\0" not in doc_id and "/" not in doc_id and Path(f"{doc_id}.yaml").name == f"{doc_id}.yaml"


def _stands(descriptor: int, brief: RecordBrief, start: int, length: int) -> bool:
    head = f'{{"doc_id":{json.dumps(brief.doc_id, ensure_ascii=False)},'.encode()
    return (
        os.pread(descriptor, len(head), start) == head
        and os.pread(descriptor, 1, start + length - 1) == b"\n"
    )
