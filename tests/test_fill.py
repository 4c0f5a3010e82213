"""The baseline: the model fills the whole form, and only printed figures become facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fake_openai import FakeServer, Reply, fake_openai

from pipeline.document import CellDraft, Document, DocumentBuilder
from pipeline.errors import AnswerInvalid
from pipeline.fact import Fact
from pipeline.fill.form import fill_form, filled_values, prose_paths
from pipeline.fill.report import PART_CHARACTERS, FillResult, fill_report
from pipeline.model.answers import AnswerStore
from pipeline.model.endpoint import Endpoint
from pipeline.model.llm import ModelClient
from pipeline.schema import APPLICANTS, OUTCOMES, fields

PROSE = (
    "全年通过政府网站公开政府信息1,204条，政务微博发布三十余条，政务微信发布信息86条。",
    "本年度未收到政府信息公开申请，行政复议0件，未发生行政诉讼。",
    "收取信息处理费3.5万元，举办培训2次，培训人员120人次，咨询电话0990-1234567。",
)
REMEDY_ROW = ("2", "1", "0", "0", "3", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0")
Fill = Callable[..., FillResult]


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


@pytest.fixture
def fill(tmp_path: Path) -> Iterator[Fill]:
    """Fill a document with what the model is made to answer."""
    with ExitStack() as opened:
        store = opened.enter_context(AnswerStore(tmp_path / "answers.sqlite"))

        def run(
            document: Document, *answers: Any, seen: list[FakeServer] | None = None, **options: Any
        ) -> FillResult:
            replies = [
                answer if isinstance(answer, Reply) else Reply(json.dumps(answer)) for answer in answers
            ]
            fake = opened.enter_context(fake_openai(*replies))
            if seen is not None:
                seen.append(fake)
            client = opened.enter_context(ModelClient(Endpoint(fake.base_url, "tiny", "fake"), store))
            return fill_report(document, client, **options)

        yield run


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
def test_a_printed_figure_becomes_a_fact(
    path: str, value: float, raw: str, status: str, bound: str, fill: Fill
) -> None:
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
def test_an_invented_figure_is_a_finding(name: str, path: str, value: float, fill: Fill) -> None:
    result = fill(report(*PROSE[:1], PROSE[2]), nested(path, value))
    assert result.facts == ()
    (finding,) = result.findings
    assert (finding.rule, finding.severity, finding.cause) == ("fill.ungrounded", "warning", "reading")
    assert (finding.paths, finding.expected) == ((path,), value)


def test_null_and_missing_are_not_mentioned(fill: Fill) -> None:
    result = fill(report(*PROSE), nested("requests.new_received.total", None))
    assert result.facts == ()
    assert result.findings == ()


def test_of_two_places_the_one_with_fitting_words_is_taken(fill: Fill) -> None:
    document = report("召开新闻发布会6次。", "政策解读6篇。", "收到举报投诉6件。")
    fact = the_fact(fill(document, nested("complaints.total", 6)))
    assert fact.raw == "6件"


def test_cells_of_a_table_are_asked_for_and_found_by_label(fill: Fill) -> None:
    seen: list[FakeServer] = []
    answer = {"remedies": {"review": {"upheld": 2, "total": 3, "corrected": 2}}}
    result = fill(remedies_report(), answer, seen=seen)
    placed = {fact.path: (fact.raw, fact.source, fact.evidence.column) for fact in result.facts}
    assert placed["remedies.review.upheld"] == ("2", "table", 0)
    assert placed["remedies.review.total"] == ("3", "table", 4)
    schema = json.dumps(seen[0].requests[0]["response_format"])
    assert all(outcome in schema for outcome in OUTCOMES)


def test_tables_that_are_read_are_not_asked_for(fill: Fill) -> None:
    document = report(
        "全年新收申请4件。",
        table=(
            ["", "自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"],
            ["一、本年新收政府信息公开申请数量", "4", "0", "0", "0", "0", "0", "4"],
            ["二、上年结转政府信息公开申请数量", "0", "0", "0", "0", "0", "0", "0"],
        ),
    )
    seen: list[FakeServer] = []
    fill(document, {}, seen=seen)
    fill(document, {}, seen=seen, tables_read=("requests",))
    with_table, without = (
        fake.requests[0]["messages"][0]["content"].count("各项同 new_received") for fake in seen
    )
    assert with_table > 20
    assert without == 0


def test_a_long_report_is_filled_in_parts(fill: Fill) -> None:
    filler = "本单位认真贯彻各项要求，完善工作制度。" * 60
    document = report("政务微信发布信息86条。", filler, filler, filler, filler, "收到举报投诉7件。")
    seen: list[FakeServer] = []
    first, second = nested("proactive.channel.wechat", 86), nested("complaints.total", 7)
    result = fill(document, first, second | {"proactive": {"channel": {"wechat": 5}}}, seen=seen)
    sent = [request["messages"][1]["content"] for request in seen[0].requests]
    assert len(sent) == 2
    assert "\n".join(sent) == document.text.rstrip("\n")
    assert max(map(len, sent)) <= PART_CHARACTERS + 1
    assert {fact.path: fact.value for fact in result.facts} == {
        "proactive.channel.wechat": 86,
        "complaints.total": 7,
    }
    assert [finding.rule for finding in result.findings] == ["fill.parts"]
    assert result.usage.requests == 2


def test_a_cut_off_answer_fails_the_document(fill: Fill) -> None:
    with pytest.raises(AnswerInvalid, match="finish_reason=length"):
        fill(report(*PROSE), Reply('{"proactive":{', fault="length"))


def test_every_number_field_can_be_filled() -> None:
    numbers = {path for path, spec in fields().items() if spec.kind not in ("text", "date", "year")}
    form = fill_form({path for path in numbers if not fields()[path].repeatable})
    assert len(form.paths) > 250
    assert all(f"\n   {applicant}" in form.outline or applicant in form.outline for applicant in APPLICANTS)


def test_values_of_a_filled_form() -> None:
    form = fill_form(prose_paths())
    answer = form.answer_type.model_validate(
        {"fees": {"charged_yuan": 12.5}, "complaints": {"total": 0}, "remedies": {"review": None}}
    )
    assert filled_values(answer) == {"fees.charged_yuan": 12.5, "complaints.total": 0}


def test_schema_asks_for_every_field_and_allows_null() -> None:
    schema = fill_form({"fees.charged_yuan", "requests.granted.total"}).answer_type.model_json_schema()
    groups = schema["$defs"]
    assert schema["required"] == ["requests", "fees"]
    assert groups["Report_fees"]["required"] == ["charged_yuan"]
    assert {"type": "null"} in groups["Report_fees"]["properties"]["charged_yuan"]["anyOf"]
    assert {"type": "null"} in groups["Report_requests"]["properties"]["granted"]["anyOf"]
