"""Identities within the tables: requests, remedies, proactive disclosure, counts."""

from __future__ import annotations

import pytest
from checks_material import Cell, Grid, Paper, named, remedies_grid, requests_grid
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fact import Evidence, Finding
from pipeline.schema import APPLICANTS, OUTCOME_ROWS_EXCLUDED, outcome_rows

FORMS = ("table2019", "table2021")
COUNTS = st.lists(st.integers(0, 400), min_size=6, max_size=6)


@st.composite
def consistent_tables(draw: st.DrawFn) -> tuple[str, Grid]:
    """A form and a requests table in which every identity holds and something was received."""
    form = draw(st.sampled_from(FORMS))
    rows = draw(st.lists(st.sampled_from(outcome_rows("table2019")[:18]), min_size=1, unique=True))
    inner = {row: draw(COUNTS) for row in rows}
    inner["carried_out"] = [count + 1 for count in draw(COUNTS)]
    return form, requests_grid(form, inner)


def breaches(form: str, grid: Grid) -> set[str]:
    return set(Paper(requests=form).table("requests", grid).breaches())


@given(consistent_tables())
@settings(max_examples=25, deadline=None)
def test_a_consistent_table_has_no_findings(table: tuple[str, Grid]) -> None:
    assert breaches(*table) == set()


@given(consistent_tables(), st.data())
@settings(max_examples=60, deadline=None)
def test_one_wrong_cell_breaks_exactly_the_identities_it_stands_in(
    table: tuple[str, Grid], data: st.DataObject
) -> None:
    form, grid = table
    row = data.draw(st.sampled_from(list(grid)))
    applicant = data.draw(st.sampled_from(APPLICANTS))
    cell = grid[row][applicant]
    assert isinstance(cell, int)
    grid[row][applicant] = cell + data.draw(st.integers(1, 9))
    expected = {f"requests.row_total@{row}"}
    if row not in OUTCOME_ROWS_EXCLUDED or row == "concluded":
        expected.add(f"requests.outcome_total@{applicant}")
    if row in OUTCOME_ROWS_EXCLUDED:
        expected.add(f"requests.balance@{applicant}")
    assert breaches(form, grid) == expected


@given(consistent_tables(), st.data(), st.sampled_from(["", "/", "?"]))
@settings(max_examples=40, deadline=None)
def test_a_cell_without_a_figure_is_never_zero(
    table: tuple[str, Grid], data: st.DataObject, print_: str
) -> None:
    form, grid = table
    row = data.draw(st.sampled_from(list(grid)))
    grid[row][data.draw(st.sampled_from(APPLICANTS))] = print_
    assert breaches(form, grid) == set()


def test_balance_in_words() -> None:
    grid = requests_grid("table2021", {"granted": [4, 2, 0, 0, 0, 0]})
    grid["new_received"]["company"] = 3
    grid["new_received"]["total"] = 7
    found = Paper(requests="table2021").table("requests", grid).check()
    assert [named(finding) for finding in found] == ["requests.balance@company", "requests.balance@total"]
    assert found[0].message == (
        "requests.balance, 商业企业: 3 + 0 received and carried in, but 2 + 0 concluded and carried out"
    )
    assert (found[0].severity, found[0].expected, found[0].printed, found[0].cause) == (
        "error",
        3,
        2,
        "report",
    )
    assert found[0].paths == (
        "requests.new_received.company",
        "requests.carried_in.company",
        "requests.concluded.company",
        "requests.carried_out.company",
    )
    assert len(found[0].evidence) == 4


def test_the_sixth_outcome_has_one_row_in_2019_and_three_in_2021() -> None:
    grid = requests_grid("table2019", {"other_outcome": [1, 0, 0, 0, 0, 0]})
    assert breaches("table2019", grid) == set()
    grid["concluded"]["natural_person"] = 2
    assert "requests.outcome_total@natural_person" in breaches("table2019", grid)
    assert not any("outcome_total" in rule for rule in breaches("table2021", grid)), "rows are missing"


@pytest.mark.parametrize(
    ("block", "cells", "expected"),
    [
        ("review", [9, 2, 0, 0, 0], ["remedies.total@review"]),
        ("review", [9, 2, 0, 0, 11], []),
        ("litigation_direct", [0, 0, 0, 1, 2], ["remedies.total@litigation_direct"]),
        ("litigation_after_review", [4, 0, 0, 0, 0], ["remedies.total@litigation_after_review"]),
        ("litigation_after_review", [4, "", 0, 0, 0], []),
        ("litigation_after_review", [4, "/", 0, 0, 0], []),
        ("litigation_after_review", [4, 0, 0, 0, "?"], []),
    ],
)
def test_remedies(block: str, cells: list[Cell], expected: list[str]) -> None:
    assert Paper().table("remedies", remedies_grid(**{block: cells})).breaches() == expected


