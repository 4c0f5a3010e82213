"""The rows of 政府信息公开情况统计表, once: key, printed label, meaning, unit, what they stand under.

`NationalStatistics` has the rows of the national form of 2014–2018 (国办发〔2014〕32号) in
printed order. `Statistics` adds those of the forms that places used from 2008 to 2013 and
that mean something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field

StatisticsKind = Literal["count", "yuan", "wan_yuan"]
NO_UNIT = "——"  # what the form prints as the unit of a section

_PROACTIVE = ("主动公开情况",)
_DISCLOSED = (*_PROACTIVE, "主动公开政府信息数")
_CHANNELS = (*_PROACTIVE, "通过不同渠道和方式公开政府信息的情况")
_ENGAGEMENT = ("回应解读情况",)
_WAYS = (*_ENGAGEMENT, "通过不同渠道和方式回应解读的情况")
_REQUESTS = ("依申请公开情况",)
_RECEIVED = (*_REQUESTS, "收到申请数")
_CONCLUDED = (*_REQUESTS, "申请办结数")
_ANSWERED = (*_REQUESTS, "申请答复数")
_DENIED = (*_ANSWERED, "不同意公开答复数")
_REVIEW = ("行政复议数量",)
_LITIGATION = ("行政诉讼数量",)
_FEES = ("依申请公开信息收取的费用",)
_CAPACITY = ("机构建设和保障经费情况",)
_STAFF = (*_CAPACITY, "从事政府信息公开工作人员数")
_MEETINGS = ("政府信息公开会议和培训情况",)
_CONSULTATIONS = ("咨询情况",)

_SECTION_ENUMERATORS = {
    _PROACTIVE: "一、",
    _CHANNELS: "（二）",
    _ENGAGEMENT: "二、",
    _WAYS: "（二）",
    _REQUESTS: "三、",
    _CAPACITY: "八、",
    _MEETINGS: "九、",
}


def _row(
    above: tuple[str, ...],
    enumerator: str,
    label: str,
    unit: str,
    meaning: str,
    *,
    remark: str = "",
    kind: StatisticsKind = "count",
) -> Any:
    """A row of the national form: `enumerator` + `label` + `remark` is what is printed."""
    extra = {"enumerator": enumerator, "remark": remark, "template": "stat2014"}
    return _field(above, label, unit, meaning, kind, extra)


def _local(
    above: tuple[str, ...], label: str, unit: str, meaning: str, kind: StatisticsKind = "count"
) -> Any:
    """A row that only forms before 2014 have."""
    return _field(above, label, unit, meaning, kind, {})


def _field(
    above: tuple[str, ...], label: str, unit: str, meaning: str, kind: StatisticsKind, extra: dict[str, Any]
) -> Any:
    described = {"label": label, "unit": unit, "kind": kind, "above": list(above), **extra}
    return Field(default=None, title=label, description=meaning, json_schema_extra=described)


class NationalStatistics(BaseModel):
    """The national form of 2014–2018, in printed order."""

    # fmt: off
    disclosed_total: float | None = _row(_PROACTIVE, "（一）", "主动公开政府信息数", "条", "items disclosed, one on several channels counted once", remark="（不同渠道和方式公开相同信息计1条）")
    normative_documents_disclosed: float | None = _row(_DISCLOSED, "其中：", "主动公开规范性文件数", "条", "normative documents disclosed")
    normative_documents_issued: float | None = _row(_PROACTIVE, "", "制发规范性文件总数", "件", "normative documents issued")
    disclosed_gazette: float | None = _row(_CHANNELS, "1.", "政府公报公开政府信息数", "条", "items in the government gazette")
    disclosed_website: float | None = _row(_CHANNELS, "2.", "政府网站公开政府信息数", "条", "items on the government website")
    disclosed_weibo: float | None = _row(_CHANNELS, "3.", "政务微博公开政府信息数", "条", "items on government microblogs")
    disclosed_wechat: float | None = _row(_CHANNELS, "4.", "政务微信公开政府信息数", "条", "items on government WeChat accounts")
    disclosed_other: float | None = _row(_CHANNELS, "5.", "其他方式公开政府信息数", "条", "items disclosed in other ways")
    responses_total: float | None = _row(_ENGAGEMENT, "（一）", "回应公众关注热点或重大舆情数", "次", "public concerns and opinion events responded to, each counted once", remark="（不同方式回应同一热点或舆情计1次）")
    press_conferences: float | None = _row(_WAYS, "1.", "参加或举办新闻发布会总次数", "次", "press conferences held or attended")
    press_conferences_leader: float | None = _row((*_WAYS, "参加或举办新闻发布会总次数"), "其中：", "主要负责同志参加新闻发布会次数", "次", "press conferences with the leading official")
    interviews: float | None = _row(_WAYS, "2.", "政府网站在线访谈次数", "次", "online interviews on the website")
    interviews_leader: float | None = _row((*_WAYS, "政府网站在线访谈次数"), "其中：", "主要负责同志参加政府网站在线访谈次数", "次", "online interviews with the leading official")
    interpretations: float | None = _row(_WAYS, "3.", "政策解读稿件发布数", "篇", "policy interpretations published")
    weibo_wechat_responses: float | None = _row(_WAYS, "4.", "微博微信回应事件数", "次", "events responded to on microblogs and WeChat")
    other_responses: float | None = _row(_WAYS, "5.", "其他方式回应事件数", "次", "events responded to in other ways")
    received_total: float | None = _row(_REQUESTS, "（一）", "收到申请数", "件", "applications received")
    received_in_person: float | None = _row(_RECEIVED, "1.", "当面申请数", "件", "applications received in person")
    received_fax: float | None = _row(_RECEIVED, "2.", "传真申请数", "件", "applications received by fax")
    received_online: float | None = _row(_RECEIVED, "3.", "网络申请数", "件", "applications received by website or e-mail")
    received_mail: float | None = _row(_RECEIVED, "4.", "信函申请数", "件", "applications received by post")
    concluded_total: float | None = _row(_REQUESTS, "（二）", "申请办结数", "件", "applications concluded")
    concluded_on_time: float | None = _row(_CONCLUDED, "1.", "按时办结数", "件", "concluded on time")
    concluded_extended: float | None = _row(_CONCLUDED, "2.", "延期办结数", "件", "concluded after an extension")
    answered_total: float | None = _row(_REQUESTS, "（三）", "申请答复数", "件", "applications answered")
    answered_already_public: float | None = _row(_ANSWERED, "1.", "属于已主动公开范围数", "件", "answered: already disclosed")
    answered_granted: float | None = _row(_ANSWERED, "2.", "同意公开答复数", "件", "answered: granted")
    answered_partially_granted: float | None = _row(_ANSWERED, "3.", "同意部分公开答复数", "件", "answered: granted in part")
    answered_denied: float | None = _row(_ANSWERED, "4.", "不同意公开答复数", "件", "answered: denied")
    denied_state_secret: float | None = _row(_DENIED, "其中：", "涉及国家秘密", "件", "denied: state secret")
    denied_trade_secret: float | None = _row(_DENIED, "", "涉及商业秘密", "件", "denied: trade secret")
    denied_privacy: float | None = _row(_DENIED, "", "涉及个人隐私", "件", "denied: personal privacy")
    denied_security_stability: float | None = _row(_DENIED, "", "危及国家安全、公共安全、经济安全和社会稳定", "件", "denied: national, public, economic security and social stability")
    denied_not_government_information: float | None = _row(_DENIED, "", "不是《条例》所指政府信息", "件", "denied: no government information in the sense of the Regulation")
    denied_other_law: float | None = _row(_DENIED, "", "法律法规规定的其他情形", "件", "denied: other grounds in law")
    answered_not_this_body: float | None = _row(_ANSWERED, "5.", "不属于本行政机关公开数", "件", "answered: another body's to disclose")
    answered_nonexistent: float | None = _row(_ANSWERED, "6.", "申请信息不存在数", "件", "answered: information does not exist")
    answered_correction_requested: float | None = _row(_ANSWERED, "7.", "告知作出更改补充数", "件", "answered: applicant told to amend")
    answered_other_route: float | None = _row(_ANSWERED, "8.", "告知通过其他途径办理数", "件", "answered: referred to another procedure")
    review_total: float | None = _row((), "四、", "行政复议数量", "件", "administrative reviews")
    review_upheld: float | None = _row(_REVIEW, "（一）", "维持具体行政行为数", "件", "reviews: upheld")
    review_corrected: float | None = _row(_REVIEW, "（二）", "被依法纠错数", "件", "reviews: corrected")
    review_other: float | None = _row(_REVIEW, "（三）", "其他情形数", "件", "reviews: other result")
    litigation_total: float | None = _row((), "五、", "行政诉讼数量", "件", "lawsuits")
    litigation_upheld: float | None = _row(_LITIGATION, "（一）", "维持具体行政行为或者驳回原告诉讼请求数", "件", "lawsuits: upheld or dismissed")
    litigation_corrected: float | None = _row(_LITIGATION, "（二）", "被依法纠错数", "件", "lawsuits: corrected")
    litigation_other: float | None = _row(_LITIGATION, "（三）", "其他情形数", "件", "lawsuits: other result")
    complaints_total: float | None = _row((), "六、", "举报投诉数量", "件", "complaints and reports")
    fees_wan_yuan: float | None = _row((), "七、", "依申请公开信息收取的费用", "万元", "fees charged for disclosure on application", kind="wan_yuan")
    offices: float | None = _row(_CAPACITY, "（一）", "政府信息公开工作专门机构数", "个", "offices for disclosure")
    reading_points: float | None = _row(_CAPACITY, "（二）", "设置政府信息公开查阅点数", "个", "public reading points")
    staff_total: float | None = _row(_CAPACITY, "（三）", "从事政府信息公开工作人员数", "人", "staff for disclosure")
    staff_full_time: float | None = _row(_STAFF, "1.", "专职人员数", "人", "full-time staff", remark="（不包括政府公报及政府网站工作人员数）")
    staff_part_time: float | None = _row(_STAFF, "2.", "兼职人员数", "人", "part-time staff")
    budget_wan_yuan: float | None = _row(_CAPACITY, "（四）", "政府信息公开专项经费", "万元", "budget for disclosure", remark="（不包括用于政府公报编辑管理及政府网站建设维护等方面的经费）", kind="wan_yuan")
    meetings: float | None = _row(_MEETINGS, "（一）", "召开政府信息公开工作会议或专题会议数", "次", "meetings on disclosure")
    trainings: float | None = _row(_MEETINGS, "（二）", "举办各类培训班数", "次", "trainings on disclosure")
    trainees: float | None = _row(_MEETINGS, "（三）", "接受培训人员数", "人次", "people trained")


class Statistics(NationalStatistics):
    """The national rows and those that only local forms before 2014 have."""

    # fmt: off
    disclosed_cumulative: float | None = _local(_PROACTIVE, "累计主动公开政府信息数", "条", "items disclosed since the start")
    disclosed_full_text: float | None = _local(_DISCLOSED, "全文电子化的主动公开信息数", "条", "items disclosed in full as electronic text")
    disclosed_newspaper: float | None = _local(_DISCLOSED, "报刊公开政府信息数", "条", "items in newspapers and periodicals")
    disclosed_broadcast: float | None = _local(_DISCLOSED, "广播电视公开政府信息数", "条", "items on radio and television")
    disclosed_notice_board: float | None = _local(_DISCLOSED, "公告栏公开政府信息数", "条", "items on notice boards and screens")
    normative_documents_new: float | None = _local(_DISCLOSED, "新增的行政规范性文件数", "条", "new normative documents disclosed")
    service_information: float | None = _local(_PROACTIVE, "提供服务类信息数", "条", "items of service information")
    catalogue_on_request: float | None = _local(_REQUESTS, "依申请公开信息目录数", "条", "catalogue entries open to application")
    received_email: float | None = _local(_RECEIVED, "电子邮件申请数", "件", "applications received by e-mail")
    received_web: float | None = _local(_RECEIVED, "网页申请数", "件", "applications received by web form, e-mail apart")
    received_other: float | None = _local(_RECEIVED, "其他形式申请数", "件", "applications received in other ways")
    answered_not_held: float | None = _local(_ANSWERED, "非本机关掌握数", "件", "answered: not held by the body")
    answered_unclear: float | None = _local(_ANSWERED, "申请内容不明确数", "件", "answered: application unclear")
    answered_repeat: float | None = _local(_ANSWERED, "重复申请数", "件", "answered: repeated application")
    answered_other: float | None = _local(_ANSWERED, "其他答复数", "件", "answered: other outcome")
    denied_nonexistent: float | None = _local(_DENIED, "信息不存在数", "件", "denied: information does not exist")
    denied_not_held: float | None = _local(_DENIED, "非本部门掌握数", "件", "denied: not held by the body")
    denied_unclear: float | None = _local(_DENIED, "申请内容不明确数", "件", "denied: application unclear")
    denied_repeat: float | None = _local(_DENIED, "重复申请数", "件", "denied: repeated application")
    denied_deliberative: float | None = _local(_DENIED, "正在调查、讨论、处理过程中", "件", "denied: still under inquiry or discussion")
    denied_enforcement: float | None = _local(_DENIED, "与行政执法有关", "件", "denied: law enforcement")
    denied_exempt_1: float | None = _local(_DENIED, "免予公开范围1", "件", "denied: exemption 1 of the place")
    denied_exempt_2: float | None = _local(_DENIED, "免予公开范围2", "件", "denied: exemption 2 of the place")
    denied_exempt_3: float | None = _local(_DENIED, "免予公开范围3", "件", "denied: exemption 3 of the place")
    denied_exempt_4: float | None = _local(_DENIED, "免予公开范围4", "件", "denied: exemption 4 of the place")
    denied_exempt_5: float | None = _local(_DENIED, "免予公开范围5", "件", "denied: exemption 5 of the place")
    denied_exempt_6: float | None = _local(_DENIED, "免予公开范围6", "件", "denied: exemption 6 of the place")
    denied_exempt_7: float | None = _local(_DENIED, "免予公开范围7", "件", "denied: exemption 7 of the place")
    denied_other: float | None = _local(_DENIED, "其他原因", "件", "denied: other reasons")
    appeals_total: float | None = _local((), "行政申诉数", "件", "administrative appeals")
    appeals_first_handling: float | None = _local(("行政申诉数",), "对本部门首次处理不满意的行政申诉数", "件", "administrative appeals against the body's first handling")
    consultations_total: float | None = _local(_CONSULTATIONS, "接待咨询数", "人次", "people who came, wrote or called with questions")
    consultations_in_person: float | None = _local(_CONSULTATIONS, "现场接待人数", "人次", "people received in person")
    consultations_online: float | None = _local(_CONSULTATIONS, "网上咨询数", "人次", "questions online")
    consultations_phone: float | None = _local(_CONSULTATIONS, "咨询电话接听数", "人次", "questions by telephone")
    website_visits: float | None = _local(_CONSULTATIONS, "网站专栏页面访问量", "人次", "visits to the disclosure pages of the website")
    fees_search_yuan: float | None = _local(_FEES, "检索费", "元", "fees for searching", "yuan")
    fees_mailing_yuan: float | None = _local(_FEES, "邮寄费", "元", "fees for mailing", "yuan")
    fees_copying_yuan: float | None = _local(_FEES, "复制费", "元", "fees for copying", "yuan")
    fees_waived_yuan: float | None = _local(_FEES, "减免费用", "元", "fees waived", "yuan")
    spending_wan_yuan: float | None = _local(_CAPACITY, "政府信息公开实际支出", "万元", "money spent on disclosure", "wan_yuan")
    dispute_costs_wan_yuan: float | None = _local(_CAPACITY, "与行政复议、行政诉讼有关的费用", "万元", "costs of reviews and lawsuits", "wan_yuan")
    staff_civil_servants: float | None = _local(_CAPACITY, "从事政府信息公开的公务人员数", "人", "civil servants who work on disclosure")


@dataclass(frozen=True, slots=True)
class StatisticsRow:
    """A row of the table.

    `key` is None for a section that prints no figure. `label` is without enumerator and
    remark, `printed` with both as the form prints them. `above` are the labels of the
    sections and rows that it stands under, outermost first. `is_national` tells rows of
    the form of 2014 from those of older local ones.
    """

    key: str | None
    label: str
    printed: str
    unit: str
    kind: StatisticsKind
    above: tuple[str, ...]
    is_national: bool

    @property
    def level(self) -> int:
        """Indentation: 0 for 一、二、三 …"""
        return len(self.above)


@cache
def statistics_rows() -> tuple[StatisticsRow, ...]:
    """The national form in printed order, sections without figures included."""
    rows: list[StatisticsRow] = []
    printed: set[tuple[str, ...]] = set()
    for row in (_row_of(key) for key in NationalStatistics.model_fields):
        for depth in range(1, len(row.above) + 1):
            section = row.above[:depth]
            if section not in printed:
                printed.add(section)
                rows.append(_section(section))
        printed.add((*row.above, row.label))
        rows.append(row)
    return tuple(rows)


@cache
def local_rows() -> tuple[StatisticsRow, ...]:
    """The rows that only local forms before 2014 have."""
    return tuple(
        _row_of(key) for key in Statistics.model_fields if key not in NationalStatistics.model_fields
    )


def _row_of(key: str) -> StatisticsRow:
    extra: Any = Statistics.model_fields[key].json_schema_extra
    label = str(extra["label"])
    return StatisticsRow(
        key=key,
        label=label,
        printed=f"{extra.get('enumerator', '')}{label}{extra.get('remark', '')}",
        unit=extra["unit"],
        kind=extra["kind"],
        above=tuple(extra["above"]),
        is_national=key in NationalStatistics.model_fields,
    )


def _section(chain: tuple[str, ...]) -> StatisticsRow:
    printed = f"{_SECTION_ENUMERATORS[chain]}{chain[-1]}"
    return StatisticsRow(None, chain[-1], printed, NO_UNIT, "count", chain[:-1], is_national=True)
