"""The drafts of one annotator: which documents have one, how far it is, and whose it is."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from evals.gold_write import Content
from evals.occurrences import SearchText
from evals.review.annotation.draft import GoldDraft, read_draft, start_of
from evals.review.annotation.form import progress
from evals.review.annotation.state import DraftState
from evals.review.library import Entry, Library
from evals.review.settings import ReviewContext
from pipeline.errors import GoldError

MOST_TEXTS = 8


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A row of the list: how far its draft is."""

    number: int
    doc_id: str
    file: str
    state: str
    percent: int | None
    said: str = ""


@dataclass
class Desk:
    """The drafts of one annotator. Safe for several threads."""

    folder: Path
    annotator: str
    library: Library
    _drafts: dict[str, GoldDraft] = field(default_factory=dict)
    _texts: OrderedDict[int, SearchText] = field(default_factory=OrderedDict)
    _states: dict[str, tuple[tuple[int, int], str, int | None, str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def draft(self, number: int) -> GoldDraft:
        """The draft of a document. Raises GoldError where it is damaged or not this annotator's."""
        with self._lock:
            entry = self.library.entry(number)
            found = self._drafts.get(entry.doc_id)
            if found is None:
                found = GoldDraft(self.folder, self._start(number))
                self._drafts[entry.doc_id] = found
            _need_own(found, self.annotator)
            return found

    def _start(self, number: int) -> Content:
        record = self.library.record(number)
        if not record.sha256:
            raise GoldError(
                f"{record.file}: could not be opened by the run ({record.error}): nothing to annotate"
            )
        return start_of(record.doc_id, record.file, record.sha256, [self.annotator])

    async def text(self, context: ReviewContext, number: int) -> SearchText:
        """The canonical text of a document."""
        found = self._texts.get(number)
        if found is None:
            kept = await asyncio.to_thread(self.library.text, number)
            if kept is None:
                kept = (await context.reading.source(self.library, number)).text
            found = self._texts[number] = SearchText(kept)
            if len(self._texts) > MOST_TEXTS:
                self._texts.popitem(last=False)
        return found

    def listed(self) -> list[ListedDocument]:
        """All documents with the state of their drafts; a draft is read again when its file has changed."""
        begun = {path.stem: path for path in self.folder.glob("*.yaml")}
        return [self._listed(entry, begun.get(entry.doc_id)) for entry in self.library.entries]

    def _listed(self, entry: Entry, path: Path | None) -> ListedDocument:
        file = entry.brief.file
        if path is None:
            return ListedDocument(entry.number, entry.doc_id, file, "none", None)
        found = path.stat()
        stamp = (found.st_mtime_ns, found.st_size)
        known = self._states.get(entry.doc_id)
        if known is None or known[0] != stamp:
            known = self._states[entry.doc_id] = (stamp, *_state_of(path))
        return ListedDocument(entry.number, entry.doc_id, file, *known[1:])


def _need_own(draft: GoldDraft, annotator: str) -> None:
    """Two annotators work apart, and nobody begins from a program's answers."""
    head = draft.state.head
    if head.get("prefilled"):
        raise GoldError(
            f"{draft.path}: began as a program's output; annotation from scratch needs another folder"
        )
    others = [name for name in head["annotators"] if name != annotator]
    if others and annotator not in head["annotators"]:
        raise GoldError(f"{draft.path}: is the annotation of {', '.join(others)}; use a folder of your own")


def _state_of(path: Path) -> tuple[str, int | None, str]:
    try:
        state = DraftState.of(read_draft(path, path.read_text(encoding="utf-8")))
    except (GoldError, UnicodeDecodeError, OSError) as error:
        return "damaged", None, str(error)
    filled, places = progress(state)
    status = state.head["status"]
    return ("draft" if status == "draft" else "annotated"), 100 * filled // places, ""
