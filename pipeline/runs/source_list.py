"""`sources.csv` in a folder of reports: where each file comes from, and what belongs together.

Columns: `file` (below the folder), and as far as known `url`, `place` (name or six-digit
code), `year`, `part_of` (the file whose attachment this one is). Other columns are left alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path, PurePosixPath

from pipeline.document import SourceHint
from pipeline.errors import DocumentError, UsageError
from pipeline.read.encoding import decode

SOURCE_LIST = "sources.csv"
NOT_THERE = f"named in {SOURCE_LIST}, but not there"
_YEARS = range(2000, 2100)


@dataclass(frozen=True, slots=True)
class SourceList:
    """Hints and attachments by the file's path below the folder, as the list has it."""

    hints: Mapping[str, SourceHint] = field(default_factory=dict)
    part_of: Mapping[str, str] = field(default_factory=dict)


def read_source_list(folder: Path) -> SourceList:
    """The list of a folder; an empty one where there is none. Raises UsageError for a wrong line."""
    path = folder / SOURCE_LIST
    if not path.is_file():
        return SourceList()
    hints: dict[str, SourceHint] = {}
    part_of: dict[str, str] = {}
    for number, row in _rows(path):
        file = str(PurePosixPath(row["file"].replace("\\", "/")))
        if file in hints:
            raise UsageError(f"{path}, line {number}: {file} is listed twice. Keep one line a file")
        hints[file] = SourceHint(row.get("url") or None, row.get("place") or None, _year(path, number, row))
        if row.get("part_of"):
            part_of[file] = str(PurePosixPath(row["part_of"].replace("\\", "/")))
    _check_parts(path, part_of, hints)
    return SourceList(hints, part_of)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and rows with stripped values; lines without a file are an error."""
    try:
        text = decode(path.read_bytes()).text
    except (OSError, DocumentError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    reader = csv.DictReader(StringIO(text), strict=True)
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if "file" not in names:
        found = ", ".join(names) or "nothing"
        raise UsageError(
            f"{path}: no column `file` in its first line ({found}). Columns: file, url, place, year"
        )
    reader.fieldnames = names
    for row in _read_rows(path, reader):
        values = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
        if not any(values.values()):
            continue
        if not values["file"]:
            raise UsageError(f"{path}, line {reader.line_num}: the file is missing")
        yield reader.line_num, values


def _read_rows(path: Path, reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UsageError(
            f"{path}, line {reader.line_num}: {error}. Is a quotation mark left open?"
        ) from error


def _year(path: Path, number: int, row: Mapping[str, str]) -> int | None:
    text = row.get("year", "")
    if not text:
        return None
    if not text.isdecimal() or int(text) not in _YEARS:
        raise UsageError(f"{path}, line {number}: year {text!r} is no year of a report, such as 2018")
    return int(text)


def _check_parts(path: Path, part_of: Mapping[str, str], hints: Mapping[str, SourceHint]) -> None:
    for part, whole in part_of.items():
        if whole == part or whole in part_of:
            raise UsageError(f"{path}: {part} is part of {whole}, which is itself a part. Name the report")
        if whole not in hints:
            raise UsageError(f"{path}: {part} is part of {whole}, which the list does not have. Add its line")


class SourceLists:
    """The `sources.csv` of every folder from those that were named (`root`) down to the files."""

    def __init__(self, files: Sequence[tuple[Path, Path]]) -> None:
        """`files`: each with its root. Raises UsageError for a wrong line of a list."""
        folders = {folder for path, root in files for folder in _folders(path, root)}
        self._lists = {folder: read_source_list(folder) for folder in sorted(folders)}

    def hint_of(self, path: Path, root: Path) -> SourceHint | None:
        """What the nearest list that names a file says of it; None where none says anything."""
        for folder in _folders(path, root):
            hint = self._lists[folder].hints.get(path.relative_to(folder).as_posix())
            if hint is not None:
                return None if hint == SourceHint() else hint
        return None

    def said_parts(self) -> dict[Path, Path]:
        """Files that a list names as part of another one, with that one."""
        return {
            folder / part: folder / whole
            for folder, listed in self._lists.items()
            for part, whole in listed.part_of.items()
        }

    def missing(self) -> Iterator[str]:
        """Files that a list names and its folder does not have."""
        for folder, listed in self._lists.items():
            yield from (file for file in listed.hints if not (folder / file).exists())


def _folders(path: Path, root: Path) -> Iterator[Path]:
    """The folder of a file and those above it, up to the one that was named."""
    folder = path.parent
    while True:
        yield folder
        if folder in (root, folder.parent):
            return
        folder = folder.parent
