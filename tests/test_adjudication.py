"""Adjudication without pages: what is asked, what the gold file then says, and that nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from adjudication_material import META, WITH_REQUESTS, adjudication, decide, keys, line, reopened

from evals.gold_check import check_gold
from evals.gold_file import read_gold_file
from evals.gold_new import PROACTIVE_CELLS
from evals.review.adjudication.cards import cards
from evals.review.adjudication.session import Adjudication, Aim, DecisionConflict
from pipeline.errors import GoldError, StartError
from pipeline.schema import request_rows

ROW = {"granted": [7, 0, 0, 0, 0, 0, 7]}
ITEM = {"starts": "公开意识", "ends": "待增强"}


def gold_of(made: Adjudication) -> Any:
    document = made.documents[0]
    assert document.standing.status == "adjudicated", (document.standing, document.merged.open)
    return read_gold_file(document.path)


# what A has, what B has, what is asked
ASKED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    # One cell of a row that both have.
    (
        {"templates": WITH_REQUESTS, "requests": ROW},
        {"templates": WITH_REQUESTS, "requests": {"granted": [6, 0, 0, 0, 0, 0, 6]}},
        ["requests.granted.natural_person", "requests.granted.total"],
    ),
    # Money is compared to the fen; 5 and 5.0 are the same.
    ({"statistics": {"fee_wan_yuan": 5}}, {"statistics": {"fee_wan_yuan": 5.0}}, []),
    # A blank is not a zero.
    ({"statistics": {"meetings": "_"}}, {"statistics": {"meetings": 0}}, ["statistics.meetings"]),
    ({"statistics": {"meetings": 3}}, {}, ["statistics.meetings"]),
    # The form comes first: the row is not asked about yet.
    (
        {"templates": WITH_REQUESTS, "requests": ROW},
        {},
        ["templates.requests"],
    ),
    # A row that only one has.
    (
        {"templates": WITH_REQUESTS, "requests": ROW | {"concluded": [7, 0, 0, 0, 0, 0, 7]}},
        {"templates": WITH_REQUESTS, "requests": ROW},
        ["requests.concluded"],
    ),
    ({"meta": {"issuer": "清水县文化局"}}, {"meta": {"issuer": "清水县 文化局"}}, []),
    ({"meta": {"phone": "0607-1234567"}}, {"meta": {"phone": None}}, ["meta.phone"]),
    # The same figure with another print for its place is no disagreement.
    (
        {"narrative": [line("proactive.channel.website", 35, "35条")]},
        {"narrative": [line("proactive.channel.website", 35, "35条", near="公开信息")]},
        [],
    ),
    (
        {"narrative": [line("proactive.channel.website", 35, "35条", scope="own", bound="about")]},
        {"narrative": [line("proactive.channel.website", 35, "35条")]},
        ["prose_scope proactive.channel.website", "prose_bound proactive.channel.website"],
    ),
    # Both found, but at two places.
    (
        {"narrative": [line("capacity.trainings", 2, "2次", near="举办培训")]},
        {"narrative": [line("capacity.trainings", 2, "2次", near="本局没有收取费用。举办培训")]},
        [],
    ),
    (
        {"narrative": [line("capacity.trainings", 2, "2次", near="费用。举办培训")]},
        {"narrative": [line("capacity.trainings", 2, "2次", near="乡镇举办培训")]},
        ["prose_place capacity.trainings"],
    ),
    # One print, two fields: one question.
    (
        {"narrative": [line("proactive.category", 20, "20篇", label="简报")]},
        {"narrative": [line("proactive.channel.other", 20, "20篇")]},
        ["prose proactive.category"],
    ),
    ({"narrative": [line("capacity.trainings", 2, "2次")]}, {}, ["prose capacity.trainings"]),
    (
        {"text": {"problems": [ITEM]}},
        {"text": {"problems": [{"starts": "公开意识有", "ends": "有待增强"}]}},
        [],
    ),
    # Items that overlap are one question, others are two.
    (
        {"text": {"problems": [ITEM]}},
        {"text": {"problems": [{"starts": "公开意识", "ends": "不及时"}]}},
        ["text text.problems"],
    ),
    (
        {"text": {"problems": [ITEM]}},
        {"text": {"problems": [{"starts": "解读形式", "ends": "形式单一"}]}},
        ["text text.problems", "text text.problems"],
    ),
    ({"findings": ["meta.chapters"]}, {}, ["findings/meta.chapters"]),
]


@pytest.mark.parametrize(("a", "b", "asked"), ASKED)
def test_only_disagreements_are_asked(
    tmp_path: Path, a: dict[str, Any], b: dict[str, Any], asked: list[str]
) -> None:
    assert sorted(keys(adjudication(tmp_path, a, b))) == sorted(asked)


def test_what_agrees_is_taken_over_and_nothing_left_to_decide_is_adjudicated(tmp_path: Path) -> None:
    a = {"narrative": [line("proactive.channel.website", 35, "35条")], "text": {"problems": [ITEM]}}
    made = adjudication(tmp_path, a, a)
    gold = gold_of(made)
    assert (gold.status, gold.annotators) == ("adjudicated", ["a", "b"])
    assert [item.starts for item in gold.text.problems] == ["公开意识"]
    assert gold.notes == "a: said by a\nb: said by b"


def test_undecided_cells_are_tildes_and_undecided_lines_are_left_out(tmp_path: Path) -> None:
    requests = {"templates": WITH_REQUESTS, "requests": ROW}
    a = requests | {"narrative": [line("capacity.trainings", 2, "2次")]}
    b = requests | {"requests": {"granted": [7, 1, 0, 0, 0, 0, 7]}}
    made = adjudication(tmp_path, a, b)
    text = (tmp_path / "gold" / "qingshui_2023.yaml").read_text(encoding="utf-8")
    assert "granted: [7, ~, 0, 0, 0, 0, 7]" in text
    assert "narrative: []" in text
    assert "status: draft" in text
    decide(made, "requests.granted.company", "a")
    decide(made, "narrative/", "a")
    gold = gold_of(made)
    assert (
        "narrative capacity.trainings 2次: a {path: capacity.trainings, value: 2, raw: 2次} | b nothing → {"
        in str(gold.notes)
    )
    assert gold.requests["granted"] == [7, 0, 0, 0, 0, 0, 7]
    assert [(each.path, each.raw) for each in gold.narrative] == [("capacity.trainings", "2次")]


# what is asked at the key, choice, value, what the gold file then has there
DECIDED: list[tuple[dict[str, Any], dict[str, Any], str, str, Any, Any]] = [
    (
        {"statistics": {"meetings": 3}},
        {"statistics": {"meetings": 5}},
        "statistics",
        "a",
        None,
        {"meetings": 3},
    ),
    (
        {"statistics": {"meetings": 3}},
        {"statistics": {"meetings": 5}},
        "statistics",
        "b",
        None,
        {"meetings": 5},
    ),
    (
        {"statistics": {"meetings": 3}},
        {"statistics": {"meetings": 5}},
        "statistics",
        "other",
        "1,203",
        {"meetings": 1203},
    ),
    (
        {"statistics": {"meetings": 3}},
        {"statistics": {"meetings": 5}},
        "statistics",
        "other",
        "/",
        {"meetings": "/"},
    ),
    ({"statistics": {"meetings": 3}}, {}, "statistics", "neither", None, {}),
    ({"statistics": {"meetings": 3}}, {}, "statistics", "b", None, {}),
]


@pytest.mark.parametrize(("a", "b", "key", "choice", "value", "expected"), DECIDED)
def test_a_decision_is_what_the_gold_file_says(
    tmp_path: Path, a: dict[str, Any], b: dict[str, Any], key: str, choice: Any, value: Any, expected: Any
) -> None:
    made = adjudication(tmp_path, a, b)
    decide(made, key, choice, value)
    assert gold_of(made).statistics == expected


def test_metadata_and_a_line_can_be_typed(tmp_path: Path) -> None:
    made = adjudication(
        tmp_path,
        {"meta": {"phone": "1"}, "narrative": [line("proactive.channel.wechat", 30, "30条")]},
        {"meta": {"phone": "2"}},
    )
    decide(made, "meta.phone", "neither")
    typed = {
        "path": "proactive.channel.wechat", "value": "30", "raw": "30余条", "bound": "at_least", "scope": "",
    }  # fmt: skip
    decide(made, "narrative/", "other", typed)
    gold = gold_of(made)
    assert (gold.meta.phone, "phone" in gold.meta.model_fields_set) == (None, True)
    assert [(each.raw, each.bound, each.scope) for each in gold.narrative] == [("30余条", "at_least", None)]


def test_of_two_prints_of_a_figure_the_one_that_tells_its_place_is_kept(tmp_path: Path) -> None:
    prints = (("2次", None), ("举办培训2次", "费用。"), ("培训2次", "费用。举办"))
    lines = [line("capacity.trainings", 2, raw, near=near) for raw, near in prints]
    made = adjudication(tmp_path / "1", {"narrative": lines[:1]}, {"narrative": lines[1:2]})
    assert gold_of(made).narrative[0].raw == "举办培训2次"
    made = adjudication(tmp_path / "2", {"narrative": lines[1:2]}, {"narrative": lines[2:]})
    assert gold_of(made).narrative[0].raw == "培训2次"


def test_both_lines_can_be_right(tmp_path: Path) -> None:
    made = adjudication(
        tmp_path,
        {"narrative": [line("proactive.category", 20, "20篇", label="简报")]},
        {"narrative": [line("proactive.channel.other", 20, "20篇")]},
    )
    decide(made, "narrative/", "both")
    assert [each.path for each in gold_of(made).narrative] == [
        "proactive.category",
        "proactive.channel.other",
    ]


def test_lines_keep_the_order_of_the_report(tmp_path: Path) -> None:
    first, second = (
        line("proactive.channel.website", 35, "35条"),
        line("requests.concluded.total", 12, "12件"),
    )
    between, last = line("proactive.channel.other", 20, "20篇"), line("requests.granted.total", 7, "7件")
    made = adjudication(
        tmp_path, {"narrative": [first, second]}, {"narrative": [first, between, second, last]}
    )
    decide(made, "narrative/", "b")
    for asked in made.documents[0].merged.open:
        decide(made, asked.key, "b")
    assert [each.raw for each in gold_of(made).narrative] == ["35条", "20篇", "12件", "7件"]


TRAININGS = {"narrative": [line("capacity.trainings", 2, "2次")]}
# what A has, what is typed, what the refusal says
REFUSED: list[tuple[dict[str, Any], Any, str]] = [
    ({"statistics": {"meetings": 3}}, "three", "figure or one of"),
    ({"meta": {"year": 2022}}, "2007", "2008"),
    (TRAININGS, {"path": "capacity.trainings", "value": "2", "raw": "9次"}, "not in the document"),
    (TRAININGS, {"path": "capacity.nonsense", "value": "2", "raw": "2次"}, "unknown"),
    (TRAININGS, {"path": "capacity.trainings", "value": "_", "raw": "2次"}, "allowed is a figure"),
    ({"text": {"problems": [ITEM]}}, {"starts": "公开意识", "ends": "从未出现"}, "not in the document"),
    ({"templates": WITH_REQUESTS, "requests": ROW}, "table2020", "allowed are"),
]


@pytest.mark.parametrize(("a", "value", "said"), REFUSED)
def test_a_typed_value_that_cannot_be_is_refused_with_what_is_allowed(
    tmp_path: Path, a: dict[str, Any], value: Any, said: str
) -> None:
    made = adjudication(tmp_path, a, {})
    before = made.documents[0].path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        decide(made, made.documents[0].merged.open[0].key, "other", value)
    assert made.documents[0].path.read_text(encoding="utf-8") == before


# ---- what depends on other decisions ----


@pytest.mark.parametrize(("choice", "rows"), [("a", ["granted"]), ("b", [])])
def test_the_form_decides_which_rows_there_are(tmp_path: Path, choice: Any, rows: list[str]) -> None:
    made = adjudication(tmp_path, {"templates": WITH_REQUESTS, "requests": ROW}, {})
    assert made.documents[0].merged.waiting == ("requests",)
    assert "requests: ~" in made.documents[0].path.read_text(encoding="utf-8")
    decide(made, "templates.requests", choice)
    asked = ["requests.granted"] if choice == "a" else []
    assert keys(made)[1:] == asked
    for key in asked:
        decide(made, key, "a")
    assert list(gold_of(made).requests) == rows


def test_rows_of_the_form_that_was_decided_against_go(tmp_path: Path) -> None:
    zero = [0] * 7
    old = {row.key: zero for row in request_rows("table2019")}
    new = {row.key: zero for row in request_rows("table2021")}
    made = adjudication(
        tmp_path,
        {"templates": WITH_REQUESTS | {"requests": "table2019"}, "requests": old},
        {"templates": WITH_REQUESTS, "requests": new},
    )
    decide(made, "templates.requests", "b")
    for asked in made.documents[0].merged.open:
        assert asked.kind == "rows"
        decide(made, asked.key, "b")
    assert sorted(gold_of(made).requests) == sorted(new)


def test_a_form_that_neither_chose_asks_for_its_rows(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {}, {"templates": {"document": "narrative", "proactive": "stat2014"}})
    decide(made, "templates.proactive", "other", "table2021")
    assert len(keys(made)) == 1 + len(PROACTIVE_CELLS["table2021"])
    decide(made, "proactive.regulations", "other", "1 0 7")
    assert "regulations: {issued: 1, repealed: 0, in_force: 7}" in made.documents[0].standing.text


def test_identities_are_computed_anew_from_the_figures_decided_on(tmp_path: Path) -> None:
    """Either row adds up; the row that is put together from both does not, and says so."""
    a = {"templates": WITH_REQUESTS, "requests": {"granted": [7, 0, 0, 0, 0, 0, 7]}}
    b = {"templates": WITH_REQUESTS, "requests": {"granted": [6, 0, 0, 0, 0, 0, 6]}}
    made = adjudication(tmp_path, a, b)
    decide(made, "requests.granted.natural_person", "a")
    assert "findings/requests.row_total@granted" not in keys(made)
    decide(made, "requests.granted.total", "b")
    asked = made.documents[0].find("findings/requests.row_total@granted")
    assert (asked.hint, asked.choices) == ("broken", ("a", "other"))
    decide(made, asked.key, "a", reason="no idea")
    assert made.documents[0].standing.status == "problems"
    said = [each.message for each in made.documents[0].standing.problems if each.severity == "error"]
    assert said == ["requests.row_total@granted is broken by the figures but not listed"]
    decide(made, asked.key, "other", "listed", reason="printed so")
    assert gold_of(made).findings == ["requests.row_total@granted"]


def test_a_finding_that_both_list_and_the_figures_no_longer_break_is_asked(tmp_path: Path) -> None:
    broken = {"templates": WITH_REQUESTS, "findings": ["requests.row_total@granted"]}
    a = broken | {"requests": {"granted": [7, 0, 0, 0, 0, 0, 9]}}
    b = broken | {"requests": {"granted": [8, 0, 0, 0, 0, 0, 9]}}
    made = adjudication(tmp_path, a, b)
    decide(made, "requests.granted.natural_person", "other", "9")
    assert made.documents[0].find("findings/requests.row_total@granted").hint == "holds"
    decide(made, "findings/requests.row_total@granted", "other", "none")
    assert gold_of(made).findings == []


# ---- reasons, undo, several at once ----


def test_a_decision_without_a_reason_is_pending_until_there_is_one(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    decide(made, "statistics.meetings", "b", reason="  ")
    assert "meetings: ~" in made.documents[0].standing.text
    assert made.documents[0].standing.status == "open"
    again = reopened(tmp_path)
    found = again.documents[0].merged.decision(again.documents[0].merged.disagreements[0])
    assert found is not None
    assert (found.choice, found.is_pending) == ("b", True)
    decide(again, "statistics.meetings", "b", reason="page 3")
    assert gold_of(again).notes.endswith("statistics.meetings: a 3 | b 5 → 5: page 3")


def test_undo_takes_back_the_last_decision_and_no_other(tmp_path: Path) -> None:
    a, b = {"statistics": {"meetings": 3, "trainings": 1}}, {"statistics": {"meetings": 5, "trainings": 2}}
    made = adjudication(tmp_path, a, b)
    document = made.documents[0]
    decide(made, "statistics.meetings", "a")
    decide(made, "statistics.meetings", "b")
    decide(made, "statistics.trainings", "a")
    texts = [document.standing.text]
    with pytest.raises(DecisionConflict):
        document.undo(document.log.last_batch[-1].number - 1, "c")
    for _ in range(3):
        document.undo(document.log.last_batch[-1].number, "c")
        texts.append(document.standing.text)
    shown = ["".join(text.partition("statistics:\n")[2].splitlines(keepends=True)[:2]) for text in texts]
    assert shown == [
        f"  meetings: {one}\n  trainings: {two}\n"
        for one, two in (("5", "1"), ("5", "~"), ("3", "~"), ("~", "~"))
    ]
    assert document.log.last_batch == []


def test_those_alike_can_be_decided_at_one_stroke_and_undone_so(tmp_path: Path) -> None:
    paths = {"proactive.channel.website": "35条", "proactive.channel.other": "20篇"}
    own = [line(path, int(raw[:2]), raw, scope="own") for path, raw in paths.items()]
    none = [line(path, int(raw[:2]), raw) for path, raw in paths.items()]
    made = adjudication(tmp_path, {"narrative": own}, {"narrative": none})
    document = made.documents[0]
    alike = document.merged.open
    assert {card.alike for card in cards(document)} == {1}
    assert len({card.group for card in cards(document)}) == 1
    document.decide([Aim(each.key, 0) for each in alike], "b", None, "no word of scope", "c")
    assert [each.scope for each in gold_of(made).narrative] == [None, None]
    document.undo(document.log.last_batch[-1].number, "c")
    assert len(document.merged.open) == 2


def test_a_decision_made_on_an_older_state_is_refused(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    decide(made, "statistics.meetings", "a")
    with pytest.raises(DecisionConflict):
        made.documents[0].decide([Aim("statistics.meetings", 0)], "b", None, "mine", "d")
    assert gold_of(made).statistics == {"meetings": 3}


# ---- nothing lost, nothing written over ----


def test_a_new_start_goes_on_where_it_ended(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    decide(made, "statistics.meetings", "a")
    again = reopened(tmp_path)
    assert again.documents[0].standing.text == made.documents[0].standing.text
    assert len(again.documents[0].log.events) == len(made.documents[0].log.events)


def test_a_decision_that_was_noted_but_not_yet_written_is_in_the_file_after_a_new_start(
    tmp_path: Path,
) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    path = made.documents[0].path
    before = path.read_bytes()
    decide(made, "statistics.meetings", "a")
    path.write_bytes(before)
    with made.documents[0].log.path.open("ab") as journal:
        journal.write(b'{"number": 3, "at')
    assert gold_of(reopened(tmp_path)).statistics == {"meetings": 3}


def test_a_file_that_somebody_else_wrote_is_not_written_over(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    path = made.documents[0].path
    edited = path.read_text(encoding="utf-8").replace("draft", "reviewed")
    path.write_text(edited, encoding="utf-8")
    with pytest.raises(GoldError, match="not written over"):
        decide(made, "statistics.meetings", "a")
    with pytest.raises(GoldError, match="not written over"):
        reopened(tmp_path)
    assert path.read_text(encoding="utf-8") == edited


def test_a_question_is_open_again_when_an_annotator_changes_the_file(tmp_path: Path) -> None:
    b = {"statistics": {"meetings": 5}}
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, b)
    decide(made, "statistics.meetings", "a")
    again = adjudication(tmp_path, {"statistics": {"meetings": 4}}, b)
    assert [asked.key for asked in again.documents[0].merged.open] == ["statistics.meetings"]
    assert "meetings: ~" in again.documents[0].path.read_text(encoding="utf-8")


def test_the_folder_of_an_annotator_is_no_place_for_the_result(tmp_path: Path) -> None:
    adjudication(tmp_path, {}, {})
    with pytest.raises(StartError, match="folder of an annotator"):
        Adjudication(tmp_path / "a", tmp_path / "b", tmp_path / "b", lambda _: None)  # type: ignore[arg-type,return-value]


def test_what_an_annotator_has_not_finished_is_named_and_left_out(tmp_path: Path) -> None:
    adjudication(tmp_path, {}, {})
    adjudication(tmp_path, {}, {}, doc_id="qingshui_2022")
    path = tmp_path / "b" / "qingshui_2022.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("annotated", "draft"), encoding="utf-8")
    (tmp_path / "a" / "qingshui_2021.yaml").write_text("doc_id: qingshui_2021\n", encoding="utf-8")
    shutil.rmtree(tmp_path / "gold")
    made = reopened(tmp_path)
    assert [each.doc_id for each in made.documents] == ["qingshui_2023"]
    assert made.unfinished_b == {"qingshui_2022": "status: draft"}
    assert list(made.unfinished_a) == ["qingshui_2021"]
    assert (made.only_a, made.only_b) == (("qingshui_2021",), ())


def test_a_row_that_one_alone_has_stands_where_the_form_has_it(tmp_path: Path) -> None:
    zero = [0] * 7
    a = {"templates": WITH_REQUESTS, "requests": {"new_received": zero, "concluded": zero}}
    b = {"templates": WITH_REQUESTS, "requests": {"new_received": zero, "granted": zero, "concluded": zero}}
    made = adjudication(tmp_path, a, b)
    decide(made, "requests.granted", "b")
    assert list(gold_of(made).requests) == ["new_received", "granted", "concluded"]


# ---- agreement, check ----


def test_agreement_before_and_after(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"statistics": {"meetings": 3}}, {"statistics": {"meetings": 5}})
    assert made.before.by_kind["cells"].share == 0.0
    assert "0 of 1 documents adjudicated" in made.as_text()
    decide(made, "statistics.meetings", "b")
    assert (made.after("a").by_kind["cells"].share, made.after("b").by_kind["cells"].share) == (0.0, 1.0)
    said = made.as_text()
    assert said.index("before: A with B") < said.index("after: A with the gold") < said.index("after: B with")


def test_the_result_passes_gold_check_and_is_undone_to_a_draft(tmp_path: Path) -> None:
    made = adjudication(tmp_path, {"meta": {"issuer": META["issuer"]}}, {"meta": {"issuer": "文化局"}})
    decide(made, "meta.issuer", "a")
    assert [each for each in check_gold(tmp_path / "gold") if each.severity == "error"] == []
    made.documents[0].undo(made.documents[0].log.last_batch[-1].number, "c")
    assert "status: draft" in made.documents[0].path.read_text(encoding="utf-8")


def test_without_the_text_lines_are_paired_by_their_prints(tmp_path: Path) -> None:
    made = adjudication(
        tmp_path,
        {"narrative": [line("proactive.category", 20, "20篇", label="简报")]},
        {"narrative": [line("proactive.channel.other", 20, "20篇")]},
        text=None,
    )
    assert keys(made) == ["prose proactive.category"]
    decide(made, "narrative/", "b")
    assert [each.path for each in gold_of(made).narrative] == ["proactive.channel.other"]
