"""Adjudication of two annotators: their disagreements decided one by one, the gold file written each time.

    with locked_gold(out):
        adjudication = Adjudication(dir_a, dir_b, out, places_of)
        document = adjudication.documents[0]
        document.decide([Aim(key, base=0)], "a", None, "printed so", "c")

The gold file follows from the two annotations and the journal of decisions alone. A decision is in
the journal, and on disk, before the file is written: a process may end at any moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from evals.agree import Agreement, agreement_of, as_text, pairs_of
from evals.gold import GoldDocument
from evals.gold_check import GoldProblem, check_one
from evals.gold_file import GoldFile, read_gold_file
from evals.gold_write import NOT_ANNOTATED, Content, gold_text, write_atomically
from evals.review.adjudication.decided_values import typed
from evals.review.adjudication.decision_log import DecisionLog
from evals.review.adjudication.disagreements import Choice, Decision, Disagreement
from evals.review.adjudication.merging import Merged, merge
from evals.review.adjudication.places_said import PlacesSaid
from evals.review.annotation.draft import REVIEW_FOLDER
from pipeline.errors import GoldError, StartError
from pipeline.fact import Templates

Status = Literal["open", "problems", "adjudicated"]
PlacesOf = Callable[[GoldFile], PlacesSaid]


class Aim(NamedTuple):
    """A disagreement to decide, and the number of the last line about it that was seen; 0 none."""

    key: str
    base: int


class DecisionConflict(Exception):
    """Something else was decided meanwhile, in another window."""


@dataclass(frozen=True)
class Standing:
    """A document as far as it is decided: the file's text, and what stands in the way of finishing it."""

    merged: Merged
    text: str
    gold: GoldFile | None
    problems: tuple[GoldProblem, ...]

    @property
    def status(self) -> Status:
        """`problems`: all is decided, but the file would not pass `gongkai gold check`."""
        if not self.merged.is_complete:
            return "open"
        return "adjudicated" if self.gold is not None else "problems"


