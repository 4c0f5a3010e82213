"""The disturbance suite over a sample report: targets, and that it can tell good from bad."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables_material import SAMPLES

from evals.benchmarks.disturbance import TARGET_RIGHT, Trial, load_reports, run, total
from evals.benchmarks.table_carriers import CARRIERS, render
from evals.benchmarks.table_disturbances import DISTURBANCES

REPORTS = ("tinglan_2020", "qilan_2022")  # a 2019 form, and a 2021 form with blank cells


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    reports = load_reports([SAMPLES / f"{name}.yaml" for name in REPORTS])
    return run(reports, tmp_path_factory.mktemp("disturbed"))


def test_target_of_right_cells(trials: list[Trial]) -> None:
    score = total(trials)
    assert score.cells == len(DISTURBANCES) * len(CARRIERS) * (198 + 200)
    assert score.share_right >= TARGET_RIGHT


def test_no_cell_goes_wrong_without_a_finding(trials: list[Trial]) -> None:
    assert [(trial.disturbance, trial.carrier, trial.silent) for trial in trials if trial.score.silent] == []


def test_the_naive_parser_is_no_match(trials: list[Trial]) -> None:
    score = total(trials)
    assert score.naive_right < 0.8 * score.right


@pytest.mark.parametrize("name", [name for name in DISTURBANCES if name not in ("plain", "thousands")])
def test_each_disturbance_changes_the_file(name: str) -> None:
    report = load_reports([Path(SAMPLES / "tinglan_2020.yaml")])[0]
    disturbed = DISTURBANCES[name](report)
    assert any(render(disturbed, carrier) != render(report, carrier) for carrier in CARRIERS)
