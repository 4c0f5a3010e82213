"""Gold against program: verdicts, counts and the score file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eval_material import (
    FORM_2021,
    answer,
    fact,
    gold_content,
    gold_document,
    perfect,
    record,
    write_gold,
    write_run,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.baselines import all_zeros
from evals.gates import Outcome, apply_gates, parse_gate, worst
from evals.gold import Gold, GoldDocument
from evals.runs import load_run
from evals.score import Scoring, score_run, scores, write_scores
from evals.verdicts import judge
from pipeline.errors import StartError, UsageError
from pipeline.fact import Evidence, Fact, Finding

NONE = object()


def prose(path: str, value: object, **parts: Any) -> dict[str, Any]:
    return {"path": path, "value": value, "raw": f"{value}条", "scope": None} | parts


# gold cell, program's (value, status) or NONE for no fact, verdict or None for not scored
CELLS: list[tuple[Any, Any, str | None]] = [
    (3, (3, "value"), "correct"),
    (3, (3.0, "value"), "correct"),
    (3, (4, "value"), "wrong"),
    (3, NONE, "omitted"),
    (3, (None, "blank"), "wrong"),
    (3, (None, "illegible"), "omitted"),
    (0, (0, "value"), "correct"),
    (0, (0, "zero_in_words"), "wrong"),
    (0, (None, "blank"), "wrong"),
    (0, (None, "not_applicable"), "wrong"),
    (0, NONE, "omitted"),
    ("_", (None, "blank"), "correctly_absent"),
    ("_", NONE, "correctly_absent"),
    ("_", (None, "illegible"), "correctly_absent"),
    ("_", (0, "value"), "wrong"),
    ("_", (None, "not_applicable"), "wrong"),
    ("/", (None, "not_applicable"), "correct"),
    ("/", (None, "blank"), "wrong"),
    ("/", (0, "value"), "wrong"),
    ("/", NONE, "omitted"),
    ("无", (0, "zero_in_words"), "correct"),
    ("无", (0, "value"), "wrong"),
    ("?", (7, "value"), None),
    ("?", NONE, None),
]


@pytest.mark.parametrize(("cell", "said", "verdict"), CELLS)
def test_verdict_of_a_cell(cell: Any, said: Any, verdict: str | None) -> None:
    gold = gold_document(templates=FORM_2021, proactive={"licensing": {"decisions": cell}})
    path = "proactive.licensing.decisions"
    facts = [] if said is NONE else [fact(path, said[0], said[1], source="table")]
    found = [judgement.verdict for judgement in judge(gold, facts) if judgement.path == path]
    assert found == ([] if verdict is None else [verdict])


# path, gold value, program's value, whether they are the same
VALUES: list[tuple[str, Any, Any, bool]] = [
    ("proactive.total", 1200, 1200, True),
    ("proactive.total", 1200, 1201, False),
    ("proactive.total", 1200, "1200", False),
    ("fees.charged_yuan", 1260.5, 1260.504, True),
    ("fees.charged_yuan", 1260.5, 1260.51, False),
    ("capacity.budget_wan_yuan", 7730.28, 7730.2800004, True),
    ("capacity.budget_wan_yuan", 7730.28, 7730.280002, False),
    ("meta.year", 2020, 2020, True),
    ("meta.signed_on", "2021-01-05", "2021-01-05", True),
    ("meta.signed_on", "2021-01-05", "2021-01-06", False),
    ("meta.issuer", "清水县（镇）人民政府", "清水县(镇) 人民政府", True),
    ("meta.issuer", "清水县人民政府", "清水县人民政府办公室", False),
    ("meta.phone", "0606-5518206", "（0606）5518206", True),
    ("meta.phone", "0606-5518206", "0606-5518207", False),
]


@pytest.mark.parametrize(("path", "expected", "given", "same"), VALUES)
def test_values_are_compared_by_kind(path: str, expected: Any, given: Any, same: bool) -> None:
    key = path.removeprefix("meta.")
    is_meta = path.startswith("meta.")
    gold = (
        gold_document(meta={key: expected})
        if is_meta
        else gold_document(narrative=[prose(path, expected, raw="x")])
    )
    found = {j.path: j.verdict for j in judge(gold, [fact(path, given)])}
    assert found[path] == ("correct" if same else "wrong")


# gold prose lines, program's prose facts, verdicts in order of gold then the surplus
CATEGORY = "proactive.category"
PROSE: list[tuple[str, list[dict[str, Any]], list[Fact], list[str]]] = [
    ("not printed, stated", [], [fact("proactive.total", 5)], ["invented"]),
    (
        "stated twice counts once",
        [prose("proactive.total", 5)],
        [fact("proactive.total", 5)] * 2,
        ["correct"],
    ),
    (
        "right and wrong figure for one path",
        [prose("proactive.total", 5)],
        [fact("proactive.total", 6), fact("proactive.total", 5)],
        ["correct", "invented"],
    ),
    (
        "only in the table for the program, in the prose for gold",
        [prose("requests.new_received.total", 5)],
        [fact("requests.new_received.total", 5, source="table")],
        ["omitted", "invented"],
    ),
    (
        "categories in another order",
        [prose(CATEGORY, 3, label="文件类"), prose(CATEGORY, 4, label="财政类")],
        [fact(CATEGORY, 4, label="财政类"), fact(CATEGORY, 3, label="“文件类”")],
        ["correct", "correct"],
    ),
    (
        "one value, several labels",
        [prose(CATEGORY, 1, label="年度报告"), prose(CATEGORY, 1, label="公开指南")],
        [fact(CATEGORY, 1, label="公开指南"), fact(CATEGORY, 1, label="工作报表")],
        ["wrong", "correct"],
    ),
    (
        "categories that have nothing in common",
        [prose(CATEGORY, 3, label="文件类")],
        [fact(CATEGORY, 9, label="环境保护")],
        ["omitted", "invented"],
    ),
    (
        "a category with another figure",
        [prose(CATEGORY, 3, label="文件类")],
        [fact(CATEGORY, 30, label="文件类")],
        ["wrong"],
    ),
    (
        "zero in words against the digit 0",
        [prose("fees.charged_yuan", 0, status="zero_in_words")],
        [fact("fees.charged_yuan", 0)],
        ["wrong"],
    ),
    (
        "bound and scope do not touch the verdict",
        [prose("proactive.total", 1200, bound="at_least", scope="own")],
        [fact("proactive.total", 1200)],
        ["correct"],
    ),
]


@pytest.mark.parametrize(("case", "lines", "facts", "verdicts"), PROSE)
def test_verdicts_of_prose(case: str, lines: list[Any], facts: list[Fact], verdicts: list[str]) -> None:
    judged = judge(gold_document(narrative=lines), facts)
    assert [j.verdict for j in judged if not j.path.startswith("meta.")] == verdicts, case


ITEMS = [
    (["公开意识有待增强。"], ["correct", "omitted"]),
    (["公开意识有待增强", "专业人员仍显 不足；"], ["correct", "correct"]),
    (["专业人员仍显不足", "公开意识有待增强"], ["correct", "correct"]),
    (["公开意识有待增强。专业人员仍显不足。"], ["wrong", "omitted"]),
    (["解读形式单一"], ["omitted", "omitted", "invented"]),
]


@pytest.mark.parametrize(("said", "verdicts"), ITEMS)
def test_text_items_match_at_both_ends(said: list[str], verdicts: list[str]) -> None:
    items = [{"starts": "公开意识", "ends": "待增强"}, {"starts": "专业人员", "ends": "显不足"}]
    gold = gold_document(text={"problems": items})
    judged = judge(gold, [fact("text.problems", item) for item in said])
    assert [j.verdict for j in judged if not j.path.startswith("meta.")] == verdicts


def test_metadata_counts_wherever_on_the_page_it_was_found() -> None:
    gold = gold_document(meta={"year": 2020})
    judged = judge(
        gold, [fact("meta.year", 2020, source="narrative"), fact("meta.phone", "1", source="metadata")]
    )
    assert {j.path: j.verdict for j in judged if j.fact} == {"meta.year": "correct", "meta.phone": "invented"}
    assert [j.verdict for j in judged].count("correctly_absent") == 8


def test_metadata_that_was_not_annotated_is_not_scored() -> None:
    document = gold_document()
    content = document.file.model_copy(
        update={"meta": type(document.file.meta).model_validate({"year": 2020})}
    )
    judged = judge(GoldDocument(content, document.path), [fact("meta.year", 2020)])
    assert [(j.path, j.verdict) for j in judged] == [("meta.year", "correct")]


# --- the score file -------------------------------------------------------------------


def two_documents(folder: Path) -> Gold:
    one = gold_content(
        "qingshui_2020",
        meta={"issuer": "清水县人民政府", "year": 2020},
        templates=FORM_2021,
        proactive={"licensing": {"decisions": 5}, "penalties": {"decisions": 0}},
        narrative=[prose("proactive.total", 1200, raw="1200余条", bound="at_least", scope="own")],
        findings=["requests.row_total@granted"],
    )
    two = gold_content(
        "baishi_2020", meta={"issuer": "白石镇人民政府"}, narrative=[prose("proactive.total", 7)]
    )
    return write_gold(folder, one, two)


def scored(folder: Path, **changed: Any) -> tuple[Scoring, dict[str, Any]]:
    gold = two_documents(folder / "gold")
    records = [
        record(document, changed.get(document.doc_id, perfect(document))) for document in gold.documents
    ]
    scoring = score_run(write_run(folder / "run", records), gold)
    return scoring, scores(scoring)


def test_a_faultless_run(tmp_path: Path) -> None:
    _, content = scored(tmp_path)
    overall = content["overall"]
    assert (overall["correct"], overall["wrong"], overall["omitted"], overall["invented"]) == (7, 0, 0, 0)
    assert overall["f1"] == overall["nonzero_f1"] == overall["exact_documents"] == 1.0
    assert overall["f1_high"] == 1.0
    assert overall["f1_low"] < 0.5
    assert content["scope"]["share"] == content["bound"]["share"] == 1.0
    assert content["cost"]["input_tokens"] == 100
    assert content["cost"]["cost_usd"] is None
    assert content["run"]["model"] == "made-up-1b"


def test_a_wrong_value_counts_once_on_each_side(tmp_path: Path) -> None:
    _, content = scored(
        tmp_path, baishi_2020=[fact("proactive.total", 8), fact("meta.issuer", "白石镇人民政府")]
    )
    prose_rates = content["by_source"]["narrative"]
    assert (prose_rates["correct"], prose_rates["wrong"]) == (1, 1)
    assert prose_rates["precision"] == prose_rates["recall"] == prose_rates["f1"] == 0.5
    assert content["by_document"]["baishi_2020"]["exact_documents_count"] == 0
    assert content["by_document"]["baishi_2020"]["f1_low"] is None


def test_undefined_is_null_and_never_zero(tmp_path: Path) -> None:
    gold = write_gold(tmp_path / "gold", gold_content("baishi_2020"))
    run = write_run(tmp_path / "run", [record(gold.documents[0], [])])
    content = scores(score_run(run, gold))
    overall = content["overall"]
    keys = ("precision", "recall", "f1", "f1_low", "f1_high", "nonzero_f1", "macro_f1")
    assert [overall[key] for key in keys] == [None] * len(keys)
    assert content["by_source"]["table"]["f1"] is None
    assert content["by_source"]["table"]["exact_documents"] is None
    assert content["grounding"]["contains_raw"] is None


def test_all_zeros_do_not_pass_for_reading(tmp_path: Path) -> None:
    scoring, content = scored(tmp_path)
    assert content["baselines"]["nothing"]["overall"]["f1"] == 0.0
    assert content["baselines"]["all_zeros"]["tables"]["f1"] == 0.5
    assert content["baselines"]["all_zeros"]["overall"]["nonzero_f1"] == 0.0
    assert len(all_zeros(scoring.gold)) > 0


def test_failed_and_missing_documents_have_omitted_all_and_are_named(tmp_path: Path) -> None:
    gold = two_documents(tmp_path / "gold")
    failed = record(gold.documents[1], perfect(gold.documents[1]), status="failed")
    content = scores(score_run(write_run(tmp_path / "run", [failed]), gold))
    names = (gold.documents[1].doc_id, gold.documents[0].doc_id)
    assert (content["documents"]["failed"], content["documents"]["missing"]) == ([names[0]], [names[1]])
    assert content["documents"]["reasons"] == {names[0]: "the file is damaged"}
    assert (content["overall"]["correct"], content["overall"]["omitted"], content["overall"]["f1"]) == (
        0,
        7,
        0.0,
    )
    assert any(names[0] in warning for warning in content["warnings"])


def test_documents_of_one_issuer_are_one_cluster(tmp_path: Path) -> None:
    issuer = {"issuer": "清水县人民政府"}
    gold = write_gold(
        tmp_path / "gold", *(gold_content(f"qingshui_{year}", meta=issuer) for year in (2019, 2020))
    )
    run = write_run(tmp_path / "run", [record(document, perfect(document)) for document in gold.documents])
    overall = scores(score_run(run, gold))["overall"]
    assert (overall["documents"], overall["clusters"], overall["f1_low"]) == (2, 1, None)


TEXT = "全年共公开信息 1 200余条，其中网站1200余条。"
EVIDENCE = [
    ((8, 15), 1.0, 1.0),
    ((20, 26), 1.0, 0.0),
    ((0, 4), 0.0, None),
]


@pytest.mark.parametrize(("span", "contains", "right"), EVIDENCE)
def test_grounding(tmp_path: Path, span: tuple[int, int], contains: float, right: float | None) -> None:
    line = prose("proactive.total", 1200, raw="1200余条", near="信息", bound="at_least")
    gold = write_gold(tmp_path / "gold", gold_content("baishi_2020", narrative=[line]))
    evidence = Evidence(start=span[0], end=span[1])
    facts = [fact("proactive.total", 1200, raw="1 200余条", bound="at_least", evidence=evidence)]
    run = write_run(tmp_path / "run", [record(gold.documents[0], facts)], {"baishi_2020": TEXT})
    found = scores(score_run(run, gold))["grounding"]
    assert (found["contains_raw"], found["right_place"]) == (contains, right)


def test_scope_and_bound_are_scored_beside_the_value(tmp_path: Path) -> None:
    """1200余条 read as exactly 1200 of an unknown body is right in value, and in nothing beside it."""
    gold = two_documents(tmp_path / "gold")
    one = next(document for document in gold.documents if document.doc_id == "qingshui_2020")
    said = [
        fact.model_copy(update={"bound": "exact", "scope": None}) if fact.path == "proactive.total" else fact
        for fact in perfect(one)
    ]
    _, content = scored(tmp_path, qingshui_2020=said)
    assert content["overall"]["wrong"] == 0
    assert (content["scope"]["agreeing"], content["scope"]["of"]) == (1, 2)
    assert (content["bound"]["agreeing"], content["bound"]["of"]) == (1, 2)


def test_few_documents_and_failures_are_said_in_words(tmp_path: Path) -> None:
    gold = two_documents(tmp_path / "gold")
    records = [record(gold.documents[0], [], "failed"), record(gold.documents[1], perfect(gold.documents[1]))]
    content = scores(score_run(write_run(tmp_path / "run", records), gold))
    assert any("Documents: 2, issuers: 2" in warning for warning in content["warnings"])
    assert "against 2 hand-annotated reports" in content["statement"]["en"]
    assert "1 failed or missing" in content["statement"]["en"]
    assert "strategy label, model made-up-1b, prompt" in content["statement"]["en"]
    assert "2 份人工标注的报告" in content["statement"]["zh"]
    f1 = content["overall"]
    assert (
        f"{f1['f1']:.3f} (95 % interval {f1['f1_low']:.3f}–{f1['f1_high']:.3f})" in content["statement"]["en"]
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prefilled": True}, "1 reports, 1 of them prefilled by a program"),
        ({"status": "draft"}, "1 reports, 1 of them unfinished"),
        ({"annotators": []}, "1 reports, 1 of them unfinished"),
        ({}, "1 hand-annotated reports"),
    ],
)
def test_gold_that_is_not_by_hand_or_not_finished_is_not_called_so(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    gold = write_gold(tmp_path / "gold", gold_content("a", meta={"year": 2020}) | changes)
    content = scores(score_run(write_run(tmp_path / "run", [record(gold.documents[0], [])]), gold))
    assert said in content["statement"]["en"]


def test_a_run_of_other_documents_is_not_scored(tmp_path: Path) -> None:
    gold = two_documents(tmp_path / "gold")
    other = write_gold(tmp_path / "other", gold_content("elsewhere_2021"))
    run = write_run(tmp_path / "run", [record(other.documents[0], [])])
    with pytest.raises(StartError, match="none of the 2 documents annotated"):
        score_run(run, gold)


def test_broken_identities_that_were_reported(tmp_path: Path) -> None:
    gold = two_documents(tmp_path / "gold")
    document = next(d for d in gold.documents if d.doc_id == "qingshui_2020")
    findings = [
        Finding(rule="requests.row_total", severity="error", at="granted", message="x"),
        Finding(rule="remedies.total", severity="error", at="review", message="x"),
        Finding(rule="table.row_length", severity="warning", message="x"),
        Finding(rule="meta.published", severity="note", message="x"),
    ]
    run = write_run(tmp_path / "run", [record(document, [], findings=findings)])
    found = scores(score_run(run, gold))["findings"]
    assert (found["listed"], found["reported"], found["missed"]) == (1, 1, ())
    assert found["beyond"] == ("qingshui_2020: remedies.total@review",)


def test_scores_are_strict_json_and_a_rerun_writes_the_same(tmp_path: Path) -> None:
    _, content = scored(tmp_path)
    path = write_scores(content, tmp_path / "out")
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail)["gold_hash"] == content["gold_hash"]
    _, again = scored(tmp_path)
    assert write_scores(again, tmp_path / "out").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("line", ["{", '{"doc_id": "a"}'])
def test_a_broken_record_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "records.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(StartError, match="line 1"):
        load_run(tmp_path)


def test_a_folder_without_records_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"records\.jsonl"):
        load_run(tmp_path)


GATES = [
    (["overall=0.9"], None, Outcome.PASSED),
    (["overall=1", "prose=0.4"], None, Outcome.FAILED),
    (["prose=0.4"], 0.1, Outcome.TOO_THIN),
    (["stat2014=0.5"], None, None),
    (["prose"], None, None),
    (["prose=2"], None, None),
]


@pytest.mark.parametrize(("texts", "slack", "outcome"), GATES)
def test_gates(tmp_path: Path, texts: list[str], slack: float | None, outcome: Outcome | None) -> None:
    wrong = [fact("proactive.total", 8), fact("meta.issuer", "白石镇人民政府")]
    _, content = scored(tmp_path, baishi_2020=wrong)
    content["overall"]["f1"] = 0.95
    if outcome is None:
        with pytest.raises(UsageError):
            apply_gates([parse_gate(text) for text in texts], content, slack)
        return
    assert worst(apply_gates([parse_gate(text) for text in texts], content, slack)) is outcome


# --- a second, naive implementation ---------------------------------------------------

PATHS = (
    "proactive.total",
    "proactive.channel.website",
    "engagement.interviews",
    "requests.new_received.total",
)
cell = st.sampled_from([0, 1, 2, 13, "_", "/", "?", "无"])
statement = st.sampled_from([0, 1, 2, 13])
answer_cell = st.sampled_from(
    [
        None,
        (0, "value"),
        (1, "value"),
        (2, "value"),
        (0, "zero_in_words"),
        (None, "blank"),
        (None, "not_applicable"),
        (None, "illegible"),
    ]
)


def naive(cells: dict[str, Any], said: dict[str, Any]) -> dict[str, int]:
    """Verdicts of single places, counted in the plainest way there is."""
    signs = {"_": (None, "blank"), "/": (None, "not_applicable"), "无": (0, "zero_in_words")}
    counts = dict.fromkeys(("correct", "wrong", "omitted", "invented", "correctly_absent"), 0)
    for path in {*cells, *said}:
        claim = said.get(path)
        claim = None if claim is not None and claim[1] == "illegible" else claim
        if path not in cells:
            counts["invented"] += claim is not None and claim[1] != "blank"
        elif cells[path] == "?":
            continue
        else:
            truth = signs.get(cells[path], (cells[path], "value"))
            if truth[1] == "blank" and (claim is None or claim[1] == "blank"):
                counts["correctly_absent"] += 1
            elif claim is None:
                counts["omitted"] += 1
            else:
                counts["correct" if claim == truth else "wrong"] += 1
    return counts


ITEMS_2021 = [f"proactive.{item}.decisions" for item in ("licensing", "penalties", "coercion")]


@settings(max_examples=2_000, deadline=None)
@given(
    st.dictionaries(st.sampled_from(ITEMS_2021), cell),
    st.dictionaries(st.sampled_from(ITEMS_2021), answer_cell.filter(bool)),
    st.dictionaries(st.sampled_from(PATHS), statement),
    st.dictionaries(st.sampled_from(PATHS), answer_cell.filter(bool)),
)
def test_counts_equal_a_naive_implementation(
    cells: dict[str, Any], said_cells: dict[str, Any], lines: dict[str, int], said_lines: dict[str, Any]
) -> None:
    gold = gold_document(
        templates=FORM_2021,
        proactive={path.split(".")[1]: {"decisions": entry} for path, entry in cells.items()},
        narrative=[prose(path, value) for path, value in lines.items()],
    )
    facts = [fact(path, *claim, source="table") for path, claim in said_cells.items()]
    facts += [fact(path, *claim) for path, claim in said_lines.items()]
    judged = [str(j.verdict) for j in judge(gold, facts) if not j.path.startswith("meta.")]
    expected = [naive(cells, said_cells), naive(lines, said_lines)]
    assert {key: judged.count(key) for key in expected[0]} == {
        key: sum(counts[key] for counts in expected) for key in expected[0]
    }


@given(st.permutations(range(6)))
def test_the_order_of_facts_does_not_matter(order: list[int]) -> None:
    labels = ["文件类", "财政类", "环保类", "文件类信息", "民生类", "其他类"]
    gold = gold_document(narrative=[prose(CATEGORY, n % 3, label=label) for n, label in enumerate(labels)])
    facts = [answer(g) for g in gold.facts if g.is_stated]
    facts[0] = facts[0].model_copy(update={"value": 99})
    verdicts = sorted(j.verdict for j in judge(gold, [facts[n] for n in order]) if j.path == CATEGORY)
    assert verdicts == ["correct"] * 5 + ["wrong"]
