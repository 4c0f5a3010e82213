"""The journal of the decisions on one document: `GOLD/.review/{doc_id}.decisions.jsonl`.

Lines are only ever added, and are on disk before `append` returns; an undo is a line too. A line
that a kill cut off was never acknowledged: it is removed when the journal is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from evals.review.adjudication.disagreements import Decision
from evals.review.line_file import append_lines, whole_lines
from pipeline.errors import GoldError


class DecisionLog:
    """The decisions on one document, oldest first. Raises GoldError where a line is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Decision] = []
        for number, line in enumerate(whole_lines(path), start=1):
            try:
                self.events.append(Decision.model_validate_json(line))
            except ValidationError as error:
                raise GoldError(f"{path}: line {number} is no decision: {error.errors()[0]['msg']}") from None

    @property
    def next_number(self) -> int:
        """Number of the next line."""
        return self.events[-1].number + 1 if self.events else 1

    def base(self, key: str) -> int:
        """Number of the last line about `key`, an undo too; 0 where there is none."""
        return max((event.number for event in self.events if event.key == key), default=0)

    @property
    def effective(self) -> list[Decision]:
        """The decisions that were not undone."""
        undone = {event.undoes for event in self.events}
        return [each for each in self.events if each.action == "decide" and each.number not in undone]

    @property
    def in_force(self) -> dict[str, Decision]:
        """By key the last decision that was not undone."""
        return {event.key: event for event in self.effective}

    @property
    def last_batch(self) -> list[Decision]:
        """What the next undo takes back: the last decision, with all that were made at one stroke with it."""
        effective = self.effective
        return [each for each in effective if each.batch == effective[-1].batch] if effective else []

    def append(self, events: Sequence[Decision]) -> None:
        """Write lines; they are on disk when this returns. What cannot be written whole is taken back."""
        append_lines(self.path, (event.model_dump_json().encode("utf-8") for event in events))
        self.events.extend(events)
