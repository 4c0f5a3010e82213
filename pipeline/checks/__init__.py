"""Identities and sanity rules: facts → findings.

A check never alters a fact. It says which identity does not hold, with both sides
as printed and the cause it suspects. Each family of rules is one module with a
public function `check(reading)`; a family over several years or levels is one more
module and one more line in `FAMILIES`.

Severities and rules follow the identities that the national forms print in their
headers (国办公开办函〔2019〕60号, 国办公开办函〔2021〕30号) and the rows of the statistics
table of 2014 (国办发〔2014〕32号).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pipeline.checks import (
    chapters,
    counts,
    cross,
    meta,
    narrative,
    proactive,
    remedies,
    requests,
    statistics,
)
from pipeline.checks.operands import Reading
from pipeline.fact import Fact, Finding, Templates

__all__ = ["FAMILIES", "Family", "check_facts"]

Family = Callable[[Reading], Iterable[Finding]]

FAMILIES: tuple[Family, ...] = (
    requests.check,
    remedies.check,
    proactive.check,
    statistics.check,
    counts.check,
    narrative.check,
    cross.check,
    meta.check,
    chapters.check,
)


def check_facts(
    text: str, facts: Sequence[Fact], templates: Templates, findings: Sequence[Finding] = ()
) -> tuple[Finding, ...]:
    """Findings of all identities within one document, family by family.

    `text` is the canonical text that the facts' evidence points into; `findings`
    are those of the reading (`table.*`), used only to tell the suspected cause.
    An identity with a missing, blank, not applicable, illegible or approximate
    operand is not assessable and yields nothing.
    """
    reading = Reading(text, tuple(facts), templates, tuple(findings))
    return tuple(finding for family in FAMILIES for finding in family(reading))
