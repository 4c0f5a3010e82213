"""The baseline: the model fills the whole form, and only printed figures become facts."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_openai import fake_openai
from fake_replies import Reply
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from steps_material import COST, CUT, Ask, Replying, asking, replying

from pipeline.document import CellDraft, Document, DocumentBuilder
from pipeline.errors import AnswerInvalid
from pipeline.fact import Fact, Usage
from pipeline.fill.form import fill_form, filled_values, prose_paths
from pipeline.fill.report import PART_CHARACTERS, FillResult, fill_report
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint
from pipeline.model.question import Question, drive
from pipeline.schema import APPLICANTS, OUTCOMES, fields

PROSE = (
    "全年通过政府网站公开政府信息1,204条，政务微博发布三十余条，政务微信发布信息86条。",
    "本年度未收到政府信息公开申请，行政复议0件，未发生行政诉讼。",
    "收取信息处理费3.5万元，举办培训2次，培训人员120人次，咨询电话0990-1234567。",
)
REMEDY_ROW = ("2", "1", "0", "0", "3", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0")


def report(*paragraphs: str, table: Sequence[Sequence[str]] = ()) -> Document:
    builder = DocumentBuilder()
    builder.add_text("heading", "青浦山县2023年政府信息公开工作年度报告")
    for paragraph in paragraphs:
        builder.add_text("paragraph", paragraph)
    if table:
        builder.add_table([[CellDraft(text) for text in row] for row in table], "grid")
    return builder.build(doc_id="x", file="x.txt", sha256="0", media_type="text/plain")


def remedies_report() -> Document:
    header = [*(["行政复议"] * 5), *(["未经复议直接起诉"] * 5), *(["复议后起诉"] * 5)]
    outcomes = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"] * 3
    return report("收到行政复议9件。", table=(header, outcomes, REMEDY_ROW))


def fill(document: Document, *answers: Any, **options: Any) -> FillResult:
    """Fill a document with what the model is made to answer."""
    return filled(document, replying(*map(json.dumps, answers)), **options)


def filled(document: Document, ask: Ask, **options: Any) -> FillResult:
    """Fill a document by asking."""
    return drive(fill_report(document, **options), ask)


def nested(path: str, value: float | None) -> dict[str, Any]:
    """`a.b` → {"a": {"b": value}}."""
    head, _, rest = path.partition(".")
    return {head: nested(rest, value) if rest else value}


def the_fact(result: FillResult) -> Fact:
    assert len(result.facts) == 1
    return result.facts[0]


PRINTED = [
    # field, what the model fills, as printed, status, bound
    ("proactive.channel.website", 1204, "1,204条", "value", "exact"),
    ("proactive.channel.weibo", 30, "三十余条", "value", "at_least"),
    ("proactive.channel.wechat", 86, "86条", "value", "exact"),
    ("requests.new_received.total", 0, "未收到", "zero_in_words", "exact"),
    ("remedies.review.total", 0, "0件", "value", "exact"),
    ("remedies.litigation.total", 0, "未发生", "zero_in_words", "exact"),
    ("fees.processing_fee_yuan", 35000, "3.5万元", "value", "exact"),
    ("capacity.trainings", 2, "2次", "value", "exact"),
    ("capacity.trainees", 120, "120人次", "value", "exact"),
]


@pytest.mark.parametrize(
    ("path", "value", "raw", "status", "bound"), PRINTED, ids=[case[0] for case in PRINTED]
)
def test_a_printed_figure_becomes_a_fact(path: str, value: float, raw: str, status: str, bound: str) -> None:
    document = report(*PROSE)
    fact = the_fact(fill(document, nested(path, value)))
    assert (fact.path, fact.value, fact.raw, fact.status, fact.bound) == (path, value, raw, status, bound)
    assert (fact.source, fact.method) == ("narrative", "fill")
    assert document.text[fact.evidence.start : fact.evidence.end] == raw


INVENTED = [
    ("a figure that is nowhere", "proactive.channel.gazette", 77),
    ("a sum that is not printed", "proactive.total", 1320),
    ("a zero that nobody states", "complaints.total", 0),
    ("a zero for a figure that is printed", "capacity.meetings", 0),
    ("a wrong unit", "fees.processing_fee_yuan", 3.5001),
]


@pytest.mark.parametrize(("name", "path", "value"), INVENTED, ids=[case[0] for case in INVENTED])
def test_an_invented_figure_is_a_finding(name: str, path: str, value: float) -> None:
    result = fill(report(*PROSE[:1], PROSE[2]), nested(path, value))
    assert result.facts == ()
    (finding,) = result.findings
    assert (finding.rule, finding.severity, finding.cause) == ("fill.ungrounded", "warning", "reading")
    assert (finding.paths, finding.expected) == ((path,), value)


def test_null_and_missing_are_not_mentioned() -> None:
    result = fill(report(*PROSE), nested("requests.new_received.total", None))
    assert result.facts == ()
    assert result.findings == ()


def test_of_two_places_the_one_with_fitting_words_is_taken() -> None:
    document = report("召开新闻发布会6次。", "政策解读6篇。", "收到举报投诉6件。")
    fact = the_fact(fill(document, nested("complaints.total", 6)))
    assert fact.raw == "6件"


def test_cells_of_a_table_are_asked_for_and_found_by_label() -> None:
    ask = replying(json.dumps({"remedies": {"review": {"upheld": 2, "total": 3, "corrected": 2}}}))
    result = filled(remedies_report(), ask)
    placed = {fact.path: (fact.raw, fact.source, fact.evidence.column) for fact in result.facts}
    assert placed["remedies.review.upheld"] == ("2", "table", 0)
    assert placed["remedies.review.total"] == ("3", "table", 4)
    assert all(outcome in ask.asked[0].form.schema_json for outcome in OUTCOMES)


def test_tables_that_are_read_are_not_asked_for() -> None:
    document = report(
        "全年新收申请4件。",
        table=(
            ["", "自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"],
            ["一、本年新收政府信息公开申请数量", "4", "0", "0", "0", "0", "0", "4"],
            ["二、上年结转政府信息公开申请数量", "0", "0", "0", "0", "0", "0", "0"],
        ),
    )
    ask = replying("{}")
    filled(document, ask)
    filled(document, ask, tables_read=("requests",))
    with_table, without = (
        question.messages[0].content.count("各项同 new_received") for question in ask.asked
    )
    assert with_table > 20
    assert without == 0


FILLER = "本单位认真贯彻各项要求，完善工作制度。" * 60


def test_a_long_report_is_filled_in_parts() -> None:
    document = report("政务微信发布信息86条。", FILLER, FILLER, FILLER, FILLER, "收到举报投诉7件。")
    first, second = nested("proactive.channel.wechat", 86), nested("complaints.total", 7)
    ask = replying(json.dumps(first), json.dumps(second | {"proactive": {"channel": {"wechat": 5}}}))
    result = filled(document, ask)
    sent = ask.texts
    assert len(sent) == 2
    assert [len(questions) for questions in ask.rounds] == [2]
    assert "\n".join(sent) == document.text.rstrip("\n")
    assert max(map(len, sent)) <= PART_CHARACTERS + 1
    assert {fact.path: fact.value for fact in result.facts} == {
        "proactive.channel.wechat": 86,
        "complaints.total": 7,
    }
    assert [finding.rule for finding in result.findings] == ["fill.parts"]
    assert result.usage.requests == 2


# Answers that were cut off: the part is halved


def long_report() -> Document:
    """A report whose figures are far apart."""
    spaced = (text for paragraph in PROSE for text in (FILLER[:400], paragraph))
    return report(*spaced)


def as_printed(question: Question) -> str:
    """A model that fills in what its text prints, as PRINTED has it."""
    text = question.messages[-1].content
    answer: dict[str, Any] = {}
    for path, value, raw, _, _ in PRINTED:
        if raw in text:
            _merge(answer, nested(path, value))
    return json.dumps(answer)


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def cut_above(characters: int) -> Replying:
    """A model whose answers fit for texts of so many characters."""
    return Replying(
        lambda question: CUT if len(question.messages[-1].content) > characters else as_printed(question)
    )


def test_a_cut_off_answer_halves_the_part() -> None:
    document, ask = long_report(), cut_above(800)
    result = filled(document, ask)
    (whole,), halves, *_ = [[question.messages[-1].content for question in asked] for asked in ask.rounds]
    assert whole == document.text.rstrip("\n")
    assert "".join(halves) == whole
    lines = set(document.text.split("\n"))
    assert all(set(half.strip("\n").split("\n")) <= lines for half in halves)
    assert {fact.path for fact in result.facts} == {path for path, *_ in PRINTED}
    assert result.usage == sum([COST] * len(ask.asked), Usage())


@pytest.mark.parametrize("characters", [1200, 800, 500])
def test_halves_give_the_facts_of_the_whole(characters: int) -> None:
    document = long_report()
    whole, ask = filled(document, Replying(as_printed)), cut_above(characters)
    halved = filled(document, ask)
    assert halved.facts == whole.facts
    assert whole.findings == ()
    (finding,) = halved.findings
    answered = [text for text in ask.texts if len(text) <= characters]
    assert finding.rule == "fill.parts"
    assert f"in {len(answered)} parts" in finding.message


def test_halves_are_told_that_they_are_parts() -> None:
    ask = cut_above(1000)
    filled(long_report(), ask)
    places = [question.messages[0].content.partition("部分")[0][-12:] for question in ask.asked]
    assert len(set(places)) == 3, places


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=12),
    most=st.integers(200, PART_CHARACTERS),
)
def test_pieces_cover_what_was_cut_off_exactly(lengths: list[int], most: int) -> None:
    document = report(*(("甲乙丙丁戊己庚辛壬癸" * 300)[:length] for length in lengths))
    ask = cut_above(most)
    filled(document, ask)
    texts = [[question.messages[-1].content for question in asked] for asked in ask.rounds]
    assert "\n".join(texts[0]) == document.text.rstrip("\n")
    for asked, halves in zip(texts, [*texts[1:], []], strict=True):
        pairs = [first + second for first, second in zip(halves[::2], halves[1::2], strict=True)]
        assert pairs == [text for text in asked if len(text) > most]
        assert all(half.strip() for half in halves)


@pytest.mark.parametrize("more", [1, 3, 5])
def test_no_figure_is_cut_in_two(more: int) -> None:
    """The model reads what is left of `1234件` at the beginning of the second half."""

    def first_figure(question: Question) -> Any:
        text = question.messages[-1].content
        figure = re.match(r"(\d+)件", text)
        fit = json.dumps(nested("complaints.total", int(figure[1]))) if figure else "{}"
        return CUT if len(text) > 400 else fit

    around = "解读回应工作继续加强，" * 30
    document = report(f"{around}收到举报投诉1234件{around}{'甲' * more}完成。")
    values = {fact.value for fact in filled(document, Replying(first_figure)).facts}
    assert values <= {1234}


def test_a_table_is_halved_at_a_row() -> None:
    rows = [[f"第{number}项工作情况说明文字", str(1000 + number)] for number in range(60)]
    document, ask = report("附表。", table=rows), cut_above(700)
    filled(document, ask)
    lines = set(document.text.split("\n"))
    assert all(set(text.strip("\n").split("\n")) <= lines for text in ask.texts)


def test_a_small_part_that_is_cut_off_is_an_error() -> None:
    ask = replying(CUT)
    with pytest.raises(AnswerInvalid, match=r"finish_reason=length.* \d+ characters need no answer"):
        filled(long_report(), ask)
    sizes = [[len(question.messages[-1].content) for question in asked] for asked in ask.rounds]
    assert min(sizes[-1]) < 200
    assert all(min(asked) >= 200 for asked in sizes[:-1])


def test_a_cut_off_answer_fails_the_document(tmp_path: Path) -> None:
    with (
        fake_openai(Reply('{"proactive":{', fault="length")) as fake,
        AnswerStore(tmp_path / "answers.sqlite") as store,
        asking(Endpoint(fake.base_url, "tiny", "fake"), store) as ask,
    ):
        for _ in range(2):
            with pytest.raises(AnswerInvalid, match="finish_reason=length"):
                filled(report(*PROSE), ask)
        assert len(fake.requests) == 1, "that it was cut off is remembered: nobody pays for it twice"


def test_an_answer_of_another_form_is_asked_again(tmp_path: Path) -> None:
    wrong, right = json.dumps({"proactive": {"invented": 1}}), json.dumps(nested("complaints.total", 7))
    with (
        fake_openai(Reply(wrong), Reply(right)) as fake,
        AnswerStore(tmp_path / "answers.sqlite") as store,
        asking(Endpoint(fake.base_url, "tiny", "fake"), store) as ask,
    ):
        result = filled(report("收到举报投诉7件。"), ask)
        assert "invented" in json.dumps(fake.requests[1]["messages"])
    assert the_fact(result).value == 7
    assert result.usage.requests == 2


# The form


def test_every_number_field_can_be_filled() -> None:
    numbers = {path for path, spec in fields().items() if spec.kind not in ("text", "date", "year")}
    form = fill_form({path for path in numbers if not fields()[path].repeatable})
    assert len(form.paths) > 250
    assert all(f"\n   {applicant}" in form.outline or applicant in form.outline for applicant in APPLICANTS)


def test_values_of_a_filled_form() -> None:
    form = fill_form(prose_paths())
    content = {"fees": {"charged_yuan": 12.5}, "complaints": {"total": 0}, "remedies": {"review": None}}
    expected = {"fees.charged_yuan": 12.5, "complaints.total": 0}
    assert filled_values(form.answer_type.model_validate(content)) == expected
    assert form.values(json.dumps(content)) == expected


def test_schema_asks_for_every_field_and_allows_null() -> None:
    form = fill_form({"fees.charged_yuan", "requests.granted.total"})
    schema = json.loads(form.schema_json)
    assert "title" not in form.schema_json
    assert "description" not in form.schema_json
    assert schema["$defs"].keys() == form.answer_type.model_json_schema()["$defs"].keys()
    groups = schema["$defs"]
    assert schema["required"] == ["requests", "fees"]
    assert groups["Report_fees"]["required"] == ["charged_yuan"]
    assert {"type": "null"} in groups["Report_fees"]["properties"]["charged_yuan"]["anyOf"]
    assert {"type": "null"} in groups["Report_requests"]["properties"]["granted"]["anyOf"]


NOT_FILLED = [
    ("no JSON", "全年公开12条"),
    ("cut in the middle", '{"fees":{"charged_yuan":'),
    ("a list", "[]"),
    ("a field that is not asked for", '{"fees":{"waived_yuan":1}}'),
    ("a group that is not asked for", '{"complaints":{"total":1}}'),
    ("words for a figure", '{"fees":{"charged_yuan":"若干"}}'),
    ("brackets without end", "[" * 100_000),
]


@pytest.mark.parametrize(("name", "content"), NOT_FILLED, ids=[name for name, _ in NOT_FILLED])
def test_what_is_no_filled_form_is_refused(name: str, content: str) -> None:
    form = fill_form({"fees.charged_yuan"})
    form.check('{"fees":{"charged_yuan":12.5}}')
    with pytest.raises(ValidationError):
        form.check(content)


OTHER_PROCESS = """
import pickle, sys
form = pickle.load(sys.stdin.buffer)
form.check("{}")
sys.stdout.buffer.write(form.schema_json.encode())
"""


def test_a_form_travels_as_its_paths() -> None:
    form = fill_form({path for path in fields() if not fields()[path].repeatable})
    schema = form.schema_json
    pickled = pickle.dumps(form)
    assert len(pickled) < 20_000 < len(schema)
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS], input=pickled, capture_output=True, check=True, cwd=root
    )
    assert done.stdout.decode() == schema
    assert pickle.loads(pickled) == form


@pytest.mark.parametrize("figure", ["Infinity", "-Infinity", "NaN", "1e999"])
def test_what_is_no_number_is_refused(figure: str) -> None:
    form = fill_form(["fees.charged_yuan"])
    with pytest.raises(ValueError, match="finite"):
        form.check(f'{{"fees": {{"charged_yuan": {figure}}}}}')
