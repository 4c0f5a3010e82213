"""Every field of a report, once: its path, Chinese label, meaning and unit.

Prompts, JSON schemas, the codebook and the annotation guide are made from here.
Labels follow the national forms: 国办公开办函〔2019〕60号 (`table2019`),
国办公开办函〔2021〕30号 (`table2021`), 国办发〔2014〕32号 (`stat2014`); the prose
fields follow Articles 31–32 of the Regulation of 2007.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field

from pipeline.statistics import Statistics
from pipeline.statistics import statistics_rows as statistics_rows

Kind = Literal["count", "change", "yuan", "wan_yuan", "text", "date", "year"]


def _field(label: str, meaning: str, unit: str | None = None, kind: Kind = "count", **extra: Any) -> Any:
    """A field: `label` as the forms print it, `meaning` in English, `unit` as printed."""
    return Field(
        default=None,
        title=label,
        description=meaning,
        json_schema_extra={"label": label, "unit": unit, "kind": kind, **extra},
    )


def _group(label: str, meaning: str, **extra: Any) -> Any:
    return Field(default=None, title=label, description=meaning, json_schema_extra={"label": label, **extra})


class Meta(BaseModel):
    """Who reports, for which period."""

    issuer: str | None = _field("报告机关", "reporting body, name as printed", kind="text")
    issuer_type: str | None = _field(
        "机关类别",
        "government, government_office, department, township, institution, zone, other",
        kind="text",
    )
    level: str | None = _field("层级", "national, province, prefecture, county, township", kind="text")
    division_code: str | None = _field("行政区划代码", "GB/T 2260 code of the place, six digits", kind="text")
    year: int | None = _field("报告年度", "year reported on", kind="year")
    period_start: str | None = _field("统计期限起", "first day of the period, ISO 8601", kind="date")
    period_end: str | None = _field("统计期限止", "last day of the period, ISO 8601", kind="date")
    published_on: str | None = _field("发布日期", "day of publication, ISO 8601", kind="date")
    signed_on: str | None = _field("落款日期", "day of the signature, ISO 8601", kind="date")
    phone: str | None = _field("联系电话", "telephone for questions about the report", kind="text")


class Channels(BaseModel):
    """Items disclosed this year, by channel."""

    website: float | None = _field("政府网站", "items on the government website", "条")
    disclosure_platform: float | None = _field(
        "信息公开平台", "items on the information-disclosure platform or column", "条"
    )
    service_portal: float | None = _field("政务服务网", "items on the government-service portal", "条")
    weibo: float | None = _field("政务微博", "posts on government microblogs", "条")
    wechat: float | None = _field("政务微信", "posts on government WeChat accounts", "条")
    other_new_media: float | None = _field(
        "其他新媒体", "items on apps, short video and other new media", "条"
    )
    gazette: float | None = _field("政府公报", "items in the government gazette", "条")
    newspaper: float | None = _field("报刊", "items in newspapers and periodicals", "条")
    broadcast: float | None = _field("广播电视", "items on radio and television", "条")
    notice_board: float | None = _field("公告栏", "items on notice boards and screens", "条")
    several: float | None = _field("多个渠道合计", "one figure for several channels together", "条")
    other: float | None = _field("其他渠道", "items by other means: leaflets, briefings, texts", "条")


class Rules2019(BaseModel):
    """规章 and 规范性文件 in both forms; each form prints its own columns."""

    made: float | None = _field("本年新制作数量", "made this year", "件", template="table2019")
    disclosed: float | None = _field("本年新公开数量", "disclosed this year", "件", template="table2019")
    disclosed_total: float | None = _field("对外公开总数量", "disclosed in all", "件", template="table2019")
    issued: float | None = _field("本年制发件数", "issued this year", "件", template="table2021")
    repealed: float | None = _field("本年废止件数", "repealed this year", "件", template="table2021")
    in_force: float | None = _field("现行有效件数", "in force at year's end", "件", template="table2021")


class Decisions(BaseModel):
    """Administrative acts: items kept (2019) and decisions made (both forms)."""

    items_previous: float | None = _field(
        "上一年项目数量", "items in the year before", "项", template="table2019"
    )
    items_change: float | None = _field(
        "本年增/减", "change this year, may be negative", "项", kind="change", template="table2019"
    )
    decisions: float | None = _field("本年处理决定数量", "decisions this year", "件")


class Fees2019(BaseModel):
    """行政事业性收费."""

    items_previous: float | None = _field(
        "上一年项目数量", "items in the year before", "项", template="table2019"
    )
    items_change: float | None = _field(
        "本年增/减", "change this year, may be negative", "项", kind="change", template="table2019"
    )
    amount_wan_yuan: float | None = _field(
        "本年收费金额", "amount collected this year", "万元", kind="wan_yuan", template="table2021"
    )


class Procurement(BaseModel):
    """政府集中采购 (2019)."""

    items: float | None = _field("采购项目数量", "procurement items", "项", template="table2019")
    amount_yuan: float | None = _field(
        "采购总金额", "procurement amount", "元", kind="yuan", template="table2019"
    )


class Proactive(BaseModel):
    """Disclosure on the body's own initiative (chapter 二)."""

    total: float | None = _field("主动公开总数", "items disclosed this year", "条")
    cumulative_total: float | None = _field("累计公开总数", "items disclosed since the start", "条")
    channel: Channels | None = _group("公开渠道", "by channel")
    category: float | None = _field(
        "分类信息", "items published on a named subject; `label` is the subject", "条", repeatable=True
    )
    regulations: Rules2019 | None = _group("规章", "government rules")
    normative_documents: Rules2019 | None = _group("行政规范性文件", "normative documents")
    licensing: Decisions | None = _group("行政许可", "licensing")
    other_services: Decisions | None = _group("其他对外管理服务事项", "other services", template="table2019")
    penalties: Decisions | None = _group("行政处罚", "penalties")
    coercion: Decisions | None = _group("行政强制", "coercive measures")
    administrative_fees: Fees2019 | None = _group("行政事业性收费", "administrative fees")
    procurement: Procurement | None = _group("政府集中采购", "central procurement", template="table2019")


