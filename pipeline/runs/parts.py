"""`parts/` of a run folder: records that are done but not yet in `records.jsonl`.

Workers on a cluster do not write `records.jsonl`: it has one writer. Their records come into a
part for each shard of documents, one line a document, on disk the moment it is done; the run
puts them in its file and removes the part. What a killed run left is taken up first by the
next one, whatever engine that has.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, suppress

from pipeline.errors import GongkaiError, StartError
from pipeline.model.ledger import LedgerTotals
from pipeline.runs.brief import brief_from_row, dump_row
from pipeline.runs.engine import Engine, Finished
from pipeline.runs.folder import RunFolder
from pipeline.runs.plan import Job
from pipeline.runs.work import Done

_BETWEEN = b"\t"  # stands in no JSON as it is written here


class Part:
    """The records of one shard: lines of brief and record. Several may read, one writes."""

    def __init__(self, folder: RunFolder, name: str) -> None:
        self.path = folder.path / "parts" / f"{name}.part"

    def append(self, record: Done) -> None:
        """Write a record. Raises StartError when the folder cannot be written."""
        content = dump_row(record.brief.as_row()).rstrip(b"\n") + _BETWEEN + record.line
        try:
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("ab", buffering=0) as stream:
                stream.write(content)
        except OSError as error:
            raise StartError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def mend(self) -> None:
        """Cut off a line that a kill has torn: what is appended would run on in it."""
        content = self._content()
        if content and not content.endswith(b"\n"):
            os.truncate(self.path, content.rfind(b"\n") + 1)

    def records(self) -> list[Done]:
        """The records so far. A torn or damaged line is passed over: its document is done again."""
        return [record for line in self._content().splitlines(keepends=True) for record in _parsed(line)]

    def remove(self) -> None:
        """Remove the part."""
        self.path.unlink(missing_ok=True)

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error


def _parsed(line: bytes) -> Iterator[Done]:
    brief, tab, record = line.partition(_BETWEEN)
    if not tab or not record.endswith(b"}\n"):
        return
    try:
        yield Done(record, brief_from_row(json.loads(brief)))
    except (ValueError, TypeError):
        return


def parts_left(folder: RunFolder) -> list[Part]:
    """The parts in a run folder, by name."""
    return [Part(folder, path.stem) for path in sorted((folder.path / "parts").glob("*.part"))]


def remove_folder(folder: RunFolder) -> None:
    """Remove `parts/` if nothing is left in it."""
    with suppress(OSError):
        (folder.path / "parts").rmdir()


class TakesUpParts:
    """An engine that first gives what a killed run left in parts, and has `engine` do the rest.

    What failed there is done again.
    """

    def __init__(self, engine: Engine, folder: RunFolder) -> None:
        self._engine = engine
        self._folder = folder

    @property
    def error(self) -> GongkaiError | None:
        """That of the engine."""
        return self._engine.error

    def spent(self) -> LedgerTotals | None:
        """What the engine spent in this session."""
        return self._engine.spent()

    async def work_off(self, jobs: Iterable[Job], stop: threading.Event) -> AsyncGenerator[Finished, None]:
        """The jobs as they are done."""
        parts = parts_left(self._folder)
        done = {
            record.brief.doc_id: record
            for part in parts
            for record in part.records()
            if record.brief.status != "failed"
        }
        left = []
        for job in jobs:
            record = done.get(job.items[0].doc_id)
            if record is not None and _fits(record, job):
                yield Finished(job, record)
            else:
                left.append(job)
        # Whoever asks for the next one has written the last one.
        for part in parts:
            part.remove()
        remove_folder(self._folder)
        if left and not stop.is_set():
            async with aclosing(self._engine.work_off(left, stop)) as work:
                async for finished in work:
                    yield finished


def _fits(record: Done, job: Job) -> bool:
    """Whether the record is of this document as it is now."""
    document = job.items[0].document
    return (record.brief.content, record.brief.file) == (document.content, document.file)
