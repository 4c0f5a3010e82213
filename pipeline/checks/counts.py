"""Counts are whole and not negative; money is not negative.

The forms' rule `proactive.integer` / `proactive.non_negative` is applied to the
counts of requests and remedies under `requests.…` and `remedies.…` as well, both
in tables and in prose, and to the statistics table under `stat2014.…`. `at` is the
item, row or block (second part of the path).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pipeline.checks.findings import Identity, labels, shown
from pipeline.checks.operands import Reading, is_number, number
from pipeline.fact import Fact, Finding
from pipeline.schema import FieldSpec, fields

FAMILY: Mapping[str, str] = MappingProxyType(
    {"proactive": "proactive", "requests": "requests", "remedies": "remedies", "statistics": "stat2014"}
)
"""Group of fields → family of rules."""

WHOLE_KINDS = frozenset({"count", "change"})
SIGNED_KINDS = frozenset({"change"})


def check(reading: Reading) -> Iterator[Finding]:
    """`{family}.integer` and `{family}.non_negative` for every printed count."""
    for fact in reading.facts:
        spec = fields().get(fact.path)
        if spec is not None and spec.group in FAMILY and is_number(fact):
            yield from _check_count(reading, fact, spec)


def _check_count(reading: Reading, fact: Fact, spec: FieldSpec) -> Iterator[Finding]:
    value = number(fact)
    if spec.kind in WHOLE_KINDS and not isinstance(value, int):
        yield _breach(reading, fact, f"{FAMILY[spec.group]}.integer", "is no whole number")
    if spec.kind not in SIGNED_KINDS and value < 0:
        yield _breach(reading, fact, f"{FAMILY[spec.group]}.non_negative", "is less than zero")


def _breach(reading: Reading, fact: Fact, rule: str, trouble: str) -> Finding:
    return Identity(rule, "error", fact.path.split(".")[1]).broken(
        reading,
        [fact],
        where=" ".join(labels(fact.path)),
        message=f"{shown(fact)} {trouble}",
        expected=None,
        printed=number(fact),
    )
