"""A log-linear classifier that reads the rule's answer together with all the words around a figure.

Rules know the wordings that somebody thought of; the classifier has seen some thousand
annotated figures. It may only choose among the fields that the measure word allows.
Trained by `python -m evals.train_classifier`; its weights are numbers in a file, no code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.prose.categories import category_of
from pipeline.prose.features import features_of
from pipeline.prose.fields import prose_fields
from pipeline.prose.rule_label import RuleLabel, Strength

WEIGHTS_FILE = Path(__file__).with_name("classifier.npz")
NO_FIELD = ""
# What it takes to overrule a rule: a plain wording stands unless the classifier is sure.
MIN_PROBABILITY: Mapping[Strength, float] = {"strong": 0.7, "weak": 0.4, "none": 0.4}
STRONG_PROBABILITY = 0.9  # from here on a model need not be asked


@dataclass(frozen=True)
class Classifier:
    """Weights of each feature for each field.

    `fields` are paths, NO_FIELD among them; row `rows[name]` of `weights` holds a feature's
    weight for each of them.
    """

    fields: tuple[str, ...]
    rows: Mapping[str, int]
    weights: npt.NDArray[np.float16]
    intercepts: npt.NDArray[np.float64]

    def probabilities(self, features: Mapping[str, float], unit: str | None) -> npt.NDArray[np.float64]:
        """Probability of each of `fields`, of those that count in `unit`; they sum to 1."""
        known = {row: weight for name, weight in features.items() if (row := self.rows.get(name)) is not None}
        weights = self.weights[[*known]].astype(np.float64)
        scores = self.intercepts + np.array([*known.values()]) @ weights
        scores = np.where(_countable(self.fields, unit), scores, -np.inf)
        exponentials = np.exp(scores - scores.max())
        return np.asarray(exponentials / exponentials.sum())

    def chance_of(self, path: str | None, chances: npt.NDArray[np.float64]) -> float:
        """The probability of one field; 0 for one that training never saw."""
        field = path or NO_FIELD
        return float(chances[self.fields.index(field)]) if field in self.fields else 0.0


@cache
def _countable(fields: tuple[str, ...], unit: str | None) -> npt.NDArray[np.bool_]:
    """Which of `fields` count in `unit`."""
    return np.array([field == NO_FIELD or unit in prose_fields()[field].units for field in fields])


@cache
def load_classifier(path: Path = WEIGHTS_FILE) -> Classifier:
    """The trained classifier.

    The file has the weights that are not zero: those of a feature are `columns[start:end]` and
    `values[start:end]` with start and end from `bounds`.
    """
    with np.load(path, allow_pickle=False) as stored:
        names = str(stored["names"]).split("\n")
        fields = tuple(str(stored["fields"]).split("\n"))
        weights = np.zeros((len(names), len(fields)), dtype=np.float16)
        weights[np.repeat(np.arange(len(names)), np.diff(stored["bounds"])), stored["columns"]] = stored[
            "values"
        ]
        return Classifier(
            fields=fields,
            rows={name: row for row, name in enumerate(names)},
            weights=weights,
            intercepts=stored["intercepts"].astype(np.float64),
        )


def classify(labels: Sequence[RuleLabel]) -> tuple[RuleLabel, ...]:
    """The labels with the classifier's field where it is sure enough; denials stay as they are.

    `probability` is that of the field given; a rule's field that was not taken stays
    in `alternative`.
    """
    classifier = load_classifier()
    decided: list[RuleLabel] = []
    previous: str | None = None
    for label in labels:
        if label.mention.kind == "zero":
            decided.append(label)
            continue
        decided.append(_decide(label, classifier, previous))
        previous = label.path
    return tuple(decided)


def _decide(label: RuleLabel, classifier: Classifier, previous: str | None) -> RuleLabel:
    chances = classifier.probabilities(features_of(label, previous), label.mention.unit)
    best = int(chances.argmax())
    field, chance = classifier.fields[best] or None, float(chances[best])
    if field == label.path or chance < MIN_PROBABILITY[label.strength]:
        given = classifier.chance_of(label.path, chances)
        return replace(label, strength=_strength(given), probability=given)
    return replace(
        label,
        path=field,
        label=(label.label or category_of(label.mention)) if field == "proactive.category" else None,
        strength=_strength(chance),
        probability=chance,
        alternative=label.path,
    )


def _strength(chance: float) -> Strength:
    return "strong" if chance >= STRONG_PROBABILITY else "weak"
