"""What wording says of a mention: the field, and how plainly it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.prose.mentions import Mention

Strength = Literal["strong", "weak", "none"]


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """The field that wording gives a mention.

    `path` None with `strong` or `weak` says that the figure is of no field; with
    `none`, that the rules do not know. `label` is the subject of a category.
    `probability` is the classifier's for the field, None where it was not asked;
    `alternative` the field that the rules would have given.
    """

    mention: Mention
    path: str | None
    strength: Strength
    label: str | None = None
    probability: float | None = None
    alternative: str | None = None
