"""Labelled mentions → facts: units, scope, evidence, and one fact a field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.document import Document
from pipeline.fact import Evidence, Fact, Method, Status
from pipeline.prose.mentions import Mention
from pipeline.prose.scope import find_scope
from pipeline.schema import fields


@dataclass(frozen=True, slots=True)
class LabelledMention:
    """A mention with the field it was given and how sure that is (0..1)."""

    mention: Mention
    path: str
    method: Method
    confidence: float
    label: str | None = None
    alternatives: tuple[tuple[str, Method], ...] = ()


def facts_of(labelled: Iterable[LabelledMention], document: Document) -> tuple[Fact, ...]:
    """Facts in order of print; of several figures for one field only one is kept.

    Kept is the surest, then the largest: parts of a field are not more than its
    whole. A field may have one fact for the body itself and one for its jurisdiction.
    """
    facts = [_fact(item, document) for item in labelled]
    return tuple(sorted(_one_a_field(facts), key=lambda fact: (fact.evidence.start, fact.path)))


def _fact(item: LabelledMention, document: Document) -> Fact:
    mention, kind = item.mention, fields()[item.path].kind
    return Fact(
        path=item.path,
        value=_in_unit_of(mention, kind),
        status=_status(mention, document),
        bound=mention.bound,
        raw=mention.raw(document),
        unit=mention.unit,
        source="narrative",
        method=item.method,
        scope=find_scope(mention),
        evidence=Evidence(start=mention.span.start, end=mention.span.end, page=mention.sentence.page),
        confidence=round(item.confidence, 4),
        label=item.label,
        alternatives=item.alternatives,
    )


def _status(mention: Mention, document: Document) -> Status:
    """Digits are a value, `0` too; `零件`, `无` and `未收到` are a zero in words."""
    is_digit = re.search("[0-9０-９]", mention.raw(document)) is not None
    return "value" if is_digit or mention.value != 0 else "zero_in_words"


def _in_unit_of(mention: Mention, kind: str) -> int | float:
    """Money of a mention is in yuan; a field in 万元 takes a ten-thousandth of it."""
    if kind != "wan_yuan" or mention.kind == "zero":
        return mention.value
    amount = round(mention.value / 10_000, 8)
    return int(amount) if amount == int(amount) else amount


def _one_a_field(facts: Sequence[Fact]) -> list[Fact]:
    kept: dict[tuple[str, str | None, str | None], Fact] = {}
    for fact in facts:
        subject = re.sub(r"\s", "", fact.label or "") if fields()[fact.path].repeatable else None
        key = (fact.path, subject, None if fact.scope is None else fact.scope)
        rival = kept.get(key)
        if rival is None or _rank(fact) > _rank(rival):
            kept[key] = fact
    return _without_echoes(list(kept.values()))


def _rank(fact: Fact) -> tuple[float, float, int]:
    value = fact.value if isinstance(fact.value, (int, float)) else 0
    return (round(fact.confidence or 0, 1), value, -fact.evidence.start)


def _without_echoes(facts: list[Fact]) -> list[Fact]:
    """A field without scope is dropped where the same field has a fact with one."""
    scoped: dict[tuple[str, str | None], list[Fact]] = {}
    for fact in facts:
        scoped.setdefault((fact.path, fact.label), []).append(fact)
    result: list[Fact] = []
    for rivals in scoped.values():
        if len(rivals) == 1 or fields()[rivals[0].path].repeatable:
            result.extend(rivals)
            continue
        values = {rival.value for rival in rivals}
        if len(values) == 1:
            result.append(min(rivals, key=lambda fact: fact.evidence.start))
            continue
        named = [rival for rival in rivals if rival.scope is not None]
        result.extend(named or rivals)
    return result
