"""The command with the real embedded model, once, from end to end.

Weights are pulled where the user's cache has none; the prompt's state is read from the
cache or made (some minutes on two cores).
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cli.app import app, run_app
from pipeline.fact import Fact, Record
from pipeline.model.catalog import DEFAULT_MODEL, MODELS
from pipeline.prose.cue_choice import possible_paths
from pipeline.prose.fields import prose_fields
from pipeline.prose.mentions import find_mentions
from pipeline.prose.rules import label_by_rules
from pipeline.read import read_document

pytestmark = pytest.mark.model

# Two sentences that wording leaves open; what a model says of them is its own business.
REPORT = """青岚县水务局2021年政府信息公开工作年度报告

一、总体情况

2021年，我局通过局网站发布信息312条，微信公众号推送140条。

全年编印政府公报6期，刊登文件43件。

二、依申请公开情况

2021年，我局收到政府信息公开申请9件，其中1件转送其他部门，另有3件经沟通撤回申请。未收取费用。

青岚县水务局
2022年1月20日
"""
SETTLED = {
    "proactive.channel.website": 312,
    "proactive.channel.wechat": 140,
    "requests.new_received.total": 9,
    "fees.charged_yuan": 0,
}


def extract(report: Path, run: Path) -> Record:
    """Run the command; the one record."""
    assert run_app(app, ["extract", str(report), "--out", str(run), "--strategy", "label"]) == 0
    (line,) = (run / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return Record.model_validate_json(line)


def open_figures(report: Path) -> int:
    """How many figures wording leaves to the model."""
    labels = label_by_rules(find_mentions(read_document(report)), 2021)
    return sum(
        label.mention.kind == "figure" and label.strength != "strong" and bool(possible_paths(label.mention))
        for label in labels
    )


def stored_answers(run: Path) -> int:
    with closing(sqlite3.connect(run / "answers.sqlite")) as store:
        return int(store.execute("SELECT count(*) FROM answers").fetchone()[0])


def prose(record: Record) -> list[Fact]:
    return [fact for fact in record.facts if fact.source == "narrative" and not fact.path.startswith("text.")]


def test_command_with_the_real_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, run = tmp_path / "qinglan_2021.txt", tmp_path / "run"
    report.write_text(REPORT, encoding="utf-8")
    assert open_figures(report), "the report leaves the model nothing to do: write another sentence"

    record = extract(report, run)
    facts = prose(record)
    assert (record.doc_id, record.status, record.error) == ("qinglan_2021", "ok", None)
    assert SETTLED.items() <= {fact.path: fact.value for fact in facts}.items()
    text = (run / "text" / f"{record.sha256}.txt").read_bytes().decode("utf-8")
    for fact in facts:
        assert text[fact.evidence.start : fact.evidence.end] == fact.raw
        assert fact.path in prose_fields()
        assert fact.confidence is not None

    usage = record.usage
    assert usage.requests >= 1
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0
    assert usage.cached_tokens > usage.input_tokens / 2, "the prompt's prefix was not held by the server"
    assert stored_answers(run) == usage.requests

    written = (run / "run.json").read_text(encoding="utf-8")
    manifest = json.loads(written)
    assert manifest["endpoint"] == f"embedded:{DEFAULT_MODEL}"
    assert manifest["model"] == DEFAULT_MODEL
    assert MODELS[DEFAULT_MODEL].sha256 in json.dumps(manifest)
    assert manifest["strategy"] == "label"
    assert re.search(r'"[\w-]{43}"', written) is None, "the server's key is a token of 43 characters"
    assert "127.0.0.1" not in written

    capsys.readouterr()
    assert extract(report, run) == record
    assert stored_answers(run) == usage.requests
    assert "loading" not in capsys.readouterr().err, "a run that is done started the model"
