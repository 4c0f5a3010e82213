"""`review.jsonl` of a run folder: what people said about its figures, one line a change.

Lines are only ever added: each is on disk before `append` returns, and an undo is a line too. What the
machine read stays in `records.jsonl`; corrected.py brings both together. A line that a kill cut off
was never acknowledged: a reader passes it over, and the next writer removes it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from pipeline.errors import GongkaiError, RunLocked, StartError
from pipeline.fact import Fact
from pipeline.runs.manifest import now
from pipeline.runs.record import RECORDS, read_text
from pipeline.runs.review_events import Action as Action
from pipeline.runs.review_events import ReviewEvent as ReviewEvent
from pipeline.runs.review_events import Target as Target
from pipeline.runs.review_events import TargetState as TargetState
from pipeline.runs.review_events import base_of as base_of
from pipeline.runs.review_events import states as states
from pipeline.schema import fields

REVIEWS = "review.jsonl"


class ReviewRefused(GongkaiError):
    """A change that cannot be taken as it is; the message says what is allowed."""


class ReviewConflict(ReviewRefused):
    """Another change of the same figure came between. `current` is the last one, None where there is none."""

    def __init__(self, message: str, current: ReviewEvent | None) -> None:
        """`current` may be an undo."""
        super().__init__(message)
        self.current = current


@dataclass
class Reviews:
    """The changes of a run as they stand in the file. What is kept of each is its place, 100 bytes.

    `end` is where the last whole line ends; `was_torn`: more follows that is no line.
    """

    path: Path
    end: int = 0
    last_number: int = 0
    was_torn: bool = False
    _places: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._places.values()))

    @property
    def doc_ids(self) -> tuple[str, ...]:
        """The documents that have changes, in the order of their first ones."""
        return tuple(self._places)

    def events_of(self, doc_id: str) -> tuple[ReviewEvent, ...]:
        """All changes of a document in order, undone ones too. StartError where the file is not as it was."""
        places = tuple(self._places.get(doc_id, ()))
        if not places:
            return ()
        try:
            with self.path.open("rb") as stream:
                return tuple(self._event_at(stream.fileno(), start, length) for start, length in places)
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def _event_at(self, descriptor: int, start: int, length: int) -> ReviewEvent:
        try:
            return ReviewEvent.model_validate_json(os.pread(descriptor, length, start))
        except ValidationError:
            raise StartError(
                f"{self.path} was changed by another program: no change begins at byte {start}. "
                "Run the same command again"
            ) from None

    def take_up(self, event: ReviewEvent, length: int) -> None:
        """Note a line that stands at `end`."""
        self._places.setdefault(event.doc_id, []).append((self.end, length))
        self.last_number = event.number
        self.end += length

    def load(self) -> None:
        """Read the lines. StartError names the first one that is damaged and what to do."""
        try:
            with self.path.open("rb") as stream:
                for number, line in enumerate(stream, start=1):
                    if not line.endswith(b"\n"):
                        self.was_torn = True
                    elif line.strip():
                        self.take_up(self._parsed(number, line), len(line))
                    else:
                        self.end += len(line)
        except OSError as error:
            raise StartError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def _parsed(self, number: int, line: bytes) -> ReviewEvent:
        remedy = (
            "Keep a copy of the file, then delete this line: the change that it held has to be made again, "
            "all others stay"
        )
        try:
            event = ReviewEvent.model_validate_json(line)
        except ValidationError as error:
            raise StartError(f"{self.path}, line {number} is damaged ({_fault(error)}). {remedy}") from None
        if event.number <= self.last_number:
            raise StartError(
                f"{self.path}, line {number}: number {event.number} follows {self.last_number}, so this line "
                f"stands in the wrong place or is of another log. {remedy}"
            )
        return event


def _fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]


def read_reviews(folder: Path) -> Reviews:
    """The changes of a run, which may still be under review; none where there is no log.

    Raises StartError where a line is damaged. Nothing is written and no lock is taken.
    """
    found = Reviews(folder / REVIEWS)
    if found.path.is_file():
        found.load()
    return found


def has_changes(reviews: Reviews) -> bool:
    """Whether any change was not undone."""
    return any(
        state.effective for doc_id in reviews.doc_ids for state in states(reviews.events_of(doc_id)).values()
    )


class ReviewLog:
    """The review log of a run folder, open for appending: by one process, from any of its threads."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file and cut off a torn last line. `opened` also keeps other writers out.

        Raises StartError when `folder` is no run folder, the file cannot be written, or a line is damaged.
        """
        _require_run(folder)
        self.folder = folder
        self.path = folder / REVIEWS
        self._mutex = threading.Lock()
        self._is_unsettled = False
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise _cannot_be_written(self.path, error) from error
        try:
            self._reviews = read_reviews(folder)
            self._settle()
            _sync_folder(folder)
        except OSError as error:
            self.close()
            raise _cannot_be_written(self.path, error) from error
        except BaseException:
            self.close()
            raise

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[Self]:
        """The log for this process alone; free again when the process ends, however it ends.

        Raises RunLocked with the pid of the holder.
        """
        with _locked(folder):
            log = cls(folder)
            try:
                yield log
            finally:
                log.close()

    @property
    def was_torn(self) -> bool:
        """Whether a line that a kill had cut off was removed at the start."""
        return self._reviews.was_torn

    @property
    def doc_ids(self) -> tuple[str, ...]:
        """The documents that have changes."""
        with self._mutex:
            return self._reviews.doc_ids

    def __len__(self) -> int:
        with self._mutex:
            return len(self._reviews)

    def events_of(self, doc_id: str) -> tuple[ReviewEvent, ...]:
        """All changes of a document in order, undone ones too."""
        with self._mutex:
            return self._reviews.events_of(doc_id)

    def append(
        self,
        doc_id: str,
        sha256: str,
        annotator: str,
        action: Action,
        target: Target,
        fact: Fact | None = None,
        reason: str = "",
        undoes: int | None = None,
        base: int | None = None,
        *,
        seen: Fact | None = None,
    ) -> ReviewEvent:
        """Write a change; it is on disk when this returns.

        `base` is the number of the newest change of the figure that the caller has seen, 0 for none;
        None takes the change whatever came before. `seen` is the machine's fact that the person looked at.
        Raises ReviewConflict when there is a newer one, ReviewRefused when the change makes no sense,
        StartError when it cannot be written; nothing has changed then.
        """
        about: dict[str, Any] = {
            "doc_id": doc_id,
            "sha256": sha256,
            "annotator": annotator.strip(),
            "action": action,
            "target": target,
            "fact": fact,
            "reason": reason.strip(),
            "undoes": undoes,
            "seen": seen,
        }
        with self._mutex:
            event = _made({**about, "number": self._reviews.last_number + 1, "at": now()})
            self._require_known(event)
            self._require_current(event, base)
            self._write(event)
        return event

    def _require_known(self, event: ReviewEvent) -> None:
        """The fact must be of a field that there is, and its evidence within the text that is kept."""
        fact = event.fact
        if fact is None:
            return
        if fact.path not in fields():
            raise ReviewRefused(f"{fact.path!r} is no field; the codebook lists them")
        place = fact.evidence
        if (place.start, place.end) == (event.target.start, event.target.end) and event.action == "correct":
            return
        text = read_text(self.folder, event.sha256)
        if text is None:
            raise ReviewRefused(
                f"{event.doc_id}: its text is not kept in this run, so a new place in it cannot be checked"
            )
        if not 0 <= place.start <= place.end <= len(text):
            raise ReviewRefused(
                f"evidence {place.start}–{place.end} is outside of the text, which has {len(text)} characters"
            )

    def _require_current(self, event: ReviewEvent, base: int | None) -> None:
        events = self._reviews.events_of(event.doc_id)
        # A file of the same name that was there before has its own figures at the same places.
        own = states(each for each in events if each.sha256 == event.sha256)
        state = own.get(event.target)
        newest = 0 if state is None else state.base
        if base is not None and base != newest:
            current = None if state is None else state.last
            raise ReviewConflict(_conflict(event, base, current), current)
        if event.action != "undo":
            return
        effective = () if state is None else state.effective
        if not effective or effective[-1].number != event.undoes:
            what = f"that is number {effective[-1].number}" if effective else "there is none"
            raise ReviewRefused(
                f"number {event.undoes} cannot be undone: only the last change of a figure can, and {what}"
            )

    def _write(self, event: ReviewEvent) -> None:
        line = event.model_dump_json().encode("utf-8") + b"\n"
        self._require_untouched()
        try:
            self._settle()
            rest = line
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            self._is_unsettled = True
            with suppress(OSError):
                self._settle()
            raise _cannot_be_written(self.path, error) from error
        self._reviews.take_up(event, len(line))

    def _settle(self) -> None:
        """Cut off what is no whole line, or was not acknowledged."""
        if self._is_unsettled or self._reviews.was_torn:
            if os.fstat(self._descriptor).st_size > self._reviews.end:
                os.ftruncate(self._descriptor, self._reviews.end)
            self._is_unsettled = False

    def _require_untouched(self) -> None:
        """An editor puts another file in this one's place: what is written here would be lost."""
        with suppress(OSError):
            there, here = os.stat(self.path), os.fstat(self._descriptor)
            is_same = (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
            if is_same and (self._is_unsettled or here.st_size == self._reviews.end):
                return
        raise StartError(
            f"{self.path} was changed by another program since it was opened. "
            "Nothing was written: end `gongkai review` and start it again"
        )

    def close(self) -> None:
        """Close the file; every change is on disk already."""
        with suppress(OSError):
            os.close(self._descriptor)


def _made(about: Mapping[str, Any]) -> ReviewEvent:
    try:
        return ReviewEvent.model_validate(about)
    except ValidationError as error:
        raise ReviewRefused(_fault(error).removeprefix("Value error, ")) from None


def _conflict(event: ReviewEvent, base: int, current: ReviewEvent | None) -> str:
    field_name = event.target.path
    if current is None:
        return f"{field_name} of {event.doc_id} has no change; number {base} was named as seen"
    return (
        f"{field_name} of {event.doc_id} was changed meanwhile: number {current.number} "
        f"({current.action} by {current.annotator}); number {base} was named as seen"
    )


def _cannot_be_written(path: Path, error: OSError) -> StartError:
    return StartError(
        f"{path} cannot be written ({error.strerror or error}). "
        "Make room or give the right to write, then enter the change again: what was acknowledged is kept"
    )


def _require_run(folder: Path) -> None:
    if not (folder / RECORDS).is_file():
        what = f"holds no {RECORDS}" if folder.is_dir() else "no such folder"
        raise StartError(f"{folder}: {what}. Needed is a folder that `gongkai extract … --out` wrote")


def _sync_folder(folder: Path) -> None:
    """Force the file's name to disk; a new file could else be gone after a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    _require_run(folder)
    lock, pid = FileLock(folder / "review.lock", blocking=False), folder / "review.pid"
    try:
        lock.acquire()
    except Timeout:
        raise RunLocked(
            f"{folder}: another `gongkai review` is open on this folder (process {_holder(pid)}). "
            "Use its window, or end it first"
        ) from None
    except OSError as error:
        raise _cannot_be_written(folder, error) from error
    try:
        pid.write_text(f"{os.getpid()}\n", encoding="ascii")
        yield
    finally:
        pid.unlink(missing_ok=True)
        lock.release()


def _holder(pid: Path) -> str:
    try:
        return pid.read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"
