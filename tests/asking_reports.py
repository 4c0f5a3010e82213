"""Made-up reports with exactly two sentences each that wording leaves open: two questions a document.

For measuring runs against a fake server. Places do not exist; figures differ from report to report,
so no two reports share a question.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

QUESTIONS_A_DOCUMENT = 2
_REPORT = """{place}人民政府{year}年政府信息公开工作年度报告

一、主动公开情况

全年主动公开政府信息{total}条。短视频账号发布{video}条。

二、依申请公开情况

全年收到公开申请{received}件，均已办结，其中予以公开{granted}件、无法提供{rest}件等。

三、存在的问题

一是公开的及时性不够。二是栏目更新较慢。
"""


def write_report(folder: Path, number: int) -> Path:
    """Report `number`."""
    place = f"{'青岚砚云泽鹭望汀'[number % 8]}{'溪岭川泊屿'[number % 5]}县"
    path = folder / f"r{number:05d}.txt"
    figures = {"total": 3000 + number, "video": 40 + number, "received": 5000 + number, "rest": 700 + number}
    text = _REPORT.format(place=place, year=2012 + number % 7, granted=4300, **figures)
    path.write_text(text, encoding="utf-8")
    return path


def write_reports(folder: Path, count: int) -> Path:
    """`count` reports in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        write_report(folder, number)
    return folder


def command(reports: Path, run: Path, base_url: str, *options: str) -> list[str]:
    """`gongkai extract` over the reports, with a model at `base_url`."""
    gongkai = [sys.executable, "-c", "from evals.cli import main; main()"]
    model = ["--model", "tiny", "--base-url", base_url, "--sentences", "1"]
    return [*gongkai, "extract", str(reports), "--out", str(run), *model, *options]


def extract(reports: Path, run: Path, base_url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(reports, run, base_url, *options),
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Without keys and terminal."""
    return {**os.environ, "GONGKAI_API_KEY": "none", "PYTHONPATH": str(Path(__file__).parents[1])}


def records(run: Path) -> dict[str, dict[str, Any]]:
    """The records of a run by `doc_id`. Raises AssertionError where one stands twice."""
    lines = (run / "records.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    by_id = {record["doc_id"]: record for record in found}
    assert len(by_id) == len(found), "a record stands twice"
    return by_id


def facts(run: Path) -> dict[str, Any]:
    """What was found in each document, without what it cost and how sure the model was of it.

    A question that was asked again, with the fault of its first answer, has other probabilities.
    """
    return {
        doc_id: (record["status"], [{**fact, "confidence": None} for fact in record["facts"]])
        for doc_id, record in records(run).items()
    }


def answers_on_disk(run: Path) -> int:
    """Answers in the store of a run, whatever its process was doing when it ended."""
    path = run / "answers.sqlite"
    if not path.is_file():
        return 0
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM answers").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
