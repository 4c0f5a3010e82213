"""Which documents a run reads: files and folders become a list of inputs.

Names: `file` is the path below the folder that was named, or the name of a file named
outright; where two inputs would share it, both take the names of their parent folders
in front until they differ. `doc_id` is the file name without its ending; where an
earlier input of the run has it already, `~` and the first eight digits of the SHA-256
follow, and for a copy of the same bytes a number after that.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.document import SourceHint
from pipeline.errors import StartError, UsageError
from pipeline.read.names import REPORT_ENDINGS, WORKBOOK_ENDINGS, readable_name
from pipeline.read.scan import picture_size
from pipeline.runs.attachments import Grouped, beside_named, group
from pipeline.runs.source_list import NOT_THERE, SOURCE_LIST, SourceLists

PICTURE_ENDINGS = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png"})
# In a folder, a picture with shorter sides is an icon or a photograph of a saved page, no scan.
SHORTEST_SCAN_SIDE = 600
# Carriers in which counties publish reports that are not read yet: they become failed records
# with a reason, not skipped files.
UNREAD_REPORT_ENDINGS = frozenset({".ofd", ".rar", ".7z"})
_LISTED_ENDINGS = REPORT_ENDINGS | WORKBOOK_ENDINGS | PICTURE_ENDINGS | UNREAD_REPORT_ENDINGS
# Named outright, a file with one of these endings is an error whatever text it holds.
DATA_ENDINGS = frozenset(
    {".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml", ".parquet", ".sqlite", ".db", ".py"}
)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that a run may read; `named` tells that the user named it and not its folder."""

    path: Path
    root: Path
    named: bool

    def shown(self, parents: int) -> str:
        """Path below the root, with the names of `parents` folders above it."""
        below = self.path.relative_to(self.root).parts
        above = self.root.absolute().parts[1:]
        nearest = above[-parents:] if parents else ()
        return "/".join(readable_name(part) for part in (*nearest, *below))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is read with a document; `sha256` is empty where it cannot be opened."""

    path: Path
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Input:
    """One document to read. `sha256` is empty where the file cannot be opened."""

    path: Path
    file: str
    sha256: str
    named: bool = False
    attachments: tuple[Attachment, ...] = ()
    hint: SourceHint | None = None

    @property
    def content(self) -> str:
        """What tells whether a document has changed: its hash, those of its attachments, its hint."""
        hint = () if self.hint is None else (self.hint.url, self.hint.place, self.hint.year)
        return content_of(self.sha256, [each.sha256 for each in self.attachments], hint)

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return Path(self.file).stem


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a folder that is not read, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The inputs in the order of the sources, folders by name, and what was left out."""

    inputs: tuple[Input, ...]
    skipped: tuple[Skipped, ...]


def list_inputs(sources: Sequence[Path], out: Path | None = None) -> Listing:
    """Every document below `sources`, each file once; `out` and other run folders are not entered.

    A file whose name says that it belongs to a report beside it is an attachment of that report
    (attachments.py), also beside a report that is named outright. Workbooks in a folder that
    are none are skipped.
    Raises StartError for a path that does not exist and when nothing is left to read,
    UsageError when `out` is a source.
    """
    if out is not None and any(source.resolve() == out.resolve() for source in sources):
        raise UsageError(f"--out {out} is a source too: name another folder for the run")
    found: list[Candidate | Skipped] = []
    for source in sources:
        found.extend(_below(source, out))
    skipped = [item for item in found if isinstance(item, Skipped)]
    candidates = _each_once([item for item in found if isinstance(item, Candidate)])
    lists = SourceLists([(each.path, each.root) for each in candidates])
    paths = [candidate.path for candidate in candidates]
    grouped = group(
        [*paths, *beside_named([each.path for each in candidates if each.named], paths)], lists.said_parts()
    )
    attachments = {attached for path in paths for attached in grouped.attached.get(path, ())}
    reasons = {each: _not_alone(each, grouped) for each in candidates if each.path not in attachments}
    skipped += [Skipped(each.shown(0), reason) for each, reason in reasons.items() if reason is not None]
    candidates = [each for each, reason in reasons.items() if reason is None]
    if not candidates:
        raise StartError(_nothing_found(sources, skipped))
    names = _names(candidates)
    inputs = [
        Input(
            each.path,
            name,
            hash_file(each.path),
            each.named,
            _attachments(each, grouped),
            lists.hint_of(each.path, each.root),
        )
        for each, name in zip(candidates, names, strict=True)
    ]
    return _alike(inputs, [*skipped, *(Skipped(file, NOT_THERE) for file in lists.missing())])


def _not_alone(candidate: Candidate, grouped: Grouped) -> str | None:
    """Why a file that can be read is no document of its own; None if it is one."""
    ending = candidate.path.suffix.lower()
    if candidate.named:
        return None
    if candidate.path in grouped.frames:
        return "part of a saved page"
    if ending not in WORKBOOK_ENDINGS:
        return None
    return (
        f"a workbook, and no attachment by its name ({ending}): call it REPORT_附件{ending}, "
        f"or name its report under part_of in {SOURCE_LIST}"
    )


