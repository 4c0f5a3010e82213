"""Identities of the requests table (chapter 三): row totals, outcome totals, balance.

The balance is printed in the header of the form: 第一项加第二项之和，等于第三项加第四项之和.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pipeline.checks.findings import Identity, added, labels, shown
from pipeline.checks.operands import Reading, equal, number, total
from pipeline.fact import Finding
from pipeline.schema import APPLICANTS, outcome_rows, request_rows

RequestsForm = Literal["table2019", "table2021"]


def check(reading: Reading) -> Iterator[Finding]:
    """All three identities; nothing where the document has no requests table."""
    form = requests_form(reading)
    if form is None:
        return
    for row in request_rows(form):
        yield from _row_total(reading, row.key)
    for applicant in APPLICANTS:
        yield from _outcome_total(reading, form, applicant)
        yield from _balance(reading, applicant)


def requests_form(reading: Reading) -> RequestsForm | None:
    """The form of the requests table, if it is one of the two that have these rows."""
    template = reading.templates.requests
    return template if template == "table2019" or template == "table2021" else None


def _row_total(reading: Reading, row: str) -> Iterator[Finding]:
    operands = reading.cells(f"requests.{row}.{applicant}" for applicant in APPLICANTS)
    if operands is None:
        return
    *parts, whole = operands
    if not equal(total(parts), number(whole)):
        yield Identity("requests.row_total", "error", row).broken(
            reading,
            operands,
            where=labels(whole.path)[0],
            message=f"{added(parts)} = {total(parts)} by applicant, but 总计 prints {shown(whole)}",
            expected=total(parts),
            printed=number(whole),
        )


def _outcome_total(reading: Reading, form: RequestsForm, applicant: str) -> Iterator[Finding]:
    rows = (*outcome_rows(form), "concluded")
    operands = reading.cells(f"requests.{row}.{applicant}" for row in rows)
    if operands is None:
        return
    *parts, whole = operands
    if not equal(total(parts), number(whole)):
        given = [fact for fact in parts if number(fact)] or parts[:1]
        yield Identity("requests.outcome_total", "error", applicant).broken(
            reading,
            operands,
            where=labels(whole.path)[-1],
            message=f"the outcomes {added(given)} = {total(parts)}, but （七）总计 prints {shown(whole)}",
            expected=total(parts),
            printed=number(whole),
        )


def _balance(reading: Reading, applicant: str) -> Iterator[Finding]:
    came = reading.cells(f"requests.{row}.{applicant}" for row in ("new_received", "carried_in"))
    went = reading.cells(f"requests.{row}.{applicant}" for row in ("concluded", "carried_out"))
    if came is None or went is None or equal(total(came), total(went)):
        return
    yield Identity("requests.balance", "error", applicant).broken(
        reading,
        (*came, *went),
        where=labels(came[0].path)[-1],
        message=f"{added(came)} received and carried in, but {added(went)} concluded and carried out",
        expected=total(came),
        printed=total(went),
    )
