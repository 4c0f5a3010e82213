"""What sources.csv says beside what the report prints: it tells places apart and never replaces a print."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.document import SourceHint
from pipeline.metadata.reading import MetadataReading, read_metadata
from pipeline.read import read_document

REPORT = "{issuer}2018年政府信息公开工作年度报告\n一、概述\n全年主动公开政府信息12条。\n"


def reading(folder: Path, issuer: str, hint: SourceHint) -> MetadataReading:
    path = folder / "report.txt"
    path.write_text(REPORT.format(issuer=issuer), encoding="utf-8")
    return read_metadata(replace(read_document(path), hint=hint))


CASES = [
    # issuer, hint, division code, findings
    ("鼓楼区人民政府", SourceHint(), None, ["meta.place_ambiguous"]),
    ("鼓楼区人民政府", SourceHint(place="江苏省徐州市鼓楼区"), "320302", ["meta.place_by_hint"]),
    ("鼓楼区人民政府", SourceHint(place="徐州市"), "320302", ["meta.place_by_hint"]),
    ("鼓楼区人民政府", SourceHint(place="320302"), "320302", ["meta.place_by_hint"]),
    ("鼓楼区人民政府", SourceHint(url="http://gl.fujian.gov.cn/x"), "350102", ["meta.place_by_hint"]),
    # two of that name in one province: the address is not enough
    ("鼓楼区人民政府", SourceHint(url="http://www.js.gov.cn/x"), None, ["meta.place_ambiguous"]),
    ("曲阜市人民政府", SourceHint(place="曲阜市", year=2018), "370881", []),
    ("曲阜市人民政府", SourceHint(place="雷州市"), "370881", ["meta.hint_place"]),
    # what cannot be compared is a note
    ("曲阜市人民政府", SourceHint(place="书院街道"), "370881", ["meta.hint_place"]),
    ("曲阜市人民政府", SourceHint(place="37"), "370881", []),
    ("曲阜市人民政府", SourceHint(place="3708"), "370881", []),
    ("曲阜市人民政府", SourceHint(place="370881000000"), "370881", []),
    ("云岭县人民政府", SourceHint(place="云岭县"), None, ["meta.place_unknown"]),
    ("曲阜市人民政府", SourceHint(year=2019), "370881", ["meta.hint_year"]),
    ("云岭县人民政府", SourceHint(place="990123"), None, ["meta.place_unknown", "meta.hint_place"]),
]


@pytest.mark.parametrize(("issuer", "hint", "code", "rules"), CASES)
def test_a_hint_is_evidence_and_no_fact(
    tmp_path: Path, issuer: str, hint: SourceHint, code: str | None, rules: list[str]
) -> None:
    found = reading(tmp_path, issuer, hint)
    facts = {fact.path: fact.value for fact in found.facts}
    assert facts.get("meta.division_code") == code
    assert facts["meta.year"] == 2018
    assert [finding.rule for finding in found.findings] == rules


@pytest.mark.parametrize(("place", "severity"), [("雷州市", "warning"), ("书院街道", "note")])
def test_only_what_was_compared_flags_the_record(tmp_path: Path, place: str, severity: str) -> None:
    (finding,) = reading(tmp_path, "曲阜市人民政府", SourceHint(place=place)).findings
    assert finding.severity == severity
