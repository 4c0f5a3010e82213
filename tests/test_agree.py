"""Two annotators: what counts as agreement and what is listed as disagreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, gold_content, write_gold

from evals.agree import Agreement, agree, as_text
from evals.stats import wilson
from pipeline.errors import GoldError


def prose(path: str, value: int, **parts: Any) -> dict[str, Any]:
    return {"path": path, "value": value, "raw": f"{value}条", "scope": None} | parts


def compared(tmp_path: Path, a: dict[str, Any], b: dict[str, Any]) -> Agreement:
    for name, parts in (("a", a), ("b", b)):
        write_gold(tmp_path / name, gold_content("qingshui_2020", **parts))
    return agree(tmp_path / "a", tmp_path / "b")


def table(*cells: Any) -> dict[str, Any]:
    return {"templates": FORM_2021, "requests": {"granted": list(cells)}}


def item(starts: str, ends: str) -> dict[str, Any]:
    return {"text": {"problems": [{"starts": starts, "ends": ends}]}}


# what A has, what B has, kind, decisions, agreeing
CASES: list[tuple[dict[str, Any], dict[str, Any], str, int, int]] = [
    (table(3, 0, 0, 0, 0, 0, 3), table(3, 0, 0, 0, 0, 0, 3), "cells", 7, 7),
    (table(3, 0, 0, 0, 0, 0, 3), table(3, "_", 0, 0, 0, 0, 4), "cells", 7, 5),
    (table(3, 0, 0, 0, 0, 0, 3), table(3, 1, 0, 0, 0, 0, 4), "nonzero_cells", 3, 1),
    ({"narrative": [prose("proactive.total", 5)]}, {}, "prose", 1, 0),
    (
        {"narrative": [prose("proactive.total", 5)]},
        {"narrative": [prose("proactive.total", 6)]},
        "prose",
        1,
        0,
    ),
    (
        {
            "narrative": [
                prose("proactive.category", 5, label="文件"),
                prose("proactive.category", 6, label="财政"),
            ]
        },
        {
            "narrative": [
                prose("proactive.category", 6, label="财政"),
                prose("proactive.category", 5, label="文件"),
            ]
        },
        "prose",
        2,
        2,
    ),
    (
        {"narrative": [prose("proactive.total", 5, scope="own")]},
        {"narrative": [prose("proactive.total", 5, scope="jurisdiction")]},
        "prose_scope",
        1,
        0,
    ),
    (
        {"narrative": [prose("proactive.total", 5, bound="about")]},
        {"narrative": [prose("proactive.total", 5)]},
        "prose_bound",
        1,
        0,
    ),
    ({"meta": {"year": 2020}}, {"meta": {"year": 2020}}, "meta", 10, 10),
    ({"meta": {"year": 2020}}, {"meta": {}}, "meta", 10, 9),
    (item("公开意识", "待增强"), item("公开意识有待", "待增强"), "text", 1, 1),
    (item("公开意识", "待增强"), item("解读形式", "待增强"), "text", 2, 0),
    ({"findings": ["meta.chapters"]}, {"findings": []}, "findings", 1, 0),
]


@pytest.mark.parametrize(("a", "b", "kind", "decisions", "agreeing"), CASES)
def test_agreement_by_kind(
    tmp_path: Path, a: dict[str, Any], b: dict[str, Any], kind: str, decisions: int, agreeing: int
) -> None:
    found = compared(tmp_path, a, b).by_kind[kind]
    assert (found.decisions, found.agreeing) == (decisions, agreeing)


def test_disagreements_are_listed_with_both_readings(tmp_path: Path) -> None:
    found = compared(tmp_path, table(3, 0, 0, 0, 0, 0, 3), table(3, "_", 0, 0, 0, 0, 3))
    assert [(r.path, r.a, r.b) for r in found.disagreements] == [("requests.granted.company", "0", "blank")]
    assert "requests.granted.company: 0 | blank" in as_text(found)
    assert json.loads(json.dumps(found.as_dict()))["by_kind"]["cells"]["agreeing"] == 6


def test_nothing_to_agree_on_is_no_data(tmp_path: Path) -> None:
    found = compared(tmp_path, {}, {})
    assert found.by_kind["prose"].share is None
    assert found.by_kind["prose"].alpha is None
    assert "no data" in as_text(found)


def test_the_interval_is_over_documents_not_over_cells(tmp_path: Path) -> None:
    """21 cells of three documents that agree say what three documents can say; one document says nothing."""
    row = table(3, 0, 0, 0, 0, 0, 3)
    for name in ("a", "b"):
        write_gold(tmp_path / name, *(gold_content(doc_id, **row) for doc_id in ("one", "two", "three")))
    cells = agree(tmp_path / "a", tmp_path / "b").by_kind["cells"]
    of_documents = wilson(3, 3)
    assert of_documents is not None
    assert (cells.decisions, cells.share, cells.low) == (21, 1.0, of_documents.low)
    assert compared(tmp_path / "alone", row, row).by_kind["cells"].low is None


def test_documents_that_only_one_annotated_are_named(tmp_path: Path) -> None:
    write_gold(tmp_path / "a", gold_content("one"), gold_content("two"))
    write_gold(tmp_path / "b", gold_content("two"), gold_content("three"))
    found = agree(tmp_path / "a", tmp_path / "b")
    assert (found.documents, found.only_a, found.only_b) == (("two",), ("one",), ("three",))


def test_gold_of_different_files_is_not_compared(tmp_path: Path) -> None:
    write_gold(tmp_path / "a", gold_content("one"))
    write_gold(tmp_path / "b", gold_content("one", sha256="0" * 64))
    write_gold(tmp_path / "c", gold_content("two"))
    with pytest.raises(GoldError, match="two different files"):
        agree(tmp_path / "a", tmp_path / "b")
    with pytest.raises(GoldError, match="no document in common"):
        agree(tmp_path / "a", tmp_path / "c")
