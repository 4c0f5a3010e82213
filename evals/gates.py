"""Gates for continuous integration: is a score high enough, and can so few documents tell?

    eval --min-f1 prose=0.9    passes at an F1 of 0.9 or more
    compare --gate             passes where the second run is not worse than the first
    exit codes             0 passed, 4 failed, 5 the evidence is too thin to say

The evidence is too thin where the score passes but its interval reaches below the limit
by more than `slack`, or where there is no score at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from evals.compare import SIGNIFICANT, Difference
from pipeline.errors import UsageError

_GATE = re.compile(r"([a-z_0-9.]+)=([01]?\.?\d+)")
_SECTIONS = ("by_source", "by_group", "by_template")


class Outcome(IntEnum):
    """Of a gate; the numbers are exit codes."""

    PASSED = 0
    FAILED = 4
    TOO_THIN = 5


@dataclass(frozen=True, slots=True)
class Gate:
    """A least F1 for `part`: overall, prose, tables, nonzero, a source, group or template."""

    part: str
    least: float


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate found, with a sentence that says why."""

    outcome: Outcome
    sentence: str


def parse_gate(text: str) -> Gate:
    """`prose=0.9` as a gate. Raises UsageError otherwise."""
    match = _GATE.fullmatch(text)
    if match is None or not 0 <= float(match[2]) <= 1:
        raise UsageError(f"--min-f1 {text!r}: needed is PART=F1 with F1 from 0 to 1, as in prose=0.9")
    return Gate(match[1], float(match[2]))


def apply_gates(
    gates: Sequence[Gate], scores: Mapping[str, Any], slack: float | None = None
) -> list[GateResult]:
    """Hold each gate against `scores`. Raises UsageError for a part that does not exist."""
    return [_apply(gate, scores, slack) for gate in gates]


def worst(results: Sequence[GateResult]) -> Outcome:
    """The outcome of several gates: failed before too thin before passed."""
    outcomes = {result.outcome for result in results}
    for outcome in (Outcome.FAILED, Outcome.TOO_THIN):
        if outcome in outcomes:
            return outcome
    return Outcome.PASSED


def no_regression(overall: Difference, margin: float) -> GateResult:
    """Whether the second run is no worse than the first: pass, regressed, or too thin to say.

    Too thin: no loss is shown, but these documents would miss a loss of `margin` more
    than once in five.
    """
    effect = overall.minimum_detectable_effect
    if overall.difference is None or overall.p is None or effect is None:
        return GateResult(
            Outcome.TOO_THIN, "no difference can be computed: two documents with scores are needed"
        )
    power = f"a loss of {effect:.3f} is found four times in five"
    said = f"F1 {overall.difference:+.3f}, p = {overall.p:.3g}; {power}"
    if overall.difference < 0 and overall.p < SIGNIFICANT:
        return GateResult(Outcome.FAILED, f"{said}: regressed")
    if effect > margin:
        return GateResult(Outcome.TOO_THIN, f"{said}, but {margin:g} is asked for: too thin to say")
    return GateResult(Outcome.PASSED, f"{said}: passed")


def _apply(gate: Gate, scores: Mapping[str, Any], slack: float | None) -> GateResult:
    part, key = _part(gate, scores)
    f1, low = part[key], part[f"{key}_low"]
    if f1 is None:
        return GateResult(Outcome.TOO_THIN, f"{gate.part}: no data, {gate.least:g} needed")
    shown = "no interval" if low is None else f"95 % from {low:.3f}"
    said = f"{gate.part}: F1 {f1:.3f} ({shown}), {gate.least:g} needed"
    if f1 < gate.least:
        return GateResult(Outcome.FAILED, f"{said}: failed")
    if slack is not None and (low is None or low < gate.least - slack):
        return GateResult(Outcome.TOO_THIN, f"{said}, {slack:g} of slack: too few documents to say")
    return GateResult(Outcome.PASSED, f"{said}: passed")


def _part(gate: Gate, scores: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if gate.part == "nonzero":
        return scores["overall"], "nonzero_f1"
    if gate.part in ("overall", "prose", "tables"):
        return scores[gate.part], "f1"
    found = [scores[section][gate.part] for section in _SECTIONS if gate.part in scores[section]]
    if found:
        return found[0], "f1"
    known = [name for section in _SECTIONS for name in scores[section]]
    raise UsageError(
        f"--min-f1 {gate.part}: unknown part; known: overall, prose, tables, nonzero, {', '.join(known)}"
    )
