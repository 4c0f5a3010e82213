"""Gold files: what they may hold, what they expand to, and what the check finds."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from eval_material import FORM_2021, META, gold_content, gold_document, write_gold

from evals.gold import load_gold
from evals.gold_check import check_gold, table_identities
from evals.gold_file import read_gold_file
from evals.occurrences import SearchText
from pipeline.errors import GoldError
from pipeline.schema import APPLICANTS, request_rows

REPOSITORY = Path(__file__).parents[1]


def prose(path: str, value: object, raw: str, **parts: Any) -> dict[str, Any]:
    return {"path": path, "value": value, "raw": raw, "scope": None} | parts


def requests_table(**rows: list[Any]) -> dict[str, list[Any]]:
    """A 2021 table of zeros but for `rows`."""
    return {row.key: [0] * len(APPLICANTS) for row in request_rows("table2021")} | rows


REFUSED = [
    ({"requests": {"new_received": [1, 2, 3]}}, "requests.new_received has 3 cells; needed are 7"),
    ({"remedies": {"review": [0] * 7}}, "remedies.review has 7 cells; needed are 5"),
    ({"remedies": {"appeal": [0] * 5}}, "allowed: review, litigation_direct, litigation_after_review"),
    ({"requests": {"received": [0] * 7}}, "requests.received.natural_person is unknown"),
    ({"proactive": {"licensing": {"issued": 3}}}, "proactive.licensing.issued is unknown"),
    ({"requests": {"granted": ["x"] * 7}}, "requests.granted.0"),
    ({"meta": {"level": "city"}}, "'county'"),
    ({"meta": {"period_start": "2020-02-30"}}, "meta.period_start"),
    ({"meta": {"division_code": "99"}}, "meta.division_code"),
    ({"sha256": "abc"}, "sha256"),
    ({"status": "done"}, "'adjudicated'"),
    ({"narrative": [prose("proactive.totals", 3, "3条")]}, "'proactive.totals' is unknown"),
    ({"narrative": [prose("meta.year", 2020, "2020年")]}, "allowed are the number paths"),
    ({"narrative": [prose("proactive.category", 3, "3条")]}, "label goes with proactive.category"),
    ({"narrative": [prose("proactive.total", 3, "3条", label="x")]}, "label goes with proactive.category"),
    ({"narrative": [prose("proactive.total", 1, "无", status="zero_in_words")]}, "goes with value 0"),
    ({"narrative": [prose("proactive.total", 3, "3条", bound="approx")]}, "'at_least'"),
    ({"findings": ["the sums are wrong"]}, "is no rule@column"),
    ({"remark": "x"}, "remark"),
]


@pytest.mark.parametrize(("parts", "said"), REFUSED)
def test_a_faulty_file_is_refused_with_its_key_and_what_is_allowed(
    tmp_path: Path, parts: dict[str, Any], said: str
) -> None:
    with pytest.raises(GoldError) as caught:
        write_gold(tmp_path, gold_content("qingshui_2020", **parts))
    assert "qingshui_2020.yaml" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("yaml_text", "said"),
    [
        ("[1, 2]", "holds list; needed is a mapping"),
        ("doc_id: x\ndoc_id: y\n", "key 'doc_id' stands twice"),
        ("doc_id: [", "no valid YAML"),
    ],
)
def test_what_is_no_gold_at_all_is_refused(tmp_path: Path, yaml_text: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(yaml_text, encoding="utf-8")
    with pytest.raises(GoldError, match=r"x\.yaml") as caught:
        read_gold_file(path)
    assert said in str(caught.value)


SCALARS = [
    ("phone: 0606-5518206", "phone", "0606-5518206"),
    ("phone: 06065518206", "phone", "06065518206"),
    ("phone: 2252138", "phone", "2252138"),
    ("published_on: 2021-01-31", "published_on", "2021-01-31"),
    ("issuer: no", "issuer", "no"),
    ("year: 2020", "year", 2020),
]


@pytest.mark.parametrize(("line", "key", "value"), SCALARS)
def test_digits_and_dates_are_read_as_they_stand(tmp_path: Path, line: str, key: str, value: object) -> None:
    path = tmp_path / "qingshui_2020.yaml"
    head = f"doc_id: qingshui_2020\nfile: q.txt\nsha256: {'0' * 64}\nstatus: draft\nannotators: []\n"
    path.write_text(head + "templates: {document: narrative}\nmeta: {" + line + "}\n", encoding="utf-8")
    assert getattr(read_gold_file(path).meta, key) == value


CELLS = [
    (3, 3, "value"),
    (0, 0, "value"),
    ("_", None, "blank"),
    ("/", None, "not_applicable"),
    ("?", None, "illegible"),
    ("无", 0, "zero_in_words"),
]


@pytest.mark.parametrize(("entry", "value", "status"), CELLS)
def test_the_marks_of_a_cell(entry: object, value: object, status: str) -> None:
    document = gold_document(templates=FORM_2021, requests={"granted": [entry, 0, 0, 0, 0, 0, 0]})
    cell = next(fact for fact in document.facts if fact.path == "requests.granted.natural_person")
    assert (cell.value, cell.status, cell.source, cell.template) == (value, status, "table", "table2021")


def test_all_kinds_of_facts_are_expanded() -> None:
    document = gold_document(
        templates=FORM_2021 | {"requests": "table2019"},
        meta={"year": 2020},
        proactive={"licensing": {"decisions": 5}},
        requests={"new_received": [1, 0, 0, 0, 0, 0, 1]},
        remedies={"review": [1, 0, 0, 0, 1]},
        narrative=[prose("proactive.total", 1200, "1200余条", bound="at_least", scope="own")],
        text={"problems": [{"starts": "意识", "ends": "不强"}]},
    )
    by_source = {
        source: [f for f in document.facts if f.source == source] for source in ("table", "narrative")
    }
    assert len(document.facts) == len(META) + 1 + 7 + 5 + 1 + 1
    assert [f.status for f in document.facts if f.source == "metadata"].count("absent") == len(META) - 1
    assert {f.template for f in by_source["table"] if f.path.startswith("requests.")} == {"table2019"}
    assert by_source["narrative"][0].bound == "at_least"
    assert (by_source["narrative"][1].starts, by_source["narrative"][1].ends) == ("意识", "不强")


def test_the_hash_covers_what_is_scored_and_nothing_else(tmp_path: Path) -> None:
    one = gold_content("qingshui_2020", narrative=[prose("proactive.total", 5, "5条")])
    same = dict(reversed(one.items())) | {"notes": "another note", "annotators": ["c"], "status": "reviewed"}
    other = gold_content("qingshui_2020", narrative=[prose("proactive.total", 6, "5条")])
    hashes = [write_gold(tmp_path / str(number), gold).hash for number, gold in enumerate((one, same, other))]
    assert hashes[0] == hashes[1] != hashes[2]


BALANCED = {
    "new_received": [3, 1, 0, 0, 0, 0, 4],
    "granted": [2, 1, 0, 0, 0, 0, 3],
    "concluded": [2, 1, 0, 0, 0, 0, 3],
    "carried_out": [1, 0, 0, 0, 0, 0, 1],
}
BROKEN = [
    ({}, []),
    ({"granted": [2, 1, 0, 0, 0, 0, 4]}, ["requests.outcome_total@total", "requests.row_total@granted"]),
    ({"carried_in": [0, 2, 0, 0, 0, 0, 2]}, ["requests.balance@company", "requests.balance@total"]),
    (
        {"concluded": [1, 1, 0, 0, 0, 0, 3]},
        [
            "requests.balance@natural_person",
            "requests.outcome_total@natural_person",
            "requests.row_total@concluded",
        ],
    ),
    ({"carried_in": ["_", 2, 0, 0, 0, 0, 2]}, ["requests.balance@company", "requests.balance@total"]),
]


@pytest.mark.parametrize(("changed", "broken"), BROKEN)
def test_identities_that_the_tables_break(changed: dict[str, list[Any]], broken: list[str]) -> None:
    document = gold_document(templates=FORM_2021, requests=requests_table(**(BALANCED | changed)))
    assert sorted(table_identities(document.file).broken) == broken


def test_a_missing_operand_is_neither_broken_nor_holding() -> None:
    rows = requests_table(**(BALANCED | {"granted": ["_", 1, 0, 0, 0, 0, 9]}))
    identities = table_identities(gold_document(templates=FORM_2021, requests=rows).file)
    assert "requests.row_total@granted" not in identities.broken | identities.holding


FINDINGS = [
    ([10, 1, 0, 0, 0], [], "remedies.total@review is broken by the figures but not listed"),
    ([10, 1, 0, 0, 11], ["remedies.total@review"], "remedies.total@review is listed but holds"),
    ([10, 1, "_", 0, 0], ["remedies.total@review"], "listed but cannot be recomputed"),
    ([10, 1, 0, 0, 0], ["remedies.total@review", "meta.chapters"], None),
]


@pytest.mark.parametrize(("review", "listed", "said"), FINDINGS)
def test_findings_are_the_broken_identities(
    tmp_path: Path, review: list[Any], listed: list[str], said: str | None
) -> None:
    forms = {"document": "table2021", "proactive": None, "requests": None, "remedies": "table2021"}
    write_gold(tmp_path, gold_content("a", templates=forms, remedies={"review": review}, findings=listed))
    messages = [str(problem) for problem in check_gold(tmp_path)]
    assert (not messages) if said is None else any(said in message for message in messages)


PROACTIVE = {"document": "table2019", "proactive": "table2019", "requests": None, "remedies": None}
PRESS = "engagement.press_conferences"
SLIPS = [
    ({"narrative": [prose("proactive.total", 9, "2380条")]}, "value is 9, but raw '2380条' says 2380"),
    ({"narrative": [prose("proactive.total", 4200, "4200余条", bound="at_least")]}, None),
    ({"narrative": [prose("proactive.total", 100_000, "10万余条", bound="at_least")]}, None),
    ({"narrative": [prose(PRESS, 12, "十二场"), prose(PRESS, 12, "十二场")]}, "stands twice"),
    ({"narrative": [prose(PRESS, 2, "2场", near="上"), prose(PRESS, 2, "2场", near="下")]}, None),
    ({"proactive": {"licensing": {"decisions": -1846}}, "templates": PROACTIVE}, "-1846 is no count"),
    ({"proactive": {"licensing": {"decisions": 2.5}}, "templates": PROACTIVE}, "2.5 is no count"),
    ({"proactive": {"licensing": {"items_change": -3}}, "templates": PROACTIVE}, None),
    (
        {
            "proactive": {"licensing": {"decisions": -4}},
            "templates": PROACTIVE,
            "findings": ["proactive.non_negative@decisions"],
        },
        None,
    ),
]


@pytest.mark.parametrize(("parts", "said"), SLIPS)
def test_slips_of_the_pen(tmp_path: Path, parts: dict[str, Any], said: str | None) -> None:
    write_gold(tmp_path, gold_content("a", **parts))
    errors = [str(problem) for problem in check_gold(tmp_path) if problem.severity == "error"]
    assert (errors == []) if said is None else any(said in error for error in errors)


REPORT = (
    "清水县人民政府\n2020年，全县公开信息1 200余条，其中网站公开 900条，微博公开900条。\n一是意识还不够强。\n"
)
PRINTS = [
    (prose("proactive.total", 1200, "1200余条", bound="at_least"), None, None),
    (prose("proactive.total", 1300, "1300条"), "raw '1300条' is not in the document", "error"),
    (prose("proactive.channel.weibo", 900, "900条", near="微博公开"), None, None),
    (
        prose("proactive.channel.weibo", 900, "900条", near="公报"),
        "not stand right after near '公报'",
        "error",
    ),
    (prose("proactive.channel.weibo", 900, "900条"), "stands several times", "note"),
]


@pytest.mark.parametrize(("line", "said", "severity"), PRINTS)
def test_prints_are_looked_for_in_the_document(
    tmp_path: Path, line: dict[str, Any], said: str | None, severity: str | None
) -> None:
    (tmp_path / "a.txt").write_text(REPORT, encoding="utf-8")
    sha256 = hashlib.sha256(REPORT.encode()).hexdigest()
    write_gold(tmp_path, gold_content("a", sha256=sha256, narrative=[line]))
    problems = check_gold(tmp_path, tmp_path)
    assert [problem.severity for problem in problems] == ([] if severity is None else [severity])
    assert said is None or said in problems[0].message


def test_another_file_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    write_gold(tmp_path, gold_content("a"), gold_content("b"))
    (tmp_path / "a.txt").write_text(REPORT, encoding="utf-8")
    problems = check_gold(tmp_path, tmp_path)
    assert [(problem.key, problem.severity) for problem in problems] == [
        ("sha256", "error"),
        ("file", "note"),
    ]


def test_a_print_is_found_across_white_space() -> None:
    text = SearchText("共 1\n136 条，另有136条")
    assert [text.text[s.start : s.end] for s in text.find("1136条")] == ["1\n136 条"]
    assert [text.text[s.start : s.end] for s in text.find("136条", near="另有")] == ["136条"]
    assert text.find("137条") == []


@pytest.mark.parametrize("folder", ["gold", "gold/samples", "gold/dev"])
def test_the_repository_gold_is_sound(folder: str) -> None:
    path = REPOSITORY / folder
    if not sorted(path.glob("*.yaml")):
        pytest.skip(f"{folder} holds no gold files")
    assert load_gold(path).hash
    assert [str(p) for p in check_gold(path) if p.severity == "error"] == []
