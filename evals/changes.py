"""Facts on which two runs got different verdicts: fixes and regressions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from evals.values import Value
from evals.verdicts import Judgement


@dataclass(frozen=True, slots=True)
class Change:
    """A fact right in one run and not in the other. Value and status are None where nothing was stated.

    `start`, `end`: where the second run points in its canonical text, else the first in
    its own (`in_text_of`); None for neither.
    """

    kind: Literal["fix", "regression"]
    doc_id: str
    path: str
    source: str
    label: str | None
    verdict_a: str
    verdict_b: str
    expected: Value
    expected_status: str | None
    value_a: Value
    status_a: str | None
    value_b: Value
    status_b: str | None
    start: int | None
    end: int | None
    in_text_of: Literal["a", "b"] | None


def changes(a: Iterable[Judgement], b: Iterable[Judgement]) -> Iterator[Change]:
    """Fixes and regressions from run `a` to run `b`, judged against the same gold objects."""
    by_place_a = {_place(judgement): judgement for judgement in a}
    by_place_b = {_place(judgement): judgement for judgement in b}
    for place in dict.fromkeys([*by_place_a, *by_place_b]):
        one, other = by_place_a.get(place), by_place_b.get(place)
        if _is_right(one) != _is_right(other):
            yield _change(one, other)


def _place(judgement: Judgement) -> Hashable:
    """A gold fact is its own place; what gold does not have is known by what was said."""
    if judgement.gold is not None:
        return judgement.doc_id, id(judgement.gold)
    fact = judgement.fact
    said = None if fact is None else (fact.value, fact.status, fact.label)
    return judgement.doc_id, judgement.path, judgement.source, said


def _is_right(judgement: Judgement | None) -> bool:
    """Whether nothing is wrong at a place; an invention that was not made is right."""
    return judgement is None or judgement.verdict in ("correct", "correctly_absent")


def _change(a: Judgement | None, b: Judgement | None) -> Change:
    known = a or b
    if known is None:
        raise ValueError("a change needs a verdict of one run")
    fact = known.fact if b is None or b.fact is None else b.fact
    gold = known.gold
    (value_a, status_a), (value_b, status_b) = _said(a), _said(b)
    return Change(
        kind="fix" if _is_right(b) else "regression",
        doc_id=known.doc_id,
        path=known.path,
        source=known.source,
        label=gold.label if gold is not None else None if fact is None else fact.label,
        verdict_a="none" if a is None else a.verdict,
        verdict_b="none" if b is None else b.verdict,
        expected=None if gold is None else gold.value,
        expected_status=None if gold is None else gold.status,
        value_a=value_a,
        status_a=status_a,
        value_b=value_b,
        status_b=status_b,
        start=None if fact is None else fact.evidence.start,
        end=None if fact is None else fact.evidence.end,
        in_text_of=None if fact is None else "a" if b is None or b.fact is None else "b",
    )


def _said(judgement: Judgement | None) -> tuple[Value, str | None]:
    """Value and status that a run stated; a kept score has only what was wrong, the rest is as in gold."""
    if judgement is None:
        return None, None
    if judgement.fact is not None:
        return judgement.fact.value, judgement.fact.status
    if judgement.verdict == "correct" and judgement.gold is not None:
        return judgement.gold.value, judgement.gold.status
    return None, None
