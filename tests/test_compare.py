"""Runs against each other: known differences are found, and only these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, fact, gold_content, perfect, record, write_gold, write_run

from evals.compare import compare
from evals.difference import Difference
from evals.gates import Outcome, no_regression
from evals.gold import Gold
from evals.runs import RunFolder
from evals.stats import benjamini_hochberg
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


def test_several_runs_are_corrected_for_but_not_for_the_same_run_again(tmp_path: Path) -> None:
    """8 documents: the smallest p is 2/2^8. Two worse runs are two comparisons, a copy is none."""
    gold = gold_of(tmp_path, 8)
    worse = {(number, "proactive.total"): 1300 for number in range(8)}
    names = ("good", "bad", "also_bad", "same")
    runs = [run_of(tmp_path, gold, name, worse if "bad" in name else None) for name in names]
    pairs = compare(runs, gold).pairs
    assert [pair.headline[0].p for pair in pairs] == [2 / 2**8, 2 / 2**8, 1.0]
    assert [pair.headline[0].p_adjusted for pair in pairs] == [4 / 2**8, 4 / 2**8, None]
    assert "corrected for 2 comparisons 0.0156" in pairs[0].conclusion
    assert "按 2 次比较校正后 0.0156" in pairs[0].conclusion_zh
    assert "same verdict on every fact" in pairs[2].conclusion
    assert compare(runs[:2], gold).pairs[0].headline[0].p_adjusted is None


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
    bare = write_gold(tmp_path / "bare", gold_content("place_00") | {"meta": {}})
    unread = write_run(tmp_path / "unread", [record(bare.documents[0], [])])
    with pytest.raises(UsageError, match="holds no fact to compare"):
        compare([unread, unread], bare)
    with pytest.raises(UsageError, match="no annotated document"):
        compare([run, RunFolder(tmp_path / "empty", ())], gold)


# (case, difference, interval, p, corrected p, detectable, documents lost) → outcome at a margin of 0.02
GATES: list[tuple[str, Difference, tuple[str, ...], Outcome]] = [
    (name, Difference("overall", 0.9, 0.9, change, low, high, p, corrected, effect), lost, outcome)
    for name, change, low, high, p, corrected, effect, lost, outcome in [
        ("nothing differs", 0.0, 0.0, 0.0, 1.0, None, None, (), Outcome.PASSED),
        ("a larger loss is ruled out", -0.01, -0.018, -0.002, 0.06, None, 0.01, (), Outcome.PASSED),
        ("better, though on few documents", 0.047, 0.01, 0.08, 0.008, None, 0.06, (), Outcome.PASSED),
        ("a loss is shown", -0.05, -0.06, -0.04, 0.01, None, 0.01, (), Outcome.FAILED),
        ("a small loss is shown", -0.01, -0.015, -0.005, 0.01, None, 0.01, (), Outcome.FAILED),
        ("shown of one run, not of several", -0.05, -0.08, -0.02, 0.03, 0.06, 0.04, (), Outcome.TOO_THIN),
        ("a large loss that cannot be shown", -0.5, -0.5, -0.5, 0.0625, None, None, (), Outcome.TOO_THIN),
        ("no loss seen, but one is possible", 0.0, -0.05, 0.05, 0.9, None, 0.06, (), Outcome.TOO_THIN),
        ("undefined", None, None, None, None, None, None, (), Outcome.TOO_THIN),
        ("documents are missing", 0.0, 0.0, 0.0, 1.0, None, None, ("place_07",), Outcome.FAILED),
    ]
]


@pytest.mark.parametrize(("overall", "lost", "outcome"), [g[1:] for g in GATES], ids=[g[0] for g in GATES])
def test_gate_against_regressions(overall: Difference, lost: tuple[str, ...], outcome: Outcome) -> None:
    result = no_regression(overall, 0.02, "new", lost)
    assert result.outcome is outcome
    assert result.sentence.startswith("new: ")


def test_few_documents_claim_no_power(tmp_path: Path) -> None:
    """Half is lost in all documents of five issuers: p cannot fall below 0.0625."""
    gold = gold_of(tmp_path, 5)
    worse = {(number, path): None for number in range(5) for path in ("proactive.total", "fees.charged_yuan")}
    comparison = compare([run_of(tmp_path, gold, "a"), run_of(tmp_path, gold, "b", worse)], gold)
    overall = comparison.pairs[0].headline[0]
    assert (overall.p, overall.minimum_detectable_effect) == (0.0625, None)
    assert no_regression(overall, 0.02).outcome is Outcome.TOO_THIN


def test_what_only_the_reference_has_is_lost(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 8)
    whole = run_of(tmp_path, gold, "whole")
    part = RunFolder(tmp_path / "part", whole.records[:2])
    assert len(compare([whole, part], gold).lost["part"]) == 6
    assert compare([part, whole], gold).lost["whole"] == ()


def test_fields_are_corrected_by_false_discovery_and_groups_by_their_largest(tmp_path: Path) -> None:
    """8 documents: one field is lost in all of them (p = 2/2^8), one in five (p = 2/2^5), others never."""
    gold = gold_of(tmp_path, 8)
    worse = {(number, "proactive.total"): None for number in range(8)}
    worse |= {(number, "engagement.interviews"): None for number in range(5)}
    pair = compare([run_of(tmp_path, gold, "a"), run_of(tmp_path, gold, "b", worse)], gold).pairs[0]
    fields = {row.part: row for row in pair.fields}
    tested = [row.p for row in fields.values()]
    assert tested == [2 / 2**5, 2 / 2**8]
    # Five fields have a p: those two, and three in which nothing differs.
    expected = benjamini_hochberg([2 / 2**5, 2 / 2**8, 1.0, 1.0, 1.0])[:2]
    assert [row.p_adjusted for row in fields.values()] == pytest.approx(expected)
    groups = {row.part: row for row in pair.groups}
    largest = [groups[name].p_adjusted for name in ("proactive", "engagement")]
    assert all(one is not None and one >= 2 / 2**8 for one in largest)
    assert groups["proactive"].p_adjusted != pytest.approx(fields["proactive.total"].p_adjusted)


def test_a_record_answers_for_one_document(tmp_path: Path) -> None:
    """The bytes of one annotated file under the name of another: the other one is missing."""
    gold = gold_of(tmp_path, 2)
    run = run_of(tmp_path, gold, "a")
    renamed = run.records[0].model_copy(update={"doc_id": "place_01"})
    found = RunFolder(tmp_path, (renamed,)).records_of(gold.files)
    assert found == {"place_00": renamed, "place_01": None}
