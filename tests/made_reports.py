"""Made-up reports of every template: what they say, and what is to be read from them.

`make_report` draws figures that add up and prints them as blocks – title, metadata, headings,
paragraphs, tables with spans – which `report_carriers` writes as a file. The expected facts
come from the same draw and never from the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from evals.benchmarks.table_carriers import (
    Expected,
    PrintedCell,
    PrintedRow,
    PrintedTable,
    printed_figure,
    printed_tables,
)
from pipeline.fact import Bound, Status
from pipeline.schema import APPLICANTS, OUTCOMES, REMEDY_BLOCKS, outcome_rows, statistics_rows
from pipeline.tables.templates import TableTemplate, expected_cells

MadeTemplate = Literal["table2019", "table2021", "hybrid", "narrative", "stat2014"]
TEMPLATES: tuple[MadeTemplate, ...] = ("table2019", "table2021", "hybrid", "narrative", "stat2014")

_COUNTIES = ("云岭县", "沙汀县", "临泊县", "青砚县", "石渡县", "柳亭县")


@dataclass(frozen=True, order=True)
class ExpectedFact:
    """What must be read, wherever it stands."""

    path: str
    source: str
    value: str
    status: Status = "value"
    bound: Bound = "exact"


@dataclass(frozen=True)
class Heading:
    """A line that begins a chapter."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of prose."""

    text: str


MadeBlock = Heading | Paragraph | PrintedTable


@dataclass(frozen=True)
class MadeReport:
    """A report as printed, and the facts that it holds."""

    template: MadeTemplate
    title: str
    metadata: tuple[tuple[str, str], ...]
    blocks: tuple[MadeBlock, ...]
    signature: tuple[str, str]
    expected: frozenset[ExpectedFact]

    @property
    def tables(self) -> tuple[PrintedTable, ...]:
        """The tables in printed order."""
        return tuple(block for block in self.blocks if isinstance(block, PrintedTable))


@dataclass
class _Draft:
    blocks: list[MadeBlock] = field(default_factory=list)
    expected: set[ExpectedFact] = field(default_factory=set)

    def heading(self, text: str) -> None:
        self.blocks.append(Heading(text))

    def say(self, *sentences: str) -> None:
        self.blocks.append(Paragraph("".join(sentences)))

    def expect(self, path: str, value: object, status: Status = "value", bound: Bound = "exact") -> None:
        self.expected.add(ExpectedFact(path, "narrative", str(value), status, bound))


def make_report(template: MadeTemplate, seed: int) -> MadeReport:
    """A report of this template; the same seed gives the same report."""
    random = Random(f"{template} {seed}")
    year = {"table2019": 2020, "table2021": 2023, "hybrid": 2023, "narrative": 2012, "stat2014": 2016}[
        template
    ]
    county = random.choice(_COUNTIES)
    issuer = f"{county}人民政府"
    draft = _Draft()
    if template in ("narrative", "stat2014"):
        _narrative(draft, random, year, county)
        if template == "stat2014":
            _statistics(draft, random)
    else:
        _with_tables(draft, random, year, template)
    signed, published = f"{year + 1}-01-{random.randint(10, 28)}", f"{year + 1}-02-{random.randint(10, 28)}"
    meta = {
        "issuer": issuer,
        "year": year,
        "period_start": f"{year}-01-01",
        "period_end": f"{year}-12-31",
        "signed_on": signed,
        "published_on": published,
    }
    facts = {ExpectedFact(f"meta.{key}", "metadata", str(value)) for key, value in meta.items()}
    return MadeReport(
        template,
        f"{issuer}{year}年政府信息公开工作年度报告",
        (
            ("索引号", f"990{random.randint(100, 999)}-{year}-00{random.randint(100, 999)}"),
            ("发布机构", issuer),
            ("发布日期", published),
        ),
        tuple(draft.blocks),
        (issuer, _chinese_date(signed)),
        frozenset(draft.expected | facts),
    )


def _chinese_date(day: str) -> str:
    year, month, number = (int(part) for part in day.split("-"))
    return f"{year}年{month}月{number}日"


def _opening(draft: _Draft, year: int) -> None:
    draft.say(
        f"本报告根据《中华人民共和国政府信息公开条例》编制，所列数据的统计期限自{year}年1月1日起至{year}年12月31日止。"
    )


