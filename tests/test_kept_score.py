"""A score kept without its run compares like the run, and only with its own gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, gold_content, perfect, record, write_gold, write_run
from test_compare import PLANTED, gold_of, run_of

from evals.compare import Comparison, compare
from evals.kept_score import ERRORS, KeptScore, load_contender, write_errors
from evals.score import score_run
from pipeline.errors import StartError, UsageError

REPEATED = {(0, "complaints.total"): 4, (5, "proactive.total"): 0, (6, "fees.charged_yuan"): None}


def told(comparison: Comparison) -> dict[str, Any]:
    """All that is said, but for places in texts, which a kept score knows of errors alone."""
    content = comparison.as_dict()
    for pair in content["pairs"]:
        for change in pair["changes"]:
            change["start"] = change["end"] = change["in_text_of"] = None
    return content


def test_kept_scores_compare_like_the_runs_they_are_of(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 8)
    runs = [run_of(tmp_path, gold, "a", REPEATED), run_of(tmp_path, gold, "b", PLANTED)]
    kept = []
    for run in runs:
        out = tmp_path / "scores" / run.name
        write_errors(score_run(run, gold), out)
        kept.append(load_contender(out))
        assert isinstance(kept[-1], KeptScore)
    assert told(compare(kept, gold)) == told(compare(runs, gold))
    assert told(compare([kept[0], runs[1]], gold)) == told(compare(runs, gold))


def test_what_is_kept_names_each_error_and_nothing_else(tmp_path: Path) -> None:
    gold = gold_of(tmp_path, 8)
    path = write_errors(score_run(run_of(tmp_path, gold, "b", PLANTED), gold), tmp_path / "score")
    content = json.loads(path.read_text(encoding="utf-8"))
    named = {
        (int(name[-2:]), error["path"]): error["verdict"]
        for name, errors in content["errors"].items()
        for error in errors
    }
    assert named == {
        (0, "proactive.total"): "wrong",
        (1, "engagement.interviews"): "omitted",
        (2, "meta.issuer"): "wrong",
        (3, "complaints.total"): "invented",
        (4, "proactive.licensing.decisions"): "wrong",
    }
    assert str(tmp_path) not in path.read_text(encoding="utf-8")


def kept_with(folder: Path, **changes: Any) -> Path:
    """A kept score with other content."""
    gold = gold_of(folder, 3)
    path = write_errors(score_run(run_of(folder, gold, "a"), gold), folder / "score")
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.parent


def test_a_score_of_other_gold_is_refused(tmp_path: Path) -> None:
    kept = load_contender(kept_with(tmp_path))
    other = gold_of(tmp_path / "other", 4)
    with pytest.raises(UsageError, match=r"scored with gold .* cannot be compared"):
        compare([kept, kept], other)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scorer": 0}, "score the run again"),
        ({"records": None}, "not as gongkai eval writes it"),
        ({"errors": None}, "not as gongkai eval writes it"),
        ({"run": None}, "not as gongkai eval writes it"),
        ({"errors": {"place_00": [{"place": 0, "verdict": "lucky"}]}}, "not as gongkai eval writes it"),
    ],
)
def test_a_score_that_cannot_be_used_says_why(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(StartError, match=said):
        load_contender(kept_with(tmp_path, **changes))


def test_an_error_at_a_place_that_gold_has_not_is_refused(tmp_path: Path) -> None:
    error = {
        "place": 7,
        "verdict": "omitted",
        "path": "proactive.total",
        "source": "narrative",
        "given": None,
    }
    kept = load_contender(kept_with(tmp_path, errors={"place_00": [error]}))
    with pytest.raises(StartError, match=r"place_00: .* proactive\.total number 7"):
        compare([kept, kept], gold_of(tmp_path, 3))


def test_the_order_of_rows_in_a_gold_file_does_not_matter(tmp_path: Path) -> None:
    """The same gold with its rows in another order has the same hash; errors stay where they were."""
    row = {"new_received": [3, 0, 0, 0, 0, 0, 3], "carried_in": [1, 1, 0, 0, 0, 0, 2]}
    content = gold_content("place_00", templates=FORM_2021, meta={"issuer": "某县"}, requests=row)
    gold = write_gold(tmp_path / "gold", content)
    turned = write_gold(tmp_path / "turned", content | {"requests": dict(reversed(row.items()))})
    assert turned.hash == gold.hash
    facts = [one for one in perfect(gold.documents[0]) if one.path != "requests.carried_in.total"]
    run = write_run(tmp_path / "run", [record(gold.documents[0], facts)])
    write_errors(score_run(run, gold), tmp_path / "score")
    kept = load_contender(tmp_path / "score")
    pair = compare([kept, run], turned).pairs[0]
    assert (pair.headline[0].f1_a, pair.changes) == (pair.headline[0].f1_b, ())
    assert (pair.headline[0].f1_a or 1.0) < 1.0


def test_a_folder_that_is_neither_run_nor_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"no records\.jsonl"):
        load_contender(tmp_path)
    (tmp_path / ERRORS).write_text("{", encoding="utf-8")
    with pytest.raises(StartError, match="not as gongkai eval writes it"):
        load_contender(tmp_path)
