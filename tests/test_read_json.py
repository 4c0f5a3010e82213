"""Reports inside of JSON: which string is the report, and what belongs to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.document import Document
from pipeline.read import read_document

SENTENCES = "<p>全年主动公开政府信息12条，未收到公开申请。</p>" * 12
OWN = {
    "title": "云岭县人民政府2016年政府信息公开工作年度报告",
    "publishDate": "2017-03-01",
    "content": SENTENCES,
}
OTHER = {
    "title": "云岭县人民政府2013年政府信息公开工作年度报告",
    "publishDate": "2014-02-02",
    "content": "略",
}
CASES = {
    "alone": OWN,
    "with related ones behind": {"data": OWN, "related": [OTHER]},
    "with related ones in front": {"related": [OTHER], "data": OWN},
    "in a list": {"list": [OTHER, OWN, OTHER]},
    "title above the content": {
        "title": OWN["title"],
        "publishDate": "2017-03-01",
        "body": {"content": SENTENCES},
    },
}


def read(folder: Path, value: object) -> Document:
    path = folder / "report.html"
    path.write_text(json.dumps(value), encoding="utf-8")
    return read_document(path)


@pytest.mark.parametrize("name", CASES)
def test_title_and_day_are_those_of_the_report(tmp_path: Path, name: str) -> None:
    document = read(tmp_path, CASES[name])
    assert document.text.startswith(OWN["title"])
    assert OTHER["title"] not in document.text
    assert [item.value for item in document.metadata] == ["2017-03-01"]


def test_other_long_texts_are_told_of(tmp_path: Path) -> None:
    document = read(tmp_path, {**OWN, "table": SENTENCES})
    assert document.losses == ("1 other long texts of the JSON were left out",)
