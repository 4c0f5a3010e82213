"""A difference between two runs, with its interval and test."""

from __future__ import annotations

from dataclasses import dataclass

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of two runs on one group of facts: `difference` is the second minus the first.

    `p` is of the sign-flip test over documents; `p_adjusted` corrects it for the number
    of runs (Holm), groups (max-T) or fields (Benjamini–Hochberg). None where undefined.
    `minimum_detectable_effect` is None where these documents can show nothing.
    """

    part: str
    f1_a: float | None
    f1_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    minimum_detectable_effect: float | None
