"""Sources in an object store, such as `s3://bucket/reports/`: listed and fetched with fsspec.

They are listed by the rules of sources.py, over a folder of stand-ins that have the names of the
objects: a stand-in holds the hash of its object, so that only equal objects are alike. What an
object's hash is, is remembered in the run folder (`remote.json`) as long as size and tag are the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import StartError
from pipeline.read.names import REPORT_ENDINGS, WORKBOOK_ENDINGS
from pipeline.runs.manifest import write_json
from pipeline.runs.source_list import SOURCE_LIST
from pipeline.runs.sources import (
    PICTURE_ENDINGS,
    UNREAD_REPORT_ENDINGS,
    Attachment,
    Input,
    Listing,
    Skipped,
    list_inputs,
)

REMEMBERED = "remote.json"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_READ_ENDINGS = REPORT_ENDINGS | WORKBOOK_ENDINGS | PICTURE_ENDINGS | UNREAD_REPORT_ENDINGS
_AT_A_TIME = 16
_CHUNK_BYTES = 1 << 20
_TAGS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated")


@dataclass(frozen=True, slots=True)
class RemoteListing:
    """A listing; `urls` tells where its paths lie that are in no file system."""

    listing: Listing
    urls: Mapping[Path, str]


@dataclass(frozen=True, slots=True)
class _Object:
    url: str
    stand_in: Path
    store: Any
    key: str
    mark: str | None

    def opened(self) -> Any:
        return self.store.open(self.key, "rb")


def is_remote(source: str) -> bool:
    """Whether a source is a URL and no path."""
    return _SCHEME.match(source) is not None


def fetch(url: str, target: Path) -> None:
    """Copy an object to a file; one that is gone leaves none. Raises StartError where the store fails."""
    store, key = _store_of(url)
    try:
        store.get_file(key, str(target))
    except FileNotFoundError:
        target.unlink(missing_ok=True)
    except Exception as error:  # each store has errors of its own
        raise StartError(f"{url} cannot be fetched: {error}") from error


def list_sources(sources: Sequence[str], out: Path) -> RemoteListing:
    """`list_inputs` (sources.py) for paths and URLs.

    Raises StartError for what does not exist and a store that cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="gongkai-list-") as temporary:
        paths: list[Path] = []
        objects: list[_Object] = []
        left_out: list[Skipped] = []
        for number, source in enumerate(sources):
            if not is_remote(source):
                paths.append(Path(source))
                continue
            root, below, skipped = _found(source, Path(temporary) / str(number))
            paths.append(root)
            objects += below
            left_out += skipped
        hashes = _hashes(objects, out)
        _write_stand_ins(objects, hashes)
        listing = list_inputs(paths, out)
    inputs = tuple(_with_hashes(document, hashes) for document in listing.inputs)
    urls = {each.stand_in: each.url for each in objects}
    return RemoteListing(Listing(inputs, (*listing.skipped, *left_out)), urls)


def _store_of(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise StartError(f"{url} needs fsspec, which is not installed: pip install 'gongkai[ray]'") from error
    try:
        store, key = url_to_fs(url)
    except (ImportError, ValueError, OSError) as error:
        raise StartError(f"{url} cannot be opened: {error}") from error
    return store, str(key)


def _found(source: str, place: Path) -> tuple[Path, list[_Object], list[Skipped]]:
    """A source's stand-in, what is below it, and keys that are no file names."""
    store, top = _store_of(source)
    try:
        found: dict[str, dict[str, Any]] = store.find(top, detail=True)
    except Exception as error:  # each store has errors of its own
        raise StartError(f"{source} cannot be listed: {error}") from error
    if not found:
        raise StartError(f"{source}: nothing is there")
    names = [part for part in PurePosixPath(re.sub(_SCHEME, "", source)).parts if part not in ("/", "..")]
    root = place.joinpath(*names)
    objects, skipped = [], []
    for key, details in sorted(found.items()):
        below = key.removeprefix(top.rstrip("/")).removeprefix("/")
        if any(part in ("", ".", "..") for part in below.split("/")) and below:
            skipped.append(Skipped(below, "no usable name"))
        else:
            url = str(store.unstrip_protocol(key))
            objects.append(_Object(url, root / below if below else root, store, key, _mark(details)))
    return root, objects, skipped


def _mark(details: Mapping[str, Any]) -> str | None:
    """Size and tag: what changes with an object's content; None where the store does not tell."""
    tag = next((details[name] for name in _TAGS if details.get(name)), None)
    return None if tag is None else f"{details.get('size')} {tag}"


def _hashes(objects: Sequence[_Object], out: Path) -> dict[Path, str]:
    """SHA-256 of the objects that may be read, by their stand-ins."""
    remembered = _remembered(out)
    read = [each for each in objects if _may_be_read(each.stand_in)]
    known = {
        each.url: remembered[each.url, each.mark] for each in read if (each.url, each.mark) in remembered
    }
    new = [each for each in read if each.url not in known]
    with ThreadPoolExecutor(_AT_A_TIME) as threads:
        known |= dict(zip((each.url for each in new), threads.map(_hash, new), strict=True))
    if read:
        marks = {each.url: [each.mark, known[each.url]] for each in read if each.mark is not None}
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / REMEMBERED, marks)
    return {each.stand_in: known[each.url] for each in read}


def _may_be_read(path: Path) -> bool:
    ending = path.suffix.lower()
    return not path.name.startswith(".") and (not ending or ending in _READ_ENDINGS)


def _remembered(out: Path) -> dict[tuple[str, str | None], str]:
    try:
        content = json.loads((out / REMEMBERED).read_text(encoding="utf-8"))
        return {(url, mark): sha256 for url, (mark, sha256) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # they are hashed again


def _hash(each: _Object) -> str:
    digest = hashlib.sha256()
    try:
        with each.opened() as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except Exception as error:  # each store has errors of its own
        raise StartError(f"{each.url} cannot be read: {error}") from error
    return digest.hexdigest()


def _write_stand_ins(objects: Sequence[_Object], hashes: Mapping[Path, str]) -> None:
    for each in objects:
        each.stand_in.parent.mkdir(parents=True, exist_ok=True)
        if each.stand_in.name == SOURCE_LIST:
            fetch(each.url, each.stand_in)
            continue
        # A picture's size, by which icons are told from scans, stands at its beginning.
        is_picture = each.stand_in.suffix.lower() in PICTURE_ENDINGS
        head = _head(each) if is_picture else b""
        each.stand_in.write_bytes(head + hashes.get(each.stand_in, "").encode("ascii"))


def _head(each: _Object) -> bytes:
    try:
        with each.opened() as stream:
            return bytes(stream.read(_CHUNK_BYTES))
    except Exception as error:  # each store has errors of its own
        raise StartError(f"{each.url} cannot be read: {error}") from error


def _with_hashes(document: Input, hashes: Mapping[Path, str]) -> Input:
    """The document with the hashes of objects in the place of those of stand-ins."""

    def real(each: Input | Attachment) -> str:
        return hashes.get(each.path, each.sha256)

    attachments = tuple(replace(each, sha256=real(each)) for each in document.attachments)
    return replace(document, sha256=real(document), attachments=attachments)
