"""Whether facts point at what they say: grounding, and what is scored beside the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evals.metrics import share
from evals.occurrences import SearchText, overlap
from evals.values import squeeze
from evals.verdicts import Judgement
from pipeline.document import Span
from pipeline.fact import Fact


@dataclass(frozen=True, slots=True)
class Grounding:
    """`contains_raw`: share of facts whose evidence holds their print.

    `right_place`: of those that gold can judge, the share that points at the print that
    gold means. Documents without a kept text are counted in `without_text` alone.
    """

    contains_raw: float | None
    grounded: int
    facts: int
    right_place: float | None
    placed: int
    judged: int
    without_text: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a correct fact also agrees in something that is scored beside the value."""

    share: float | None
    agreeing: int
    of: int


def is_grounded(fact: Fact, text: str) -> bool:
    """Whether the evidence of `fact` holds its print, white space aside."""
    return squeeze(fact.raw) in squeeze(text[fact.evidence.start : fact.evidence.end])


def is_placed(judgement: Judgement, text: SearchText) -> bool | None:
    """Whether the fact points at the print that gold means; None where gold does not say."""
    gold, fact = judgement.gold, judgement.fact
    if gold is None or fact is None or gold.raw is None:
        return None
    places = text.find(gold.raw, gold.near)
    if not places:
        return None
    evidence = Span(fact.evidence.start, fact.evidence.end)
    return any(overlap(place, evidence) for place in places)


def grounding(judgements: Iterable[Judgement], texts: Mapping[str, str | None]) -> Grounding:
    """Grounding over all facts that claim a figure; `texts` are canonical texts by `doc_id`."""
    grounded = facts = placed = judged = without_text = 0
    searched = {doc_id: SearchText(text) for doc_id, text in texts.items() if text is not None}
    for judgement in judgements:
        if judgement.fact is None or judgement.fact.status == "blank":
            continue
        search = searched.get(judgement.doc_id)
        if search is None:
            without_text += 1
            continue
        facts += 1
        if not is_grounded(judgement.fact, search.text):
            continue
        grounded += 1
        place = is_placed(judgement, search)
        judged += place is not None
        placed += place is True
    return Grounding(
        share(grounded, facts), grounded, facts, share(placed, judged), placed, judged, without_text
    )


def beside_the_value(judgements: Iterable[Judgement]) -> dict[str, Any]:
    """Agreement in scope and bound over correct prose figures, and what status was given for what.

    `status`: gold status → given status → count, over facts that answer a gold fact or omit it.
    """
    scope, bound, correct = 0, 0, 0
    confusion: dict[str, dict[str, int]] = {}
    for judgement in judgements:
        gold, fact = judgement.gold, judgement.fact
        if gold is None:
            continue
        row = confusion.setdefault(gold.status, {})
        given = "none" if fact is None else fact.status
        row[given] = row.get(given, 0) + 1
        if judgement.verdict == "correct" and gold.raw is not None and fact is not None:
            correct += 1
            scope += gold.scope == fact.scope
            bound += gold.bound == fact.bound
    return {
        "scope": asdict(Agreement(share(scope, correct), scope, correct)),
        "bound": asdict(Agreement(share(bound, correct), bound, correct)),
        "status": confusion,
    }
