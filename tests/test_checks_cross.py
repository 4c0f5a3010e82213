"""Prose against table."""

from __future__ import annotations

import pytest
from checks_material import Cell, Paper, named, remedies_grid, requests_grid

RECEIVED = "requests.new_received.total"


def county(**inner: list[int]) -> Paper:
    """A county whose table prints 12 requests received, all granted, unless told otherwise."""
    grid = requests_grid("table2021", inner or {"granted": [12, 0, 0, 0, 0, 0]})
    return Paper(requests="table2021", proactive="table2021").table("requests", grid)


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("全年收到申请[12件|requests.new_received.total]。", []),
        ("全年收到申请[13件|requests.new_received.total]。", ["cross.requests@new_received"]),
        ("全年收到申请[10余件|requests.new_received.total|at_least]。", []),
        ("全年收到申请[20余件|requests.new_received.total|at_least]。", ["cross.requests@new_received"]),
        ("收到申请近[15件|requests.new_received.total|at_most]。", []),
        ("收到申请近[10件|requests.new_received.total|at_most]。", ["cross.requests@new_received"]),
        ("收到申请约[13件|requests.new_received.total|about]。", []),
        ("收到申请约[20件|requests.new_received.total|about]。", ["cross.requests@new_received"]),
        ("本年[未收到|requests.new_received.total|zero]申请。", ["cross.zero@new_received"]),
        ("予以公开[11件|requests.granted.total]。", ["cross.requests@granted"]),
        ("企业申请[1件|requests.new_received.company]。", ["cross.requests@new_received"]),
        ("答复[12件|requests.answered.total]。", []),
        ("答复[9件|requests.answered.total]。", []),
        ("答复[14件|requests.answered.total]。", ["cross.requests@answered"]),
        ("网上申请[40件|requests.by_channel.online]。", []),
    ],
)
def test_requests(prose: str, expected: list[str]) -> None:
    assert county().prose(prose).breaches() == expected


@pytest.mark.parametrize(
    ("scope", "severity", "cause"),
    [("", "error", "report"), ("|own", "error", "report"), ("|jurisdiction", "note", "scope")],
)
def test_another_scope_makes_only_a_note(scope: str, severity: str, cause: str) -> None:
    (finding,) = county().prose(f"收到申请[13件|{RECEIVED}{scope}]。").check()
    assert (finding.severity, finding.cause) == (severity, cause)
    assert (finding.expected, finding.printed) == (12, 13)
    assert finding.message == (
        "cross.requests, 本年新收政府信息公开申请数量 总计: the prose prints 13件, but the table 12"
    )


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("行政复议[3件|remedies.review.total]。", []),
        ("行政复议[4件|remedies.review.total]。", ["cross.remedies@review"]),
        ("[未发生|remedies.review.total|zero]行政复议。", ["cross.zero@review"]),
        ("行政诉讼[5件|remedies.litigation.total]。", []),
        ("行政诉讼[2件|remedies.litigation.total]。", ["cross.remedies@litigation"]),
        ("诉讼中结果纠正[1件|remedies.litigation.corrected]。", []),
        ("[未发生|remedies.litigation.total|zero]行政诉讼。", ["cross.zero@litigation"]),
    ],
)
def test_remedies(prose: str, expected: list[str]) -> None:
    grid = remedies_grid(
        review=[1, 1, 0, 1, 3], litigation_direct=[1, 0, 1, 0, 2], litigation_after_review=[1, 1, 1, 0, 3]
    )
    assert Paper(remedies="table2021").table("remedies", grid).prose(prose).breaches() == expected


@pytest.mark.parametrize(
    ("form", "cells", "prose", "expected"),
    [
        ("table2021", {"issued": 4}, "[4件|proactive.normative_documents.issued]", []),
        ("table2021", {"issued": 4}, "[5件|proactive.normative_documents.issued]", ["issued"]),
        ("table2019", {"made": 4}, "[5件|proactive.normative_documents.issued]", ["issued"]),
        ("table2019", {"disclosed": 4}, "[4件|proactive.normative_documents.disclosed]", []),
        ("table2019", {"disclosed": 4}, "[6件|proactive.normative_documents.disclosed]", ["disclosed"]),
        ("table2021", {"in_force": 4}, "[6件|proactive.normative_documents.disclosed]", []),
    ],
)
def test_normative_documents(form: str, cells: dict[str, Cell], prose: str, expected: list[str]) -> None:
    paper = Paper(proactive=form).table("proactive", {"normative_documents": cells})
    paper.prose(f"规范性文件{prose}。")
    assert paper.breaches() == [f"cross.normative_documents@{at}" for at in expected]


def test_no_request_no_outcome_beyond_those_carried_in() -> None:
    none_new = county(carried_in=[2, 0, 0, 0, 0, 0], granted=[2, 0, 0, 0, 0, 0])
    assert none_new.breaches() == []
    grid = requests_grid("table2021", {"carried_in": [2, 0, 0, 0, 0, 0], "granted": [2, 0, 0, 0, 0, 0]})
    for row in ("granted", "concluded"):
        grid[row]["natural_person"] = grid[row]["total"] = 3
    found = Paper(requests="table2021").table("requests", grid).breaches()
    assert found == ["requests.balance@natural_person", "requests.balance@total", "cross.zero@concluded"]


def test_zero_in_prose_stands_in_for_a_blank_cell() -> None:
    grid = requests_grid("table2021", {"granted": [1, 0, 0, 0, 0, 0]})
    grid["new_received"]["total"] = ""
    paper = Paper(requests="table2021").table("requests", grid).prose(f"[未收到|{RECEIVED}|zero]申请。")
    assert [named(finding) for finding in paper.check()] == ["cross.zero@concluded"]


def test_nothing_to_compare_with_is_not_assessable() -> None:
    assert Paper(document="narrative").prose(f"收到申请[13件|{RECEIVED}]。").breaches() == []
    blank = Paper(requests="table2019").table("requests", {"new_received": {"total": ""}})
    assert blank.prose(f"收到申请[13件|{RECEIVED}]。").breaches() == []