def _attachments(candidate: Candidate, grouped: Grouped) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(path, readable_name(os.path.relpath(path, candidate.path.parent)), hash_file(path))
        for path in grouped.attached.get(candidate.path, ())
    )


def _alike(inputs: Sequence[Input], skipped: Sequence[Skipped]) -> Listing:
    """The same bytes are the same report, so it has the same attachments: those of the first that has any.

    What lies beside another copy and differs is listed as skipped: one report has one text.
    """
    first: dict[str, Input] = {}
    for document in inputs:
        if document.attachments and document.sha256:
            first.setdefault(document.sha256, document)
    alike: list[Input] = []
    left_out: list[Skipped] = []
    for document in inputs:
        same = first.get(document.sha256, document)
        if document.content != same.content:
            reason = f"attached to {document.file}, the same file as {same.file}, which has others"
            left_out += [Skipped(each.file, reason) for each in document.attachments]
        alike.append(replace(document, attachments=same.attachments))
    return Listing(tuple(alike), (*skipped, *left_out))


def _nothing_found(sources: Sequence[Path], skipped: Collection[Skipped]) -> str:
    named = ", ".join(readable_name(str(source)) for source in sources)
    held = f"; {len(skipped)} other files were skipped" if skipped else ""
    return f"{named}: no document to read{held}. Reports end in {' '.join(sorted(REPORT_ENDINGS))}"


def _below(source: Path, out: Path | None) -> Iterator[Candidate | Skipped]:
    if source.is_dir():
        yield from _walk(source, out)
    elif source.exists() or source.is_symlink():
        yield Candidate(source, source.parent, named=True)
    else:
        raise StartError(f"{readable_name(str(source))}: no such file or folder")


def _walk(root: Path, out: Path | None) -> Iterator[Candidate | Skipped]:
    closed: list[Skipped] = []

    def remember(error: OSError) -> None:
        folder = readable_name(os.path.relpath(str(error.filename), root))
        closed.append(Skipped(folder + "/", f"folder cannot be opened: {error.strerror}"))

    for folder, folders, files in os.walk(root, onerror=remember):
        here = Path(folder)
        if _is_run(here) or (out is not None and here.resolve() == out.resolve()):
            folders.clear()
            yield Skipped(readable_name(f"{here.relative_to(root)}/"), "a run folder")
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            reason = _not_a_document(here / name)
            if reason is None:
                yield Candidate(here / name, root, named=False)
            else:
                yield Skipped(readable_name(str((here / name).relative_to(root))), reason)
    yield from closed


def _is_run(folder: Path) -> bool:
    return (folder / "records.jsonl").is_file() and (folder / "run.json").is_file()


def _not_a_document(path: Path) -> str | None:
    """Why a file of a folder is not read; None if it is. A file without an ending is read."""
    if path.name.startswith((".", "~$")):
        return "hidden or temporary"
    if path.name == SOURCE_LIST:
        return "the list of sources"
    ending = path.suffix.lower()
    if ending and ending not in _LISTED_ENDINGS:
        return f"no report format ({readable_name(ending)})"
    if path.exists() and not path.is_file():
        return "no regular file"
    return _not_a_scan(path) if ending in PICTURE_ENDINGS else None


def _not_a_scan(path: Path) -> str | None:
    """Why a picture is no scanned report, by its header; one that cannot be opened is read, and fails."""
    size = picture_size(path)
    if size is None or min(size) >= SHORTEST_SCAN_SIDE:
        return None
    width, height = size
    return f"a picture of {width} × {height} pixels: too small for a scan"


def _each_once(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without those that were named twice, by their real path."""
    once: dict[str, Candidate] = {}
    for candidate in candidates:
        once.setdefault(os.path.realpath(candidate.path), candidate)
    return list(once.values())


def _names(candidates: Sequence[Candidate]) -> list[str]:
    parents = [0] * len(candidates)
    deepest = max((len(candidate.root.absolute().parts) for candidate in candidates), default=0)
    for _ in range(deepest):
        names = [candidate.shown(above) for candidate, above in zip(candidates, parents, strict=True)]
        clashes = {name for name, count in Counter(names).items() if count > 1}
        if not clashes:
            return names
        parents = [above + (name in clashes) for name, above in zip(names, parents, strict=True)]
    return [candidate.shown(above) for candidate, above in zip(candidates, parents, strict=True)]


def content_of(sha256: str, attached: Sequence[str], hint: Sequence[object] = ()) -> str:
    """One hash for a file, what is attached to it, and what `sources.csv` says; the file's own if alone."""
    if not attached and not hint:
        return sha256
    parts = (sha256, *attached, *map(repr, hint))
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be opened (reading it says why)."""
    digest = hashlib.sha256()
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return ""
    return digest.hexdigest()


def free_doc_id(document: Input, taken: Collection[str]) -> str:
    """The `doc_id` of a document in a run that has those of `taken`."""
    if document.stem not in taken:
        return document.stem
    base = f"{document.stem}~{document.sha256[:8] or 'unread'}"
    number, doc_id = 1, base
    while doc_id in taken:
        number += 1
        doc_id = f"{base}~{number}"
    return doc_id
