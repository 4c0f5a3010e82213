"""A year of a body that does not exist, printed as a report: chapters, sentences, tables, what they hold.

Sentences are made up. Each says one thing in one of several wordings, drawn by the body and year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from made_figures import whole
from made_reports import (
    ExpectedFact,
    Heading,
    MadeBlock,
    MadeReport,
    MadeTemplate,
    Paragraph,
    statistics_table,
)

from evals.benchmarks.table_carriers import Expected, printed_tables
from pipeline.fact import Bound, Status
from pipeline.tables.templates import TableTemplate

FORMS: Mapping[MadeTemplate, tuple[TableTemplate, TableTemplate]] = {
    "table2019": ("table2019", "table2019"),
    "table2021": ("table2021", "table2021"),
    "hybrid": ("table2021", "table2019"),
}
"""Forms of the proactive and of the requests table."""

ISSUED, RECEIVED = "proactive.normative_documents.issued", "requests.new_received.total"
REVIEWS, LAWSUITS = "remedies.review.total", "remedies.litigation.total"
ONLINE, MAIL = "requests.by_channel.online", "requests.by_channel.mail"

_TITLES = (
    "{issuer}{year}年政府信息公开工作年度报告",
    "{issuer}{year}年度政府信息公开工作年度报告",
    "{year}年{issuer}政府信息公开工作年度报告",
)
_BASIS = (
    "本报告依照政府信息公开条例的要求写成，所列数据的统计期限自{start}起至{end}止。",
    "依照《中华人民共和国政府信息公开条例》的规定，编制本报告。统计期限为{start}至{end}。",
)
_TOTAL = (
    "全年主动公开政府信息{total}条，其中通过政府网站公开{website}条，通过政务微信公开{wechat}条，通过其他方式公开{other}条。",
    "本年度共主动公开政府信息{total}条。其中，政府网站公开{website}条，政务微信公开{wechat}条，其他渠道公开{other}条。",
)
_INTERPRETATIONS = ("发布政策解读材料{n}篇。", "全年发布政策解读{n}篇。")
_TRAININGS = (
    "组织政府信息公开培训{n}次，参训{people}余人次。",
    "举办政务公开业务培训{n}次，培训人员{people}余人次。",
)
_ISSUED = ("全年制发规范性文件{n}件。", "本年共制发行政规范性文件{n}件。")
_RECEIVED = ("全年收到政府信息公开申请{n}件。", "本年度共收到政府信息公开申请{n}件，均登记在册。")
_BY_CHANNEL = ("全年收到政府信息公开申请{n}件，其中网络申请{online}件，信函申请{mail}件。",)
_REVIEWS = (
    "全年因政府信息公开引发的行政复议{n}件。",
    "本年度发生涉及政府信息公开的行政复议{n}件。",
)
_NO_REVIEWS = ("本年度未发生因政府信息公开申请行政复议的情况。",)
_NO_LAWSUITS = ("未发生因政府信息公开提起的行政诉讼。",)
_NO_FEES = {
    "fees.charged_yuan": "本年度未收取政府信息公开费用。",
    "fees.processing_fee_yuan": "本年度没有收取信息处理费。",
}
_OVERVIEW = (
    "{place}各项公开制度进一步健全，公开目录作了调整。",
    "{place}把公开工作列入考核，责任落实到科室。",
    "{place}围绕群众关心的事项完善栏目，答复程序更加规范。",
)
_FOUND = ("存在的主要问题：一是{first}；二是{second}。",)
_PLANNED = ("下一步改进措施：一是{first}；二是{second}。",)
_PROBLEMS = (
    "部分栏目更新不够及时", "解读形式较为单一", "少数科室重视程度有待提高",
    "目录分类还不够细致", "公开内容与群众期盼尚有距离",
)  # fmt: skip
_IMPROVEMENTS = (
    "健全栏目更新责任制", "增加图表解读数量", "加强对科室的督促检查",
    "重新梳理目录分类", "广泛征求群众对公开内容的意见",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imprint:
    """What a report says of itself: who, for when, when published and signed, under which code."""

    issuer: str
    place: str
    code: str
    year: int
    period_start: str
    period_end: str
    signed_on: str
    published_on: str
    issuer_type: str
    level: str


@dataclass
class Prose:
    """The figures of the prose. A 0 in `figures` is denied in words; what is not there is not mentioned.

    `is_list_apart`: whether a full stop stands between the total and its channels; None leaves it to chance.
    """

    website: int
    wechat: int
    other: int
    interpretations: int
    trainings: int
    figures: dict[str, int] = field(default_factory=dict)
    misprint: int = 0
    is_list_apart: bool | None = None

    @property
    def total(self) -> int:
        """All channels, and what a misprint adds."""
        return self.website + self.wechat + self.other + self.misprint


def draw_prose(random: Random, template: MadeTemplate, cells: Mapping[str, Expected], size: int) -> Prose:
    """Prose that agrees with the tables, whether they are printed or not."""
    prose = Prose(
        website=random.randint(40, 700) * size,
        wechat=random.randint(5, 90) * size,
        other=random.randint(1, 30) * size,
        interpretations=random.randint(2, 60),
        trainings=random.randint(1, 9),
    )
    received = whole(cells, RECEIVED)
    if template in FORMS:
        issued = cells[issued_cell(template)].value
        said = {RECEIVED: received, REVIEWS: whole(cells, REVIEWS), ISSUED: int(issued or 0)}
        prose.figures = {path: n for path, n in said.items() if n and random.random() < 0.5}
        return prose
    prose.figures = {RECEIVED: max(received, 1), REVIEWS: whole(cells, REVIEWS), LAWSUITS: 0}
    if random.random() < 0.5:
        prose.figures[ISSUED] = random.randint(1, 12)
    if received >= 2 and random.random() < 0.4:
        prose.figures[MAIL] = random.randint(1, received - 1)
        prose.figures[ONLINE] = received - prose.figures[MAIL]
    return prose


def issued_cell(template: MadeTemplate) -> str:
    """The cell that counts what the prose calls 制发规范性文件."""
    column = "made" if FORMS[template][0] == "table2019" else "issued"
    return f"proactive.normative_documents.{column}"


@dataclass
class _Draft:
    random: Random
    year: int
    blocks: list[MadeBlock] = field(default_factory=list)
    expected: set[ExpectedFact] = field(default_factory=set)

    def heading(self, text: str) -> None:
        self.blocks.append(Heading(text))

    def say(self, wordings: tuple[str, ...], **said: object) -> None:
        """A sentence as a paragraph of its own."""
        self.blocks.append(Paragraph(self.random.choice(wordings).format(**said)))

    def expect(
        self,
        path: str,
        value: object,
        status: Status = "value",
        bound: Bound = "exact",
        source: str = "narrative",
    ) -> None:
        self.expected.add(ExpectedFact(path, source, str(value), status, bound))


def print_report(
    random: Random,
    template: MadeTemplate,
    imprint: Imprint,
    prose: Prose,
    cells: Mapping[str, Expected],
    statistics: Mapping[str, Expected],
) -> MadeReport:
    """The report; `statistics` stands behind it where the template has it, also if it is then cut off."""
    draft = _Draft(random, imprint.year)
    title = random.choice(_TITLES).format(issuer=imprint.issuer, year=imprint.year)
    draft.say(_BASIS, start=_day(imprint.period_start), end=_day(imprint.period_end))
    if template in FORMS:
        _six_chapters(draft, template, imprint, prose, cells)
    else:
        _narrative(draft, imprint, prose)
    if template == "stat2014":
        _statistics(draft, statistics)
    _expect_imprint(draft, imprint)
    metadata = (
        ("索引号", f"{imprint.code}-{imprint.year}-{random.randint(100, 99_999):05}"),
        ("发布机构", imprint.issuer),
        ("发布日期", imprint.published_on),
    )
    signature = (imprint.issuer, _day(imprint.signed_on))
    return MadeReport(template, title, metadata, tuple(draft.blocks), signature, frozenset(draft.expected))


def without_statistics(report: MadeReport) -> MadeReport:
    """The report without the statistics table, which is a file of its own."""
    return replace(report, blocks=report.blocks[:-2])


def statistics_alone(report: MadeReport) -> MadeReport:
    """The statistics table as a file: a title and the table, no dates, no signature."""
    return replace(
        report, title="政府信息公开情况统计表", metadata=(), blocks=report.blocks[-1:], signature=("", "")
    )


def _day(iso: str) -> str:
    year, month, day = (int(part) for part in iso.split("-"))
    return f"{year}年{month}月{day}日"


def _expect_imprint(draft: _Draft, imprint: Imprint) -> None:
    printed = {
        "issuer": imprint.issuer,
        "issuer_type": imprint.issuer_type,
        "level": imprint.level,
        "division_code": imprint.code,
        "year": imprint.year,
        "period_start": imprint.period_start,
        "period_end": imprint.period_end,
        "signed_on": imprint.signed_on,
        "published_on": imprint.published_on,
    }
    for key, value in printed.items():
        draft.expect(f"meta.{key}", value, source="metadata")


def _six_chapters(
    draft: _Draft, template: MadeTemplate, imprint: Imprint, prose: Prose, cells: Mapping[str, Expected]
) -> None:
    for path, cell in cells.items():
        draft.expect(path, cell.value, cell.status, source="table")
    first, second, third = printed_tables(*FORMS[template], cells)
    draft.heading("一、总体情况")
    _general(draft, imprint, prose)
    _count(draft, prose, ISSUED, _ISSUED)
    _count(draft, prose, RECEIVED, _RECEIVED)
    _remedies(draft, prose)
    draft.heading("二、主动公开政府信息情况")
    draft.blocks.append(first)
    draft.heading("三、收到和处理政府信息公开申请情况")
    draft.blocks.append(second)
    draft.heading("四、政府信息公开行政复议、行政诉讼情况")
    draft.blocks.append(third)
    _shortcomings(draft, "五、存在的主要问题及改进情况")
    draft.heading("六、其他需要报告的事项")
    _no_fees(draft, "fees.processing_fee_yuan")


def _narrative(draft: _Draft, imprint: Imprint, prose: Prose) -> None:
    draft.heading("一、概述")
    draft.say(_OVERVIEW, place=imprint.place)
    draft.heading("二、主动公开政府信息的情况")
    _general(draft, imprint, prose)
    _count(draft, prose, ISSUED, _ISSUED)
    draft.heading("三、依申请公开政府信息办理情况")
    _requests(draft, prose)
    draft.heading("四、政府信息公开的收费及减免情况")
    _no_fees(draft, "fees.charged_yuan")
    draft.heading("五、因政府信息公开申请行政复议、提起行政诉讼的情况")
    _remedies(draft, prose)
    _shortcomings(draft, "六、存在的主要问题及改进情况")


def _general(draft: _Draft, imprint: Imprint, prose: Prose) -> None:
    draft.say(_OVERVIEW, place=imprint.place)
    channels = {"website": prose.website, "wechat": prose.wechat, "other": prose.other}
    wordings = _TOTAL if prose.is_list_apart is None else (_TOTAL[prose.is_list_apart],)
    draft.say(wordings, total=prose.total, **channels)
    draft.expect("proactive.total", prose.total)
    for channel, n in channels.items():
        draft.expect(f"proactive.channel.{channel}", n)
    draft.say(_INTERPRETATIONS, n=prose.interpretations)
    draft.expect("engagement.interpretations", prose.interpretations)
    draft.say(_TRAININGS, n=prose.trainings, people=40 * prose.trainings)
    draft.expect("capacity.trainings", prose.trainings)
    draft.expect("capacity.trainees", 40 * prose.trainings, bound="at_least")


def _count(draft: _Draft, prose: Prose, path: str, wordings: tuple[str, ...]) -> None:
    if path in prose.figures:
        draft.say(wordings, n=prose.figures[path])
        draft.expect(path, prose.figures[path])


def _requests(draft: _Draft, prose: Prose) -> None:
    if ONLINE not in prose.figures:
        _count(draft, prose, RECEIVED, _RECEIVED)
        return
    online, mail = prose.figures[ONLINE], prose.figures[MAIL]
    draft.say(_BY_CHANNEL, n=prose.figures[RECEIVED], online=online, mail=mail)
    for path in (RECEIVED, ONLINE, MAIL):
        draft.expect(path, prose.figures[path])


def _remedies(draft: _Draft, prose: Prose) -> None:
    for path, wordings, denial in ((REVIEWS, _REVIEWS, _NO_REVIEWS), (LAWSUITS, (), _NO_LAWSUITS)):
        if prose.figures.get(path) == 0:
            draft.say(denial)
            draft.expect(path, 0, "zero_in_words")
        else:
            _count(draft, prose, path, wordings)


def _no_fees(draft: _Draft, path: str) -> None:
    draft.say((_NO_FEES[path],))
    draft.expect(path, 0, "zero_in_words")


def _shortcomings(draft: _Draft, heading: str) -> None:
    draft.heading(heading)
    problems, improvements = draft.random.sample(_PROBLEMS, 2), draft.random.sample(_IMPROVEMENTS, 2)
    draft.say(_FOUND, first=problems[0], second=problems[1])
    draft.say(_PLANNED, first=improvements[0], second=improvements[1])
    for path, items in (("text.problems", problems), ("text.improvements", improvements)):
        for item in items:
            draft.expect(path, item)


def _statistics(draft: _Draft, statistics: Mapping[str, Expected]) -> None:
    for key, cell in statistics.items():
        draft.expect(f"statistics.{key}", cell.value, cell.status, source="table")
    draft.heading("附件：政府信息公开情况统计表")
    draft.blocks.append(statistics_table(statistics))
