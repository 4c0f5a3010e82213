"""A gold file while it is being made: changed place by place, on disk after every change.

    with locked_gold(folder):
        draft = GoldDraft(folder, start_of(doc_id, file, sha256))
        draft.change("requests.granted.total", None, 24, "a")

The YAML itself is the draft. Nothing is written over: a change says which value it has seen, and one
that an editor made in the file in the meantime is read first. A process may end at any moment: the
file is always whole, and every change that was answered is in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import yaml
from filelock import FileLock, Timeout
from pydantic import ValidationError

from evals.gold_file import GoldFile, GoldLoader, read_gold_file
from evals.gold_write import NOT_ANNOTATED, Content, gold_text, sync_folder, write_atomically
from evals.review.annotation.journal import Entry, Journal
from evals.review.annotation.state import DraftItem, DraftLine, DraftState, Step, checked
from pipeline.errors import GoldError, RunLocked, StartError
from pipeline.fact import Templates

REVIEW_FOLDER = ".review"
_LATE_SECONDS = 1.0


class DraftConflict(Exception):
    """Another value stands at `key` than the change has seen: `current`, not `seen`."""

    def __init__(self, key: str, seen: Any, current: Any) -> None:
        self.key, self.seen, self.current = key, seen, current
        super().__init__(f"{key} holds {current!r} by now, not {seen!r}")


class Change(NamedTuple):
    """`new` for `key`, where `old` was seen. `at` is the position of a new line, the end by default."""

    key: str
    old: Any
    new: Any
    at: int | None = None


class DraftLoader(GoldLoader):
    """As gold files are read, but `~` is told from null."""


def _null(loader: DraftLoader, node: yaml.ScalarNode) -> object:
    return NOT_ANNOTATED if node.value == "~" else None


DraftLoader.add_constructor("tag:yaml.org,2002:null", _null)


def start_of(doc_id: str, file: str, sha256: str, annotators: Sequence[str] = ()) -> Content:
    """The content of a draft in which nothing is annotated yet."""
    return {
        "doc_id": doc_id,
        "file": file,
        "sha256": sha256,
        "status": "draft",
        "annotators": list(annotators),
        "templates": dict.fromkeys(Templates.model_fields),
        "meta": {},
    }


class GoldDraft:
    """The draft of one document in `folder`. Hold the folder's lock (`locked_gold`) while there is one.

    `start` is what it holds where there is no file yet; that is written with the first change.
    Raises GoldError when there is a file that is damaged or of another document.
    """

    def __init__(self, folder: Path, start: Content) -> None:
        self.path = folder / f"{start['doc_id']}.yaml"
        self.start = start
        self._guard = RLock()
        self._journal = Journal(folder / REVIEW_FOLDER / f"{start['doc_id']}.jsonl")
        self._stamp: _Stamp | None = None
        self._sha256: str | None = None
        self._state = DraftState.of(start)
        with self._guard:
            self._refresh()

    @property
    def is_begun(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    @property
    def state(self) -> DraftState:
        """What it holds, as it stands on disk. To be read, not altered."""
        with self._guard:
            self._refresh()
            return self._state

    @property
    def number(self) -> int:
        """The number of the newest entry in the journal; 0 where nothing was changed yet."""
        return self._journal.last.number if self._journal.last else 0

    def value(self, key: str) -> Any:
        """What stands at `key`; None where nobody has annotated yet."""
        return self.state.value(key)

    def change(self, key: str, old: Any, new: Any, annotator: str, *, at: int | None = None) -> Entry | None:
        """Put `new` where `old` stands. None when `new` stands there already: a change that is sent twice.

        `at` is the position of a new line in its list, the end by default. Raises DraftConflict when
        another value stands there, ValueError when `key` or `new` cannot be, GoldError when the file is
        damaged, OSError when it cannot be written; the file is as before then.
        """
        return self.change_all([Change(key, old, new, at)], annotator)

    def change_all(self, changes: Sequence[Change], annotator: str) -> Entry | None:
        """Make several changes as one, which one undo takes back: all of them, or none."""
        with self._guard:
            self._refresh()
            state = self._copy()
            steps: list[Step] = []
            for key, old, new, at in changes:
                current, wanted = state.value(key), checked(key, new)
                if current == wanted:
                    continue
                # A line may be given without the parts that say nothing.
                if current != (checked(key, old) if isinstance(old, dict) else old):
                    raise DraftConflict(key, old, current)
                made = state.steps(key, wanted, at)
                for step in made:
                    state.apply(step)
                steps += made
            if not steps:
                return None
            key, old, new, _ = changes[0]
            return self._make("change", steps, annotator, key=key, old=old, new=new)

    def undo(self, annotator: str) -> Entry | None:
        """Take back the last change that is in force; None when there is none."""
        with self._guard:
            self._refresh()
            entry = self._journal.undoable
            if entry is None:
                return None
            steps = [step.back for step in reversed(entry.steps)]
            return self._make("undo", steps, annotator, key=entry.key, old=entry.new, new=entry.old, of=entry)

    def redo(self, annotator: str) -> Entry | None:
        """Do the change again that was undone last; None when there is none."""
        with self._guard:
            self._refresh()
            entry = self._journal.redoable
            if entry is None:
                return None
            steps = list(entry.steps)
            return self._make("redo", steps, annotator, key=entry.key, old=entry.old, new=entry.new, of=entry)

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self._journal.undoable is not None

    @property
    def can_redo(self) -> bool:
        """Whether there is a change to do again."""
        return self._journal.redoable is not None

    def gold(self) -> GoldFile:
        """The file as gold. Raises GoldError with what is missing or wrong, as every reader of gold would."""
        with self._guard:
            self._refresh()
            if not self.is_begun:
                raise GoldError(f"{self.path}: is not begun yet")
            return read_gold_file(self.path)

    def _make(
        self,
        action: str,
        steps: Sequence[Step],
        annotator: str,
        *,
        key: str,
        old: Any,
        new: Any,
        of: Entry | None = None,
    ) -> Entry:
        """Write the change into the journal, then the file; a failure leaves both as they were."""
        if self._sha256 is None:
            self._write_start(annotator)
        state = self._copy()
        for step in steps:
            state.apply(step)
        text = gold_text(state.content)
        entry = self._entry(
            action, annotator, state, text, key=key, old=old, new=new, steps=tuple(steps), of=of and of.number
        )
        self._journal.append(entry)
        try:
            write_atomically(self.path, text)
        except OSError:
            self._journal.drop_last()
            raise
        self._take(state, text)
        return entry

    def _write_start(self, annotator: str) -> None:
        text = gold_text(self.start)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, text)
        self._take(self._state, text)
        self._journal.append(self._entry("load", annotator, self._state, text))

    def _entry(self, action: str, annotator: str, state: DraftState, text: str, **parts: Any) -> Entry:
        return Entry.model_validate(
            {
                "number": self.number + 1,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "annotator": annotator,
                "action": action,
                "ids": state.ids,
                "file_sha256": _sha256(text),
                **parts,
            }
        )

    def _copy(self) -> DraftState:
        return DraftState.of(_copied(self._state.content), self._state.ids)

    def _take(self, state: DraftState, text: str) -> None:
        self._state, self._sha256, self._stamp = state, _sha256(text), _stamp(self.path)

    def _refresh(self) -> None:
        """Read the file where it is another than the one that was written last."""
        stamp = _stamp(self.path)
        if stamp == self._stamp:
            return
        if stamp is None:
            raise GoldError(f"{self.path}: was taken away; put it back, or start again to begin anew")
        text = _read(self.path)
        if _sha256(text) != self._sha256:
            state = DraftState.of(self._content(text))
            if self._sha256 is None:
                self._open(text, state, stamp.changed_at)
            else:
                self._load(text, _with_ids_of(self._state, state))
        self._stamp = _stamp(self.path)

    def _content(self, text: str) -> Content:
        content = read_draft(self.path, text)
        for key in ("doc_id", "sha256"):
            if content[key] != self.start[key]:
                said = f"{key} is {content[key]!r}, that of the document is {self.start[key]!r}"
                raise GoldError(f"{self.path}: {said}; it is gold for another file")
        return content

    def _open(self, text: str, state: DraftState, changed_at: float) -> None:
        """Go on where another process ended: after its last change, or in the middle of it."""
        entries = self._journal.entries
        if entries and entries[-1].file_sha256 == _sha256(text):
            self._take(DraftState.of(state.content, entries[-1].ids), text)
        elif len(entries) > 1 and _was_cut_off(entries[-2], entries[-1], text, changed_at):
            state = DraftState.of(state.content, entries[-2].ids)
            for step in entries[-1].steps:
                state.apply(step)
            written = gold_text(state.content)
            write_atomically(self.path, written)
            self._take(state, written)
        else:
            self._load(text, state)

    def _load(self, text: str, state: DraftState) -> None:
        """Take over what something else has written; changes from before cannot be undone any more."""
        if gold_text(state.content) != text:
            self._keep_aside(text)
        self._take(state, text)
        self._journal.append(self._entry("load", "", state, text))

    def _keep_aside(self, text: str) -> None:
        """Keep a file in another layout, its comments too, before it is written in that of the contract."""
        aside = self._journal.path.with_suffix(f".{self.number + 1}.yaml")
        aside.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(aside, text)


@contextmanager
def locked_gold(folder: Path) -> Iterator[None]:
    """The folder of drafts, made where it is missing, for this process alone.

    Raises RunLocked with the process that holds it, StartError when the folder cannot be written.
    """
    inside = folder / REVIEW_FOLDER
    lock = FileLock(inside / "lock", blocking=False)
    holder = inside / "lock.pid"
    try:
        inside.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        holder.write_text(f"{os.getpid()}\n", encoding="ascii")
        sync_folder(folder)
    except Timeout:
        raise RunLocked(
            f"{folder}: another gongkai review writes gold here (process {_holder(holder)}). "
            "Use its page, stop it, or name another folder"
        ) from None
    except OSError as error:
        raise StartError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def read_draft(path: Path, text: str) -> Content:
    """The content of a gold file, finished or not. Raises GoldError with the file and its first fault."""
    try:
        content = yaml.load(text, Loader=DraftLoader)
    except (GoldError, yaml.YAMLError) as error:
        raise GoldError(f"{path}: no valid YAML: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("meta"), dict):
        raise GoldError(f"{path}: needed is a mapping with doc_id, file, sha256, meta …")
    _check_form(path, content)
    return _tidy(content)


def _check_form(path: Path, content: Content) -> None:
    """The file as gold would be read, with `0` in the place of every `~`."""
    filled = _copied(content)
    filled["meta"] = {key: each for key, each in content["meta"].items() if each is not NOT_ANNOTATED}
    narrative, text = filled.pop("narrative", None) or [], filled.pop("text", None) or {}
    try:
        filled["templates"] = Templates.model_validate(_without_marks(filled.get("templates")))
        for group in ("proactive", "requests", "remedies", "statistics"):
            filled[group] = _filled(filled.get(group) or {})
        GoldFile.model_validate(_without_marks(filled))
        for line in narrative:
            DraftLine.model_validate(_without_marks(line))
        for key in ("problems", "improvements"):
            for item in text.get(key) or []:
                DraftItem.model_validate(_without_marks(item))
    except (ValidationError, AttributeError, TypeError) as error:
        said = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(str(part) for part in said["loc"])
        raise GoldError(f"{path}: {where}: {said['msg']}") from None


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _each(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_each(each, change) for each in value]
    return change(value)


def _copied(value: Any) -> Any:
    return _each(value, lambda each: each)


def _without_marks(value: Any) -> Any:
    return _each(value, lambda each: None if each is NOT_ANNOTATED else each)


def _filled(value: Any) -> Any:
    return _each(value, lambda each: 0 if each is NOT_ANNOTATED or each is None else each)


def _tidy(content: Content) -> Content:
    """The content with None for every `~` outside of the metadata, and every part that a draft needs."""
    tidy: Content = _without_marks({key: value for key, value in content.items() if key != "meta"})
    tidy["meta"] = {key: _as_text(key, each) for key, each in content["meta"].items()}
    tidy |= {key: str(tidy[key]) for key in ("doc_id", "file")}
    tidy["templates"] = dict.fromkeys(Templates.model_fields) | (tidy.get("templates") or {})
    for line in tidy.get("narrative") or []:
        line |= DraftLine.model_validate(line).model_dump()
    text = tidy.get("text") or {}
    tidy["text"] = {
        key: [DraftItem.model_validate(item).model_dump() for item in text.get(key) or []]
        for key in ("problems", "improvements")
    }
    return tidy


def _as_text(key: str, value: Any) -> Any:
    """A whole number stands for its digits in every metadata key but the year, as in gold files."""
    is_digits = isinstance(value, int) and not isinstance(value, bool) and key != "year"
    return str(value) if is_digits else value


def _with_ids_of(old: DraftState, new: DraftState) -> DraftState:
    """`new` with the IDs of `old` for lines that are the same; the others get IDs that were not used."""
    lists: dict[str, dict[str, dict[str, Any]]] = {}
    for name, items in new.lists.items():
        left = list(old.lists[name].items())
        named: dict[str, dict[str, Any]] = {}
        for number, item in enumerate(items.values(), 1):
            same = next((key for key, value in left if value == item and key not in named), None)
            named[same or f"e{number}_{len(old.lists[name])}"] = item
        lists[name] = named
    return DraftState(new.head, lists)


class _Stamp(NamedTuple):
    """What tells that a file is another than before, without reading it."""

    nanoseconds: int
    size: int
    inode: int

    @property
    def changed_at(self) -> float:
        """When it was written, in seconds since 1970."""
        return self.nanoseconds / 1e9


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def _was_cut_off(before: Entry, last: Entry, text: str, changed_at: float) -> bool:
    """Whether a process ended after it had written `last` and before the file of it.

    An editor that takes back the last change leaves the same file, but a younger one.
    """
    announced = datetime.fromisoformat(last.at).timestamp()
    return before.file_sha256 == _sha256(text) and changed_at < announced + _LATE_SECONDS


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise GoldError(f"{path}: no valid YAML in UTF-8: {error}") from error


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"
