"""What is asked while two annotations are merged, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.review.adjudication.disagreements import Decision, Disagreement


class Settling:
    """Collects disagreements in the order in which they are asked. `waiting`: what cannot be asked yet."""

    def __init__(self, decisions: Mapping[str, Decision]) -> None:
        self.decisions = decisions
        self.asked: list[Disagreement] = []
        self.waiting: list[str] = []
        self._keys: set[str] = set()

    def settle(self, asked: Disagreement) -> tuple[Any, ...] | None:
        """The values to keep; None while it is open, or nobody said why yet."""
        self.asked.append(asked)
        self._keys.add(asked.key)
        found = self.decisions.get(asked.key)
        if found is None or found.choice is None or not found.answers(asked) or found.is_pending:
            return None
        return asked.kept(found.choice, found.value)

    def unique(self, key: str) -> str:
        """`key`, with a number where it is taken: two lines may be the same to the letter."""
        wanted, number = key, 2
        while wanted in self._keys:
            wanted, number = f"{key}-{number}", number + 1
        return wanted

    @property
    def has_open_tables(self) -> bool:
        """Whether a figure of a table is still missing."""
        kinds = ("templates", "cells", "rows")
        return bool(self.waiting) or any(
            asked.kind in kinds and not self.is_settled(asked) for asked in self.asked
        )

    def is_settled(self, asked: Disagreement) -> bool:
        """Whether it is decided, with a reason."""
        found = self.decisions.get(asked.key)
        return found is not None and found.answers(asked) and not found.is_pending
