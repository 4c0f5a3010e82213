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
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartError, UsageError

# Carriers that are read, and those in which counties publish reports that are not read yet:
# the latter become failed records with a reason, not skipped files.
REPORT_ENDINGS = frozenset(
    ".txt .md .markdown .html .htm .xhtml .shtml .jsp .aspx .php .mht .mhtml .pdf .docx".split()
)
UNREAD_REPORT_ENDINGS = frozenset({".doc", ".wps", ".rtf", ".odt", ".ofd"})
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
class Input:
    """One document to read. `sha256` is empty where the file cannot be opened."""

    path: Path
    file: str
    sha256: str
    named: bool = False

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

    Raises StartError for a path that does not exist and when nothing is left to read,
    UsageError when `out` is a source.
    """
    if out is not None and any(source.resolve() == out.resolve() for source in sources):
        raise UsageError(f"--out {out} is a source too: name another folder for the run")
    found: list[Candidate | Skipped] = []
    for source in sources:
        found.extend(_below(source, out))
    candidates = _each_once([item for item in found if isinstance(item, Candidate)])
    skipped = tuple(item for item in found if isinstance(item, Skipped))
    if not candidates:
        raise StartError(_nothing_found(sources, skipped))
    names = _names(candidates)
    inputs = tuple(
        Input(candidate.path, name, hash_file(candidate.path), candidate.named)
        for candidate, name in zip(candidates, names, strict=True)
    )
    return Listing(inputs, skipped)


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
    ending = path.suffix.lower()
    if ending and ending not in REPORT_ENDINGS | UNREAD_REPORT_ENDINGS:
        return f"no report format ({readable_name(ending)})"
    if path.exists() and not path.is_file():
        return "no regular file"
    return None


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


def readable_name(name: str) -> str:
    """A file name as text. Bytes that are no UTF-8 are read as GB18030, as in archives made on
    Chinese Windows, or else written `\\xb1`.
    """
    raw = name.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


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
