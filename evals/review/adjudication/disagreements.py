"""What two annotators differ in: one thing to decide at a time, and what was decided about it.

A decision answers exactly the two values that were shown: where an annotator's file has changed
since, the question is open again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pipeline.document import Span

DisagreementKind = Literal[
    "templates",
    "cells",
    "rows",
    "meta",
    "prose",
    "prose_scope",
    "prose_bound",
    "prose_place",
    "text",
    "findings",
]
Choice = Literal["a", "b", "both", "other", "neither"]
Hint = Literal["", "broken", "holds", "unknown"]
LISTED, NOT_LISTED = "listed", "none"

# Of these an annotator may have nothing, and nothing may be what is right.
_LISTED = ("rows", "prose", "text")


@dataclass(frozen=True, slots=True)
class Said:
    """What one annotator has, in the form of the gold file, and where the document prints it."""

    value: Any
    places: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing to decide. `a` or `b` is None where that annotator has nothing there.

    `key` names it as long as the two files stay as they are; `path` is the field. Those of one
    `group` can be decided alike. `hint` says what the adjudicated figures tell of an identity;
    `subject` is the line whose scope, bound or place is asked about, `columns` those of a row.
    """

    key: str
    kind: DisagreementKind
    path: str
    a: Said | None
    b: Said | None
    group: str
    hint: Hint = ""
    subject: Any = None
    columns: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What can be decided."""
        if self.kind == "findings":
            return ("a", "b") if self.a != self.b else ("a", "other")
        sides = tuple(side for side in ("a", "b") if self._can_be(side))
        both = self.kind in ("prose", "text") and self.a is not None and self.b is not None
        droppable = self.kind in (*_LISTED, "meta") or (self.kind == "cells" and self._is_one_sided)
        return (*sides, *(("both",) if both else ()), "other", *(("neither",) if droppable else ()))

    def _can_be(self, side: str) -> bool:
        said = self.a if side == "a" else self.b
        if self.a is None and self.b is None:
            return False
        return said is not None or self.kind != "meta"

    @property
    def _is_one_sided(self) -> bool:
        return self.a is None or self.b is None

    def kept(self, choice: Choice, value: Any) -> tuple[Any, ...]:
        """What goes into the gold file when this is decided so; nothing where it is left out."""
        if choice == "other":
            return (value,)
        if choice == "neither":
            return (None,) if self.kind == "meta" else ()
        sides = (self.a, self.b) if choice == "both" else (self.a if choice == "a" else self.b,)
        return tuple(said.value for said in sides if said is not None)

    @property
    def shown(self) -> tuple[Any, Any]:
        """Both values as a journal keeps them."""
        return tuple({} if said is None else {"value": said.value} for said in (self.a, self.b))  # type: ignore[return-value]


class Decision(BaseModel):
    """A line of a document's journal: a decision, its undoing, or a writing of the file without one.

    `a` and `b` are the values that were shown. Those of one `batch` were made at one stroke.
    `wrote` is the SHA-256 of the gold file after it: a file with another content was changed by
    somebody else and is not written over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int
    at: str
    annotator: str
    action: Literal["write", "decide", "undo"]
    batch: int
    key: str = ""
    choice: Choice | None = None
    value: Any = None
    reason: str = ""
    a: Any = None
    b: Any = None
    undoes: int | None = None
    wrote: str

    def answers(self, asked: Disagreement) -> bool:
        """Whether it was made on what both have now."""
        return self.choice in asked.choices and (self.a, self.b) == asked.shown

    @property
    def is_pending(self) -> bool:
        """Chosen, but nobody said why yet."""
        return self.choice is not None and not self.reason.strip()


def name_of(*values: Any) -> str:
    """A short name for values that have none of their own: the same for the same values."""
    content = json.dumps(values, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:8]
