"""How well wording alone reads the sample reports: a floor that a change must not go under.

The floor is no target. It stands a little under what was measured (prose F1 0.939 on nine
made-up reports); `evals` gives the interval, which is wide.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from run_material import ROOT

from evals.gold import load_gold
from evals.runs import load_run
from evals.score import Scoring, score_run, scores
from pipeline.cli.app import app, run_app

SAMPLES = ROOT / "gold" / "samples"
PROSE_F1_FLOOR = 0.93


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Scoring:
    """A run over the samples without a model, judged."""
    run = tmp_path_factory.mktemp("score") / "run"
    assert run_app(app, ["extract", str(SAMPLES), "--out", str(run), "--strategy", "rules"]) == 0
    return score_run(load_run(run), load_gold(SAMPLES))


@pytest.fixture(scope="module")
def scored(scoring: Scoring) -> dict[str, Any]:
    return scores(scoring)


def test_every_sample_is_scored(scored: dict[str, Any]) -> None:
    reports = [path for path in Path(SAMPLES).iterdir() if path.suffix != ".yaml"]
    assert len(scored["documents"]["scored"]) == len(reports)
    assert scored["documents"]["failed"] == []
    assert scored["documents"]["missing"] == []


def test_prose_is_not_under_the_floor(scored: dict[str, Any]) -> None:
    assert scored["prose"]["f1"] >= PROSE_F1_FLOOR


def test_tables_are_exactly_right(scored: dict[str, Any]) -> None:
    tables = scored["tables"]
    assert tables["correct"] > 0
    assert (tables["wrong"], tables["omitted"], tables["invented"]) == (0, 0, 0)


def test_no_figure_of_the_prose_is_invented(scoring: Scoring) -> None:
    """Every fact is read off a print: its evidence holds it to the letter."""
    found = 0
    for name, record in scoring.records.items():
        text = scoring.texts[name]
        assert record is not None
        assert text is not None
        for fact in record.facts:
            if fact.source == "narrative":
                assert fact.raw in text[fact.evidence.start : fact.evidence.end], fact
                found += 1
    assert found > 0


def test_every_fact_is_grounded(scored: dict[str, Any]) -> None:
    assert scored["grounding"]["contains_raw"] == 1.0


def test_findings_are_those_of_the_gold(scored: dict[str, Any]) -> None:
    assert scored["findings"]["missed"] == ()
    assert scored["findings"]["beyond"] == ()
    assert scored["findings"]["listed"] > 0
