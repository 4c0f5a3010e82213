"""The files that a run was made from, found by their SHA-256 below the folders that were named.

A file of a document is looked for where its record says it lay, then under its name, then
anywhere below the folders. What a symlink leads to outside of its folder is not seen.

Folders that nobody but the run names are not trusted: a run that somebody else made may name `/`.
Below them no file is opened but those of the names in the records, the search has an end, and it
does not go into other file systems.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.read.limits import DEFAULT_LIMITS
from pipeline.runs.manifest import load_manifest
from pipeline.runs.sources import hash_file

MOST_FILES = 200_000  # that are looked through below a folder that is not trusted
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """A document's file and the files attached to it."""

    path: Path
    attachments: tuple[Path, ...] = ()


def folders_of_run(run: Path) -> list[Path]:
    """The sources that the run's manifest names and that are here, from the current folder."""
    manifest = load_manifest(run)
    named = () if manifest is None else manifest.sources
    return [Path(source) for source in named if _is_here(source)]


def _is_here(source: object) -> bool:
    try:
        return isinstance(source, str) and "://" not in source and Path(source).exists()
    except (OSError, ValueError):
        return False  # no name of a file, of any system


class SourceFolders:
    """Files below some folders, by hash. A folder may also be a file: it alone then, and what lies beside.

    Safe for several threads.
    """

    def __init__(self, folders: Sequence[Path], *, is_trusted: bool = True) -> None:
        """`is_trusted`: a person has named them. Raises StartError where one is missing."""
        for folder in folders:
            if not folder.exists():
                raise StartError(f"--documents {folder}: no such folder")
        self._folders = tuple(folders)
        self._is_trusted = is_trusted
        # A file that was named outright may be a symlink; what is attached to it lies beside the name.
        self._roots = {folder.resolve() for folder in folders}
        self._roots |= {folder.parent.resolve() for folder in folders if folder.is_file()}
        self._hashes: dict[Path, tuple[_Stamp, str]] = {}
        self._names: dict[str, list[Path]] | None = None
        self._lock = threading.Lock()

    def find(self, record: Record) -> SourceFiles | None:
        """The files of a record; None where its own is not there."""
        with self._lock:
            path = self._find(record.file, record.sha256)
            if path is None:
                return None
            beside = [part for part in record.parts if part.place == "beside"]
            found = [
                self._matching([path.parent / part.file], part.sha256) or self._find(part.file, part.sha256)
                for part in beside
            ]
            return SourceFiles(path, tuple(each for each in found if each is not None))

    def _find(self, file: str, sha256: str) -> Path | None:
        if not sha256:
            return None  # it could not be opened
        named = self._matching((folder / file for folder in self._folders), sha256)
        if named is not None:
            return named
        name = file.rsplit("/", 1)[-1]
        listed = self._listed()
        if not self._is_trusted:
            return self._matching(listed.get(name, ()), sha256)
        ending = Path(name).suffix.lower()
        same_ending = [path for paths in listed.values() for path in paths if path.suffix.lower() == ending]
        return self._matching([*listed.get(name, ()), *same_ending], sha256)

    def _listed(self) -> dict[str, list[Path]]:
        """All files by name, listed once: a file that comes later is found where its record says it lies."""
        if self._names is None:
            self._names = {}
            for path in islice(self._below(), None if self._is_trusted else MOST_FILES):
                self._names.setdefault(path.name, []).append(path)
        return self._names

    def _below(self) -> Iterator[Path]:
        for folder in self._folders:
            if folder.is_file():
                yield folder
            for parent, folders, files in os.walk(folder):
                folders[:] = sorted(name for name in folders if self._is_entered(folder, Path(parent, name)))
                yield from (Path(parent, file) for file in sorted(files))

    def _is_entered(self, root: Path, folder: Path) -> bool:
        try:
            return self._is_trusted or folder.lstat().st_dev == root.stat().st_dev
        except OSError:
            return False

    def _matching(self, paths: Sequence[Path] | Iterator[Path], sha256: str) -> Path | None:
        return next((path for path in paths if self._is_inside(path) and self._hash(path) == sha256), None)

    def _is_inside(self, path: Path) -> bool:
        """Whether the file really lies below one of the folders, wherever its name leads."""
        try:
            real = path.resolve(strict=True)
            return stat.S_ISREG(real.stat().st_mode) and any(map(real.is_relative_to, self._roots))
        except (OSError, RuntimeError, ValueError):
            return False

    def _hash(self, path: Path) -> str:
        """Empty where it is not to be read: what claims no size may be a device's endless file."""
        status = path.stat()
        if not 0 < status.st_size <= DEFAULT_LIMITS.file_bytes:
            return ""
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._hashes.get(path)
        if known is None or known[0] != stamp:
            self._hashes[path] = known = (stamp, hash_file(path))
        return known[1]
