"""Every change of a draft, in the order in which they were made: `DIR/.review/{doc_id}.jsonl`.

An entry is written, and on disk, before the gold file is; it holds the hash of the file that the
change leads to. So whoever finds the file one entry behind knows that a process ended in between.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.review.annotation.state import Step
from evals.review.line_file import append_lines, whole_lines
from pipeline.errors import GoldError


class Entry(BaseModel):
    """A line of the journal. `old` and `new` are what was asked for at `key`, `steps` all that changed.

    `load`: the file was made or changed by other means; what came before cannot be undone.
    `ids` are those of lines and items after the change; `of` is the entry that is undone or done again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    at: str
    annotator: str
    action: Literal["load", "change", "undo", "redo"]
    key: str = ""
    old: Any = None
    new: Any = None
    steps: tuple[Step, ...] = ()
    of: int | None = None
    ids: dict[str, list[str]]
    file_sha256: str


class Journal:
    """The entries of one draft. What a process that was killed left of a line is cut off."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        for number, line in enumerate(whole_lines(path), start=1):
            try:
                self.entries.append(Entry.model_validate(json.loads(line)))
            except (ValueError, ValidationError) as error:
                raise GoldError(f"{path}: line {number} is no entry of a journal: {error}") from None

    @property
    def last(self) -> Entry | None:
        """The newest entry."""
        return self.entries[-1] if self.entries else None

    def append(self, entry: Entry) -> None:
        """Write `entry`; it is on disk when this returns. What cannot be written whole is taken back."""
        line = json.dumps(entry.model_dump(mode="json"), ensure_ascii=False)
        append_lines(self.path, [line.encode("utf-8")])
        self.entries.append(entry)

    def drop_last(self) -> None:
        """Take the newest entry back: what it announced did not come about."""
        content = self.path.read_bytes()
        os.truncate(self.path, content.rstrip(b"\n").rfind(b"\n") + 1)
        self.entries.pop()

    @property
    def undoable(self) -> Entry | None:
        """The change that the next undo takes back."""
        return self._stacks()[0]

    @property
    def redoable(self) -> Entry | None:
        """The change that was undone last and can be done again."""
        return self._stacks()[1]

    def _stacks(self) -> tuple[Entry | None, Entry | None]:
        done: list[Entry] = []
        undone: list[Entry] = []
        for entry in self.entries:
            if entry.action == "undo":
                undone.append(done.pop())
            elif entry.action == "redo":
                done.append(undone.pop())
            else:
                undone.clear()
                done = [*done, entry] if entry.action == "change" else []
        return (done[-1] if done else None), (undone[-1] if undone else None)
