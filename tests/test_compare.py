"""Runs against each other: known differences are found, and only these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, fact, gold_content, perfect, record, write_gold, write_run

from evals.compare import Difference, compare
from evals.gates import Outcome, no_regression
from evals.gold import Gold
from evals.runs import RunFolder
from pipeline.errors import UsageError
from pipeline.fact import Fact

LINES = [
    {"path": "proactive.total", "value": 1200, "raw": "1200余条", "bound": "at_least", "scope": None},
    {"path": "engagement.interviews", "value": 3, "raw": "3期", "scope": None},
    {"path": "fees.charged_yuan", "value": 0, "raw": "未收取", "status": "zero_in_words", "scope": None},
]


def gold_of(folder: Path, count: int) -> Gold:
    return write_gold(
        folder / "gold",
        *(
            gold_content(
                f"place_{number:02}",
                meta={"issuer": f"第{number}镇人民政府"},
                templates=FORM_2021,
                proactive={"licensing": {"decisions": number}},
                narrative=LINES,
            )
            for number in range(count)
        ),
    )


def run_of(
    folder: Path, gold: Gold, name: str, planted: dict[tuple[int, str], Any] | None = None
) -> RunFolder:
    """A faultless run but for `planted`: (document, path) → value, or None to leave the fact out."""
    records = []
    for number, document in enumerate(gold.documents):
        facts: list[Fact] = []
        for one in perfect(document):
            value = (planted or {}).get((number, one.path), one.value)
            if value is not None:
                facts.append(one.model_copy(update={"value": value}))
        facts += [
            fact(path, value)
            for (where, path), value in (planted or {}).items()
            if where == number and path == "complaints.total"
        ]
        records.append(record(document, facts))
    return write_run(folder / name, records)


PLANTED = {
    (0, "proactive.total"): 1300,
    (1, "engagement.interviews"): None,
    (2, "meta.issuer"): "别处人民政府",
    (3, "complaints.total"): 4,
    (4, "proactive.licensing.decisions"): 99,
}


def test_a_run_against_itself_shows_nothing(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 8)
    run = run_of(tmp_path, gold, "a", PLANTED)
    pair = compare([run, run], gold).pairs[0]
    assert [(row.difference, row.p) for row in pair.headline] == [(0.0, 1.0)] * 4
    assert (pair.changes, pair.fields) == ((), ())
    assert (pair.outcomes.wins, pair.outcomes.ties, pair.outcomes.losses) == (0, 8, 0)
    assert "same verdict on every fact of 8 documents" in pair.conclusion


def test_exactly_the_planted_errors_are_listed(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 8)
    good, bad = run_of(tmp_path, gold, "good"), run_of(tmp_path, gold, "bad", PLANTED)
    pair = compare([good, bad], gold).pairs[0]
    assert {(int(c.doc_id[-2:]), c.path): c.verdict_b for c in pair.changes} == {
        (0, "proactive.total"): "wrong",
        (1, "engagement.interviews"): "omitted",
        (2, "meta.issuer"): "wrong",
        (3, "complaints.total"): "invented",
        (4, "proactive.licensing.decisions"): "wrong",
    }
    assert {c.kind for c in pair.changes} == {"regression"}
    back = compare([bad, good], gold).pairs[0]
    assert {c.kind for c in back.changes} == {"fix"}
    assert back.headline[0].difference == -(pair.headline[0].difference or 0)
    assert (pair.outcomes.losses, back.outcomes.wins) == (5, 5)


CONCLUSIONS = [
    ({}, "have the same verdict on every fact"),
    ({(0, "proactive.total"): 1300}, "No difference between good and bad can be shown"),
    ({(number, "proactive.total"): 1300 for number in range(8)}, "good is better than bad"),
]


@pytest.mark.parametrize(("planted", "said"), CONCLUSIONS)
def test_conclusion_in_one_sentence(tmp_path: Path, planted: dict[tuple[int, str], Any], said: str) -> None:
    gold = gold_of(tmp_path, 8)
    runs = [run_of(tmp_path, gold, "good"), run_of(tmp_path, gold, "bad", planted)]
    assert said in compare(runs, gold).pairs[0].conclusion


def test_three_runs_make_a_leaderboard(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 6)
    runs = [
        run_of(tmp_path, gold, "middle", {(0, "proactive.total"): 1}),
        run_of(tmp_path, gold, "worst", PLANTED),
        run_of(tmp_path, gold, "best"),
    ]
    comparison = compare(runs, gold)
    assert [row["run"] for row in comparison.leaderboard] == ["best", "middle", "worst"]
    assert [(pair.a, pair.b) for pair in comparison.pairs] == [("middle", "worst"), ("middle", "best")]
    content = json.dumps(comparison.as_dict(), allow_nan=False)
    assert json.loads(content)["gold_hash"] == gold.hash


def test_documents_that_one_run_lacks_are_left_out_for_all_and_named(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 4)
    whole, part = run_of(tmp_path, gold, "whole"), run_of(tmp_path, gold, "part")
    part = RunFolder(part.folder, part.records[:3])
    comparison = compare([whole, part], gold)
    assert comparison.documents == ("place_00", "place_01", "place_02")
    assert any("part lacks place_03" in warning for warning in comparison.warnings)
    assert any("no difference can reach p < 0.05" in warning for warning in comparison.warnings)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 2)
    run = run_of(tmp_path, gold, "a")
    with pytest.raises(UsageError, match="two or more"):
        compare([run], gold)
    with pytest.raises(UsageError, match="no annotated document"):
        compare([run, RunFolder(tmp_path / "empty", ())], gold)


def difference(change: float | None, p: float | None, detectable: float | None) -> Difference:
    return Difference("overall", 0.9, 0.9, change, None, None, p, None, detectable)


GATES = [
    (difference(0.0, 1.0, 0.01), Outcome.PASSED),
    (difference(-0.01, 0.3, 0.015), Outcome.PASSED),
    (difference(-0.05, 0.01, 0.01), Outcome.FAILED),
    (difference(-0.05, 0.01, 0.08), Outcome.FAILED),
    (difference(-0.05, 0.2, 0.08), Outcome.TOO_THIN),
    (difference(None, None, None), Outcome.TOO_THIN),
]


@pytest.mark.parametrize(("overall", "outcome"), GATES)
def test_gate_against_regressions(overall: Difference, outcome: Outcome) -> None:
    assert no_regression(overall, margin=0.02).outcome is outcome
