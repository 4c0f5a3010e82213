"""The files that a run was made from, found by their SHA-256 below the folders that were named.

A file of a document is looked for where its record says it lay, then under its name, then
anywhere below the folders. What a symlink leads to outside of its folder is not seen.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartError
from pipeline.fact import Record
from pipeline.runs.manifest import load_manifest
from pipeline.runs.sources import hash_file

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
    return [Path(source) for source in named if "://" not in source and Path(source).exists()]


class SourceFolders:
    """Files below some folders, by hash. A folder may also be a file: it alone then, and what lies beside.

    Safe for several threads.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Raises StartError where one is missing."""
        for folder in folders:
            if not folder.exists():
                raise StartError(f"--documents {folder}: no such folder")
        self._folders = tuple(folders)
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
        named = self._matching((folder / file for folder in self._folders), sha256)
        if named is not None:
            return named
        name = file.rsplit("/", 1)[-1]
        listed = self._listed()
        ending = Path(name).suffix.lower()
        same_ending = [path for paths in listed.values() for path in paths if path.suffix.lower() == ending]
        return self._matching([*listed.get(name, ()), *same_ending], sha256)

    def _listed(self) -> dict[str, list[Path]]:
        """All files by name, listed once: a file that comes later is found where its record says it lies."""
        if self._names is None:
            self._names = {}
            for path in self._below():
                self._names.setdefault(path.name, []).append(path)
        return self._names

    def _below(self) -> Iterator[Path]:
        for folder in self._folders:
            if folder.is_file():
                yield folder
            for parent, folders, files in os.walk(folder):
                folders.sort()
                yield from (Path(parent, file) for file in sorted(files))

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
        status = path.stat()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._hashes.get(path)
        if known is None or known[0] != stamp:
            self._hashes[path] = known = (stamp, hash_file(path))
        return known[1]
