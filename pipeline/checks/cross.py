"""Prose against table: the same field of the same scope must print the same figure.

A figure that disagrees is `cross.requests`, `cross.remedies` or
`cross.normative_documents`; a zero in words over a table that holds something is
`cross.zero`. The table speaks for the issuer itself unless its facts say otherwise,
and so does prose without a scope; a figure of another scope only makes a note.
The tables print no fees for requests, so 未收取 has no counterpart there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from pipeline.checks.bounds import Interval
from pipeline.checks.findings import Identity, added, labels, shown
from pipeline.checks.operands import Number, Reading, number, tidy, total
from pipeline.checks.requests import RequestsForm, requests_form
from pipeline.fact import Cause, Fact, Finding, Severity, Template
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, outcome_rows, request_rows

LITIGATION = ("litigation_direct", "litigation_after_review")

NORMATIVE_COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "table2019": MappingProxyType({"issued": "made", "disclosed": "disclosed"}),
        "table2021": MappingProxyType({"issued": "issued"}),
    }
)
"""Prose column → table column of 规范性文件. 本年新制作 of 2019 counts what prose calls 制发."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A field of the prose and the table cells whose sum it restates.

    `factor` turns the unit of the cells into that of the prose field.
    """

    rule: str
    at: str
    prose: str
    cells: tuple[str, ...]
    factor: int = 1


def check(reading: Reading) -> Iterator[Finding]:
    """All rules of this family."""
    for counterpart in _counterparts(requests_form(reading), reading.templates.proactive):
        yield from compare(reading, counterpart)
    yield from _answered(reading)
    yield from _no_requests(reading)


@cache
def _counterparts(requests: RequestsForm | None, proactive: Template | None) -> tuple[Counterpart, ...]:
    """The fields of the prose that tables of these forms print too."""
    return tuple(_counterparts_of(requests, proactive))


def _counterparts_of(requests: RequestsForm | None, proactive: Template | None) -> Iterator[Counterpart]:
    for row in request_rows(requests) if requests is not None else ():
        for applicant in APPLICANTS:
            path = f"requests.{row.key}.{applicant}"
            yield Counterpart("cross.requests", row.key, path, (path,))
    for outcome in OUTCOMES:
        for block in REMEDY_BLOCKS:
            path = f"remedies.{block}.{outcome}"
            yield Counterpart("cross.remedies", block, path, (path,))
        cells = tuple(f"remedies.{block}.{outcome}" for block in LITIGATION)
        yield Counterpart("cross.remedies", "litigation", f"remedies.litigation.{outcome}", cells)
    for prose, column in NORMATIVE_COLUMNS.get(proactive or "", {}).items():
        item = "proactive.normative_documents"
        yield Counterpart("cross.normative_documents", prose, f"{item}.{prose}", (f"{item}.{column}",))


def compare(reading: Reading, counterpart: Counterpart) -> Iterator[Finding]:
    """Findings for the figures of the prose that the cells do not bear out."""
    said = reading.prose(counterpart.prose)
    cells = reading.cells(counterpart.cells) if said else None
    if cells is None:
        return
    for fact in said:
        if not Interval.of(fact).meets(Interval.total(cells).times(counterpart.factor)):
            yield _disagreement(reading, counterpart, fact, cells)


def _disagreement(reading: Reading, counterpart: Counterpart, fact: Fact, cells: tuple[Fact, ...]) -> Finding:
    is_same_scope = (fact.scope or "own") == (cells[0].scope or "own")
    severity: Severity = "error" if is_same_scope else "note"
    cause: Cause | None = None if is_same_scope else "scope"
    rule = "cross.zero" if fact.status == "zero_in_words" else counterpart.rule
    return Identity(rule, severity, counterpart.at).broken(
        reading,
        (fact, *cells),
        where=" ".join(labels(fact.path)),
        message=f"the prose prints {shown(fact)}, but the table {added(cells)}",
        expected=tidy(total(cells) * counterpart.factor),
        printed=number(fact),
        cause=cause,
    )


def _answered(reading: Reading) -> Iterator[Finding]:
    """Answers have no row of their own; there cannot be more of them than requests to answer."""
    came = reading.cells(("requests.new_received.total", "requests.carried_in.total"))
    if came is None:
        return
    for fact in reading.prose("requests.answered.total"):
        if Interval.of(fact).may_be_within(Interval.total(came)):
            continue
        yield Identity("cross.requests", "note", "answered").broken(
            reading,
            (fact, *came),
            where=labels(fact.path)[0],
            message=f"the prose prints {shown(fact)} answered, but the table only {added(came)} to answer",
            expected=total(came),
            printed=number(fact),
        )


def _no_requests(reading: Reading) -> Iterator[Finding]:
    """Where no request came in, only those carried in can have had an outcome."""
    received = _received(reading)
    form = requests_form(reading)
    carried_in = reading.cell("requests.carried_in.total")
    if form is None or carried_in is None or received is None or number(received) != 0:
        return
    outcomes = reading.cells(f"requests.{row}.total" for row in outcome_rows(form))
    if outcomes is None or total(outcomes) <= number(carried_in):
        return
    yield Identity("cross.zero", "error", "concluded").broken(
        reading,
        (received, carried_in, *outcomes),
        where=labels(received.path)[0],
        message=_no_requests_message(received, carried_in, total(outcomes)),
        expected=number(carried_in),
        printed=total(outcomes),
    )


def _received(reading: Reading) -> Fact | None:
    """The table's own figure; the prose speaks only where the table is silent and scopes agree."""
    cell = reading.cell("requests.new_received.total")
    if cell is not None:
        return cell
    prose = [f for f in reading.prose("requests.new_received.total") if f.scope != "jurisdiction"]
    return prose[0] if len(prose) == 1 else None


def _no_requests_message(received: Fact, carried_in: Fact, outcomes: Number) -> str:
    return (
        f"{shown(received)} received and {shown(carried_in)} carried in, "
        f"but {outcomes} with an outcome in the table"
    )
