"""`import pipeline`: one report, runs as frames, and the README's example as it is printed there."""

from __future__ import annotations

import asyncio
import doctest
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from fake_server import fake_server_process
from run_material import ROOT

import pipeline
from pipeline.errors import DocumentError, NotAReport, StartError, UsageError
from pipeline.export.tables import TABLES
from pipeline.runs.record import RecordFile, write_text

SAMPLES = ROOT / "gold" / "samples"
PDF = SAMPLES / "botang_2023.pdf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder as `make run` leaves it: `gold/samples` and the run `out/samples`."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copytree(SAMPLES, folder / "gold" / "samples")
    run = folder / "out" / "samples"
    run.mkdir(parents=True)
    file = RecordFile(run)
    for path in sorted(SAMPLES.iterdir()):
        if path.suffix != ".yaml":
            report = pipeline.extract(path)
            file.append(report.record)
            write_text(run, report.record.sha256, report.text)
    file.close()
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> pipeline.Run:
    return pipeline.read_run(folder / "out" / "samples")


def test_the_example_of_the_readme(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if ">>>" in block]
    assert len(blocks) == 1
    example = doctest.DocTestParser().get_doctest(blocks[0], {}, "README.md", "README.md", 0)
    output: list[str] = []
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=output.append)
    assert results.attempted > 5
    assert not output, "".join(output)


def test_importing_loads_nothing() -> None:
    heavy = "{'numpy', 'pandas', 'pyarrow', 'pydantic', 'pipeline.api'}"
    code = f"import sys, pipeline; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_importing_is_quick() -> None:
    code = (
        "import time, typing; began = time.process_time(); import pipeline; "
        "print(time.process_time() - began)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(done.stdout) < 0.05


def test_the_package_names_what_it_offers() -> None:
    assert {"extract", "read_run", "Run", "ExtractedReport"} <= set(dir(pipeline))
    for name in pipeline.__all__:
        thing = getattr(pipeline, name)
        assert name == "__version__" or thing.__doc__, f"{name} is not documented"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(pipeline, "nothing")  # noqa: B009


def test_a_report(run: pipeline.Run) -> None:
    report = pipeline.extract(str(PDF))
    assert report.templates.document == "table2021"
    assert (report.record.doc_id, report.record.file) == ("botang_2023", "botang_2023.pdf")
    assert report.record.facts == next(each for each in run.records() if each.doc_id == "botang_2023").facts
    assert all(fact.raw in report.printed(fact) for fact in report.facts if fact.source == "table")
    assert report.get("meta.issuer") is not None
    assert report.get("meta.issuer", "table") is None
    assert report.get("no.such.path") is None
    assert report.harmonised().rates["rate_granted"].value == pytest.approx(24 / 59)
    frame = report.frame()
    assert len(frame) == len(report.facts)
    assert frame["page"].dtype == "Int64"


def test_frames(run: pipeline.Run) -> None:
    frames = {name: getattr(run, name)() for name in TABLES}
    assert all(isinstance(frame, pd.DataFrame) for frame in frames.values())
    assert len(frames["documents"]) == len(frames["reports"]) == len(frames["panel"]) == 9
    assert len(frames["facts"]) == frames["documents"]["facts"].sum()
    assert frames["panel"]["year"].dtype == "Int64"
    assert frames["panel"]["h_requests_received"].dtype == "float64"
    missing = frames["panel"]["h_requests_denied"].isna()
    statuses = frames["panel"]["h_requests_denied__status"]
    assert not statuses[missing].isin(["value", "zero_in_words"]).any()
    assert statuses[~missing].isin(["value", "zero_in_words"]).all()


def test_texts(run: pipeline.Run) -> None:
    fact = run.facts().query("path == 'requests.new_received.total' and source == 'table'").iloc[0]
    text = run.text(fact["doc_id"])
    assert text is not None
    assert fact["raw"] in text[fact["start"] : fact["end"]]
    assert run.text("nothing") is None


@pytest.mark.skipif(find_spec("polars") is None, reason="polars is not installed")
def test_polars_frames(run: pipeline.Run) -> None:
    for name in TABLES:
        frame = getattr(run, name)(as_polars=True)
        assert frame.columns == list(getattr(run, name)().columns)
    panel = run.panel(as_polars=True)
    assert panel["h_requests_received"].to_list() == run.panel()["h_requests_received"].to_list()


@pytest.mark.skipif(find_spec("polars") is not None, reason="polars is installed")
def test_polars_is_asked_for_in_words(run: pipeline.Run) -> None:
    with pytest.raises(UsageError, match="pip install"):
        run.panel(as_polars=True)


def test_what_cannot_be_extracted(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        pipeline.extract(tmp_path / "none.pdf")
    other = tmp_path / "other.txt"
    other.write_text("今天天气很好。", encoding="utf-8")
    with pytest.raises(NotAReport):
        pipeline.extract(other)
    with pytest.raises(UsageError, match="asks no model"):
        pipeline.extract(PDF, model="some")
    with pytest.raises(StartError, match="no such folder"):
        pipeline.read_run(tmp_path / "none")


# 6期 and 43件 are left open by wording.
OPEN = """青岚县水务局2021年政府信息公开工作年度报告

一、总体情况

2021年，我局通过局网站发布信息312条，微信公众号推送140条。

全年编印政府公报6期，刊登文件43件。

二、依申请公开情况

2021年，我局收到政府信息公开申请9件，其中1件转送其他部门，另有3件经沟通撤回申请。未收取费用。

青岚县水务局
2022年1月20日
"""


@pytest.mark.parametrize("in_notebook", [False, True])
def test_a_model_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_notebook: bool) -> None:
    monkeypatch.setenv("GONGKAI_API_KEY", "k")
    path = tmp_path / "a.txt"
    path.write_text(OPEN, encoding="utf-8")

    def ask() -> pipeline.ExtractedReport:
        return pipeline.extract(path, strategy="label", model="fake", base_url=server.base_url)

    async def in_a_loop() -> pipeline.ExtractedReport:
        return ask()

    with fake_server_process() as server:
        report = asyncio.run(in_a_loop()) if in_notebook else ask()
    assert report.record.usage.requests > 0
    assert report.record.status in ("ok", "flagged")
