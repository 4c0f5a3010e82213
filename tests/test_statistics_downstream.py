"""The statistics table on its way through a run: shown, exported, annotated, scored, never filled."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
import yaml
from statistics_material import as_html, as_lines, printed_values

from evals.cli import add_commands
from pipeline.cli.app import app as pipeline_app
from pipeline.cli.app import run_app
from pipeline.fill.form import fill_form
from pipeline.schema import fields


def call(*arguments: object) -> int:
    """The exit code of the command."""
    app = typer.Typer()
    add_commands(app)
    return run_app(
        app if arguments[0] in ("gold", "eval") else pipeline_app, [str(argument) for argument in arguments]
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a web page and over text with one cell a line."""
    folder = tmp_path_factory.mktemp("statistics")
    (folder / "reports").mkdir()
    (folder / "reports" / "page.html").write_text(as_html(), encoding="utf-8")
    (folder / "reports" / "lines.txt").write_text(as_lines(), encoding="utf-8")
    assert call("extract", folder / "reports", "--out", folder / "run", "--strategy", "rules") == 0
    return folder / "run"


def test_show_has_a_section_of_its_own(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("show", run, "page") == 0
    out = capsys.readouterr().out
    assert "document stat2014" in out
    section = out[out.index("统计表 statistics (table)") : out.index("正文 prose")]
    assert section.count("statistics.") == len(printed_values())
    assert "主动公开 proactive (table)" not in out
    assert "cross.proactive" in out


def test_export(run: Path, tmp_path: Path) -> None:
    assert call("export", run, "--format", "csv", "--out", tmp_path) == 0

    def table(name: str) -> list[dict[str, str]]:
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    for row in table("reports"):
        assert {key: float(row[f"statistics.{key}"]) for key in printed_values()} == {
            key: float(figure) for key, figure in printed_values().items()
        }
        assert row["statistics.received_email__status"] == "not_mentioned"
    codebook = {row["column"]: row for row in table("codebook") if row["table"] == "field"}
    budget = codebook["statistics.budget_wan_yuan"]
    assert (budget["unit"], budget["kind"], budget["template"]) == ("万元", "wan_yuan", "stat2014")
    assert budget["label"] == "机构建设和保障经费情况 / 政府信息公开专项经费"
    assert codebook["statistics.received_email"]["template"] == ""


def test_gold_is_annotated_checked_and_scored(run: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    assert call("gold", "new", run, "page", "--out", gold) == 0
    frame = (gold / "page.yaml").read_text(encoding="utf-8")
    assert frame.count(": ~\n") == len(printed_values())
    values = {
        key: float(figure) if "." in figure else int(figure) for key, figure in printed_values().items()
    }
    annotated = yaml.safe_load(frame) | {
        "status": "adjudicated",
        "annotators": ["a"],
        "statistics": values | {"review_total": 5, "local_key": 3},
        "meta": {},
        "narrative": [],
        "findings": ["stat2014.total@review_total", "cross.proactive@channel.website"],
        "text": {},
    }
    (gold / "page.yaml").write_text(yaml.safe_dump(annotated, allow_unicode=True), encoding="utf-8")
    assert call("eval", run, "--gold", gold, "--out", tmp_path / "score") == 0
    scores = json.loads((tmp_path / "score" / "scores.json").read_text(encoding="utf-8"))
    group = scores["by_group"]["statistics"]
    assert (group["correct"], group["wrong"], group["omitted"]) == (len(values) - 1, 1, 1)
    assert scores["by_template"]["stat2014"]["correct"] == len(values) - 1
    assert "统计表 statistics" in (tmp_path / "score" / "report.html").read_text(encoding="utf-8")


def test_gold_check_knows_the_sums(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gold", "new", run, "page", "--out", tmp_path, "--prefill") == 0
    frame = (tmp_path / "page.yaml").read_text(encoding="utf-8")
    assert "  received_total: 53\n" in frame
    (tmp_path / "page.yaml").write_text(frame.replace("received_total: 53", "received_total: 54"), "utf-8")
    call("gold", "check", tmp_path)
    assert "stat2014.total@received_total is broken by the figures but not listed" in capsys.readouterr().out


def test_a_model_is_not_asked_to_fill_it() -> None:
    form = fill_form(set(fields()))
    assert "statistics" not in form.outline
    assert not [path for path in form.paths if path.startswith("statistics.")]
