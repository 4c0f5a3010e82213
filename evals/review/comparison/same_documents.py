"""Which documents of two runs are the same: by the bytes of their files, else by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from evals.review.library import Entry, Library
from pipeline.runs.record import RECORDS

_SHA256 = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class PairedDocument:
    """A document of both runs: its number in either. `same_bytes` False: only its name is the same."""

    one: int
    other: int
    doc_id: str
    same_bytes: bool


def hashes_of(library: Library) -> dict[int, str]:
    """SHA-256 of the file of every document by its number, from the heads of the records' lines."""
    found: dict[int, str] = {}
    with (library.run / RECORDS).open("rb") as records:
        for entry in library.entries:
            head = os.pread(records.fileno(), min(entry.length, _HEAD_BYTES), entry.start)
            match = _SHA256.search(head)
            found[entry.number] = match[1].decode() if match else library.record(entry.number).sha256
    return found


def paired(
    one: Library, other: Library, hashes_one: dict[int, str], hashes_other: dict[int, str]
) -> Iterator[PairedDocument]:
    """One partner each: of the same bytes, of several of these the one of the same name; else of the name."""
    left = {entry.number: entry.doc_id for entry in other.entries}
    by_hash: dict[str, list[int]] = {}
    for number in left:
        by_hash.setdefault(hashes_other[number], []).append(number)
    numbers = {doc_id: number for number, doc_id in left.items()}
    partner: dict[int, int] = {}

    def take(entry: Entry, number: int | None) -> None:
        if number is not None and left.pop(number, None) is not None:
            partner[entry.number] = number

    entries = one.entries
    for entry in entries:
        named = numbers.get(entry.doc_id)
        if named is not None and hashes_other[named] == hashes_one[entry.number]:
            take(entry, named)
    for entry in entries:
        if entry.number not in partner:
            same = by_hash.get(hashes_one[entry.number], ())
            take(entry, next((number for number in same if number in left), None))
    for entry in entries:
        if entry.number not in partner:
            take(entry, numbers.get(entry.doc_id))
    for entry in entries:
        if entry.number in partner:
            number = partner[entry.number]
            is_same = hashes_one[entry.number] == hashes_other[number]
            yield PairedDocument(entry.number, number, entry.doc_id, is_same)