@pytest.mark.parametrize(
    ("item", "cells", "expected"),
    [
        ("licensing", {"items_previous": 12, "items_change": -3}, []),
        ("licensing", {"decisions": -3}, ["proactive.non_negative@licensing"]),
        ("licensing", {"decisions": 2.5}, ["proactive.integer@licensing"]),
        ("licensing", {"items_change": -2.5}, ["proactive.integer@licensing"]),
        ("administrative_fees", {"amount_wan_yuan": 7.28}, []),
        ("procurement", {"amount_yuan": -1.5}, ["proactive.non_negative@procurement"]),
        ("normative_documents", {"made": 4, "disclosed": 4, "disclosed_total": 16}, []),
        (
            "normative_documents",
            {"made": 4, "disclosed": 16, "disclosed_total": 4},
            ["proactive.disclosed_le_total@normative_documents"],
        ),
        ("regulations", {"disclosed": 1, "disclosed_total": ""}, []),
    ],
)
def test_proactive(item: str, cells: dict[str, Cell], expected: list[str]) -> None:
    assert Paper(proactive="table2019").table("proactive", {item: cells}).breaches() == expected


def test_counts_of_requests_and_remedies_are_whole_too() -> None:
    paper = Paper().table("requests", {"granted": {"company": 1.5}})
    paper.table("remedies", {"review": {"pending": -1}})
    assert paper.breaches() == ["requests.integer@granted", "remedies.non_negative@review"]


@pytest.mark.parametrize(
    ("level", "amount", "is_implausible"),
    [
        ("county", 7730.28, False),
        ("county", 77_302_800, True),
        ("prefecture", 96171.6, False),
        ("prefecture", 961_716_000, True),
        ("township", 120_000, True),
        (None, 961_716_000, False),
    ],
)
def test_fees_in_the_wrong_unit(level: str | None, amount: float, is_implausible: bool) -> None:
    paper = Paper().table("proactive", {"administrative_fees": {"amount_wan_yuan": amount}})
    if level is not None:
        paper.meta(level=level)
    assert paper.breaches() == ["proactive.fee_unit@administrative_fees"] * is_implausible


@pytest.mark.parametrize("second", [3, ""])
def test_two_prints_of_one_cell_that_differ_are_not_assessable(second: Cell) -> None:
    paper = Paper().table("remedies", remedies_grid(review=[1, 0, 0, 0, 2]))
    assert paper.breaches() == ["remedies.total@review"]
    assert paper.table("remedies", {"review": {"total": second}}).breaches() == []


def broken_review(confidence: float = 1.0) -> Paper:
    return Paper().table("remedies", remedies_grid(review=[9, 2, 0, 0, 0]), confidence)


def complaint(**values: object) -> Finding:
    return Finding.model_validate(
        {"rule": "table.row_length", "severity": "warning", "message": "one figure too few", **values}
    )


@pytest.mark.parametrize(
    ("confidence", "complaints", "cause"),
    [
        (1.0, [], "report"),
        (0.95, [], "unknown"),
        (0.8, [], "reading"),
        (1.0, [complaint(at="review")], "reading"),
        (1.0, [complaint(paths=("remedies.review.pending",))], "reading"),
        (1.0, [complaint(evidence=(Evidence(start=0, end=1, table=0, row=0),))], "reading"),
        (1.0, [complaint(evidence=(Evidence(start=0, end=1, table=0),))], "reading"),
        (1.0, [complaint(evidence=(Evidence(start=0, end=1, table=0, row=5, column=1),))], "report"),
        (1.0, [complaint(evidence=(Evidence(start=0, end=1, table=3, row=0),))], "report"),
        (1.0, [complaint(at="litigation_direct")], "report"),
        (1.0, [complaint(rule="requests.balance", at="review")], "report"),
    ],
)
def test_suspected_cause(confidence: float, complaints: list[Finding], cause: str) -> None:
    (finding,) = broken_review(confidence).check(complaints)
    assert finding.cause == cause


def test_a_figure_that_its_evidence_does_not_show_is_suspected_to_be_misread() -> None:
    paper = broken_review()
    paper.text = paper.text.replace("9", "7")
    assert [finding.cause for finding in paper.check()] == ["reading"]


def test_a_model_that_overrules_the_rules_is_suspected() -> None:
    paper = broken_review()
    overruled = {"method": "label", "alternatives": (("remedies.review.upheld", "rule"),)}
    paper.facts[1] = paper.facts[1].model_copy(update=overruled)
    assert [finding.cause for finding in paper.check()] == ["reading"]


def test_checks_alter_no_fact() -> None:
    paper = broken_review()
    before = [fact.model_dump_json() for fact in paper.facts]
    paper.check()
    assert [fact.model_dump_json() for fact in paper.facts] == before
