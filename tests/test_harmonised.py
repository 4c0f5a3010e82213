"""Harmonised variables, rates and days late: what each form's fields become."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from run_material import record

from pipeline.export.stata_names import stata_name
from pipeline.fact import Evidence, Fact, Record, Template, Templates
from pipeline.panel.crosswalk import TEMPLATES, Term, Variable, crosswalk, read_crosswalk, read_sum, written
from pipeline.panel.harmonised import Figure, figures, harmonise, rate_of

# `path` is a table's cell, `~path` prose; a word is a status without a number, a pair has a bound.
Cells = dict[str, Any]


def fact(key: str, cell: Any) -> Fact:
    value, bound = cell if isinstance(cell, tuple) else (cell, "exact")
    status = "value"
    if isinstance(value, str) and not key.startswith("meta."):
        status, value = value, 0 if value == "zero_in_words" else None
    prose = key.startswith("~")
    source = "metadata" if key.startswith("meta.") else "narrative" if prose else "table"
    return Fact.model_validate(
        {
            "path": key.removeprefix("~"),
            "value": value,
            "status": status,
            "bound": bound,
            "raw": str(value),
            "source": source,
            "method": "rule",
            "evidence": Evidence(start=0, end=1),
        }
    )


def report(form: Template | Templates | None, cells: Cells) -> Record:
    if not isinstance(form, Templates):
        is_table = form in ("table2019", "table2021")
        own = form if is_table else None
        form = Templates(document=form, proactive=own, requests=own, remedies=own)
    return record("a", templates=form, facts=tuple(fact(*cell) for cell in cells.items()))


def shown(figure: Figure) -> Any:
    """What the tables below write: the number, or why there is none."""
    return figure.status if figure.value is None else figure.value


DENIED = {
    f"requests.denied_{ground}.total": number
    for number, ground in enumerate(
        "state_secret law_prohibits security_stability third_party internal_affairs deliberative "
        "enforcement_file administrative_query".split(),
        start=1,
    )
}
RECEIVED = "requests.new_received.total"
DIRECT, AFTER = "remedies.litigation_direct", "remedies.litigation_after_review"

# variable, form, what the report prints, expected
FIGURES: list[tuple[str, Template, Cells, Any]] = [
    # The same concept in four forms.
    ("h_requests_received", "narrative", {f"~{RECEIVED}": 12}, 12),
    ("h_requests_received", "stat2014", {"statistics.received_total": 12}, 12),
    ("h_requests_received", "table2019", {RECEIVED: 12}, 12),
    ("h_requests_received", "table2021", {RECEIVED: 12}, 12),
    # Local statistics tables before 2014 stand in reports in prose.
    ("h_requests_received", "narrative", {"statistics.received_total": 12}, 12),
    # The table before prose; prose where the table gives no number.
    ("h_requests_received", "table2021", {RECEIVED: 12, f"~{RECEIVED}": 400}, 12),
    ("h_requests_received", "table2021", {RECEIVED: "blank", f"~{RECEIVED}": 12}, 12),
    ("h_requests_received", "stat2014", {"statistics.received_total": "illegible", f"~{RECEIVED}": 12}, 12),
    # Kinds of no number stay apart.
    ("h_requests_received", "table2021", {RECEIVED: "blank"}, "blank"),
    ("h_requests_received", "table2021", {RECEIVED: "not_applicable"}, "not_applicable"),
    ("h_requests_received", "table2021", {RECEIVED: "illegible"}, "illegible"),
    ("h_requests_received", "table2021", {}, "not_mentioned"),
    ("h_requests_received", "narrative", {}, "not_mentioned"),
    ("h_requests_carried_in", "stat2014", {}, "not_in_template"),
    ("h_requests_denied", "narrative", {}, "not_in_template"),
    ("h_staff", "table2021", {}, "not_in_template"),
    ("h_staff", "stat2014", {}, "not_mentioned"),
    ("h_requests_received", "narrative", {f"~{RECEIVED}": "zero_in_words"}, 0),
    # A field of the other form does not count.
    ("h_requests_other", "table2019", {"requests.other_outcome.total": 3}, 3),
    ("h_requests_other", "table2021", {"requests.other_outcome.total": 3}, "not_mentioned"),
    (
        "h_requests_other",
        "table2021",
        {
            "requests.other_not_corrected.total": 1,
            "requests.other_fee_unpaid.total": 0,
            "requests.other_misc.total": 2,
        },
        3,
    ),
    # A sum has a number only where all parts have one.
    ("h_requests_denied", "table2019", DENIED, 36),
    ("h_requests_denied", "table2019", DENIED | {"requests.denied_third_party.total": "blank"}, "blank"),
    (
        "h_requests_denied",
        "table2021",
        DENIED | {"requests.denied_third_party.total": "not_applicable"},
        "not_applicable",
    ),
    (
        "h_requests_denied",
        "table2021",
        DENIED
        | {"requests.denied_third_party.total": "blank", "requests.denied_law_prohibits.total": "illegible"},
        "illegible",
    ),
    ("h_requests_denied", "table2021", {"requests.denied_third_party.total": 4}, "not_mentioned"),
    ("h_denied_third_party", "stat2014", {"statistics.denied_trade_secret": 1}, "not_mentioned"),
    (
        "h_denied_third_party",
        "stat2014",
        {"statistics.denied_trade_secret": 1, "statistics.denied_privacy": 2},
        3,
    ),
    # Lawsuits: one figure in prose, or two blocks.
    ("h_litigation_total", "narrative", {"~remedies.litigation.total": 5}, 5),
    ("h_litigation_total", "narrative", {f"~{DIRECT}.total": 2, f"~{AFTER}.total": 1}, 3),
    ("h_litigation_total", "narrative", {f"~{DIRECT}.total": 2}, "not_mentioned"),
    ("h_litigation_total", "table2021", {f"{DIRECT}.total": 2, f"{AFTER}.total": 1}, 3),
    ("h_litigation_total", "stat2014", {"statistics.litigation_total": 4}, 4),
    # Decided: total less pending, and the total where the form has no pending cases.
    ("h_review_decided", "table2021", {"remedies.review.total": 7, "remedies.review.pending": 2}, 5),
    (
        "h_review_decided",
        "table2021",
        {"remedies.review.total": 7, "remedies.review.pending": "blank"},
        "blank",
    ),
    ("h_review_decided", "stat2014", {"statistics.review_total": 4}, 4),
    # Made and issued are linked, the counts of before and after 2019 are not.
    ("h_normdocs_issued", "table2019", {"proactive.normative_documents.made": 6}, 6),
    ("h_normdocs_issued", "table2021", {"proactive.normative_documents.issued": 6}, 6),
    ("h_normdocs_issued", "stat2014", {"statistics.normative_documents_issued": 6}, 6),
    ("h_normdocs_disclosed", "table2021", {"proactive.normative_documents.in_force": 9}, "not_in_template"),
    ("h_items_disclosed", "narrative", {"~proactive.total": 1200}, 1200),
    ("h_items_disclosed", "stat2014", {"statistics.disclosed_total": 1200}, 1200),
    ("h_items_disclosed", "table2019", {"~proactive.total": 1200}, "not_in_template"),
    ("h_items_disclosed", "table2021", {"~proactive.total": 1200}, "not_in_template"),
    ("h_requests_granted", "stat2014", {"statistics.answered_granted": 5}, "not_in_template"),
    ("h_requests_answered", "table2019", {"~requests.answered.total": 5}, "not_in_template"),
    # Decisions are linked with decisions, never with items.
    ("h_licensing_decisions", "table2019", {"proactive.licensing.decisions": 30}, 30),
    ("h_licensing_decisions", "table2021", {"proactive.licensing.decisions": 30}, 30),
    ("h_licensing_decisions", "table2019", {"proactive.licensing.items_previous": 8}, "not_mentioned"),
    # Money in one unit.
    ("h_fees_charged_yuan", "stat2014", {"statistics.fees_wan_yuan": 0.0326}, 326),
    ("h_fees_charged_yuan", "narrative", {"~fees.charged_yuan": 326}, 326),
    (
        "h_fees_charged_yuan",
        "narrative",
        {
            "statistics.fees_search_yuan": 10,
            "statistics.fees_copying_yuan": 20.5,
            "statistics.fees_mailing_yuan": 0,
        },
        30.5,
    ),
    ("h_fees_charged_yuan", "table2021", {"~fees.processing_fee_yuan": 100}, "not_in_template"),
    # Prose in a report with tables, of what its form does not ask.
    ("h_trainings", "table2021", {"~capacity.trainings": 3}, 3),
]


@pytest.mark.parametrize(
    ("name", "form", "cells", "expected"), FIGURES, ids=[f"{n}-{row[0]}" for n, row in enumerate(FIGURES)]
)
def test_figures(name: str, form: Template, cells: Cells, expected: Any) -> None:
    assert shown(figures(report(form, cells))[name]) == expected


def test_a_hybrid_is_read_table_by_table() -> None:
    hybrid = Templates(
        document="table2021", proactive="table2021", requests="table2019", remedies="table2021"
    )
    found = figures(
        report(hybrid, {"requests.other_outcome.total": 3, "proactive.normative_documents.issued": 2})
    )
    assert (found["h_requests_other"].value, found["h_normdocs_issued"].value) == (3, 2)


def test_a_failed_document_has_no_figures() -> None:
    failed = record("a", status="failed", error="cut off", error_code="broken", facts=())
    found = harmonise(failed, 2023, None)
    statuses = {each.status for each in (*found.variables.values(), *found.rates.values(), found.lateness)}
    assert statuses == {"failed"}


def test_a_figure_knows_its_facts() -> None:
    found = figures(report("table2019", DENIED | {"requests.denied_third_party.total": "blank"}))
    denied, received = found["h_requests_denied"], found["h_requests_received"]
    assert [each.path for each in denied.facts] == list(DENIED)
    assert (denied.source, received.facts) == (None, ())


@pytest.mark.parametrize("variable", crosswalk().variables, ids=lambda variable: variable.name)
def test_a_blank_part_is_never_zero(variable: Variable) -> None:
    for form, ways in variable.ways.items():
        sign = "~" if form == "narrative" else ""
        for terms in ways:
            names = [f"{sign}{term.name}" for term in terms]
            whole = figures(report(form, dict.fromkeys(names, 7)))[variable.name]
            assert whole.value == 7 * sum(term.factor for term in terms)
            assert whole.source == ("narrative" if sign else "table")
            for name in names:
                cells = dict.fromkeys(names, 7) | {name: "blank"}
                assert shown(figures(report(form, cells))[variable.name]) == "blank"


# bounds of two parts, added and subtracted
BOUNDS = [
    ("exact", "exact", "exact", "exact"),
    ("at_least", "exact", "at_least", "at_least"),
    ("at_least", "at_least", "at_least", "about"),
    ("at_least", "at_most", "about", "at_least"),
    ("exact", "at_least", "at_least", "at_most"),
    ("about", "exact", "about", "about"),
]


@pytest.mark.parametrize(("left", "right", "added", "subtracted"), BOUNDS)
def test_bounds(left: str, right: str, added: str, subtracted: str) -> None:
    staff = {"~capacity.staff_full_time": (5, left), "~capacity.staff_part_time": (3, right)}
    assert figures(report("narrative", staff))["h_staff"].bound == added
    reviews = {"~remedies.review.total": (5, left), "~remedies.review.pending": (3, right)}
    assert figures(report("narrative", reviews))["h_review_decided"].bound == subtracted


# rate, form, what the report prints, expected: rate or why there is none
OUTCOMES = {"requests.granted.total": 6, "requests.partially_granted.total": 2}
CONCLUDED = "requests.concluded.total"
RATES: list[tuple[str, Template, Cells, Any]] = [
    ("rate_granted", "table2021", OUTCOMES | {CONCLUDED: 8}, 0.75),
    ("rate_granted_any", "table2021", OUTCOMES | {CONCLUDED: 8}, 1.0),
    # 0 of 0 is no rate, and is not 0.
    ("rate_granted", "table2021", {"requests.granted.total": 0, CONCLUDED: 0}, "undefined"),
    ("rate_granted", "table2021", {"requests.granted.total": 0, CONCLUDED: 4}, 0.0),
    ("rate_granted", "table2021", {"requests.granted.total": "blank", CONCLUDED: 4}, "blank"),
    ("rate_granted", "table2021", {"requests.granted.total": 1}, "not_mentioned"),
    ("rate_granted", "stat2014", {"statistics.concluded_total": 4}, "not_in_template"),
    ("rate_denied", "narrative", {}, "not_in_template"),
    # Prose and table may speak of different bodies.
    (
        "rate_granted",
        "table2021",
        {"requests.granted.total": 1, CONCLUDED: "blank", "~requests.concluded.total": 4},
        "not_comparable",
    ),
    (
        "rate_granted",
        "narrative",
        {"~requests.granted.total": 1, "~requests.concluded.total": 4},
        0.25,
    ),
    ("rate_denied", "table2021", DENIED | {CONCLUDED: 72}, 0.5),
    (
        "rate_backlog",
        "table2021",
        {"requests.carried_out.total": 2, RECEIVED: 6, "requests.carried_in.total": 2},
        0.25,
    ),
    (
        "rate_backlog",
        "table2021",
        {"requests.carried_out.total": 2, RECEIVED: 6, "requests.carried_in.total": "blank"},
        "blank",
    ),
    # Corrected / (total − pending).
    (
        "rate_review_corrected",
        "table2021",
        {"remedies.review.corrected": 1, "remedies.review.total": 6, "remedies.review.pending": 2},
        0.25,
    ),
    (
        "rate_review_corrected",
        "table2021",
        {"remedies.review.corrected": 0, "remedies.review.total": 2, "remedies.review.pending": 2},
        "undefined",
    ),
    # 洪泽区 2023: 10 / 1 / 0 / 0 with total 0. As printed there is nothing to divide by.
    (
        "rate_review_corrected",
        "table2021",
        {"remedies.review.corrected": 1, "remedies.review.total": 0, "remedies.review.pending": 0},
        "undefined",
    ),
    (
        "rate_review_corrected",
        "stat2014",
        {"statistics.review_corrected": 1, "statistics.review_total": 4},
        0.25,
    ),
    (
        "rate_lit_corrected",
        "table2019",
        {
            f"{DIRECT}.corrected": 1, f"{AFTER}.corrected": 1, f"{DIRECT}.total": 6, f"{AFTER}.total": 4,
            f"{DIRECT}.pending": 1, f"{AFTER}.pending": 1,
        },
        0.25,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form", "cells", "expected"), RATES, ids=[f"{n}-{row[0]}" for n, row in enumerate(RATES)]
)
def test_rates(name: str, form: Template, cells: Cells, expected: Any) -> None:
    variables = figures(report(form, cells))
    rate = next(each for each in crosswalk().rates if each.name == name)
    found = rate_of(rate, variables)
    assert (found.status if found.value is None else found.value) == expected


def test_parts_of_a_rate_are_kept() -> None:
    cells = {"requests.granted.total": 0, "requests.concluded.total": 0}
    found = harmonise(report("table2021", cells), 2023, None).rates["rate_granted"]
    assert (found.numerator, found.denominator) == (0, 0)


# year, kind of body, level, published, expected: days, deadline, basis
LATENESS = [
    (2018, "department", "county", "2019-03-31", 0, "2019-03-31", "regulation"),
    (2018, "township", "township", "2019-04-01", 1, "2019-03-31", "regulation"),
    (2019, "department", "county", "2020-02-01", 1, "2020-01-31", "regulation"),
    (2019, "department", "county", "2020-01-20", -11, "2020-01-31", "regulation"),
    (2023, "government", "county", "2024-04-10", 10, "2024-03-31", "regulation"),
    (2023, "government_office", "prefecture", "2024-03-31", 0, "2024-03-31", "regulation"),
    (2023, "township", "township", "2024-04-10", 10, "2024-03-31", "convention"),
    (2023, "institution", "county", "2024-04-10", 10, "2024-03-31", "convention"),
    (2023, None, None, "2024-04-10", 10, "2024-03-31", "convention"),
    (2023, "government", "county", None, "not_mentioned", "2024-03-31", "regulation"),
    (2023, "government", "county", "2024", "illegible", "2024-03-31", "regulation"),
    (None, "government", "county", "2024-04-10", "not_mentioned", None, None),
]


@pytest.mark.parametrize(("year", "kind", "level", "published", "days", "due", "basis"), LATENESS)
def test_lateness(
    year: int | None,
    kind: str | None,
    level: str | None,
    published: str | None,
    days: Any,
    due: str,
    basis: Any,
) -> None:
    cells: Cells = {} if published is None else {"meta.published_on": published}
    found = harmonise(report("table2021", cells), year, kind, level).lateness
    assert (found.status if found.days is None else found.days) == days
    assert found.deadline == (None if due is None else date.fromisoformat(due))
    assert found.basis == basis


SUMS = [
    ("a.b", (Term("a.b"),)),
    ("a.b + c_d.e - f", (Term("a.b"), Term("c_d.e"), Term("f", -1))),
    (" a * 10000 ", (Term("a", 10000),)),
]


@pytest.mark.parametrize(("text", "terms"), SUMS)
def test_sums_are_read_and_written(text: str, terms: tuple[Term, ...]) -> None:
    assert read_sum(text) == terms
    assert read_sum(written(terms)) == terms


@pytest.mark.parametrize("text", ["", "a b", "+ a", "a +", "a / b", "2 * a", "a ++ b"])
def test_no_sums(text: str) -> None:
    with pytest.raises(ValueError, match="sum"):
        read_sum(text)


def test_names_are_short_enough_for_stata() -> None:
    found = crosswalk()
    for each in (*found.variables, *found.rates, found.lateness):
        assert stata_name(each.name) == each.name
        assert len(each.label_zh) <= 30


def test_every_form_has_its_notice_and_is_linked_with_another() -> None:
    found = crosswalk()
    assert set(found.notices) == set(TEMPLATES)
    assert [each.name for each in found.variables if len(each.ways) < 2] == []


def test_what_is_not_linked_is_not_linked() -> None:
    for entry in crosswalk().not_linked:
        before, after = entry.between
        for variable in crosswalk().variables:
            left, right = (
                {term.name for terms in variable.ways.get(form, ()) for term in terms} & set(entry.fields)
                for form in (before, after)
            )
            assert not (left and right and left != right), f"{variable.name} links {left} and {right}"


def test_a_crosswalk_may_not_name_what_there_is_not() -> None:
    text = """
notices: {narrative: a, stat2014: b, table2019: c, table2021: d}
variables:
  - {name: h_x, label_zh: 某, label_en: x, unit: 件, narrative: requests.no_such_row.total, caveat: none}
rates: []
lateness: {name: rate_days, label_zh: 天, label_en: days, unit: 天, caveat: none}
not_linked: []
"""
    with pytest.raises(ValueError, match=r"no fields: requests\.no_such_row\.total"):
        read_crosswalk(text)
    with pytest.raises(ValueError, match="names twice: h_x"):
        read_crosswalk(text.replace("no_such_row", "granted").replace("rate_days", "h_x"))
    with pytest.raises(ValueError, match="colour"):
        read_crosswalk(text.replace("unit: 件", "unit: 件, colour: red"))
