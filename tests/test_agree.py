"""Two annotators: what counts as agreement and what is listed as disagreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, NARRATIVE, gold_content, sha_of, write_gold

from evals.agree import Agreement, agree, as_text
from evals.gold import load_gold
from evals.gold_check import check_gold
from evals.stats import wilson
from pipeline.errors import GoldError

FORM_2019 = NARRATIVE | {"document": "table2019", "proactive": "table2019"}
UNFINISHED = (
    "templates: {document: table2021, proactive: null, requests: table2021, remedies: null}\n"
    "meta: {year: 2020}\nrequests:\n  granted: [3, 0, 0, ~, ~, 0, ~]\nnarrative:\n"
    "  - {path: ~, raw: 24件, value: 24, scope: null}\n"
    "text:\n  problems: []\n"
)


def draft(folder: Path, doc_id: str) -> Path:
    """A file in which much is not annotated yet."""
    head = f"doc_id: {doc_id}\nfile: {doc_id}.txt\nsha256: {sha_of(doc_id)}\nstatus: draft\nannotators: [a]\n"
    path = folder / f"{doc_id}.yaml"
    path.write_text(head + UNFINISHED, encoding="utf-8")
    return path


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


def procurement(amount: float) -> dict[str, Any]:
    return {"templates": FORM_2019, "proactive": {"procurement": {"amount_yuan": amount}}}


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
    # Money differs in any digit that is printed, also behind the sixth.
    (procurement(1234567.5), procurement(1234568.1), "cells", 1, 0),
    (procurement(1234567.5), procurement(1234567.5), "cells", 1, 1),
    (procurement(486200.0), procurement(486200), "cells", 1, 1),
    (procurement(0.1), procurement(0.10000001), "cells", 1, 0),
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


def test_a_draft_is_left_out_and_it_is_said_what_it_lacks_and_what_to_do(tmp_path: Path) -> None:
    row = table(3, 0, 0, 0, 0, 0, 3)
    for name in ("a", "b"):
        write_gold(tmp_path / name, *(gold_content(doc_id, **row) for doc_id in ("one", "two")))
    path = draft(tmp_path / "a", "two")
    found = agree(tmp_path / "a", tmp_path / "b")
    assert (found.documents, found.only_a, found.only_b) == (("one",), (), ())
    assert list(found.unfinished) == [str(path)]
    said = as_text(found)
    assert f"left out: {path} is a draft: meta.issuer" in said
    assert "3 cells, 1 line of the prose not annotated yet" in said
    assert f"gongkai review RUN --annotate {tmp_path / 'a'}" in said
    (tmp_path / "a" / "one.yaml").unlink()
    with pytest.raises(GoldError, match=r"no document in common\nleft out: .*two\.yaml is a draft"):
        agree(tmp_path / "a", tmp_path / "b")


def test_gold_in_which_something_is_left_to_annotate_says_so_wherever_it_is_read(tmp_path: Path) -> None:
    path = draft(tmp_path, "one")
    with pytest.raises(GoldError, match=r"one\.yaml: is a draft: .*3 cells.*--annotate"):
        load_gold(tmp_path)
    problem = check_gold(tmp_path)[0]
    assert (problem.key, problem.severity) == ("status", "error")
    assert "is a draft: meta.issuer" in problem.message
    # What is only not said to be finished is no error.
    write_gold(tmp_path, gold_content("one", status="draft"))
    assert [(each.key, each.severity) for each in check_gold(tmp_path)] == [("status", "note")]
    path.write_text("status: draft\nmeta: [", encoding="utf-8")
    assert [each.key for each in check_gold(tmp_path)] == ["form"]
