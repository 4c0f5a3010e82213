"""What a run has to do: inputs against the records that are there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.runs.record import RecordLine
from pipeline.runs.sources import Input, free_doc_id


@dataclass(frozen=True, slots=True)
class Item:
    """A document of the run under its `doc_id`."""

    document: Input
    doc_id: str


@dataclass(frozen=True, slots=True)
class Job:
    """Documents with the same bytes: the first is read, the others are copies of its record.

    With `known`, a record of the same bytes is there already and none is read.
    """

    items: tuple[Item, ...]
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, and the `doc_id`s of the finished run in their order.

    Records of documents outside the sources stay and come first. `replaced` counts
    documents whose file has changed since it was read.
    """

    jobs: tuple[Job, ...]
    order: tuple[str, ...]
    replaced: int = 0

    @property
    def needs_reading(self) -> bool:
        """Whether any document has to be read."""
        return any(job.known is None for job in self.jobs)

    @property
    def pending(self) -> int:
        """Number of records to write."""
        return sum(len(job.items) for job in self.jobs)


def make_plan(inputs: Sequence[Input], lines: Mapping[str, RecordLine], *, retry_failed: bool) -> Plan:
    """Do what has no record, with `retry_failed` also what failed.

    A record belongs to an input if bytes and file are the same, or bytes and name where
    the same folder was named in another way; the bytes of attachments count too. A file that
    has changed since, or its attachments, keeps its `doc_id`; its record will be replaced.
    """
    owned = _owned(inputs, lines)
    taken = set(lines)
    replaced = 0
    pending: list[Item] = []
    order: list[str] = []
    owned_ids = set(owned.values())
    by_file = {line.file: line.doc_id for line in lines.values() if line.doc_id not in owned_ids}
    for position, document in enumerate(inputs):
        doc_id = owned.get(position)
        if doc_id is None:
            stale = by_file.pop(document.file, None)
            replaced += stale is not None
            doc_id = stale or free_doc_id(document, taken)
            taken.add(doc_id)
            pending.append(Item(document, doc_id))
        elif retry_failed and lines[doc_id].status == "failed":
            pending.append(Item(document, doc_id))
        order.append(doc_id)
    ordered = set(order)
    others = [doc_id for doc_id in lines if doc_id not in ordered]
    return Plan(_jobs(pending, lines), (*others, *order), replaced)


def _owned(inputs: Sequence[Input], lines: Mapping[str, RecordLine]) -> dict[int, str]:
    """Position of an input → `doc_id` of its record."""
    free: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines.values():
        free[line.content, line.file].append(line.doc_id)
    owned = {}
    for position, document in enumerate(inputs):
        matches = free[document.content, document.file]
        if matches:
            owned[position] = matches.pop(0)
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (content, file), doc_ids in free.items():
        by_name[content, _name(file)].extend(doc_ids)
    for position, document in enumerate(inputs):
        matches = by_name[document.content, _name(document.file)]
        if position not in owned and matches:
            owned[position] = matches.pop(0)
    return owned


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def _jobs(pending: Sequence[Item], lines: Mapping[str, RecordLine]) -> tuple[Job, ...]:
    """Pending documents by their bytes, in the order of the first of each."""
    redone = {item.doc_id for item in pending}
    kept = [line for line in lines.values() if line.doc_id not in redone]
    known = {line.content: line.doc_id for line in reversed(kept)}
    groups: dict[str, list[Item]] = {}
    for item in pending:
        # What could not be opened has no hash and is like nothing else.
        is_read = bool(item.document.sha256)
        groups.setdefault(item.document.content if is_read else f"unread {item.doc_id}", []).append(item)
    return tuple(Job(tuple(items), known.get(content)) for content, items in groups.items())