class Engagement(BaseModel):
    """Interpretation and response."""

    interpretations: float | None = _field("政策解读", "policy interpretations published", "篇")
    press_conferences: float | None = _field("新闻发布会", "press conferences held", "次")
    interviews: float | None = _field("在线访谈", "online interviews on the website", "次")
    concern_responses: float | None = _field(
        "回应关切", "responses to public concern, messages and incidents", "次"
    )


class Applicants(BaseModel):
    """Applications by kind of applicant: one row of the requests table."""

    natural_person: float | None = _field("自然人", "natural persons", "件")
    company: float | None = _field("商业企业", "companies", "件")
    research: float | None = _field("科研机构", "research institutions", "件")
    nonprofit: float | None = _field("社会公益组织", "non-profit organisations", "件")
    legal_service: float | None = _field("法律服务机构", "legal services", "件")
    other_organisation: float | None = _field("其他", "other organisations", "件")
    total: float | None = _field("总计", "all applicants", "件")


def _row(label: str, meaning: str, group: str | None = None, template: str | None = None) -> Any:
    return _group(label, meaning, group=group, template=template)


class RequestChannels(BaseModel):
    """Applications received, by the way they came in."""

    in_person: float | None = _field("当面申请", "in person", "件")
    fax: float | None = _field("传真申请", "by fax", "件")
    online: float | None = _field("网络申请", "by website or e-mail", "件")
    mail: float | None = _field("信函申请", "by post", "件")
    other: float | None = _field("其他形式申请", "in other ways", "件")


class Answered(BaseModel):
    """Applications answered; in prose only."""

    total: float | None = _field("答复申请", "applications answered", "件")


