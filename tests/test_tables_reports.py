"""Whole reports: every cell as printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables_material import SAMPLES, load_gold, row, rules

from pipeline.read import read_document
from pipeline.schema import APPLICANTS, OUTCOMES
from pipeline.tables.reading import read_tables

SAMPLE_GOLD = sorted(SAMPLES.glob("*.yaml"))


def source_of(gold: Path) -> Path:
    return next(file for file in gold.parent.glob(f"{gold.stem}.*") if file.suffix != ".yaml")


@pytest.mark.parametrize("gold_file", SAMPLE_GOLD, ids=lambda file: file.stem)
def test_samples_cell_by_cell(gold_file: Path) -> None:
    gold = load_gold(gold_file)
    reading = read_tables(read_document(source_of(gold_file)))
    for item, columns in (gold.get("proactive") or {}).items():
        by_path = {fact.path: fact for fact in reading.facts}
        assert [by_path[f"proactive.{item}.{column}"].value for column in columns] == [
            None if value in ("_", "/") else value for value in columns.values()
        ]
    for group, keys in (("requests", APPLICANTS), ("remedies", OUTCOMES)):
        for key, values in (gold.get(group) or {}).items():
            assert len(values) == len(keys)
            assert row(reading, f"{group}.{key}") == " ".join(str(value) for value in values)
    if reading.facts:
        assert reading.templates.model_dump() == gold["templates"]


def test_flattened_report_with_rows_too_short_and_too_long(real_reports: Path) -> None:
    reading = read_tables(read_document(next(real_reports.glob("002_*.txt"))))
    assert row(reading, "requests.granted") == "3 ? ? ? ? ? 3"
    assert row(reading, "requests.partially_granted") == "5 ? ? ? ? ? 5"
    assert row(reading, "requests.other_outcome") == "2 0 0 0 0 0 2"
    assert row(reading, "requests.concluded") == "12 0 0 0 0 0 12"
    assert row(reading, "proactive.procurement") == "1 1500084"
    assert sorted(rules(reading)) == [
        "table.row_length@concluded",
        "table.row_length@granted",
        "table.row_length@other_outcome",
        "table.row_length@partially_granted",
        "table.row_length@remedies",
    ]


def test_pdf_with_a_vertical_label_over_a_page_break(real_reports: Path) -> None:
    reading = read_tables(read_document(real_reports / "huaian_2024.pdf"))
    assert len(reading.facts) == 200
    assert not reading.findings
    assert row(reading, "requests.new_received") == "3001 53 0 0 61 4 3119"
    assert row(reading, "requests.other_misc") == "108 2 0 0 0 0 110"
    assert row(reading, "remedies.review") == "72 64 178 37 351"
    assert row(reading, "proactive.administrative_fees") == "96171.6"


def test_hybrid_pdf_with_a_truncated_label(real_reports: Path) -> None:
    reading = read_tables(read_document(real_reports / "hongze_2023.pdf"))
    assert len(reading.facts) == 186
    assert reading.templates.requests == "table2019"
    assert reading.templates.proactive == "table2021"
    assert row(reading, "requests.denied_law_prohibits") == "0 0 0 0 0 0 0"
    assert row(reading, "remedies.review") == "10 1 0 0 0"
