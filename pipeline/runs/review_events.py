"""One change that a person made to a figure, and what the changes of a figure come to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.fact import Fact, Source

Action = Literal["confirm", "correct", "remove", "add", "undo"]

_WITHOUT_VALUE = ("blank", "not_applicable", "illegible")
_LABEL_DIGITS = 8


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Target(_Model):
    """A figure of a document: one print as the value of one field."""

    path: str
    source: Source
    start: int = Field(ge=0)
    end: int
    label: str | None = None

    @classmethod
    def of(cls, fact: Fact) -> Self:
        """The figure that a fact is."""
        place = fact.evidence
        return cls(path=fact.path, source=fact.source, start=place.start, end=place.end, label=fact.label)

    @property
    def key(self) -> str:
        """A name for it within its document, safe in addresses and attributes."""
        named = "" if self.label is None else f"~{_digest(self.label)}"
        return f"{self.path}~{self.source}~{self.start}~{self.end}{named}"


def _digest(label: str) -> str:
    return hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:_LABEL_DIGITS]


class ReviewEvent(_Model):
    """One change by one person.

    `confirm`: read, and right as it stands. `correct` and `add` bring a fact of method `human`;
    `remove`: the print is no figure of this field. `undo` takes back the change with the number
    `undoes`. `seen` is the machine's fact at that time, by which a figure that has been read anew
    since is told. `at` is ISO 8601 in UTC.
    """

    number: int = Field(ge=1)
    doc_id: str
    sha256: str
    at: str
    annotator: str = Field(min_length=1)
    action: Action
    target: Target
    fact: Fact | None = None
    reason: str = ""
    undoes: int | None = None
    seen: Fact | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.action in ("correct", "add")) != (self.fact is not None):
            raise ValueError(f"a fact belongs to correct and add; this is {self.action}")
        if (self.action == "undo") != (self.undoes is not None):
            raise ValueError("`undoes` belongs to undo, and undo needs it")
        if self.fact is not None:
            _require_plain(self.fact)
            if self.action == "add" and Target.of(self.fact) != self.target:
                raise ValueError("an added fact must be its own target")
        return self


def _require_plain(fact: Fact) -> None:
    """Raises ValueError where value and status contradict each other."""
    if fact.method != "human":
        raise ValueError(f"the method of a person's fact is human, not {fact.method}")
    if (fact.value is None) != (fact.status in _WITHOUT_VALUE):
        raise ValueError(f"status {fact.status} does not go with value {fact.value!r}")
    if fact.status == "zero_in_words" and fact.value != 0:
        raise ValueError(f"status zero_in_words goes with value 0, not {fact.value!r}")


@dataclass(frozen=True, slots=True)
class TargetState:
    """What the changes of one figure come to: `effective` are those not undone, the oldest first.

    `last` is the newest change of all, an undo too.
    """

    effective: tuple[ReviewEvent, ...]
    last: ReviewEvent

    @property
    def base(self) -> int:
        """Number of the newest change: what a further change has to name as seen."""
        return self.last.number


def states(events: Iterable[ReviewEvent]) -> dict[Target, TargetState]:
    """The state of every figure that the events of a document name, in the order of their first ones."""
    found: dict[Target, TargetState] = {}
    for event in events:
        before = found.get(event.target)
        effective = () if before is None else before.effective
        if event.action != "undo":
            effective = (*effective, event)
        elif effective and effective[-1].number == event.undoes:
            effective = effective[:-1]
        found[event.target] = TargetState(effective, event)
    return found


def base_of(events: Iterable[ReviewEvent], target: Target, sha256: str) -> int:
    """Number of the newest change of a figure of the file with these bytes, 0 where there is none."""
    return max((each.number for each in events if (each.target, each.sha256) == (target, sha256)), default=0)
