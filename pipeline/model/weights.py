"""The embedded models' weights: one file each, accepted by size and SHA-256 wherever it comes from.

Looked for in this order: a path the user names (argument or `$GONGKAI_MODEL_PATH`), the
cache, and for `pull_weights` the sources of weight_sources.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.config import MODEL_PATH_VARIABLE, CacheFolders, cache_folders
from pipeline.errors import ModelUnavailable
from pipeline.model.catalog import DEFAULT_MODEL, MODELS, ModelWeights, Progress, SourceError
from pipeline.model.weight_sources import SOURCES

__all__ = ["DEFAULT_MODEL", "MODELS", "ModelWeights", "Progress", "find_weights", "pull_weights", "quiet"]

_CHUNK_BYTES = 1 << 22
_MARGIN_BYTES = 100_000_000
_HASH_REPORT_BYTES = 1 << 26


class WeightsMismatch(ModelUnavailable):
    """A file is not the model's: wrong size or hash."""


def model_weights(name: str) -> ModelWeights:
    """The entry of MODELS; ModelUnavailable with the known names when there is none."""
    try:
        return MODELS[name]
    except KeyError:
        raise ModelUnavailable(f"no embedded model {name!r}: known are {', '.join(MODELS)}") from None


def quiet(_done: int, _total: int, _what: str) -> None:
    """A Progress that says nothing."""


def find_weights(name: str, path: Path | None = None, progress: Progress = quiet) -> Path:
    """The verified weights on this machine, nothing is downloaded.

    `path` may be the file or a folder with it. Raises ModelUnavailable when there is no
    file, WeightsMismatch when a file that the user named is another one.
    """
    weights = model_weights(name)
    folders = cache_folders()
    named = path or _path_from_environment()
    if named is not None:
        file = named / weights.file_name if named.is_dir() else named
        if not file.is_file():
            raise ModelUnavailable(f"no weights at {file}: name the file {weights.file_name} or its folder")
        verify(file, weights, folders, progress)
        return file
    cached = folders.models / weights.file_name
    if not cached.is_file():
        raise ModelUnavailable(f"no weights of {name} in {folders.models}: run `gongkai model pull {name}`")
    verify(cached, weights, folders, progress)
    return cached


def pull_weights(name: str, progress: Progress = quiet, path: Path | None = None) -> Path:
    """The verified weights, downloaded into the cache when they are not there.

    A file in the cache that is not the model's is deleted. Raises ModelUnavailable that
    names every source and why it gave nothing.
    """
    weights, folders = model_weights(name), cache_folders()
    try:
        return find_weights(name, path, progress)
    except ModelUnavailable:
        if path is not None or _path_from_environment() is not None:
            raise
    try:
        folders.models.mkdir(parents=True, exist_ok=True)
        with FileLock(folders.models / f"{weights.file_name}.lock"):
            return _cached_or_downloaded(weights, folders, progress)
    except OSError as error:
        raise ModelUnavailable(f"cannot keep the weights of {name} in {folders.models}: {error}") from error


def _cached_or_downloaded(weights: ModelWeights, folders: CacheFolders, progress: Progress) -> Path:
    target = folders.models / weights.file_name
    if target.is_file():
        try:
            verify(target, weights, folders, progress)
            return target
        except WeightsMismatch:
            target.unlink()
    reasons = []
    for source in SOURCES:
        try:
            _check_space(weights, folders)
            got = source(weights, folders, progress)
            verify(got, weights, folders, progress)
            got.replace(target)
            _write_marker(target, weights, folders)
            return target
        except (SourceError, WeightsMismatch) as error:
            reasons.append(str(error))
    raise ModelUnavailable(
        f"no source had the weights of {weights.name}: {'; '.join(reasons)}. Put {weights.file_name} "
        f"(SHA-256 {weights.sha256}) into {folders.models} or name it with ${MODEL_PATH_VARIABLE}"
    )


def _path_from_environment() -> Path | None:
    named = os.environ.get(MODEL_PATH_VARIABLE)
    return Path(named).expanduser() if named else None


def _check_space(weights: ModelWeights, folders: CacheFolders) -> None:
    """Parts and the joined file lie side by side until the hash is checked."""
    present = sum(file.stat().st_size for file in folders.partial.glob(f"{weights.name}/*") if file.is_file())
    needed = 2 * weights.size_bytes + _MARGIN_BYTES - present
    free = shutil.disk_usage(folders.models).free
    if free < needed:
        raise ModelUnavailable(
            f"{folders.models} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed for "
            f"{weights.name}: make room or set GONGKAI_CACHE to another disk"
        )


def verify(file: Path, weights: ModelWeights, folders: CacheFolders, progress: Progress = quiet) -> None:
    """Check size and SHA-256 of `file`; a file seen before, unchanged since, is not read again."""
    size = file.stat().st_size
    if size != weights.size_bytes:
        raise WeightsMismatch(f"{file} has {size} bytes, {weights.name} has {weights.size_bytes}")
    if _read_marker(file, folders) == _state(file, weights):
        return
    found = _sha256(file, size, progress)
    if found != weights.sha256:
        raise WeightsMismatch(f"{file} has SHA-256 {found}, {weights.name} has {weights.sha256}")
    _write_marker(file, weights, folders)


def _sha256(file: Path, size: int, progress: Progress) -> str:
    digest, done = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if done % _HASH_REPORT_BYTES == 0 or done == size:
                progress(done, size, f"checking {file.name}")
    return digest.hexdigest()


def _state(file: Path, weights: ModelWeights) -> dict[str, Any]:
    status = file.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": weights.sha256}


def _marker(file: Path, folders: CacheFolders) -> Path:
    place = hashlib.sha256(str(file.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return folders.models / ".verified" / f"{place}.json"


def _read_marker(file: Path, folders: CacheFolders) -> Any:
    try:
        return json.loads(_marker(file, folders).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write_marker(file: Path, weights: ModelWeights, folders: CacheFolders) -> None:
    """Remember that `file` was checked; without a writable cache it is checked at every start."""
    marker = _marker(file, folders)
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(json.dumps(_state(file, weights)), encoding="utf-8")
    except OSError:
        return