def _with_tables(draft: _Draft, random: Random, year: int, template: MadeTemplate) -> None:
    """Six chapters with the three tables; the hybrid has the new first table and the old second one."""
    proactive: TableTemplate = "table2019" if template == "table2019" else "table2021"
    requests: TableTemplate = "table2021" if template == "table2021" else "table2019"
    cells = {
        **_proactive_cells(random, proactive),
        **_request_cells(random, requests),
        **_remedy_cells(random),
    }
    for path, cell in cells.items():
        draft.expected.add(ExpectedFact(path, "table", str(cell.value), cell.status))
    first, second, third = printed_tables(proactive, requests, cells)
    _opening(draft, year)
    draft.heading("一、总体情况")
    _proactive_prose(draft, random)
    draft.heading("二、主动公开政府信息情况")
    draft.blocks.append(first)
    draft.heading("三、收到和处理政府信息公开申请情况")
    draft.blocks.append(second)
    draft.heading("四、政府信息公开行政复议、行政诉讼情况")
    draft.blocks.append(third)
    _problems(draft, "五、存在的主要问题及改进情况")
    draft.heading("六、其他需要报告的事项")
    draft.say("本年度没有收取信息处理费。")
    draft.expect("fees.processing_fee_yuan", 0, "zero_in_words")


def _narrative(draft: _Draft, random: Random, year: int, county: str) -> None:
    """Chapters of prose after Articles 31–32 of the Regulation of 2007."""
    _opening(draft, year)
    draft.heading("一、概述")
    draft.say(f"{year}年，{county}各单位按照要求推进政府信息公开，制度进一步健全。")
    draft.heading("二、主动公开政府信息的情况")
    _proactive_prose(draft, random)
    draft.heading("三、依申请公开政府信息办理情况")
    received = random.randint(3, 80)
    draft.say(f"全年收到政府信息公开申请{received}件，均在规定期限内答复。")
    draft.expect("requests.new_received.total", received)
    draft.heading("四、政府信息公开的收费及减免情况")
    draft.say("本年度未收取政府信息公开费用。")
    draft.expect("fees.charged_yuan", 0, "zero_in_words")
    draft.heading("五、因政府信息公开申请行政复议、提起行政诉讼的情况")
    reviews = random.randint(1, 9)
    draft.say(f"全年因政府信息公开引发的行政复议{reviews}件，未发生因政府信息公开提起的行政诉讼。")
    draft.expect("remedies.review.total", reviews)
    draft.expect("remedies.litigation.total", 0, "zero_in_words")
    _problems(draft, "六、存在的主要问题及改进情况")


def _statistics(draft: _Draft, random: Random) -> None:
    """The national table behind the report; what both print is the same."""
    said = {fact.path: int(fact.value) for fact in draft.expected if fact.value.isdecimal()}
    cells = statistics_cells(random, said)
    draft.heading("附件：政府信息公开情况统计表")
    draft.blocks.append(statistics_table(cells))
    for key, cell in cells.items():
        draft.expected.add(ExpectedFact(f"statistics.{key}", "table", str(cell.value), cell.status))


def statistics_table(cells: Mapping[str, Expected]) -> PrintedTable:
    """The national statistics table with these figures by key."""
    rows: list[PrintedRow] = [(PrintedCell("统计指标"), PrintedCell("单位"), PrintedCell("统计数"))]
    for row in statistics_rows():
        figure = "" if row.key is None else printed_figure(cells[row.key])
        label = "　" * row.level + row.printed
        rows.append((PrintedCell(label), PrintedCell(row.unit), PrintedCell(figure, path=row.key)))
    return PrintedTable("statistics", "", tuple(rows), 1)


def statistics_cells(random: Random, said: Mapping[str, int]) -> dict[str, Expected]:
    """Figures that add up as the form says, those of the prose among them."""
    few = {row.key: random.choice((0, 0, 0, 1, 3, 12)) for row in statistics_rows() if row.key}
    figures: dict[str, float] = {
        **few,
        "disclosed_total": said["proactive.total"],
        "disclosed_website": said["proactive.channel.website"],
        "disclosed_wechat": said["proactive.channel.wechat"],
        "disclosed_other": said["proactive.total"],
        "interpretations": said["engagement.interpretations"],
        "trainings": said["capacity.trainings"],
        "trainees": said["capacity.trainees"],
        "received_total": said["requests.new_received.total"],
        "concluded_total": said["requests.new_received.total"],
        "answered_total": said["requests.new_received.total"],
        "review_total": said["remedies.review.total"],
        "litigation_total": 0,
        "normative_documents_disclosed": 1,
        "press_conferences_leader": 0,
        "interviews_leader": 0,
        "fees_wan_yuan": 0,
        "staff_total": few["staff_full_time"] + few["staff_part_time"],
        "budget_wan_yuan": _wan_yuan(random, 60),
    }
    for whole, parts in _STATISTICS_SUMS.items():
        rest = figures[whole]
        for part in parts[1:]:
            figures[part] = min(rest, figures[part])
            rest -= figures[part]
        figures[parts[0]] = rest
    cells = {key: Expected(figure, "value") for key, figure in figures.items()}
    cells["complaints_total"] = Expected(None, random.choice(("blank", "not_applicable")))
    return cells