class Requests(BaseModel):
    """Disclosure on application (chapter 三)."""

    new_received: Applicants | None = _row("本年新收政府信息公开申请数量", "received this year")
    carried_in: Applicants | None = _row("上年结转政府信息公开申请数量", "carried over from last year")
    granted: Applicants | None = _row("予以公开", "granted", "本年度办理结果")
    partially_granted: Applicants | None = _row("部分公开", "granted in part", "本年度办理结果")
    denied_state_secret: Applicants | None = _row("属于国家秘密", "denied: state secret", "不予公开")
    denied_law_prohibits: Applicants | None = _row(
        "其他法律行政法规禁止公开", "denied: forbidden by law", "不予公开"
    )
    denied_security_stability: Applicants | None = _row(
        "危及“三安全一稳定”", "denied: security and stability", "不予公开"
    )
    denied_third_party: Applicants | None = _row("保护第三方合法权益", "denied: third party", "不予公开")
    denied_internal_affairs: Applicants | None = _row(
        "属于三类内部事务信息", "denied: internal affairs", "不予公开"
    )
    denied_deliberative: Applicants | None = _row("属于四类过程性信息", "denied: deliberative", "不予公开")
    denied_enforcement_file: Applicants | None = _row(
        "属于行政执法案卷", "denied: enforcement file", "不予公开"
    )
    denied_administrative_query: Applicants | None = _row(
        "属于行政查询事项", "denied: administrative query", "不予公开"
    )
    unavailable_not_held: Applicants | None = _row("本机关不掌握相关政府信息", "not held", "无法提供")
    unavailable_must_be_created: Applicants | None = _row(
        "没有现成信息需要另行制作", "would have to be created", "无法提供"
    )
    unavailable_unclear: Applicants | None = _row(
        "补正后申请内容仍不明确", "still unclear after correction", "无法提供"
    )
    unprocessed_petition: Applicants | None = _row(
        "信访举报投诉类申请", "not processed: petition", "不予处理"
    )
    unprocessed_repeat: Applicants | None = _row("重复申请", "not processed: repeated", "不予处理")
    unprocessed_publication: Applicants | None = _row(
        "要求提供公开出版物", "not processed: publications", "不予处理"
    )
    unprocessed_mass: Applicants | None = _row(
        "无正当理由大量反复申请", "not processed: mass applications", "不予处理"
    )
    unprocessed_confirmation: Applicants | None = _row(
        "要求行政机关确认或重新出具已获取信息", "not processed: confirmation", "不予处理"
    )
    other_outcome: Applicants | None = _row("其他处理", "other outcome", "本年度办理结果", "table2019")
    other_not_corrected: Applicants | None = _row(
        "申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
        "not corrected in time",
        "其他处理",
        "table2021",
    )
    other_fee_unpaid: Applicants | None = _row(
        "申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
        "fee not paid in time",
        "其他处理",
        "table2021",
    )
    other_misc: Applicants | None = _row("其他", "other", "其他处理", "table2021")
    concluded: Applicants | None = _row("总计", "outcomes in all", "本年度办理结果")
    carried_out: Applicants | None = _row("结转下年度继续办理", "carried over to next year")
    answered: Answered | None = _group("答复", "answered")
    by_channel: RequestChannels | None = _group("申请渠道", "received, by channel")


class Fees(BaseModel):
    """Money for disclosure on application."""

    charged_yuan: float | None = _field("收取费用", "fees charged for copies and post", "元", kind="yuan")
    waived_yuan: float | None = _field("减免费用", "fees waived", "元", kind="yuan")
    processing_fee_yuan: float | None = _field(
        "信息处理费", "information-processing fees, since 2021", "元", kind="yuan"
    )


class Outcomes(BaseModel):
    """How reviews or lawsuits ended."""

    upheld: float | None = _field("结果维持", "upheld", "件")
    corrected: float | None = _field("结果纠正", "corrected", "件")
    other: float | None = _field("其他结果", "other result", "件")
    pending: float | None = _field("尚未审结", "pending", "件")
    total: float | None = _field("总计", "in all", "件")


class Remedies(BaseModel):
    """Administrative review and litigation over disclosure (chapter 四)."""

    review: Outcomes | None = _group("行政复议", "administrative review")
    litigation_direct: Outcomes | None = _group("未经复议直接起诉", "lawsuit without review")
    litigation_after_review: Outcomes | None = _group("复议后起诉", "lawsuit after review")
    litigation: Outcomes | None = _group("行政诉讼", "lawsuits of both kinds, in prose only")


class Complaints(BaseModel):
    """Complaints about disclosure."""

    total: float | None = _field("举报投诉", "complaints and reports about disclosure", "件")


