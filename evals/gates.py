"""Gates for continuous integration: is a score high enough, and can so few documents tell?

    eval --min-f1 prose=0.9    passes at an F1 of 0.9 or more
    compare --gate             passes where the second run is not worse than the first
    exit codes             0 passed, 4 failed, 5 the evidence is too thin to say

The evidence for a score is too thin where there is no interval, or where it reaches below
the limit by more than `slack`; without slack the score alone decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from evals.difference import SIGNIFICANT, Difference
from pipeline.errors import UsageError

_GATE = re.compile(r"([a-z_0-9.]+)=([01]?\.?\d+)")
# Half an interval is 1.96 errors wide; 0.84 more are needed to find a shortfall four times in five.
POWER_OVER_HALF_WIDTH = (1.96 + 0.84) / 1.96
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


def no_regression(
    overall: Difference, margin: float, run: str = "second run", lost: Sequence[str] = ()
) -> GateResult:
    """Whether the second run is no worse than the first: pass, regressed, or too thin to say.

    It passes where nothing differs, and where the 95 % interval of the difference rules
    out a loss of more than `margin`. Documents of which only the first run has a record
    are `lost`: no run passes by leaving out what is hard.
    """
    if lost:
        listed = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        return GateResult(Outcome.FAILED, f"{run}: no record of {listed}, which the first run has: regressed")
    if overall.difference is None or overall.p is None or overall.low is None:
        return GateResult(
            Outcome.TOO_THIN, f"{run}: no difference can be computed: two documents with scores are needed"
        )
    p = overall.p if overall.p_adjusted is None else overall.p_adjusted
    said = f"{run}: F1 {overall.difference:+.3f} (95 % from {overall.low:+.3f}), p = {p:.3g}"
    if overall.minimum_detectable_effect is not None:
        said += f"; a loss of {overall.minimum_detectable_effect:.3f} is found about four times in five"
    if overall.difference == overall.low == overall.high == 0:
        return GateResult(Outcome.PASSED, f"{said}: no difference, passed")
    if overall.difference < 0 and p < SIGNIFICANT:
        return GateResult(Outcome.FAILED, f"{said}: regressed")
    is_thin = overall.minimum_detectable_effect is None and overall.difference < 0
    if is_thin or overall.low < -margin:
        return GateResult(Outcome.TOO_THIN, f"{said}: too thin to say that not more than {margin:g} is lost")
    return GateResult(Outcome.PASSED, f"{said}: a loss of more than {margin:g} is ruled out, passed")


def _apply(gate: Gate, scores: Mapping[str, Any], slack: float | None) -> GateResult:
    part, key = _part(gate, scores)
    f1, low = part[key], part[f"{key}_low"]
    if f1 is None:
        return GateResult(Outcome.TOO_THIN, f"{gate.part}: no data, {gate.least:g} needed")
    if low is None:
        shown = "one document, no interval"
    else:
        shown = f"95 % from {low:.3f}; a true F1 of {_found(f1, low):.3f} is told from it four times in five"
    said = f"{gate.part}: F1 {f1:.3f} ({shown}), {gate.least:g} needed"
    if f1 < gate.least:
        return GateResult(Outcome.FAILED, f"{said}: failed")
    if low is None:
        return GateResult(Outcome.TOO_THIN, f"{said}: too few documents to say")
    if slack is not None and low < gate.least - slack:
        return GateResult(Outcome.TOO_THIN, f"{said}, {slack:g} of slack: too few documents to say")
    return GateResult(Outcome.PASSED, f"{said}: passed")


def _found(f1: float, low: float) -> float:
    """The F1 below `f1` that these documents tell from it four times in five, on the logit scale."""
    if f1 >= 1.0 or low <= 0.0:
        return low
    here, there = (math.log(rate / (1 - rate)) for rate in (f1, low))
    return 1 / (1 + math.exp(-(here - (here - there) * POWER_OVER_HALF_WIDTH)))


def _part(gate: Gate, scores: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    if gate.part == "nonzero":
        return scores["overall"], "nonzero_f1"
    if gate.part in ("overall", "prose", "tables"):
        return scores[gate.part], "f1"
    known = {
        f"{section.removeprefix('by_')}.{name}": rates
        for section in _SECTIONS
        for name, rates in scores[section].items()
    }
    found = [key for key in known if gate.part in (key, key.partition(".")[2])]
    if len(found) == 1:
        return known[found[0]], "f1"
    which = f"could be {' or '.join(found)}" if found else f"unknown part; known: {', '.join(known)}"
    raise UsageError(f"--min-f1 {gate.part}: {which}; or overall, prose, tables, nonzero")
