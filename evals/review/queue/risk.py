"""The chance that a figure was misread, from what the machine said about it; nothing is read again.

With a confidence c the chance is 1 - trust (pipeline.checks.trust: c, at most ½ where a finding
doubts this print), but never below `CERTAIN`. A finding with cause `reading` or `unknown` over k figures
says that, as a rule of thumb, in half of the cases one of them was misread: each has at least ½ / k.
A finding with cause `report` flags a figure and says nothing against its reading.

`CERTAIN` and the chances without a confidence are shares of wrong ones, (wrong + 1) / (all + 2), in
what the rules read in gold: table cells with confidence 1 in gold/ and gold/test (0 of 1,370); metadata
(5 of 171) and items of text (6 of 96) in gold/test, to which nothing was fitted.
A model's answer without a confidence is as likely wrong as right until people have looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.checks.concern import concerns as concerns
from pipeline.checks.trust import trust
from pipeline.fact import Fact, Finding

CERTAIN = 0.0007
METADATA = 0.035
TEXT_ITEM = 0.071
BY_MODEL = 0.5
FINDING_SHARE = 0.5

ERROR, WARNING, NO_DOUBT = 2, 1, 0


class FactRisk(NamedTuple):
    """`doubt`: the gravest finding that doubts the reading. `is_flagged`: by any error or warning."""

    chance: float
    doubt: int
    is_flagged: bool


def risks(facts: Sequence[Mapping[str, Any]], findings: Sequence[Mapping[str, Any]]) -> list[FactRisk]:
    """Of the facts of a record, as its line of JSON has them."""
    grave = [Finding.model_validate(finding) for finding in findings if finding["severity"] != "note"]
    named = {path for finding in grave for path in finding.paths}
    return [
        _doubted(Fact.model_validate(fact), grave)
        if fact["path"] in named
        else FactRisk(_by_itself(fact), NO_DOUBT, False)
        for fact in facts
    ]


def _doubted(fact: Fact, grave: Sequence[Finding]) -> FactRisk:
    about = [finding for finding in grave if concerns(finding, fact)]
    doubting = [finding for finding in about if finding.cause in ("reading", "unknown")]
    trusted = trust(fact, doubting)
    chance = _by_itself(fact.model_dump()) if trusted is None else max(1 - trusted, CERTAIN)
    shared = max((FINDING_SHARE / len(finding.paths) for finding in doubting), default=0.0)
    doubt = NO_DOUBT
    if doubting:
        doubt = ERROR if any(finding.severity == "error" for finding in doubting) else WARNING
    return FactRisk(max(chance, shared), doubt, bool(about))


def _by_itself(fact: Mapping[str, Any]) -> float:
    """The chance without any finding."""
    confidence = fact["confidence"]
    if confidence is not None:
        return max(1.0 - float(confidence), CERTAIN)
    if fact["method"] in ("label", "fill"):
        return BY_MODEL
    if fact["source"] == "metadata":
        return METADATA
    return TEXT_ITEM if str(fact["path"]).startswith("text.") else CERTAIN
