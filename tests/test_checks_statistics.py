"""Identities of the statistics table of 2014–2018, and prose against that table."""

from __future__ import annotations

import pytest
from checks_material import Cell, Paper, named
from hypothesis import given, settings
from hypothesis import strategies as st
from statistics_material import printed_values

from pipeline.checks.statistics import SAME_COUNT, SUMS, Sum
from pipeline.prose.fields import prose_fields
from pipeline.schema import fields

LOCAL: dict[str, Cell] = {
    "received_total": 15,
    "received_in_person": 5,
    "received_fax": 1,
    "received_web": 4,
    "received_email": 2,
    "received_mail": 3,
}


def consistent() -> dict[str, Cell]:
    """The form of tests/statistics_material.py, in which everything adds up."""
    return {key: float(figure) if "." in figure else int(figure) for key, figure in printed_values().items()}


def breaches(**changed: Cell) -> list[str]:
    return Paper().statistics(consistent() | changed).breaches()


def test_a_table_that_adds_up_has_no_findings() -> None:
    assert breaches() == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"received_total": 54}, ["stat2014.total@received_total"]),
        ({"received_fax": 2}, ["stat2014.total@received_total"]),
        ({"concluded_on_time": 47}, ["stat2014.total@concluded_total"]),
        ({"answered_total": 49}, ["stat2014.total@answered_total"]),
        ({"answered_nonexistent": 6}, ["stat2014.total@answered_total"]),
        ({"answered_denied": 9}, ["stat2014.total@answered_total", "stat2014.total@answered_denied"]),
        ({"denied_privacy": 4}, ["stat2014.total@answered_denied"]),
        ({"review_total": 0}, ["stat2014.total@review_total"]),
        ({"litigation_other": 5}, ["stat2014.total@litigation_total"]),
        ({"staff_part_time": 44}, ["stat2014.total@staff_total"]),
        ({"press_conferences_leader": 5}, ["stat2014.leader@press_conferences"]),
        ({"interviews_leader": 6}, []),
        ({"interviews_leader": 7}, ["stat2014.leader@interviews"]),
        ({"disclosed_website": 1241}, ["stat2014.channels@disclosed_website"]),
        ({"disclosed_total": 1596}, ["stat2014.channels@disclosed_total"]),
        ({"disclosed_total": 1595}, []),
        ({"complaints_total": -1}, ["stat2014.non_negative@complaints_total"]),
        ({"meetings": 1.5}, ["stat2014.integer@meetings"]),
        ({"budget_wan_yuan": 36.55}, []),
        ({"budget_wan_yuan": -1.0}, ["stat2014.non_negative@budget_wan_yuan"]),
    ],
)
def test_one_wrong_cell(changed: dict[str, Cell], expected: list[str]) -> None:
    assert breaches(**changed) == expected


def test_a_finding_says_both_sides_and_keeps_the_figures() -> None:
    paper = Paper().statistics(consistent() | {"received_total": 50})
    (finding,) = paper.check()
    assert finding.message == (
        "stat2014.total, 收到申请数: the parts 11 + 3 + 32 + 7 = 53, but the total prints 50"
    )
    assert (finding.severity, finding.expected, finding.printed, finding.cause) == ("error", 53, 50, "report")
    assert "statistics.received_fax" in finding.paths
    assert len(finding.evidence) == 5


@pytest.mark.parametrize(
    ("key", "severity"),
    [("staff_total", "warning"), ("disclosed_total", "warning"), ("review_total", "error")],
)
def test_how_grave_a_breach_is(key: str, severity: str) -> None:
    findings = Paper().statistics(consistent() | {key: 5000}).check()
    assert [finding.severity for finding in findings] == [severity]


@given(st.sampled_from(sorted(consistent())), st.sampled_from(["", "/", "?"]))
@settings(max_examples=60, deadline=None)
def test_a_cell_without_a_figure_is_never_zero(key: str, print_: str) -> None:
    assert breaches(**{key: print_}) == []


@pytest.mark.parametrize("identity", SUMS, ids=lambda identity: f"{identity.whole} {len(identity.parts)}")
def test_a_part_that_is_not_printed_leaves_a_sum_open(identity: Sum) -> None:
    cells = dict(LOCAL if "received_web" in identity.parts else consistent())
    cells[identity.whole] = 5000
    name = f"stat2014.total@{identity.whole}"
    assert name in Paper().statistics(cells).breaches()
    del cells[identity.parts[-1]]
    assert name not in Paper().statistics(cells).breaches()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"received_total": 16}, ["stat2014.total@received_total"]),
        ({"received_total": 16, "received_other": 1}, []),
        ({"received_other": ""}, []),
    ],
)
def test_local_forms_count_e_mail_apart(changed: dict[str, Cell], expected: list[str]) -> None:
    assert Paper().statistics(LOCAL | changed).breaches() == expected


def test_a_local_outcome_counts_where_it_is_printed() -> None:
    more: dict[str, Cell] = {"answered_repeat": 3, "answered_total": 53}
    assert Paper().statistics(consistent() | more).breaches() == []
    assert Paper().statistics(consistent() | {"answered_repeat": 3}).breaches() == [
        "stat2014.total@answered_total"
    ]


# Prose against the table


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("共主动公开[1240条|proactive.total]", []),
        ("共主动公开[1204条|proactive.total]", ["cross.proactive@total"]),
        ("共主动公开[1200余条|proactive.total|at_least]", []),
        ("共主动公开[1300余条|proactive.total|at_least]", ["cross.proactive@total"]),
        ("网站公开[1051条|proactive.channel.website]", ["cross.proactive@channel.website"]),
        ("收到申请[35件|requests.new_received.total]", ["cross.requests@new_received"]),
        ("[未收到|requests.new_received.total|zero]申请", ["cross.zero@new_received"]),
        ("网上申请[23件|requests.by_channel.online]", ["cross.requests@by_channel.online"]),
        ("发生复议[6件|remedies.review.total]", []),
        ("发生诉讼[6件|remedies.litigation.total]", ["cross.remedies@litigation"]),
        (
            "制发规范性文件[18件|proactive.normative_documents.issued]",
            ["cross.normative_documents@issued"],
        ),
        ("收取费用[600元|fees.charged_yuan]", []),
        ("收取费用[60元|fees.charged_yuan]", ["cross.fees@charged_yuan"]),
        ("[未收取|fees.charged_yuan|zero]费用", ["cross.zero@charged_yuan"]),
        ("投诉[4件|complaints.total]", ["cross.complaints@total"]),
        ("培训[415人次|capacity.trainees]", []),
        ("专项经费[36.5万元|capacity.budget_wan_yuan]", []),
        ("专项经费[30万元|capacity.budget_wan_yuan]", ["cross.capacity@budget_wan_yuan"]),
    ],
)
def test_prose_and_table(prose: str, expected: list[str]) -> None:
    assert Paper().prose(prose).statistics(consistent()).breaches() == expected


def test_another_scope_makes_only_a_note() -> None:
    paper = Paper().prose("全县共公开[9000条|proactive.total|jurisdiction]").statistics(consistent())
    assert [(named(finding), finding.severity) for finding in paper.check()] == [
        ("cross.proactive@total", "note")
    ]


def test_every_row_that_prose_restates_is_of_the_schema() -> None:
    assert set(SAME_COUNT) <= set(prose_fields())
    assert {f"statistics.{key}" for key in SAME_COUNT.values()} <= set(fields())
    money = {path for path in SAME_COUNT if fields()[path].kind != "count"}
    assert money == {"fees.charged_yuan", "capacity.budget_wan_yuan"}