class DocumentAdjudication:
    """One document that both annotated. Safe for several threads.

    `guard` is held while a decision is made: hold it to read several things of one state.
    Raises GoldError where `out` has a gold file of this document that was not written here.
    """

    def __init__(
        self, number: int, pair: tuple[GoldDocument, GoldDocument], out: Path, places_of: PlacesOf
    ) -> None:
        self.number = number
        self.a, self.b = pair
        self.path = out / f"{self.doc_id}.yaml"
        self.log = DecisionLog(out / REVIEW_FOLDER / f"{self.doc_id}.decisions.jsonl")
        self.said = places_of(self.a.file)
        self.guard = RLock()
        self._require_own()
        self._standing = self._stand(self.log.in_force)
        if self._on_disk() != self._standing.text:
            self._write(self._numbered([self._event("write")]), self._standing)

    @property
    def doc_id(self) -> str:
        """Name of the document's file without its ending."""
        return self.a.doc_id

    @property
    def standing(self) -> Standing:
        """How far it is decided."""
        with self.guard:
            return self._standing

    @property
    def merged(self) -> Merged:
        """The gold file so far, and the disagreements."""
        return self.standing.merged

    @property
    def gold(self) -> GoldDocument | None:
        """The finished gold; None while it is not."""
        file = self.standing.gold
        return None if file is None else GoldDocument(file, self.path)

    def find(self, key: str) -> Disagreement:
        """The disagreement of this key. Raises DecisionConflict where it is not asked (any more)."""
        for asked in self.merged.disagreements:
            if asked.key == key:
                return asked
        raise DecisionConflict(f"{key} is not asked any more")

    def decide(
        self, aims: Sequence[Aim], choice: Choice, value: Any, reason: str, annotator: str
    ) -> tuple[Decision, ...]:
        """Decide one or several alike. Without a reason it is kept, but pending: the file is as before.

        Raises DecisionConflict when another decision came between, ValueError when it cannot be chosen
        or the value cannot be, GoldError when the file was changed by somebody else.
        """
        with self.guard:
            events = [self._decision(aim, choice, value, reason, annotator) for aim in aims]
            if not events:
                raise ValueError("nothing to decide")
            return self._record(events)

    def undo(self, seen: int, annotator: str) -> tuple[Decision, ...]:
        """Take back the last decision, with those made at one stroke with it; `seen` is its number.

        Raises DecisionConflict when another one is the last by now.
        """
        with self.guard:
            last = self.log.last_batch
            if not last or last[-1].number != seen:
                raise DecisionConflict("another decision is the last one by now")
            events = [
                self._event("undo", key=each.key, undoes=each.number, annotator=annotator)
                for each in reversed(last)
            ]
            self._record(events)
            return tuple(last)

    def _decision(self, aim: Aim, choice: Choice, value: Any, reason: str, annotator: str) -> Decision:
        asked = self.find(aim.key)
        if self.log.base(aim.key) != aim.base:
            raise DecisionConflict(f"{aim.key} was decided in another window")
        if choice not in asked.choices:
            raise ValueError(f"{aim.key}: {choice!r}; allowed are {', '.join(asked.choices)}")
        shown = asked.shown
        return self._event(
            "decide",
            key=aim.key,
            choice=choice,
            value=typed(asked, value, self.said.text) if choice == "other" else None,
            reason=" ".join(reason.split()),
            a=shown[0],
            b=shown[1],
            annotator=annotator,
        )

    def _event(self, action: str, **parts: Any) -> Decision:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        content = {"number": 0, "batch": 0, "at": at, "annotator": "", "wrote": ""}
        return Decision.model_validate({**content, "action": action, **parts})

    def _record(self, events: Sequence[Decision]) -> tuple[Decision, ...]:
        """Write the events into the journal, then the gold file that follows from all of them."""
        self._require_own()
        numbered = self._numbered(events)
        undone = {event.undoes for event in (*self.log.events, *numbered)}
        decided = [each for each in (*self.log.events, *numbered) if each.action == "decide"]
        standing = self._stand({each.key: each for each in decided if each.number not in undone})
        return self._write(numbered, standing)

    def _numbered(self, events: Sequence[Decision]) -> list[Decision]:
        first = self.log.next_number
        return [
            event.model_copy(update={"number": number, "batch": first})
            for number, event in enumerate(events, start=first)
        ]

    def _write(self, events: Sequence[Decision], standing: Standing) -> tuple[Decision, ...]:
        wrote = _sha256(standing.text)
        written = tuple(event.model_copy(update={"wrote": wrote}) for event in events)
        self.log.append(written)
        self._standing = standing
        write_atomically(self.path, standing.text)
        return written

    def _stand(self, decisions: dict[str, Decision]) -> Standing:
        merged = merge(self.a, self.b, decisions, self.said)
        content = dict(merged.content)
        content["templates"] = content["templates"] | {
            asked.path.removeprefix("templates."): NOT_ANNOTATED
            for asked in merged.open
            if asked.kind == "templates"
        }
        if not merged.is_complete:
            return Standing(merged, gold_text(content), None, ())
        try:
            gold = _gold(content | {"status": "adjudicated"})
        except GoldError as error:
            problem = GoldProblem(self.path.name, "form", str(error))
            return Standing(merged, gold_text(content), None, (problem,))
        problems = tuple(check_one(self.path.name, gold, self.said.text))
        if any(problem.severity == "error" for problem in problems):
            return Standing(merged, gold_text(content), None, problems)
        return Standing(merged, gold_text(content | {"status": "adjudicated"}), gold, problems)

    def _on_disk(self) -> str | None:
        return self.path.read_bytes().decode("utf-8", "replace") if self.path.exists() else None

    def _require_own(self) -> None:
        """Raises GoldError where the file is not one that a decision, or the start, has written."""
        found = self._on_disk()
        if found is not None and _sha256(found) not in {event.wrote for event in self.log.events}:
            raise GoldError(
                f"{self.path}: was not written by this adjudication, or was changed since; it is not "
                "written over. Move it away, or name another folder with --out"
            )


