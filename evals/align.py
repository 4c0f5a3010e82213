"""Which fact of the program answers which gold fact, where a path stands several times.

Figures that say exactly the same are paired first. The rest, and text items, are paired so that the sum of
likenesses is greatest (`scipy.optimize.linear_sum_assignment`); two facts that share
nothing stay apart: one omitted, one invented, which weighs the same as one wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from evals.gold import GoldFact
from evals.values import normal_item, same_value, subject_name
from pipeline.fact import Fact

LEAST_LIKENESS = 0.4


def align(golds: Sequence[GoldFact], facts: Sequence[Fact]) -> dict[int, int]:
    """Positions of `golds` to positions of `facts`; each is used at most once."""
    pairs = _exact_pairs(golds, facts)
    open_golds = [index for index in range(len(golds)) if index not in pairs]
    taken = set(pairs.values())
    open_facts = [index for index in range(len(facts)) if index not in taken]
    if not open_golds or not open_facts:
        return pairs
    likeness = np.array([[_likeness(golds[i], facts[j]) for j in open_facts] for i in open_golds])
    for row, column in zip(*linear_sum_assignment(likeness, maximize=True), strict=True):
        if likeness[row, column] >= LEAST_LIKENESS:
            pairs[open_golds[row]] = open_facts[column]
    return pairs


def _exact_pairs(golds: Sequence[GoldFact], facts: Sequence[Fact]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for index, gold in enumerate(golds):
        for position, fact in enumerate(facts):
            if position not in taken and gold.starts is None and says_the_same(gold, fact):
                pairs[index] = position
                taken.add(position)
                break
    return pairs


def says_the_same(gold: GoldFact, fact: Fact) -> bool:
    """Whether the program says what gold says: status, value, and label where there is one."""
    if gold.starts is not None:
        return ends_matching(gold, fact) == 2
    if gold.status != fact.status or not same_value(gold.path, gold.value, fact.value):
        return False
    return gold.label is None or subject_name(gold.label) == subject_name(fact.label)


def ends_matching(gold: GoldFact, fact: Fact) -> int:
    """How many of the two ends of a text item match: 0, 1 or 2."""
    text = normal_item(str(fact.value))
    starts, ends = normal_item(gold.starts or ""), normal_item(gold.ends or "")
    return int(text.startswith(starts)) + int(text.endswith(ends))


def _likeness(gold: GoldFact, fact: Fact) -> float:
    """How likely two facts that differ mean the same place, 0 to 1."""
    if gold.starts is not None:
        # Two items that match at one end each must not outweigh one that matches at both.
        return (0.0, LEAST_LIKENESS, 1.0)[ends_matching(gold, fact)]
    same = same_value(gold.path, gold.value, fact.value)
    if gold.label is None:
        # One path without a label is one place: a differing value is a wrong answer to it.
        return 1.0 if same else LEAST_LIKENESS
    label = SequenceMatcher(None, subject_name(gold.label), subject_name(fact.label)).ratio()
    return (0.5 if same else 0.0) + label / 2
