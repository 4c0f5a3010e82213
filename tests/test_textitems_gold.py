"""Text items and table identities of whole reports, against the gold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.checks import check_facts
from pipeline.document import Document
from pipeline.prose.textitems import find_text_items
from pipeline.read import read_document
from pipeline.tables.reading import read_tables

GOLD = Path(__file__).parents[1] / "gold"
SAMPLES = sorted((GOLD / "samples").glob("*.yaml"))
REAL = sorted(GOLD.glob("*.yaml"))
IN_TABLES = ("requests.", "remedies.")


def load(gold_file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(gold_file.read_text(encoding="utf-8")))


def squeezed(text: str) -> str:
    return "".join(text.split())


def unmatched(document: Document, gold: dict[str, Any]) -> list[str]:
    """Items that only one side has; an item is matched by how it starts and ends."""
    trouble = []
    for kind in ("problems", "improvements"):
        found = [squeezed(fact.raw) for fact in find_text_items(document) if fact.path == f"text.{kind}"]
        expected = [(squeezed(item["starts"]), squeezed(item["ends"])) for item in gold["text"][kind]]
        for starts, ends in expected:
            match = next((text for text in found if text.startswith(starts) and text.endswith(ends)), None)
            if match is None:
                trouble.append(f"{kind}: not found {starts} … {ends}")
            else:
                found.remove(match)
        trouble += [f"{kind}: in no gold {text}" for text in found]
    return trouble


def table_breaches(document: Document) -> Counter[str]:
    tables = read_tables(document)
    found = check_facts(document.text, tables.facts, tables.templates, tables.findings)
    return Counter(f"{finding.rule}@{finding.at}" for finding in found if finding.rule.startswith(IN_TABLES))


@pytest.mark.parametrize("gold_file", SAMPLES, ids=lambda path: path.stem)
def test_samples(gold_file: Path) -> None:
    gold = load(gold_file)
    document = read_document(GOLD / "samples" / gold["file"])
    assert unmatched(document, gold) == []
    assert table_breaches(document) == Counter(r for r in gold["findings"] if r.startswith(IN_TABLES))


@pytest.mark.parametrize("gold_file", REAL, ids=lambda path: path.stem)
def test_real_reports(gold_file: Path, real_reports: Path) -> None:
    gold = load(gold_file)
    document = read_document(real_reports / gold["file"])
    assert unmatched(document, gold) == []
    assert table_breaches(document) == Counter(r for r in gold["findings"] if r.startswith(IN_TABLES))