_STATISTICS_SUMS = {
    "received_total": ("received_online", "received_in_person", "received_fax", "received_mail"),
    "concluded_total": ("concluded_on_time", "concluded_extended"),
    "answered_total": (
        "answered_granted",
        "answered_already_public",
        "answered_partially_granted",
        "answered_denied",
        "answered_not_this_body",
        "answered_nonexistent",
        "answered_correction_requested",
        "answered_other_route",
    ),
    "answered_denied": (
        "denied_privacy",
        "denied_state_secret",
        "denied_trade_secret",
        "denied_security_stability",
        "denied_not_government_information",
        "denied_other_law",
    ),
    "review_total": ("review_upheld", "review_corrected", "review_other"),
    "litigation_total": ("litigation_upheld", "litigation_corrected", "litigation_other"),
}


def _proactive_prose(draft: _Draft, random: Random) -> None:
    website, wechat = random.randint(300, 3000), random.randint(20, 300)
    total = website + wechat + random.randint(1, 100)
    draft.say(f"全年主动公开政府信息{total}条，其中通过政府网站公开{website}条，通过政务微信公开{wechat}条。")
    draft.expect("proactive.total", total)
    draft.expect("proactive.channel.website", website)
    draft.expect("proactive.channel.wechat", wechat)
    interpretations, trainings = random.randint(2, 60), random.randint(1, 9)
    trainees = 40 * trainings
    draft.say(
        f"发布政策解读材料{interpretations}篇。组织政府信息公开培训{trainings}次，参训{trainees}余人次。"
    )
    draft.expect("engagement.interpretations", interpretations)
    draft.expect("capacity.trainings", trainings)
    draft.expect("capacity.trainees", trainees, bound="at_least")


def _problems(draft: _Draft, heading: str) -> None:
    draft.heading(heading)
    problems = ("部分栏目更新不够及时", "解读形式较为单一")
    improvements = ("健全栏目更新责任制", "增加图表解读数量")
    draft.say(f"存在的主要问题：一是{problems[0]}；二是{problems[1]}。")
    draft.say(f"下一步改进措施：一是{improvements[0]}；二是{improvements[1]}。")
    for path, items in (("text.problems", problems), ("text.improvements", improvements)):
        for item in items:
            draft.expect(path, item)


def _proactive_cells(random: Random, template: TableTemplate) -> dict[str, Expected]:
    cells: dict[str, Expected] = {}
    for cell in expected_cells("proactive", template):
        figure: float = random.choice((0, 0, random.randint(1, 9), random.randint(10, 40_000)))
        if cell.column == "amount_wan_yuan":
            figure = random.choice((0, _wan_yuan(random, 900)))
        cells[cell.path] = _or_no_figure(random, Expected(figure, "value"))
    for item in ("regulations", "normative_documents"):
        if f"proactive.{item}.disclosed" in cells:
            total = random.randint(20, 90)
            cells[f"proactive.{item}.disclosed_total"] = Expected(total, "value")
            cells[f"proactive.{item}.disclosed"] = Expected(random.randint(0, total), "value")
    return cells


def _wan_yuan(random: Random, most: float) -> float:
    """An amount with decimals; a whole one is printed without."""
    amount = round(random.uniform(0.1, most), 2)
    return int(amount) if amount.is_integer() else amount


def _or_no_figure(random: Random, cell: Expected) -> Expected:
    drawn = random.random()
    if drawn < 0.04:
        return Expected(None, "blank")
    return Expected(None, "not_applicable") if drawn < 0.08 else cell


def _request_cells(random: Random, template: TableTemplate) -> dict[str, Expected]:
    """Seven columns that add up in every way that the form asks for."""
    rows = [*outcome_rows(template)]
    numbers: dict[tuple[str, str], int] = {}
    for applicant in APPLICANTS[:-1]:
        busy = 0.35 if applicant == "natural_person" else 0.06
        for row in rows:
            numbers[row, applicant] = random.choice((1, 2, 3, 17, 204)) if random.random() < busy else 0
        concluded = sum(numbers[row, applicant] for row in rows)
        carried_out = random.choice((0, 0, 1, 4))
        carried_in = random.randint(0, min(5, concluded + carried_out))
        numbers["concluded", applicant] = concluded
        numbers["carried_out", applicant] = carried_out
        numbers["carried_in", applicant] = carried_in
        numbers["new_received", applicant] = concluded + carried_out - carried_in
    for row in {row for row, _ in numbers}:
        numbers[row, "total"] = sum(numbers[row, applicant] for applicant in APPLICANTS[:-1])
    return {f"requests.{row}.{applicant}": Expected(n, "value") for (row, applicant), n in numbers.items()}


def _remedy_cells(random: Random) -> dict[str, Expected]:
    cells = {}
    for block in REMEDY_BLOCKS:
        outcomes = [random.choice((0, 0, 0, 1, 2, 11)) for _ in OUTCOMES[:-1]]
        for key, number in zip(OUTCOMES, [*outcomes, sum(outcomes)], strict=True):
            cells[f"remedies.{block}.{key}"] = Expected(number, "value")
    return cells