class Capacity(BaseModel):
    """People, places and money for disclosure."""

    staff_full_time: float | None = _field("专职人员", "full-time staff", "人")
    staff_part_time: float | None = _field("兼职人员", "part-time staff", "人")
    offices: float | None = _field("专门机构", "offices for disclosure", "个")
    reading_points: float | None = _field("查阅点", "public reading points", "个")
    budget_wan_yuan: float | None = _field("专项经费", "budget", "万元", kind="wan_yuan")
    meetings: float | None = _field("工作会议", "meetings on disclosure", "次")
    trainings: float | None = _field("培训", "trainings on disclosure", "次")
    trainees: float | None = _field("培训人员", "people trained", "人次")


class Text(BaseModel):
    """Problems and improvements as the report lists them."""

    problems: str | None = _field("存在的主要问题", "problems", kind="text", repeatable=True)
    improvements: str | None = _field("改进措施", "improvements", kind="text", repeatable=True)


class Report(BaseModel):
    """A whole annual disclosure report."""

    meta: Meta | None = _group("基本信息", "who reports, for which period")
    proactive: Proactive | None = _group("主动公开", "disclosure on own initiative")
    engagement: Engagement | None = _group("解读回应", "interpretation and response")
    requests: Requests | None = _group("依申请公开", "disclosure on application")
    fees: Fees | None = _group("收费减免", "fees")
    remedies: Remedies | None = _group("复议诉讼", "review and litigation")
    complaints: Complaints | None = _group("举报投诉", "complaints")
    capacity: Capacity | None = _group("机构人员", "people, places, money")
    statistics: Statistics | None = _group(
        "统计表", "statistics table of 2014–2018 and its local forerunners"
    )
    text: Text | None = _group("问题与改进", "problems and improvements")


APPLICANTS: tuple[str, ...] = tuple(Applicants.model_fields)
OUTCOMES: tuple[str, ...] = tuple(Outcomes.model_fields)
REMEDY_BLOCKS: tuple[str, ...] = ("review", "litigation_direct", "litigation_after_review")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: dotted path, label chain in Chinese, meaning in English, unit, kind."""

    path: str
    label: str
    meaning: str
    unit: str | None
    kind: Kind
    repeatable: bool

    @property
    def group(self) -> str:
        """First part of the path."""
        return self.path.split(".", 1)[0]


@cache
def fields() -> dict[str, FieldSpec]:
    """Every field by its path, in the order of the forms."""
    return {spec.path: spec for spec in _walk(Report, "", (), ())}


def _walk(
    model: type[BaseModel], prefix: str, labels: tuple[str, ...], meanings: tuple[str, ...]
) -> Iterator[FieldSpec]:
    for name, info in model.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        path = f"{prefix}{name}"
        chain = (*labels, *_above(extra), str(extra["label"]))
        sense = (*meanings, info.description or "")
        child = _submodel(info.annotation)
        if child is not None:
            yield from _walk(child, f"{path}.", chain, sense)
            continue
        yield FieldSpec(
            path=path,
            label=" / ".join(chain[1:]),
            meaning=": ".join(sense[1:]),
            unit=None if extra["unit"] is None else str(extra["unit"]),
            kind=extra["kind"],  # type: ignore[arg-type]
            repeatable=bool(extra.get("repeatable", False)),
        )


def _above(extra: Any) -> tuple[str, ...]:
    """Labels of the sections that a row of the statistics table stands under."""
    return tuple(extra.get("above", ()))


def _submodel(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A row of the requests table: key, printed label, group label above it."""

    key: str
    label: str
    group: str | None


@cache
def request_rows(template: Literal["table2019", "table2021"]) -> tuple[RequestRow, ...]:
    """The rows of the requests table in printed order: 23 in 2019, 25 in 2021."""
    rows = []
    for key, info in Requests.model_fields.items():
        if _submodel(info.annotation) is not Applicants:
            continue
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        if extra["template"] in (None, template):
            group = extra["group"]
            rows.append(RequestRow(key, str(extra["label"]), None if group is None else str(group)))
    return tuple(rows)


OUTCOME_ROWS_EXCLUDED = ("new_received", "carried_in", "concluded", "carried_out")


def outcome_rows(template: Literal["table2019", "table2021"]) -> tuple[str, ...]:
    """Keys of the rows whose sum is `concluded`."""
    return tuple(row.key for row in request_rows(template) if row.key not in OUTCOME_ROWS_EXCLUDED)
