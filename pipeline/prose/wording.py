"""What wording says of all mentions: the rules, then the classifier that reads them with the words around."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.fact import Method
from pipeline.prose.classifier import classify
from pipeline.prose.facts import LabelledMention
from pipeline.prose.mentions import Mention
from pipeline.prose.rule_label import RuleLabel
from pipeline.prose.rules import label_by_rules

# For labels that the classifier did not judge: denials.
RULE_CONFIDENCE = {"strong": 0.95, "weak": 0.6, "none": 0.0}


def label_by_wording(mentions: Sequence[Mention], year: int | None = None) -> tuple[RuleLabel, ...]:
    """The label of every mention, in order; a denial gives one label for each object it denies."""
    return classify(label_by_rules(mentions, year))


def confidence_of(label: RuleLabel) -> float:
    """The classifier's probability of the field given, else how plainly the rules said it."""
    return RULE_CONFIDENCE[label.strength] if label.probability is None else label.probability


def as_labelled(label: RuleLabel, path: str, confidence: float, other: str | None = None) -> LabelledMention:
    """A mention with the field that wording gives it; readings not taken stay beside it."""
    alternatives: list[tuple[str, Method]] = []
    if label.alternative is not None:
        alternatives.append((label.alternative, "rule"))
    if other is not None:
        alternatives.append((other, "label"))
    return LabelledMention(label.mention, path, "rule", confidence, label.label, tuple(alternatives))