class _Annotator:
    """The gold files of an annotator; `unfinished`: documents by name with what is missing.

    Raises GoldError where there is no gold file at all.
    """

    def __init__(self, folder: Path) -> None:
        paths = sorted(folder.glob("*.yaml"))
        if not paths:
            raise GoldError(f"{folder}: no gold file; needed are files named <doc_id>.yaml")
        self.doc_ids = {path.stem for path in paths}
        self.documents: list[GoldDocument] = []
        self.unfinished: dict[str, str] = {}
        for path in paths:
            try:
                file = read_gold_file(path)
            except GoldError as error:
                self.unfinished[path.stem] = str(error).removeprefix(f"{path}: ")
                continue
            if file.status == "draft":
                self.unfinished[path.stem] = "status: draft"
            else:
                self.documents.append(GoldDocument(file, path))


class Adjudication:
    """Two gold folders, and the folder of the merged gold. Hold the lock of `out` while there is one.

    What either has not finished is left out and named.

    Raises GoldError where the folders have no finished document in common, StartError where `out`
    is one of them.
    """

    def __init__(self, dir_a: Path, dir_b: Path, out: Path, places_of: PlacesOf) -> None:
        for folder in (dir_a, dir_b):
            if folder.resolve() == out.resolve():
                raise StartError(f"--out {out}: is the folder of an annotator; name another one")
        a, b = _Annotator(dir_a), _Annotator(dir_b)
        pairs = pairs_of(a.documents, b.documents)
        if not pairs:
            unfinished = [f"{doc_id}: {why}" for each in (a, b) for doc_id, why in each.unfinished.items()]
            said = f"; not finished: {'; '.join(unfinished[:3])}" if unfinished else ""
            raise GoldError(f"{dir_a} and {dir_b} have no finished document in common{said}")
        self.out = out
        self.only_a = tuple(sorted(a.doc_ids - b.doc_ids))
        self.only_b = tuple(sorted(b.doc_ids - a.doc_ids))
        self.unfinished_a, self.unfinished_b = a.unfinished, b.unfinished
        self.documents = tuple(
            DocumentAdjudication(number, pair, out, places_of) for number, pair in enumerate(pairs, start=1)
        )
        self.before = agreement_of(pairs, self.only_a, self.only_b)

    @property
    def finished(self) -> tuple[DocumentAdjudication, ...]:
        """The documents on which everything is decided and the check passes."""
        return tuple(each for each in self.documents if each.gold is not None)

    def after(self, side: Literal["a", "b"]) -> Agreement:
        """Agreement of one annotator with the gold of the finished documents."""
        return _agreement((getattr(each, side), each.gold) for each in self.finished)

    def as_text(self) -> str:
        """Agreement before and after, for a terminal."""
        done = f"{len(self.finished)} of {len(self.documents)} documents adjudicated"
        parts = [f"before: A with B\n\n{_table(self.before)}"]
        if self.finished:
            parts += [
                f"after: A with the gold, {done}\n\n{_table(self.after('a'))}",
                f"after: B with the gold, {done}\n\n{_table(self.after('b'))}",
            ]
        else:
            parts.append(f"after: {done}")
        return "\n\n".join(parts)


def _table(agreement: Agreement) -> str:
    """The figures by kind, without the list of disagreements."""
    return as_text(agreement).split("\n\n")[1].split("\nonly in ")[0]


def _agreement(pairs: Iterable[tuple[GoldDocument, GoldDocument | None]]) -> Agreement:
    return agreement_of([(one, other) for one, other in pairs if other is not None])


def _gold(content: Content) -> GoldFile:
    try:
        meta, templates = content["meta"], Templates.model_validate(content["templates"])
        return GoldFile.model_validate(content | {"templates": templates, "meta": meta})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise GoldError(f"{where}: {fault['msg'].removeprefix('Value error, ')}") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
