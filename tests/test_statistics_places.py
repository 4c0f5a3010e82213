"""Labels of statistics tables that stand in several blocks, or nearly mean something else: never a wrong key."""

# ruff: noqa: E501 - a table row stays on one line

from __future__ import annotations

import pytest
from tables_material import read

HEAD = "统计指标 | 单位 | 统计数\n主动公开政府信息数 | 条 | 1240\n政府公报公开政府信息数 | 条 | 3\n政府网站公开政府信息数 | 条 | 1000\n"
CASES = [
    # rows, what is read of them, rows left unclaimed
    ("其他 | 条 | 66", {"disclosed_other": 66}, 0),
    (
        "收到申请数 | 件 | 53\n当面申请数 | 件 | 11\n其他 | 件 | 7",
        {"received_total": 53, "received_in_person": 11, "received_other": 7},
        0,
    ),
    (
        "行政诉讼案件数 | 件 | 9\n维持数 | 件 | 5\n被依法纠错数 | 件 | 1",
        {"litigation_total": 9, "litigation_upheld": 5, "litigation_corrected": 1},
        0,
    ),
    ("行政诉讼受理情况合计 | 件 | 9\n维持数 | 件 | 5", {"litigation_upheld": 5}, 1),
    ("被依法纠错数 | 件 | 1", {}, 1),
    ("举办培训班次数 | 次 | 12\n培训人次 | 人次 | 415", {"trainings": 12, "trainees": 415}, 0),
    ("申请人数 | 人 | 40", {}, 1),
    ("2015年收到申请数 | 件 | 40\n收到申请数 | 件 | 53", {"received_total": 53}, 1),
    ("参加新闻发布会次数 | 次 | 9", {"press_conferences": 9}, 0),
    ("依申请公开信息数 | 条 | 9", {}, 1),
]


@pytest.mark.parametrize(
    ("rows", "expected", "unclaimed"), CASES, ids=[rows.split(" |")[0] for rows, _, _ in CASES]
)
def test_a_label_is_never_put_under_another_meaning(
    rows: str, expected: dict[str, int], unclaimed: int
) -> None:
    reading = read(HEAD + rows)
    known = {"disclosed_total", "disclosed_gazette", "disclosed_website"}
    found = {fact.path.removeprefix("statistics."): fact.value for fact in reading.facts}
    assert {key: value for key, value in found.items() if key not in known} == expected
    assert sum(finding.rule == "table.unclaimed_row" for finding in reading.findings) == unclaimed
